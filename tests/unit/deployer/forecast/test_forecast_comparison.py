from __future__ import annotations

import json

import pytest

from deployer.forecast.comparison import Difference, Fed, compare
from deployer.forecast.values import ABSENT, Attribute, Fixed, Text

VPC = Attribute("network.Vpc", "Ref")
ROLE, POLICY = "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"


def found(before, after, kind="AWS::SQS::Queue"):
    return list(compare(kind, before, after))


def test_what_is_equal_is_no_difference_however_it_is_written():
    properties = {"A": 1, "B": True, "C": [1, {"D": "x"}], "E": Fixed("AWS::AccountId")}
    assert found(properties, {"A": "1", "B": "true", "C": ["1", {"D": "x"}], "E": Fixed("AWS::AccountId")}) == []


def test_differences_are_told_down_to_the_last_pointer():
    before = {"A": {"B": [1, 2], "C": "x"}, "Gone": [1], "Shape": {"a": 1}, "Short": [1, 2]}
    after = {"A": {"B": [1, 3], "C": "x", "D": 4}, "New": {"a": 1}, "Shape": "a", "Short": [1]}
    assert found(before, after) == [
        Difference(("A", "B", "1"), 2, 3),
        Difference(("A", "D"), ABSENT, 4),
        Difference(("Gone",), [1], ABSENT),
        Difference(("Shape",), {"a": 1}, "a"),
        Difference(("Short", "1"), 2, ABSENT),
        Difference(("New",), ABSENT, {"a": 1}),
    ]


def test_an_unknown_value_is_fed_where_it_is_the_same_and_differs_where_it_is_not():
    other = Attribute("network.Other", "Ref")
    assert found({"A": [VPC], "B": VPC, "C": VPC}, {"A": [VPC], "B": other, "C": "vpc-1"}) == [
        Fed(("A", "0"), VPC),
        Difference(("B",), VPC, other),
        Difference(("C",), VPC, "vpc-1"),
    ]


@pytest.mark.parametrize(("name", "form_only"), [("SubnetIds", True), ("DimensionsInOrder", False)])
def test_the_order_of_a_list_counts_unless_aws_reads_a_set(name, form_only):
    differences = found({name: ["a", "b"]}, {name: ["b", "a"]})
    assert [difference.form_only for difference in differences] == ([True] if form_only else [False, False])
    assert len(found({name: ["a", "b"]}, {name: ["b", "c"]})) == 2


def test_a_set_of_unknown_values_is_fed():
    assert found({"SubnetIds": [VPC]}, {"SubnetIds": [VPC]}) == [Fed(("SubnetIds", "0"), VPC)]


# --- tags ------------------------------------------------------------------------------------------------------------
def tags(**values):
    return [{"Key": key, "Value": value} for key, value in values.items()]


def test_tags_are_compared_by_key():
    assert found({"Tags": tags(a="1", b="2")}, {"Tags": tags(c="3", a="9")}) == [
        Difference(("Tags", "a"), "1", "9"),
        Difference(("Tags", "b"), "2", ABSENT),
        Difference(("Tags", "c"), ABSENT, "3"),
    ]
    assert found({}, {"Tags": tags(a="1")}) == [Difference(("Tags", "a"), ABSENT, "1")]
    assert found({"Tags": tags(a="1")}, {}) == [Difference(("Tags", "a"), "1", ABSENT)]
    assert found({"Tags": tags(a=VPC)}, {"Tags": tags(a=VPC)}) == [Fed(("Tags", "a"), VPC)]


def test_another_order_of_tags_is_form():
    before, after = {"Tags": tags(a="1", b="2")}, {"Tags": tags(b="2", a="1")}
    assert found(before, after) == [Difference(("Tags",), before["Tags"], after["Tags"], form_only=True)]


