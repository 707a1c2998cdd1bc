"""What can be made to break in a rehearsal, and when: at a state of the state machine, or a while into it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from settings.errors import UsageError, did_you_mean

# The states of templates/cutover_workflow.py at which something may break, in the order of a cutover.
STATES = (
    "Preflight", "Approve", "LookAgain", "Warm", "Freeze", "Drain", "StopForward", "StartReverse", "Sequences",
    "Validate", "Switch", "Smoke", "Reopen", "Watch",
)  # fmt: skip
_NAME = re.compile(r"([a-z-]+)@([A-Za-z]+)(?:\+([0-9]{1,3}(?:\.[0-9]{1,3})?))?")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault; `states` are those at which it makes sense."""

    purpose: str
    states: tuple[str, ...] = STATES


# The states that are functions of the cutover's own, and wait for no person.
_FUNCTIONS = tuple(state for state in STATES if state not in ("Validate", "Approve", "Warm"))

KINDS = {
    "source-killed": Kind("the data centre's server is killed, and comes back after two seconds"),
    "target-killed": Kind("Aurora's server is killed, and comes back after two seconds"),
    "connection-cut": Kind("every connection of AWS and of the applications to both databases breaks, once"),
    "replication-stalled": Kind("the forward replication hangs from then on", ("Approve", "Warm")),
    "row-corrupted": Kind("the next payment arrives on Aurora with another amount", ("Preflight", "Approve")),
    "function-timeout": Kind("the function of that state times out, once", _FUNCTIONS),
    "machine-stopped": Kind("the execution is stopped; the operator resumes it, before the freeze goes back"),
    "operator-away": Kind("nobody answers what the cutover asks", ("Approve",)),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `kind` at `state`, `delay_seconds` after that began."""

    kind: str
    state: str
    delay_seconds: float = 0.0

    def __str__(self) -> str:
        delay = f"+{self.delay_seconds:g}" if self.delay_seconds else ""
        return f"{self.kind}@{self.state}{delay}"


def read_fault(text: str) -> Fault:
    """A fault by its name; raises UsageError."""
    match = _NAME.fullmatch(text)
    if match is None:
        hint = did_you_mean(text, KINDS) if "@" not in text else ""
        raise UsageError(f"--fault {text}: not KIND@STATE", hint=hint or "as target-killed@Drain; see --help")
    kind, state, delay = match.groups()
    if kind not in KINDS:
        raise UsageError(
            f"--fault {text}: no such kind", hint=did_you_mean(kind, KINDS) or f"one of {', '.join(KINDS)}"
        )
    if state not in KINDS[kind].states:
        known = KINDS[kind].states
        raise UsageError(
            f"--fault {text}: {kind} cannot happen at {state}",
            hint=did_you_mean(state, known) or f"one of {', '.join(known)}",
        )
    return Fault(kind, state, float(delay or 0))


def every_fault() -> tuple[Fault, ...]:
    """Each kind at each state at which it makes sense."""
    return tuple(Fault(name, state) for name, kind in KINDS.items() for state in kind.states)
