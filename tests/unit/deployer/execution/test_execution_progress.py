"""Progress: plain lines in a log, a view that is redrawn in place on a terminal."""

from __future__ import annotations

import io
import os
import pty
import re
import struct
import termios
from fcntl import ioctl

import pytest

from deployer.execution.live_view import LiveView, Palette, terminal_size
from deployer.execution.progress import Live, PlainLines, describe, reporter
from deployer.execution.tally import Tally

NESTED = "AWS::CloudFormation::Stack"
ESCAPES = re.compile(r"\x1b\[[?0-9;]*[A-Za-z]")


@pytest.fixture
def story(world, time):
    """An update at second 60: the network is done, the database at work, the service waits."""
    world.tell(0, "UPDATE_IN_PROGRESS", reason="User Initiated")
    world.nested(1, "UPDATE_IN_PROGRESS", "Network")
    world.inside(1, "UPDATE_IN_PROGRESS", "Network")
    world.inside(2, "CREATE_IN_PROGRESS", "Network", "Vpc")
    world.inside(7, "CREATE_COMPLETE", "Network", "Vpc")
    world.inside(9, "UPDATE_COMPLETE", "Network")
    world.nested(9, "UPDATE_COMPLETE", "Network")
    world.inside(10, "UPDATE_IN_PROGRESS", "Database")
    world.inside(12, "UPDATE_IN_PROGRESS", "Database", "Cluster",
                 reason="Requested update requires the creation of a new physical resource; hence creating one.")  # fmt: skip
    world.inside(20, "UPDATE_COMPLETE", "Database", "Group")
    time.now = 60.0
    return world


@pytest.fixture
def counted(world, names, time):
    def call(**expected):
        tally = Tally("payments-dev", {"network": 1, "database": 4, "service": 2} | expected)
        tally.add(world.parsed(), names.epoch + time.now)
        return tally

    return call


@pytest.fixture
def lines(world, counted, time):
    """What a log would hold."""

    def call(*, grouped=False):
        stream = io.StringIO()
        log = PlainLines(stream, time.clock(), grouped=grouped)
        tally = counted()
        log.show(world.parsed(), tally)
        log.close(tally)
        return stream.getvalue().splitlines()

    return call


def test_a_log_gets_one_line_per_event_worth_telling(story, lines):
    assert lines() == [
        "      0s  payments-dev  UPDATE_IN_PROGRESS",
        "      7s  network.Vpc  created in 5s",
        "      9s  network  done, 1 resource",
        "     12s  database.Cluster  is being replaced",
        "     20s  database.Group  updated",
        "payments-dev: at work, 2 resources in 1m 00s, slowest database.Cluster 48s",
    ]


def test_github_folds_the_lines_of_a_run(story, lines):
    told = lines(grouped=True)
    assert told[0] == "::group::events of payments-dev"
    assert told[-2] == "::endgroup::"


def test_a_group_is_opened_once_and_only_when_something_is_in_it(story, counted, time):
    stream = io.StringIO()
    log = PlainLines(stream, time.clock(), grouped=True)
    tally = counted()
    log.show([], tally)
    assert stream.getvalue() == ""
    log.show(story.parsed(), tally)
    log.show(story.parsed(), tally)
    log.close(None)
    log.close(None)
    assert stream.getvalue().count("::group::") == stream.getvalue().count("::endgroup::") == 1


def test_a_quiet_log_shows_a_sign_of_life_once_a_minute(story, counted, time):
    stream = io.StringIO()
    log = PlainLines(stream, time.clock(), grouped=False)
    tally = counted()
    time.sleep(59)
    log.tick(tally)
    assert stream.getvalue() == ""
    time.sleep(1)
    log.tick(tally)
    log.tick(tally)
    assert stream.getvalue() == "  2m 00s  2/7 resources; database.Cluster 1m 48s\n"


def test_a_sign_of_life_without_any_resource_at_work(counted, time):
    stream = io.StringIO()
    log = PlainLines(stream, time.clock(), grouped=False)
    time.sleep(60)
    log.tick(counted())
    log.close(counted())
    assert stream.getvalue() == "      0s  0/7 resources; waiting for CloudFormation\n"


