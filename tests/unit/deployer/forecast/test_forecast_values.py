from __future__ import annotations

from deployer.forecast.values import (
    ABSENT,
    NO_VALUE,
    Attribute,
    Call,
    Fixed,
    Text,
    attributes_in,
    is_known,
    join,
    placeholder,
    plain,
    shown,
)

VPC = Attribute("network.Vpc", "Ref")


def test_texts_are_joined_as_far_as_they_are_known():
    assert join(["a", 1, True, "-", "b"]) == "a1true-b"
    assert join([]) == join(["", ""]) == ""
    assert join([VPC]) == VPC
    assert join(["a", "b", VPC, "", "c", Text(("d", VPC)), "e"]) == Text(("ab", VPC, "cd", VPC, "e"))


def test_the_attributes_in_a_value_are_found_wherever_they_are():
    role = Attribute("identity.Role", "Arn")
    value = {"a": [VPC, {"b": Text(("x", role))}], "c": Call("Fn::Select", [0, VPC]), "d": Fixed("AWS::AccountId")}
    assert list(attributes_in(value)) == [VPC, role, VPC]
    assert not is_known(value)
    assert not is_known([Fixed("AWS::AccountId")])
    assert is_known({"a": [1, "b", {"c": False}]})


def test_what_is_not_known_is_shown_by_what_it_is():
    assert placeholder(VPC) == "${network.Vpc.Ref}"
    assert placeholder(Fixed("AWS::AccountId")) == "${AWS::AccountId}"
    assert placeholder(Text(("arn:", Fixed("AWS::AccountId"), ":x"))) == "arn:${AWS::AccountId}:x"
    assert placeholder(Call("Fn::Select", ["0", VPC])) == '${Fn::Select ["0","${network.Vpc.Ref}"]}'
    assert plain({"a": [VPC, 1]}) == {"a": ["${network.Vpc.Ref}", 1]}
    assert shown(ABSENT) is None
    assert shown({"b": VPC, "a": True}) == '{"a":true,"b":"${network.Vpc.Ref}"}'
    assert repr(ABSENT) == "absent"


def test_a_value_that_is_none_is_shown_and_adds_nothing_to_a_text():
    assert join(["a", NO_VALUE]) == "a"
    assert plain([Call("Fn::If", [VPC, 1, NO_VALUE])]) == ['${Fn::If ["${network.Vpc.Ref}",1,"${AWS::NoValue}"]}']
