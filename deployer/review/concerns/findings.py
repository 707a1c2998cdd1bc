"""Every rule, applied to one resource's change."""

from __future__ import annotations

from deployer.review.concerns.case import Case
from deployer.review.concerns.data import lost
from deployer.review.concerns.doors import unlocked
from deployer.review.concerns.engine import engine_changed
from deployer.review.concerns.paths import opened
from deployer.review.concerns.permissions import widened
from deployer.review.concerns.protection import weakened
from deployer.review.concerns.replication import interrupted
from deployer.review.concerns.traffic import moved
from deployer.review.model import Certainty, Finding

_RULES = (lost, engine_changed, interrupted, moved, opened, widened, unlocked, weakened)


def findings(case: Case) -> tuple[Finding, ...]:
    """What a reader must know of the change; nothing of one that is noise."""
    if case.graded.certainty is Certainty.NOISE:
        return ()
    return tuple(dict.fromkeys(finding for rule in _RULES for finding in rule(case)))
