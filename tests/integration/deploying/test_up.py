"""up: review, ask, execute."""

from __future__ import annotations

import pytest

from deployer import conclusion, deployment, flow
from deployer.errors import BusyError
from tests.integration.deploying.small import Build, resource

FINISHED = {"flat-outputs.json", "deployed.json", "review.md", "review.html"}


def test_the_first_deployment_makes_the_account_the_bucket_and_the_stack(empty):
    world = empty
    done = world.run("--yes")
    assert done.code == 0, done.err
    assert (world.status(), world.status("shop-account")) == ("CREATE_COMPLETE", "CREATE_COMPLETE")
    assert world.log_groups() == {"requests": 30}
    outputs = world.outputs()
    assert set(outputs) == {"OrdersArn", "Alarms.AlarmArn", "Topics.OrdersArn", "Logs.RequestsName"}
    assert outputs["OrdersArn"] == outputs["Topics.OrdersArn"]
    assert (world.leftovers(), world.files()) == ([], FINISHED)
    assert "shop-account is missing: it is deployed first" in done.err
    assert "3 files uploaded" in done.err
    assert "4 outputs written to" in done.err
    assert "changes   4 create" in done.out
    assert "\nnext\n" not in done.out


def test_a_second_one_has_nothing_to_do_and_asks_next_to_nothing(world):
    world.deployed()
    (world.build.folder / "flat-outputs.json").unlink()
    done = world.run("--yes")
    assert (done.code, done.out) == (0, "")
    assert done.calls == {"DescribeStacks": 1 + 3, "GetTemplate": 1, "ListStackResources": 1}
    assert f"nothing to change: {world.stack} is what" in done.err
    assert len(world.outputs()) == 4


def test_one_changed_tier_costs_few_calls(world):
    world.deployed().change()
    done = world.run("--yes")
    assert done.code == 0, done.err
    assert world.log_groups() == {"requests": 60}
    assert "RetentionInDays: 30 → 60" in done.out
    assert "1 file uploaded" in done.err
    polled = {"DescribeChangeSet", "DescribeEvents", "DescribeStackEvents"}
    described = {"DescribeStacks": 2 + 3, "GetTemplate": 1 + 2}  # the root's own, and those of nested stacks
    described["ListStackResources"] = 1 + 1  # what stands before, and what stands after
    rest = {"ListChangeSets", "ListObjectsV2", "PutObject", "CreateChangeSet", "ExecuteChangeSet"}
    assert {name: number for name, number in done.calls.items() if name not in polled} == {
        **described,
        **dict.fromkeys(rest, 1),
    }


def test_who_declines_leaves_everything_as_it_was(world):
    world.deployed().change()
    before = world.cloudformation.describe_stacks(StackName=world.build.stack)["Stacks"]
    done = world.run(typed="n\n")
    assert done.code == 3
    assert done.err.endswith(
        f"execute this change of {world.stack} in account 123456789012, us-east-1? [y/N] "
        "error: declined: nothing was executed, and the change set is deleted\n"
    )
    assert world.cloudformation.describe_stacks(StackName=world.build.stack)["Stacks"] == before
    assert (world.leftovers(), world.files()) == ([], {"flat-outputs.json", "deployed.json"})


def test_who_declines_the_first_leaves_no_shell(world):
    world.run("account", "--yes")
    done = world.run(typed="")
    assert done.code == 3
    assert (world.status(), world.leftovers(), world.files()) == (None, [], set())


def test_who_declines_the_account_is_asked_no_more(empty):
    world = empty
    done = world.run(typed="no\n")
    assert done.code == 3
    assert "execute this change of shop-account in account" in done.err
    assert world.cloudformation.describe_stacks()["Stacks"] == []
    assert "CreateBucket" not in done.calls


@pytest.mark.parametrize("answer", ["y\n", " YES \n"])
def test_who_says_yes_goes_on(world, answer):
    world.run("account", "--yes")
    assert world.run(typed=answer).code == 0
    assert world.status() == "CREATE_COMPLETE"


