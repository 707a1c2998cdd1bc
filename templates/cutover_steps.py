"""The steps of the cutover: which functions there are, what each may do beside its log, and what it is told. Pure data.

The code of a step is `cutover/steps/<module>.py`; what it asks of AWS decides its grants here, and nothing else does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial

from contract.wiring import camel_case
from settings.moving import Cutover

# A call that looks and does little. One that has to come to an end, however long the databases are away.
_SHORT_SECONDS, _PATIENT_SECONDS = 60, 300
_LEAST_SECONDS = 15


class Grant(Enum):
    """Something that a step may do, and needs to be told where."""

    DATABASES = auto()  # sign in to both as the cutover's user
    LOCK = auto()  # take and give up the lock of cutovers
    READ_RUN = auto()  # read what earlier steps of the run have kept
    READ_POINTER = auto()
    MOVE_POINTER = auto()
    SEE_TASKS = auto()
    START_FORWARD = auto()
    STOP_FORWARD = auto()
    START_REVERSE = auto()
    STOP_REVERSE = auto()
    SEE_RULES = auto()
    MOVE_WEIGHTS = auto()  # of the migration rule; never of the production rule, which is ECS's
    SEE_VALIDATIONS = auto()
    SEE_ALARMS = auto()


# Alarms that are there only while the service is started.
OF_TASKS = ("alb-healthy-targets", "ecs-tasks")


@dataclass(frozen=True, slots=True)
class Step:
    """One function.

    `told` are the variables of `TOLD` that it reads, `alarms` the parts of names of alarms that it looks at. `warmed`:
    called once before the freeze, so that it starts in no time within.
    """

    module: str
    purpose: str
    grants: tuple[Grant, ...]
    seconds: Callable[[Cutover], int]
    told: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    warmed: bool = False

    @property
    def part(self) -> str:
        """Its part of physical names: `stop_forward` → `cutover-stop-forward`."""
        return f"cutover-{self.module.replace('_', '-')}"

    @property
    def title(self) -> str:
        """Its part of logical ids: `stop_forward` → `StopForward`."""
        return camel_case(self.module)

    def may(self, *grants: Grant) -> bool:
        """Whether it has one of them."""
        return any(grant in self.grants for grant in grants)


# Environment variable → what params say.
TOLD: Mapping[str, Callable[[Cutover], str]] = {
    "MOST_LAG_SECONDS": lambda settings: str(settings.max_lag_seconds),
    "SEQUENCE_MARGIN": lambda settings: str(settings.sequence_margin),
    "SMOKE_URL": lambda settings: settings.smoke_url or "",
    "VALIDATION_HOURS": lambda settings: str(settings.validation_hours),
    "WRITER_SECONDS": lambda settings: str(settings.writer_seconds),
}


def _frozen(settings: Cutover) -> int:
    """Half of the budget: a call that hangs is given up while there is time for another."""
    return max(settings.freeze_seconds // 2, _LEAST_SECONDS)


def _always(seconds: int, _settings: Cutover) -> int:
    return seconds


_SHORT, _PATIENT = partial(_always, _SHORT_SECONDS), partial(_always, _PATIENT_SECONDS)
_DB = Grant.DATABASES

STEPS = (
    Step(
        "preflight",
        "Says whether the cutover may begin, and if so claims both databases for it",
        (
            _DB, Grant.LOCK, Grant.READ_POINTER, Grant.SEE_TASKS, Grant.SEE_RULES, Grant.SEE_VALIDATIONS,
            Grant.SEE_ALARMS,
        ),
        _PATIENT,
        told=("MOST_LAG_SECONDS", "VALIDATION_HOURS"),
        alarms=("cutover-no-go",),
    ),
    Step("approval", "Keeps the token that the answer of a person needs", (), _SHORT),
    Step("cancel", "Gives up the claims of a cutover that has frozen nothing", (_DB, Grant.LOCK), _SHORT),
    Step("freeze", "Closes the gate of the data centre's database", (_DB,), _frozen, ("WRITER_SECONDS",), warmed=True),
    Step("drain", "Waits until Aurora has all that was accepted", (_DB,), _frozen, warmed=True),
    Step(
        "stop_forward",
        "Stops replication to Aurora",
        (_DB, Grant.SEE_TASKS, Grant.STOP_FORWARD),
        _frozen,
        warmed=True,
    ),
    Step(
        "start_reverse",
        "Starts replication to the data centre, and sees it flow",
        (_DB, Grant.SEE_TASKS, Grant.START_REVERSE),
        _frozen,
        warmed=True,
    ),
    Step(
        "sequences",
        "Moves Aurora's sequences past the data centre's",
        (_DB,),
        _frozen,
        told=("SEQUENCE_MARGIN",),
        warmed=True,
    ),
    Step(
        "switch",
        "Points the application at Aurora, and all requests at AWS",
        (_DB, Grant.READ_RUN, Grant.READ_POINTER, Grant.MOVE_POINTER, Grant.SEE_RULES, Grant.MOVE_WEIGHTS),
        _frozen,
        warmed=True,
    ),
    Step(
        "smoke",
        "Sees that Aurora serves, and would take writes",
        (_DB, Grant.READ_POINTER),
        _frozen,
        told=("SMOKE_URL",),
        warmed=True,
    ),
    Step("reopen", "Opens Aurora's gate", (_DB, Grant.READ_POINTER), _frozen, warmed=True),
    Step(
        "watch",
        "Looks whether all is well on AWS, and the way back is open",
        (_DB, Grant.SEE_TASKS, Grant.SEE_ALARMS),
        _SHORT,
        alarms=("rollback-no-go", "alb-errors", "alb-target-errors", "alb-healthy-targets", "ecs-tasks"),
    ),
    Step("finish", "Ends a cutover whose payments stay on AWS", (_DB, Grant.LOCK), _SHORT),
    Step(
        "go_back",
        "Closes Aurora's gate, and brings to the data centre all that Aurora took",
        (_DB, Grant.SEE_TASKS, Grant.START_REVERSE),
        _PATIENT,
        told=("SEQUENCE_MARGIN", "WRITER_SECONDS"),
    ),
    Step(
        "rollback",
        "Leads payments and requests back to the data centre",
        (
            _DB, Grant.LOCK, Grant.READ_RUN, Grant.MOVE_POINTER, Grant.SEE_TASKS, Grant.START_FORWARD,
            Grant.START_REVERSE, Grant.STOP_REVERSE, Grant.SEE_RULES, Grant.MOVE_WEIGHTS,
        ),
        _PATIENT,
        told=("SEQUENCE_MARGIN", "WRITER_SECONDS"),
        warmed=True,
    ),
    Step("stuck", "Tells a person what is open and what can be done", (_DB,), _SHORT),
)  # fmt: skip
