"""What is malformed in a template is told with its place; what CloudFormation takes is let pass."""

from __future__ import annotations

import pytest

from deployer.errors import TemplateError
from deployer.template_shape import faults, require_deployed_shape, require_shape

TOPIC = {"Type": "AWS::SNS::Topic"}


def of_value(value):
    """What is told of a template with this value in it."""
    return list(faults({"Resources": {"Topic": {**TOPIC, "Properties": {"Tags": [{"Value": value}]}}}}))


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "AWS::Region"},
        {"Ref": {"Fn::Sub": "${Name}"}},  # AWS::LanguageExtensions
        {"Fn::Base64": "x"},
        {"Fn::Cidr": ["10.0.0.0/16", 4]},
        {"Fn::Cidr": [{"Ref": "Block"}, "4", "8"]},
        {"Fn::FindInMap": ["Map", {"Ref": "AWS::Region"}, 1]},
        {"Fn::FindInMap": ["Map", "a", "b", {"DefaultValue": []}]},
        {"Fn::GetAtt": "Vpc.CidrBlock"},
        {"Fn::GetAtt": ["Vpc", {"Ref": "Attribute"}]},
        {"Fn::GetAZs": ""},
        {"Fn::If": ["Is", {"Ref": "AWS::NoValue"}, []]},
        {"Fn::ImportValue": {"Fn::Sub": "${Name}-x"}},
        {"Fn::Join": ["", {"Fn::Split": [",", "a,b"]}]},
        {"Fn::Length": [1]},
        {"Fn::Select": [0, ["x"]]},
        {"Fn::Select": ["0", {"Fn::GetAZs": ""}]},
        {"Fn::Sub": ["${a}", {"a": 1}]},
        {"Fn::ToJsonString": {"a": 1}},
        {"Fn::Transform": {"Name": "AWS::Include"}},
        {"Fn::SomethingNew": 5},
        {"Ref": [], "and": "another key, so that it is no function"},
    ],
)
def test_what_cloudformation_takes(value):
    assert of_value(value) == []


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"Ref": []}, "Ref takes a name, not []"),
        ({"Ref": 5}, "Ref takes a name, not 5"),
        ({"Fn::GetAtt": 5}, 'Fn::GetAtt takes [resource, attribute] or "resource.attribute", not 5'),
        ({"Fn::GetAtt": "Vpc"}, 'Fn::GetAtt takes [resource, attribute] or "resource.attribute", not "Vpc"'),
        ({"Fn::GetAtt": ["Vpc"]}, 'Fn::GetAtt takes [resource, attribute] or "resource.attribute", not ["Vpc"]'),
        ({"Fn::Select": ["x", []]}, 'Fn::Select takes [index, list], not ["x", []]'),
        ({"Fn::Select": [-1, ["x"]]}, 'Fn::Select takes [index, list], not [-1, ["x"]]'),
        ({"Fn::Select": [0, []]}, "Fn::Select takes [index, list], not [0, []]"),
        ({"Fn::Sub": ["a"]}, 'Fn::Sub takes a text, or [text, variables], not ["a"]'),
        ({"Fn::If": []}, "Fn::If takes [condition, value, value], not []"),
        ({"Fn::Split": ["", "a"]}, 'Fn::Split takes [delimiter, text], not ["", "a"]'),
        ({"Fn::Join": ["", "a"]}, 'Fn::Join takes [delimiter, list], not ["", "a"]'),
        ({"Fn::Cidr": ["10.0.0.0/16"]}, 'Fn::Cidr takes [block, count] or [block, count, bits], not ["10.0.0.0/16"]'),
        (
            {"Fn::FindInMap": ["Map", "key"]},
            'Fn::FindInMap takes [map, key, key], and {"DefaultValue": …} perhaps, not ["Map", "key"]',
        ),
        (
            {"Fn::FindInMap": ["Map", "key", "key", {}]},
            'Fn::FindInMap takes [map, key, key], and {"DefaultValue": …} perhaps, not ["Map", "key", "key", {}]',
        ),
        ({"Fn::Join": ["", [{"Ref": None}]]}, "Ref takes a name, not null"),
    ],
)
def test_a_malformed_function(value, told):
    (fault,) = of_value(value)
    assert fault.startswith("Topic.Properties.Tags.0.Value")
    assert fault.endswith(f": {told}")