def test_tags_have_other_forms_too():
    assert found({"Tags": {"a": "1"}}, {"Tags": {"a": "2"}}, "AWS::SSM::Parameter") == [
        Difference(("Tags", "a"), "1", "2")
    ]
    before, after = [{"Key": "a", "Value": "1", "PropagateAtLaunch": on} for on in (True, False)]
    assert found({"Tags": [before]}, {"Tags": [after]}, "AWS::AutoScaling::AutoScalingGroup") == [
        Difference(("Tags", "a", "PropagateAtLaunch"), True, False)
    ]
    assert found({"Tags": ["odd"]}, {"Tags": ["even"]}) == [Difference(("Tags", "0"), "odd", "even")]


# --- policies --------------------------------------------------------------------------------------------------------
def document(*statements):
    return {"PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}


READ = {
    "Effect": "Allow",
    "Action": ["s3:GetObject", "s3:ListBucket"],
    "Resource": "*",
    "Principal": {"AWS": ["a", "b"], "Service": "x"},
    "Condition": {"StringEquals": {"aws:PrincipalOrgID": ["o-1", "o-2"]}, "Odd": "x"},
}
SAME_READ = {
    "Effect": "Allow",
    "Action": ["s3:ListBucket", "s3:GetObject"],
    "Resource": ["*"],
    "Principal": {"AWS": ["b", "a"], "Service": ["x"]},
    "Condition": {"StringEquals": {"aws:PrincipalOrgID": ["o-2", "o-1"]}, "Odd": "x"},
}
DENY = {"Effect": "Deny", "NotAction": "s3:*", "NotResource": "*", "Principal": "*", "NotPrincipal": {"AWS": "a"}}


def test_the_order_in_a_policy_is_form():
    before, after = document(READ, DENY, "odd"), document("odd", DENY, SAME_READ)
    assert found(before, after, POLICY) == [
        Difference(("PolicyDocument",), before["PolicyDocument"], after["PolicyDocument"], form_only=True)
    ]
    assert found(before, before, POLICY) == []


def test_a_policy_that_means_something_else_differs_where_it_does():
    assert found(document(READ), document({**READ, "Resource": "b"}), POLICY) == [
        Difference(("PolicyDocument", "Statement", "0", "Resource"), "*", "b")
    ]


def test_a_policy_in_another_order_is_still_fed():
    before, after = document({**READ, "Resource": VPC}, DENY), document({**SAME_READ, "Resource": VPC}, DENY)
    form, *fed = found(before, after, POLICY)
    assert form.form_only
    assert fed == [Fed(("PolicyDocument", "Statement", "0", "Resource"), VPC)]


# --- JSON in texts ---------------------------------------------------------------------------------------------------
def test_json_that_is_written_otherwise_is_form():
    before, after = {"Body": json.dumps({"a": 1, "b": [2]})}, {"Body": '{"b":[2],"a":1}'}
    assert found(before, after) == [Difference(("Body",), before["Body"], after["Body"], form_only=True)]
    known_in_parts = Text(('{"b":[2],"a":"', VPC, '"}'))
    (difference,) = found({"Body": Text(('{"a": "', VPC, '", "b": [2]}'))}, {"Body": known_in_parts})
    assert difference.form_only


@pytest.mark.parametrize("after", ['{"a":2}', "{a", "a", 5, "[1]"])
def test_other_json_or_none_differs(after):
    (difference,) = found({"Body": '{"a":1}'}, {"Body": after})
    assert not difference.form_only


def test_a_broken_text_is_compared_as_it_is():
    (difference,) = found({"Body": "{a}"}, {"Body": "{b}"})
    assert not difference.form_only


# --- listener rules --------------------------------------------------------------------------------------------------
def test_a_listener_rule_is_compared_literally_because_writing_it_anew_resets_live_weights():
    before = {"Tags": tags(a="1", b="2"), "Actions": [{"Order": 1, "To": VPC}], "Conditions": '{"a": 1}'}
    after = {"Tags": tags(b="2", a="1"), "Actions": [{"Order": 1, "To": VPC}], "Conditions": '{"a":1}'}
    differences = found(before, after, "AWS::ElasticLoadBalancingV2::ListenerRule")
    assert [difference.path[0] for difference in differences] == ["Tags"] * 4 + ["Actions", "Conditions"]
    assert not any(getattr(difference, "form_only", False) for difference in differences)