def test_notes_are_told_as_they_come(time):
    stream = io.StringIO()
    PlainLines(stream, time.clock(), grouped=False).note("throttled")
    assert stream.getvalue() == "throttled\n"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (("CREATE_FAILED", "Vpc", {"reason": "quota"}), "root.Vpc  FAILED to create: quota"),
        (("DELETE_FAILED", "Vpc", {}), "root.Vpc  FAILED to delete"),
        (("CREATE_FAILED", "Vpc", {"reason": "Resource creation cancelled"}), ""),
        (("CREATE_FAILED", "Web", {"type": NESTED, "physical_id": "arn:x",
                                   "reason": "Embedded stack arn:x was not successfully created: [Vpc]"}), ""),
        (("CREATE_FAILED", "Web", {"type": NESTED, "reason": "no template"}), "root.Web  FAILED to create: no template"),
        (("DELETE_SKIPPED", "Vpc", {"physical_id": "vpc-1"}),
         "root.Vpc  left in the account (vpc-1), as its DeletionPolicy says"),
        (("DELETE_COMPLETE", "Vpc", {}), "root.Vpc  deleted"),
        (("IMPORT_COMPLETE", "Vpc", {}), "root.Vpc  imported"),
        (("EXPORT_COMPLETE", "Vpc", {}), "root.Vpc  EXPORT_COMPLETE"),
        (("CREATE_IN_PROGRESS", "Vpc", {"reason": "Resource creation Initiated"}), ""),
        (("CREATE_IN_PROGRESS", "Vpc", {"HookType": "A::B", "HookStatus": "HOOK_FAILED", "HookStatusReason": "no"}),
         "root.Vpc  A::B: no"),
        (("ROLLBACK_IN_PROGRESS", "", {"reason": "[Vpc] failed"}), "payments-dev  ROLLBACK_IN_PROGRESS: [Vpc] failed"),
        (("UPDATE_COMPLETE", "Web", {"stack": "payments-dev-Service"}), "service.Web  updated"),
        (("UPDATE_COMPLETE", "", {"stack": "payments-dev-Service"}), "service  done, unchanged"),
        (("UPDATE_IN_PROGRESS", "", {"stack": "payments-dev-Service"}), ""),
        (("UPDATE_ROLLBACK_IN_PROGRESS", "", {"stack": "payments-dev-Service"}), "service  UPDATE_ROLLBACK_IN_PROGRESS"),
    ],
)  # fmt: skip
def test_what_is_worth_telling(world, counted, event, expected):
    status, logical_id, more = event
    world.tell(0, status, logical_id, **more)
    assert describe(world.parsed()[0], counted()) == expected


# --- which of the two -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("environ", "kind"),
    [
        ({"TERM": "xterm"}, Live),
        ({"TERM": "xterm", "NO_COLOR": "1"}, Live),
        ({"TERM": "xterm", "CI": "false"}, Live),
        ({"TERM": "xterm", "CI": "true"}, PlainLines),
        ({"TERM": "dumb"}, PlainLines),
        ({}, PlainLines),
    ],
)
def test_terminals_get_the_view_and_logs_get_lines(terminal, time, environ, kind):
    assert type(reporter(terminal, environ, time.clock())) is kind
    assert type(reporter(io.StringIO(), environ, time.clock())) is PlainLines


# --- the view ---------------------------------------------------------------------------------------------------------
class Screen:
    """A terminal of the size given, as far as the view uses one: what would be seen."""

    def __init__(self, columns, lines):
        self.columns, self.lines = columns, lines
        self.rows, self.row, self.column = [""], 0, 0

    def feed(self, text):
        for part in re.split(r"(\x1b\[[?0-9;]*[A-Za-z]|\n)", text):
            if part == "\n":
                self.row, self.column = self.row + 1, 0
                self.rows += [""] * (self.row + 1 - len(self.rows))
            elif part.endswith("F") and part.startswith("\x1b"):
                # A real terminal cannot go up beyond its first visible line.
                self.row = max(self.row - int(part[2:-1]), len(self.rows) - self.lines, 0)
                self.column = 0
            elif part.startswith("\x1b") and part.endswith("K"):
                self.rows[self.row] = self.rows[self.row][: self.column]
            elif part.startswith("\x1b") and part.endswith("J"):
                self.rows = [*self.rows[: self.row], self.rows[self.row][: self.column]]
            elif not part.startswith("\x1b"):
                for sign in part:
                    if self.column == self.columns:
                        self.row, self.column = self.row + 1, 0
                        self.rows += [""] * (self.row + 1 - len(self.rows))
                    line = self.rows[self.row].ljust(self.column)
                    self.rows[self.row] = line[: self.column] + sign + line[self.column + 1 :]
                    self.column += 1

    def text(self):
        return [row.rstrip() for row in self.rows]


@pytest.fixture
def view(terminal):
    def call(size=(100, 24), *, colored=False):
        return LiveView(terminal, Palette(colored=colored), lambda _: size)

    return call


def seen(terminal, columns=100, lines=24):
    screen = Screen(columns, lines)
    screen.feed(terminal.getvalue())
    return screen.text()


