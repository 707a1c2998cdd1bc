"""The command line: what it refuses before it connects to anything, and how it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cutover import __main__ as command
from cutover.__main__ import main

ROOT = Path(__file__).parents[3]
DSN = "postgresql://u@127.0.0.1:1/x"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["schema", "--source", DSN, "--target", DSN, "--section", "data"], "invalid choice: 'data'"),
        (["sequences", "--source", DSN, "--target", DSN, "--margin", "-1"], "'-1' is no number of steps"),
        (["readiness", "--source", DSN, "--interval", "soon"], "'soon' is no number of seconds"),
    ],
)
def test_arguments_that_are_wrong(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_a_dsn_that_cannot_be_read_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["users", "--side", "source", "--dsn", "hunter2"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: --dsn: the DSN cannot be read")
    assert "hunter2" not in said


def test_interrupted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "from_dsn", interrupt)
    assert main(["readiness", "--source", DSN]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "cutover", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    said = done.stdout
    for name in ("readiness", "schema", "users", "sequences"):
        assert name in said
