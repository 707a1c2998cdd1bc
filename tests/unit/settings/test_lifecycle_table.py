"""Reading params/lifecycle.yaml: what it may say, and how a mistake in it is told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from settings.errors import ParamsError
from settings.lifecycle import load_table
from settings.lifecycle_table import Entry, parse_table

# The smallest table that is whole: one living version of each product, written as a person writes it.
SMALL = """\
aurora-postgresql:
  source: https://example.com/calendar
  gone_source: https://example.com/gone
  checked_on: 2026-11-24
  move_to: ["17.7"]
  majors:
    "13": {ends: 2026-02-28, extended_until: 2029-02-28}
    "17": {ends: 2030-02-28}
  versions:
    "13.9": {ends: 2026-02-28}
    "17.4": {ends: 2026-11-30}   # soon
    "17.7": {ends: 2030-02-28, note: LTS}
    "17.10": {}
  gone:
    "13": 13.7 13.21
dms:
  source: https://example.com/dms
  checked_on: 2026-11-24
  move_to: ["3.6.1"]
  versions:
    "3.5.4": {no_new_after: 2027-01-31, ends: 2027-03-31}
    "3.6.1": {}
lambda:
  source: https://example.com/lambda
  checked_on: 2026-11-24
  move_to: [python3.13]
  versions:
    python3.13: {ends: 2029-06-30}
fargate:
  source: https://example.com/fargate
  checked_on: 2026-11-24
  move_to: ["1.4.0"]
  versions:
    "1.4.0": {}
rds-ca:
  source: https://example.com/ca
  checked_on: 2026-11-24
  move_to: [rds-ca-rsa2048-g1]
  versions:
    rds-ca-rsa2048-g1: {ends: 2061-05-25}
elb-tls:
  source: https://example.com/tls
  checked_on: 2026-11-24
  move_to: [ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09]
  versions:
    ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09: {}
    ELBSecurityPolicy-2016-08: {refused: it accepts TLS 1.0}
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(ParamsError) as caught:
        parse_table(text, "lifecycle.yaml")
    return caught.value.problems


def test_the_small_table_is_whole() -> None:
    product = parse_table(SMALL, "lifecycle.yaml").products["aurora-postgresql"]
    assert product.versions["17.7"] == Entry(ends=date(2030, 2, 28), note="LTS")
    assert product.versions["13.21"] == Entry(gone=True)
    assert product.majors["13"] == Entry(ends=date(2026, 2, 28), extended_until=date(2029, 2, 28))
    assert parse_table(SMALL, "x").products["dms"].gone_source == "https://example.com/dms"


