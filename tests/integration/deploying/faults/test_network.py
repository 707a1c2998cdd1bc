"""Dropped, slow and damaged connections at every step: the deployment ends well, or a plain re-run does."""

from __future__ import annotations

import pytest

# What botocore tries again. A damaged body it does not: see test_aws_that_stays_away_from_some_step_on.
FAULTS = ("dropped before", "dropped after", "server error", "web page")
BUCKET = "shop-packages-123456789012-us-east-1"


def each_first_attempt(fault):
    return lambda call: fault if call.attempt == 1 else None


@pytest.mark.parametrize("fault", FAULTS[:2])
def test_every_call_of_a_first_deployment_is_broken_once(empty, faulty, fault):
    faulty.proxy.plan = each_first_attempt(fault)
    done = faulty.run()
    assert done.code == 0, done.err
    broken = {call.name for call in faulty.proxy.calls if call.attempt == 1}
    assert broken == {call.name for call in faulty.proxy.calls if call.attempt == 2}
    assert {"CreateChangeSet", "ExecuteChangeSet", "DescribeStackEvents", "PUT object", "PUT encryption"} <= broken
    faulty.is_right()
    tags = empty.client("s3").get_bucket_tagging(Bucket=BUCKET)["TagSet"]
    assert {"Key": "PackageBucketConfigured", "Value": "true"} in tags


@pytest.mark.parametrize("fault", FAULTS)
def test_every_call_of_a_change_is_broken_once(world, faulty, fault):
    world.deployed().title("new")
    faulty.proxy.plan = each_first_attempt(fault)
    done = faulty.run()
    assert done.code == 0, done.err
    faulty.is_right("new")
    names = [event["ResourceStatus"] for event in root_events(world)]
    assert names.count("UPDATE_IN_PROGRESS") == 1  # executed once, however often it was asked for


def root_events(world):
    events = world.cloudformation.describe_stack_events(StackName=world.stack)["StackEvents"]
    return [event for event in events if event.get("PhysicalResourceId") == event["StackId"]]


def test_answers_that_do_not_come(world, faulty):
    world.deployed().title("new")
    seen = set()

    def first_of_its_name(call):
        new = call.name not in seen
        seen.add(call.name)
        return "slow" if new else None

    faulty.proxy.plan = first_of_its_name
    done = faulty.run(read_seconds=0.2)
    faulty.proxy.release.set()
    assert done.code == 0, done.err
    assert len(seen) > 10
    faulty.is_right("new")
    faulty.proxy.release.clear()


# The steps of a change, in order, and those of them that change something; what each leaves is what a re-run finds.
STEPS = (
    "DescribeStacks", "GetTemplate", "ListChangeSets", "GET list-type", "PUT object", "CreateChangeSet", "DescribeChangeSet",
    "DescribeStackEvents", "ExecuteChangeSet", "ListStackResources",
)  # fmt: skip
CHANGES = ("PUT object", "CreateChangeSet", "ExecuteChangeSet")


@pytest.mark.parametrize(
    ("fault", "steps"), [("dropped before", STEPS), ("dropped after", CHANGES), ("truncated", CHANGES)]
)
def test_aws_that_stays_away_from_some_step_on(world, faulty, fault, steps):
    world.deployed()
    for step in steps:
        world.title(step)
        broken = []

        def from_here(call, step=step, broken=broken):
            if call.name == step:
                broken.append(call)
            return fault if broken else None

        faulty.proxy.clear()
        faulty.proxy.plan = from_here
        failed = faulty.run()
        assert broken, step
        assert failed.code == 1, (step, failed.err)
        assert "Traceback" not in failed.err
        assert "error: cannot " in failed.err
        assert "\nnext: " in failed.err
        faulty.proxy.clear()
        done = faulty.run("--yes", "--wait", "30")
        assert done.code == 0, (step, done.err)
        faulty.is_right(step)
