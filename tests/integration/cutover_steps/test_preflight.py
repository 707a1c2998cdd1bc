"""Preflight: every reason at once, nothing done while there is one; and one cutover at a time."""

from __future__ import annotations

import pytest

from cutover.readiness.findings import Finding
from cutover.steps import preflight
from cutover.steps.common import cloud, databases, fence, health, record, tasks
from cutover.steps.common.errors import Blocked, NotReady, Retry
from tests.integration.cutover_steps.conftest import World


def reasons(world: World) -> tuple[str, ...]:
    with pytest.raises(NotReady) as caught:
        world.call("preflight")
    assert str(caught.value).endswith("(nothing was done)")
    assert "cutover/lock.json" not in world.objects()
    assert world.phase == "replicating"
    return caught.value.reasons


def test_every_reason_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = world.pair.source, world.pair.target
    target.run("DROP INDEX entry_of_payment")
    target.run("ALTER TABLE entry DROP CONSTRAINT entry_payment_id_fkey")
    source.run("CREATE TABLE bare (n int)")
    world.client("ssm").put_parameter(Name=world.arns["pointer"], Value="aurora", Overwrite=True)
    world.client("cloudwatch").set_alarm_state(AlarmName=world.arns["alarm"], StateValue="ALARM", StateReason="lag")
    monkeypatch.setenv("ALARM_NAMES", f"{world.arns['alarm']},not-there")
    monkeypatch.setenv("MOST_LAG_SECONDS", "0.3")
    world.validate(fail=True)
    world.start("reverse")
    world.stop("forward")
    world.client("elbv2").deregister_targets(
        TargetGroupArn=world.arns["blue"], Targets=[{"Id": "10.9.0.14", "Port": 80}]
    )
    source.run(f"REVOKE {world.roles.writer} FROM {world.roles.application} GRANTED BY {world.roles.cutover}")
    target.run(f"GRANT {world.roles.writer} TO {world.roles.application}")
    found = reasons(world)
    for said in (
        "the source's gate is closed",
        "the target's gate is open",
        "lacks, or has not valid, 1 of kind index: public.entry_of_payment",
        "1 of kind constraint: public.entry.entry_payment_id_fkey",
        "1 of kind table: public.bare",
        "(public.bare)",
        "replication is more than 0.3 s behind: a marker has not arrived",
        "the forward task is stopped, not running",
        "the reverse task is running, not at rest",
        "the pointer is aurora, not data_center",
        "ended as FAILED",
        "is in alarm",
        "the alarm not-there does not exist",
        "the live target group has no healthy target",
    ):
        assert sum(said in reason for reason in found) == 1, (said, found)
    assert not source.run("SELECT FROM pg_class WHERE relname = 'fence'")


def test_what_cannot_be_looked_at_is_a_reason(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARD_TASK_ARN", world.arns["forward"] + "x")
    monkeypatch.setenv("TARGET_SECRET_ARN", world.arns["target-validator"])
    world.client("elbv2").modify_rule(
        RuleArn=world.arns["production"],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}],
    )
    found = reasons(world)
    assert len(found) == 3
    assert any("cannot reach the target database" in reason for reason in found)
    assert any("there is no replication task" in reason for reason in found)
    assert any("forwards to no target groups" in reason for reason in found)


