"""How a rehearsal ended, beside the tally of its payments: where the system stands, and what the freeze was made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.events import Accepted, Event
from rehearsal.rehearse.databases import AURORA, DATA_CENTER
from rehearsal.rehearse.faults import Fault
from rehearsal.timeline import Phase, Run, Step

_FREEZE = (
    "Freeze", "Drain", "ProveAndTurn", "StopForward", "StartReverse", "Sequences", "Validate", "Switch", "Smoke",
    "Reopen",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class End:
    """Where the system stands: the phase, the pointer, which gates are open, what the last execution failed with."""

    phase: str
    pointer: str
    gates: Mapping[str, bool]
    error: str

    @property
    def name(self) -> str:
        """switched, back, or between: neither."""
        open_gates = [side for side, is_open in self.gates.items() if is_open]
        if open_gates == [self.pointer]:
            return {AURORA: "switched", DATA_CENTER: "back"}.get(self.pointer, "between")
        return "between"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One rehearsal. `returned`: payments of the run that both databases have in the end."""

    run: Run
    env: str
    rate: float
    payments: int
    patience: int
    fault: str
    end: End
    breakdown: Mapping[str, Mapping[str, float]]
    returned: int
    seconds: float

    @property
    def passed(self) -> bool:
        return self.run.tally.passed

    def document(self) -> dict[str, Any]:
        """All of it for a machine, the verdict first."""
        told = self.run.document()
        return {
            "verdict": told.pop("verdict"),
            "passed": told.pop("passed"),
            "fault": self.fault or None,
            "end": self.end.name,
            "phase": self.end.phase,
            "error": self.end.error or None,
            "env": self.env,
            "rate": self.rate,
            "payments_before": self.payments,
            "patience": self.patience,
            "on_both_sides": self.returned,
            "rehearsal_s": self.seconds,
            "breakdown": self.breakdown,
            **told,
        }


def find_faults(
    end: End, fault: Fault | None, events: Iterable[Event], phases: Sequence[Phase], *, pending: bool
) -> Iterator[str]:
    """What must not be, whatever the tally says; a sentence each."""
    open_gates = [side for side, is_open in end.gates.items() if is_open]
    if end.name == "between":
        gates = " and ".join(open_gates) or "neither side"
        yield f"neither switched nor back: the pointer is {end.pointer}, writes are open on {gates}"
    elif fault is None and end.name != "switched":
        yield f"nothing was to break, and the payments are back in the data centre ({end.error or end.phase})"
    if pending:
        yield f"{fault} never came about"
    since = phases[-1].when.start if phases else 0.0
    if not any(isinstance(event, Accepted) and event.at >= since for event in events):
        yield "no payment was accepted after the end of the cutover"


def break_down(steps: Iterable[Step], record: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """For each state of the freeze, the seconds it took in all, and of these the seconds of the step's own code."""
    found: dict[str, dict[str, float]] = {}
    for step in steps:
        if step.name not in _FREEZE:
            continue
        entry = found.setdefault(step.name, {"seconds": 0.0})
        entry["seconds"] = round(entry["seconds"] + step.when.seconds, 3)
        if "seconds" in (told := record.get(_snake(step.name), {})):
            entry["code_seconds"] = told["seconds"]
    return found


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
