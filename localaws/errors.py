"""What can go wrong with the embedded AWS itself; the deployer shows these as it shows its own."""

from __future__ import annotations

from settings.errors import UserError


class StartError(UserError):
    """The server did not become ready; problems hold the last lines of its log."""

    code = "E001"


class UnresponsiveError(UserError):
    """A server is there, but it does not answer or does not end."""

    code = "E002"


class SavedStateError(UserError):
    """The saved account cannot be used: damaged, or written by another version."""

    code = "E003"


class LoopbackError(UserError):
    """An endpoint that is not on this machine was named where only the embedded AWS may be reached."""

    code = "E004"
    exit_code = 2
