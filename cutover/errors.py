"""What stops a command although both databases answer."""

from __future__ import annotations

from validator.errors import ValidatorError


class RefusedError(ValidatorError):
    """What was asked for would do harm, or is done already: nothing was changed, or the message says what was."""


class ProgramError(ValidatorError):
    """One of PostgreSQL's own programs is missing, of the wrong version, or failed."""
