"""What stops a part of the rehearsal: one sentence, and the next step."""

from __future__ import annotations

from settings.errors import UserError


class RehearsalError(UserError):
    """A part of the rehearsal cannot start, or what it wrote cannot be read."""

    code = "H001"
