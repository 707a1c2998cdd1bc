"""Event files: what was written is read back, whatever ended the writer; what is no event is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from rehearsal.clock import now
from rehearsal.errors import RehearsalError
from rehearsal.events import Accepted, EventFile, GaveUp, Read, Refused, Routed, Sent, Weighed, read_events

ONE_OF_EACH = [
    Sent(1.5, "a", 7, "12.30", "EUR"),
    Refused(2.0, "a", 503, "writes are refused"),
    Accepted(3.0, "a", 17, 1.5),
    GaveUp(4.0, "b"),
    Read(5.0, 4.5, 17, 200, right=True),
    Routed(6.0, 3, {"blue": 3}, {"201": 2, "503": 1}, 0.002, 0.004),
    Weighed(7.0, "listener", {"blue": 1, "green": 0}),
]


def test_every_kind_is_read_back_as_it_was_written_and_files_are_appended_to(tmp_path):
    path = tmp_path / "events"
    for event in ONE_OF_EACH:
        file = EventFile(path)
        file.write(event)
        file.close()
    assert list(read_events([path])) == ONE_OF_EACH
    assert list(read_events([path, path])) == ONE_OF_EACH * 2


def test_a_writer_that_is_killed_loses_nothing_that_it_had_written(tmp_path, root):
    path = tmp_path / "events"
    code = (
        "import os, sys; from pathlib import Path; from rehearsal.events import EventFile, GaveUp\n"
        f"file = EventFile(Path({str(path)!r}))\n"
        "for number in range(100): file.write(GaveUp(1.0, str(number)))\n"
        f"os.kill(os.getpid(), {int(signal.SIGKILL)})"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == -signal.SIGKILL
    assert [event.order for event in read_events([path])] == [str(number) for number in range(100)]


def test_a_line_that_was_not_finished_is_no_event(tmp_path):
    path = tmp_path / "events"
    path.write_text('{"event":"gaveup","at":1.0,"order":"a"}\n{"event":"gaveup","at":2.0,"ord')
    assert list(read_events([path])) == [GaveUp(1.0, "a")]


@pytest.mark.parametrize("line", ["no JSON", "[]", '{"event":"sung"}', '{"event":"gaveup","at":1}', "{}"])
def test_what_is_no_event_is_refused_with_its_place(tmp_path, line):
    path = tmp_path / "events"
    path.write_text(f'{{"event":"gaveup","at":1.0,"order":"a"}}\n{line}\n')
    with pytest.raises(RehearsalError, match="events, line 2 is no event"):
        list(read_events([path]))


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(RehearsalError, match="missing/events cannot be written") as refused:
        EventFile(tmp_path / "missing" / "events")
    assert "folder that exists" in refused.value.hint


def test_the_clock_is_the_time_of_day_and_never_goes_back():
    status = os.stat(__file__)
    assert now() > status.st_mtime - 86_400
    first = now()
    assert now() >= first