def test_without_a_terminal_nobody_is_asked_and_nothing_is_done(world):
    done = world.run()
    assert (done.code, done.calls) == (2, {})
    assert done.err == (
        "error: there is nobody to ask: standard input is no terminal\n"
        f"next: python deploy.py review {world.where} --local, then execute; "
        "or --yes (the gate still refuses what it refuses)\n"
    )


def test_the_gate_refuses_a_replacement_until_it_is_acknowledged_by_name(world):
    world.deployed().replace()
    refused = world.run("--yes")
    assert refused.code == 1
    assert "error: logs.Requests (replace): " in refused.err
    assert refused.err.endswith(
        f"next: if it is meant to happen: python deploy.py {world.where} --local --allow-replace logs.Requests\n"
    )
    assert (world.leftovers(), world.files()) == ([], {"flat-outputs.json", "deployed.json"})
    assert world.log_groups() == {"requests": 30}

    unmatched = world.run("--yes", "--allow-replace", "logs.Request")
    assert unmatched.code == 2
    assert "--allow-replace logs.Request: the gate asks no such thing" in unmatched.err
    assert world.leftovers() == []

    allowed = world.run("--yes", "--allow-replace", "logs.Requests")
    assert allowed.code == 0, allowed.err
    assert world.log_groups() == {"other": 30}
    assert world.outputs()["Logs.RequestsName"].endswith("/other")


def test_flags_that_were_given_are_named_again_beside_those_that_are_missing(world):
    world.deployed()
    world.build.properties("logs.Requests")["LogGroupName"] = "/shop/dev/other"
    resources = world.build.tiers["logs"]["Resources"]
    resources["Secret"] = resources.pop("Token")
    resources["Secret"]["Properties"]["Name"] += "-2"
    world.build.write()
    refused = world.run("--yes", "--allow-replace", "logs.Requests")
    assert refused.code == 1
    assert "--allow-replace logs.Requests --allow-delete logs.Token" in refused.err


def test_what_the_policy_never_allows_has_no_flag(world):
    policy = "never:\n  - rule: replace\n    resources: [logs.*]\n    reason: logs are evidence\n"
    (world.root / "policies" / "dev.yaml").write_text(policy)
    world.deployed().replace()
    refused = world.run("--yes", "--allow-replace", "logs.Requests")
    assert refused.code == 1
    assert "(never here, see policies/dev.yaml:2; logs are evidence)" in refused.err
    assert refused.err.endswith("next: change what no flag acknowledges, build, and run again\n")


def test_tiers_come_and_go(world):
    world.deployed()
    world.build.add_tier(
        "Archive",
        "archive",
        {
            "Resources": {"Bin": resource("AWS::SNS::Topic", TopicName=f"{world.stack}-bin")},
            "Outputs": {"BinArn": {"Value": {"Ref": "Bin"}}},
        },
    )
    world.build.remove_tier("Logs", "logs")
    world.build.write()
    refused = world.run("--yes")
    assert refused.code == 1
    assert "--allow-delete logs.Requests" in refused.err
    addresses = ("root.Logs", "logs.Requests", "logs.Token")
    done = world.run("--yes", *(word for address in addresses for word in ("--allow-delete", address)))
    assert done.code == 0, done.err
    assert set(world.outputs()) == {"OrdersArn", "Alarms.AlarmArn", "Topics.OrdersArn", "Archive.BinArn"}
    assert world.log_groups() == {}


def test_tags_alone_are_a_change(world):
    world.deployed()
    world.build.tags["MigrationPhase"] = "done"
    world.build.write()
    assert world.run("--yes").code == 0
    tags = world.cloudformation.describe_stacks(StackName=world.build.stack)["Stacks"][0]["Tags"]
    assert {"Key": "MigrationPhase", "Value": "done"} in tags


