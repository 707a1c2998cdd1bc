"""Whatever stands in a template, a rule finds or is silent: it never raises. Well-formed templates, broken at random."""

from __future__ import annotations

import copy
import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from rules._catalogue import house_rules
from rules._template import Template

RULES = [rule() for rule in house_rules().values()]
TEMPLATES = [json.loads(path.read_text()) for path in sorted(Path(__file__).with_name("cases").glob("*/*.json"))]


def nodes(node, path=()):
    yield path
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from nodes(value, (*path, key))


PATHS = [list(nodes(template["Resources"])) for template in TEMPLATES]
VOCABULARY = sorted({str(key) for paths in PATHS for path in paths for key in path})
TYPES = sorted({resource["Type"] for template in TEMPLATES for resource in template["Resources"].values()})

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        [
            "*",
            "",
            "{",
            "{}",
            '{"rules": [1, {"rule-type": "selection"}]}',
            "arn:aws:iam::1:root",
            "-1",
            "0.0.0.0/0",
            "${A}",
            "prod",
        ]
    ),
)
functions = st.sampled_from([
    {"Ref": "AWS::NoValue"}, {"Ref": "AWS::Region"}, {"Ref": 1}, {"Ref": []}, {"Fn::Sub": "${Topic.Arn}"}, {"Fn::Sub": []},
    {"Fn::Sub": ["${a}", {"a": None}]}, {"Fn::GetAtt": []}, {"Fn::GetAtt": "a"}, {"Fn::Join": ["", [None, {"Ref": "x"}]]},
    {"Fn::Join": [None, []]}, {"Fn::If": []}, {"Condition": "x"},
])  # fmt: skip
values = st.recursive(
    scalars | functions,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(VOCABULARY) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


def replace(root, path, value):
    if not path:
        return value
    node = root
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return root


@st.composite
def broken(draw):
    number = draw(st.integers(0, len(TEMPLATES) - 1))
    template = copy.deepcopy(TEMPLATES[number])
    paths = PATHS[number]
    # The later of two breaks may lie below the earlier one, which took its place away.
    for path in sorted(
        {paths[draw(st.integers(0, len(paths) - 1))] for _ in range(draw(st.integers(1, 3)))}, key=len, reverse=True
    ):
        template["Resources"] = replace(template["Resources"], path, draw(values))
    return template


@st.composite
def invented(draw):
    keys = st.sampled_from(VOCABULARY)
    resource = st.fixed_dictionaries(
        {"Type": st.sampled_from(TYPES) | values, "Properties": st.dictionaries(keys, values, max_size=8) | values},
        optional={"Metadata": values, "DeletionPolicy": values},
    )
    resources = draw(st.dictionaries(st.sampled_from(["Topic", "A", "Load Balancer"]), resource, max_size=3) | values)
    return draw(st.fixed_dictionaries({}, optional={"Metadata": values})) | {"Resources": resources}


def check(content):
    template = Template(content)
    for rule in RULES:
        for found in rule.findings(template):
            assert found.path[0] in ("Resources", "Metadata")
            assert all(isinstance(part, str | int) for part in found.path)
            assert isinstance(found.message, str)


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(broken())
def test_no_rule_raises_on_a_template_broken_somewhere(content):
    check(content)


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(invented())
def test_no_rule_raises_on_an_invented_template(content):
    check(content)


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(values)
def test_no_rule_raises_on_what_is_no_template(content):
    check(content)