def test_the_view_shows_each_tier_with_counts_names_and_times(story, counted, view, terminal, names):
    view().draw(counted(), names.epoch + 60)
    assert seen(terminal) == [
        "payments-dev  at work  1m 00s   2/7 resources   slowest database.Cluster 48s",
        "  network   ████████████████████   1/1    done in 8s",
        "  database  █████░░░░░░░░░░░░░░░   1/4    Cluster 48s",
        "  service   ░░░░░░░░░░░░░░░░░░░░   0/2    waiting",
        "",
    ]


def test_frames_are_drawn_over_one_another(story, counted, view, terminal, names):
    drawn = view()
    drawn.draw(counted(), names.epoch + 60)
    story.inside(61, "UPDATE_COMPLETE", "Database", "Cluster")
    drawn.draw(counted(), names.epoch + 62)
    shown = seen(terminal)
    assert len(shown) == 5
    assert shown[2] == "  database  ██████████░░░░░░░░░░   2/4    at work"


def test_a_frame_is_one_write_and_leaves_the_cursor_visible(story, counted, view, terminal, names, monkeypatch):
    writes = []
    monkeypatch.setattr(terminal, "write", writes.append)
    view().draw(counted(), names.epoch + 60)
    [frame] = writes
    assert frame.index("\x1b[?25l") < frame.index("payments-dev") < frame.index("\x1b[?25h")
    assert "\x1b[2J" not in frame


def test_closing_shows_the_cursor_whatever_was_cut_off(view, terminal):
    view().close()
    assert terminal.getvalue() == "\x1b[?2026l\x1b[?25h"


def test_lines_that_stay_stand_above_the_frame(story, counted, view, terminal, names):
    drawn = view()
    drawn.draw(counted(), names.epoch + 60)
    drawn.keep("database.Cluster  FAILED", bad=True)
    drawn.draw(counted(), names.epoch + 61)
    drawn.keep("and the last word", bad=False)
    drawn.close()
    shown = seen(terminal)
    assert shown[:2] == ["database.Cluster  FAILED", "and the last word"]
    assert shown[2].startswith("payments-dev")
    assert len(shown) == 7


def test_no_line_is_wider_than_the_terminal(story, counted, view, terminal, names):
    drawn = view((40, 24))
    drawn.draw(counted(), names.epoch + 60)
    drawn.draw(counted(), names.epoch + 61)
    shown = seen(terminal, 40)
    assert max(len(line) for line in shown) < 40
    assert len(shown) == 5
    assert shown[2].startswith("  database  ██░░░░░░   1/4    Cluster")


def test_a_narrower_window_that_wraps_the_old_frame_is_still_drawn_over(story, counted, terminal, names):
    size = [(100, 24)]
    drawn = LiveView(terminal, Palette(colored=False), lambda _: size[0])
    drawn.draw(counted(), names.epoch + 60)
    # The window shrinks: the terminal wraps what is there, and the cursor moves down with it.
    wrapped = [line[start : start + 40] for line in seen(terminal)[:4] for start in range(0, len(line), 40)]
    size[0] = (40, 24)
    terminal.truncate(0)
    terminal.seek(0)
    drawn.draw(counted(), names.epoch + 61)
    screen = Screen(40, 24)
    screen.feed("".join(f"{line}\n" for line in wrapped))
    screen.feed(terminal.getvalue())
    assert len(wrapped) == 8
    assert [line[:12] for line in screen.text()] == ["payments-dev", "  network   ", "  database  ", "  service   ", ""]


def test_a_low_terminal_shows_what_moves_and_counts_the_rest(story, counted, view, terminal, names):
    drawn = view((100, 4))
    for second in (60, 61, 62):
        drawn.draw(counted(), names.epoch + second)
    shown = seen(terminal, 100, 4)
    assert [line.split()[0] for line in shown[:2]] == ["payments-dev", "database"]
    assert shown[2:] == ["  and 2 more tiers", ""]


def test_colours_mean_something_and_can_be_switched_off(story, counted, view, terminal, names):
    view(colored=True).draw(counted(), names.epoch + 60)
    assert "\x1b[32m  network" in terminal.getvalue()
    assert Palette(colored=False).paint("x", "31") == "x"
    assert Palette(colored=True).paint("", "31") == ""