def test_defects_are_not_reasons(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[str]:
        raise ZeroDivisionError

    monkeypatch.setattr(health, "alarms", broken)
    with pytest.raises(ZeroDivisionError):
        world.call("preflight")
    assert "cutover/lock.json" not in world.objects()
    assert world.read("cutover/run-1/preflight.failed.json")["message"].startswith("a defect")


def test_readiness_of_the_source(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [Finding(kind, "code", "", f"a {kind}", "") for kind in ("blocker", "unread", "warning", "note")]
    monkeypatch.setattr(preflight, "examine", lambda *_, **__: told)
    assert reasons(world) == ("a blocker (code)", "a unread (code)")
    monkeypatch.setattr(preflight, "examine", lambda *_, **__: told[2:])
    assert world.call("preflight")["findings"] == 2


def test_tables_that_have_not_come_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    dms = cloud.client("dms")
    task = world.task("forward")
    task["ReplicationTaskStats"]["FullLoadProgressPercent"] = 80
    monkeypatch.setattr(tasks, "describe", lambda arn: task)
    tables = [
        {"SchemaName": "public", "TableName": "payment", "TableState": "Table error"},
        {"SchemaName": "public", "TableName": "entry", "TableState": "Table completed", "ValidationState": "Error"},
    ]
    found, count = health.forward()
    assert (found, count) == (["the full load is at 80 %"], 3)
    monkeypatch.setattr(health, "_tables", lambda arn: tables)
    assert health.forward()[0] == [
        "the full load is at 80 %",
        "1 tables are not loaded: public.payment",
        "1 tables are not valid for DMS: public.entry",
    ]
    monkeypatch.setattr(health, "_tables", lambda arn: [])
    assert health.forward()[0][-1] == "the forward task has no tables"
    assert dms is cloud.client("dms")


def test_the_last_validation(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def judged() -> list[str]:
        return preflight._validation({})

    assert judged() == []
    world.validate(tables=["public.payment"], fail=True)
    assert judged() == []  # of some tables only: the one before counts
    monkeypatch.setenv("VALIDATION_HOURS", "0")
    assert "is older than 0 hours" in judged()[0]
    states = world.client("stepfunctions")
    waits = '{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1000, "End": true}}}'
    made = states.create_state_machine(
        name=f"{world.pair.system}-waits", definition=waits, roleArn="arn:aws:iam::123456789012:role/role"
    )["stateMachineArn"]
    monkeypatch.setenv("VALIDATION_STATE_MACHINE_ARN", made)
    execution = states.start_execution(stateMachineArn=made)["executionArn"]
    assert judged() == ["no validation of all tables has ended"]
    states.stop_execution(executionArn=execution)
    assert judged() == ["no validation of all tables has ended"]  # stopped, it has found out nothing


def test_one_cutover_at_a_time(world: World) -> None:
    world.call("preflight")
    world.run_id = "run-2"
    with pytest.raises(NotReady, match="cutover run-1 is under way"):
        world.call("preflight")
    assert world.read("cutover/lock.json")["run_id"] == "run-1"
    world.run_id = "run-1"
    world.call("preflight")  # again, before the freeze
    world.call("freeze")
    with pytest.raises(Blocked, match="beyond its preflight: the source is frozen"):
        world.call("preflight")
    assert world.read("cutover/lock.json")["run_id"] == "run-1"

    # Whoever breaks the lock is told by the fences.
    world.client("s3").delete_object(Bucket=world.arns["bucket"], Key="cutover/lock.json")
    world.run_id = "run-2"
    with pytest.raises(NotReady, match=r"cutover run-1 has not ended on the source \(frozen\)"):
        world.call("preflight")
    assert "cutover/lock.json" not in world.objects()
    world.run_id = "run-1"
    with pytest.raises(Blocked, match="beyond its preflight"):
        world.call("preflight")
    assert "cutover/lock.json" not in world.objects()
    with pytest.raises(Blocked, match="the source is frozen: roll back instead"):
        world.call("cancel")
    world.call("rollback")
    assert world.gates() == (True, False)


def test_a_cancelled_run_is_out_of_the_way(world: World) -> None:
    world.call("cancel")  # of what never began
    world.call("preflight")
    for _ in range(2):
        assert world.call("cancel") == {"cancelled": True}
    assert world.phase == "replicating"
    assert not world.call("rollback")["opened"]
    assert world.gates() == (True, False)
    with pytest.raises(Blocked, match="it has ended"):
        world.call("freeze")
    world.run_id = "run-2"
    world.call("preflight")
    world.run_id = "run-1"
    world.call("cancel")
    with pytest.raises(Blocked, match="of cutover run-2"):
        world.call("rollback")
    assert world.read("cutover/lock.json")["run_id"] == "run-2"
    assert world.word("source") == "claimed"


def test_a_claim_is_lost_to_the_next_and_freezes_nothing_any_more(world: World) -> None:
    world.call("preflight")
    world.client("s3").delete_object(Bucket=world.arns["bucket"], Key="cutover/lock.json")
    world.run_id = "run-2"
    world.call("preflight")
    world.run_id = "run-1"
    with pytest.raises(Blocked, match="the source is of cutover run-2, not of run-1"):
        world.call("freeze")
    assert world.gates() == (True, False)
    with databases.on("source") as source:
        world.run_id = "run-2"
        world.call("freeze")
        assert fence.claim(source, "run-3") == "cutover run-2 has not ended on the source (frozen)"


def test_a_claim_that_comes_too_late(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "claim", lambda session, run_id: "cutover other has not ended")
    assert reasons(world) == ("cutover other has not ended",)


def test_a_lock_that_goes_while_it_is_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.call("preflight")
    monkeypatch.setattr(record, "read_object", lambda at: None)
    with pytest.raises(Retry, match="was there a moment ago"):
        world.call("preflight")


def test_a_system_without_a_data_centre_behind_the_load_balancer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIGRATION_RULE_ARN", "")
    world.go("switch")
    assert world.pointer == "aurora"
    assert world.weights() == {"dc": 100, "blue": 0}
    world.call("rollback")
    assert world.weights() == {"dc": 100, "blue": 0}


def test_requests_that_are_all_on_aws_already_are_left_alone(world: World) -> None:
    world.set_rule("migration", dc=0, blue=7)
    world.client("elbv2").deregister_targets(
        TargetGroupArn=world.arns["blue"], Targets=[{"Id": "10.9.0.14", "Port": 80}]
    )
    assert world.go("switch")["previous"]["weights"] == {}
    assert world.weights() == {"dc": 0, "blue": 7}


def test_during_a_deployment_of_ecs_nothing_is_moved(world: World) -> None:
    world.set_rule("production", blue=50, green=50)
    assert reasons(world) == (
        "the production rule sends requests to 2 target groups: a deployment of ECS is under way (wait until it has ended)",
    )


def test_the_live_group_is_the_production_rules_one(world: World) -> None:
    world.client("elbv2").register_targets(
        TargetGroupArn=world.arns["green"], Targets=[{"Id": "10.9.0.99", "Port": 80}]
    )
    world.set_rule("production", blue=0, green=100)
    world.go("switch")
    assert world.weights() == {"dc": 0, "blue": 0, "green": 100}
    assert world.weights("production") == {"blue": 0, "green": 100}
    world.call("rollback")
    assert world.weights() == {"dc": 100, "blue": 0}
