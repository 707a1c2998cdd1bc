"""A terminal gets a line that moves and colours, everything else plain lines."""

from __future__ import annotations

import io
import os

from rehearsal.rehearse import screen as module
from rehearsal.rehearse.observer import Counter
from rehearsal.rehearse.screen import Screen


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_what_is_no_terminal_gets_plain_lines_and_seldom_how_it_stands(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    out = io.StringIO()
    screen = Screen(out, {})
    screen.say("one", strong=True)
    for clock[0] in (101.0, 109.9, 110.0, 119.9):
        screen.live("two")
    screen.end("three", passed=False)
    screen.close()
    lines = out.getvalue().splitlines()
    assert "\x1b" not in out.getvalue()
    assert "\r" not in out.getvalue()
    assert [line.split("  ")[-1] for line in lines] == ["one", "two", "three"]
    assert [line.split()[0] for line in lines] == ["0.0", "10.0", "19.9"]


def test_a_terminal_gets_a_line_that_moves_below_those_that_stay():
    out = Terminal()
    screen = Screen(out, {})
    screen.live("first")
    screen.say("stays", strong=True)
    screen.live("second")
    screen.end("well", passed=True)
    screen.end("ill", passed=False)
    screen.close()
    screen.close()
    told = out.getvalue()
    assert told.count("\r\x1b[K") == 6  # two that move, three that stay, one at the end
    assert "\x1b[1mstays\x1b[0m\n" in told
    assert "\x1b[32mwell\x1b[0m\n" in told
    assert "\x1b[31mill\x1b[0m\n" in told
    assert told.endswith("\r\x1b[K")
    # After a line that stays, the moving one is there again.
    assert told.split("stays\x1b[0m\n")[1].startswith("\x1b[2m")


def test_no_color_and_a_dumb_terminal_are_heeded():
    out = Terminal()
    screen = Screen(out, {"NO_COLOR": "1"})
    screen.say("strong", strong=True)
    screen.live("moves")
    screen.close()
    assert "\x1b[1m" not in out.getvalue()
    assert "\r\x1b[K" in out.getvalue()
    dumb = Terminal()
    screen = Screen(dumb, {"TERM": "dumb"})
    screen.live("moves")
    screen.close()
    assert "\x1b" not in dumb.getvalue()


def test_a_line_that_moves_is_no_longer_than_the_terminal(monkeypatch):
    out = Terminal()
    monkeypatch.setattr(out, "fileno", lambda: 1, raising=False)
    monkeypatch.setattr(module.os, "get_terminal_size", lambda _: os.terminal_size((20, 5)))
    Screen(out, {"NO_COLOR": "1"}).live("x" * 100)
    assert len(out.getvalue().removeprefix("\r\x1b[K")) == 19


def test_accepted_payments_are_counted_as_the_file_grows(tmp_path):
    path = tmp_path / "events"
    counter = Counter(path)
    assert counter.read() == 0
    path.write_text('{"event":"accepted"}\n{"event":"sent"}\n{"event":"acc')
    assert (counter.read(), counter.read()) == (1, 1)
    with path.open("a") as file:
        file.write('epted"}\n')
    assert counter.read() == 2
