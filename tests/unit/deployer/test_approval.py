"""Approved is executed: what a review is bound to, and that nothing of it moves unseen."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from deployer.approval import FORMAT, Place, bind, change_set_of, verify
from deployer.errors import StaleReviewError
from deployer.gate.policy import Policy
from deployer.package_dir import read_package
from deployer.review.model import Action, Certainty, Concern, Finding, Item, Review, Severity, TierReview, Verdict

ARN = "arn:aws:cloudformation:us-east-1:123456789012:changeSet/up/1"
PLACE = Place("123456789012", "us-east-1", "arn:stack/1", "UPDATE_COMPLETE", "2026-11-24T10:00:00+00:00", "ab" * 32)
POLICY = Policy((), "cd" * 32)
TOOL = "0.1.0"
GIVEN = frozenset([("replace", "database.Cluster"), ("access", "security.Rule")])
VERDICT = Verdict((), (("replace", "database.Cluster"),))
ITEM = Item(
    "database.Cluster", "database", "Cluster", "p", "AWS::RDS::DBCluster", Action.REPLACE, Certainty.CERTAIN, Severity.STOP,
    (Concern.DATA,), "replaced", "deleted", (), (), (Finding(Concern.DATA, "replace", "all data"),),
)  # fmt: skip
REVIEW = Review(
    "payments-dev", "dev", "dev", "us-east-1", False, False, "headline", "d", "t", "a",
    (TierReview("database", "changed", "", (ITEM,), ()),), {"replace": 1}, (("a.b", "1", "2"),), (),
)  # fmt: skip


@pytest.fixture
def package(out_dev):
    return read_package(out_dev / "dev")


@pytest.fixture
def document(package):
    """As it is read back from the file."""
    bound = bind(
        ARN,
        place=PLACE,
        package=package,
        policy=POLICY,
        review=REVIEW,
        verdict=VERDICT,
        acknowledgements=GIVEN,
        tool=TOOL,
    )
    return json.loads(json.dumps(bound))


def check(document, package, **changes):
    now = {"place": PLACE, "package": package, "policy": POLICY, "tool": TOOL} | changes
    return verify(document, **now)


def moved(document, package, **changes):
    with pytest.raises(StaleReviewError) as caught:
        check(document, package, **changes)
    assert caught.value.hint.startswith("review again: ")
    return caught.value.problems


def signed(document, **changes):
    """The document as this program would have written it with other contents."""
    from deployer import approval

    body = {**document, **changes}
    body.pop("digest")
    return {**body, "digest": approval._digest(body)}


def test_what_was_approved_comes_back_whole(document, package):
    approval = check(document, package)
    assert approval.change_set_arn == ARN == change_set_of(document)
    assert approval.review == REVIEW
    assert approval.verdict == VERDICT
    assert approval.acknowledgements == GIVEN
    assert approval.place == PLACE


def test_the_document_holds_no_time_and_is_the_same_twice(document, package):
    again = bind(
        ARN,
        place=PLACE,
        package=package,
        policy=POLICY,
        review=REVIEW,
        verdict=VERDICT,
        acknowledgements=GIVEN,
        tool=TOOL,
    )
    assert json.loads(json.dumps(again)) == document


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"account": "123456789013"}, "the account is not what was reviewed: 123456789012 then, 123456789013 now"),
        ({"region": "eu-west-1"}, "the region is not what was reviewed: us-east-1 then, eu-west-1 now"),
        ({"stack_id": "arn:stack/2"}, "the stack is not what was reviewed: arn:stack/1 then, arn:stack/2 now"),
        (
            {"stack_status": "UPDATE_ROLLBACK_COMPLETE"},
            "the stack's status is not what was reviewed: UPDATE_COMPLETE then, UPDATE_ROLLBACK_COMPLETE now",
        ),
        (
            {"last_updated": ""},
            "the stack's last update is not what was reviewed: 2026-11-24T10:00:00+00:00 then, never now",
        ),
        ({"root_digest": "ef" * 32}, "the packaged root template is not what was reviewed"),
    ],
)
def test_a_place_that_moved_is_named(document, package, changes, problem):
    assert moved(document, package, place=replace(PLACE, **changes)) == [problem]


def test_another_policy_or_program_is_named(document, package):
    assert moved(document, package, policy=Policy()) == ["the policy file is not what was reviewed"]
    assert moved(document, package, tool="0.2.0") == [
        "this program's version is not what was reviewed: 0.1.0 then, 0.2.0 now"
    ]


def test_a_rebuilt_tree_is_named_file_by_file(document, package):
    files = {name: dict(entry) for name, entry in package.manifest["files"].items()}
    files["database.template.json"]["sha256"] = "00"
    files["new.template.json"] = {"sha256": "11"}
    del files["network.template.json"]
    rebuilt = replace(package, manifest={**package.manifest, "files": files})
    assert moved(document, rebuilt) == [
        "database.template.json is not what was reviewed: it was built again, with other contents",
        "network.template.json is gone since the review",
        "new.template.json is new since the review",
    ]


def test_the_build_of_another_environment_is_named(document, package):
    other = replace(package, manifest={**package.manifest, "environment": "prod", "suffix": "pr-1"})
    assert moved(document, other) == [
        "the environment is not what was reviewed: dev then, prod now",
        "the suffix is not what was reviewed: dev then, pr-1 now",
    ]


def test_an_obsolete_change_set_is_named(document, package):
    assert moved(document, package, not_executable="it is obsolete") == [
        "the change set cannot be executed: it is obsolete"
    ]


def test_everything_that_moved_is_named_at_once(document, package):
    assert len(moved(document, package, tool="x", policy=Policy(), not_executable="gone")) == 3


@pytest.mark.parametrize(
    "edit",
    [
        lambda document: document["acknowledgements"].append(["delete", "database.Writer"]),
        lambda document: document["verdict"].update(refusals=[]) or document["verdict"].update(extra=1),
        lambda document: document["review"].update(headline="nothing to see"),
        lambda document: document["files"].update({"database.template.json": "00"}),
        lambda document: document.update(policy=""),
        lambda document: document.update(digest="00"),
        lambda document: document.pop("digest"),
    ],
)
def test_an_edited_document_is_recognised(document, package, edit):
    edit(document)
    assert moved(document, package) == ["review.json: it was edited after it was written (its digest is another)"]


@pytest.mark.parametrize("document", [None, [], "text"])
def test_what_is_no_document_is_no_review(document, package):
    assert moved(document, package) == ["review.json: it is no JSON object"]


def test_a_document_of_another_format_is_named(document, package):
    assert moved({**document, "format": FORMAT + 1}, package) == [
        f"review.json: its format is {FORMAT + 1}, and this version of deploy.py reads format {FORMAT}"
    ]


@pytest.mark.parametrize(
    "changes", [{"acknowledgements": [["one"]]}, {"acknowledgements": None}, {"place": {"account": "1"}}, {"place": 1}]
)
def test_a_damaged_document_is_no_review(document, package, changes):
    assert moved(signed(document, **changes), package)[0].startswith("review.json: it is damaged: ")


def test_a_document_without_a_review_is_no_review(document, package):
    document.pop("review")
    assert moved(signed(document), package)[0].startswith("review.json: it is damaged: ")


def test_a_damaged_review_names_its_place(document, package):
    assert moved(signed(document, review={"format": 1}), package)[0].startswith("the review's document is damaged")