def test_a_long_argument_is_cut():
    (fault,) = of_value({"Ref": ["x" * 100]})
    assert fault.endswith("x…")
    assert len(fault) < 130


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ([], ["a template is a mapping, not []"]),
        ({}, ["Resources is a mapping, not null"]),
        (
            {"Resources": {}, "Conditions": 1, "Outputs": []},
            ["Conditions is a mapping, not 1", "Outputs is a mapping, not []"],
        ),
        ({"Resources": {"A": 1}}, ["Resources.A is a mapping, not 1"]),
        ({"Resources": {"A": {}}}, ["A.Type is the name of a type, not null"]),
        ({"Resources": {"A": {**TOPIC, "Condition": {}}}}, ["A.Condition is the name of a condition, not {}"]),
        ({"Resources": {"A": {**TOPIC, "DependsOn": [1]}}}, ["A.DependsOn is a logical id or a list of them, not [1]"]),
        ({"Resources": {"A": {**TOPIC, "DependsOn": {}}}}, ["A.DependsOn is a logical id or a list of them, not {}"]),
        ({"Resources": {"A": {**TOPIC, "Properties": []}}}, ["A.Properties is a mapping, not []"]),
        (
            {"Resources": {"A": {"Type": "AWS::CloudFormation::Stack", "Properties": {"Parameters": "x"}}}},
            ['A.Properties.Parameters is a mapping, not "x"', "A.Properties.TemplateURL is an address, not null"],
        ),
        (
            {"Resources": {"Fn::ForEach::Topics": ["x", [], {}]}},
            ["Resources.Fn::ForEach::Topics: only AWS expands this, so that nothing can be told of what it makes"],
        ),
        ({"Resources": {}, "Mappings": {"M": {"a": 1}}}, ["M.a is a mapping, not 1"]),
        ({"Resources": {}, "Outputs": {"O": {}}}, ["O has no Value"]),
        ({"Resources": {}, "Outputs": {"O": {"Value": {"Ref": 1}}}}, ["O.Value: Ref takes a name, not 1"]),
        (
            {"Resources": {}, "Conditions": {"C": {"Fn::Not": [{"Condition": 1}]}}},
            ["C.Fn::Not.0: Condition takes a name, not 1"],
        ),
        (
            {"Resources": {}, "Conditions": {"C": {"Fn::And": [1]}, "D": {"Fn::Equals": [1]}}},
            [
                "C: Fn::And takes a list of 2 to 10 conditions, not [1]",
                "D: Fn::Equals takes a list of 2 values, not [1]",
            ],
        ),
        (
            {
                "Resources": {},
                "Conditions": {"A": {"Condition": "B"}, "B": {"Fn::Equals": [{"Fn::If": ["A", 1, 2]}, 1]}},
            },
            ["Conditions hang on each other in a circle: A → B → A"],
        ),
    ],
)
def test_a_malformed_template(template, told):
    assert [fault.replace("B → A → B", "A → B → A") for fault in faults(template)] == told


def test_conditions_without_a_circle():
    conditions = {"A": {"Condition": "B"}, "B": {"Fn::Not": [{"Condition": "C"}]}, "C": {"Fn::Equals": [1, 2]}}
    assert (
        list(
            faults(
                {
                    "Resources": {"A": {**TOPIC, "Condition": "A"}},
                    "Conditions": conditions,
                    "Mappings": {"M": {"a": {}}},
                }
            )
        )
        == []
    )


def test_a_nested_stack():
    nested = {"TemplateURL": {"Fn::Sub": "https://${Bucket}/x"}, "Parameters": {"A": {"Ref": "B"}}}
    template = {"Resources": {"Nested": {"Type": "AWS::CloudFormation::Stack", "Properties": nested}}}
    require_shape({"root": template}, str)
    assert list(faults(template)) == []


def test_everything_is_told_at_once_with_its_place_and_what_to_do():
    with pytest.raises(TemplateError) as caught:
        require_shape(
            {"network": {"Resources": {"A": 1, "B": 2}}, "root": {}}, lambda tier: f"out/dev/{tier}.template.json"
        )
    assert caught.value.problems == [
        "out/dev/network.template.json: Resources.A is a mapping, not 1",
        "out/dev/network.template.json: Resources.B is a mapping, not 2",
        "out/dev/root.template.json: Resources is a mapping, not null",
    ]
    assert caught.value.exit_code == 2
    assert "cfn-lint" in caught.value.hint
    with pytest.raises(TemplateError, match="^deployed stack network: Resources is a mapping") as caught:
        require_deployed_shape({"network": {}})
    assert "get-template" in caught.value.hint
