"""outputs, status, drift, plan: the verbs that change nothing."""

from __future__ import annotations

import json
import threading

import pytest

from localaws import process
from tests.integration.deploying.small import Build


def test_outputs_are_written_and_printed(world):
    world.deployed()
    (world.build.folder / "flat-outputs.json").unlink()
    done = world.run("outputs")
    assert (done.code, json.loads(done.out)) == (0, world.outputs())
    assert len(world.outputs()) == 4


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("env", "LOGS_REQUESTS_NAME='/shop/{suffix}/requests'"),
        ("yaml", '"Logs.RequestsName": "/shop/{suffix}/requests"'),
        ("github", "Logs_RequestsName=/shop/{suffix}/requests"),
    ],
)
def test_outputs_in_other_forms(world, form, line):
    done = world.deployed().run("outputs", "--format", form)
    assert done.code == 0
    assert line.format(suffix=world.build.suffix) in done.out.splitlines()


@pytest.mark.parametrize("verb", ["outputs", "drift"])
def test_where_nothing_is_deployed_there_is_nothing_to_read(world, verb):
    for _ in range(2):
        done = world.run(verb)
        assert (done.code, done.out) == (1, "")
        assert done.err == (
            f"error: stack {world.stack}: nothing is deployed in us-east-1\n"
            f"next: deploy it: python deploy.py {world.where} --local\n"
        )
        world.run("review")  # a shell is nothing either


def test_outputs_of_a_stack_that_rolled_back_say_so(world):
    world.deployed().change()
    world.inject("Logs/Requests", "update")
    world.run("--yes")
    done = world.run("outputs")
    assert done.code == 0
    assert f"note: {world.stack} is UPDATE_ROLLBACK_COMPLETE" in done.err


def test_status_of_every_tier(world):
    done = world.deployed().run("status")
    assert done.code == 0
    for tier in ("root", "alarms", "topics", "logs"):
        assert f"\n  {tier}" in done.out


def test_status_of_nothing(world):
    done = world.run("status")
    assert (done.code, done.out) == (0, f"{world.stack}: no such stack\n")


def test_status_knows_the_review(world):
    world.deployed().change().run("review")
    assert "the reviewed one, can be executed" in world.run("status").out
    document = json.loads(world.run("status", "--json").out)
    assert [one["reviewed"] for one in document["change_sets"]] == [True]


def test_status_tells_why_it_failed(world):
    world.deployed().change()
    world.inject("Logs/Requests", "update", "The key is disabled")
    world.run("--yes")
    done = world.run("status")
    assert done.code == 1
    assert "logs.Requests" in done.out
    assert "The key is disabled" in done.out


def slow_update(world, monkeypatch):
    """An update that goes on for a while, and whom to tell when it may end."""
    # The embedded AWS runs in this process; a change set that somebody else executes is enough.
    world.change().run("review")
    arn = json.loads((world.build.folder / "review.json").read_text())["change_set"]
    held = threading.Event()
    plane = hold(world, monkeypatch, held)
    world.cloudformation.execute_change_set(ChangeSetName=arn)
    return held, plane


def hold(world, monkeypatch, held):
    """Have every update of a log group wait until `held` is set."""
    from localaws.hands import Hands

    real = Hands.update
    started = threading.Event()

    def update(self, *arguments, **named):
        started.set()
        held.wait(20)
        return real(self, *arguments, **named)

    monkeypatch.setattr(Hands, "update", update)
    return started


def test_status_follows_what_goes_on_and_ends_it_as_a_deployment(world, monkeypatch, release):
    held, started = slow_update(world.deployed(), monkeypatch)
    assert started.wait(20)
    busy = world.run("--yes")
    assert busy.code == 1
    assert f"error: stack {world.stack} is busy with an update (UPDATE_IN_PROGRESS)" in busy.err
    assert world.run("status", "--no-follow").code == 0
    (world.build.folder / "flat-outputs.json").unlink()
    release(held, "deployer.verbs.status", "watch")
    done = world.run("status")
    assert done.code == 0
    assert "UPDATE_COMPLETE" in done.out
    assert "logs.Requests  updated" in done.err
    assert len(world.outputs()) == 4
    assert "nothing changes: " in world.run("plan", local=False).out


