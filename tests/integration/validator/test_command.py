"""`python -m validator`: exit codes, the report for people and for machines, errors without a traceback."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from compiler.assets import package_validator
from settings.load import load
from validator import __main__ as command
from validator.__main__ import main

ROOT = Path(__file__).parents[3]


@pytest.fixture
def tables(pair: Any) -> Any:
    pair.on_both("""
        CREATE TABLE payments (id int PRIMARY KEY, card text);
        CREATE TABLE accounts (id int PRIMARY KEY);
        CREATE VIEW recent AS SELECT 1;
        INSERT INTO payments SELECT n, '4111' || n FROM generate_series(1, 1234) n
    """)
    return pair


def _arguments(pair: Any) -> list[str]:
    return ["--source", pair.source.dsn(), "--target", pair.target.dsn(), "--schema", pair.schema]


def test_equal_databases_exit_0(tables: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*_arguments(tables), "--statement-timeout", "60", "--json", str(tmp_path / "report.json")]
    assert main(arguments) == 0
    output, progress = capsys.readouterr()
    assert [
        re.sub(r" {2,}", "  ", line) for line in re.sub(r"[\d,]+$", "#", output, flags=re.MULTILINE).splitlines()
    ] == [
        "verdict  table  source rows  target rows  rows/s  why",
        f"PASS  {tables.schema}.accounts  0  0  -",
        f"PASS  {tables.schema}.payments  1,234  1,234  #",
        "left out: 1 view",
        "PASS: 2 tables compared, 0 differ, 0 inconclusive",
    ]
    assert sorted(line.split(" ")[1:3] for line in progress.splitlines()) == [
        [f"{tables.schema}.accounts", "PASS"],
        [f"{tables.schema}.payments", "PASS"],
    ]
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["verdict"] == "PASS"
    assert [table["rows"] for table in report["tables"]] == [
        {"source": 0, "target": 0},
        {"source": 1234, "target": 1234},
    ]
    assert report["skipped"] == [{"schema": tables.schema, "name": "recent", "kind": "view"}]


def test_a_difference_exits_1_and_shows_no_value(tables: Any, capsys: pytest.CaptureFixture[str]) -> None:
    tables.on_target("UPDATE payments SET card = '5555444433331111' WHERE id = 7")
    assert main([*_arguments(tables), "--json", "-"]) == 1
    output, progress = capsys.readouterr()
    report = json.loads(output)
    assert report["verdict"] == "FAIL"
    assert report["mismatches"] == 1
    assert [table["verdict"] for table in report["tables"]] == ["PASS", "FAIL"]
    assert "5555444433331111" not in output + progress
    assert "41117" not in output + progress


def test_what_cannot_be_judged_exits_4(tables: Any, capsys: pytest.CaptureFixture[str]) -> None:
    tables.on_both("ALTER TABLE accounts ADD photo oid")
    assert main(_arguments(tables)) == 4
    assert "column photo cannot be compared: oid" in capsys.readouterr().out


def test_a_failure_weighs_more_than_what_cannot_be_judged(tables: Any) -> None:
    tables.on_both("ALTER TABLE accounts ADD photo oid")
    tables.on_target("DELETE FROM payments WHERE id = 1")
    assert main(_arguments(tables)) == 1


def test_nothing_to_compare_exits_4(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(_arguments(pair)) == 4
    assert "problem: no table was compared" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["payments", "{schema}.payments"])
def test_one_table(tables: Any, capsys: pytest.CaptureFixture[str], name: str) -> None:
    tables.on_target("INSERT INTO accounts VALUES (1)")
    assert main([*_arguments(tables), "--table", name.format(schema=tables.schema)]) == 0
    assert "1 table compared" in capsys.readouterr().out
    assert main([*_arguments(tables), "--table", "payments", "--table", "accounts"]) == 1


def test_a_table_of_neither_side_is_wrong_usage(tables: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*_arguments(tables), "--table", "payment", "--table", "payments"]) == 2
    assert capsys.readouterr().err == "error: neither database has a table payment (write name or schema.name)\n"


def test_a_table_of_one_side_fails(tables: Any, capsys: pytest.CaptureFixture[str]) -> None:
    tables.on_target("DROP TABLE accounts")
    assert main([*_arguments(tables), "--table", "accounts"]) == 1
    assert (
        f"FAIL     {tables.schema}.accounts            -            -  the table is missing on the target"
        in capsys.readouterr().out
    )


def test_a_database_that_cannot_be_reached_exits_4_and_says_why(
    tables: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = ["--source", tables.source.dsn(), "--target", tables.target.dsn(database="nowhere")]
    assert main([*arguments, "--json", str(tmp_path / "report.json")]) == 4
    output, progress = capsys.readouterr()
    assert progress.startswith("error: the target database 'nowhere' at 127.0.0.1:")
    assert "INCONCLUSIVE: 0 tables compared" in output
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["verdict"] == "INCONCLUSIVE"
    assert report["problems"][0].startswith("the target database 'nowhere'")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--source", "postgresql://h:x/", "--target", "dbname=x"], "error: --source: the DSN cannot be read"),
        (["--source", "dbname=x", "--target", "colour=red"], "error: --target: the DSN's 'colour' is not known"),
    ],
)
def test_a_dsn_that_cannot_be_read_exits_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(message)


@pytest.mark.parametrize("arguments", [[], ["--source", "dbname=x"], ["--sauce", "x"], ["--statement-timeout", "-1"]])
def test_wrong_arguments_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: python -m validator" in capsys.readouterr().err


def test_a_report_that_cannot_be_written_exits_2(
    tables: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main([*_arguments(tables), "--json", str(tmp_path / "file" / "report.json")]) == 2
    assert re.search("error: cannot write .*report.json: File exists", capsys.readouterr().err)


def test_an_interrupt_exits_130(
    tables: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run", interrupt)
    assert main(_arguments(tables)) == 130
    assert capsys.readouterr().err == "interrupted: nothing is proven\n"


def test_as_a_process(tables: Any) -> None:
    tables.on_target("INSERT INTO accounts VALUES (1)")
    done = subprocess.run(
        [sys.executable, "-m", "validator", *_arguments(tables)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "FAIL: 2 tables compared, 1 differ, 0 inconclusive"
    assert "Traceback" not in done.stderr


def test_the_zip_that_lambda_gets_compares_without_anything_else(tables: Any, tmp_path: Path) -> None:
    with zipfile.ZipFile(BytesIO(package_validator(load(ROOT / "params", "dev"), ROOT).data)) as archive:
        archive.extractall(tmp_path)
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from validator.__main__ import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-I", "-S", "-c", program, *_arguments(tables)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "PASS: 2 tables compared, 0 differ, 0 inconclusive")
