"""What DMS refuses to change while a task runs: who must be stopped, by which command, and how it goes on."""

from __future__ import annotations

import pytest

from deployer.review.model import Concern, Severity

FORWARD, REVERSE = "migration.ForwardTask", "migration.ReverseTask"
INSTANCE = "migration.ReplicationInstance"
REFUSED = "stop {} before and resume {} afterwards, as AWS refuses the change while {}"
FIRST = "or AWS refuses this and the whole update rolls back"
AFTERWARDS = "afterwards, never by reload-target, which loads every table anew"
STOP = "aws dms stop-replication-task --replication-task-arn"
RESUME = "aws dms start-replication-task --start-replication-task-type resume-processing --replication-task-arn"


def texts(item):
    return [finding.text for finding in item.findings if finding.concern is Concern.DATA]


def test_a_task_is_stopped_before_it_is_modified_and_resumed_afterwards(dev, tools):
    dev.edit(FORWARD, TableMappings="{}")
    item = dev.item(FORWARD)
    assert REFUSED.format("it", "it", "it runs") in texts(item)
    assert item.warnings == (
        f"stop it first if it runs, and wait for that, {FIRST}: {STOP} physical-ForwardTask",
        f"resume it {AFTERWARDS}: {RESUME} physical-ForwardTask",
    )
    assert item.severity is Severity.STOP  # for the mappings, not for this
    assert tools.rules(item) == ["weaken"]


@pytest.mark.parametrize("name", ["CdcStopPosition", "ReplicationTaskSettings", "TaskData"])
def test_whatever_changes_in_a_task_it_must_not_run(dev, name):
    dev.edit(FORWARD, **{name: "x"})
    assert REFUSED.format("it", "it", "it runs") in texts(dev.item(FORWARD))


def test_an_endpoint_names_every_task_that_uses_it(dev, tools):
    dev.edit("migration.AuroraTarget", ExtraConnectionAttributes="executeTimeout=60;")
    item = dev.item("migration.AuroraTarget")
    assert texts(item) == [REFUSED.format(FORWARD, "it", "it runs")]
    assert (tools.rules(item), item.severity) == ([], Severity.WARN)
    assert item.warnings[0] == f"stop {FORWARD} first if it runs, and wait for that, {FIRST}: {STOP} <ARN of {FORWARD}>"
    dev.set(REVERSE, TargetEndpointArn={"Ref": "AuroraTarget"})
    item = dev.item("migration.AuroraTarget")
    assert texts(item) == [REFUSED.format(f"{FORWARD} and {REVERSE}", "them", "they run")]
    assert item.warnings[1] == f"resume them {AFTERWARDS}: {RESUME} <ARN of {FORWARD}> && {RESUME} <ARN of {REVERSE}>"


def test_a_task_that_leaves_runs_until_the_end_of_the_update(dev):
    dev.edit("migration.AuroraTarget", ExtraConnectionAttributes="executeTimeout=60;")
    dev.drop(FORWARD)
    assert texts(dev.item("migration.AuroraTarget")) == [REFUSED.format(FORWARD, "it", "it runs")]


def test_an_endpoint_that_no_task_uses_is_changed_at_any_time(dev):
    for side in ("before", "after"):
        for task in (FORWARD, REVERSE):
            dev.properties(task, side)["TargetEndpointArn"] = "arn:aws:dms:us-east-1:123456789012:endpoint:other"
    dev.edit("migration.AuroraTarget", ExtraConnectionAttributes="x")
    item = dev.item("migration.AuroraTarget")
    assert (item.findings, item.warnings) == ((), ())


def test_a_task_that_is_new_does_not_run_yet(dev):
    for side in ("before", "after"):
        dev.properties(FORWARD, side)["TargetEndpointArn"] = "arn:aws:dms:us-east-1:123456789012:endpoint:other"
    dev.edit("migration.AuroraTarget", ExtraConnectionAttributes="x")
    dev.add("migration.Third", "AWS::DMS::ReplicationTask", TargetEndpointArn={"Ref": "AuroraTarget"})
    assert dev.item("migration.AuroraTarget").findings == ()


def test_an_instance_stops_its_tasks_by_itself_which_had_better_be_done_before(dev):
    dev.edit(INSTANCE, ReplicationInstanceClass="dms.r6i.xlarge")
    item = dev.item(INSTANCE)
    assert texts(item) == [
        f"stop {FORWARD} and {REVERSE} before and resume them afterwards, as replication pauses meanwhile"
    ]
    assert len(item.warnings) == 2


@pytest.mark.parametrize("address", [FORWARD, "migration.AuroraTarget", INSTANCE])
def test_tags_change_while_it_runs(dev, address):
    dev.edit(address, Tags=[])
    item = dev.item(address)
    assert (item.findings, item.warnings) == ((), ())


def test_what_is_noise_stops_nobody(dev, tools):
    dev.change("migration.AuroraTarget", tools.detail("ServerName", "a", "a"), replacement="False")
    item = dev.item("migration.AuroraTarget")
    assert (item.findings, item.warnings) == ((), ())


def test_a_task_that_is_replaced_is_not_resumed(dev):
    dev.replace(FORWARD, MigrationType="cdc")
    item = dev.item(FORWARD)
    assert not any("resume" in text for text in (*texts(item), *item.warnings))
