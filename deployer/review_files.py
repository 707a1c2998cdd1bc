"""The files of a review: review.json binds it, review.md and review.html are for people; whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployer.errors import StaleReviewError
from deployer.files import write_text

if TYPE_CHECKING:
    from deployer.review.model import Review, Verdict

REVIEW = "review.json"
_PAGES = ("review.md", "review.html")


def write_review(folder: Path, document: Mapping[str, Any], review: Review, verdict: Verdict) -> None:
    """Write the three files into out/<suffix>/.

    review.json is what `execute` believes: it goes first and comes last, so that it never stands beside the pages of
    another review.
    """
    from deployer.render.html import render_html  # of no use to who looks whether there is a review
    from deployer.render.markdown import render_markdown

    spend_review(folder)
    write_text(folder / "review.md", render_markdown(review, verdict))
    write_text(folder / "review.html", render_html(review, verdict))
    write_text(folder / REVIEW, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def read_document(folder: Path, command: str) -> Any:
    """What review.json holds; `command` is the one that writes it."""
    path = folder / REVIEW
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StaleReviewError(f"{path}: nothing has been reviewed", hint=f"review first: {command}") from None
    except (OSError, ValueError) as error:
        raise StaleReviewError(f"{path}: {error}", hint=f"review again: {command}") from error


def bound_change_set(folder: Path) -> str:
    """ARN of the change set that review.json binds, "" where there is none that can be read."""
    try:
        return str(json.loads((folder / REVIEW).read_text(encoding="utf-8"))["change_set"])
    except (OSError, ValueError, TypeError, KeyError):
        return ""


def spend_review(folder: Path) -> None:
    """Remove what binds a review that was executed; its pages tell on what was done."""
    (folder / REVIEW).unlink(missing_ok=True)


def remove_review(folder: Path) -> None:
    """Remove all of a review that was declined or overtaken."""
    spend_review(folder)
    for name in _PAGES:
        (folder / name).unlink(missing_ok=True)
