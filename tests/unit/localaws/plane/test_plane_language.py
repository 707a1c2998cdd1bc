"""The language of templates: texts, functions, references, checks, parameters, policies, differences."""

from __future__ import annotations

import base64
import json

import pytest

from contract.resource_types import ResourceType, find
from localaws import dynamic_references, parameters, quotas, stack_policy
from localaws.api_errors import ApiError
from localaws.differences import ABSENT, differences, replaces, requires_recreation, shown
from localaws.language import NO_VALUE, UNKNOWN, Scope, evaluate, holds_unknown, normal, text
from localaws.references import references
from localaws.template import Template, load, parse
from localaws.template_checks import check, known_type, strange_properties
from localaws.waves import Waves

TOPIC = {"Type": "AWS::SNS::Topic"}


def made(document):
    return Template(document, json.dumps(document))


def scope(values=None, zones=("a", "b"), **sections):
    pseudo = {"AWS::Region": "eu-central-1", "AWS::NoValue": NO_VALUE, "AWS::StackName": "one"}
    return Scope(
        made(sections), values or {}, pseudo, lambda name, attribute: f"<{name}.{attribute}>", lambda: list(zones)
    )


# --- texts -----------------------------------------------------------------------------------------------------------
def test_yaml_with_short_tags_says_the_same_as_json():
    document = parse(
        """
AWSTemplateFormatVersion: 2010-09-09
Conditions:
  Also: !Not [!Condition Other]
Resources:
  A:
    Type: AWS::SNS::Topic
    Properties:
      One: !Ref B
      Two: !GetAtt B.Endpoint.Address
      Three: !Sub ["${X}", {X: !Ref B}]
      Four: !If [Also, !Ref AWS::NoValue, {k: !Base64 x}]
      Five: !GetAtt [B, Arn]
      Six: !Transform {Name: x}
"""
    )
    assert document["AWSTemplateFormatVersion"] == "2010-09-09"
    assert document["Conditions"] == {"Also": {"Fn::Not": [{"Condition": "Other"}]}}
    assert document["Resources"]["A"]["Properties"] == {
        "One": {"Ref": "B"},
        "Two": {"Fn::GetAtt": ["B", "Endpoint.Address"]},
        "Three": {"Fn::Sub": ["${X}", {"X": {"Ref": "B"}}]},
        "Four": {"Fn::If": ["Also", {"Ref": "AWS::NoValue"}, {"k": {"Fn::Base64": "x"}}]},
        "Five": {"Fn::GetAtt": ["B", "Arn"]},
        "Six": {"Fn::Transform": {"Name": "x"}},
    }


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"a": }', "Template format error: JSON not well-formed. (line 1, column 7)"),
        ("a: [", "Template format error: YAML not well-formed. (line 1, column 5)"),
        ("a: \x00", "Template format error: YAML not well-formed."),
        ("- a", "Template format error: unsupported structure."),
        ("text", "Template format error: unsupported structure."),
    ],
)
def test_texts_that_are_no_template(body, told):
    with pytest.raises(ApiError) as caught:
        parse(body)
    assert caught.value.message.startswith(told)


def test_a_text_is_read_once():
    body = json.dumps({"Resources": {"A": TOPIC}})
    assert load(body) is load(body)
    assert not load(body).nests


