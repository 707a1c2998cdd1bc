"""Tally: counts that never overshoot, ages in AWS's time."""

from __future__ import annotations

import pytest

from deployer.changes import ChangeSet, Outcome, ResourceChange
from deployer.execution.durations import duration
from deployer.execution.tally import Phase, Tally, expected_resources, phase_of


@pytest.fixture
def count(world):
    def call(expected=None, now=0.0):
        tally = Tally("payments-dev", expected or {})
        tally.add(world.parsed(), now)
        return tally

    return call


def test_a_resource_counts_once_however_often_it_comes_up(world, count):
    world.inside(0, "UPDATE_IN_PROGRESS", "Database")
    for status in (
        "UPDATE_IN_PROGRESS",
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE",
        "DELETE_IN_PROGRESS",
        "DELETE_COMPLETE",
    ):
        world.inside(1, status, "Database", "Cluster")
    tier = count({"database": 1}).tiers["database"]
    assert (len(tier.done), tier.total) == (1, 1)
    assert tier.running == {}


def test_totals_grow_with_what_nobody_expected_and_shrink_to_what_came_when_the_stack_is_done(world, count):
    world.inside(0, "UPDATE_IN_PROGRESS", "Network")
    world.inside(1, "CREATE_COMPLETE", "Network", "Vpc")
    assert count({"network": 5}).tiers["network"].total == 5
    assert count({"network": 5, "database": 7}).total == 12
    world.inside(1, "CREATE_IN_PROGRESS", "Network", "Subnet")
    assert count({"network": 1}).tiers["network"].total == 2
    world.inside(1, "CREATE_COMPLETE", "Network", "Subnet")
    world.inside(2, "UPDATE_COMPLETE", "Network")
    assert count({"network": 5}).tiers["network"].total == 2


def test_nested_stacks_do_not_count_as_resources_of_the_root(world, count):
    world.tell(0, "CREATE_IN_PROGRESS")
    world.nested(1, "CREATE_IN_PROGRESS", "Network")
    world.nested(2, "CREATE_COMPLETE", "Network")
    tally = count()
    assert (tally.done, tally.total) == (0, 0)
    assert tally.rows == []
    world.tell(3, "CREATE_COMPLETE", "Alarm")
    assert [tier.name for tier in count().rows] == ["root"]


def test_a_rollback_counts_anew_what_must_go_back(world, count):
    world.inside(0, "UPDATE_IN_PROGRESS", "Network")
    world.inside(1, "UPDATE_COMPLETE", "Network", "A")
    world.inside(2, "UPDATE_FAILED", "Network", "B")
    world.inside(2, "UPDATE_IN_PROGRESS", "Network", "C")
    tier = count({"network": 9}).tiers["network"]
    assert (tier.done, tier.failed, set(tier.running)) == ({"A"}, {"B"}, {"C"})
    world.inside(3, "UPDATE_ROLLBACK_IN_PROGRESS", "Network")
    tier = count({"network": 9}).tiers["network"]
    assert (tier.phase, tier.done, tier.total, tier.running) == (Phase.ROLLING_BACK, set(), 3, {})
    world.inside(4, "UPDATE_COMPLETE", "Network", "A")
    world.inside(4, "UPDATE_COMPLETE", "Network", "B")
    world.inside(5, "UPDATE_ROLLBACK_COMPLETE", "Network")
    tier = count({"network": 9}).tiers["network"]
    assert (tier.phase, len(tier.done), tier.total) == (Phase.ROLLED_BACK, 2, 2)


def test_when_the_root_turns_back_or_ends_nothing_more_is_expected_of_tiers_that_have_not_begun(world, count):
    world.tell(0, "UPDATE_IN_PROGRESS")
    world.inside(1, "UPDATE_IN_PROGRESS", "Network")
    assert count({"network": 3, "service": 9}).total == 12
    world.tell(2, "UPDATE_ROLLBACK_IN_PROGRESS")
    assert count({"network": 3, "service": 9}).total == 3


def test_a_resource_that_failed_and_then_succeeds_is_done(world, count):
    world.inside(0, "DELETE_FAILED", "Network", "A")
    assert count().tiers["network"].failed == {"A"}
    world.inside(1, "DELETE_COMPLETE", "Network", "A")
    assert (count().tiers["network"].failed, count().tiers["network"].done) == (set(), {"A"})
    world.inside(2, "DELETE_FAILED", "Network", "A")
    assert (count().tiers["network"].failed, count().tiers["network"].done) == ({"A"}, set())


def test_the_slowest_is_the_one_that_takes_or_took_longest(world, count, names):
    assert count().slowest(0.0) is None
    world.inside(0, "CREATE_IN_PROGRESS", "Database", "Cluster")
    world.inside(110, "CREATE_COMPLETE", "Database", "Cluster")
    world.inside(100, "CREATE_IN_PROGRESS", "Service", "Web")
    now = names.epoch + 150
    tally = count(now=now)
    assert tally.slowest(now) == ("database.Cluster", 110)
    assert tally.slowest(now + 100) == ("service.Web", 150)


def test_time_runs_until_the_root_has_ended(world, count, names):
    assert count().elapsed(99.0) == 0
    world.tell(0, "UPDATE_IN_PROGRESS")
    assert count(now=names.epoch + 30).elapsed(names.epoch + 30) == 30
    world.tell(40, "UPDATE_COMPLETE")
    assert count(now=names.epoch + 70).elapsed(names.epoch + 99) == 40


def test_a_clock_of_aws_that_runs_ahead_is_followed(world, count, names):
    world.tell(0, "UPDATE_IN_PROGRESS")
    world.tell(20, "UPDATE_IN_PROGRESS", "Vpc")
    # Ours says that the newest event lies an hour ahead.
    tally = count(now=names.epoch - 3580)
    assert tally.elapsed(names.epoch - 3575) == 25
    assert tally.age(names.epoch + 90, names.epoch - 3575) == 0


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("CREATE_IN_PROGRESS", Phase.WORKING), ("UPDATE_COMPLETE", Phase.DONE), ("UPDATE_FAILED", Phase.FAILED),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Phase.CLEANING_UP), ("ROLLBACK_IN_PROGRESS", Phase.ROLLING_BACK),
        ("UPDATE_ROLLBACK_COMPLETE", Phase.ROLLED_BACK), ("UPDATE_ROLLBACK_FAILED", Phase.FAILED),
        ("DELETE_IN_PROGRESS", Phase.DELETING), ("DELETE_COMPLETE", Phase.DELETED),
    ],
)  # fmt: skip
def test_phases(status, phase):
    assert phase_of(status) is phase


def test_what_a_change_set_touches_is_counted_by_tier():
    def change(tier, kind, child=None):
        return ResourceChange(tier, "X", "", kind, "Modify", "", "False", (), (), child=child)

    def change_set(tier, *changes):
        return ChangeSet(tier, "", "", "", "UPDATE", Outcome.CHANGED, "", changes)

    network = change_set("network", change("network", "AWS::EC2::VPC"), change("network", "AWS::EC2::Subnet"))
    nested = "AWS::CloudFormation::Stack"
    tree = change_set("root", change("root", nested, network), change("root", nested))
    assert expected_resources(tree) == {"network": 2}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0s"), (0.9, "0s"), (59.9, "59s"), (60, "1m 00s"), (110, "1m 50s"), (3600, "1h 00m"), (7440, "2h 04m")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text
