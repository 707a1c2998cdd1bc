"""One row of the tables of what protects: a property, and when a change of it protects less."""

from __future__ import annotations

from dataclasses import dataclass

from deployer.review.concerns.compare import Weaker, below
from deployer.review.model import Concern


@dataclass(frozen=True, slots=True)
class Guard:
    """A property that protects: resource type, path below its properties, what a missing value means, when it is less.

    `rule` is the gate's: "weaken", "access" for who gets in, "traffic" for what is served, "" for worth a look.
    """

    type: str
    path: str
    missing: str | int | None
    weaker: Weaker
    text: str
    rule: str = "weaken"
    concern: Concern = Concern.PROTECTION


NO, YES = "false", "true"
OPEN = ("access", Concern.ACCESS)
TRAFFIC = ("traffic", Concern.TRAFFIC)
UNPROTECTED = "deletion protection is switched off"
ENCRYPTED_WITH = "it is encrypted with another key, or with none"
FURTHER_GROUP = "a further security group lets in its own"
OTHER_ROLE = "it acts as another role"
# As libpq and JDBC name the modes.
SSL_MODES = below("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
