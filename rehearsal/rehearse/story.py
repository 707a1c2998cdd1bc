"""A rehearsal from beginning to end, in the order in which the migration goes."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from rehearsal.books import Books, read_books
from rehearsal.errors import RehearsalError
from rehearsal.events import read_events
from rehearsal.measures import Interval
from rehearsal.rehearse.arguments import Options
from rehearsal.rehearse.breaking import Breaker
from rehearsal.rehearse.databases import AURORA, DATA_CENTER
from rehearsal.rehearse.execution import Cutover, Look
from rehearsal.rehearse.faults import Fault
from rehearsal.rehearse.machine import stretch
from rehearsal.rehearse.migration import load_everything, validate
from rehearsal.rehearse.observer import Counter, Observer, read_lags, wait_until
from rehearsal.rehearse.outcome import End, Outcome, break_down, find_faults
from rehearsal.rehearse.screen import Screen
from rehearsal.rehearse.stage import Stage
from rehearsal.rehearse.traffic import weigh
from rehearsal.tally import count
from rehearsal.timeline import tell

_STEPS_TO_AWS = (10, 50, 100)
_CUTOVER_SECONDS = 900.0
_RETURN_SECONDS = 15.0
# How often the operator looks: what is to break at a state must be broken before that has passed. Otherwise seldom, for
# whoever asks for a history, which is long, keeps the embedded AWS from its work.
_LOOK_SECONDS, _UNHURRIED_LOOK_SECONDS = 0.25, 1.0
_MOST_DECISIONS = 3
# Phases of a cutover that has closed a gate and not come to an end: it is gone on with, not back.
_BEGUN = ("frozen", "drained", "reversed", "switched", "reopened", "watching")
# What an execution fails with that has ended as it should: nothing was done, or all of it was undone.
_BACK = ("NotReady", "NotBegun", "RolledBack")


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One rehearsal on a stage; `fault` breaks in it, None for none."""

    options: Options
    fault: Fault | None
    stage: Stage
    screen: Screen

    def run(self) -> Outcome:
        """All of it; raises UserError where something stops it that was not meant to. The caller closes the stage."""
        began = time.monotonic()
        stage, screen = self.stage, self.screen
        stage.set_up(screen.say)
        cutover = Cutover(stage.account, stage.logs)
        observer = Observer(cutover, Counter(stage.records[0]), screen)
        observer.start()
        try:
            self._bring_over(observer)
            self._move_requests(observer)
            stretch(stage.account, self.options.patience)
            breaker = Breaker(self.fault, stage, cutover)
            breaker.prepare()
            observer.follow()
            cutover.begin()
            look = self._attend(cutover, breaker)
            screen.say("payments go on")
            self._wait(self.options.seconds)
            stage.stop_clients()
        finally:
            observer.close()
            cutover.close()
        return self._conclude(cutover, observer, breaker, look, began)

    # --- the movements ------------------------------------------------------------------------------------------------
    def _bring_over(self, observer: Observer) -> None:
        stage = self.stage
        observer.mark("full load")
        load_everything(stage.account, lambda: stage.databases.make_schema("post-data"), stage.check)
        observer.mark("first validation")
        report = validate(stage.account, stage.check)
        self.screen.say(f"{report['verdict']}: {report['compared']} tables compared")
        observer.mark("replicating")
        self._wait(self.options.seconds)

    def _move_requests(self, observer: Observer) -> None:
        """Movement 1: compute goes to AWS step by step, while the payments stay where they are."""
        for percent in _STEPS_TO_AWS:
            observer.mark(f"{percent} % on AWS")
            weigh(self.stage.account, percent)
            self._wait(self.options.seconds / len(_STEPS_TO_AWS))

    def _attend(self, cutover: Cutover, breaker: Breaker) -> Look:
        """Movement 2: be the operator until it has come to an end, or payments are on AWS and all is quiet."""
        until = time.monotonic() + _CUTOVER_SECONDS
        decisions = 0
        while True:
            self.stage.check()
            look = cutover.look()
            if breaker.watch(look):
                self.screen.say(f"{self.fault}")
            elif look.status == "RUNNING":
                quiet = look.state == "WatchOn" and look.entered.count("WatchOn") > breaker.seen_before
                if quiet:
                    return look
                if not breaker.is_away and (question := cutover.question()):
                    taken = cutover.decide("approve")
                    self.screen.say(f"asked: {question}? {'approved' if taken else 'the answer was not taken'}")
            elif look.status == "SUCCEEDED" or look.error in _BACK or decisions == _MOST_DECISIONS:
                return look
            else:
                decisions += 1
                word = "resume" if look.status == "ABORTED" and cutover.phase() in _BEGUN else "go-back"
                self.screen.say(f"{look.status.lower()}: {look.error or 'no error'}; the operator decides to {word}")
                if not cutover.decide(word):
                    self.screen.say(f"{word} was refused")
            if time.monotonic() > until:
                raise RehearsalError(
                    f"the cutover came to no end within {_CUTOVER_SECONDS:g} s: it is at {look.state}",
                    hint="run it with --keep, and read its logs",
                )
            time.sleep(_LOOK_SECONDS if self.fault else _UNHURRIED_LOOK_SECONDS)

    def _wait(self, seconds: float) -> None:
        wait_until(lambda: False, seconds, self.stage.check)

    # --- the end ------------------------------------------------------------------------------------------------------
    def _conclude(self, cutover: Cutover, observer: Observer, breaker: Breaker, look: Look, began: float) -> Outcome:
        stage = self.stage
        end = End(cutover.phase(), cutover.pointer(), stage.databases.gates(), look.error)
        events = list(read_events(stage.records))
        here = AURORA if end.pointer == AURORA else DATA_CENTER
        books = self._read(here)
        self._await_return(books)
        other = self._read(DATA_CENTER if here == AURORA else AURORA)
        tally = count(events, books, [other])
        returned = len({row.order for row in books.held} & {row.order for row in other.held})
        tally = replace(
            tally, beyond=tuple(find_faults(end, self.fault, events, observer.phases(), pending=breaker.pending))
        )
        steps, record = cutover.steps(), cutover.record() | cutover.validating()
        run = tell(
            self._title(), tally, events, observer.phases(), steps,
            read_lags(stage.account, Interval(min((event.at for event in events), default=0.0), time.time())),
        )  # fmt: skip
        options, took = self.options, round(time.monotonic() - began, 1)
        return Outcome(
            run, options.env, options.rate, options.payments, options.patience, str(self.fault or ""), end,
            break_down(steps, record), returned, took,
        )  # fmt: skip

    def _read(self, side: str) -> Books:
        return read_books(side, self.stage.databases.of(side).dsn())

    def _await_return(self, books: Books) -> None:
        """Give the reverse replication, where it leads back, a moment to bring the last payments."""
        there = self.stage.databases.data_center
        sql = "SELECT count(*) FROM payment WHERE details ->> 'order' IS NOT NULL"
        wait_until(lambda: there.run(sql)[0][0] >= len(books.held), _RETURN_SECONDS, lambda: None)

    def _title(self) -> str:
        broken = f", {self.fault}" if self.fault else ""
        return f"Rehearsal of {self.options.env} at {self.options.rate:g} payments a second{broken}"
