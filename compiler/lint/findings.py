"""A finding, as cfn-lint reports it, detached from cfn-lint's own objects so that it can be cached and compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding: `file` is a template's name, `line` and `column` count from 1, `path` leads into the template."""

    file: str
    line: int
    rule: str
    message: str
    column: int = 1
    severity: str = "error"
    path: tuple[str, ...] = ()
    url: str = ""

    def to_json(self) -> dict[str, Any]:
        """Every field, `path` as a list."""
        return {name: list(v) if isinstance(v := getattr(self, name), tuple) else v for name in self.__slots__}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Finding:
        """The reverse of `to_json`."""
        return cls(**{**data, "path": tuple(data["path"])})
