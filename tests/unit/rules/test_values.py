"""Reading of property values: what is known, what is not, and what is text."""

from __future__ import annotations

import pytest

from rules._policies import statements
from rules._template import Template
from rules._values import (
    UNKNOWN,
    MalformedJsonError,
    at,
    below,
    each,
    embedded,
    equals,
    filled,
    is_function,
    listed,
    may_be,
    names,
    number,
    parse,
    raw,
    referred,
    text,
)

NO_VALUE = {"Ref": "AWS::NoValue"}
IF = {"Fn::If": ["IsProd", 1, 2]}


def test_functions_are_objects_of_one_key():
    assert is_function({"Ref": "Vpc"})
    assert is_function({"Fn::GetAtt": ["Vpc", "Arn"]})
    assert is_function({"Condition": "IsProd"})
    assert not is_function({"Ref": "Vpc", "Fn::If": []})
    assert not is_function({"Reference": "Vpc"})
    assert not is_function({1: "Vpc"})
    assert not is_function({})
    assert not is_function("Ref")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("A", "B"), 1),
        (("A", "C"), None),
        (("List", 1), "y"),
        (("List", 2), None),
        (("List", "x"), None),
        (("A", "B", "C"), None),
        (("Nothing",), None),
        (("Function",), UNKNOWN),
        (("Function", "Fn::If"), UNKNOWN),
        ((), {"A": {"B": 1}, "List": ["x", "y"], "Nothing": NO_VALUE, "Function": IF}),
    ],
)
def test_values_are_known_unknown_or_missing(keys, expected):
    node = {"A": {"B": 1}, "List": ["x", "y"], "Nothing": NO_VALUE, "Function": IF}

    assert at(node, *keys) == expected


def test_raw_values_keep_their_function():
    assert raw({"A": IF}, "A") == IF
    assert raw({"A": NO_VALUE}, "A") is None
    assert raw({"A": IF}, "A", "B") is UNKNOWN


def test_each_walks_lists_and_single_values_and_leaves_functions_out():
    assert list(each({"A": [{"B": 1}, {"B": IF}, IF, {}, None, {"B": 2}]}, "A", "*", "B")) == [
        (("A", 0, "B"), 1),
        (("A", 5, "B"), 2),
    ]
    assert list(each({"A": {"B": 1}}, "A", "*", "B")) == [(("A", "B"), 1)]
    assert list(each({"A": IF}, "A", "*")) == []
    assert list(each({"A": [1, IF, None]}, "A", "*")) == [(("A", 0), 1)]


def test_scalars_compare_as_cloudformation_reads_them():
    assert equals(True, "true")
    assert equals("True", "true")
    assert equals(7, "7")
    assert equals(7, 7)
    assert equals("b", "a", "b")
    assert not equals("A", "a")
    assert not equals(None, "None")
    assert not equals(["a"], "a")
    assert not equals(UNKNOWN, "a")
    assert may_be(UNKNOWN, "a")
    assert not may_be(None, "a")


def test_numbers_may_be_written_as_text():
    assert number("7") == number(7) == 7
    assert number("seven") is number(True) is number(None) is number(UNKNOWN) is number([7]) is None
    assert number(10**400) is None
    assert below(None, 7)
    assert below("6", 7)
    assert not below(7, 7)
    assert not below(UNKNOWN, 7)
    assert not below("seven", 7)


def test_single_values_are_lists_of_one():
    assert listed([1, 2]) == [1, 2]
    assert listed("x") == ["x"]
    assert listed(None) == listed(UNKNOWN) == []


