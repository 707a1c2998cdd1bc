"""`build.py versions`: the table of what is in use, for people and as JSON."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from compiler.versions import render, run
from settings.lifecycle import assess, load_table
from settings.load import load
from settings.model import Settings

PARAMS = Path(__file__).parents[3] / "params"
TODAY = date(2026, 11, 24)


@pytest.fixture
def dev() -> dict[str, Settings]:
    return {"dev": load(PARAMS, "dev")}


def with_aurora(environments: dict[str, Settings], version: str) -> dict[str, Settings]:
    return {
        env: dataclasses.replace(s, database=dataclasses.replace(s.database, engine_version=version))
        for env, s in environments.items()
    }


def printed(
    environments: dict[str, Settings], params: Path = PARAMS, today: date = TODAY, **options: Any
) -> tuple[int, str]:
    out = io.StringIO()
    return run(environments, params, today, out, **options), out.getvalue()


def test_the_table_shows_every_choice_with_its_date_and_its_source(dev: dict[str, Settings]) -> None:
    code, text = printed(dev)
    assert code == 0
    lines = text.splitlines()
    assert lines[0] == "versions in use, judged on 2026-11-24"
    assert lines[2].split() == [
        "chosen",
        "by",
        "product",
        "version",
        "status",
        "until",
        "days",
        "left",
        "whose",
        "date",
        "move",
        "to",
    ]
    assert lines[3].split() == [
        "database.engine_version",
        "(dev)",
        "aurora-postgresql",
        "17.7",
        "ok",
        "2030-02-28",
        "1192",
        "own",
        "-",
    ]
    assert lines[4].split() == [
        "migration.engine_version",
        "(dev)",
        "dms",
        "3.6.1",
        "ok",
        "-",
        "-",
        "none",
        "announced",
        "-",
    ]
    assert "sources" in lines
    assert next(line for line in lines if line.startswith("lambda ")).split() == [
        "lambda", "checked", "on", "2026-11-24", "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"
    ]  # fmt: skip
    assert not any(line.startswith(("warning", "error")) for line in lines)


def test_a_dead_version_ends_with_1_and_says_what_to_move_to(dev: dict[str, Settings]) -> None:
    code, text = printed(with_aurora(dev, "13.21"))
    assert code == 1
    assert "13.21                                       not creatable  2026-02-28  -269       major" in text
    assert "17.7, 17.11, 18.6, 16.8" in text
    assert "error: database.engine_version: aurora-postgresql 13.21: AWS no longer offers it" in text


def test_a_version_that_ends_soon_warns_and_ends_with_0(dev: dict[str, Settings]) -> None:
    code, text = printed(with_aurora(dev, "17.4"))
    assert code == 0
    assert "warning: database.engine_version: aurora-postgresql 17.4: its support ends on 2026-11-30, in 6 days" in text


def test_a_dead_version_without_a_way_out_shows_a_question_mark(dev: dict[str, Settings]) -> None:
    _, text = printed(dev, today=date(2029, 7, 1))
    assert next(line for line in text.splitlines() if "python3.13" in line).endswith("?")


def test_environments_with_the_same_version_share_a_row(dev: dict[str, Settings]) -> None:
    environments = {**with_aurora(dev, "17.11"), "staging": dev["dev"], "prod": dev["dev"]}
    lines = printed(environments)[1].splitlines()
    rows = [line for line in lines if line.startswith("database.engine_version")]
    assert [row.split("  ")[0] for row in rows] == [
        "database.engine_version (dev)",
        "database.engine_version (staging, prod)",
    ]
    assert sum("python3.13" in line for line in lines) == 1


def test_the_same_note_of_two_environments_is_printed_once(dev: dict[str, Settings]) -> None:
    soon = with_aurora(dev, "17.4")["dev"]
    table = load_table(PARAMS)
    text = render({env: assess(soon, table, TODAY) for env in ("dev", "prod")}, TODAY)
    assert text.count("warning: database.engine_version") == 1


def test_json_holds_what_the_table_shows(dev: dict[str, Settings]) -> None:
    code, text = printed(with_aurora(dev, "17.4"), as_json=True)
    document = json.loads(text)
    assert code == 0
    assert document["today"] == "2026-11-24"
    assert document["versions"][0] == {
        "environments": ["dev"],
        "key": "database.engine_version",
        "product": "aurora-postgresql",
        "version": "17.4",
        "status": "ends soon",
        "until": "2026-11-30",
        "event": "last day of support",
        "basis": "own",
        "days_left": 6,
        "reason": "its support ends on 2026-11-30, in 6 days",
        "move_to": ["17.7", "17.11", "18.6"],
        "source": "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraPostgreSQLReleaseNotes/aurorapostgresql-release-calendar.html",
        "checked_on": "2026-11-24",
    }
    assert document["versions"][1]["until"] is None
    assert [warning.split(":")[0] for warning in document["warnings"]] == ["database.engine_version"]


def test_showing_the_table_imports_no_boto3() -> None:
    program = (
        "import io, sys, datetime, pathlib; from compiler.versions import run; from settings.load import load;"
        "params = pathlib.Path('params');"
        "run({'dev': load(params, 'dev')}, params, datetime.date(2026, 11, 24), io.StringIO());"
        "print([name for name in sys.modules if name.partition('.')[0] in ('boto3', 'botocore')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PARAMS.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
