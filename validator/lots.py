"""Where an item of work stands, as it is kept: which slices of which tables are done, and what was found in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from validator.comparison import Progress
from validator.model import Slice
from validator.storable import progress_document, progress_of


@dataclass(slots=True)
class Lot:
    """The slices of one table in an item. `tried` counts calls that began the next slice and never came back."""

    table: int
    pending: list[Slice]
    done: list[Slice] = field(default_factory=list)
    progress: Progress = field(default_factory=Progress)
    increment: bool = False
    mode: str = "full"
    problem: str = ""
    tried: int = 0
    locked: int = 0
    seconds: float = 0.0

    @property
    def scanned(self) -> bool:
        """Whether there is nothing left to read for the first time."""
        return bool(self.problem) or not (self.pending or self.increment)

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return bool(self.problem) or (self.scanned and not self.progress.waiting)

    def document(self) -> dict[str, Any]:
        """The lot as JSON."""
        return {
            "table": self.table,
            "pending": [part.document() for part in self.pending],
            "done": [part.document() for part in self.done],
            **progress_document(self.progress),
            **{name: getattr(self, name) for name in _PLAIN},
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """The lot that `document` was made of."""
        return cls(
            document["table"],
            [Slice.of(part) for part in document["pending"]],
            [Slice.of(part) for part in document["done"]],
            progress_of(document),
            **{name: document[name] for name in _PLAIN},
        )


_PLAIN = ("increment", "mode", "problem", "tried", "locked", "seconds")


@dataclass(slots=True)
class State:
    """Where an item stands. `attempt` is the execution that works at it, `settling` when it began to watch rows."""

    lots: list[Lot]
    attempt: str = ""
    settling: float | None = None
    problem: str = ""

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return all(lot.finished for lot in self.lots)

    @property
    def rank(self) -> int:
        """How far it is: greater than that of any state that it comes from."""
        return sum(len(lot.done) + lot.scanned + lot.finished for lot in self.lots)

    def document(self) -> dict[str, Any]:
        """The state as JSON."""
        return {
            "attempt": self.attempt,
            "settling": self.settling,
            "problem": self.problem,
            "lots": [lot.document() for lot in self.lots],
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """The state that `document` was made of."""
        lots = [Lot.of(lot) for lot in document["lots"]]
        return cls(lots, document["attempt"], document["settling"], document["problem"])
