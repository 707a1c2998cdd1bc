from __future__ import annotations

import json
from typing import Any

import pytest

from templates import validation
from validator import places


def of_type(template: Any, kind: Any) -> Any:
    return {name: body for name, body in template["Resources"].items() if body["Type"] == kind}


@pytest.fixture(params=["dev", "staging", "prod"])
def env(request: Any) -> Any:
    return request.param


@pytest.fixture
def template(env: Any, settings: Any, compile_tier: Any) -> Any:
    return compile_tier(validation, settings(env))


@pytest.fixture
def function(template: Any) -> Any:
    return template["Resources"]["Function"]["Properties"]


@pytest.fixture
def machine(template: Any) -> Any:
    return template["Resources"]["StateMachine"]["Properties"]


class TestFunction:
    def test_is_the_packaged_validator(self, function: Any, env: Any, settings: Any) -> None:
        wanted = settings(env).validation
        assert function["Code"] == "assets/validator.zip"
        assert function["Handler"] == "validator.handler.handle"
        assert function["Runtime"] == wanted.runtime
        assert function["Architectures"] == ["arm64"]
        assert function["FunctionName"] == f"payments-{env}-validator"
        assert (function["MemorySize"], function["Timeout"]) == (wanted.memory_mib, wanted.timeout_seconds)

    def test_runs_in_the_private_subnets_as_its_own_role(self, function: Any) -> None:
        assert function["VpcConfig"] == {
            "SubnetIds": [{"Ref": f"PrivateSubnet{number}Id"} for number in (1, 2, 3)],
            "SecurityGroupIds": [{"Ref": "ValidatorSecurityGroupId"}],
        }
        assert function["Role"] == {"Ref": "ValidatorRoleArn"}

    def test_its_environment_names_secrets_and_holds_none(self, function: Any) -> None:
        assert function["KmsKeyArn"] == {"Ref": "DataKeyArn"}
        variables = function["Environment"]["Variables"]
        assert variables["SOURCE_SECRET_ARN"] == {"Ref": "SourceValidatorSecretArn"}
        assert variables["TARGET_SECRET_ARN"] == {"Ref": "ValidatorSecretArn"}
        assert variables["REPORT_BUCKET"] == {"Ref": "ReportBucket"}
        assert set(variables) == {
            "CARD_COLUMNS", "DEADLINE_SECONDS", "HASH", "ITEM_ROWS", "MAX_SHARE", "METRIC_NAMESPACE", "REPORT_BUCKET",
            "SCHEMAS", "SETTLE_SECONDS", "SOURCE_CA", "SOURCE_SECRET_ARN", "TARGET_CA", "TARGET_SECRET_ARN",
        }  # fmt: skip

    def test_its_environment_is_all_that_the_code_reads(self, function: Any) -> None:
        from pathlib import Path

        from validator import environment, handler, sessions

        code = "".join(Path(module.__file__).read_text() for module in (handler, environment, sessions))
        for name in function["Environment"]["Variables"]:
            suffix = name.removeprefix("SOURCE").removeprefix("TARGET")
            assert name in code
            assert suffix in code

    def test_compares_the_schemas_that_move(self, settings: Any, compile_tier: Any) -> None:
        template = compile_tier(validation, settings("dev", migration={"schemas": ["cards", "ledger"]}))
        assert template["Resources"]["Function"]["Properties"]["Environment"]["Variables"]["SCHEMAS"] == "cards,ledger"

    def test_compares_as_params_say(self, settings: Any, compile_tier: Any) -> None:
        chosen = {
            "max_share_percent": 35,
            "item_rows": 12_345,
            "hash": "md5",
            "settle_seconds": 7,
            "deadline_seconds": 77,
            "card_columns": ["card_number", "public.payments.pan"],
        }
        template = compile_tier(validation, settings("dev", validation=chosen))
        variables = template["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
        expected = {
            "MAX_SHARE": "0.35",
            "ITEM_ROWS": "12345",
            "HASH": "md5",
            "SETTLE_SECONDS": "7",
            "DEADLINE_SECONDS": "77",
            "CARD_COLUMNS": "card_number,public.payments.pan",
        }
        assert {name: variables[name] for name in expected} == expected

    def test_verifies_aurora_against_the_roots_of_its_region(self, function: Any) -> None:
        variables = function["Environment"]["Variables"]
        assert variables["TARGET_CA"] == "validator/certificates/rds-us-east-1.pem"
        assert variables["SOURCE_CA"] == "validator/certificates/data-center.pem"

    def test_no_more_of_it_run_than_items_are_compared_at_once(self, settings: Any, compile_tier: Any) -> None:
        template = compile_tier(validation, settings("dev", validation={"max_concurrency": 9}))
        assert template["Resources"]["Function"]["Properties"]["ReservedConcurrentExecutions"] == 9
        definition = json.loads(template["Resources"]["StateMachine"]["Properties"]["DefinitionString"])
        assert definition["States"]["CompareItems"]["MaxConcurrency"] == 9

    def test_logs_json_to_its_own_group_and_is_traced(self, function: Any) -> None:
        assert function["LoggingConfig"]["LogGroup"] == {"Ref": "FunctionLogGroup"}
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        assert function["TracingConfig"] == {"Mode": "Active"}


class TestStateMachine:
    def test_is_standard_and_runs_as_its_own_role(self, machine: Any, env: Any) -> None:
        assert machine["StateMachineType"] == "STANDARD"
        assert machine["StateMachineName"] == f"payments-{env}-validation"
        assert machine["RoleArn"] == {"Ref": "StateMachineRoleArn"}

    def test_its_definition_is_canonical_json_and_every_substitution_is_given(self, machine: Any) -> None:
        text = machine["DefinitionString"]
        assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
        used = {chunk.partition("}")[0] for chunk in text.split("${")[1:]}
        assert used == set(machine["DefinitionSubstitutions"])
        assert machine["DefinitionSubstitutions"] == {
            "FunctionArn": {"Fn::GetAtt": ["Function", "Arn"]},
            "ReportBucket": {"Ref": "ReportBucket"},
        }

    def test_logs_every_event_and_none_of_the_data(self, machine: Any) -> None:
        logging = machine["LoggingConfiguration"]
        assert logging["Level"] == "ALL"
        assert logging["IncludeExecutionData"] is False
        (destination,) = logging["Destinations"]
        arn = destination["CloudWatchLogsLogGroup"]["LogGroupArn"]
        assert arn == {"Fn::GetAtt": ["StateMachineLogGroup", "Arn"]}
        assert machine["TracingConfiguration"] == {"Enabled": True}

    def test_each_call_outlasts_the_function(self, machine: Any, function: Any) -> None:
        definition = json.loads(machine["DefinitionString"])
        item = definition["States"]["CompareItems"]["ItemProcessor"]["States"]
        calls = definition["States"]["Plan"], definition["States"]["Conclude"], item["Compare"], item["Abandon"]
        for state in calls:
            assert state["TimeoutSeconds"] > function["Timeout"]


class TestLogGroups:
    def test_are_encrypted_and_kept_a_year_but_not_forever(self, template: Any, env: Any) -> None:
        groups = of_type(template, "AWS::Logs::LogGroup")
        assert {body["Properties"]["LogGroupName"] for body in groups.values()} == {
            f"/payments/{env}/validator",
            f"/aws/vendedlogs/states/payments-{env}-validation",
        }
        for body in groups.values():
            assert body["Properties"]["KmsKeyId"] == {"Ref": "LogsKeyArn"}
            assert body["Properties"]["RetentionInDays"] == 365


class TestBuckets:
    def test_both_are_private_versioned_and_without_acls(self, template: Any) -> None:
        buckets = of_type(template, "AWS::S3::Bucket")
        assert len(buckets) == 2
        for body in buckets.values():
            properties = body["Properties"]
            assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
            assert len(properties["PublicAccessBlockConfiguration"]) == 4
            assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
            assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]

    def test_reports_are_encrypted_with_the_data_key(self, template: Any) -> None:
        assert encryption(template, "ReportBucket") == {
            "BucketKeyEnabled": True,
            "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Ref": "DataKeyArn"}},
        }

    def test_access_logs_are_encrypted_as_s3_can_deliver_them(self, template: Any) -> None:
        assert encryption(template, "ReportAccessBucket") == {
            "ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}
        }

    def test_names_hold_the_account_and_the_suffix(self, template: Any, env: Any) -> None:
        names = {body["Properties"]["BucketName"]["Fn::Sub"] for body in of_type(template, "AWS::S3::Bucket").values()}
        assert names == {
            f"payments-{env}-reports-${{AWS::AccountId}}",
            f"payments-{env}-report-access-${{AWS::AccountId}}",
        }

    def test_reports_and_logs_end_after_as_many_days_as_params_say(self, settings: Any, compile_tier: Any) -> None:
        template = compile_tier(
            validation, settings("dev", log_retention_days=400, validation={"report_retention_days": 731})
        )
        for title, days in (("ReportBucket", 731), ("ReportAccessBucket", 400)):
            rule, *_ = template["Resources"][title]["Properties"]["LifecycleConfiguration"]["Rules"]
            assert "Prefix" not in rule
            assert rule["Status"] == "Enabled"
            assert rule["ExpirationInDays"] == days
            assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] <= 30
            assert rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] <= 7

    def test_what_calls_leave_for_one_another_ends_early(self, template: Any) -> None:
        _, rule = template["Resources"]["ReportBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
        assert rule == {
            "Id": "work",
            "Status": "Enabled",
            "Prefix": places.WORK,
            "ExpirationInDays": 14,
            "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
        }

    def test_every_access_to_reports_is_logged(self, template: Any) -> None:
        bucket = template["Resources"]["ReportBucket"]
        assert bucket["Properties"]["LoggingConfiguration"] == {
            "DestinationBucketName": {"Ref": "ReportAccessBucket"},
            "LogFilePrefix": "reports/",
        }
        assert bucket["DependsOn"] == "ReportAccessBucketPolicy"

    def test_both_refuse_plain_http(self, template: Any) -> None:
        policies = of_type(template, "AWS::S3::BucketPolicy")
        assert {body["Properties"]["Bucket"]["Ref"] for body in policies.values()} == set(
            of_type(template, "AWS::S3::Bucket")
        )
        for body in policies.values():
            (deny,) = [s for s in body["Properties"]["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
            assert deny["Principal"] == "*"
            assert deny["Action"] == ["s3:*"]
            assert deny["Condition"] == {"Bool": {"aws:SecureTransport": False}}
            name = template["Resources"][body["Properties"]["Bucket"]["Ref"]]["Properties"]["BucketName"]["Fn::Sub"]
            assert [resource["Fn::Sub"] for resource in deny["Resource"]] == [
                f"arn:${{AWS::Partition}}:s3:::{name}",
                f"arn:${{AWS::Partition}}:s3:::{name}/*",
            ]

    def test_only_s3_itself_may_write_access_logs_and_only_those_of_the_reports(self, template: Any, env: Any) -> None:
        statements = template["Resources"]["ReportAccessBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        (allow,) = [statement for statement in statements if statement["Effect"] == "Allow"]
        assert allow["Principal"] == {"Service": "logging.s3.amazonaws.com"}
        assert allow["Action"] == ["s3:PutObject"]
        assert allow["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        source = allow["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::Sub"]
        assert source.endswith(f":::payments-{env}-reports-${{AWS::AccountId}}")

    @pytest.mark.parametrize(("name", "kept"), [("dev", False), ("prod", True)])
    def test_are_kept_where_durable(self, name: Any, kept: Any, settings: Any, compile_tier: Any, is_kept: Any) -> None:
        template = compile_tier(validation, settings(name))
        for kind in ("AWS::S3::Bucket", "AWS::Logs::LogGroup"):
            for body in of_type(template, kind).values():
                assert is_kept(body) == kept


def test_outputs_name_what_alarms_and_the_cutover_need(template: Any, env: Any) -> None:
    value = {name: output["Value"] for name, output in template["Outputs"].items()}
    assert value == {
        "FunctionLogGroupName": {"Ref": "FunctionLogGroup"},
        "FunctionName": {"Ref": "Function"},
        "MetricNamespace": f"payments/{env}/validation",
        "ReportBucketName": {"Ref": "ReportBucket"},
        "StateMachineArn": {"Ref": "StateMachine"},
    }
    variables = template["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    assert variables["METRIC_NAMESPACE"] == value["MetricNamespace"]


def encryption(template: Any, title: Any) -> Any:
    (rule,) = template["Resources"][title]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    return rule