def test_a_template_in_which_aws_finds_no_change(world):
    world.build.root = {"Resources": {"Topic": resource("AWS::SNS::Topic", TopicName=f"{world.stack}-only")}}
    world.build.tiers = {}
    world.build.write()
    world.deployed()
    world.build.root["Mappings"] = {"Of": {"no": {"use": "to any resource"}}}
    world.build.write()
    done = world.run("--yes")
    assert done.code == 0, done.err
    assert (done.calls["CreateChangeSet"], done.calls["DeleteChangeSet"]) == (1, 1)
    assert "nothing to change" in done.err
    assert world.leftovers() == []


def test_params_that_reach_no_resource_cost_no_change_set(world):
    """AWS would record them only together with a change of a resource: until then every run says so, and no more."""

    def settings(**given):
        world.build.root["Metadata"] = {"Settings": {"monitoring": given}}
        world.build.write()

    settings(lag_seconds=60, days=30)
    world.deployed()
    settings(lag_seconds=45, days=30)
    for _ in range(2):
        done = world.run("--yes")
        assert (done.code, done.calls) == (0, {"DescribeStacks": 1 + 3, "GetTemplate": 1, "ListStackResources": 1})
        assert f"nothing to change: {world.stack} is what" in done.err
        assert "note: monitoring.lag_seconds changed in params and reaches no resource" in done.err
    settings(lag_seconds=45, days=60)
    done = world.change(60).run("--yes")
    assert done.code == 0, done.err
    assert "monitoring.lag_seconds  60 → 45" in done.out  # nothing of it is lost
    quiet = world.run("--yes")
    assert (quiet.code, "note:" in quiet.err) == (0, False)


def test_other_metadata_of_the_root_is_nothing_to_tell(world):
    world.deployed()
    world.build.root["Metadata"] = {"Note": "of no resource"}
    world.build.write()
    done = world.run("--yes")
    assert (done.code, "CreateChangeSet" in done.calls, "note:" in done.err) == (0, False, False)


def test_a_shell_that_somebody_deletes_meanwhile(world, monkeypatch):
    world.run("account", "--yes")
    monkeypatch.setattr(flow, "describe_stack", lambda aws, name: None)
    done = world.run("--yes")
    assert done.code == 1
    assert done.err.endswith(
        f"error: stack {world.stack} is gone, and its change set with it\nnext: somebody deleted it: run again\n"
    )
    assert world.status() is None


def test_a_nested_stack_is_deployed_by_its_root_alone(world):
    world.deployed()
    nested = world.cloudformation.describe_stack_resource(StackName=world.stack, LogicalResourceId="Logs")
    world.build.stack = nested["StackResourceDetail"]["PhysicalResourceId"].split("/")[1]
    world.build.write()
    done = world.run("--yes")
    assert done.code == 1
    assert "is nested in" in done.err


def test_a_change_set_that_cannot_be_made_names_the_tier_and_leaves_nothing(world):
    world.deployed()
    world.build.properties("logs.Requests")["RetentionInDays"] = {"Ref": "Nobody"}
    world.build.write()
    done = world.run("--yes")
    assert done.code == 1
    assert "error: tier logs: its change set could not be made: " in done.err
    assert "Nobody" in done.err
    assert "nothing was changed" in done.err
    assert (world.leftovers(), world.status()) == ([], "CREATE_COMPLETE")


def test_a_failed_execution_is_rolled_back_and_diagnosed_and_the_next_run_goes_on(world):
    world.deployed().change()
    world.inject("Logs/Requests", "update", "The quota of log groups is used up")
    done = world.run("--yes")
    assert done.code == 1
    assert "The quota of log groups is used up" in done.err
    assert "logs.Requests" in done.err
    assert (world.status(), world.leftovers()) == ("UPDATE_ROLLBACK_COMPLETE", [])
    assert "review.json" not in world.files()
    assert world.log_groups() == {"requests": 30}
    again = world.run("--yes")
    assert again.code == 0, again.err
    assert world.log_groups() == {"requests": 60}


