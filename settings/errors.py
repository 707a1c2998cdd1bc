"""What a user can cause: one exception base, with a stable code and the next step.

Every message says what happened and where (file, tier, resource); the hint says what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint naming the closest known name, or nothing."""
    import difflib  # needed on the error path only; it costs start-up time

    names = list(known)
    # Letters in the wrong order are the likeliest slip, and the matcher does not prefer them.
    swapped = [other for other in names if sorted(other) == sorted(name)]
    close = swapped or difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]}?" if close else ""


class UserError(Exception):
    """Something a person can cause and mend; doors print it and exit, never a traceback.

    `code` is stable (documentation and tests refer to it), `exit_code` is what the process ends with:
    1 found something, 2 wrong usage or params, 3 declined.
    """

    code = "X000"
    exit_code = 1

    def __init__(self, problems: str | list[str], hint: str = "") -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        self.hint = hint
        super().__init__("\n".join(self.problems))


class UsageError(UserError):
    """The command line is wrong."""

    code = "U001"
    exit_code = 2


class MissingPackageError(UserError):
    """A package that the project needs is not installed for this interpreter."""

    code = "U002"
    exit_code = 2


class ParamsError(UserError):
    """The params files are wrong; `problems` holds every error found, not only the first."""

    code = "P001"
    exit_code = 2


class LifecycleError(UserError):
    """A chosen version can no longer be created, or is past its end of support."""

    code = "V001"


class NamingError(UserError):
    """A physical name breaks its service's own limit or alphabet."""

    code = "N001"
    exit_code = 2


class LinkError(UserError):
    """A wire between two tiers is missing, misspelt, of the wrong kind, cyclic or unused."""

    code = "L001"


class TierError(UserError):
    """A tier module fails while it fills its template."""

    code = "T001"


class QuotaError(UserError):
    """A template is larger than CloudFormation takes."""

    code = "Q001"


class AssetError(UserError):
    """Code that the templates ship cannot be packaged."""

    code = "A001"


class OutputError(UserError):
    """out/ could not be written; the previous build is untouched."""

    code = "W001"
