"""What is shown of two values: the lines that differ, nothing secret, nothing invisible."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.changes import PropertyChange
from deployer.render.difference import Difference, differences, title
from deployer.render.values import HIDDEN, KNOWN_LATER, excerpts, is_secret, marked, quoted, shorten, visible


def _change(before, after, path="Property", attribute="Properties", *, known=True):
    return PropertyChange(attribute, path, "Modify", before, after, "Never", "Static", "DirectModification", "", known)


def _differences(before, after, **more):
    sides = [side if side is None or isinstance(side, str) else json.dumps(side) for side in (before, after)]
    return [(one.sign, one.path, one.before, one.after) for one in differences(_change(*sides, **more))]


@pytest.mark.parametrize(
    ("attribute", "path", "name"),
    [
        ("Properties", "EngineVersion", "EngineVersion"),
        ("Properties", "VpcConfig/SubnetIds/0", "VpcConfig.SubnetIds[0]"),
        ("Properties", "A~1B/C~0D", "A/B.C~D"),
        ("Properties", "", "Properties"),
        ("DeletionPolicy", "", "DeletionPolicy"),
        ("Tags", "CostCenter", "Tags.CostCenter"),
        ("Tags", "Tags/0/Value", "Tags[0].Value"),
        ("Metadata", "a\nb", r"Metadata.a\nb"),
    ],
)
def test_a_property_is_named_from_its_pointer(attribute, path, name):
    assert title(_change(None, None, path, attribute)) == name


def test_scalars_are_one_difference():
    assert _differences("17.7", "17.10") == [("~", "", "17.7", "17.10")]
    assert _differences(None, "a") == [("+", "", None, "a")]
    assert _differences("a", None) == [("-", "", "a", None)]
    assert _differences("", " a") == [("~", "", '""', '" a"')]


def test_values_that_are_not_told_are_no_difference():
    assert _differences(None, None) == []


def test_a_value_that_only_aws_will_know_is_said_so():
    assert _differences("old", None, known=False) == [("~", "", "old", KNOWN_LATER)]
    assert _differences(None, None, known=False) == [("+", "", None, KNOWN_LATER)]
    assert _differences("a {{changeSet:KNOWN_AFTER_APPLY}}", "b") == [("~", "", f"a {KNOWN_LATER}", "b")]


def test_of_a_document_only_what_changes_is_shown():
    before = {"Statement": [{"Sid": "Read", "Action": ["a", "b"], "Effect": "Allow"}], "Version": "2012-10-17"}
    after = {"Statement": [{"Sid": "Read", "Action": ["a", "c"], "Effect": "Allow"}], "Version": "2012-10-17"}
    assert _differences(before, after) == [("~", "Statement[Read].Action[1]", "b", "c")]


def test_what_is_added_to_a_document_is_shown_leaf_by_leaf():
    before = {"Statement": [{"Sid": "Read", "Action": "a"}]}
    after = {"Statement": [{"Sid": "Write", "Action": "b", "Resource": {}}, {"Sid": "Read", "Action": "a"}], "Id": []}
    assert _differences(before, after) == [
        ("+", "Statement[Write].Action", None, "b"),
        ("+", "Statement[Write].Resource", None, "{}"),
        ("+", "Id", None, "[]"),
    ]
    assert _differences(None, before) == [("+", "Statement[Read].Action", None, "a")]


def test_an_element_that_is_only_its_name_keeps_it():
    assert _differences([{"Name": "a"}], [{"Name": "a"}, {"Name": "b"}]) == [("+", "[b].Name", None, "b")]


def test_elements_are_told_apart_by_the_resource_of_an_arn_or_a_reference():
    arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup"
    before = [{"TargetGroupArn": f"{arn}/blue/1122334455667788", "Weight": 0}]
    after = [{"TargetGroupArn": f"{arn}/blue/1122334455667788", "Weight": 20}]
    assert _differences(before, after) == [("~", "[targetgroup/blue].Weight", "0", "20")]
    before = [{"TargetGroupArn": {"Ref": "Blue"}, "Weight": 0}, {"TargetGroupArn": {"Ref": "Green"}, "Weight": 0}]
    after = [{"TargetGroupArn": {"Ref": "Blue"}, "Weight": 20}, {"TargetGroupArn": {"Ref": "Green"}, "Weight": 0}]
    assert _differences(before, after) == [("~", "[Blue].Weight", "0", "20")]


def test_another_order_of_named_elements_is_one_line():
    one, two = {"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}
    assert _differences([one, two], [two, one]) == [("~", "[] order", "a, b", "b, a")]


def test_elements_without_a_name_are_aligned_by_content():
    assert _differences(["a", "b", "c"], ["b", "c", "d"]) == [("-", "[]", "a", None), ("+", "[]", None, "d")]
    assert _differences([{"X": 1}, {"X": 2}], [{"X": 1}, {"X": 3}]) == [("~", "[1].X", "2", "3")]
    assert _differences([{"Name": "a", "V": 1}, {"Name": "a", "V": 2}], [{"Name": "a", "V": 2}]) == [
        ("-", "[].Name", "a", None),
        ("-", "[].V", "1", None),
    ]
    assert _differences([{"Name": ["x"]}], ["x"]) == [("~", "[0]", '{"Name": ["x"]}', "x")]


def test_a_list_of_one_may_be_written_as_the_one():
    assert _differences({"Action": "a"}, {"Action": ["a", "b"]}) == [("+", "Action[]", None, "b")]
    assert _differences({"Action": ["a", "b"]}, {"Action": "a"}) == [("-", "Action[]", "b", None)]


def test_a_document_inside_a_document_is_opened():
    inner = json.dumps({"a": 1, "b": 2})
    assert _differences({"Policy": inner}, {"Policy": inner.replace("2", "3")}) == [("~", "Policy.b", "2", "3")]


def test_the_same_content_written_differently_is_no_difference():
    assert _differences('{"a":1,"b":2}', '{"b": 2, "a": 1}') == []
    assert _differences({"a": 1, "b": True}, {"a": "1", "b": "true"}) == []


def test_what_only_looks_like_a_document_is_text():
    assert _differences("[a", "{b") == [("~", "", "[a", "{b")]
    deep = "[" * 100_000
    assert _differences(deep, "x") == [("~", "", deep, "x")]


def test_a_document_that_is_too_deep_is_one_line():
    sides = "[" * 45 + "]" * 45, "[" * 45 + "1" + "]" * 45
    ((sign, path, before, after),) = _differences(*sides)
    assert (sign, path) == ("~", "[0]" * 40)
    assert (before, after) == ("[[[[[]]]]]", "[[[[[1]]]]]")


def test_of_a_text_of_several_lines_only_the_changed_ones_are_shown():
    assert _differences("a\nb\nc", "a\nx\nc\nd") == [("~", "line 2", "b", "x"), ("+", "line 4", None, "d")]
    assert _differences("a\nb\nc", "c") == [("-", "line 1", "a", None), ("-", "line 2", "b", None)]
    assert _differences({"Body": "a\nb"}, {"Body": "a\nc"}) == [("~", "Body line 2", "b", "c")]
    assert _differences(None, "a\nb") == [("+", "", None, r"a\nb")]


@pytest.mark.parametrize(
    ("path", "before", "after", "shown"),
    [
        ("MasterUserPassword", "old", "new", [("~", "", HIDDEN, HIDDEN)]),
        ("SecretString", None, "new", [("+", "", None, HIDDEN)]),
        ("Config/AuthToken", "old", None, [("-", "", HIDDEN, None)]),
        ("Body", {"password": "a"}, {"password": "b"}, [("~", "password", HIDDEN, HIDDEN)]),
        (
            "Environment",
            [{"Name": "DB_PASSWORD", "Value": "a"}],
            [{"Name": "DB_PASSWORD", "Value": "b"}],
            [("~", "[DB_PASSWORD].Value", HIDDEN, HIDDEN)],
        ),
        (
            "Environment",
            [{"Name": "REGION", "Value": "a"}],
            [{"Name": "REGION", "Value": "b"}],
            [("~", "[REGION].Value", "a", "b")],
        ),
        (
            "Secrets",
            [{"Name": "DB_PASSWORD", "ValueFrom": "arn:aws:a"}],
            [{"Name": "DB_PASSWORD", "ValueFrom": "arn:aws:b"}],
            [("~", "[DB_PASSWORD].ValueFrom", "arn:aws:a", "arn:aws:b")],
        ),
        ("Anything", "x", "AKIAABCDEFGHIJKLMNOP", [("~", "", HIDDEN, HIDDEN)]),
    ],
)
def test_secrets_are_never_shown(path, before, after, shown):
    assert _differences(before, after, path=path) == shown


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("MasterUserPassword", "{{resolve:secretsmanager:payments/dev/master:SecretString:password}}"),
        ("ClientSecret", "arn:aws:secretsmanager:us-east-1:123456789012:secret:x"),
        ("PasswordLength", "40"),
        ("GenerateStringKey", "password"),
        ("KmsKeyId", "1234"),
        ("Url", "https://example.com/a@b"),
    ],
)
def test_what_only_speaks_of_secrets_is_shown(key, value):
    assert not is_secret(key, "", value)


@pytest.mark.parametrize(
    "value",
    [
        "-----BEGIN RSA PRIVATE KEY-----\nabc",
        "x ASIAABCDEFGHIJKLMNOP",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl",
        f"ghp_{'a' * 36}",
        "postgresql://user:hunter2@db.example/payments",
    ],
)
def test_what_looks_like_a_secret_is_one_wherever_it_stands(value):
    assert is_secret("Description", "", value)


def test_what_the_eye_cannot_see_is_written_out():
    assert visible("a\tb\r\n") == r"a\tb\r\n"
    assert visible("\x1b[2J\u202e\u200b\U000e0001") == r"\x1b[2J\u202e\u200b\U000e0001"
    assert visible("naïve → 東京") == "naïve → 東京"


def test_quotes_show_the_ends_that_would_not_be_seen():
    assert [quoted(text) for text in ("a b", "", " a", "a ")] == ["a b", '""', '" a"', '"a "']


@given(st.text(max_size=60), st.integers(4, 40))
def test_a_shortened_text_keeps_its_ends(text, limit):
    short = shorten(text, limit)
    assert len(short) <= limit
    if len(text) > limit:
        assert "…" in short
        head = short.partition("…")[0]
        assert text.startswith(head)
    else:
        assert short == text


@given(st.text("ab", max_size=200), st.text("ab", max_size=200), st.integers(8, 60))
def test_excerpts_are_short_and_still_differ(before, after, limit):
    old, new = excerpts(before, after, limit)
    assert max(len(old), len(new)) <= limit
    if len(before) <= limit >= len(after):
        assert (old, new) == (before, after)


def test_excerpts_show_what_differs_in_its_surroundings():
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/payments@sha256:"
    assert excerpts(f"{image}{'0' * 64}", f"{image}{'1' * 64}", 40) == (
        f"…ts@sha256:{'0' * 15}…{'0' * 13}",
        f"…ts@sha256:{'1' * 15}…{'1' * 13}",
    )
    assert excerpts("x" * 100 + "1" + "y" * 100, "x" * 100 + "2" + "y" * 100, 20) == (
        "…xxxxx1yyyyy…",
        "…xxxxx2yyyyy…",
    )


@given(st.text(max_size=40), st.text(max_size=40))
def test_marked_parts_are_the_whole_of_each_side(before, after):
    old, new = marked(before, after)
    assert "".join(part.text for part in old) == before
    assert "".join(part.text for part in new) == after
    assert [part.text for part in old if not part.changed] == [part.text for part in new if not part.changed]


def test_marks_stand_on_words():
    old, new = marked("secret:payments/prod/application", "secret:payments/prod/java-application")
    assert [(part.text, part.changed) for part in new] == [
        ("secret:payments/prod/", False), ("java-", True), ("application", False),
    ]  # fmt: skip
    assert not any(part.changed for part in old)


def test_texts_with_little_in_common_and_long_ones_are_marked_as_a_whole():
    assert [part.changed for part in marked("one two", "xyz")[0]] == [True]
    assert [part.changed for part in marked("a " * 2000, "a " * 1999)[0]] == [True]


def test_a_difference_is_signed():
    assert [Difference("", *sides).sign for sides in ((None, "a"), ("a", None), ("a", "b"))] == ["+", "-", "~"]
