"""The roles: who may become each, and exactly what it may then do."""

from __future__ import annotations

import json
import re

import pytest

from templates import identity
from templates.identity_policies import image_repository
from templates.validation_workflow import MAP_LABEL
from validator import places

DIGEST = "@sha256:" + "0" * 64
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/payments"
ARN = "arn:${AWS::Partition}:"
HERE = ":${AWS::Region}:${AWS::AccountId}:"
OURS = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
DATA_KEY, LOGS_KEY = {"Ref": "DataKeyArn"}, {"Ref": "LogsKeyArn"}

# Role → (principal, resources it may be assumed for; None where the service does not say whom it acts for).
TRUST = {
    "task-execution": ("ecs-tasks.amazonaws.com", [f"{ARN}ecs{HERE}*"]),
    "task": ("ecs-tasks.amazonaws.com", [f"{ARN}ecs{HERE}*"]),
    "infrastructure": ("ecs.amazonaws.com", None),
    "dms-secrets": ("dms.us-east-1.amazonaws.com", []),
    "validator": ("lambda.amazonaws.com", None),
    "state-machine": (
        "states.amazonaws.com",
        [f"{ARN}states{HERE}stateMachine:payments-ENV-validation{items}" for items in ("", "/*")],
    ),
    "flow-logs": ("vpc-flow-logs.amazonaws.com", [f"{ARN}ec2{HERE}vpc-flow-log/*"]),
    "monitoring": ("monitoring.rds.amazonaws.com", [f"{ARN}rds{HERE}db:payments-ENV-*"]),
}
# The only actions that may be allowed on every resource: their services know no resource-level permission, or (for the
# network interfaces of a function) demand it.
NO_RESOURCE_LEVEL = {
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
    "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
    "xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments",
}  # fmt: skip


@pytest.fixture(params=["dev", "staging", "prod"])
def env(request):
    return request.param


@pytest.fixture
def template(env, settings, compile_tier):
    return compile_tier(identity, settings(env))


@pytest.fixture
def compiled(settings, compile_tier):
    return lambda env="dev", **changes: compile_tier(identity, settings(env, **changes))


def roles(template):
    """Role part → resource."""
    assert {body["Type"] for body in template["Resources"].values()} == {"AWS::IAM::Role"}
    titles = {"".join(word.capitalize() for word in part.split("-")) + "Role": part for part in TRUST}
    return {titles[title]: body for title, body in template["Resources"].items()}