def test_a_rolled_back_update_that_is_taken_back_leaves_a_good_stack(world):
    world.deployed().change()
    world.inject("Logs/Requests", "update")
    assert world.run("--yes").code == 1
    world.change(30)
    assert world.run("--yes").code == 0
    assert (world.status(), world.leftovers()) == ("UPDATE_COMPLETE", [])


def test_a_failed_creation_is_cleared_away_by_the_next_run(world):
    world.inject("Logs/Token", "create", "The secret name is reserved")
    failed = world.run("--yes")
    assert failed.code == 1
    assert "The secret name is reserved" in failed.err
    assert world.status() == "ROLLBACK_COMPLETE"
    done = world.run("--yes")
    assert done.code == 0, done.err
    assert "its creation was rolled back and it holds nothing; deleting it" in done.err
    assert "changes   4 create" in done.out


def test_a_rollback_that_failed_needs_a_person(world):
    world.deployed().change()
    world.inject("Logs/Requests", "update", "The key is disabled", times=None)
    assert world.run("--yes").code == 1
    assert world.status() == "UPDATE_ROLLBACK_FAILED"
    done = world.run("--yes")
    assert done.code == 1
    assert f"error: stack {world.stack} is UPDATE_ROLLBACK_FAILED" in done.err
    assert "--continue-rollback" in done.err


def test_an_orphaned_shell_is_used(world):
    world.run("account", "--yes")
    world.run("review")
    (world.build.folder / "review.json").unlink()
    assert world.status() == "REVIEW_IN_PROGRESS"
    assert world.run("--yes").code == 0
    assert world.status() == "CREATE_COMPLETE"


def test_without_a_build_there_is_nothing_to_deploy(world):
    done = world.run("--yes", "--out", str(world.root / "o ut"))
    assert done.code == 2
    assert "there is no build" in done.err
    assert (
        f"next: build it: python build.py --env dev --suffix {world.build.suffix} --out '{world.root}/o ut'\n"
        in done.err
    )


def test_local_never_reaches_another_machine(world, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://cloudformation.us-east-1.amazonaws.com")
    done = world.run("--yes")
    assert (done.code, done.calls) == (2, {})
    assert "is not an endpoint of this machine" in done.err


def test_environments_stand_side_by_side(world):
    world.deployed()
    other = f"{world.build.suffix}-b"
    Build(world.root / "out", suffix=other).write()
    done = world.main("--yes", "--env", "dev", "--suffix", other, "--local")
    assert done.code == 0, done.err
    assert "shop-account" not in done.err
    assert (world.status(), world.status(f"shop-{other}")) == ("CREATE_COMPLETE", "CREATE_COMPLETE")


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [(KeyboardInterrupt(), 130, "interrupted\n"), (BusyError("another was faster"), 1, "error: another was faster\n")],
)
def test_what_was_not_executed_after_all_is_discarded(world, monkeypatch, error, code, told):
    def carry_out(*_arguments):
        raise error

    world.deployed().title("new")
    monkeypatch.setattr(deployment, "carry_out", carry_out)
    done = world.run("--yes")
    assert done.code == code
    assert done.err.endswith(told)
    assert (world.leftovers(), world.titled()) == ([], "")
    assert "review.json" not in world.files()


def test_who_is_interrupted_after_the_execution_has_deployed(world, monkeypatch):
    def carry_out(*arguments):
        conclusion.carry_out(*arguments)
        raise KeyboardInterrupt

    world.deployed().title("new")
    monkeypatch.setattr(deployment, "carry_out", carry_out)
    done = world.run("--yes")
    assert done.code == 130
    assert "DeleteChangeSet" not in done.calls
    assert world.titled() == "new"


def test_what_no_stack_knows_any_more_is_told(world):
    world.deployed().replace()
    world.inject("Logs/Requests", "delete", "The log group is in use", times=None)
    done = world.run("--yes", "--allow-replace", "logs.Requests")
    assert done.code == 0, done.err
    assert "warning: logs.Requests (AWS::Logs::LogGroup" in done.err
    assert "The log group is in use" in done.err
