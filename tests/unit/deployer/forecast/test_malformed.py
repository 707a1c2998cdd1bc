"""Templates that somebody mangled: a forecast and a review of them end in a result or in words, never in a traceback."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployer.errors import TemplateError
from deployer.forecast.plan import forecast
from deployer.forecast.sources import from_aws
from deployer.gate.judge import judge
from deployer.gate.policy import load_policy
from deployer.review.build import build_review
from deployer.template_shape import faults

GOLDEN = Path(__file__).parents[3] / "golden" / "dev"
TIERS = {
    path.name.removesuffix(".template.json"): json.loads(path.read_text())
    for path in sorted(GOLDEN.glob("*.template.json"))
}
del TIERS["account"]
FUNCTIONS = (
    "Ref", "Condition", "Fn::And", "Fn::Base64", "Fn::Cidr", "Fn::Equals", "Fn::FindInMap", "Fn::ForEach::Subnet",
    "Fn::GetAtt", "Fn::GetAZs", "Fn::If", "Fn::ImportValue", "Fn::Join", "Fn::Length", "Fn::Not", "Fn::Or", "Fn::Select",
    "Fn::Split", "Fn::Sub", "Fn::ToJsonString", "Fn::Transform", "Fn::New",
)  # fmt: skip
NAMES = (
    "",
    "x",
    "Vpc",
    "Vpc.CidrBlock",
    "AWS::Region",
    "AWS::NoValue",
    "${",
    "${Vpc}",
    "${Vpc.VpcId}",
    "1",
    "-1",
    "Outputs.x",
)

scalars = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(allow_nan=False), st.sampled_from(NAMES))
names = st.sampled_from(FUNCTIONS)
arguments = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(("x", "DefaultValue")), inner, max_size=2),
        st.builds(lambda name, argument: {name: argument}, names, inner),
    ),
    max_leaves=5,
)
anything = st.builds(lambda name, argument: {name: argument}, names, arguments)


@st.composite
def well_formed(draw, depth=2):
    """A function with arguments of the right shape, and all the wrong contents."""
    text = st.sampled_from(NAMES)
    value = st.one_of(text, well_formed(depth=depth - 1)) if depth else text
    items = (
        st.one_of(st.lists(value, min_size=1, max_size=3), well_formed(depth=depth - 1))
        if depth
        else st.lists(text, min_size=1)
    )
    shapes = {
        "Ref": st.one_of(text.filter(bool), value.filter(bool)),
        "Fn::Base64": value,
        "Fn::Cidr": st.tuples(value, value),
        "Fn::FindInMap": st.tuples(value, value, value),
        "Fn::GetAtt": st.one_of(st.just("Vpc.CidrBlock"), st.tuples(value, value)),
        "Fn::GetAZs": value,
        "Fn::If": st.tuples(text, value, items),
        "Fn::Join": st.tuples(text, items),
        "Fn::Length": items,
        "Fn::Select": st.tuples(st.integers(0, 4), items),
        "Fn::Split": st.tuples(text.filter(bool), value),
        "Fn::Sub": st.one_of(text, st.tuples(text, st.dictionaries(st.just("x"), value))),
        "Fn::ToJsonString": items,
        "Fn::New": value,
    }
    name = draw(st.sampled_from(sorted(shapes)))
    argument = draw(shapes[name])
    return {name: list(argument) if isinstance(argument, tuple) else argument}


functions = st.one_of(anything, well_formed(), well_formed())


def places(node, found):
    """(holder, key) of each function of a template, and of each value that one of them could stand for."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        found.append((node, key))
        places(value, found)
    return found


def intrinsics(template):
    held = places({section: template.get(section, {}) for section in ("Resources", "Outputs")}, [])
    return [
        (holder, key)
        for holder, key in held
        if isinstance(holder[key], dict)
        and len(holder[key]) == 1
        and next(iter(holder[key])).startswith(("Ref", "Fn::"))
    ]


def look_at(before, after):
    """What `plan` does with both."""
    before, after = from_aws(before, "deployed").templates, from_aws(after, "built").templates
    tree, unknowns = forecast(before, after, stack_name="payments-dev", region="us-east-1")
    review = build_review(
        tree, before, after, stack="payments-dev", environment="dev", suffix="dev", region="us-east-1", durable=True,
        forecast=True, params=(), unknowns=unknowns,
    )  # fmt: skip
    return judge(review, frozenset(), load_policy(None))


@settings(max_examples=25, deadline=None)
@given(
    tier=st.sampled_from(sorted(TIERS)),
    seed=st.integers(0, 2**32),
    mangled=st.lists(functions, min_size=1, max_size=3),
    first=st.booleans(),
)
def test_mangled_functions_end_in_a_result_or_in_words(tier, seed, mangled, first):
    template = copy.deepcopy(TIERS[tier])
    draw = random.Random(seed)
    for function in mangled:
        holder, key = draw.choice(intrinsics(template))
        holder[key] = copy.deepcopy(function)
    other = {**TIERS, tier: template}
    malformed = list(faults(template))
    before, after = (other, TIERS) if first else (TIERS, other)
    if malformed:
        with pytest.raises(TemplateError) as caught:
            look_at(before, after)
        assert caught.value.problems == [f"deployed stack {tier}: {fault}" for fault in malformed]
        assert caught.value.exit_code == 2
    else:
        assert look_at(before, after).allowed in (True, False)


def test_real_templates_are_well_formed():
    for tier, template in TIERS.items():
        assert list(faults(template)) == [], tier
