"""A review as data: every renderer and the gate read this, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from deployer.changes import PropertyChange


class Action(StrEnum):
    """What happens to a resource, in the order of how much a reader must care."""

    REPLACE = "replace"
    DELETE = "delete"
    RETAIN = "retain"  # leaves the stack, stays in the account
    MODIFY = "modify"
    IMPORT = "import"
    CREATE = "create"


class Certainty(StrEnum):
    """How sure it is that the change happens."""

    CERTAIN = "certain"
    POSSIBLE = "possible"
    NOISE = "noise"


class Concern(StrEnum):
    """What a change may do harm to."""

    DATA = "data"
    TRAFFIC = "traffic"
    ACCESS = "access"
    PROTECTION = "protection"


class Severity(StrEnum):
    """How loudly a renderer shows an item: stop = the gate must be told, warn = look, note = routine, quiet = noise."""

    STOP = "stop"
    WARN = "warn"
    NOTE = "note"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a cause chain, from the first cause to the property.

    `kind`: param (params key), template (edited code), resource, output, parameter, property.
    `name`: "database.engine_version", "network.Vpc", "network.VpcId" (output), "database.VpcId" (parameter) …
    `detail`: "17.7 → 17.10", "replaced", or "".
    """

    kind: str
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """One property's change with its certainty, cause chain and what it does to the resource."""

    property: PropertyChange
    certainty: Certainty
    replaces: bool
    chain: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a reader must know of a resource's change: "backups are kept for less time: 35 days → 7".

    `rule` is the gate's rule that it needs acknowledged (replace, delete, weaken, access, traffic), "" where it is
    worth a look only.
    """

    concern: Concern
    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """One resource of the review.

    `address`: "database.Cluster". `summary`: one line, "replaced because DatabaseName changes: payments → ledger".
    `keeps`: what becomes of the old one ("deleted", "retained", "snapshot taken, then deleted", ""). `findings` say
    what the change may do harm to, those with a rule are what the gate asks about.
    """

    address: str
    tier: str
    logical_id: str
    physical_id: str
    type: str
    action: Action
    certainty: Certainty
    severity: Severity
    concerns: tuple[Concern, ...]
    summary: str
    keeps: str
    edits: tuple[Edit, ...]
    warnings: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class TierReview:
    """One stack of the tree: `outcome` changed | unchanged | failed | created | deleted, `cause` of a failure."""

    tier: str
    outcome: str
    cause: str
    items: tuple[Item, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """The whole of it. `headline` is one line on data, traffic and access; `counts` is by Action of non-noise items.

    `forecast` tells an offline plan: renderers then say will / may / unknown and never "safe". `unknowns` are what a
    forecast cannot tell, one sentence each. `params` are changed params keys: (key, before, after).
    """

    stack: str
    environment: str
    suffix: str
    region: str
    durable: bool
    forecast: bool
    headline: str
    data: str
    traffic: str
    access: str
    tiers: tuple[TierReview, ...]
    counts: dict[str, int]
    params: tuple[tuple[str, str, str], ...]
    unknowns: tuple[str, ...]

    def items(self) -> tuple[Item, ...]:
        """Every item, in the order of the tiers."""
        return tuple(item for tier in self.tiers for item in tier.items)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One resource that the gate does not let pass: `rule` replace | delete | weaken | access | traffic.

    `flag` acknowledges just this one ("--allow-replace database.Cluster"); "" where the policy of the environment
    says never, and `reason` then says which line of the policy file.
    """

    address: str
    rule: str
    reason: str
    flag: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's answer: allowed when `refusals` is empty. `acknowledged` are the (rule, address) that were used."""

    refusals: tuple[Refusal, ...]
    acknowledged: tuple[tuple[str, str], ...]

    @property
    def allowed(self) -> bool:
        """Whether the change may be executed."""
        return not self.refusals
