"""Versions of engines: which way they go, and what that comes to."""

from __future__ import annotations

import pytest

from deployer.review.model import Concern, Severity

CLUSTER, INSTANCE = "database.Cluster", "migration.ReplicationInstance"
REFUSED = ", which AWS refuses in place, so that the whole update rolls back"
MAJOR = ", a major one, and no way back but a snapshot"
RESTARTS = ", connections break while it restarts"


def changed(scene, address, before, after):
    for side, version in (("before", before), ("after", before)):
        scene.set(address, EngineVersion=version) if side == "after" else scene.properties(address, side).update(
            EngineVersion=version
        )
    scene.edit(address, EngineVersion=after)
    return scene.item(address)


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("17.7", "17.10", f"engine upgrade 17.7 → 17.10{RESTARTS}"),
        ("17.10", "17.7", f"engine downgrade 17.10 → 17.7{REFUSED}"),
        ("17.7", "18.1", f"engine upgrade 17.7 → 18.1{MAJOR}"),
        ("9.6", "10.1", f"engine upgrade 9.6 → 10.1{MAJOR}"),
        ("18.1", "17.10", f"engine downgrade 18.1 → 17.10{REFUSED}"),
        ("17.7", "17", f"engine version 17.7 → 17{RESTARTS}"),  # 17 is whatever RDS takes for it
        ("17.7", "17.7-R2", f"engine version 17.7 → 17.7-R2{RESTARTS}"),
        ("17.7", None, f"engine version 17.7 → (none){MAJOR}"),
    ],
)
def test_versions_are_compared_number_by_number(dev, tools, before, after, text):
    item = changed(dev, CLUSTER, before, after)
    assert item.findings[0].text.startswith(text)
    assert (item.findings[0].concern, item.severity, tools.rules(item)) == (Concern.DATA, Severity.WARN, [])


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ("3.5.4", "3.6.1", "engine upgrade 3.5.4 → 3.6.1, replication pauses meanwhile"),
        ("3.5.10", "3.5.9", f"engine downgrade 3.5.10 → 3.5.9{REFUSED}"),
        ("3.6.1", None, ""),
    ],
)
def test_the_engine_of_replication_is_not_turned_back_either(dev, before, after, text):
    item = changed(dev, INSTANCE, before, after)
    found = [finding.text for finding in item.findings if finding.text.startswith("engine ")]
    assert [told[: len(text)] for told in found] == ([text] if text else [])


def test_other_properties_are_no_matter_of_versions(dev):
    dev.edit(CLUSTER, Description="x")
    assert dev.item(CLUSTER).findings == ()