def test_somebody_else_s_deployment_is_not_taken_for_ours(world, monkeypatch, release):
    held, started = slow_update(world.deployed(), monkeypatch)
    assert started.wait(20)
    world.change(90)
    release(held, "deployer.verbs.status", "watch")
    assert world.run("status").code == 0
    plan = world.run("plan", local=False)
    assert "RetentionInDays: 30 → 90" in plan.out  # of what was last deployed from here


def test_who_waits_gets_a_turn(world, monkeypatch, release):
    held, started = slow_update(world.deployed(), monkeypatch)
    assert started.wait(20)
    world.change(90)
    release(held, "deployer.standing", "say")
    done = world.run("--yes", "--wait", "30")
    assert done.code == 0, done.err
    assert "waiting for it" in done.err
    assert world.log_groups() == {"requests": 90}


def test_an_update_is_cancelled(world, monkeypatch, release):
    held, started = slow_update(world.deployed(), monkeypatch)
    assert started.wait(20)
    release(held, "deployer.verbs.status", "say")
    done = world.run("status", "--cancel")
    assert f"the update of {world.stack} is cancelled: it rolls back" in done.err
    assert (world.status(), done.code) == ("UPDATE_ROLLBACK_COMPLETE", 0)
    assert world.log_groups() == {"requests": 30}


def test_where_nothing_is_updated_nothing_is_cancelled(world):
    for verb, told in (
        ("--cancel", "no update that could be cancelled"),
        ("--continue-rollback", "no rollback to continue"),
    ):
        none = world.run("status", verb)
        assert none.code == 1
        assert f"error: stack {world.stack}: there is none in us-east-1" in none.err
        refused = world.deployed().run("status", verb)
        assert refused.code == 1
        assert told in refused.err
        world.run("destroy", "--yes")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--skip", "logs.Requests"), "--skip goes with --continue-rollback"),
        (("--cancel", "--continue-rollback"), "do not go together"),
    ],
)
def test_options_that_do_not_fit(world, given, told):
    done = world.run("status", *given)
    assert (done.code, done.calls) == (2, {})
    assert told in done.err


def stuck(world):
    world.deployed().change()
    world.inject("Logs/Requests", "update", "The key is disabled", times=None)
    assert world.run("--yes").code == 1
    assert world.status() == "UPDATE_ROLLBACK_FAILED"


def test_a_rollback_is_continued(world):
    stuck(world)
    process.ask(world.endpoint, "POST", "/localaws/faults", {"clear": True})
    done = world.run("status", "--continue-rollback")
    assert (done.code, world.status()) == (0, "UPDATE_ROLLBACK_COMPLETE"), done.err
    assert "tried again: logs.Requests" in done.err
    assert world.run("--yes").code == 0


def test_a_resource_is_skipped_where_it_is_named(world):
    stuck(world)
    unknown = world.run("status", "--continue-rollback", "--skip", "logs.Token")
    assert unknown.code == 1
    assert "they are: logs.Requests" in unknown.err
    done = world.run("status", "--continue-rollback", "--skip", "logs.Requests", "--no-follow")
    assert done.code == 0
    assert "skipped: logs.Requests" in done.err
    world.run("status")
    assert world.status() == "UPDATE_ROLLBACK_COMPLETE"


def test_a_rollback_that_fails_again_is_told(world):
    stuck(world)
    done = world.run("status", "--continue-rollback")
    assert (done.code, world.status()) == (1, "UPDATE_ROLLBACK_FAILED")
    assert "The key is disabled" in done.out
    process.ask(world.endpoint, "POST", "/localaws/faults", {"clear": True})