# --- functions -------------------------------------------------------------------------------------------------------
MAPPINGS = {"M": {"a": {"b": "c"}}}
CONDITIONS = {
    "Yes": {"Fn::Equals": ["1", 1]},
    "No": {"Fn::Not": [{"Condition": "Yes"}]},
    "Both": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]},
    "Either": {"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]},
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("plain", "plain"),
        ({"a": [1, True, None]}, {"a": [1, True, None]}),
        ({"Ref": "P"}, "p"),
        ({"Ref": "List"}, ["x", "y"]),
        ({"Ref": "AWS::Region"}, "eu-central-1"),
        ({"Ref": "A"}, "<A.Ref>"),
        ({"Ref": "A", "Other": 1}, {"Ref": "A", "Other": 1}),
        ({"Fn::GetAtt": ["A", "B.C"]}, "<A.B.C>"),
        ({"Fn::GetAtt": "A.B.C"}, "<A.B.C>"),
        ({"Fn::GetAtt": ["A", {"Ref": "P"}]}, "<A.p>"),
        ({"Fn::GetAtt": ["A", "B", "C"]}, "<A.B.C>"),
        ({"Fn::Sub": "${P}-${A}-${A.B}-${!Literal}-${AWS::StackName}"}, "p-<A.Ref>-<A.B>-${Literal}-one"),
        ({"Fn::Sub": ["${X} ${P}", {"X": {"Ref": "P"}}]}, "p p"),
        ({"Fn::Join": ["-", ["a", {"Ref": "P"}, 1]]}, "a-p-1"),
        ({"Fn::Join": ["-", {"Ref": "List"}]}, "x-y"),
        ({"Fn::Select": ["1", {"Ref": "List"}]}, "y"),
        ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "a"),
        ({"Fn::GetAZs": {"Ref": "AWS::Region"}}, ["a", "b"]),
        ({"Fn::Split": ["-", "a-b"]}, ["a", "b"]),
        ({"Fn::Base64": "x"}, base64.b64encode(b"x").decode()),
        ({"Fn::FindInMap": ["M", "a", "b"]}, "c"),
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"Fn::Cidr": ["10.0.0.0/16", "1"]}, ["10.0.0.0/24"]),
        ({"Fn::If": ["Yes", "a", "b"]}, "a"),
        ({"Fn::If": ["No", "a", "b"]}, "b"),
        ({"Fn::If": ["Both", "a", "b"]}, "b"),
        ({"Fn::If": ["Either", "a", "b"]}, "a"),
        ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}),
        ([{"Ref": "AWS::NoValue"}, 1], [1]),
        ({"Fn::Join": [",", {"Ref": "Later"}]}, UNKNOWN),
        ({"Fn::Select": [0, {"Ref": "Later"}]}, UNKNOWN),
        ({"Fn::Split": [",", {"Ref": "Later"}]}, [UNKNOWN]),
        ({"Fn::Base64": {"Ref": "Later"}}, UNKNOWN),
        ({"Fn::Cidr": [{"Ref": "Later"}, 2, 8]}, [UNKNOWN]),
        ({"Fn::Sub": "arn:${Later}"}, f"arn:{UNKNOWN}"),
    ],
)
def test_functions(expression, value):
    values = {"P": "p", "List": ["x", "y"], "Later": UNKNOWN}
    assert evaluate(expression, scope(values, Mappings=MAPPINGS, Conditions=CONDITIONS)) == value


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ({"Fn::Select": [2, ["a"]]}, "Fn::Select cannot select nonexistent value at index 2"),
        ({"Fn::Select": [1, {"Ref": "Later"}]}, "Fn::Select cannot select nonexistent value at index 1"),
        ({"Fn::Select": [0, "a"]}, "Fn::Select requires a list argument"),
        ({"Fn::Select": [0]}, "every Fn::Select object requires two parameters"),
        ({"Fn::Join": ",a"}, "every Fn::Join object requires two parameters"),
        ({"Fn::Join": [",", [["a"]]]}, "requires a list of strings"),
        ({"Fn::Sub": "${List}"}, "Fn::Sub needs a string for ${List}"),
        ({"Fn::FindInMap": ["M", "a", "x"]}, "Unable to get mapping for M::a::x"),
        ({"Fn::If": ["Nope", 1, 2]}, "Unresolved condition dependency Nope"),
        ({"Fn::If": ["Odd", 1, 2]}, "must be a condition function"),
        ({"Fn::If": ["Text", 1, 2]}, "must be a condition function"),
        ({"Fn::Cidr": ["10.0.0.0/24", 5, 7]}, "cannot make 5 blocks of 10.0.0.0/24"),
        ({"Fn::GetAZs": "us-east-1"}, "another region is not supported here: us-east-1"),
    ],
)
def test_functions_that_are_refused(expression, told):
    conditions = {"Odd": {"Fn::Join": ["", []]}, "Text": "true"}
    with pytest.raises(ApiError) as caught:
        evaluate(expression, scope({"List": [], "Later": UNKNOWN}, Mappings=MAPPINGS, Conditions=conditions))
    assert told in caught.value.message


def test_small_things_about_values():
    assert [text(value) for value in (True, False, 1, 1.5, "a")] == ["true", "false", "1", "1.5", "a"]
    assert normal({"a": [1, True]}) == {"a": ["1", "true"]}
    assert holds_unknown({"a": ["x", f"y{UNKNOWN}"]})
    assert not holds_unknown({"a": ["x", 1]})


