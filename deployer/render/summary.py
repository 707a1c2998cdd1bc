"""A review in one line, for logs of a pipeline and the subject of a message."""

from __future__ import annotations

from deployer.render.values import visible
from deployer.render.wording import counts, standing
from deployer.review.model import Review, Verdict


def summarize(review: Review, verdict: Verdict) -> str:
    """`payments-dev refused: 1 change must be acknowledged by name (3 replace, 8 modify; 5 noise)`."""
    return f"{visible(review.stack)} {standing(review, verdict).line} ({counts(review)})"