@pytest.mark.parametrize(
    ("value", "known", "in_full"),
    [
        ("plain", "plain", "plain"),
        (7, "7", "7"),
        (True, None, None),
        (None, None, None),
        ([], None, None),
        ({"a": 1, "b": 2}, None, None),
        ({"Ref": "AWS::Region"}, "us-east-1", "us-east-1"),
        ({"Ref": "Vpc"}, None, "0"),
        ({"Ref": 7}, None, "0"),
        ({"Fn::GetAtt": ["Vpc", "Arn"]}, None, "0"),
        ({"Fn::Join": ["-", ["a", {"Ref": "AWS::AccountId"}]]}, "a-000000000000", "a-000000000000"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Vpc"}]]}, None, "a-0"),
        ({"Fn::Join": ["-", ["a", None]]}, None, None),
        ({"Fn::Join": "a"}, None, "0"),
        ({"Fn::Sub": "a-${AWS::Region}-b"}, "a-us-east-1-b", "a-us-east-1-b"),
        ({"Fn::Sub": "a-${Vpc}-b"}, None, "a-0-b"),
        ({"Fn::Sub": "a-${!Vpc}-b"}, "a-${Vpc}-b", "a-${Vpc}-b"),
        ({"Fn::Sub": ["a-${X}-${AWS::Partition}", {"X": "y"}]}, "a-y-aws", "a-y-aws"),
        ({"Fn::Sub": ["a-${X}", {"X": {"Ref": "Vpc"}}]}, None, "a-0"),
        ({"Fn::Sub": ["a-${X}", {"X": []}]}, None, None),
        ({"Fn::Sub": ["a"]}, "a", "a"),
        ({"Fn::Sub": 7}, None, "0"),
        ({"Fn::Sub": ["a", "b"]}, None, "0"),
    ],
)
def test_text_is_known_or_filled(value, known, in_full):
    assert text(value) == known
    assert filled(value) == in_full


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Vpc"}, ("Vpc", "Ref")),
        ({"Fn::GetAtt": ["Alb", "DNSName"]}, ("Alb", "DNSName")),
        ({"Fn::GetAtt": "Alb.DNSName"}, ("Alb", "DNSName")),
        ({"Fn::Sub": "${Alb.DNSName}"}, ("Alb", "DNSName")),
        ({"Fn::Sub": "${Vpc}"}, ("Vpc", "Ref")),
        ({"Fn::Sub": "${!Vpc}"}, None),
        ({"Fn::Sub": "x${Vpc}"}, None),
        ({"Fn::Sub": ["${Vpc}", {}]}, None),
        ({"Fn::GetAtt": ["Alb", 7]}, None),
        ({"Ref": []}, None),
        ("Vpc", None),
    ],
)
def test_references_name_a_resource_and_an_attribute(value, expected):
    assert referred(value) == expected
    assert names(value, "Vpc") == (expected is not None and expected[0] == "Vpc")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "Expecting property name"),
        ('{"b": 1, "a": 2, "a": 3}', "key 'a' given twice"),
        ('{"a": NaN}', "NaN is no JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("1" * 5000, "4300 digits"),
    ],
)
def test_malformed_json_says_why(document, message):
    with pytest.raises(MalformedJsonError, match=message):
        parse(document)


def test_embedded_documents_are_read_through_their_placeholders():
    assert parse('{"a": [1, true, null]}') == {"a": [1, True, None]}
    assert embedded('{"a": 1}') == {"a": 1}
    assert embedded({"a": 1, "b": 2}) == {"a": 1, "b": 2}
    assert embedded({"Fn::Sub": '{"a": "x-${Vpc}", "b": ${Count}}'}) == {"a": "x-0", "b": 0}
    assert embedded("0") == 0
    assert embedded(None) is None
    assert embedded({"Ref": "Document"}) is UNKNOWN
    assert embedded([]) is UNKNOWN
    assert embedded("{") is UNKNOWN


@pytest.mark.parametrize(
    "content", [None, [], {}, {"Resources": None}, {"Resources": {"A": None, "B": {}, "C": {"Type": 7}, "D": "x"}}]
)
def test_a_template_without_resources_has_none(content):
    template = Template(content)

    assert template.resources == []
    assert template.suffix is None
    assert not template.durable


def test_misshapen_properties_are_empty():
    template = Template({"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": ["x"]}}})

    assert [resource.properties for resource in template.of("AWS::SNS::Topic", "AWS::SNS::Other")] == [{}]


def statement(**parts):
    policy = {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": parts}}}
    [found] = statements(Template({"Resources": {"P": policy}}), {"AWS::IAM::Policy": ("PolicyDocument",)})
    return found


def test_a_statement_reads_its_principals():
    assert list(statement(Principal="*").principals()) == [(("Principal",), "AWS", "*")]
    assert list(
        statement(Principal={"Service": "a", "AWS": ["b", {"Ref": "C"}, {"Fn::Sub": "${AWS::AccountId}"}]}).principals()
    ) == [
        (("Principal", "Service"), "Service", "a"),
        (("Principal", "AWS", 0), "AWS", "b"),
        (("Principal", "AWS", 2), "AWS", "000000000000"),
    ]
    assert list(statement(Principal=IF).principals()) == list(statement().principals()) == []


def test_a_statement_reads_its_conditions():
    keys = frozenset({"aws:sourceaccount"})

    assert statement(Effect="Allow", Condition={"StringEquals": {"aws:SourceAccount": "1"}}).is_bound_by(keys)
    assert statement(Effect="Allow", Condition=IF).is_bound_by(keys)
    assert not statement(Effect="Allow", Condition={"StringEquals": {"aws:SourceArn": "1"}}).is_bound_by(keys)
    assert not statement(Effect="Allow", Condition="StringEquals").is_bound_by(keys)
    assert not statement().is_bound_by(keys)


def test_a_statement_reads_its_texts():
    assert statement(Action="a").texts("Action") == [(("Action",), "a")]
    assert statement(Action=["a", {"Ref": "B"}, "c"]).texts("Action") == [(("Action", 0), "a"), (("Action", 2), "c")]
    assert statement().texts("Action") == []
    assert statement(Effect="Allow").allows
    assert statement().allows
    assert not statement(Effect="Deny").allows
