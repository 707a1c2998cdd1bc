"""What can go wrong between here and AWS: the one exception base of the project, with the deployer's own codes."""

from __future__ import annotations

from settings.errors import UserError


class AwsError(UserError):
    """AWS refused a call, or could not be reached; the message names the operation and the resource."""

    code = "D001"


class PackageError(UserError):
    """out/<suffix>/ is missing, damaged or not what its manifest says."""

    code = "D002"
    exit_code = 2


class BusyError(UserError):
    """The stack is being changed by somebody else."""

    code = "D003"


class StackStateError(UserError):
    """The stack is in a state from which nothing can be deployed until a person decides."""

    code = "D004"


class ChangeSetError(UserError):
    """The change set could not be created, or is not what it was."""

    code = "D005"


class RefusedError(UserError):
    """The gate refuses; each problem names one resource, the hint the flags that acknowledge them."""

    code = "D006"


class DeclinedError(UserError):
    """The person said no."""

    code = "D007"
    exit_code = 3


class StaleReviewError(UserError):
    """Something moved between the review and its execution."""

    code = "D008"


class DeploymentFailedError(UserError):
    """The execution failed; problems hold the root causes, deepest first."""

    code = "D009"


class ProtectedError(UserError):
    """What was asked for is refused where the environment is durable."""

    code = "D010"


class LocalAwsError(UserError):
    """The embedded AWS cannot be started, found or used."""

    code = "D011"


class TemplateError(UserError):
    """A template is malformed, so that nothing can be told of it."""

    code = "D014"
    exit_code = 2
