"""Faults of a replication that runs, for rehearsals: it stalls until released, or a row is corrupted on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from localaws.dms import objects
from localaws.dms.corruption import Corruption
from localaws.dms.postgres import Link
from localaws.dms.runs import Run, Table


class Disturbances:
    """Those of one task: asked for from any thread, carried out by its worker."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._wanted = False
        self._corruptions: list[Corruption] = []
        self._obeyed = threading.Condition()
        self.stalled = False

    def ask(self, *, stall: bool | None, table: Table | None, column: str | None) -> None:
        """Stall or release (None: as it is); corrupt the next row that is applied to `table`."""
        if stall is not None:
            self._wanted = stall
        if table is not None:
            self._corruptions.append(Corruption(table, column))

    def wait(self, seconds: float) -> bool:
        """Until what was asked for is in place; False where that takes longer."""
        with self._obeyed:
            return self._obeyed.wait_for(self._is_obeyed, seconds)

    def carry_out(self, target: Link, enable: Callable[[], None]) -> None:
        """Bring the target to what is wanted; `enable` lets the changes flow again."""
        if self._wanted != self.stalled:
            if self._wanted:
                objects.disable(target, self._run.name)
            else:
                enable()
            self.stalled = self._wanted
        for one in list(self._corruptions):
            if one.since < 0:
                one.arm(target)
            elif one.done is None:
                one.strike(target)
        with self._obeyed:
            self._obeyed.notify_all()

    def tell(self) -> dict[str, Any]:
        """What is in place, and what has been done."""
        return {
            "stalled": self.stalled,
            "armed": [one.table.full_name for one in self._corruptions if one.done is None],
            "corrupted": [one.done for one in self._corruptions if one.done],
        }

    def _is_obeyed(self) -> bool:
        return self.stalled == self._wanted and all(one.since >= 0 for one in self._corruptions)
