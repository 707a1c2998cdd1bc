# ruff: noqa: INP001  # a script beside what it makes
"""The review that the README shows, as text and as a picture: made anew by what it tells of.

    make pictures

A copy of the repository is built and deployed to an embedded AWS of its own; then the copy is edited as a person would:
an engine upgrade, a shift of weights, a secret renamed. What `deploy.py review` prints and writes goes into README.md,
between its two marks, and into docs/review.png.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs/review.png"
WIDTH = 1200
CHANGE = "database.DmsSecret"  # the last one on the picture
# What is edited: file, text, its replacement.
EDITS = (
    ("params/dev.yaml", "database:\n", 'database:\n  engine_version: "17.11"\n'),
    ("params/dev.yaml", "service:\n", "load_balancer:\n  aws_weight: 10\nservice:\n"),
    (
        "templates/database_secrets.py",
        "(names.SECRET, part)",
        '(names.SECRET, "replication" if part == "dms" else part)',
    ),
    ("templates/identity_policies.py", '["dms", "source-dms"]', '["replication", "source-dms"]'),
)
# The paragraphs of the review that the README shows, by their first word; the first two are always shown.
SHOWN = ("params", "database", "refused")
MARKS = ("<!-- review: make pictures -->", "<!-- /review -->")
LEFT_OUT = "  […]"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def main() -> None:
    """Make both."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "repository")
        generated = shutil.ignore_patterns("__pycache__", ".*", "out", "tests", "docs")
        shutil.copytree(ROOT, copy, ignore=generated)
        shutil.copy2(ROOT / ".cfnlintrc", copy)
        try:
            run(copy, 0, "build.py", "--env", "dev")
            run(copy, 0, "deploy.py", "--env", "dev", "--local", "--yes")
            for name, text, replacement in EDITS:
                edit(copy / name, text, replacement)
            run(copy, 0, "build.py", "--env", "dev")
            review = run(copy, 1, "deploy.py", "review", "--env", "dev", "--local")  # the gate refuses it
            write_text(excerpt(review))
            take_picture(copy / "out/dev/review.html")
        finally:
            run(copy, 0, "deploy.py", "local", "stop")


def run(folder: Path, wanted: int, *words: str) -> str:
    """What a command prints, as wide as 100 columns; `wanted` is the exit code that it must end with."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LOCALAWS_"))}
    variables |= {"COLUMNS": "100", "ENVIRONMENT_SUFFIX": ""}
    done = subprocess.run(  # noqa: S603  # our own doors
        [sys.executable, *words], cwd=folder, env=variables, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != wanted:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}\n{done.stdout}")
    return done.stdout


def edit(path: Path, text: str, replacement: str) -> None:
    """Replace what must be there exactly once."""
    before = path.read_text(encoding="utf-8")
    if before.count(text) != 1:
        raise SystemExit(f"{path}: {text!r} is there {before.count(text)} times")
    path.write_text(before.replace(text, replacement), encoding="utf-8")


def excerpt(review: str) -> str:
    """The paragraphs to show, and a mark where others are left out; without what differs every time: physical ids."""
    lines: list[str] = []
    for number, paragraph in enumerate(review.rstrip().split("\n\n")):
        if number > 1 and not paragraph.startswith(SHOWN):
            if lines[-2:] != ["", LEFT_OUT]:
                lines += ["", LEFT_OUT]
            continue
        told = re.sub(r"\n +physical id .*(\n {8,}\S+)?", "", paragraph)
        told = re.sub(r"(:secret:\S+)-\w{6}\b", r"\1-…", told)
        lines += ["", *told.split("\n")]
    return "\n".join(lines[1:])


def write_text(text: str) -> None:
    """Put the text between the README's marks."""
    path = ROOT / "README.md"
    before = path.read_text(encoding="utf-8")
    start, end = (before.index(mark) for mark in MARKS)
    shown = f"{before[:start]}{MARKS[0]}\n```\n{text}\n```\n{before[end:]}"
    path.write_text(shown, encoding="utf-8")


def take_picture(page: Path) -> None:
    """The top of the page in a light theme, filtered for what stops a reader, down to the first change told in full."""
    if CHROMIUM is None:
        raise SystemExit("no Chromium is installed: README.md has the new text, docs/review.png the old picture")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_page(viewport={"width": WIDTH, "height": 1000}, color_scheme="light")
        opened.goto(page.as_uri())
        opened.get_by_label("Severity").select_option("stop")
        box = opened.locator(f'[id="{CHANGE}"]').bounding_box()
        if box is None:
            raise SystemExit(f"{page}: there is no {CHANGE} on it")
        height = box["y"] + box["height"] + 16
        opened.screenshot(path=PICTURE, full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": height})
        browser.close()


if __name__ == "__main__":
    main()
