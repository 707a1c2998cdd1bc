"""Names as SQL."""

from __future__ import annotations


def quote(name: str) -> str:
    """A name as SQL, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'