def test_many_names_are_abridged_and_phases_named(world, counted, view, terminal, names, time):
    time.now = 20.0
    world.inside(0, "UPDATE_IN_PROGRESS", "Database")
    for number in range(5):
        world.inside(number, "UPDATE_COMPLETE", "Database", f"R{number}")
    world.inside(6, "UPDATE_ROLLBACK_IN_PROGRESS", "Database")
    for number in range(5):
        world.inside(10 + number, "UPDATE_IN_PROGRESS", "Database", f"R{number}")
    world.inside(10, "UPDATE_COMPLETE", "Service")
    world.inside(10, "UPDATE_FAILED", "Network")
    view((94, 24)).draw(counted(), names.epoch + 20)
    assert seen(terminal)[2].endswith("   0/5    rolling back: R0 10s, R1 9s, R2 8s, R3 7s, R4 6s")
    view((75, 24)).draw(counted(), names.epoch + 20)
    assert seen(terminal)[6].endswith("   0/5    rolling back: R0 10s, 4 more")
    terminal.truncate(0)
    terminal.seek(0)
    view().draw(counted(), names.epoch + 20)
    assert [line.strip() for line in seen(terminal)[1:4]] == [
        "network   ░░░░░░░░░░░░░░░░░░░░   0/1    failed",
        "database  ░░░░░░░░░░░░░░░░░░░░   0/5    rolling back: R0 10s, R1 9s, R2 8s, R3 7s, R4 6s",
        "service   ████████████████████   0/0    unchanged",
    ]


@pytest.mark.parametrize(
    ("status", "words"), [("UPDATE_COMPLETE", "unchanged"), ("UPDATE_ROLLBACK_IN_PROGRESS", "not begun")]
)
def test_tiers_that_nobody_came_to_are_not_left_waiting(story, counted, view, terminal, names, status, words):
    story.tell(50, status)
    view().draw(counted(), names.epoch + 60)
    assert seen(terminal)[3] == f"  service   ░░░░░░░░░░░░░░░░░░░░   0/0    {words}"


def test_an_empty_tally_is_a_heading(view, terminal, names):
    view().draw(Tally("payments-dev", {}), names.epoch)
    assert seen(terminal) == ["payments-dev  waiting  0s   0/0 resources", ""]


@pytest.mark.parametrize("encoding", ["ascii", "no-such-encoding", None])
def test_a_terminal_without_blocks_gets_plain_signs(story, counted, terminal, names, encoding, monkeypatch):
    monkeypatch.setattr(type(terminal), "encoding", encoding)
    LiveView(terminal, Palette(colored=False), lambda _: (100, 24)).draw(counted(), names.epoch + 60)
    assert "  database  #####...............   1/4    Cluster 48s" in seen(terminal)


def test_the_live_reporter_keeps_failures_and_notes_and_moves_the_rest(story, counted, terminal, time, names):
    live = Live(LiveView(terminal, Palette(colored=False), lambda _: (100, 24)), time.clock())
    story.inside(58, "UPDATE_FAILED", "Database", "Cluster", reason="quota")
    story.inside(58, "DELETE_SKIPPED", "Network", "OldVpc", physical_id="vpc-0")
    story.inside(59, "UPDATE_FAILED", "Database")
    story.inside(59, "CREATE_IN_PROGRESS", "Network", "Eni", HookType="A::B", HookStatus="HOOK_FAILED")
    story.inside(59, "UPDATE_FAILED", "Database", "Echo", reason="Resource update cancelled")
    live.note("connection dropped")
    live.show(story.parsed(), counted())
    live.close(counted())
    shown = seen(terminal)
    assert shown[:5] == [
        "connection dropped",
        "network.OldVpc  left in the account (vpc-0), as its DeletionPolicy says",
        "database.Cluster  FAILED to update: quota",
        "network.Eni  A::B: failed",
        "database  UPDATE_FAILED",
    ]
    assert shown[5].startswith("payments-dev  at work  1m 00s")
    live.close(None)


# --- a real one -------------------------------------------------------------------------------------------------------
@pytest.fixture
def real_terminal():
    """Both ends of a pseudo-terminal of 60 columns and 10 lines."""
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 60, 0, 0))
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        yield master, stream
    os.close(master)


def written(master, end):
    """What the other end wrote, up to `end`."""
    data = b""
    while not data.endswith(end.encode()):
        data += os.read(master, 10_000)
    return data.decode()


def test_on_a_real_terminal_the_view_fits_and_follows_a_resize(story, counted, real_terminal, time, names):
    master, stream = real_terminal
    live = reporter(stream, {"TERM": "xterm-256color"}, time.clock())
    live.tick(counted())
    first = written(master, "\x1b[?2026l")
    assert max(len(ESCAPES.sub("", line)) for line in first.split("\r\n")) < 60
    assert "\x1b[32m" in first
    ioctl(stream.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", 10, 30, 0, 0))
    live.tick(counted())
    second = written(master, "\x1b[?2026l")
    assert max(len(ESCAPES.sub("", line)) for line in second.split("\r\n")) < 30
    live.close(counted())
    written(master, "\x1b[?2026l\x1b[?25h")


def test_a_size_that_nobody_knows_is_taken_for_a_usual_one(real_terminal):
    _, stream = real_terminal
    assert terminal_size(stream) == (60, 10)
    ioctl(stream.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
    assert terminal_size(stream) == (100, 24)
    assert terminal_size(io.StringIO()) == (100, 24)
