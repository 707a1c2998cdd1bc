"""The tables of a run as they were planned: kept with the plan where they are few, else each by itself.

A document of its own for each costs a round trip to S3 whenever it is looked at, and a cutover waits for these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from validator.places import plan_key, table_key
from validator.store import Store, read_all


class Tables:
    """Reads them; `plan` is that of the run, read when first needed unless it is given."""

    def __init__(self, store: Store, run_id: str, plan: Mapping[str, Any] | None = None) -> None:
        self._store = store
        self._run_id = run_id
        self._plan = plan

    def read(self, number: int) -> dict[str, Any] | None:
        """One table, None where it is gone. Raises `StoreError`."""
        together = self._together()
        if together is None:
            return self._store.read(table_key(self._run_id, number))
        return together[number] if number < len(together) else None

    def all(self) -> Iterator[dict[str, Any] | None]:
        """Every table of the plan, in its order. Raises `StoreError`."""
        together = self._together()
        if together is None:
            count = len(self._plan["tables"]) if self._plan else 0
            yield from read_all(self._store, [table_key(self._run_id, number) for number in range(count)])
        else:
            yield from together

    def _together(self) -> list[dict[str, Any]] | None:
        if self._plan is None:
            self._plan = self._store.read(plan_key(self._run_id)) or {}
        found: list[dict[str, Any]] | None = self._plan.get("together")
        return found
