"""What a rehearsal tells, where it leaves what, and with which code it ends."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from rehearsal.books import Books, Held
from rehearsal.errors import RehearsalError
from rehearsal.events import Accepted, Sent
from rehearsal.measures import Interval
from rehearsal.rehearse import command
from rehearsal.rehearse.outcome import End, Outcome
from rehearsal.tally import count
from rehearsal.timeline import Phase, tell


def outcome(fault="", *, lost=False):
    events = [Sent(1.0, "a", 7, "1.00", "EUR"), Accepted(1.5, "a", 1, 1.0)]
    tally = count(events, Books("aurora", () if lost else (Held("a", 1, 7, "1.00", "EUR"),)))
    run = tell("Rehearsal", tally, events, [Phase("watching", Interval(1, 2))])
    end = End("watching", "aurora", {"data_center": False, "aurora": True}, "")
    breakdown = {"Drain": {"seconds": 1.5, "code_seconds": 0.25}, "Validate": {"seconds": 2.0}}
    return Outcome(run, "dev", 20.0, 500, 1, fault, end, breakdown, 1, 61.5)


@pytest.fixture
def played(monkeypatch, tmp_path):
    """Rehearsals that end as they are told to, in order, and the stages that they were given."""
    monkeypatch.setattr(command.tempfile, "mkdtemp", lambda prefix: str(_made(tmp_path / prefix)))
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)
    ends: list[object] = []
    stages = []

    class Stage:
        def __init__(self, folder, options, prepared):
            self.folder, self.prepared, self.closed = folder, prepared, False
            stages.append(self)

        def close(self):
            self.closed = True

    class Rehearsal:
        def __init__(self, options, fault, stage, screen):
            self._fault = fault

        def run(self):
            end = ends.pop(0)
            if isinstance(end, BaseException):
                raise end
            return end

    monkeypatch.setattr(command, "Stage", Stage)
    monkeypatch.setattr(command, "Rehearsal", Rehearsal)
    yield ends, stages
    assert all(stage.closed for stage in stages)
    assert ends == []


def _made(folder):
    folder.mkdir()
    return folder


def test_a_rehearsal_that_passed_ends_with_0_and_tells_its_figures(played, tmp_path, capsys):
    played[0].append(outcome())
    written, page = tmp_path / "result.json", tmp_path / "result.html"
    assert command.main(["--env", "dev", "--json", str(written), "--html", str(page)]) == 0
    told = capsys.readouterr()
    figures = dict(line.split(None, 1) for line in told.out.splitlines())
    assert (figures["accepted"], figures["lost"], figures["end"]) == ("1", "0", "switched")
    assert (figures["Drain"], figures["Validate"]) == ("1.50 s, of which its own code 0.25", "2.00 s")
    assert "switched; passed: 1 payments accepted" in told.err
    document = json.loads(written.read_text())
    assert list(document)[:4] == ["verdict", "passed", "fault", "end"]
    wanted = {"accepted": 1, "present": 1, "lost": 0, "doubled": 0, "read_outage_s": 0.0, "fault": None, "rate": 20.0}
    assert wanted.items() <= document.items()
    assert (document["breakdown"]["Drain"], document["write_pause_s"]) == ({"seconds": 1.5, "code_seconds": 0.25}, 0.5)
    assert "Passed: 1 payments accepted" in page.read_text()
    assert not (tmp_path / "rehearsal-").exists()


def test_a_rehearsal_that_lost_something_ends_with_1(played, capsys):
    played[0].append(outcome(lost=True))
    assert command.main(["--env", "dev", "--fault", "target-killed@Drain"]) == 1
    assert "failed: 1 payment lost" in capsys.readouterr().out


def test_what_is_to_be_kept_is(played, tmp_path):
    played[0].append(outcome())
    assert command.main(["--env", "dev", "--keep", str(tmp_path / "a" / "kept")]) == 0
    assert played[1][0].folder == tmp_path / "a" / "kept"
    assert (tmp_path / "a" / "kept").is_dir()


def test_what_stops_a_rehearsal_is_told_with_the_place_of_the_logs_which_stay(played, tmp_path, capsys):
    played[0].append(RehearsalError("blue ended by itself with 1", hint="its log is blue.log"))
    assert command.main(["--env", "dev"]) == 1
    folder = tmp_path / "rehearsal-"
    assert capsys.readouterr().err.splitlines()[-3:] == [
        f"logs: {folder}",
        "error: blue ended by itself with 1",
        "next: its log is blue.log",
    ]
    assert folder.is_dir()


def test_an_interruption_leaves_nothing(played, tmp_path, capsys):
    played[0].append(KeyboardInterrupt())
    assert command.main(["--env", "dev"]) == 130
    assert "everything that the rehearsal had started is ended" in capsys.readouterr().err
    assert not (tmp_path / "rehearsal-").exists()


def test_sigterm_is_an_interruption(played, monkeypatch):
    held = {}
    monkeypatch.setattr(command.signal, "signal", lambda number, handler: held.update({number: handler}))
    played[0].append(outcome())
    command.main(["--env", "dev"])
    with pytest.raises(KeyboardInterrupt):
        held[signal.SIGTERM](signal.SIGTERM, None)


def test_usage_errors_end_with_2_and_help_with_0(capsys):
    assert command.main([]) == 2
    assert "next: python rehearse.py --env dev" in capsys.readouterr().err
    assert command.main(["--help"]) == 0


def test_a_series_goes_on_after_one_that_failed_and_prints_a_table(played, tmp_path, capsys):
    ends, stages = played
    ends += [outcome("operator-away@Approve"), RehearsalError("gone"), outcome("x@Y", lost=True)]
    written = tmp_path / "all.json"
    names = "operator-away,target-killed@Drain,source-killed@Drain"
    assert command.main(["--env", "dev", "--faults", names, "--json", str(written)]) == 1
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["fault", "end", "accepted", "lost", "doubled", "write pause", "read outage", "took", "verdict"]
    assert set("".join(rows[1])) == {"-"}
    assert rows[2] == ["operator-away@Approve", "switched", "1", "0", "0", "0.5 s", "0.0 s", "61.5 s", "passed"]
    assert rows[3] == ["target-killed@Drain", "unknown", "?", "?", "?", "?", "?", "?", "failed: gone"]
    assert rows[4][-1] == "failed: 1 payment lost"
    document = json.loads(written.read_text())
    assert (document["verdict"], document["passed"]) == ("failed: 2 of 3", False)
    assert [one["passed"] for one in document["rehearsals"]] == [True, False, False]
    assert [stage.folder.name for stage in stages] == [
        "01-operator-away@Approve",
        "02-target-killed@Drain",
        "03-source-killed@Drain",
    ]
    assert {stage.prepared for stage in stages} == {tmp_path / "rehearsal-" / "prepared"}


def test_a_series_that_passed_ends_with_0_and_one_that_was_interrupted_says_what_is_missing(played, tmp_path):
    written = tmp_path / "all.json"
    arguments = ["--env", "dev", "--faults", "replication-stalled", "--json", str(written)]
    played[0].extend([outcome("a"), outcome("b")])
    assert command.main(arguments) == 0
    assert json.loads(written.read_text())["verdict"] == "passed: 2"
    played[0].extend([outcome("a"), KeyboardInterrupt()])
    assert command.main(arguments) == 130
    document = json.loads(written.read_text())
    assert (document["verdict"], document["passed"]) == ("passed: 1, 1 to come", False)
    assert not Path(tmp_path / "rehearsal-").exists()


def test_the_table_is_a_page_of_its_own_too(played, tmp_path):
    page = tmp_path / "faults.md"
    arguments = ["--env", "dev", "--faults", "replication-stalled", "--markdown", str(page)]
    played[0].extend([outcome("replication-stalled@Approve"), outcome("replication-stalled@Warm", lost=True)])
    assert command.main([*arguments, "--patience", "3"]) == 1
    lines = page.read_text().splitlines()
    assert lines[0] == "# Faults of the cutover"
    assert lines[2].endswith("a rehearsal for each fault, at 200 payments")
    assert lines[3] == (
        "and 50 reads a second, on 20,000 payments, with 3 times the budget of the freeze. **Failed: 1 of 2.**"
    )
    rows = [line for line in lines if line.startswith("| replication-stalled@")]
    assert [row.split("|")[-2].strip() for row in rows] == ["passed", "failed: 1 payment lost"]
    assert lines[-1] == "- `replication-stalled`: the forward replication hangs from then on"
    # What an interruption leaves says how much of it there is.
    played[0].extend([outcome("replication-stalled@Approve"), KeyboardInterrupt()])
    command.main(arguments)
    assert "**Passed: 1, 1 to come.**" in page.read_text()


def test_one_rehearsal_is_a_table_of_one_line(played, tmp_path):
    page = tmp_path / "one.md"
    played[0].append(outcome())
    assert command.main(["--env", "dev", "--markdown", str(page)]) == 0
    assert page.read_text().rstrip().splitlines()[-1].startswith("| none  | switched |")
    assert "on 20,000 payments. **Passed: 1.**" in page.read_text()


def test_a_series_without_a_file_only_prints(played, capsys):
    played[0].extend([outcome("a"), outcome("b")])
    assert command.main(["--env", "dev", "--faults", "replication-stalled"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