def statements(role):
    """Sid → statement; no two of a role share a Sid but those that read the same thing."""
    return [
        statement
        for policy in role["Properties"].get("Policies", ())
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def allowed(role):
    """(action, resource) pairs that a role is allowed, resources as text."""
    return {
        (action, resource if isinstance(resource, str) else resource.get("Fn::Sub") or resource["Ref"])
        for statement in statements(role)
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def one(role, sid):
    (found,) = [statement for statement in statements(role) if statement["Sid"] == sid]
    return found


class TestEveryRole:
    def test_there_is_one_per_service_that_acts_for_the_system_named_by_the_policy(self, template, env):
        assert set(roles(template)) == set(TRUST)
        for part, role in roles(template).items():
            assert role["Properties"]["RoleName"] == f"payments-{env}-{part}"
            assert role["Properties"]["Description"]

    @pytest.mark.parametrize("part", TRUST)
    def test_is_assumed_by_its_service_only_and_for_our_resources_where_the_service_says_so(self, template, env, part):
        principal, sources = TRUST[part]
        (statement,) = roles(template)[part]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": principal}
        assert statement["Action"] == ["sts:AssumeRole"]
        conditions = statement.get("Condition")
        if sources is None:
            assert conditions is None
            return
        assert conditions["StringEquals"] == OURS
        patterns = [item["Fn::Sub"] for item in conditions.get("ArnLike", {}).get("aws:SourceArn", [])]
        assert patterns == [source.replace("ENV", env) for source in sources]

    @pytest.mark.parametrize("part", TRUST)
    def test_no_action_is_a_wildcard(self, template, part):
        for statement in statements(roles(template)[part]):
            assert statement["Action"]
            assert not [action for action in statement["Action"] if "*" in action]
            assert "NotAction" not in statement
            assert "NotResource" not in statement

    @pytest.mark.parametrize("part", TRUST)
    def test_every_resource_is_allowed_only_where_the_service_leaves_no_choice_and_the_template_says_so(
        self, template, part
    ):
        role = roles(template)[part]
        everywhere = {action for action, resource in allowed(role) if resource == "*"}
        assert everywhere <= NO_RESOURCE_LEVEL
        reasons = role.get("Metadata", {}).get("Exceptions", {})
        assert set(reasons) == ({"E9110"} if everywhere else set())

    @pytest.mark.parametrize("part", TRUST)
    def test_keys_are_used_through_a_service_only(self, template, part):
        for statement in statements(roles(template)[part]):
            use = {action for action in statement["Action"] if action.startswith("kms:")} - {"kms:DescribeKey"}
            if use:
                assert "kms:ViaService" in statement["Condition"]["StringEquals"]
                assert statement["Resource"] in ([DATA_KEY], [LOGS_KEY])

    @pytest.mark.parametrize("part", TRUST)
    def test_inline_policies_fit_into_a_role(self, template, part):
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: white space does not count.
        documents = [policy["PolicyDocument"] for policy in roles(template)[part]["Properties"].get("Policies", ())]
        assert sum(len(json.dumps(document, separators=(",", ":"))) for document in documents) < 10240

    @pytest.mark.parametrize("part", TRUST)
    def test_sessions_last_an_hour(self, template, part):
        assert roles(template)[part]["Properties"]["MaxSessionDuration"] == 3600

    def test_managed_policies_are_attached_only_where_aws_keeps_changing_them(self, template):
        managed = {
            part: role["Properties"]["ManagedPolicyArns"]
            for part, role in roles(template).items()
            if "ManagedPolicyArns" in role["Properties"]
        }
        name = "AmazonECSInfrastructureRolePolicyForLoadBalancers"
        assert managed == {"infrastructure": [{"Fn::Sub": f"arn:${{AWS::Partition}}:iam::aws:policy/{name}"}]}

    def test_another_suffix_shares_nothing(self, compiled):
        named = re.findall(r"payments[-/][a-z0-9-]+", json.dumps(compiled(suffix="pr-7")["Resources"]))
        assert len(named) > len(TRUST)
        assert not [name for name in named if not name.startswith(("payments-pr-7", "payments/pr-7"))]


class TestTaskExecution:
    @pytest.mark.parametrize("database", ["data_center", "aurora"])
    def test_reads_the_secrets_of_the_application_on_both_sides_and_no_other(self, compiled, database):
        role = roles(compiled(service={"database": database}))["task-execution"]
        reads = {resource for action, resource in allowed(role) if action.startswith("secretsmanager:")}
        assert reads == {
            f"{ARN}secretsmanager{HERE}secret:payments/dev/{secret}-??????"
            for secret in ("application", "source-application")
        }

    def test_decrypts_through_secrets_manager(self, template):
        statement = one(roles(template)["task-execution"], "DecryptTheSecrets")
        assert statement["Action"] == ["kms:Decrypt"]
        assert statement["Resource"] == [DATA_KEY]
        assert statement["Condition"] == {
            "StringEquals": {"kms:ViaService": ["secretsmanager.us-east-1.amazonaws.com"]}
        }

    def test_pulls_from_the_repository_of_the_image_only(self, template):
        pulls = {pair for pair in allowed(roles(template)["task-execution"]) if pair[0].startswith("ecr:")}
        repository = f"{ARN}ecr:us-east-1:123456789012:repository/payments"
        assert pulls == {
            ("ecr:BatchCheckLayerAvailability", repository),
            ("ecr:BatchGetImage", repository),
            ("ecr:GetDownloadUrlForLayer", repository),
            ("ecr:GetAuthorizationToken", "*"),
        }

    @pytest.mark.parametrize(
        ("image", "repository"),
        [
            (f"{IMAGE}{DIGEST}", "ecr:us-east-1:123456789012:repository/payments"),
            (f"{IMAGE}:1.2", "ecr:us-east-1:123456789012:repository/payments"),
            (f"{IMAGE}/api:1.2{DIGEST}", "ecr:us-east-1:123456789012:repository/payments/api"),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app:1", "ecr:cn-north-1:123456789012:repository/app"),
        ],
    )
    def test_the_repository_is_read_from_the_image(self, image, repository):
        assert image_repository(image).to_dict() == {"Fn::Sub": f"{ARN}{repository}"}

    def test_writes_to_its_log_group_with_the_logs_key(self, template, env):
        role = roles(template)["task-execution"]
        statement = one(role, "WriteTheLog")
        assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
        assert statement["Resource"] == [{"Fn::Sub": f"{ARN}logs{HERE}log-group:/payments/{env}/service:*"}]
        encrypt = one(role, "EncryptTheLog")
        assert encrypt["Resource"] == [LOGS_KEY]
        assert encrypt["Condition"] == {"StringEquals": {"kms:ViaService": ["logs.us-east-1.amazonaws.com"]}}


class TestApplicationAndDeployment:
    def test_the_application_itself_may_follow_the_pointer_until_the_database_tier_lets_it_in(self, template, env):
        assert allowed(roles(template)["task"]) == {
            ("ssm:GetParameter", f"{ARN}ssm{HERE}parameter/payments/{env}/database")
        }

    def test_the_deployment_has_no_policy_of_our_own(self, template):
        assert statements(roles(template)["infrastructure"]) == []


class TestDms:
    def test_reads_the_secrets_of_its_two_endpoints_and_no_other(self, template, env):
        role = roles(template)["dms-secrets"]
        secrets = [f"{ARN}secretsmanager{HERE}secret:payments/{env}/{part}-??????" for part in ("dms", "source-dms")]
        assert allowed(role) == {
            *(
                (f"secretsmanager:{verb}", secret)
                for verb in ("DescribeSecret", "GetSecretValue")
                for secret in secrets
            ),
            ("kms:Decrypt", "DataKeyArn"),
            ("kms:DescribeKey", "DataKeyArn"),
        }

    def test_trusts_the_principal_of_the_region(self, compiled):
        role = roles(compiled(region="eu-west-1"))["dms-secrets"]
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "dms.eu-west-1.amazonaws.com"}


class TestValidator:
    @pytest.fixture
    def role(self, template):
        return roles(template)["validator"]

    def test_reads_both_secrets_of_its_own(self, role, env):
        reads = {resource for action, resource in allowed(role) if action.startswith("secretsmanager:")}
        assert reads == {
            f"{ARN}secretsmanager{HERE}secret:payments/{env}/{part}-??????"
            for part in ("validator", "source-validator")
        }

    def test_writes_reports_and_reads_none_of_them(self, role, env):
        bucket = f"{ARN}s3:::payments-{env}-reports-${{AWS::AccountId}}"
        assert {pair for pair in allowed(role) if pair[0].startswith("s3:")} == {
            *(("s3:PutObject", f"{bucket}/{prefix}*") for prefix in (places.RUNS, places.WORK, places.BASELINES)),
            *(("s3:GetObject", f"{bucket}/{prefix}*") for prefix in (places.WORK, places.BASELINES)),
            ("s3:ListBucket", bucket),
        }
        assert one(role, "FindItsWork")["Condition"] == {
            "StringLike": {"s3:prefix": [f"{places.WORK}*", f"{places.BASELINES}*"]}
        }
        encrypt = one(role, "EncryptReports")
        assert (encrypt["Action"], encrypt["Resource"]) == (["kms:Decrypt", "kms:GenerateDataKey"], [DATA_KEY])
        assert encrypt["Condition"] == {"StringEquals": {"kms:ViaService": ["s3.us-east-1.amazonaws.com"]}}

    def test_puts_metrics_in_its_namespace_only(self, role, env):
        statement = one(role, "PutMetricsWhichHaveNoArn")
        assert statement["Action"] == ["cloudwatch:PutMetricData"]
        assert statement["Condition"] == {"StringEquals": {"cloudwatch:namespace": f"payments/{env}/validation"}}

    def test_its_code_cannot_use_what_lambda_needs_to_attach_it(self, role, env):
        attach = one(role, "AttachToTheVpcAsLambdaDemands")
        deny = one(role, "NotForTheCode")
        assert deny["Effect"] == "Deny"
        assert set(attach["Action"]) < set(deny["Action"])
        assert deny["Resource"] == ["*"]
        function = {"Fn::Sub": f"{ARN}lambda{HERE}function:payments-{env}-validator"}
        assert deny["Condition"] == {"ArnEquals": {"lambda:SourceFunctionArn": function}}

    def test_decrypts_its_own_environment(self, role, env):
        statement = one(role, "DecryptTheEnvironment")
        assert statement["Resource"] == [DATA_KEY]
        function = {"Fn::Sub": f"{ARN}lambda{HERE}function:payments-{env}-validator"}
        assert statement["Condition"] == {
            "StringEquals": {"kms:ViaService": ["lambda.us-east-1.amazonaws.com"]},
            "ArnEquals": {"kms:EncryptionContext:aws:lambda:FunctionArn": function},
        }

    def test_writes_to_its_log_group(self, role, env):
        assert one(role, "WriteTheLog")["Resource"] == [
            {"Fn::Sub": f"{ARN}logs{HERE}log-group:/payments/{env}/validator:*"}
        ]


class TestStateMachine:
    @pytest.fixture
    def role(self, template):
        return roles(template)["state-machine"]

    def test_invokes_the_validator_reads_its_items_and_runs_them_and_nothing_else(self, role, env):
        function = f"{ARN}lambda{HERE}function:payments-{env}-validator"
        machine, items = f"payments-{env}-validation", f"payments-{env}-validation/{MAP_LABEL}"
        assert {pair for pair in allowed(role) if pair[1] not in ("*", DATA_KEY["Ref"])} == {
            ("lambda:InvokeFunction", function),
            ("lambda:InvokeFunction", f"{function}:*"),
            ("s3:GetObject", f"{ARN}s3:::payments-{env}-reports-${{AWS::AccountId}}/{places.items_key('*')}"),
            ("states:StartExecution", f"{ARN}states{HERE}stateMachine:{machine}"),
            ("states:DescribeExecution", f"{ARN}states{HERE}execution:{machine}:*"),
            ("states:DescribeExecution", f"{ARN}states{HERE}execution:{items}:*"),
            ("states:StopExecution", f"{ARN}states{HERE}execution:{machine}:*"),
            ("states:StopExecution", f"{ARN}states{HERE}execution:{items}:*"),
            ("states:RedriveExecution", f"{ARN}states{HERE}execution:{items}:*"),
        }
        decrypt = one(role, "DecryptTheItems")
        assert (decrypt["Action"], decrypt["Resource"]) == (["kms:Decrypt"], [DATA_KEY])
        assert decrypt["Condition"] == {"StringEquals": {"kms:ViaService": ["s3.us-east-1.amazonaws.com"]}}

    def test_delivers_logs_and_traces(self, role):
        everywhere = {action for action, resource in allowed(role) if resource == "*"}
        assert {"logs:CreateLogDelivery", "xray:PutTraceSegments"} <= everywhere
        assert {action.split(":")[0] for action in everywhere} == {"logs", "xray"}


class TestObservation:
    def test_flow_logs_write_to_their_group_and_create_none(self, template, env):
        role = roles(template)["flow-logs"]
        group = f"{ARN}logs{HERE}log-group:/payments/{env}/flow-logs:*"
        assert {pair for pair in allowed(role) if pair[0].startswith("logs:")} == {
            ("logs:CreateLogStream", group),
            ("logs:PutLogEvents", group),
            ("logs:DescribeLogStreams", group),
            ("logs:DescribeLogGroups", f"{ARN}logs{HERE}log-group:*"),
        }

    def test_enhanced_monitoring_writes_to_the_group_of_rds_only(self, template):
        resources = {resource for _, resource in allowed(roles(template)["monitoring"])}
        group = f"{ARN}logs{HERE}log-group:RDSOSMetrics"
        assert resources == {f"{group}:*", f"{group}:log-stream:*"}
        assert {action for action, _ in allowed(roles(template)["monitoring"])} == {
            "logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:CreateLogStream", "logs:DescribeLogStreams",
            "logs:GetLogEvents", "logs:PutLogEvents",
        }  # fmt: skip


def test_outputs_are_the_roles(template):
    values = {name: output["Value"] for name, output in template["Outputs"].items()}
    arns = (
        "TaskExecution",
        "Task",
        "Infrastructure",
        "DmsSecrets",
        "Validator",
        "StateMachine",
        "FlowLogs",
        "Monitoring",
    )
    assert values == {
        **{f"{name}RoleArn": {"Fn::GetAtt": [f"{name}Role", "Arn"]} for name in arns},
        "TaskRoleName": {"Ref": "TaskRole"},
        "ValidatorRoleName": {"Ref": "ValidatorRole"},
    }
