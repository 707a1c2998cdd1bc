"""What a run is asked to do: the input of an execution, checked, with the defaults of the deployment."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from validator.errors import UsageError

_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_MOST_SECONDS = 86400
_WHOLE = 100


@dataclass(frozen=True, slots=True)
class Order:
    """One run. It is kept with the plan, so that every call of the run does the same.

    `settle_seconds` is what replication may take at most, 0 when nothing is in flight; `deadline_seconds` is how long
    rows in flight are watched. `tables` are names as a person writes them, none for all. Without `baseline` a clean run
    leaves nothing that a later one could go by, and need not wait until no commit before it can be undone by a crash.
    `max_share_percent` is the greatest part of its time that a connection keeps the source busy.
    """

    settle_seconds: float
    deadline_seconds: float
    incremental: bool = False
    baseline: bool = True
    sequences: bool = False
    without_large_objects: bool = False
    marker: str | None = None
    tables: tuple[str, ...] = ()
    max_share_percent: float = 100.0

    def document(self) -> dict[str, Any]:
        """The order as JSON."""
        return {**asdict(self), "tables": list(self.tables)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """The order that `document` was made of."""
        return cls(**{**document, "tables": tuple(document["tables"])})


def read_order(given: Any, settle_seconds: float, deadline_seconds: float, max_share_percent: float = 100.0) -> Order:
    """The order of an execution's input; what is left out is as the deployment has it. Raises `UsageError`."""
    if not isinstance(given, Mapping):
        raise UsageError("the input of a run is not a JSON object", hint="start it with {}")
    kinds: dict[str, Callable[[str, Any], Any]] = {
        "settle_seconds": _seconds,
        "deadline_seconds": _seconds,
        "incremental": _flag,
        "baseline": _flag,
        "sequences": _flag,
        "without_large_objects": _flag,
        "marker": _marker,
        "tables": _names,
        "max_share_percent": _percent,
        "run_id": _run,
    }
    for name in given:
        if name not in kinds:
            raise UsageError(
                f"the input of a run has {name!r}, which is not known", hint="known are " + ", ".join(kinds)
            )
    found = {name: kinds[name](name, value) for name, value in given.items()}
    found.pop("run_id", None)
    own = {
        "settle_seconds": settle_seconds, "deadline_seconds": deadline_seconds, "max_share_percent": max_share_percent,
    }  # fmt: skip
    return Order(**{**own, **found})


def run_id_of(given: Mapping[str, Any], execution: str) -> str:
    """The run that an execution works at: an earlier one that its input names, else its own."""
    return _run("run_id", given.get("run_id", execution))


def _seconds(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST_SECONDS:
        raise UsageError(f"{name} is {value!r}, not a number of seconds from 0 to {_MOST_SECONDS}")
    return float(value)


def _percent(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= _WHOLE:
        raise UsageError(f"{name} is {value!r}, not a number above 0 and at most {_WHOLE}")
    return float(value)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{name} is {value!r}, not true or false")
    return value


def _marker(name: str, value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and value):
        raise UsageError(f"{name} is {value!r}, neither null nor the id of a marker")
    return value


def _names(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
        raise UsageError(f"{name} is {value!r}, not a list of table names", hint="leave it out to compare all")
    return tuple(value)


def _run(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _RUN_ID.fullmatch(value):
        raise UsageError(f"{name} is {value!r}, not the id of a run: up to 80 letters, digits, - and _")
    return value
