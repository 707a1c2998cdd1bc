"""What went wrong with a call to AWS, in words, and what to do next."""

from __future__ import annotations

from typing import Any

_SIGN_IN = "sign in again: aws sso login (or renew the credentials in your environment)"
_GIVE_CREDENTIALS = "sign in (aws sso login), or set AWS_PROFILE or AWS_ACCESS_KEY_ID; --local needs no credentials"
_WRONG_CREDENTIALS = "check AWS_PROFILE, the AWS_… variables and ~/.aws/credentials: aws sts get-caller-identity"
_REACH = "check the network, the region, HTTPS_PROXY and AWS_ENDPOINT_URL, then run the command again"
_TRUST = "a proxy that opens TLS needs its certificate authority in AWS_CA_BUNDLE"
_LATER = "wait a minute and run the command again; nothing is lost"
_HEALTH = "run the command again; if it stays, see https://health.aws.amazon.com/health/status"

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_UNKNOWN = frozenset(
    {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
        "AuthFailure",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "InvalidToken",
    }
)
_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "UnauthorizedException",
        "AllAccessDisabled",
        "403",
    }
)
_SKEWED = frozenset({"RequestTimeTooSkewed", "RequestInTheFuture"})
_THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "BandwidthLimitExceeded",
        "SlowDown",
        "PriorRequestNotComplete",
    }
)
_FIRST_SERVER_ERROR = 500


def failures() -> tuple[type[Exception], ...]:
    """Everything that botocore raises for what a person, AWS or the network can cause."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    return (ClientError, BotoCoreError, ResponseParserError)


def describe(error: Exception) -> tuple[str, str]:
    """What happened and the next step ("" where only the message can tell)."""
    from botocore.exceptions import ClientError

    return _refusal(error) if isinstance(error, ClientError) else _breakdown(error)


def _refusal(error: Any) -> tuple[str, str]:
    """An answer of AWS that is an error."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    text = str(error.response.get("Error", {}).get("Message", "")) or "no reason given"
    operation = error.operation_name
    if code in _EXPIRED:
        return "the credentials have expired", _SIGN_IN
    if code in _UNKNOWN:
        return f"AWS does not accept the credentials ({code})", _WRONG_CREDENTIALS
    if code in _DENIED:
        return f"access denied ({operation}): {text}", f"ask for permission to {operation}, or use another AWS_PROFILE"
    if code in _SKEWED:
        return f"the clock of this computer is wrong ({code})", "set the clock: AWS takes 5 to 15 minutes of difference"
    if code in _THROTTLED:
        return f"AWS throttles {operation} ({code}), and did so at every attempt", _LATER
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= _FIRST_SERVER_ERROR:
        return f"AWS failed to answer {operation} ({code or status}) at every attempt: {text}", _HEALTH
    return f"AWS refused {operation} ({code}): {text}", ""


def _breakdown(error: Exception) -> tuple[str, str]:
    """No answer of AWS at all, or none that can be read."""
    from botocore import exceptions as known
    from botocore.parsers import ResponseParserError

    expired = (
        known.SSOError,
        known.LoginError,
        known.TokenRetrievalError,
        known.CredentialRetrievalError,
        known.RefreshWithMFAUnsupportedError,
    )
    if isinstance(error, known.NoCredentialsError):
        return "there are no credentials", _GIVE_CREDENTIALS
    if isinstance(error, known.ProfileNotFound):
        return f"{error}".removesuffix("."), "see: aws configure list-profiles"
    if isinstance(error, known.PartialCredentialsError | known.InvalidConfigError | known.ConfigParseError):
        return f"{error}".removesuffix("."), _WRONG_CREDENTIALS
    if isinstance(error, expired):
        return f"the credentials cannot be renewed: {error}", _SIGN_IN
    if isinstance(error, known.SSLError):
        return f"TLS fails: {error}", _TRUST
    if isinstance(error, known.HTTPClientError | known.ConnectionError | known.IncompleteReadError):
        return f"AWS cannot be reached: {error}", _REACH
    if isinstance(error, ResponseParserError):
        return "the answer is not one of AWS (a proxy's page, a captive portal or a damaged body?)", _REACH
    return f"{type(error).__name__}: {error}", ""