def test_drift(world):
    assert world.deployed().run("drift").code == 0
    world.client("logs").put_retention_policy(logGroupName=f"/shop/{world.build.suffix}/requests", retentionInDays=1)
    done = world.run("drift")
    assert done.code == 1
    assert "logs.Requests" in done.out
    document = json.loads(world.run("drift", "--json").out)
    assert document["drifted"] is True


def test_a_malformed_template_is_told_with_its_place(world, tmp_path):
    before = Build(tmp_path / "before", suffix=world.build.suffix)
    before.properties("logs.Requests")["RetentionInDays"] = {"Fn::Select": ["x", []]}
    before.properties("topics.Orders")["TopicName"] = {"Fn::GetAtt": 5}
    before.write()
    told = world.run("plan", "--against", str(before.folder), local=False)
    assert (told.code, told.out) == (2, "")
    assert told.err == (
        f"error: {before.folder}/logs.template.json: Requests.Properties.RetentionInDays: "
        'Fn::Select takes [index, list], not ["x", []]\n'
        f"error: {before.folder}/topics.template.json: Orders.Properties.TopicName: "
        'Fn::GetAtt takes [resource, attribute] or "resource.attribute", not 5\n'
        "next: mend it where it was written (cfn-lint names the line), and run the command again\n"
    )


def test_a_build_without_one_of_its_templates_is_told(world, tmp_path):
    before = Build(tmp_path / "before", suffix=world.build.suffix)
    del before.tiers["logs"]
    before.write()
    told = world.run("plan", "--against", str(before.folder), local=False)
    assert told.code == 2
    assert f"error: {before.folder}: its root names logs.template.json, which is no file of the build\n" in told.err


def test_a_plan_is_made_offline(world):
    world.deployed()
    nothing = world.run("plan", local=False)
    assert (nothing.code, nothing.calls) == (0, {})
    assert nothing.out.startswith("nothing changes: ")
    planned = world.replace().run("plan", local=False)
    assert (planned.code, planned.calls) == (1, {})
    assert "--allow-replace logs.Requests" in planned.out
    assert "\n  python deploy.py review " in planned.out
    assert world.run("plan", "--allow-replace", "logs.Requests", local=False).code == 0
    assert {"plan.md", "plan.html"} <= world.files()


def test_a_plan_as_data(world):
    world.deployed().replace()
    done = world.run("plan", "--json", local=False)
    document = json.loads(done.out)
    assert document["against"].startswith("what was last deployed from ")
    assert document["against"].endswith("(account 123456789012, us-east-1)")
    assert document["review"]["forecast"] is True
    assert document["verdict"]["refusals"][0]["flag"] == "--allow-replace logs.Requests"


def test_a_plan_against_another_build(world):
    before = world.build.copy()
    before.out, before.folder = world.root / "before", world.root / "before" / "dev"
    before.properties("logs.Requests")["RetentionInDays"] = 7
    before.write()
    done = world.run("plan", "--against", str(before.folder), local=False)
    assert done.code == 0
    assert "RetentionInDays: 7 → 30" in done.out


def test_a_plan_against_what_is_deployed(world):
    nothing = world.run("plan", "--against", "deployed")
    assert nothing.code == 0
    assert nothing.out.startswith(f"compared with nothing: {world.stack} is not deployed in us-east-1\n")
    world.deployed().change()
    done = world.run("plan", "--against", "deployed")
    assert done.code == 0
    assert done.out.startswith("compared with what is deployed (account 123456789012, us-east-1)\n")
    assert "RetentionInDays: 30 → 60" in done.out
    assert not set(done.calls) - {"DescribeStacks", "GetTemplate", "ListStackResources"}


def test_a_plan_before_the_first_deployment_says_what_to_compare_with(world):
    done = world.run("plan", local=False)
    assert done.code == 2
    assert "nothing has been deployed from here yet" in done.err


def test_a_plan_asks_the_embedded_aws_for_one_thing_only(world):
    done = world.run("plan")
    assert done.code == 2
    assert "--local goes with --against deployed" in done.err