def test_what_an_expression_names():
    node = {
        "a": [{"Ref": "A"}, {"Fn::GetAtt": "B.C.D"}],
        "b": {"Fn::Sub": ["${E} ${F.G} ${!H} ${I}", {"I": {"Ref": "J"}}]},
        "c": {"Fn::Sub": {"not": "a text"}},
        "d": {"Fn::GetAtt": []},
    }
    assert list(references(node)) == [("A", "Ref"), ("B", "C.D"), ("J", "Ref"), ("E", "Ref"), ("F", "G"), ("", "")]


# --- dynamic references ----------------------------------------------------------------------------------------------
def test_dynamic_references_are_read_when_a_resource_is_made(world):
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf"
    world.clients.secrets = {"db": json.dumps({"user": "u", "password": "p"}), arn: "whole"}
    world.clients.values = {"/p": "v"}
    value = {
        "a": ["{{resolve:secretsmanager:db:SecretString:password}}"],
        "b": f"x {{{{resolve:secretsmanager:{arn}}}}} y",
        "c": "{{resolve:ssm:/p}} {{resolve:ssm-secure:/p}}",
        "d": "{{resolve:secretsmanager:db:SecretString:user:AWSPREVIOUS:v1}}",
        "e": 1,
    }
    assert dynamic_references.is_dynamic(value)
    assert dynamic_references.resolve(value, world.clients) == {
        "a": ["p"],
        "b": "x whole y",
        "c": "v v",
        "d": "u",
        "e": 1,
    }
    assert world.clients.asked[-1] == {"SecretId": "db", "VersionStage": "AWSPREVIOUS", "VersionId": "v1"}


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("{{resolve:nowhere:a}}", "unknown service: nowhere"),
        ("{{resolve:secretsmanager:db:SecretBinary:a}}", "reads SecretString, not SecretBinary"),
        ("{{resolve:secretsmanager:db:SecretString:none}}", "JSONKey in SecretString: none"),
        ("{{resolve:secretsmanager:plain:SecretString:none}}", "JSONKey in SecretString: none"),
    ],
)
def test_dynamic_references_that_are_refused(world, reference, told):
    world.clients.secrets = {"db": "{}", "plain": "text"}
    body = json.dumps({"Resources": {"A": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": reference}}}})
    assert world.deploy("one", body) == "ROLLBACK_COMPLETE"
    assert told in world.reason("one", "A", "CREATE_FAILED")


def test_a_secret_is_handed_over_and_shown_nowhere(world):
    world.clients.secrets = {"db": "hush"}

    def body(name):
        properties = {"DisplayName": "{{resolve:secretsmanager:db}}", "TracingConfig": name}
        return json.dumps({"Resources": {"A": {"Type": "AWS::SNS::Topic", "Properties": properties}}})

    world.deploy("one", body("1"))
    assert world.memory.things["a-1"]["DisplayName"] == "hush"
    world.deploy("one", body("2"))
    assert world.memory.seen["A"]["before"]["DisplayName"] == "hush"
    assert "hush" not in json.dumps(world.cf.describe_stack_events(StackName="one")["StackEvents"], default=str)


# --- checks ----------------------------------------------------------------------------------------------------------
def resources(**bodies):
    return {"Resources": bodies}


def display(value):
    return {**TOPIC, "Properties": {"DisplayName": value}}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({**resources(A=TOPIC), "Extra": {}}, "Invalid template property or properties [Extra]"),
        ({**resources(A=TOPIC), "Transform": "AWS::Serverless"}, "Template section Transform is not emulated"),
        ({}, "At least one Resources member must be defined."),
        (resources(A={}), "[/Resources/A] Every Resources object must contain a Type member."),
        (resources(A=[]), "[/Resources/A] Every Resources object must contain a Type member."),
        ({"Resources": {"A-B": TOPIC}}, "Resource name A-B is non alphanumeric."),
        (resources(A={**TOPIC, "Extra": 1}), "Invalid template resource property 'Extra' of A"),
        (resources(A={**TOPIC, "CreationPolicy": {}}), "CreationPolicy of A is not emulated"),
        (resources(A={**TOPIC, "DeletionPolicy": "Keep"}), "resource A: unknown DeletionPolicy Keep"),
        (
            resources(A={**TOPIC, "UpdateReplacePolicy": "RetainExceptOnCreate"}),
            "resource A: unknown UpdateReplacePolicy RetainExceptOnCreate",
        ),
        (
            resources(A=TOPIC, B={"Type": "No::Such::Thing"}, C={"Type": "AWS::No::Type"}),
            "types: [AWS::No::Type, No::Such::Thing]",
        ),
        (resources(A=display({"Fn::Nope": 1})), "Unrecognized intrinsic function Fn::Nope"),
        (resources(A=display({"Fn::Equals": [1, 1]})), "Unrecognized intrinsic function Fn::Equals"),
        (resources(A=display([{"Fn::ImportValue": "x"}])), "Fn::ImportValue is not emulated"),
        (resources(A=display({"Fn::Sub": "x", "y": 1})), "Fn::Sub must stand alone, not beside 1 other keys"),
        (resources(A=display({"Ref": "Nope"})), "Unresolved resource dependencies [Nope] in the Resources block"),
        (
            resources(A=display({"Fn::GetAtt": ["Nope", "Arn"]})),
            "Fn::GetAtt references undefined resource Nope (Resources.A)",
        ),
        (resources(A={**TOPIC, "DependsOn": ["Nope"]}), "DependsOn references undefined resource Nope"),
        (resources(A={**TOPIC, "Condition": "Nope"}), "Unresolved condition dependency Nope in the Resources block"),
        ({**resources(A=TOPIC), "Outputs": {"O": {"Value": 1, "Condition": "Nope"}}}, "in the Outputs block"),
        (
            {**resources(A=TOPIC), "Outputs": {"O": {"Value": {"Ref": "Nope"}}}},
            "dependencies [Nope] in the Outputs block",
        ),
        ({**resources(A=TOPIC), "Outputs": {"O": {}}}, "Output O must have a Value"),
        (
            {**resources(A=TOPIC), "Outputs": {"O": {"Value": 1, "Export": {"Name": "x"}}}},
            "Export of output O is not emulated",
        ),
        (
            resources(A=display({"Ref": "B"}), B={**TOPIC, "DependsOn": "A"}, C=TOPIC),
            "Circular dependency between resources: [A, B]",
        ),
        ({**resources(A=TOPIC), "Description": "x" * 1025}, "'Description' length is greater than 1024."),
        (
            {"Resources": {f"A{n}": TOPIC for n in range(501)}},
            "Number of resources, 501, is greater than maximum allowed, 500",
        ),
        (
            {**resources(A=TOPIC), "Mappings": {"M": {"a": {f"k{n}": 1 for n in range(201)}}}},
            "Number of attributes of mapping M.a, 201, is greater than maximum allowed, 200",
        ),
        ({**resources(A=display(["{{resolve:ssm:a}}"] * 61))}, "the number of dynamic references, 61, is greater"),
    ],
)
def test_templates_that_are_refused(document, told):
    known = known_type(lambda name: None if name.startswith("No::") else object())
    with pytest.raises(ApiError) as caught:
        check(made(document), known)
    assert told in caught.value.message


def test_a_template_that_stands():
    document = {
        **resources(
            A=display({"Ref": "P"}),
            B={**TOPIC, "Condition": "C", "DependsOn": "A", "DeletionPolicy": "RetainExceptOnCreate"},
        ),
        "Parameters": {"P": {"Type": "String"}},
        "Conditions": {"C": {"Fn::Equals": [{"Ref": "AWS::Region"}, "x"]}},
        "Outputs": {"O": {"Value": {"Ref": "B"}, "Condition": "C"}},
        "Mappings": MAPPINGS,
    }
    check(made(document), known_type(lambda name: object()))
    unknown = made(resources(A={"Type": "AWS::No::Type", "Properties": {"Any": 1}}))
    assert strange_properties(unknown) == [("A", "Any")]


def test_a_stack_carries_so_many_tags():
    quotas.check_tags({str(n): "" for n in range(50)})
    with pytest.raises(ApiError, match="limited to 50"):
        quotas.check_tags({str(n): "" for n in range(51)})


# --- parameters ------------------------------------------------------------------------------------------------------
def given(**values):
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


@pytest.mark.parametrize(
    ("declared", "value", "told"),
    [
        ({"Type": "String", "AllowedValues": ["a", 1]}, "b", "Parameter 'P' must be one of AllowedValues"),
        ({"AllowedValues": ["a"], "ConstraintDescription": "be good"}, "b", "failed to satisfy constraint: be good"),
        ({"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}, "a,c", "must be one of AllowedValues"),
        ({"Type": "Number"}, "x", "Parameter 'P' must be a number."),
        ({"Type": "List<Number>"}, "1,x", "Parameter 'P' must be a number."),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "A", "must match pattern [a-z]+"),
        ({"Type": "String", "MinLength": 2}, "a", "as many characters as"),
        ({"Type": "String", "MaxLength": "2"}, "abc", "as many characters as"),
        ({"Type": "Number", "MinValue": 2}, "1", "a number that MinValue and MaxValue allow"),
        ({"Type": "Number", "MaxValue": 2}, "3", "a number that MinValue and MaxValue allow"),
        ({"Type": "String"}, "x" * 4097, "must not be longer than 4096 bytes"),
    ],
)
def test_values_that_are_refused(declared, value, told):
    with pytest.raises(ApiError) as caught:
        parameters.chosen(made({"Parameters": {"P": declared}}), given(P=value))
    assert told in caught.value.message


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ({"Type": "String", "AllowedValues": ["a", 1]}, "1"),
        ({"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}, "a,b"),
        ({"Type": "Number", "MinValue": 1, "MaxValue": 3}, "2.5"),
        ({"Type": "Number", "AllowedValues": [9]}, UNKNOWN),
        ({"Type": "String", "AllowedPattern": "[a-z]+", "MinLength": 1, "MaxLength": 3}, "abc"),
    ],
)
def test_values_that_are_taken(declared, value):
    assert parameters.chosen(made({"Parameters": {"P": declared}}), given(P=value)) == {"P": value}


def test_values_come_from_the_request_or_from_before_or_from_the_template():
    template = made({"Parameters": {"A": {"Default": 1}, "B": {}, "C": {}}})
    entries = [*given(B="b"), {"ParameterKey": "C", "UsePreviousValue": True}]
    assert parameters.chosen(template, entries, {"C": "c"}) == {"A": "1", "B": "b", "C": "c"}
    with pytest.raises(ApiError, match=r"Parameters: \[B, C\] must have values"):
        parameters.chosen(template, [])
    with pytest.raises(ApiError, match=r"Parameters: \[X\] do not exist in the template"):
        parameters.chosen(template, given(X="x"))
    with pytest.raises(ApiError, match="Invalid input for parameter key C"):
        parameters.chosen(template, entries)


def test_types_of_parameters(world):
    world.clients.values = {"/one": "v", "/many": "x, y"}
    kinds = {
        "A": "String",
        "B": "CommaDelimitedList",
        "C": "List<AWS::EC2::Subnet::Id>",
        "D": "AWS::SSM::Parameter::Value<String>",
        "E": "AWS::SSM::Parameter::Value<List<String>>",
        "F": "CommaDelimitedList",
        "G": "AWS::SSM::Parameter::Value<String>",
    }
    template = made({"Parameters": {name: {"Type": kind} for name, kind in kinds.items()}})
    values = {"A": "a", "B": "a, b", "C": "a", "D": "/one", "E": "/many", "F": UNKNOWN, "G": UNKNOWN}
    assert parameters.typed(template, values, world.clients) == {
        "A": "a",
        "B": ["a", "b"],
        "C": ["a"],
        "D": "v",
        "E": ["x", "y"],
        "F": UNKNOWN,
        "G": UNKNOWN,
    }


# --- stack policies --------------------------------------------------------------------------------------------------
def policy(*statements):
    return json.dumps({"Statement": list(statements)})


@pytest.mark.parametrize(
    ("statements", "denial"),
    [
        ([{"Effect": "Allow", "Action": "Update:*", "Resource": "*"}], ""),
        (
            [{"Effect": "Allow", "Action": ["Update:Modify", "Update:Replace"], "Resource": ["LogicalResourceId/D*"]}],
            "",
        ),
        ([{"Effect": "Allow", "Action": "Update:Modify", "Resource": "*"}], "no statement allows"),
        ([{"Effect": "Allow", "NotAction": "Update:Delete", "Resource": "*"}], ""),
        ([{"Effect": "Allow", "NotAction": "Update:Replace", "Resource": "*"}], "no statement allows"),
        ([{"Effect": "Allow", "Action": "Update:*", "NotResource": "LogicalResourceId/Other"}], ""),
        ([{"Effect": "Allow", "Action": "Update:*", "NotResource": "LogicalResourceId/Data"}], "no statement allows"),
        (
            [
                {"Effect": "Allow", "Action": "Update:*", "Resource": "*"},
                {
                    "Effect": "Deny",
                    "Action": "Update:Replace",
                    "Resource": "*",
                    "Condition": {"StringLike": {"ResourceType": ["AWS::RDS::*"]}},
                },
            ],
            "Statement [#2] denies [Update:Replace] for resource [Data]",
        ),
        (
            [
                {"Effect": "Allow", "Action": "Update:*", "Resource": "*"},
                {
                    "Effect": "Deny",
                    "Action": "Update:*",
                    "Resource": "*",
                    "Condition": {"StringEquals": {"ResourceType": ["AWS::S3::Bucket"]}},
                },
            ],
            "",
        ),
    ],
)
def test_stack_policies(statements, denial):
    body = policy(*statements)
    stack_policy.check(body)
    found = stack_policy.denied(body, "Update:Replace", "Data", "AWS::RDS::DBCluster")
    assert denial in found if denial else found == ""


def test_no_policy_allows_everything():
    assert stack_policy.denied("", "Update:Delete", "A", "AWS::SNS::Topic") == ""


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        '{"Statement": {}}',
        '{"Statement": [{}]}',
        '{"Statement": [{"Effect": "Maybe"}]}',
        '{"Statement": [{"Effect": "Allow", "X": 1}]}',
    ],
)
def test_texts_that_are_no_policy(body):
    with pytest.raises(ApiError, match="Invalid stack policy"):
        stack_policy.check(body)


