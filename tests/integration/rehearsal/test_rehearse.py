"""The whole migration, rehearsed by the command; and one that is interrupted. Both leave nothing running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from rehearsal.rehearse.breaking import find_processes
from rehearsal.rehearse.command import main

_ROOT = Path(__file__).parents[3]
_PATIENCE_SECONDS = 120


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> str:
    """In the environment of everything that a rehearsal starts."""
    word = uuid.uuid4().hex
    monkeypatch.setenv("REHEARSAL_MARK", word)
    return f"REHEARSAL_MARK={word}"


@pytest.mark.usefixtures("alone")
def test_a_rehearsal_switches_and_loses_nothing(mark: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    written, page, kept = tmp_path / "result.json", tmp_path / "result.html", tmp_path / "kept"
    small = (
        "--rate",
        "10",
        "--reads",
        "5",
        "--seconds",
        "1",
        "--payments",
        "300",
        "--accounts",
        "20",
        "--patience",
        "5",
    )
    try:
        code = main(["--env", "dev", *small, "--json", str(written), "--html", str(page), "--keep", str(kept)])
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), handlers, strict=True):
            signal.signal(number, handler)
    told = capsys.readouterr()
    assert code == 0, told.err + told.out
    assert find_processes((mark,)) == []

    document = json.loads(written.read_text())
    assert document["verdict"] == f"passed: {document['accepted']} payments accepted, none lost, none doubled"
    assert (document["passed"], document["end"], document["phase"]) == (True, "switched", "watching")
    assert (document["lost"], document["doubled"], document["altered"], document["wrong_reads"]) == (0, 0, 0, 0)
    # What was accepted is in the database, and by the reverse replication in the data centre's too.
    assert document["accepted"] == document["present"] == document["on_both_sides"] > 20
    assert 0 < document["write_pause_s"] < 60
    phases = [phase["name"] for phase in document["phases"]]
    assert phases[:6] == ["full load", "first validation", "replicating", "10 % on AWS", "50 % on AWS", "100 % on AWS"]
    cutover = ["preflight", "frozen", "drained", "reversed", "switched", "reopened", "watching"]
    assert [phase for phase in phases if phase in cutover][-6:] == cutover[1:]
    assert set(document["breakdown"]) == {
        "Freeze", "Drain", "ProveAndTurn", "StopForward", "StartReverse", "Sequences", "Validate", "Switch", "Smoke",
        "Reopen",
    }  # fmt: skip
    assert "code_seconds" in document["breakdown"]["Validate"]
    assert all(0 < part["code_seconds"] <= part["seconds"] for part in document["breakdown"].values() if len(part) > 1)
    assert {step["outcome"] for step in document["steps"]} <= {"done", "not left"}
    assert [list(weights.values()) for _, weights in document["weights"]] == [[100, 0], [90, 10], [50, 50], [0, 100]]
    assert document["lag_s"]
    assert "Passed: " in page.read_text()
    assert "first validation" in told.err
    assert f"verdict          {document['verdict']}" in told.out
    logs = {log.name for log in (kept / "logs").iterdir()}
    assert {"postgres-aurora.log", "postgres-data-center.log", "gateway.log", "clients.log", "decisions.log"} <= logs


def test_an_interruption_leaves_nothing_running(mark: str, tmp_path: Path) -> None:
    log = tmp_path / "told"
    with log.open("w") as told:
        process = subprocess.Popen(
            [sys.executable, "rehearse.py", "--env", "dev"], cwd=_ROOT, stderr=told,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )  # fmt: skip
        until = time.monotonic() + _PATIENCE_SECONDS
        while "build dev" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until
            time.sleep(0.05)
        assert len(find_processes((mark,))) >= 2  # itself and the embedded AWS
        process.send_signal(signal.SIGINT)
        assert process.wait(_PATIENCE_SECONDS) == 130
    assert find_processes((mark,)) == []
    assert log.read_text().splitlines()[-1] == "interrupted; everything that the rehearsal had started is ended"
    assert [place.name for place in tmp_path.iterdir() if place.name.startswith("rehearsal-")] == []
