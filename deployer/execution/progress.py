"""Progress: what a person or a log sees of an execution, on stderr alone; stdout carries data."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol, TextIO

from deployer.clock import CLOCK, Clock
from deployer.execution.diagnose import is_echo
from deployer.execution.durations import duration
from deployer.execution.events import Event
from deployer.execution.live_view import LiveView, Palette
from deployer.execution.tally import Phase, Tally, phase_of

_HEARTBEAT = 60.0  # a log that is silent for ten minutes gets its job killed in some CI systems
_DONE = {"CREATE": "created", "UPDATE": "updated", "DELETE": "deleted", "IMPORT": "imported"}
_ENDED = {Phase.DONE, Phase.ROLLED_BACK, Phase.DELETED}
_REPLACED = re.compile(r"requires the creation of a new physical resource", re.IGNORECASE)


class Reporter(Protocol):
    """Who is told what happens. `close` comes once, whatever ends the watching."""

    def show(self, events: Sequence[Event], tally: Tally) -> None:
        """New events, already counted in the tally; there may be none."""

    def tick(self, tally: Tally) -> None:
        """Time passes."""

    def note(self, text: str) -> None:
        """Something beside the events: a dropped connection, a resumed watch."""

    def close(self, tally: Tally | None) -> None:
        """The end; the tally as it stands."""


def reporter(stream: TextIO, environ: Mapping[str, str], clock: Clock) -> Reporter:
    """A live view where `stream` is a terminal that can move its cursor and nobody logs it, else plain lines.

    https://no-color.org
    """
    terminal = stream.isatty() and environ.get("TERM", "dumb") not in ("", "dumb")
    logged = environ.get("CI", "").lower() not in ("", "0", "false")
    if not terminal or logged:
        return PlainLines(stream, clock, grouped=environ.get("GITHUB_ACTIONS") == "true")
    return Live(LiveView(stream, Palette(colored=not environ.get("NO_COLOR"))), clock)


def on_stderr(clock: Clock = CLOCK) -> Reporter:
    """The reporter of this process: stdout carries data."""
    return reporter(sys.stderr, os.environ, clock)


def describe(event: Event, tally: Tally) -> str:
    """One line on an event worth telling, "" for the others: beginnings, repetitions, echoes of another failure."""
    if event.hook_failure:
        return f"{event.address}  {event.hook_failure}"
    if event.failed and is_echo(event):
        return ""
    if event.failed and not event.of_stack:
        why = f": {event.reason}" if event.reason else ""
        return f"{event.address}  FAILED to {event.status.removesuffix('_FAILED').lower()}{why}"
    if event.of_stack:
        return _of_stack(event, tally)
    if event.nested:
        return ""
    if event.running:
        return f"{event.address}  is being replaced" if _REPLACED.search(event.reason) else ""
    if event.status == "DELETE_SKIPPED":
        return f"{event.address}  left in the account ({event.physical_id}), as its DeletionPolicy says"
    tier = tally.tiers[event.tier]
    took = tier.took.get(event.logical_id, 0.0)
    verb = _DONE.get(event.status.partition("_")[0], event.status)
    return f"{event.address}  {verb}" + (f" in {duration(took)}" if took >= 1 else "")


def _of_stack(event: Event, tally: Tally) -> str:
    phase = phase_of(event.status)
    name = event.stack_name if event.tier == tally.root.name else event.tier
    reason = f": {event.reason}" if event.reason and event.reason != "User Initiated" else ""
    if event.tier != tally.root.name and phase in (Phase.WORKING, Phase.CLEANING_UP, Phase.DELETING):
        return ""
    if event.tier != tally.root.name and phase is Phase.DONE:
        tier = tally.tiers[event.tier]
        what = _number(len(tier.done)) if tier.done else "unchanged"
        return f"{name}  done, {what}"
    return f"{name}  {event.status}{reason}"


def _number(resources: int) -> str:
    return "1 resource" if resources == 1 else f"{resources} resources"


class PlainLines:
    """One line per event worth telling, with the time since the operation began; a sign of life when all is quiet."""

    def __init__(self, stream: TextIO, clock: Clock, *, grouped: bool) -> None:
        self._stream = stream
        self._clock = clock
        self._grouped = grouped
        self._open = False
        self._told = clock.epoch()
        self._began: float | None = None

    def show(self, events: Sequence[Event], tally: Tally) -> None:
        if events and self._grouped and not self._open:
            # https://docs.github.com/actions/reference/workflow-commands-for-github-actions#grouping-log-lines
            self._write(f"::group::events of {tally.stack_name}")
            self._open = True
        for event in events:
            text = describe(event, tally)
            if text:
                self._line(event.at - (tally.root.began if tally.root.began is not None else event.at), text)

    def tick(self, tally: Tally) -> None:
        now = self._clock.epoch()
        if now - self._told < _HEARTBEAT:
            return
        running = sorted(
            (
                (tally.age(began, now), f"{tier.name}.{name}")
                for tier in tally.rows
                for name, began in tier.running.items()
            ),
            reverse=True,
        )
        names = ", ".join(f"{name} {duration(age)}" for age, name in running[:3]) or "waiting for CloudFormation"
        self._line(tally.elapsed(now), f"{tally.done}/{tally.total} resources; {names}")

    def note(self, text: str) -> None:
        self._write(text)

    def close(self, tally: Tally | None) -> None:
        if self._open:
            self._write("::endgroup::")
            self._open = False
        if tally is not None and tally.root.began is not None:
            self._write(summary(tally, self._clock.epoch()))

    def _line(self, seconds: float, text: str) -> None:
        self._write(f"{duration(seconds):>8}  {text}")

    def _write(self, text: str) -> None:
        self._told = self._clock.epoch()
        print(text, file=self._stream, flush=True)


def summary(tally: Tally, now: float) -> str:
    """The last line: how it ended, how many resources in what time, and which took longest."""
    slowest = tally.slowest(now)
    longest = f", slowest {slowest[0]} {duration(slowest[1])}" if slowest is not None and slowest[1] >= 1 else ""
    return f"{tally.stack_name}: {tally.root.phase}, {_number(tally.done)} in {duration(tally.elapsed(now))}{longest}"


class Live:
    """The live view as a reporter: failures stay above it, everything else moves in place."""

    def __init__(self, view: LiveView, clock: Clock) -> None:
        self._view = view
        self._clock = clock

    def show(self, events: Sequence[Event], tally: Tally) -> None:
        for event in events:
            if event.failed or event.hook_failure or event.status == "DELETE_SKIPPED":
                text = describe(event, tally)
                if text:
                    self._view.keep(text, bad=event.failed or bool(event.hook_failure))
        self.tick(tally)

    def tick(self, tally: Tally) -> None:
        self._view.draw(tally, self._clock.epoch())

    def note(self, text: str) -> None:
        self._view.keep(text, bad=False)

    def close(self, tally: Tally | None) -> None:
        if tally is not None:
            self.tick(tally)
        self._view.close()