# --- differences -----------------------------------------------------------------------------------------------------
def test_differences_are_as_deep_as_both_sides_are_alike():
    before = {"same": 1, "text": "a", "list": [{"k": 1}, 2], "gone": {"x": 1}, "shape": {"a": 1}}
    after = {"same": "1", "text": "b", "list": [{"k": 2}], "shape": "a", "new": [1]}
    assert list(differences(before, after)) == [
        (("text",), "a", "b"),
        (("list", "0", "k"), 1, 2),
        (("list", "1"), 2, ABSENT),
        (("gone",), {"x": 1}, ABSENT),
        (("shape",), {"a": 1}, "a"),
        (("new",), ABSENT, [1]),
    ]
    assert [shown(value) for value in (ABSENT, True, {"a": [1]})] == [None, "true", '{"a":["1"]}']


def test_what_changing_a_place_means():
    facts = ResourceType("T", frozenset(), ("Name", "Deep/Fixed", "List/*/Key"), ("Size",), (), (), (), None)
    told = {
        ("Name",): "Always",
        ("Deep", "Fixed"): "Always",
        ("Deep", "Fixed", "Below"): "Always",
        ("Deep", "Loose"): "Never",
        ("Deep",): "Always",
        ("List", "3", "Key"): "Always",
        ("List", "3", "Value"): "Never",
        ("Size",): "Conditionally",
        ("Other",): "Never",
    }
    assert {path: requires_recreation(facts, path) for path in told} == told
    assert replaces(facts, {"Name": 1, "Size": 1}, {"Name": 2, "Size": 1})
    assert not replaces(facts, {"Name": 1, "Size": 1}, {"Name": 1, "Size": 2})


def test_replacement_follows_the_registry():
    facts = find("AWS::RDS::DBCluster")
    assert facts is not None
    assert requires_recreation(facts, ("KmsKeyId",)) == "Always"
    assert requires_recreation(facts, ("Engine",)) == "Conditionally"
    assert requires_recreation(facts, ("EngineVersion",)) == "Never"


def test_waves():
    waves = Waves(["a", "b", "c", "d"], {"a": [], "b": ["a", "gone"], "c": ["a", "b"], "d": []})
    assert [waves.next(), waves.next(), waves.next()] == ["a", "d", None]
    waves.done("d")
    assert waves.next() is None
    waves.done("a")
    assert [waves.next(), waves.next()] == ["b", None]
    waves.done("b")
    assert waves.next() == "c"
