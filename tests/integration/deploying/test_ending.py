"""destroy, account, local."""

from __future__ import annotations

import json
import os
import re
import sys
import threading

import pytest

from localaws import process
from tests.integration.deploying.small import resource
from tests.integration.deploying.test_looking import slow_update


def objects(world):
    versions = world.client("s3").list_object_versions(
        Bucket="shop-packages-123456789012-us-east-1", Prefix=f"{world.stack}/"
    )
    return [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])]


def test_a_disposable_environment_goes_and_leaves_nothing(world):
    world.deployed()
    assert len(objects(world)) == 3
    done = world.run("destroy", "--yes")
    assert done.code == 0, done.err
    assert (world.status(), world.leftovers(), world.log_groups(), objects(world), world.files()) == (
        None,
        [],
        {},
        [],
        set(),
    )
    told = re.search(rf": deleted, (\d+ resources) in .*\n(.*\n)*{world.stack} is destroyed: (.*)\n", done.err)
    assert told is not None
    assert told[1] == told[3]
    assert world.status("shop-account") is not None  # other environments of the account need it
    again = world.run("destroy", "--yes")
    assert again.code == 0
    assert again.err == f"there is no stack {world.stack} in us-east-1\n"


def test_what_aws_keeps_of_it_is_told(world):
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": {"AWS": "123456789012"}}],
    }
    world.build.tiers["alarms"]["Resources"]["Key"] = resource("AWS::KMS::Key", KeyPolicy=policy)
    world.build.write()
    world.deployed()
    done = world.run("destroy", "--yes")
    assert done.code == 0, done.err
    assert "alarms.Key: key " in done.err
    assert "is pending deletion until" in done.err


def test_a_person_types_what_is_to_go(world):
    world.deployed()
    declined = world.run("destroy", typed="yes\n")
    assert declined.code == 3
    assert "nothing was destroyed" in declined.err
    assert world.status() == "CREATE_COMPLETE"
    assert world.run("destroy", typed=f"{world.build.suffix}\n").code == 0
    assert world.status() is None


def test_without_a_terminal_the_suffix_must_be_named(world):
    done = world.run("destroy")
    assert (done.code, done.calls) == (2, {})
    assert f"--yes, with --suffix {world.build.suffix} to name it" in done.err


def test_a_durable_environment_is_protected_and_refused(world):
    world.build.protection = "durable"
    world.build.write()
    world.deployed()
    stack = world.cloudformation.describe_stacks(StackName=world.stack)["Stacks"][0]
    assert stack["EnableTerminationProtection"]
    done = world.run("destroy", "--yes")
    assert done.code == 1
    assert "is durable" in done.err
    assert world.status() == "CREATE_COMPLETE"
    world.cloudformation.update_termination_protection(StackName=world.stack, EnableTerminationProtection=False)
    closed = world.run("--yes")  # nothing to change, but to protect
    assert (closed.code, closed.calls.get("UpdateTerminationProtection")) == (0, 1)
    assert world.cloudformation.describe_stacks(StackName=world.stack)["Stacks"][0]["EnableTerminationProtection"]
    again = world.run("--yes")
    assert (again.code, "UpdateTerminationProtection" in again.calls) == (0, False)


def test_files_of_a_durable_stack_that_is_gone_are_left_alone(world):
    world.deployed()
    world.cloudformation.delete_stack(StackName=world.stack)
    wait_until_gone(world)
    world.build.protection = "durable"
    world.build.write()
    assert world.run("destroy", "--yes").code == 0
    assert len(objects(world)) == 3


def wait_until_gone(world):
    world.cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=world.stack, WaiterConfig={"Delay": 0, "MaxAttempts": 500}
    )


def test_a_deletion_that_was_cut_off_is_followed_to_its_end(world, monkeypatch, release):
    from localaws.hands import Hands

    world.deployed()
    real, held = Hands.delete, threading.Event()

    def delete(self, *arguments, **named):
        held.wait(20)
        return real(self, *arguments, **named)

    monkeypatch.setattr(Hands, "delete", delete)
    world.cloudformation.delete_stack(StackName=world.stack)
    release(held, "deployer.verbs.destroy", "say")
    done = world.run("destroy", "--yes")
    assert done.code == 0, done.err
    assert f"{world.stack} is being deleted already" in done.err
    assert "3 uploaded files deleted" in done.err
    assert (world.status(), objects(world), world.files()) == (None, [], set())


