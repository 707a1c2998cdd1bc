"""Engine versions: an upgrade, which restarts, and a downgrade, which AWS refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deployer.review.concerns.case import Case
from deployer.review.model import Action, Concern, Finding
from deployer.review.values import arrow, text_of

_DATABASES = ("AWS::RDS::DBCluster", "AWS::RDS::DBInstance")
_REPLICATION = "AWS::DMS::ReplicationInstance"
_NAME = "EngineVersion"


def engine_changed(case: Case) -> Iterator[Finding]:
    """What a change of an engine's version in place comes to.

    RDS upgrades to what it lists as an upgrade's target, and DMS to a more recent version; neither goes back.
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_UpgradeTarget.html
    https://docs.aws.amazon.com/dms/latest/userguide/CHAP_ReplicationInstance.EngineVersions.html
    """
    known = case.type in _DATABASES or case.type == _REPLICATION
    if not known or case.action is not Action.MODIFY or _NAME not in case.touched:
        return
    before, after = (None if _NAME not in side else text_of(side[_NAME]) for side in (case.old(), case.new()))
    told = arrow(before, after)
    order = _order(before, after)
    if order < 0:
        yield Finding(
            Concern.DATA,
            "",
            f"engine downgrade {told}, which AWS refuses in place, so that the whole update rolls back; "
            "an older version takes a new resource with the data moved into it",
        )
    elif case.type in _DATABASES:
        yield Finding(Concern.DATA, "", f"engine {'upgrade' if order else 'version'} {told}, {_meaning(before, after)}")
    elif order:
        yield Finding(Concern.TRAFFIC, "", f"engine upgrade {told}, replication pauses meanwhile")


def _meaning(before: str | None, after: str | None) -> str:
    old, new = ((version or "").partition(".")[0] for version in (before, after))
    return "a major one, and no way back but a snapshot" if old != new else "connections break while it restarts"


def _order(before: str | None, after: str | None) -> int:
    """1 for a newer version, -1 for an older one, 0 where that cannot be told: "17.10" is newer than "17.7"."""
    old, new = (_parts(version) for version in (before, after))
    shared = min(len(old), len(new))
    return (new[:shared] > old[:shared]) - (new[:shared] < old[:shared])


def _parts(version: str | None) -> tuple[int, ...]:
    """The numbers of a version; none of what is no plain version, or is only known to AWS."""
    plain = version if version and re.fullmatch(r"\d+(\.\d+)*", version) else ""
    return tuple(int(part) for part in plain.split(".") if part)
