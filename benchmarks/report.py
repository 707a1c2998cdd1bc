"""Rows of figures, as a Markdown table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: `value` in `unit` and, against `peer`, the median ratio with the goal it is held to (0: none)."""

    goal: str
    what: str
    value: float
    ratio: float
    peer: str
    limit: float
    unit: str = "s"

    @property
    def met(self) -> bool:
        """Whether the goal is reached."""
        return not self.limit or self.ratio <= self.limit


def render(rows: Sequence[Row]) -> str:
    """The table; goals that are missed say so in words."""
    lines = ["| goal | what | median | ratio | to | goal | |", "|---|---|---:|---:|---|---:|---|"]
    lines += [
        f"| {row.goal} | {row.what} | {row.value:.3f} {row.unit} | {row.ratio:.2f} | {row.peer} "
        f"| {f'<= {row.limit:g}' if row.limit else ''} | {'' if row.met else 'missed'} |"
        for row in rows
    ]
    return "\n".join(lines)
