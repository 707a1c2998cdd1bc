"""The gate: what it refuses, what a flag lets through, what a policy never does."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.gate.acknowledgements import acknowledgements
from deployer.gate.judge import judge
from deployer.gate.policy import Never, Policy
from deployer.gate.rules import RULES, flag
from deployer.review.model import Action, Certainty, Concern, Finding, Item, Refusal, Review, Severity, TierReview
from settings.errors import UsageError

FREE = Policy()
NOTHING = frozenset()


def item(address, *findings, certainty=Certainty.CERTAIN):
    tier, _, logical_id = address.partition(".")
    return Item(
        address, tier, logical_id, "", "AWS::X", Action.MODIFY, certainty, Severity.NOTE, (), "", "", (), (),
        tuple(Finding(Concern.DATA, rule, text) for rule, text in findings),
    )  # fmt: skip


def review(*items, durable=True):
    tier = TierReview("database", "changed", "", items, ())
    return Review("s", "prod", "prod", "us-east-1", durable, False, "", "", "", "", (tier,), {}, (), ())


CLUSTER = item(
    "database.Cluster", ("replace", "is replaced: all data goes"), ("weaken", "a"), ("", "look"), ("weaken", "b")
)
SECRET = item("database.Secret", ("replace", "is replaced: the password goes"), certainty=Certainty.POSSIBLE)


def test_what_nobody_named_is_refused_with_the_flag_that_names_it():
    verdict = judge(review(CLUSTER, SECRET), NOTHING, FREE)
    assert verdict.refusals == (
        Refusal("database.Cluster", "replace", "is replaced: all data goes", "--allow-replace database.Cluster"),
        Refusal("database.Cluster", "weaken", "a; b", "--allow-weaken database.Cluster"),
        Refusal(
            "database.Secret", "replace", "possibly is replaced: the password goes", "--allow-replace database.Secret"
        ),
    )
    assert not verdict.allowed


def test_an_acknowledgement_lets_one_rule_of_one_resource_through():
    verdict = judge(review(CLUSTER, SECRET), frozenset([("replace", "database.Cluster")]), FREE)
    assert verdict.acknowledged == (("replace", "database.Cluster"),)
    assert [(refusal.rule, refusal.address) for refusal in verdict.refusals] == [
        ("weaken", "database.Cluster"), ("replace", "database.Secret"),
    ]  # fmt: skip


def test_everything_named_is_allowed():
    named = frozenset([("replace", "database.Cluster"), ("weaken", "database.Cluster")])
    assert judge(review(CLUSTER), named, FREE).allowed


def test_nothing_to_name_is_allowed():
    assert judge(review(item("database.Cluster", ("", "look"))), NOTHING, FREE).allowed


@pytest.mark.parametrize("durable", [True, False])
def test_a_disposable_environment_has_the_same_gate(durable):
    assert len(judge(review(CLUSTER, durable=durable), NOTHING, FREE).refusals) == 2


def test_a_policy_cannot_be_overruled():
    never = Policy((Never("replace", ("database.*",), "all payments", "policies/prod.yaml:4"),), "digest")
    named = frozenset([("replace", "database.Cluster"), ("weaken", "database.Cluster")])
    verdict = judge(review(CLUSTER), named, never)
    assert verdict.refusals == (
        Refusal(
            "database.Cluster", "replace",
            "is replaced: all data goes (never here, see policies/prod.yaml:4; all payments)", "",
        ),
    )  # fmt: skip
    assert verdict.acknowledged == (("weaken", "database.Cluster"),)


@given(st.sets(st.sampled_from(list(itertools.product(RULES, ["database.A", "database.B"])))), st.data())
def test_each_question_is_answered_exactly_once(asked, data):
    """Whatever is asked and acknowledged: nothing is lost, nothing passes that was not named."""
    items = [
        item(address, *((rule, rule) for rule in RULES if (rule, address) in asked))
        for address in ("database.A", "database.B")
    ]
    named = data.draw(st.sets(st.sampled_from(sorted(asked)))) if asked else set()
    verdict = judge(review(*items), frozenset(named), FREE)
    refused = {(refusal.rule, refusal.address) for refusal in verdict.refusals}
    assert set(verdict.acknowledged) == named
    assert refused == asked - named
    assert all(refusal.flag == flag(refusal.rule, refusal.address) for refusal in verdict.refusals)


# --- acknowledgements ------------------------------------------------------------------------------------------------
def test_flags_are_read_by_rule():
    assert acknowledgements({"replace": ["a.B"], "access": ("c.D", "e.F"), "odd": ["x"]}) == {
        ("replace", "a.B"), ("access", "c.D"), ("access", "e.F"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("named", "hint"),
    [
        (("replace", "database.Clutser"), "did you mean database.Cluster?"),
        (
            ("delete", "database.Cluster"),
            "it asks for --allow-replace database.Cluster, --allow-weaken database.Cluster",
        ),
        (
            ("traffic", "network.Vpc"),
            "it asks for --allow-replace database.Cluster, --allow-weaken database.Cluster, --allow-replace database.Secret",
        ),
    ],
)
def test_an_acknowledgement_that_names_nothing_is_a_slip(named, hint):
    with pytest.raises(UsageError) as caught:
        judge(review(CLUSTER, SECRET), frozenset([named]), FREE)
    assert caught.value.problems == [f"{flag(*named)}: the gate asks no such thing of this change"]
    assert caught.value.hint == hint


def test_every_slip_is_named():
    with pytest.raises(UsageError) as caught:
        judge(review(), frozenset([("access", "a.B"), ("replace", "a.B")]), FREE)
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["--allow-access a.B", "--allow-replace a.B"]
    assert caught.value.hint == "leave the flag out"
