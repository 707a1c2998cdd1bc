"""The account's roles: DMS finds them by name, so name, principal and policies are what AWS documents."""

from __future__ import annotations

import pytest

from templates import account

NAMES = {
    "dms-vpc-role": "AmazonDMSVPCManagementRole",
    "dms-cloudwatch-logs-role": "AmazonDMSCloudWatchLogsRole",
}


@pytest.fixture
def template(settings, compile_tier):
    return compile_tier(account, settings())


@pytest.fixture
def roles(template):
    assert {body["Type"] for body in template["Resources"].values()} == {"AWS::IAM::Role"}
    return {body["Properties"]["RoleName"]: body for body in template["Resources"].values()}


def test_holds_exactly_the_roles_that_dms_looks_for(roles):
    assert set(roles) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_has_the_policy_of_aws_and_trusts_dms_for_this_account_only(roles, name):
    properties = roles[name]["Properties"]
    assert properties["ManagedPolicyArns"] == [
        {"Fn::Sub": f"arn:${{AWS::Partition}}:iam::aws:policy/service-role/{NAMES[name]}"}
    ]
    (statement,) = properties["AssumeRolePolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": ["sts:AssumeRole"],
        "Principal": {"Service": "dms.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_missing_suffix_is_a_deliberate_exception_with_its_reason(roles, name):
    metadata = roles[name]["Metadata"]
    assert metadata["cfn-lint"]["config"]["ignore_checks"] == ["E9101"]
    assert "exactly this name" in metadata["Exceptions"]["E9101"]


def test_logs_are_encrypted_with_the_logs_key_of_any_environment_and_no_other_key(roles):
    assert "Policies" not in roles["dms-vpc-role"]["Properties"]
    (policy,) = roles["dms-cloudwatch-logs-role"]["Properties"]["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Resource"] == [{"Fn::Sub": "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*"}]
    assert statement["Condition"] == {
        "StringEquals": {"kms:ViaService": ["logs.us-east-1.amazonaws.com"]},
        "ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/payments-*-logs"},
    }
    assert all(action.startswith("kms:") and "*" not in action for action in statement["Action"])


def test_its_outputs_are_for_people(template):
    assert {name: output["Value"] for name, output in template["Outputs"].items()} == {
        "DmsVpcRoleArn": {"Fn::GetAtt": ["DmsVpcRole", "Arn"]},
        "DmsCloudwatchLogsRoleArn": {"Fn::GetAtt": ["DmsCloudWatchLogsRole", "Arn"]},
    }
    assert account.Inputs.kinds() == {}
    assert "Parameters" not in template
