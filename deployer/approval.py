"""Approved is executed: `review.json` binds a review to what it was made of, and tells when any of that has moved.

The document's digest recognises a slip of an editor or of a merge. It is no signature: whoever may execute may also
write the file. What AWS guarantees by itself (a change set is obsolete once its stack has changed) is asked besides.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from deployer.errors import StaleReviewError
from deployer.gate.acknowledgements import Acknowledgements
from deployer.gate.policy import Policy
from deployer.package_dir import Package
from deployer.render.document import read_review, read_verdict, review_document, verdict_document
from deployer.review.model import Review, Verdict

FORMAT = 1
_AGAIN = "review again: python deploy.py review --env ENV"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the change set is to be executed: `stack_status` and `last_updated` as DescribeStacks gives them.

    For a first creation the stack is the shell that the change set made (REVIEW_IN_PROGRESS). `root_digest` is the
    sha256 of the packaged root template, which names every other file of the tree by its digest.
    """

    account: str
    region: str
    stack_id: str
    stack_status: str
    last_updated: str
    root_digest: str


@dataclass(frozen=True, slots=True)
class Approval:
    """A review that still holds, with what was acknowledged when it was made; the gate judges it once more.

    `acknowledgements` hold for this change set and no other.
    """

    change_set_arn: str
    place: Place
    review: Review
    verdict: Verdict
    acknowledgements: Acknowledgements


def bind(
    change_set_arn: str,
    *,
    place: Place,
    package: Package,
    policy: Policy,
    review: Review,
    verdict: Verdict,
    acknowledgements: Acknowledgements,
    tool: str,
) -> dict[str, Any]:
    """The document of `review.json`, plain JSON values. `tool` is the version of this program."""
    document = {
        "format": FORMAT,
        "tool": tool,
        "change_set": change_set_arn,
        "place": asdict(place),
        "environment": package.environment,
        "suffix": package.suffix,
        "files": package.digests,
        "policy": policy.digest,
        "acknowledgements": sorted([rule, address] for rule, address in acknowledgements),
        "verdict": verdict_document(verdict),
        "review": review_document(review),
    }
    return {**document, "digest": _digest(document)}


def verify(
    document: object,
    *,
    place: Place,
    package: Package,
    policy: Policy,
    tool: str,
    not_executable: str = "",
) -> Approval:
    """The approval that a document holds, where nothing has moved since.

    `not_executable` says why AWS would not execute the change set, "" where it would. Raises StaleReviewError with
    everything that moved.
    """
    found = _opened(document)
    approval = _read(found)
    moved = [*_moved(found, approval, place, package, policy, tool)]
    if not_executable:
        moved.append(f"the change set cannot be executed: {not_executable}")
    if moved:
        raise StaleReviewError(moved, hint=_AGAIN.replace("ENV", package.environment))
    return approval


def change_set_of(document: object) -> str:
    """The ARN of the change set that a document was written for, before anything of it is verified."""
    return str(_opened(document)["change_set"])


def _opened(document: object) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise StaleReviewError("review.json: it is no JSON object", hint=_AGAIN)
    if document.get("format") != FORMAT:
        told = f"its format is {document.get('format')!r}, and this version of deploy.py reads format {FORMAT}"
        raise StaleReviewError(f"review.json: {told}", hint=_AGAIN)
    body = {key: value for key, value in document.items() if key != "digest"}
    if document.get("digest") != _digest(body):
        raise StaleReviewError("review.json: it was edited after it was written (its digest is another)", hint=_AGAIN)
    return body


def _read(found: Mapping[str, Any]) -> Approval:
    try:
        given = frozenset((str(rule), str(address)) for rule, address in found["acknowledgements"])
        place = Place(**found["place"])
        arn, verdict, review = str(found["change_set"]), found["verdict"], found["review"]
    except (KeyError, TypeError, ValueError) as error:
        raise StaleReviewError(f"review.json: it is damaged: {error}", hint=_AGAIN) from error
    return Approval(arn, place, read_review(review), read_verdict(verdict), given)


def _moved(
    found: Mapping[str, Any], approval: Approval, place: Place, package: Package, policy: Policy, tool: str
) -> Iterator[str]:
    was = approval.place
    for what, before, now in (
        ("this program's version", found.get("tool"), tool),
        ("the environment", found.get("environment"), package.environment),
        ("the suffix", found.get("suffix"), package.suffix),
        ("the account", was.account, place.account),
        ("the region", was.region, place.region),
        ("the stack", was.stack_id, place.stack_id),
        ("the stack's status", was.stack_status, place.stack_status),
        ("the stack's last update", was.last_updated or "never", place.last_updated or "never"),
    ):
        if before != now:
            yield f"{what} is not what was reviewed: {before} then, {now} now"
    yield from _moved_files(found.get("files", {}), package.digests)
    if was.root_digest != place.root_digest:
        yield "the packaged root template is not what was reviewed"
    if found.get("policy") != policy.digest:
        yield "the policy file is not what was reviewed"


def _moved_files(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(before.keys() | now.keys()):
        if name not in now:
            yield f"{name} is gone since the review"
        elif name not in before:
            yield f"{name} is new since the review"
        elif before[name] != now[name]:
            yield f"{name} is not what was reviewed: it was built again, with other contents"


def _digest(document: Mapping[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
