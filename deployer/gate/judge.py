"""The gate: a review and what a person acknowledged → whether it may be executed."""

from __future__ import annotations

from collections.abc import Iterator

from deployer.gate.acknowledgements import Acknowledgements, check_that_each_names_something
from deployer.gate.policy import Policy
from deployer.gate.rules import RULES, flag
from deployer.review.model import Certainty, Refusal, Review, Verdict


def judge(review: Review, acknowledgements: Acknowledgements, policy: Policy) -> Verdict:
    """What the gate refuses: each rule of each resource once, with what would be lost and the flag that lets it pass.

    Possible harm counts as certain: AWS says "Conditional" where it cannot tell, and a database is not replaced on a
    maybe. The gate is the same in a disposable environment: what is disposable there is the environment, by
    `deploy.py destroy`, and a change that works there unseen would be refused in the next environment only. What a
    policy never allows stays refused whatever is acknowledged. Raises UsageError for an acknowledgement that matches
    nothing in this review.
    """
    asked = dict(_asked(review))
    check_that_each_names_something(acknowledgements, asked)
    refusals, used = [], []
    for (rule, address), reason in asked.items():
        never = policy.forbids(rule, address)
        if never is not None:
            refusals.append(Refusal(address, rule, f"{reason} ({never})", ""))
        elif (rule, address) in acknowledgements:
            used.append((rule, address))
        else:
            refusals.append(Refusal(address, rule, reason, flag(rule, address)))
    return Verdict(tuple(refusals), tuple(used))


def _asked(review: Review) -> Iterator[tuple[tuple[str, str], str]]:
    """(rule, address) and the reasons, in the order of the review."""
    for item in review.items():
        for rule in RULES:
            reasons = [
                finding.text.removeprefix(f"{item.address} ") for finding in item.findings if finding.rule == rule
            ]
            if reasons:
                may = "" if item.certainty is Certainty.CERTAIN or reasons[0].startswith("may ") else "possibly "
                yield (rule, item.address), may + "; ".join(reasons)
