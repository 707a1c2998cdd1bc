"""The keys: rotated, kept or deleted as params say, and used by no one but through the services that hold our data."""

from __future__ import annotations

import pytest

from contract import names
from templates import encryption

PARTS = {"DataKey": "data", "LogsKey": "logs"}
ROOT = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
# Actions that read or write data, or let others do so.
USE = {
    "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom",
    "kms:ReEncryptTo", "kms:CreateGrant",
}  # fmt: skip


@pytest.fixture(params=["dev", "staging", "prod"])
def env(request):
    return request.param


@pytest.fixture
def template(env, settings, compile_tier):
    return compile_tier(encryption, settings(env))


def statements(template, key):
    return {body["Sid"]: body for body in template["Resources"][key]["Properties"]["KeyPolicy"]["Statement"]}


def test_there_are_two_keys_and_their_aliases(template, env):
    kinds = [body["Type"] for body in template["Resources"].values()]
    assert sorted(kinds) == ["AWS::KMS::Alias"] * 2 + ["AWS::KMS::Key"] * 2
    for key, part in PARTS.items():
        alias = template["Resources"][f"{key}Alias"]["Properties"]
        assert alias == {"AliasName": f"alias/payments-{env}-{part}", "TargetKeyId": {"Ref": key}}


@pytest.mark.parametrize("key", PARTS)
def test_keys_rotate_and_are_lost_only_after_the_window_of_params(template, env, settings, key):
    properties = template["Resources"][key]["Properties"]
    assert properties["EnableKeyRotation"] is True
    assert properties["PendingWindowInDays"] == settings(env).security.key_deletion_window_days


@pytest.mark.parametrize("key", PARTS)
def test_keys_are_kept_where_the_environment_is_durable_and_deleted_elsewhere(template, env, key, is_kept):
    assert is_kept(template["Resources"][key]) == {"dev": False, "staging": False, "prod": True}[env]


@pytest.mark.parametrize("key", PARTS)
def test_no_statement_allows_a_wildcard_of_actions_or_admits_everyone(template, key):
    for statement in statements(template, key).values():
        assert statement["Effect"] == "Allow"
        assert not [action for action in statement["Action"] if "*" in action]
        assert statement["Principal"] not in ("*", {"AWS": "*"})


@pytest.mark.parametrize("key", PARTS)
def test_the_account_can_manage_a_key_but_not_use_it_by_itself(template, key):
    administration = statements(template, key)["AdministeredByTheAccount"]
    assert administration["Principal"] == ROOT
    assert "Condition" not in administration
    # Without it KMS refuses to make the key, or no one could ever change its policy.
    assert "kms:PutKeyPolicy" in administration["Action"]
    assert {"kms:ScheduleKeyDeletion", "kms:EnableKeyRotation", "kms:TagResource"} <= set(administration["Action"])
    assert not USE & set(administration["Action"])


@pytest.mark.parametrize("key", PARTS)
def test_whoever_uses_a_key_does_so_through_a_service_or_is_one_that_acts_for_us(template, key):
    for sid, statement in statements(template, key).items():
        if not USE & set(statement["Action"]):
            continue
        keys = {name for test in statement["Condition"].values() for name in test}
        if statement["Principal"] == ROOT:
            assert "kms:ViaService" in keys, sid
        else:
            assert keys & {"aws:SourceAccount", "kms:EncryptionContext:aws:logs:arn"}, sid


def test_data_is_encrypted_through_the_services_that_hold_it(template):
    services = ["dms", "lambda", "rds", "s3", "secretsmanager", "sns"]
    expected = {"kms:ViaService": [f"{service}.us-east-1.amazonaws.com" for service in services]}
    found = statements(template, "DataKey")
    assert found["UsedThroughServices"]["Condition"] == {"StringEquals": expected}
    assert found["GrantedToServices"]["Action"] == ["kms:CreateGrant"]
    assert found["GrantedToServices"]["Condition"] == {
        "StringEquals": expected,
        "Bool": {"kms:GrantIsForAWSResource": "true"},
    }


def test_services_that_publish_in_their_own_name_reach_the_encrypted_topic_for_us_only(template):
    publishers = statements(template, "DataKey")["PublishedToTheEncryptedTopic"]
    assert publishers["Principal"] == {"Service": ["cloudwatch.amazonaws.com", "events.rds.amazonaws.com"]}
    assert publishers["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert publishers["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]


def test_logs_encrypts_the_log_groups_of_this_environment_only(template, env):
    statement = statements(template, "LogsKey")["EncryptsOurLogGroups"]
    assert statement["Principal"] == {"Service": "logs.us-east-1.amazonaws.com"}
    patterns = {
        pattern["Fn::Sub"].partition(":log-group:")[2]
        for pattern in statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    }
    forms = {rule.form for rule in names.every_rule().values() if "log group" in rule.service}
    assert patterns == {form.format(system="payments", suffix=env, part="*") for form in forms}
    assert {f"/payments/{env}/*", f"aws-waf-logs-payments-{env}-*", f"/aws/rds/cluster/payments-{env}-*"} <= patterns


def test_writers_of_encrypted_logs_use_the_key_through_logs(template):
    statement = statements(template, "LogsKey")["UsedThroughLogs"]
    assert statement["Principal"] == ROOT
    assert statement["Condition"] == {"StringEquals": {"kms:ViaService": ["logs.us-east-1.amazonaws.com"]}}


def test_outputs_are_the_arns(template):
    assert {name: output["Value"] for name, output in template["Outputs"].items()} == {
        "DataKeyArn": {"Fn::GetAtt": ["DataKey", "Arn"]},
        "LogsKeyArn": {"Fn::GetAtt": ["LogsKey", "Arn"]},
    }


def test_services_are_those_of_the_region(settings, compile_tier):
    template = compile_tier(encryption, settings(region="eu-west-1"))
    assert "us-east-1" not in str(template)
