"""review, then execute: what was approved is executed, and nothing else."""

from __future__ import annotations

import json

import pytest

from deployer import approval
from deployer.verbs import execute


def review_json(world):
    return world.build.folder / "review.json"


def edit_review(world, **changes):
    """With the digest that fits, as an attacker would."""
    document = json.loads(review_json(world).read_text()) | changes
    del document["digest"]
    review_json(world).write_text(json.dumps({**document, "digest": approval._digest(document)}))


@pytest.fixture
def reviewed(world):
    """A change that is reviewed and allowed."""
    done = world.deployed().change().run("review")
    assert done.code == 0, done.err
    return world


def test_what_was_reviewed_is_executed_once(reviewed):
    bound = json.loads(review_json(reviewed).read_text())["change_set"].split("/")[1]
    assert bound in reviewed.leftovers()
    assert reviewed.log_groups() == {"requests": 30}
    done = reviewed.run("execute")
    assert (done.code, done.out) == (0, ""), done.err
    assert reviewed.log_groups() == {"requests": 60}
    assert reviewed.leftovers() == []
    assert reviewed.files() == {"flat-outputs.json", "deployed.json", "review.md", "review.html"}
    assert "CreateChangeSet" not in done.calls
    assert "PutObject" not in done.calls
    again = reviewed.run("execute")
    assert again.code == 1
    assert "review.json: nothing has been reviewed" in again.err
    assert again.err.endswith(f"next: review first: python deploy.py review {reviewed.where} --local\n")


def test_a_review_tells_what_is_next(reviewed):
    done = reviewed.run("review")
    assert done.out.rstrip().endswith(f"next\n  python deploy.py execute {reviewed.where} --local")
    assert done.err.endswith("review.html, review.md, review.json\n")


def test_a_review_as_data(world):
    done = world.deployed().replace().run("review", "--json")
    assert done.code == 1
    document = json.loads(done.out)
    assert document["verdict"]["refusals"][0]["flag"] == "--allow-replace logs.Requests"
    assert document["review"]["stack"] == world.stack


def test_a_review_of_nothing(world):
    world.deployed()
    done = world.run("review", "--json")
    assert (done.code, json.loads(done.out)) == (0, {"review": None, "verdict": None})
    assert world.run("review").out == ""
    assert "CreateChangeSet" not in done.calls


def test_a_refused_review_is_executed_with_the_flag(world):
    assert world.deployed().replace().run("review").code == 1
    refused = world.run("execute")
    assert refused.code == 1
    assert refused.err.endswith(
        f"next: if it is meant to happen: python deploy.py execute {world.where} --local --allow-replace logs.Requests\n"
    )
    assert world.log_groups() == {"requests": 30}
    unmatched = world.run("execute", "--allow-delete", "logs.Requests")
    assert unmatched.code == 2
    assert "next: it asks for --allow-replace logs.Requests" in unmatched.err
    assert world.run("execute", "--allow-replace", "logs.Requests").code == 0
    assert world.log_groups() == {"other": 30}


def test_an_acknowledgement_of_the_review_holds_for_its_execution(world):
    assert world.deployed().replace().run("review", "--allow-replace", "logs.Requests").code == 0
    assert world.run("execute").code == 0
    assert world.log_groups() == {"other": 30}


def test_a_review_with_a_flag_that_names_nothing_leaves_nothing(world):
    done = world.deployed().change().run("review", "--allow-replace", "logs.Requests")
    assert done.code == 2
    assert (world.leftovers(), world.files()) == ([], {"flat-outputs.json", "deployed.json"})


def test_the_first_creation_is_reviewed_and_executed_after_the_account(empty):
    reviewed = empty.run("review")
    assert reviewed.code == 0
    assert f"the roles that all environments share are needed: python deploy.py account {empty.where}" in reviewed.err
    assert empty.status() == "REVIEW_IN_PROGRESS"
    early = empty.run("execute")
    assert early.code == 1
    assert "error: stack shop-account is missing" in early.err
    assert early.err.endswith(f"python deploy.py account {empty.where} --local\n")
    assert empty.run("account", "--yes").code == 0
    done = empty.run("execute")
    assert done.code == 0, done.err
    assert (empty.status(), empty.leftovers()) == ("CREATE_COMPLETE", [])


