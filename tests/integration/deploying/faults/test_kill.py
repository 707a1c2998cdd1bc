"""kill -9 and Ctrl-C at every step: what they leave, a plain re-run puts right."""

from __future__ import annotations

import json
import signal

import pytest

READS = ("Describe", "Get", "List", "GET", "HEAD")
BUCKET = "shop-packages-123456789012-us-east-1"


def changes(calls):
    """The numbers of those that change something, and of a few while AWS works on by itself.

    Who is killed after any other read has left the same as after the change before it.
    """
    seen, kept = {}, []
    for call in calls:
        seen[call.name] = seen.get(call.name, 0) + 1
        working = (call.name, seen[call.name]) in {
            ("DescribeStackEvents", 3),
            ("DescribeChangeSet", 1),
            ("ListStackResources", 1),
        }
        if working or not call.name.startswith(READS):
            kept.append(call.number)
    return kept


def steps(calls):
    """The numbers of the first of each name."""
    names = [call.name for call in calls]
    return [call.number for call in calls if names.index(call.name) == call.number - 1]


def rehearsed(faulty, *arguments):
    """The calls of a run that nothing breaks."""
    faulty.proxy.clear()
    done = faulty.run(*arguments)
    assert done.code == 0, done.err
    return faulty.proxy.calls


def test_killed_at_every_step_of_a_change(world, faulty):
    world.deployed().title("rehearsed")
    for number in changes(rehearsed(faulty)):
        world.title(f"killed at {number}")
        killed = faulty.run_until(number, signal.SIGKILL)
        assert killed.code == -signal.SIGKILL, (number, killed.err)
        done = faulty.run("--yes", "--wait", "30")
        assert done.code == 0, (number, done.err)
        faulty.is_right(f"killed at {number}")


def test_killed_at_every_step_of_a_first_deployment(empty, faulty):
    world = empty
    calls = rehearsed(faulty)
    settings = [call.number for call in calls if call.name.startswith("PUT ") and "object" not in call.name]
    numbers = [number for number in changes(calls) if number not in settings[1:-1:2]]  # of the bucket's every other
    assert len(numbers) >= 2 * 2 + 5 + 3  # change sets of account and system, the bucket, the files
    for number in numbers:
        world.forget()
        killed = faulty.run_until(number, signal.SIGKILL)
        assert killed.code == -signal.SIGKILL, (number, killed.err)
        done = faulty.run("--yes", "--wait", "30")
        assert done.code == 0, (number, done.err)
        faulty.is_right()
        bucket_is_complete(world)


def bucket_is_complete(world):
    s3 = world.client("s3")
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    assert s3.get_bucket_encryption(Bucket=BUCKET)
    assert all(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values())
    assert {"Key": "PackageBucketConfigured", "Value": "true"} in s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]


def test_interrupted_at_every_step_of_a_change(world, faulty):
    world.deployed().title("rehearsed")
    calls = rehearsed(faulty)
    numbers, names = steps(calls), [call.name for call in calls]
    executed = names.index("ExecuteChangeSet") + 1
    for number in numbers:
        world.title(f"stopped at {number}")
        stopped = faulty.run_until(number, signal.SIGINT)
        assert stopped.code == 128 + signal.SIGINT, (number, stopped.err)
        assert "Traceback" not in stopped.err
        if executed <= number and "stopped watching" in stopped.err:
            assert f"watch again: python deploy.py status {world.where} --local" in stopped.err
        elif number < executed and names[number - 1] != "CreateChangeSet":
            assert world.leftovers() == [], number  # not even without a re-run
        done = faulty.run("--yes", "--wait", "30")
        assert done.code == 0, (number, done.err)
        faulty.is_right(f"stopped at {number}")


@pytest.mark.parametrize("number", range(1, 6))
def test_killed_while_a_file_is_written(world, faulty, number):
    """review.md, review.html, review.json, flat-outputs.json, deployed.json."""
    world.deployed()
    before = world.outputs()
    world.title("new")
    killed = faulty.run(die_at_rename=number)
    assert killed.code == -signal.SIGKILL
    assert any(name.endswith(".tmp") for name in world.files())
    assert world.outputs() == before  # the old one, whole
    for name in world.files():
        if name.endswith(".json"):
            assert json.loads((world.build.folder / name).read_text())
    if number <= 3:
        assert "review.json" not in world.files()
    done = faulty.run("--yes", "--wait", "30")
    assert done.code == 0, done.err
    faulty.is_right("new")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_in_the_middle_of_an_execution_harms_nothing(world, faulty, name):
    world.deployed().title("rehearsed")
    number = [call.name for call in rehearsed(faulty)].index("ExecuteChangeSet") + 2
    world.title("new")
    stopped = faulty.run_until(number, getattr(signal, name))
    assert stopped.code == 128 + getattr(signal, name)
    assert f"stopped watching; {world.stack} goes on by itself" in stopped.err
    resumed = world.run("status")
    assert resumed.code == 0
    faulty.is_right("new")