def test_a_busy_stack_is_not_destroyed(world, monkeypatch):
    held, started = slow_update(world.deployed(), monkeypatch)
    assert started.wait(20)
    busy = world.run("destroy", "--yes")
    assert busy.code == 1
    assert "is busy with an update" in busy.err
    held.set()
    assert world.run("destroy", "--yes", "--wait", "30").code == 0


def test_a_shell_is_destroyed(world):
    world.run("review")
    assert world.run("destroy", "--yes").code == 0
    assert (world.status(), world.leftovers(), world.files()) == (None, [], set())


# --- account ---------------------------------------------------------------------------------------------------------
def test_the_account_by_itself(empty):
    assert empty.run("account").code == 2
    assert empty.run("account", typed="no\n").code == 3
    assert empty.status("shop-account") is None
    assert empty.run("account", typed="y\n").code == 0
    current = empty.run("account", "--yes")
    assert current.code == 0
    assert "nothing to change: shop-account is what" in current.err
    empty.build.account["Resources"]["VpcRole"]["Properties"]["Description"] = "of all environments"
    empty.build.write()
    outdated = empty.run("account", "--yes")
    assert outdated.code == 0, outdated.err
    assert empty.client("iam").get_role(RoleName="dms-vpc-role")["Role"]["Description"] == "of all environments"


def test_roles_that_somebody_made_by_hand_are_used(empty):
    empty.client("iam").create_role(RoleName="dms-vpc-role", AssumeRolePolicyDocument="{}")
    done = empty.run("--yes")
    assert done.code == 0, done.err
    assert (empty.status(), empty.status("shop-account")) == ("CREATE_COMPLETE", None)
    assert "made by a person" in empty.run("account", "--yes").err


# --- local -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def other(world, monkeypatch):
    """An embedded AWS of its own, which does not run yet."""
    monkeypatch.setenv("LOCALAWS_STATE", str(world.root / "state" / "s.json"))
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    yield world
    process.stop(world.root)


def test_the_embedded_aws_is_started_looked_at_emptied_and_stopped(other):
    assert json.loads(other.main("local", "status", "--json").out) == {"running": False}
    assert other.main("local", "status").out == "it does not run; start it: python deploy.py local start\n"
    started = json.loads(other.main("local", "start", "--json").out)
    assert started["started"] is True
    assert (
        other.main("local", "start").out
        == f"the embedded AWS runs already: {started['endpoint']}, process {started['pid']}\n"
    )
    told = json.loads(other.main("local", "status", "--json").out)
    assert set(told) == {"running", "endpoint", "pid", "started", "calls", "busy"}
    assert other.main("local", "status").out.startswith(f"the embedded AWS runs at {started['endpoint']}, process")
    assert other.main("local", "reset").out == "reset: the account is empty\n"
    looked = other.run("status")
    assert (looked.code, looked.out) == (0, f"{other.stack}: no such stack\n")
    assert os.environ["AWS_ENDPOINT_URL"] == started["endpoint"]
    assert other.main("local", "stop").out == "stopped; the next start finds what is deployed\n"
    assert other.main("local", "stop").out == "it does not run\n"


# --- what is seen ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_review_is_as_wide_as_the_terminal(world, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    done = world.run("review")
    widest = max(len(line) for line in done.out.splitlines() if "deploy.py" not in line)
    assert columns // 2 < widest <= columns


@pytest.mark.parametrize(("name", "colored"), [("", True), ("NO_COLOR", False), ("TERM", False)])
def test_colour_is_for_a_terminal_that_wants_it(world, monkeypatch, name, colored):
    monkeypatch.setenv("TERM", "xterm")
    if name:
        monkeypatch.setenv(name, "dumb")
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda self: True)
    assert ("\x1b[" in world.run("review").out) is colored