def refused(world, *told):
    """`execute` refuses, says what moved and how to review again, and leaves the stack alone."""
    before = world.status(), world.log_groups()
    done = world.run("execute")
    assert done.code == 1
    assert "ExecuteChangeSet" not in done.calls
    for words in told:
        assert words in done.err
    assert done.err.endswith(f"next: review again: python deploy.py review {world.where} --local\n")
    assert (world.status(), world.log_groups()) == before


def test_a_build_that_was_made_anew_is_refused(reviewed):
    reviewed.change(90)
    refused(
        reviewed,
        "logs.template.json is not what was reviewed: it was built again, with other contents",
        "the packaged root template is not what was reviewed",
    )


def test_another_deployment_in_between_is_refused(reviewed):
    kept = review_json(reviewed).read_text()
    assert reviewed.run("--yes").code == 0
    review_json(reviewed).write_text(kept)
    refused(reviewed, "the stack's last update is not what was reviewed", "the change set cannot be executed")


def test_an_edited_review_is_refused(reviewed):
    document = json.loads(review_json(reviewed).read_text())
    document["acknowledgements"].append(["replace", "logs.Requests"])
    review_json(reviewed).write_text(json.dumps(document))
    refused(reviewed, "it was edited after it was written")


@pytest.mark.parametrize("text", ["", "[]", '{"format": 99}'])
def test_a_damaged_review_is_refused(reviewed, text):
    review_json(reviewed).write_text(text)
    refused(reviewed, "review.json: ")


def test_an_edited_review_with_a_digest_that_fits_is_judged_again(world):
    assert world.deployed().replace().run("review").code == 1
    edit_review(
        world, verdict=json.loads(review_json(world).read_text())["verdict"] | {"allowed": True, "refusals": []}
    )
    done = world.run("execute")
    assert done.code == 1
    assert "error: logs.Requests (replace): " in done.err


def test_another_policy_is_refused(reviewed):
    policy = "never:\n  - rule: replace\n    resources: [logs.*]\n    reason: logs are evidence\n"
    (reviewed.root / "policies" / "dev.yaml").write_text(policy)
    refused(reviewed, "the policy file is not what was reviewed")


def test_another_version_of_the_tool_is_refused(reviewed, monkeypatch):
    monkeypatch.setattr(execute, "VERSION", "99.0.0")
    refused(reviewed, "this program's version is not what was reviewed")


def test_a_change_set_that_is_gone_is_refused(reviewed):
    arn = json.loads(review_json(reviewed).read_text())["change_set"]
    reviewed.cloudformation.delete_change_set(ChangeSetName=arn)
    refused(reviewed, "it does not exist any more")


def test_a_stack_that_is_gone_is_refused(reviewed):
    reviewed.cloudformation.delete_stack(StackName=reviewed.stack)
    reviewed.cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=reviewed.stack, WaiterConfig={"Delay": 0, "MaxAttempts": 500}
    )
    refused(reviewed, f"stack {reviewed.stack} is gone since the review")


def test_an_execution_that_fails_spends_the_review(reviewed):
    reviewed.inject("Logs/Requests", "update", "The key is disabled")
    done = reviewed.run("execute")
    assert done.code == 1
    assert "The key is disabled" in done.err
    assert reviewed.files() == {"flat-outputs.json", "deployed.json", "review.md", "review.html"}


def test_a_review_overtakes_the_one_before(reviewed):
    first = reviewed.leftovers()
    assert reviewed.change(90).run("review").code == 0
    assert not set(first) & set(reviewed.leftovers())
    assert reviewed.run("execute").code == 0
    assert reviewed.log_groups() == {"requests": 90}


def test_an_up_that_is_declined_overtakes_the_review_too(reviewed):
    assert reviewed.run(typed="n\n").code == 3
    assert (reviewed.leftovers(), reviewed.files()) == ([], {"flat-outputs.json", "deployed.json"})


def test_a_review_of_another_account_is_left_alone(reviewed):
    arn = json.loads(review_json(reviewed).read_text())["change_set"]
    edit_review(reviewed, change_set=arn.replace("123456789012", "210987654321"))
    assert reviewed.change(90).run("review").code == 0
    assert arn.split("/")[1] in reviewed.leftovers()


def test_a_review_of_what_needs_no_change_any_more_is_discarded(reviewed):
    assert reviewed.change(30).run("review").code == 0
    assert (reviewed.leftovers(), reviewed.files()) == ([], {"flat-outputs.json", "deployed.json"})
