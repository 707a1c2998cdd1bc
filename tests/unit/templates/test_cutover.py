"""The cutover's tier: what its functions are told, and exactly what each of them may do."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from compiler.linking import link
from contract.wiring import camel_case
from cutover.names import roles_of
from cutover.steps.common import record
from templates import cutover
from templates.cutover_steps import STEPS, TOLD, Grant
from templates.root import system

ROOT = Path(__file__).parents[3]
ARN = "arn:${AWS::Partition}:"
HERE = ":${AWS::Region}:${AWS::AccountId}:"
SPLIT = SimpleNamespace(TIER=cutover.SPLIT_TIER)
BY_MODULE = {step.module: step for step in STEPS}
# Actions that know no resource, or (network interfaces) that Lambda demands on all of them.
EVERYWHERE = {
    "cloudwatch:PutMetricData", "dms:DescribeReplicationTasks", "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses", "elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTargetHealth",
    "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
    "xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
}  # fmt: skip
# Who may change what, beyond telling of itself. Nobody else may change anything.
CHANGES = {
    "freeze": set(),
    "drain": set(),
    "sequences": set(),
    "smoke": set(),
    "reopen": set(),
    "watch": set(),
    "stuck": set(),
    "approval": set(),
    "preflight": {("s3:DeleteObject", "lock"), ("s3:PutObject", "lock")},
    "cancel": {("s3:DeleteObject", "lock"), ("s3:PutObject", "lock")},
    "finish": {("s3:DeleteObject", "lock"), ("s3:PutObject", "lock")},
    "stop_forward": {("dms:StopReplicationTask", "ForwardTaskArn")},
    "start_reverse": {("dms:StartReplicationTask", "ReverseTaskArn")},
    "go_back": {("dms:StartReplicationTask", "ReverseTaskArn")},
    "switch": {("ssm:PutParameter", "pointer"), ("elasticloadbalancing:ModifyRule", "MigrationRuleArn")},
    "rollback": {
        ("s3:DeleteObject", "lock"), ("s3:PutObject", "lock"), ("ssm:PutParameter", "pointer"),
        ("elasticloadbalancing:ModifyRule", "MigrationRuleArn"), ("dms:StartReplicationTask", "ForwardTaskArn"),
        ("dms:StartReplicationTask", "ReverseTaskArn"), ("dms:StopReplicationTask", "ReverseTaskArn"),
    },
}  # fmt: skip


@pytest.fixture(params=["dev", "staging", "prod"])
def env(request: Any) -> Any:
    return request.param


@pytest.fixture
def template(env: Any, settings: Any, compile_tier: Any) -> Any:
    return compile_tier(SPLIT, settings(env))


@pytest.fixture
def compiled(settings: Any, compile_tier: Any) -> Any:
    return lambda module=SPLIT, **changes: compile_tier(module, settings("dev", **changes))


def function(template: Any, module: str) -> Any:
    return template["Resources"][f"{camel_case(module)}Function"]["Properties"]


def variables(template: Any, module: str) -> Any:
    return function(template, module)["Environment"]["Variables"]


def statements(template: Any, title: str) -> Any:
    role = template["Resources"][f"{title}Role"]["Properties"]
    return [statement for policy in role["Policies"] for statement in policy["PolicyDocument"]["Statement"]]


def allowed(template: Any, title: str) -> Any:
    """(action, resource) pairs, resources as text."""
    return {
        (action, resource if isinstance(resource, str) else text(resource))
        for statement in statements(template, title)
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def text(resource: Any) -> str:
    if "Fn::GetAtt" in resource:
        return ".".join(resource["Fn::GetAtt"])
    return str(resource.get("Fn::Sub") or resource["Ref"])


class TestSteps:
    def test_there_is_one_for_each_module_of_the_code(self) -> None:
        modules = {path.stem for path in (ROOT / "cutover/steps").glob("*.py")} - {"__init__"}
        assert modules == set(BY_MODULE)
        assert len(BY_MODULE) == len(STEPS)

    @pytest.mark.parametrize("module", sorted(BY_MODULE))
    def test_has_a_handler(self, module: str) -> None:
        code = ast.parse((ROOT / f"cutover/steps/{module}.py").read_text())
        assert "handle" in {node.name for node in code.body if isinstance(node, ast.FunctionDef)}


class TestFunctions:
    @pytest.mark.parametrize("module", sorted(BY_MODULE))
    def test_runs_its_step_in_the_private_subnets_as_its_own_role(self, template: Any, env: Any, module: str) -> None:
        found, part = function(template, module), BY_MODULE[module].part
        assert found["FunctionName"] == f"payments-{env}-{part}"
        assert (found["Code"], found["Handler"]) == ("assets/cutover.zip", f"cutover.steps.{module}.handle")
        assert found["Role"] == {"Fn::GetAtt": [f"{camel_case(module)}Role", "Arn"]}
        assert found["VpcConfig"] == {
            "SubnetIds": [{"Ref": f"PrivateSubnet{number}Id"} for number in (1, 2, 3)],
            "SecurityGroupIds": [{"Ref": "CutoverSecurityGroupId"}],
        }
        assert found["LoggingConfig"]["LogGroup"] == {"Ref": f"{camel_case(module)}LogGroup"}
        assert found["KmsKeyArn"] == {"Ref": "DataKeyArn"}
        # A call that hangs leaves room for the one that is made in its place.
        assert found["ReservedConcurrentExecutions"] == 2

    @pytest.mark.parametrize("module", sorted(BY_MODULE))
    def test_is_told_where_to_tell_what_it_did(self, template: Any, env: Any, module: str) -> None:
        told = variables(template, module)
        assert told["RUN_BUCKET"] == {"Ref": "ReportBucketName"}
        assert told["PHASE_PARAMETER"] == f"/payments/{env}/cutover/phase"
        assert told["METRIC_NAMESPACE"] == f"payments/{env}/cutover"

    def test_roles_and_certificates_are_those_that_the_code_knows(self, template: Any) -> None:
        told = variables(template, "freeze")
        roles = roles_of("payments")
        assert (told["APPLICATION_ROLE"], told["WRITER_ROLE"]) == (roles.application, roles.writer)
        assert told["SOURCE_SECRET_ARN"] == {"Ref": "SourceCutoverSecretArn"}
        assert told["TARGET_SECRET_ARN"] == {"Ref": "CutoverSecretArn"}
        assert told["SOURCE_CA"] == "validator/certificates/data-center.pem"
        assert told["TARGET_CA"] == "validator/certificates/rds-us-east-1.pem"
        assert told["SCHEMAS"] == "public"

    def test_what_is_told_is_what_the_code_of_the_steps_reads(self, template: Any) -> None:
        """Every variable is read somewhere, and all that is read is given to somebody."""
        code = "\n".join(path.read_text() for path in (ROOT / "cutover/steps").rglob("*.py"))
        read = set(re.findall(r'settings\.(?:text|optional|names|number)\(\s*"([A-Z_]+)"', code))
        given = {name for module in BY_MODULE for name in variables(template, module)}
        beside = {"SCHEMAS", "APPLICATION_ROLE", "WRITER_ROLE"}  # read by settings.py itself
        sides = {name for name in given if name.startswith(("SOURCE_", "TARGET_"))}
        assert read <= given
        assert given - beside - sides <= set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', code))

    def test_as_params_say(self, compiled: Any) -> None:
        chosen = {
            "writer_seconds": 3,
            "max_lag_seconds": 7,
            "validation_hours": 12,
            "sequence_margin": 500,
            "smoke_url": "https://payments.example/health",
        }
        template = compiled(cutover=chosen, migration={"schemas": ["cards", "ledger"]})
        expected = {
            "preflight": {"MOST_LAG_SECONDS": "7", "VALIDATION_HOURS": "12"},
            "freeze": {"WRITER_SECONDS": "3", "SCHEMAS": "cards,ledger"},
            "sequences": {"SEQUENCE_MARGIN": "500"},
            "smoke": {"SMOKE_URL": "https://payments.example/health"},
            "rollback": {"SEQUENCE_MARGIN": "500", "WRITER_SECONDS": "3"},
            "go_back": {"SEQUENCE_MARGIN": "500", "WRITER_SECONDS": "3"},
        }
        for module, told in expected.items():
            assert told.items() <= variables(template, module).items()
        assert set(TOLD) == {name for told in expected.values() for name in told} - {"SCHEMAS"}

    def test_a_call_in_the_freeze_takes_half_of_it_at_most(self, compiled: Any) -> None:
        template = compiled(cutover={"freeze_seconds": 120})
        short = compiled(cutover={"freeze_seconds": 10})
        for step in STEPS:
            if step.warmed and step.module != "rollback":
                assert function(template, step.module)["Timeout"] == 60
                assert function(short, step.module)["Timeout"] == 15
        assert function(template, "rollback")["Timeout"] == 300

    def test_looks_at_alarms_that_there_are(self, settings: Any, compile_tier: Any, compiled: Any) -> None:
        from templates import monitoring

        named = {
            body["Properties"]["AlarmName"]
            for body in compile_tier(monitoring, settings("dev"))["Resources"].values()
            if body["Type"] in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
        }
        template = compiled()
        for module in ("preflight", "watch"):
            assert set(variables(template, module)["ALARM_NAMES"].split(",")) <= named
        assert variables(template, "preflight")["ALARM_NAMES"] == "payments-dev-cutover-no-go"
        assert "payments-dev-rollback-no-go" in variables(template, "watch")["ALARM_NAMES"].split(",")


class TestRoles:
    @pytest.mark.parametrize("module", sorted(CHANGES))
    def test_changes_only_what_its_step_is_for(self, template: Any, env: Any, module: str) -> None:
        bucket = f"{ARN}s3:::payments-{env}-reports-${{AWS::AccountId}}"
        parameter = f"{ARN}ssm{HERE}parameter/payments/{env}/"
        short = {f"{bucket}/{record._LOCK}": "lock", f"{parameter}database": "pointer"}
        of_all = {
            ("s3:PutObject", f"{bucket}/cutover/*/*.json"),
            ("ssm:PutParameter", f"{parameter}cutover/phase"),
            ("cloudwatch:PutMetricData", "*"),
        }
        found = allowed(template, camel_case(module))
        assert of_all <= found
        changing = {
            (action, short.get(resource, resource))
            for action, resource in found - of_all
            if re.match(r"(s3:(Put|Delete)|ssm:Put|dms:(Start|Stop)|elasticloadbalancing:Modify|states:Start)", action)
        }
        assert changing == CHANGES[module]

    def test_none_is_left_out(self) -> None:
        assert set(CHANGES) == set(BY_MODULE)

    @pytest.mark.parametrize("module", sorted(BY_MODULE))
    def test_reads_the_secrets_of_the_cutover_and_no_others(self, template: Any, env: Any, module: str) -> None:
        reads = {resource for action, resource in allowed(template, camel_case(module)) if "secretsmanager" in action}
        secrets = {
            f"{ARN}secretsmanager{HERE}secret:payments/{env}/{part}-??????" for part in ("cutover", "source-cutover")
        }
        assert reads == (secrets if Grant.DATABASES in BY_MODULE[module].grants else set())

    @pytest.mark.parametrize("title", [*(camel_case(module) for module in sorted(BY_MODULE)), "Workflow"])
    def test_allows_on_every_resource_only_what_knows_none(self, template: Any, title: str) -> None:
        found = allowed(template, title)
        assert {action for action, resource in found if resource == "*"} <= EVERYWHERE
        assert not [action for action, _ in found if "*" in action]
        for statement in statements(template, title):
            use = {action for action in statement["Action"] if action.startswith("kms:")}
            if use:
                assert "kms:ViaService" in statement["Condition"]["StringEquals"]
        documents = template["Resources"][f"{title}Role"]["Properties"]["Policies"]
        assert sum(len(json.dumps(one["PolicyDocument"], separators=(",", ":"))) for one in documents) < 10240

    def test_nobody_may_modify_the_rule_that_ecs_moves(self, template: Any) -> None:
        """Neither by name nor by a pattern: the one rule that is modified is the migration's, by its ARN."""
        for title in [*(step.title for step in STEPS), "Workflow"]:
            modified = {resource for action, resource in allowed(template, title) if action.endswith(":ModifyRule")}
            assert modified <= {"MigrationRuleArn"}, title
            assert "ProductionRuleArn" not in {resource for _, resource in allowed(template, title)}

    def test_who_reads_what_may_be_missing_is_told_so_and_not_refused(self, template: Any, env: Any) -> None:
        for module in ("preflight", "cancel", "finish", "switch", "rollback"):
            (found,) = [one for one in statements(template, camel_case(module)) if one["Action"] == ["s3:ListBucket"]]
            assert found["Condition"] == {"StringLike": {"s3:prefix": ["cutover/*"]}}

    def test_the_machine_invokes_the_steps_and_the_validation_and_nothing_else(self, template: Any, env: Any) -> None:
        machine = f"payments-{env}-validation"
        assert {pair for pair in allowed(template, "Workflow") if pair[1] != "*"} == {
            *(("lambda:InvokeFunction", f"{step.title}Function.Arn") for step in STEPS),
            ("states:StartExecution", "ValidationMachineArn"),
            *((f"states:{verb}Execution", f"{ARN}states{HERE}execution:{machine}:*") for verb in ("Describe", "Stop")),
            *(
                (f"events:{verb}", f"{ARN}events{HERE}rule/StepFunctionsGetEventsForStepFunctionsExecutionRule")
                for verb in ("DescribeRule", "PutRule", "PutTargets")
            ),
        }
        trust = template["Resources"]["WorkflowRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
        assert trust["Principal"] == {"Service": "states.amazonaws.com"}
        sources = trust["Condition"]["ArnLike"]["aws:SourceArn"]
        assert sources == [{"Fn::Sub": f"{ARN}states{HERE}stateMachine:payments-{env}-cutover"}]


class TestWithoutAMigrationRule:
    """At aws_weight 100 there is none: requests go where the production rule sends them."""

    @pytest.fixture
    def alone(self, compiled: Any) -> Any:
        return compiled(cutover, load_balancer={"aws_weight": 100})

    def test_no_weights_are_moved(self, alone: Any, template: Any) -> None:
        for module in ("switch", "rollback"):
            assert "MIGRATION_RULE_ARN" not in variables(alone, module)
            assert variables(alone, module)["PRODUCTION_RULE_ARN"] == {"Ref": "ProductionRuleArn"}
            assert not [pair for pair in allowed(alone, camel_case(module)) if pair[0].endswith("ModifyRule")]
            assert variables(template, module)["MIGRATION_RULE_ARN"] == {"Ref": "MigrationRuleArn"}

    def test_the_pointer_is_all_the_same(self, alone: Any) -> None:
        assert variables(alone, "switch")["POINTER_PARAMETER"] == {"Ref": "PointerName"}


class TestStateMachine:
    def test_every_substitution_is_given_and_used(self, template: Any) -> None:
        machine = template["Resources"]["StateMachine"]["Properties"]
        used = {chunk.partition("}")[0] for chunk in machine["DefinitionString"].split("${")[1:]}
        assert used == set(machine["DefinitionSubstitutions"])
        assert machine["DefinitionString"] == json.dumps(
            json.loads(machine["DefinitionString"]), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        for step in STEPS:
            arn = {"Fn::GetAtt": [f"{step.title}Function", "Arn"]}
            assert machine["DefinitionSubstitutions"][f"{step.title}Arn"] == arn

    def test_logs_its_events_and_no_tokens(self, template: Any) -> None:
        logging = template["Resources"]["StateMachine"]["Properties"]["LoggingConfiguration"]
        assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", False)

    def test_each_call_outlasts_its_function(self, template: Any) -> None:
        definition = json.loads(template["Resources"]["StateMachine"]["Properties"]["DefinitionString"])
        states = [*definition["States"].values()]
        for state in definition["States"].values():
            states += [inner for branch in state.get("Branches", []) for inner in branch["States"].values()]
        calls = [s for s in states if s.get("Resource", "").endswith("invoke") and "Retry" in s]
        assert len(calls) >= len(STEPS)
        for state in calls:
            title = state["Parameters"]["FunctionName"][2:-4]
            assert state["TimeoutSeconds"] > template["Resources"][f"{title}Function"]["Properties"]["Timeout"]

    def test_a_second_question_is_asked_only_where_params_want_it(self, compiled: Any) -> None:
        def definition(**changes: Any) -> Any:
            return json.loads(compiled(cutover=changes)["Resources"]["StateMachine"]["Properties"]["DefinitionString"])

        assert definition()["States"]["ProveAndTurn"]["Next"] == "Switch"
        asked = definition(approve_switch=True, freeze_seconds=90)["States"]
        assert asked["ProveAndTurn"]["Next"] == "LookAtTheClock"
        assert asked["LookAtTheClock"]["Next"] == "ApproveSwitch"
        assert asked["ApproveSwitch"]["Next"] == "Switch"
        # Writes are refused meanwhile: nobody is waited for longer than the budget.
        assert asked["ApproveSwitch"]["TimeoutSecondsPath"] == "$.sequences.seconds_left"
        assert asked["LookAtTheClock"]["ResultSelector"] == {"seconds_left.$": "$.Payload.seconds_left"}
        assert asked["LookAtTheClock"]["ResultPath"] == "$.sequences"
        assert "TimeoutSeconds" not in asked["ApproveSwitch"]
        assert [catch["Next"] for catch in asked["ApproveSwitch"]["Catch"]] == ["Rollback"]

    def test_waits_as_long_as_params_say(self, compiled: Any) -> None:
        chosen = {"approval_hours": 5, "watch_minutes": 45, "freeze_seconds": 100}
        machine = compiled(cutover=chosen)["Resources"]["StateMachine"]["Properties"]
        definition = json.loads(machine["DefinitionString"])
        states = definition["States"]
        assert states["Approve"]["TimeoutSeconds"] == states["AskToStay"]["TimeoutSeconds"] == 5 * 3600
        assert states["Watch"]["Parameters"]["Payload"]["watch"] == {"minutes": 45}
        (_, second) = states["ProveAndTurn"]["Branches"]
        assert second["States"]["Validate"]["TimeoutSecondsPath"] == "$.sequences.seconds_left"
        assert states["Take"]["Parameters"]["freeze_seconds"] == states["Take"]["Parameters"]["most_seconds"] == 100
        assert states["TakeUp"]["Parameters"]["most_seconds"] == 100
        assert definition["TimeoutSeconds"] > 2 * 5 * 3600 + 45 * 60


def test_outputs_name_what_is_started_and_where_it_shows(template: Any, env: Any) -> None:
    assert {name: output["Value"] for name, output in template["Outputs"].items()} == {
        "MetricNamespace": f"payments/{env}/cutover",
        "PhaseName": f"/payments/{env}/cutover/phase",
        "StateMachineArn": {"Ref": "StateMachine"},
    }
    # The phase is no resource: CloudFormation would write the template's value over it.
    assert "AWS::SSM::Parameter" not in {body["Type"] for body in template["Resources"].values()}


def test_its_log_groups_are_encrypted_and_kept_as_params_say(
    template: Any, env: Any, settings: Any, is_kept: Any
) -> None:
    groups = [body for body in template["Resources"].values() if body["Type"] == "AWS::Logs::LogGroup"]
    assert len(groups) == len(STEPS) + 1
    for body in groups:
        assert body["Properties"]["KmsKeyId"] == {"Ref": "LogsKeyArn"}
        assert body["Properties"]["RetentionInDays"] == settings(env).log_retention_days
        assert is_kept(body) == (env == "prod")


def test_the_root_wires_no_rule_where_there_is_none(settings: Any) -> None:
    followed = settings("dev", load_balancer={"aws_weight": 100}, service={"database": "aurora"})
    templates = link(system(followed), followed).templates
    assert "MigrationRuleArn" not in templates["cutover"]["Parameters"]
    before = settings("dev")
    assert "MigrationRuleArn" in link(system(before), before).templates["cutover"]["Parameters"]
