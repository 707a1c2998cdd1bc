"""A review survives its document exactly, and a damaged document says where."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployer.changes import PropertyChange
from deployer.errors import StaleReviewError
from deployer.render.document import FORMAT, read_review, read_verdict, review_document, verdict_document
from deployer.review.model import (
    Action,
    Certainty,
    Concern,
    Edit,
    Item,
    Link,
    Refusal,
    Review,
    Severity,
    TierReview,
    Verdict,
)


def _few(kind):
    return st.lists(st.from_type(kind), max_size=2).map(tuple)


EDITS = st.builds(Edit, chain=_few(Link))
ITEMS = st.builds(Item, edits=st.lists(EDITS, max_size=2).map(tuple))
TIERS = st.builds(TierReview, items=st.lists(ITEMS, max_size=2).map(tuple))
REVIEWS = st.builds(
    Review,
    tiers=st.lists(TIERS, max_size=2).map(tuple),
    counts=st.dictionaries(st.text(max_size=8), st.integers(0, 999), max_size=3),
)
VERDICTS = st.builds(Verdict, refusals=_few(Refusal))


@settings(max_examples=60, deadline=None)
@given(REVIEWS)
def test_a_review_survives_its_document(review):
    document = review_document(review)
    again = read_review(json.loads(json.dumps(document)))
    assert again == review
    assert [type(item.action) for item in again.items()] == [type(item.action) for item in review.items()]
    assert json.dumps(review_document(again)) == json.dumps(document)


@given(VERDICTS)
def test_a_verdict_survives_its_document(verdict):
    document = json.loads(json.dumps(verdict_document(verdict)))
    assert read_verdict(document) == verdict
    assert document["allowed"] is verdict.allowed


def _review():
    item = Item(
        "database.Cluster",
        "database",
        "Cluster",
        "payments-dev-database",
        "AWS::RDS::DBCluster",
        Action.MODIFY,
        Certainty.CERTAIN,
        Severity.WARN,
        (Concern.DATA,),
        "modified",
        "",
        (),
        (),
    )
    tier = TierReview("database", "changed", "", (item,), ())
    return Review(
        "payments-dev",
        "dev",
        "dev",
        "us-east-1",
        False,
        False,
        "one line",
        "",
        "",
        "",
        (tier,),
        {"modify": 1},
        (("database.engine_version", "17.7", "17.10"),),
        (),
    )


def test_the_format_stands_first_and_keys_follow_the_model():
    document = review_document(_review())
    assert list(document)[:5] == ["format", "stack", "environment", "suffix", "region"]
    assert document["params"] == [["database.engine_version", "17.7", "17.10"]]
    assert document["tiers"][0]["items"][0]["concerns"] == ["data"]


@pytest.mark.parametrize("version", [0, FORMAT + 1, "1", None, True])
def test_another_format_is_named(version):
    with pytest.raises(
        StaleReviewError, match=rf"its format is {version!r}, and this .* reads format {FORMAT}"
    ) as told:
        read_review({**review_document(_review()), "format": version})
    assert "deploy.py review" in told.value.hint


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda d: d.pop("headline"), "review.headline is missing"),
        (lambda d: d.update(colour="red"), "review.colour is not known"),
        (lambda d: d.update(durable="no"), "review.durable is str, not bool"),
        (lambda d: d.update(counts={"modify": True}), "review.counts.modify is bool, not int"),
        (lambda d: d.update(counts=[]), "review.counts is no JSON object"),
        (lambda d: d.update(tiers={}), "review.tiers is no JSON array"),
        (lambda d: d.update(tiers=["database"]), r"review.tiers\[0\] is no JSON object"),
        (lambda d: d.update(params=[["a", "b"]]), r"review.params\[0\] has 2 values, not 3"),
        (
            lambda d: d["tiers"][0]["items"][0].update(action="explode"),
            r"items\[0\].action is 'explode', none of replace",
        ),
        (lambda d: d["tiers"][0]["items"][0].update(action=None), r"items\[0\].action is None, none of"),
    ],
)
def test_damage_is_told_with_its_place(damage, told):
    document = review_document(_review())
    damage(document)
    with pytest.raises(StaleReviewError, match=f"the review's document is damaged: .*{told}"):
        read_review(document)


def test_what_is_no_object_is_no_review():
    with pytest.raises(StaleReviewError, match="review is no JSON object"):
        read_review(["format", 1])


def test_a_field_with_a_default_may_be_missing():
    change = PropertyChange("Properties", "Port", "Modify", "1", "2", "Never", "Static", "DirectModification", "")
    (item,) = _review().items()
    item = replace(item, edits=(Edit(change, Certainty.CERTAIN, False, ()),))
    review = replace(_review(), tiers=(TierReview("database", "changed", "", (item,), ()),))
    document = review_document(review)
    del document["tiers"][0]["items"][0]["edits"][0]["property"]["after_known"]
    assert read_review(document) == review


def test_a_verdict_that_contradicts_itself_is_damaged():
    document = verdict_document(Verdict((Refusal("database.Cluster", "replace", "data", ""),), ()))
    with pytest.raises(StaleReviewError, match=r"verdict.allowed does not agree with verdict.refusals"):
        read_verdict({**document, "allowed": True})
    with pytest.raises(StaleReviewError, match="verdict is no JSON object"):
        read_verdict(None)
