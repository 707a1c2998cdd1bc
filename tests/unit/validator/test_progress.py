"""The view of a run: what stands on a terminal at any time, and what a log gets instead."""

from __future__ import annotations

import io
import itertools
import os
import re
import shutil
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from validator.progress import Progress, _duration, _size

_FRAMES = re.compile(r"\x1b\[([\d;]*)([A-Za-z])|(.)", re.DOTALL)


class Screen(io.StringIO):
    """A terminal: what was written, and the lines that one would see."""

    encoding = "utf-8"  # type: ignore[assignment]

    def __init__(self, columns: int = 120, lines: int = 24) -> None:
        super().__init__()
        self.size = os.terminal_size((columns, lines))

    def isatty(self) -> bool:
        return True

    def seen(self) -> list[str]:
        rows, at, column = [""], 0, 0
        for count, command, character in _FRAMES.findall(self.getvalue()):
            if command == "A":
                at -= int(count or 1)
            elif command == "J":
                rows[at:] = [rows[at][:column]]
            elif command == "m":
                continue
            elif character == "\r":
                column = 0
            elif character == "\n":
                at, column = at + 1, 0
                rows += [""] * (at + 1 - len(rows))
            else:
                assert character, f"unknown command {command}"
                rows[at] = rows[at][:column] + character + rows[at][column + 1 :]
                column += 1
        while rows and not rows[-1]:
            rows.pop()
        return rows


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def view(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a progress on a terminal of some size."""

    def make(columns: int = 120, lines: int = 24, **environment: str) -> tuple[Progress, Screen]:
        screen = Screen(columns, lines)
        monkeypatch.setattr("shutil.get_terminal_size", lambda: screen.size)
        return Progress(screen, environment=environment, clock=clock, tick_seconds=0), screen

    return make


def test_a_table_has_a_bar_a_speed_and_an_end(view: Any, clock: Clock) -> None:
    progress, screen = view()
    progress.plan("public.payments", 5_000_000)
    clock.now += 5
    progress.advance("public.payments", 2_000_000, 3)
    assert screen.seen() == [
        "public.payments ████████░░░░░░░░░░░░  40% 3 differences, 2,000,000 rows, 400,000 rows/s, about 8 s left",
        "0 of 1 table done, 5 s",
    ]


def test_what_was_drawn_before_is_gone(view: Any, clock: Clock) -> None:
    progress, screen = view()
    for name in ("a", "b", "c"):
        progress.plan(name, 100)
    clock.now += 1
    progress.advance("b", 50)
    assert screen.seen() == [
        "b ██████████░░░░░░░░░░  50% 50 rows, 50 rows/s, about 1 s left",
        "a ░░░░░░░░░░░░░░░░░░░░   0% no rows yet",
        "c ░░░░░░░░░░░░░░░░░░░░   0% no rows yet",
        "0 of 3 tables done, 1 s",
    ]
    clock.now += 1
    progress.finish("b", "PASS")
    progress.finish("a", "FAIL")
    assert screen.seen() == [
        "[1/3] b PASS 2.0 s, 50 rows, 25 rows/s",
        "[2/3] a FAIL 0.0 s",
        "c ░░░░░░░░░░░░░░░░░░░░   0% no rows yet",
        "2 of 3 tables done, 2 s",
    ]


def test_at_the_end_only_the_finished_lines_stay(view: Any, clock: Clock) -> None:
    progress, screen = view()
    with progress:
        progress.plan("a", 100)
        progress.plan("b", 100)
        clock.now += 2
        progress.advance("a", 100, 1)
        progress.finish("a", "FAIL")
    assert screen.seen() == ["[1/2] a FAIL 2.0 s, 100 rows, 50 rows/s, 1 difference"]
    progress.advance("b", 1)
    progress.finish("b", "PASS")
    progress.close()
    progress.tick()
    assert screen.seen() == ["[1/2] a FAIL 2.0 s, 100 rows, 50 rows/s, 1 difference"]


def test_an_interrupted_run_leaves_nothing(view: Any) -> None:
    progress, screen = view()
    with pytest.raises(KeyboardInterrupt), progress:
        progress.plan("a", 100)
        raise KeyboardInterrupt
    assert screen.seen() == []
    # Wherever it is interrupted, the cursor stands where the view begins.
    assert screen.getvalue().endswith("\r")


def test_a_run_that_drew_nothing_writes_nothing(view: Any) -> None:
    progress, screen = view()
    progress.close()
    assert screen.getvalue() == ""


def test_an_estimate_that_was_too_low_is_never_all(view: Any, clock: Clock) -> None:
    progress, screen = view()
    progress.plan("a", 10)
    clock.now += 1
    progress.advance("a", 5_000)
    assert screen.seen()[0] == "a ███████████████████░  99% 5,000 rows, 5,000 rows/s"


def test_without_an_estimate_there_is_no_percentage(view: Any, clock: Clock) -> None:
    progress, screen = view()
    progress.plan("a", 0)
    clock.now += 1
    progress.advance("a", 5_000)
    assert screen.seen()[0] == "a ░░░░░░░░░░░░░░░░░░░░   -  5,000 rows, 5,000 rows/s"


def test_without_time_there_is_no_speed(view: Any, clock: Clock) -> None:
    progress, screen = view()
    progress.plan("a", 100)
    progress.start("a")
    progress.advance("a", 5)
    progress.finish("b", "PASS")
    assert screen.seen()[1] == "a █░░░░░░░░░░░░░░░░░░░   5% 5 rows"


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (80, "public.payments ████░░░░░░  40% 3 differences, 2,000,000 rows, 400,000 rows/s,"),
        (50, "public.payments █░░░  40% 3 differences, 2,000,00"),
        (10, "publi~ █░░░  40% 3 d"),
    ],
)
def test_on_a_narrow_terminal_differences_are_cut_last(view: Any, clock: Clock, columns: int, line: str) -> None:
    progress, screen = view(columns)
    progress.plan("public.payments", 5_000_000)
    clock.now += 5
    progress.advance("public.payments", 2_000_000, 3)
    assert screen.seen()[0].rstrip() == line


def test_the_size_is_that_of_the_stream(clock: Clock) -> None:
    """Of a pseudo-terminal of 64 columns here; of none, where the system does not know one."""
    fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
    master, slave = os.openpty()
    with os.fdopen(slave, "w") as stream:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 7, 64, 0, 0))
        assert _size(stream) == (64, 7)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
        assert _size(stream) == shutil.get_terminal_size()
    os.close(master)


def test_the_speed_counts_from_when_work_on_the_table_begins(view: Any, clock: Clock) -> None:
    progress, screen = view()
    progress.plan("a", 100)
    progress.plan("b", 100)
    progress.plan("c", 100)
    clock.now += 8
    progress.start("b")
    progress.finish("a", "PASS")
    clock.now += 2
    progress.advance("b", 50)
    clock.now += 2
    progress.advance("c", 80)
    assert screen.seen()[1:3] == [
        "b ██████████░░░░░░░░░░  50% 50 rows, 12 rows/s, about 4 s left",
        "c ████████████████░░░░  80% 80 rows, 20 rows/s, about 1 s left",
    ]


def test_it_is_not_drawn_more_often_than_eyes_need(view: Any, clock: Clock) -> None:
    progress, screen = view()
    progress.plan("a", 1_000)
    written = screen.getvalue()
    for _ in range(50):
        progress.advance("a", 1)
    assert screen.getvalue() == written
    clock.now += 1
    progress.tick()
    assert "50 rows, 50 rows/s" in screen.seen()[0]


@pytest.mark.parametrize("columns", [20, 40, 60, 200])
def test_no_line_is_wider_than_the_terminal(view: Any, clock: Clock, columns: int) -> None:
    progress, screen = view(columns)
    progress.plan("public.a_table_of_a_very_long_name_that_no_terminal_has_room_for_beside_a_bar", 1_000)
    progress.plan("public.支払い支払い支払い支払い支払い支払い支払い支払い", 1_000)
    clock.now += 1
    progress.advance("public.a_table_of_a_very_long_name_that_no_terminal_has_room_for_beside_a_bar", 500, 5)
    wide = [line + "".join(c for c in line if ord(c) > 0x3000) for line in screen.seen()]
    assert all(len(line) < max(columns, 21) for line in wide)
    assert len(wide) == 3


def test_a_combining_mark_takes_no_column(view: Any, clock: Clock) -> None:
    progress, screen = view()
    progress.plan("cafe\u0301", 10)
    progress.plan("name", 10)
    clock.now += 1
    progress.tick()
    assert [line[: line.index("░")] for line in screen.seen()[:2]] == ["cafe\u0301 ", "name "]


def test_no_more_tables_than_lines(view: Any, clock: Clock) -> None:
    progress, screen = view(lines=5)
    for place in range(10):
        progress.plan(f"t{place}", 100)
    clock.now += 1
    progress.advance("t9", 1)
    assert [line[:2] for line in screen.seen()] == ["t9", "t0", "t1", "0 "]
    assert screen.seen()[-1] == "0 of 10 tables done, 1 s, 7 not shown"


@pytest.mark.parametrize(
    ("verdict", "painted"),
    [("PASS", "\x1b[32mPASS\x1b[0m"), ("FAIL", "\x1b[1;31mFAIL\x1b[0m"), ("INCONCLUSIVE", "\x1b[33mINCONCLUSIVE\x1b[0m"), ("?", " ? ")],
)  # fmt: skip
def test_colour_only_where_it_is_wanted(view: Any, verdict: str, painted: str) -> None:
    progress, screen = view()
    progress.finish("a", verdict)
    assert painted in screen.getvalue()
    progress, screen = view(NO_COLOR="1")
    progress.finish("a", verdict)
    assert re.search(r"\x1b\[[\d;]*m", screen.getvalue()) is None


def test_a_terminal_that_cannot_move_gets_plain_lines(view: Any) -> None:
    progress, screen = view(TERM="dumb")
    progress.plan("a", 10)
    progress.advance("a", 10)
    progress.finish("a", "PASS")
    progress.close()
    assert screen.getvalue() == "[1/1] a PASS 0.0 s, 10 rows\n"


def test_a_log_gets_a_line_now_and_then(clock: Clock) -> None:
    log = io.StringIO()
    with Progress(log, environment={}, clock=clock) as progress:
        progress.plan("s.a\x1b[2J", 1_000)
        progress.plan("s.b", 0)
        for _ in range(7):
            clock.now += 10
            progress.advance("s.a\x1b[2J", 100)
        clock.now += 40
        progress.advance("s.b", 7)
        progress.finish("s.a\x1b[2J", "PASS")
        clock.now += 10
        progress.finish("s.b", "FAIL")
    assert log.getvalue().splitlines() == [
        "s.a\\x1b[2J 30%: 300 rows, 10 rows/s, about 70 s left",
        "s.a\\x1b[2J 60%: 600 rows, 10 rows/s, about 40 s left",
        "s.b: 7 rows, 0 rows/s",
        "[1/2] s.a\\x1b[2J PASS 110.0 s, 700 rows, 6 rows/s",
        "[2/2] s.b FAIL 120.0 s, 7 rows, 0 rows/s",
    ]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "no such encoding", None])
def test_signs_that_the_terminal_can_write(view: Any, encoding: str | None, clock: Clock) -> None:
    _, screen = view()
    screen.encoding = encoding  # type: ignore[assignment]
    progress = Progress(screen, environment={}, clock=clock, tick_seconds=0)
    progress.plan("a", 100)
    clock.now += 1
    progress.advance("a", 50)
    assert "a ##########..........  50%" in screen.seen()[0]


def test_a_broken_stream_ends_nothing() -> None:
    class Broken(Screen):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with Progress(Broken(), environment={}, tick_seconds=0) as progress:
        progress.plan("a", 1)
        progress.finish("a", "PASS")
    closed = io.StringIO()
    closed.close()
    Progress(closed, environment={}).finish("a", "PASS")


def test_many_threads_lose_nothing(view: Any, clock: Clock) -> None:
    progress, screen = view(200)
    progress.plan("a", 80_000)
    threads = [threading.Thread(target=lambda: [progress.advance("a", 1, 1) for _ in range(2_000)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock.now += 1
    progress.tick()
    assert "16,000 differences, 16,000 rows, 16,000 rows/s, about 4 s left" in screen.seen()[0]


def test_one_thread_draws_at_a_time() -> None:
    seconds = itertools.count()

    class Busy(Screen):
        writers = 0
        most = 0

        def write(self, text: str) -> int:
            self.writers += 1
            time.sleep(0)  # lets another thread in, if nothing keeps it out
            self.most = max(self.most, self.writers)
            self.writers -= 1
            return len(text)

    screen = Busy()
    progress = Progress(screen, environment={}, clock=lambda: float(next(seconds)), tick_seconds=0)
    threads = [threading.Thread(target=lambda: [progress.advance("a", 1) for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert screen.most == 1


def test_the_clock_goes_on_by_itself(clock: Clock) -> None:
    drawn = threading.Event()

    class Told(Screen):
        def write(self, text: str) -> int:
            if "7 s" in text:
                drawn.set()
            return super().write(text)

    with Progress(Told(), environment={}, clock=clock, tick_seconds=0.001) as progress:
        progress.plan("a", 1)
        progress.plan("b", 1)
        clock.now += 7
        assert drawn.wait(30)
        ticker = progress._ticker
    assert ticker is not None
    ticker.join(30)
    assert not ticker.is_alive()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (99.4, "99 s"),
        (100, "1 min 40 s"),
        (5_999, "99 min 59 s"),
        (6_000, "1 h 40 min"),
        (90_000, "25 h 0 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert _duration(seconds) == text


def test_on_a_real_terminal_nothing_is_left_of_an_interrupted_run() -> None:
    """A process on a pseudo-terminal of 50 columns, interrupted while its view stands."""
    fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
    program = (
        "import os, signal, sys\n"
        "from validator.progress import Progress\n"
        "try:\n"
        "    with Progress(sys.stderr) as progress:\n"
        "        progress.plan('public.payments', 1000)\n"
        "        progress.plan('public.accounts_and_more_than_fifty_columns_of_a_name', 1000)\n"
        "        progress.finish('public.payments', 'PASS')\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "        signal.pause()\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', file=sys.stderr)\n"
    )
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 50, 0, 0))
    environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONUTF8": "1"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen([sys.executable, "-c", program], stderr=slave, env=environment)
    os.close(slave)
    written = b""
    while True:
        try:
            data = os.read(master, 4096)
        except OSError:  # Linux says so when the other end is closed
            break
        if not data:
            break
        written += data
    os.close(master)
    assert process.wait(60) == 0
    screen = Screen()
    screen.write(written.decode().replace("\r\n", "\n"))
    assert "\x1b[32mPASS" in screen.getvalue()
    assert [line.split(" ")[:3] for line in screen.seen()] == [["[1/2]", "public.payments", "PASS"], ["interrupted"]]
    drawn = re.findall(r"public\.ac[^\n\r\x1b]*", screen.getvalue())
    assert drawn
    assert max(map(len, drawn)) < 50
