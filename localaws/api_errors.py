"""What the CloudFormation API answers when it refuses."""

from __future__ import annotations


class ApiError(Exception):
    """A refusal: `code` is the error code on the wire, `status` the HTTP status.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        self.code = code
        self.message = message
        self.status = status
        super().__init__(message)


def invalid(message: str) -> ApiError:
    """A ValidationError: by far the most frequent word of CloudFormation."""
    return ApiError("ValidationError", message)