@pytest.mark.parametrize("nothing", ['    "13":\n', ""])
def test_a_group_of_gone_versions_and_the_block_may_be_empty(nothing: str) -> None:
    table = parse_table(SMALL.replace('    "13": 13.7 13.21\n', nothing), "lifecycle.yaml")
    assert set(table.products["aurora-postgresql"].versions) == {"13.9", "17.4", "17.7", "17.10"}


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"17.10": {}', "17.10: {}", "lifecycle.yaml:13: aurora-postgresql.versions: 17.10 is not text: put it in quotes"),
        ('"13": 13.7 13.21', '"13": 13.7', "lifecycle.yaml:15: aurora-postgresql.gone.13: 13.7 is not text: put it in quotes"),
        ('"13": 13.7 13.21', '"13": [13.7]', "lifecycle.yaml:15: aurora-postgresql.gone.13: must be text"),
        ('"13": 13.7 13.21', '"13": 13.7 31.21', "lifecycle.yaml:15: aurora-postgresql.gone.13: 31.21 is no version of 13"),
        ('"13": 13.7 13.21', '"13": 13.7 13.7', "lifecycle.yaml:15: aurora-postgresql.gone.13: 13.7 stands twice"),
        ('"13": 13.7 13.21', '"13": 13.7 13.9', "lifecycle.yaml:15: aurora-postgresql.gone: 13.9 stands twice"),
        ('"17.10": {}', '"17.4": {}', "lifecycle.yaml:13: aurora-postgresql.versions: 17.4 stands twice"),
        ("ends: 2026-11-30", "ends: 2026-11-31", "lifecycle.yaml:11: aurora-postgresql.versions.17.4.ends: must be a date like 2030-02-28"),
        ("ends: 2026-11-30", "ends: [2026]", "lifecycle.yaml:11: aurora-postgresql.versions.17.4.ends: must be a date like 2030-02-28"),
        ("ends: 2026-11-30", "end: 2026-11-30", ("lifecycle.yaml:11: aurora-postgresql.versions.17.4: unknown key end; allowed are "
         "ends, no_new_after, extended_until, gone, refused, note")),
        ("ends: 2026-11-30", "gone: yes", "lifecycle.yaml:11: aurora-postgresql.versions.17.4.gone: must be true, or left out"),
        ("note: LTS", "note: 3", "lifecycle.yaml:12: aurora-postgresql.versions.17.7.note: 3 is not text: put it in quotes"),
        ("note: LTS", "note: ''", "lifecycle.yaml:12: aurora-postgresql.versions.17.7.note: must be text"),
        ('"17.10": {}', '"17.10": 2030-02-28', "lifecycle.yaml:13: aurora-postgresql.versions.17.10: must be a mapping of names to values"),
        ('"17.10": {}', '"17.10":\n      ends: 2030-02-28', ("lifecycle.yaml:14: aurora-postgresql.versions.17.10: "
         "write it on one line, in braces: {ends: 2030-02-28}")),
        ("checked_on: 2026-11-24\n  move_to: [python3.13]", "move_to: [python3.13]", "lifecycle.yaml:24: lambda: checked_on is missing"),
        ("  source: https://example.com/lambda\n", "", "lifecycle.yaml:24: lambda: source is missing"),
        ("  versions:\n    python3.13: {ends: 2029-06-30}\n", "", "lifecycle.yaml:24: lambda: versions is missing"),
        ("  move_to: [python3.13]\n", "", "lifecycle.yaml:24: lambda: move_to is missing"),
        ("move_to: [python3.13]", "move_to: python3.13", "lifecycle.yaml:26: lambda.move_to: must be a list of versions"),
        ("move_to: [python3.13]", "move_to: []", "lifecycle.yaml:26: lambda.move_to: must be a list of versions"),
        ('move_to: ["17.7"]', "move_to: [17.7]", "lifecycle.yaml:5: aurora-postgresql.move_to: 17.7 is not text: put it in quotes"),
        ('move_to: ["17.7"]', 'move_to: ["13.7"]', ("lifecycle.yaml:5: aurora-postgresql.move_to: 13.7 is no version to move to: "
         "unknown, gone or refused")),
        ("move_to: [ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09]", "move_to: [ELBSecurityPolicy-2016-08]",
         "lifecycle.yaml:44: elb-tls.move_to: ELBSecurityPolicy-2016-08 is no version to move to: unknown, gone or refused"),
        ("move_to: [python3.13]", "move_to: [python9]", ("lifecycle.yaml:26: lambda.move_to: python9 is no version to move to: "
         "unknown, gone or refused")),
        ("source: https://example.com/lambda", "source: the web", "lifecycle.yaml:24: lambda.source: must be an https:// address"),
        ("lambda:\n", "lambada:\n", ("lifecycle.yaml:24: lambada: unknown product; known are "
         "aurora-postgresql, dms, lambda, fargate, rds-ca, elb-tls")),
        (SMALL, "- a list", "lifecycle.yaml:1: the file: must be a mapping of names to values"),
        (SMALL, "# nothing", "lifecycle.yaml: is empty"),
        ('"17.10": {}', '"17.10": {', "lifecycle.yaml:15: is not YAML: did not find expected ',' or '}'"),
        ('"17.10": {}', '"17.10": \x07', "lifecycle.yaml: is not YAML"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_named_by_file_line_and_entry(old: str, new: str, problem: str) -> None:
    assert old in SMALL
    found = problems_of(SMALL.replace(old, new, 1))
    assert [text for text in found if text.startswith(problem)], found


def test_every_problem_of_a_table_is_named_at_once() -> None:
    text = SMALL.replace("lambda:", "lambada:").replace("2026-11-30", "soon").replace('"17.10"', "17.10")
    found = problems_of(text)
    assert len(found) == 4
    assert "lifecycle.yaml: lambda: is missing" in found


def test_a_table_that_cannot_be_read_is_a_params_error(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"lifecycle\.yaml: cannot be read: No such file"):
        load_table(tmp_path)
    (tmp_path / "lifecycle.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ParamsError, match=r"cannot be read: it is not UTF-8 text"):
        load_table(tmp_path)


def test_messages_name_the_file_by_its_folder(tmp_path: Path) -> None:
    params = tmp_path / "params"
    params.mkdir()
    (params / "lifecycle.yaml").write_text(SMALL)
    assert load_table(params).file == "params/lifecycle.yaml"
