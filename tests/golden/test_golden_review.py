"""The reviews of a few changes, as files: what a person reads before money moves is itself reviewed as a diff.

`make golden` rewrites them after a wanted change.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from deployer.render.html import render_html
from deployer.render.markdown import render_markdown
from deployer.render.text import render_text
from tests.unit.deployer.render.reviews import CASES, hostile, hostile_verdict

FOLDER = Path(__file__).parent / "review"
ALL = {**CASES, "hostile": (hostile, hostile_verdict)}
FORMS = {
    "txt": lambda review, verdict: render_text(review, verdict, width=100, color=False),
    "md": render_markdown,
    "html": render_html,
}
ON_FILE = [f"{name}.{form}" for name in ("upgrade", "first", "forecast", "failed", "hostile") for form in ("txt", "md")]


@pytest.mark.parametrize("name", [*ON_FILE, "upgrade.html"])
def test_the_review_is_that_on_file(name, request):
    case, _, form = name.partition(".")
    review, verdict = ALL[case]
    rendered = FORMS[form](review(), verdict())
    path = FOLDER / name
    if request.config.getoption("--update-golden"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(rendered, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == rendered, f"{name} changed; if wanted: make golden, and read the diff"


def test_no_file_is_left_over():
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted([*ON_FILE, "upgrade.html"])
