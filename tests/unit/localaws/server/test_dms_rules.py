"""What a task's documents ask for, and what is remembered and told of a replication: the parts that need no server."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import pytest

from localaws.dms import lag as lag_module
from localaws.dms.lag import Lag
from localaws.dms.load import Halted
from localaws.dms.postgres import LostError, Place, Session, _reason
from localaws.dms.runs import COMPLETED, ERROR, FULL_LOAD, Run, Table, checkpoint, object_name
from localaws.dms.selection import MappingError, is_selected, read_rules
from localaws.dms.task_settings import read_settings
from localaws.dms.validation import Validator
from localaws.dms.watch import Source, count_rows
from localaws.dms.worker import Worker


def _rules(*selections: tuple[str, str, str], **more: Any) -> str:
    return json.dumps(
        {
            "rules": [
                {
                    "rule-type": "selection",
                    "rule-id": "7",
                    "rule-action": action,
                    "object-locator": {"schema-name": schema, "table-name": table},
                    **more,
                }
                for action, schema, table in selections
            ]
        }
    )


class TestSelection:
    @pytest.mark.parametrize(
        ("selections", "taken", "left"),
        [
            ([("include", "public", "%")], ["public.payments", "public.a%b"], ["other.payments"]),
            ([("include", "%", "pay%")], ["a.pay", "b.payments"], ["a.repay"]),
            ([("include", "p_blic", "t_")], ["public.t1"], ["pblic.t1", "public.t12"]),
            ([("include", "%", "%"), ("exclude", "%", "awsdms%")], ["public.t"], ["public.awsdms_status"]),
            ([("exclude", "public", "t"), ("include", "public", "%")], ["public.u"], ["public.t"]),
            ([("explicit", "public", "a_%")], ["public.a_%"], ["public.ab1"]),
            ([("include", "public", "a.c")], ["public.a.c"], ["public.abc"]),
            ([("include", "public", "%")], ["public.two\nlines"], []),
            ([], [], ["public.t"]),
        ],
    )
    def test_takes_what_some_rule_includes_and_none_excludes(
        self, selections: Any, taken: list[str], left: list[str]
    ) -> None:
        rules = read_rules(_rules(*selections))
        assert [name for name in taken + left if is_selected(rules, *name.split(".", 1))] == taken

    @pytest.mark.parametrize(
        ("mappings", "expected"),
        [
            (_rules(("include", "a", "b"), filters=[{"filter-type": "source"}]), "rule 7 of the table mappings is a"),
            (_rules(("rename", "a", "b")), "is a selection with action 'rename'"),
            ('{"rules": [{"rule-type": "transformation"}]}', "rule ? of the table mappings is a transformation"),
            (json.dumps({"rules": [{"rule-type": "selection", "rule-action": "include"}]}), "has no schema-name"),
        ],
    )
    def test_what_it_would_do_otherwise_it_refuses(self, mappings: str, expected: str) -> None:
        with pytest.raises(MappingError) as caught:
            read_rules(mappings)
        assert expected in str(caught.value)

    def test_no_filters_are_none(self) -> None:
        assert len(read_rules(_rules(("include", "a", "b"), filters=[]))) == 1


class TestSettings:
    def test_defaults_are_those_of_dms(self) -> None:
        found = read_settings("")
        assert found.prep_mode == "DROP_AND_CREATE"
        assert (found.stop_after_load, found.stop_after_cached, found.validate) == (False, False, False)
        assert (found.transaction_seconds, found.retries, found.retry_seconds) == (600, None, 5)
        assert (found.fail_without_tables, found.truncates, found.stop_at) == (True, True, frozenset())

    def test_says_what_it_is_told(self) -> None:
        found = read_settings(
            json.dumps(
                {
                    "FullLoadSettings": {"StopTaskCachedChangesApplied": True, "TransactionConsistencyTimeout": 9},
                    "ErrorBehavior": {
                        "RecoverableErrorCount": 0,
                        "RecoverableErrorInterval": 2,
                        "ApplyErrorUpdatePolicy": "STOP_TASK",
                        "ApplyErrorDeletePolicy": "IGNORE_RECORD",
                    },
                    "ChangeProcessingDdlHandlingPolicy": {"HandleSourceTableTruncated": False},
                }
            )
        )
        assert (found.stop_after_cached, found.transaction_seconds) == (True, 9)
        assert (found.retries, found.retry_seconds, found.stop_at) == (0, 2, {"update"})
        assert not found.truncates


class TestLag:
    def test_is_the_age_of_the_first_that_is_missing(self) -> None:
        lag = Lag()
        assert lag.seconds(0, 100) == 0
        lag.note(10, 100)
        lag.note(20, 101)
        lag.note(20, 102)
        lag.note(15, 103)
        assert lag.seconds(5, 110) == 10
        assert lag.seconds(10, 110) == 9
        assert lag.seconds(19, 110) == 9
        assert lag.seconds(20, 110) == 0
        assert lag.seconds(5, 99) == 0

    def test_keeps_a_bounded_number_of_positions(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lag_module, "_LIMIT", 10)
        lag = Lag()
        for number in range(1000):
            lag.note(number, number)
        assert len(lag._positions) <= 11
        assert lag.seconds(-1, 1000) == 1000


class TestRun:
    def test_names_what_it_makes_as_a_slot_may_be_called(self) -> None:
        assert object_name("arn:aws:dms:us-east-1:123456789012:task:Payments-dev-FOR") == "dms_payments_dev_for"
        assert len(object_name(f"a:task:{'x' * 80}")) < 64

    def test_says_a_position_as_dms_does(self) -> None:
        assert checkpoint(0x1_B00000D0) == "checkpoint:V1#1#00000001/B00000D0#0#0#*#0#0"

    def test_a_load_under_way(self) -> None:
        run = Run("n", "full-load-and-cdc", 100, 90, load_started=101)
        done = Table("s", "a", (), (), 80, FULL_LOAD, 80, load_started=101)
        now = Table("s", "b", (), (), 20, FULL_LOAD, 10, load_started=102)
        run.tables = {table.full_name: table for table in (done, now, Table("s", "c", (), (), 0, FULL_LOAD))}
        found = run.statistics(104)
        assert found["FullLoadProgressPercent"] == 90
        assert (found["TablesLoaded"], found["TablesLoading"], found["TablesQueued"]) == (0, 2, 1)
        assert found["ElapsedTimeMillis"] == 4000
        assert (found["StartDate"], found["FreshStartDate"], found["FullLoadStartDate"]) == (100, 90, 101)
        assert "FullLoadFinishDate" not in found

    def test_more_rows_than_were_expected_are_not_yet_all(self) -> None:
        run = Run("n", "full-load", 100, 100)
        run.tables = {"s.a": Table("s", "a", (), (), 5, FULL_LOAD, 50)}
        assert run.statistics(101)["FullLoadProgressPercent"] == 99

    def test_one_that_is_over(self) -> None:
        run = Run("n", "full-load", 100, 100, load_started=100, load_finished=102, ended=103)
        run.tables = {
            "s.a": Table("s", "a", (), (), state=COMPLETED),
            "s.b": Table("s", "b", (), (), state=ERROR),
        }
        found = run.statistics(500)
        assert (found["FullLoadProgressPercent"], found["TablesLoaded"], found["TablesErrored"]) == (100, 1, 1)
        assert (found["ElapsedTimeMillis"], found["StopDate"]) == (3000, 103)


class TestCounters:
    """Counters as a server tells them: the rows are what the statement of localaws/dms/watch.py answers."""

    def count(self, run: Run, *counts: int) -> int:
        class Server:
            def run(self, sql: str, **values: Any) -> list[list[Any]]:
                assert values == {"names": ["s.t"]}
                return [["s", "t", *counts]] if counts else []

        return count_rows(Server(), run, 5.0)

    def test_go_on_after_a_crash_of_the_server_has_reset_them(self) -> None:
        run = Run("n", "cdc", 0, 0, tables={"s.t": Table("s", "t", ("id",), ("id",))})
        table = run.tables["s.t"]
        assert self.count(run, 100, 10, 1) == 0
        assert table.updated is None
        assert self.count(run, 103, 11, 1) == 4
        assert table.applied == (3, 1, 0)
        assert table.updated == 5.0
        assert self.count(run, 2, 0, 0) == 2
        assert table.applied == (5, 1, 0)
        assert self.count(run) == 0
        assert self.count(run, 1, 0, 0) == 1

    def test_leave_out_what_was_changed_by_hand(self) -> None:
        run = Run("n", "cdc", 0, 0, tables={"s.t": Table("s", "t", ("id",), ("id",))})
        self.count(run, 0, 0, 0)
        run.tables["s.t"].touched = 1
        assert self.count(run, 1, 0, 0) == 1
        assert self.count(run, 1, 2, 0) == 1
        assert run.tables["s.t"].applied == (1, 1, 0)


def test_a_source_has_captured_what_it_has_applied() -> None:
    nobody = Source(at=100, there=True, lost=False, confirmed=50, sent=None, replayed=None)
    assert (nobody.captured, nobody.applied) == (50, 50)
    reader = Source(at=100, there=True, lost=False, confirmed=50, sent=90, replayed=70)
    assert (reader.captured, reader.applied) == (90, 70)


def test_a_place_tells_its_password_to_libpq_alone() -> None:
    place = Place("source", "127.0.0.1", 5432, "pay'ments", "u", r"it's \ secret")
    assert "secret" not in repr(place)
    assert str(place) == 'source database "pay\'ments" at 127.0.0.1:5432'
    assert r"dbname='pay\'ments'" in place.conninfo()
    assert r"password='it\'s \\ secret'" in place.conninfo()


def test_a_comparison_that_is_to_end_reads_no_further_table() -> None:
    nowhere = Place("source", "127.0.0.1", 1, "d", "u", "p")
    tables = {"s.t": Table("s", "t", ("id",), ("id",), state=COMPLETED)}
    validator = Validator(Run("n", "cdc", 0, 0, tables=tables), nowhere, nowhere)
    with pytest.raises(LostError, match="cannot reach the source database 'd' at 127.0.0.1:1"):
        validator.compare_all()
    validator._stop.set()
    validator.compare_all()


def test_a_server_that_hangs_up_is_lost() -> None:
    """Its driver has words of its own for that, not the network's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = Place("source", "127.0.0.1", listener.getsockname()[1], "d", "u", "p")

        def hang_up() -> None:
            connection, _ = listener.accept()
            connection.close()

        hanging = threading.Thread(target=hang_up)
        hanging.start()
        with pytest.raises(LostError) as lost:
            Session(place)
        hanging.join()
    assert str(lost.value).startswith(f"cannot reach the {place}: ")


def test_an_error_without_words_is_told_by_its_name() -> None:
    assert _reason(TimeoutError()) == "TimeoutError"
    assert _reason(ConnectionRefusedError(111, "Connection refused")) == "Connection refused"


def test_an_account_that_ends_while_a_task_is_being_stopped_leaves_it_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker goes on with the stop when the account is back."""

    def ended(*_: Any) -> None:
        raise Halted

    worker = Worker.__new__(Worker)
    worker._closing, worker._halt = False, threading.Event()
    worker.run = Run("task", "full-load-and-cdc", 0.0, 0.0, applying=True)
    rested: list[str] = []
    monkeypatch.setattr(Worker, "_disconnect", lambda _: None)
    monkeypatch.setattr(Worker, "_bear", ended)
    monkeypatch.setattr(Worker, "_come_to_rest", lambda _, status, **__: rested.append(status))
    worker._end_asked()
    assert rested == []
