"""A small rehearsal by hand: processes that are killed, a gate that closes, a pointer that moves; nothing is lost or doubled."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rehearsal.books import read_books
from rehearsal.events import Accepted, Event, Refused, Routed, Weighed, read_events
from rehearsal.ports import free_port
from rehearsal.tally import count
from rehearsal.timeline import tell
from tests.integration.rehearsal.conftest import POINTER, Aws, Side

_ROOT = Path(__file__).parents[3]
_PATIENCE_SECONDS = 120


def until(condition: Callable[[], object]) -> None:
    limit = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.05)


@dataclass
class Stage:
    """The processes of a rehearsal and their records."""

    aws: Aws
    data_center: Side
    aurora: Side
    folder: Path
    stack: ExitStack
    ports: dict[str, int] = field(default_factory=dict)
    records: list[Path] = field(default_factory=list)

    def start(self, module: str, *arguments: str) -> subprocess.Popen[str]:
        places = {"DATABASE_DATA_CENTER": self.data_center.application, "DATABASE_AURORA": self.aurora.application}
        process = subprocess.Popen(
            [sys.executable, "-m", f"rehearsal.{module}", *arguments],
            cwd=_ROOT,
            env={**self.aws.environment(), **places},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.stack.callback(self._end, process)
        return process

    def application(self, name: str) -> subprocess.Popen[str]:
        port = self.ports.setdefault(name, free_port())
        process = self.start("application", "--name", name, "--port", str(port), "--pointer", POINTER)
        assert process.stdout
        assert process.stdout.readline() == f"{name} listens on 127.0.0.1:{port}\n"
        return process

    def balancer(self) -> str:
        groups = [f"--group={self.aws.groups[name]}=127.0.0.1:{port}" for name, port in self.ports.items()]
        process = self.start("load_balancer", f"--listener={self.aws.listener}=0", *groups, "--record", self._record())
        assert process.stdout
        return f"http://{process.stdout.readline().split()[-1]}"

    def clients(self, url: str, rate: int, reads: int) -> subprocess.Popen[str]:
        amounts = ("--rate", str(rate), "--reads", str(reads), "--accounts", "10", "--twice", "20")
        return self.start("clients", "--url", url, *amounts, "--record", self._record())

    def _record(self) -> str:
        self.records.append(self.folder / f"record-{len(self.records)}")
        self.records[-1].touch()
        return str(self.records[-1])

    def events(self) -> list[Event]:
        return list(read_events(self.records))

    def more(self, kind: type[Any], number: int) -> None:
        """Wait for so many more events of a kind."""
        before = self.number_of(kind)
        until(lambda: self.number_of(kind) >= before + number)

    def number_of(self, kind: type[Any]) -> int:
        """How many events of a kind there are so far, counted without reading them."""
        word = f'"event":"{kind.__name__.lower()}"'.encode()
        return sum(record.read_bytes().count(word) for record in self.records)

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> None:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


@pytest.fixture
def stage(aws: Aws, data_center: Side, aurora: Side, tmp_path: Path) -> Iterator[Stage]:
    with ExitStack() as stack:
        yield Stage(aws, data_center, aurora, tmp_path, stack)


def replicate(source: Side, target: Side) -> None:
    """Copy everything, and go on copying what changes; what DMS does in a rehearsal."""
    source.run("CREATE PUBLICATION everything FOR ALL TABLES")
    target.run(f"CREATE SUBSCRIPTION {target.database} CONNECTION '{source.owner}' PUBLICATION everything")
    until(lambda: target.value("SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'") == 0)


def drain(source: Side, target: Side) -> None:
    """Wait until what was begun has ended and the target has all of it, then end the replication."""
    until(
        lambda: (
            not source.value(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = 'payments_application' AND xact_start IS NOT NULL"
            )
        )
    )
    # Not pg_current_wal_lsn(): with synchronous_commit off, what was committed last is not written yet.
    written = source.value("SELECT pg_current_wal_insert_lsn()")
    until(
        lambda: source.value(
            f"SELECT count(*) FROM pg_stat_replication WHERE application_name = '{target.database}' AND replay_lsn >= '{written}'"
        )
    )
    target.run(f"DROP SUBSCRIPTION {target.database}")


def set_sequences(source: Side, target: Side) -> None:
    for name, value in source.run("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"):
        target.run(f"SELECT setval('{name}', {value} + 1000)")


def test_killed_processes_a_closed_gate_and_a_moved_pointer_lose_and_double_nothing(stage: Stage) -> None:
    data_center, aurora, aws = stage.data_center, stage.aurora, stage.aws
    replicate(data_center, aurora)
    aws.weigh(dc=50, blue=50)
    stage.application("dc")
    blue = stage.application("blue")
    url = stage.balancer()
    clients, doomed = stage.clients(url, 20, 10), stage.clients(url, 10, 2)
    stage.more(Accepted, 20)

    blue.kill()
    doomed.kill()
    stage.more(Refused, 3)
    blue = stage.application("blue")
    stage.more(Accepted, 20)

    data_center.close_gate()
    stage.more(Refused, 3)
    aws.weigh(dc=0, blue=100)
    drain(data_center, aurora)
    set_sequences(data_center, aurora)
    aws.point("aurora")
    aurora.open_gate()
    stage.more(Accepted, 20)

    clients.send_signal(signal.SIGTERM)
    assert clients.wait() == 0
    blue.send_signal(signal.SIGTERM)
    assert blue.wait() == 0
    until(lambda: stage.number_of(Routed) > 1)

    events = stage.events()
    books, old = read_books("aurora", aurora.owner), read_books("data center", data_center.owner)
    tally = count(events, books, [old])
    assert tally.verdict == f"passed: {tally.accepted} payments accepted, none lost, none doubled"
    assert tally.accepted >= 50
    assert 0 < len(old.held) < len(books.held)
    assert (tally.wrong_reads, tally.given_up) == (0, 0)
    assert tally.refusal_pause.seconds > 0
    assert [event.weights for event in events if isinstance(event, Weighed)] == [
        {"dc": 50, "blue": 50},
        {"dc": 0, "blue": 100},
    ]
    run = tell("by hand", tally, events)
    # The tally counts an order once, a slice every answer that a client got: some were asked for twice.
    answers = sum(isinstance(event, Accepted) for event in events)
    assert sum(part.accepted for part in run.whole) == answers > tally.accepted

    _find_what_is_wrong(aurora, events, old)


def _find_what_is_wrong(aurora: Side, events: list[Event], old: Any) -> None:
    """The same tally, of books in which somebody removed and copied rows."""
    lost, doubled, robbed, noted = (
        row[0] for row in aurora.run("SELECT id FROM payment WHERE details ? 'order' ORDER BY id LIMIT 4")
    )
    with psycopg.connect(aurora.owner) as connection:
        connection.execute("SET session_replication_role TO replica")
        connection.execute("DELETE FROM payment WHERE id = %s", [lost])
        connection.execute(
            "INSERT INTO payment (account_id, amount, currency, details) "
            "SELECT account_id, amount, currency, details FROM payment WHERE id = %s",
            [doubled],
        )
        connection.execute("DELETE FROM ledger_entry WHERE payment_id = %s AND amount > 0", [robbed])
        connection.execute("INSERT INTO payment_history (payment_id, status) VALUES (%s, 'accepted')", [noted])
    orders = {row[0]: row[1] for row in aurora.run("SELECT id, details ->> 'order' FROM payment")}
    tally = count(events, read_books("aurora", aurora.owner), [old])
    assert not tally.passed
    assert len(tally.lost) == 1
    assert tally.lost[0] not in orders.values()
    assert tally.doubled == (orders[doubled],)
    assert {lost, robbed} <= set(tally.unbalanced)
    assert noted in tally.noted_wrongly
