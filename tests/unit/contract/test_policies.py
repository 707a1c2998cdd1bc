"""IAM documents: what the helpers write is what IAM reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from awacs import kms, s3
from awacs.aws import ArnLike, Bool, Principal, StringEquals

from contract import policies

ACCOUNT = {"Ref": "AWS::AccountId"}


def plain(value: Any) -> Any:
    return json.loads(
        json.dumps(value, default=lambda item: item.to_dict() if hasattr(item, "to_dict") else item.JSONrepr())
    )


def test_arns_leave_partition_region_and_account_to_the_deployment() -> None:
    assert plain(policies.arn("sns", "topic")) == {
        "Fn::Sub": "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:topic"
    }
    assert plain(policies.bucket_arn("bucket/prefix/*")) == {"Fn::Sub": "arn:${AWS::Partition}:s3:::bucket/prefix/*"}


def test_a_statement_without_principal_and_conditions_has_neither() -> None:
    statement = plain(policies.allow("Read", [s3.GetObject], ["arn"]))
    assert statement == {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn"]}


def test_conditions_of_one_operator_all_hold() -> None:
    # awacs alone would write {"StringEquals": {"b": "2"}}, which grants more than was meant.
    statement = plain(
        policies.allow(
            "Use",
            [kms.Decrypt],
            ["*"],
            StringEquals({"a": "1"}),
            Bool({"c": "true"}),
            StringEquals({"b": "2"}),
            principal=Principal("Service", "x.amazonaws.com"),
        )
    )
    assert statement["Condition"] == {"StringEquals": {"a": "1", "b": "2"}, "Bool": {"c": "true"}}
    assert statement["Principal"] == {"Service": "x.amazonaws.com"}


def test_merging_conditions_changes_none_of_them() -> None:
    first = StringEquals({"a": "1"})
    policies.allow("Use", [kms.Decrypt], ["*"], first, StringEquals({"b": "2"}))
    policies.allow("Use", [kms.Decrypt], ["*"], policies.OURS, ArnLike({"aws:SourceArn": "x"}))
    assert first.get_dict() == {"a": "1"}
    assert plain(policies.OURS.get_dict()) == {"aws:SourceAccount": ACCOUNT}


def test_a_key_is_used_through_services_of_the_region() -> None:
    assert plain(policies.via("eu-west-1", "s3", "rds").get_dict()) == {
        "kms:ViaService": ["s3.eu-west-1.amazonaws.com", "rds.eu-west-1.amazonaws.com"]
    }


def test_the_use_of_a_key_is_spelt_out() -> None:
    assert not [action for action in map(plain, policies.USE_OF_KEY) if "*" in action]


@pytest.mark.parametrize(
    ("trusted", "condition"),
    [
        (policies.trust("a.amazonaws.com"), {"StringEquals": {"aws:SourceAccount": ACCOUNT}}),
        (
            policies.trust("a.amazonaws.com", policies.arn("a", "thing/*")),
            {
                "StringEquals": {"aws:SourceAccount": ACCOUNT},
                "ArnLike": {"aws:SourceArn": [plain(policies.arn("a", "thing/*"))]},
            },
        ),
        (policies.trust("a.amazonaws.com", sourced=False), None),
    ],
)
def test_trust_is_for_one_service_that_acts_for_us(trusted: Any, condition: Any) -> None:
    document = plain(trusted)
    assert document["Version"] == "2012-10-17"
    (statement,) = document["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Action"] == ["sts:AssumeRole"]
    assert statement["Principal"] == {"Service": "a.amazonaws.com"}
    assert statement.get("Condition") == condition


def test_a_document_is_of_the_current_policy_language() -> None:
    document = plain(policies.document(policies.allow("Read", [s3.GetObject], ["arn"])))
    assert document["Version"] == "2012-10-17"
    assert [statement["Sid"] for statement in document["Statement"]] == ["Read"]


def test_plain_http_is_refused_to_everyone() -> None:
    statement = plain(policies.deny_plain_http([s3.Action("*")], ["arn"]))
    assert statement["Effect"] == "Deny"
    assert statement["Principal"] == "*"
    assert (statement["Action"], statement["Resource"]) == (["s3:*"], ["arn"])
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": False}}
