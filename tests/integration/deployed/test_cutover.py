"""The cutover's tier: functions with roles of their own, a state machine, the pointer, and a run that is refused."""

from __future__ import annotations

import json
import time

import pytest

from templates.cutover_steps import STEPS

MODULES = [step.module for step in STEPS]


@pytest.fixture(scope="module")
def machine(deployed):
    arn = deployed["Cutover.StateMachineArn"]
    return deployed.client("stepfunctions").describe_state_machine(stateMachineArn=arn)


@pytest.fixture(scope="module")
def functions(deployed, settings):
    client = deployed.client("lambda")
    names = {step.module: f"{settings.system}-{settings.suffix}-{step.part}" for step in STEPS}
    return {module: client.get_function(FunctionName=name)["Configuration"] for module, name in names.items()}


def statements(deployed, role_arn):
    """All that the inline policies of a role say."""
    iam, name = deployed.client("iam"), role_arn.rpartition("/")[2]
    documents = [
        iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    return [statement for document in documents for statement in document["Statement"]]


def as_list(value):
    return value if isinstance(value, list) else [value]


def test_each_step_is_a_function_with_a_role_of_its_own(functions):
    assert len({found["Role"] for found in functions.values()}) == len(STEPS)
    for module, found in functions.items():
        assert found["Handler"] == f"cutover.steps.{module}.handle"
        assert found["Architectures"] == ["arm64"]


def test_they_stand_in_the_private_subnets_behind_their_own_group(functions, deployed):
    for found in functions.values():
        assert set(found["VpcConfig"]["SubnetIds"]) == {
            deployed[f"Network.PrivateSubnet{zone}Id"] for zone in (1, 2, 3)
        }
        assert found["VpcConfig"]["SecurityGroupIds"] == [deployed["Security.CutoverSecurityGroupId"]]


def test_what_they_are_told_is_there(functions, deployed):
    told = functions["rollback"]["Environment"]["Variables"]
    assert told["RUN_BUCKET"] == deployed["Validation.ReportBucketName"]
    assert told["POINTER_PARAMETER"] == deployed["Database.PointerName"]
    assert told["PHASE_PARAMETER"] == deployed["Cutover.PhaseName"]
    assert told["FORWARD_TASK_ARN"] == deployed["Migration.ForwardTaskArn"]
    assert told["REVERSE_TASK_ARN"] == deployed["Migration.ReverseTaskArn"]
    assert told["MIGRATION_RULE_ARN"] == deployed["LoadBalancer.MigrationRuleArn"]
    assert told["PRODUCTION_RULE_ARN"] == deployed["LoadBalancer.ProductionRuleArn"]
    assert told["SOURCE_SECRET_ARN"] == deployed["Database.SourceCutoverSecretArn"]
    assert told["TARGET_SECRET_ARN"] == deployed["Database.CutoverSecretArn"]


def test_only_two_may_move_weights_and_none_those_of_ecs(functions, deployed):
    may = {}
    for module, found in functions.items():
        for statement in statements(deployed, found["Role"]):
            if "elasticloadbalancing:ModifyRule" in as_list(statement["Action"]):
                may[module] = as_list(statement["Resource"])
    assert may == {module: [deployed["LoadBalancer.MigrationRuleArn"]] for module in ("switch", "rollback")}


@pytest.mark.parametrize("action", ["dms:StartReplicationTask", "dms:StopReplicationTask"])
def test_tasks_are_started_and_stopped_one_by_one(functions, deployed, action):
    tasks = {deployed["Migration.ForwardTaskArn"], deployed["Migration.ReverseTaskArn"]}
    for found in functions.values():
        for statement in statements(deployed, found["Role"]):
            if action in as_list(statement["Action"]):
                assert set(as_list(statement["Resource"])) < tasks


def test_the_machine_may_invoke_exactly_its_steps(machine, functions, deployed):
    invoked = {
        resource
        for statement in statements(deployed, machine["roleArn"])
        if "lambda:InvokeFunction" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }
    assert invoked == {found["FunctionArn"] for found in functions.values()}


def test_the_definition_is_whole(machine, functions, deployed):
    definition = machine["definition"]
    assert "${" not in definition
    assert deployed["Validation.StateMachineArn"] in definition
    assert {module for module, found in functions.items() if found["FunctionArn"] not in definition} == set()
    states = json.loads(definition)["States"]
    named = {catch["Next"] for state in states.values() for catch in state.get("Catch", [])}
    named |= {state["Next"] for state in states.values() if "Next" in state}
    assert named <= set(states)


def test_the_pointer_begins_where_params_say(deployed, settings):
    name = deployed["Database.PointerName"]
    found = deployed.client("ssm").get_parameter(Name=name)["Parameter"]
    assert found["Value"] == settings.service.database


def test_the_application_may_read_the_pointer_and_nothing_else_there(deployed):
    reads = [
        resource
        for statement in statements(deployed, deployed["Identity.TaskRoleArn"])
        if any(action.startswith("ssm:") for action in as_list(statement["Action"]))
        for resource in as_list(statement["Resource"])
    ]
    assert [resource.partition(":parameter")[2] for resource in reads] == [deployed["Database.PointerName"]]


def test_its_alarms_are_there(deployed, settings):
    prefix = f"{settings.system}-{settings.suffix}-cutover-"
    found = deployed.client("cloudwatch").describe_alarms(AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm"])
    assert {alarm["AlarmName"].removeprefix(prefix) for alarm in found["MetricAlarms"]} >= {"stuck", "run-failed"}


@pytest.mark.mutating
def test_a_cutover_that_is_not_ready_does_nothing_and_says_every_reason(deployed):
    states, ssm = deployed.client("stepfunctions"), deployed.client("ssm")
    run = states.start_execution(stateMachineArn=deployed["Cutover.StateMachineArn"], input="{}")["executionArn"]
    deadline = time.monotonic() + 120
    while (found := states.describe_execution(executionArn=run))["status"] == "RUNNING":
        assert time.monotonic() < deadline, "the execution never ended"
        time.sleep(0.2)
    assert (found["status"], found["error"]) == ("FAILED", "NotReady")
    for reason in (
        "cannot reach the source database",
        "the forward task is ready, not running",
        "no validation of all",
    ):
        assert reason in found["cause"]
    assert ssm.get_parameters(Names=[deployed["Cutover.PhaseName"]])["Parameters"] == []
    keys = deployed.client("s3").list_objects_v2(Bucket=deployed["Validation.ReportBucketName"], Prefix="cutover/lock")
    assert keys["KeyCount"] == 0
