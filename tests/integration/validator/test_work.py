"""Distributed runs, call by call: whatever ends a call, every slice is counted once, and nothing is left out."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError

from validator import compare, comparison, connection, planning, work
from validator.compare import compare_slice
from validator.comparison import Options
from validator.conclusion import conclude_run
from validator.errors import ConnectError, ConnectionLostError, QueryError
from validator.lots import State
from validator.masking import Mask
from validator.order import Order
from validator.places import items_key, part_key, plan_key, table_key
from validator.planning import Planner, Scope
from validator.settle import Patience, settle
from validator.sides import Sides
from validator.store import Folder, StoreError
from validator.work import Call, Item

PAYMENTS = "CREATE TABLE t (id int PRIMARY KEY, amount numeric(12,2))"
ROWS = "INSERT INTO t SELECT i, i FROM generate_series(1, 400) i"
DEFECTS = "DELETE FROM t WHERE id IN (7, 250, 399); INSERT INTO t VALUES (0, 0), (999, 1); UPDATE t SET amount = -id WHERE id IN (8, 120, 121, 400)"
MISSING, EXTRA, CHANGED = ["7", "250", "399"], ["0", "999"], ["8", "120", "121", "400"]
NO_TIME, ALL_TIME = Call(lambda: 0.0, 1.0), Call(lambda: 600.0, 1.0)


class KilledError(BaseException):
    """What ends a process: nothing of it can be caught."""


class Fragile:
    """A store in front of another: `fault` is told each write before it is done, `look` each read of a part."""

    def __init__(
        self, store: Folder, fault: Callable[[int], None], look: Callable[[int], None] = lambda _: None
    ) -> None:
        self._store = store
        self._fault = fault
        self._look = look
        self.writes = 0
        self.reads = 0

    def read(self, key: str) -> dict[str, Any] | None:
        if "/parts/" in key:
            self.reads += 1
            self._look(self.reads)
        return self._store.read(key)

    def write(self, key: str, document: Mapping[str, Any]) -> None:
        self.writes += 1
        self._fault(self.writes)
        self._store.write(key, document)

    def write_text(self, key: str, text: str, content_type: str) -> None:
        self._store.write_text(key, text, content_type)

    def keys(self, prefix: str) -> Iterator[str]:
        return self._store.keys(prefix)


@dataclass
class Run:
    """One run over a pair of schemas, kept in a folder."""

    pair: Any
    folder: Path
    order: Order = field(default_factory=lambda: Order(0, 0))
    options: Options = field(default_factory=lambda: Options(range_rows=100))
    item_rows: int = 100
    cards: Mask = field(default_factory=Mask)
    id: str = "run"

    @property
    def store(self) -> Folder:
        return Folder(self.folder)

    def sides(self) -> Sides:
        return Sides(self.pair.source.endpoint(), self.pair.target.endpoint())

    def plan(self, seconds: float = 600, store: Any = None, opened: Sides | None = None) -> dict[str, Any] | None:
        patience = Patience(self.order.settle_seconds, self.order.deadline_seconds)
        self.options = replace(self.options, patience=patience)
        scope = Scope((self.pair.schema,), self.options, self.cards, self.item_rows)
        with nullcontext(opened) if opened else self.sides() as sides:
            return Planner(sides, store or self.store, self.id, self.order, scope).plan(lambda: seconds)

    def entries(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = json.loads((self.folder / items_key(self.id)).read_text())
        return entries

    def advance(self, entry: Any = None, call: Call = ALL_TIME, store: Any = None, attempt: str = "run") -> bool:
        with self.sides() as sides:
            item = Item(store or self.store, self.id, entry or self.entries()[0])
            return item.advance(sides, attempt, self.options, call)

    def state(self, item: int = 0) -> State:
        found = self.store.read(part_key(self.id, item))
        assert found is not None
        return State.of(found)

    def tables(self) -> dict[str, dict[str, Any]]:
        report = conclude_run(self.store, self.id, self.cards)
        return {table["table"]: table for table in report["tables"]}

    def all(self) -> dict[str, dict[str, Any]]:
        self.plan()
        for entry in self.entries():
            assert self.advance(entry)
        return self.tables()


@pytest.fixture
def run(pair: Any, tmp_path: Path) -> Run:
    return Run(pair, tmp_path)


@pytest.fixture
def defective(run: Run) -> Run:
    """A table of four slices, all in one item, with defects in each."""
    run.pair.on_both(f"{PAYMENTS}; {ROWS}; ANALYZE t")
    run.pair.on_target(DEFECTS)
    run.item_rows = 100_000
    assert run.plan()
    (entry,) = run.entries()
    assert entry["lots"] == [[0, 0, 4]]
    return run


def proven(table: dict[str, Any]) -> None:
    """Each defect found, each once, and none invented."""
    assert table["verdict"] == "FAIL"
    assert table["reason"] == "3 rows missing on the target; 2 rows extra on the target; 4 rows changed"
    assert table["rows"] == {"source": 400, "target": 399}
    for kind, keys in (("missing", MISSING), ("extra", EXTRA), ("changed", CHANGED), ("pending", [])):
        assert table[kind]["count"] == len(keys)
        assert sorted((key["id"] for key in table[kind]["keys"]), key=int) == keys
    assert len(table["differences"]) == 9


def test_stopped_after_every_slice_it_goes_on(defective: Run) -> None:
    left = []
    while not defective.advance(call=NO_TIME):
        left.append(len(defective.state().lots[0].pending))
    assert left == [3, 2, 1]
    assert defective.advance(call=NO_TIME), "what is done stays done"
    proven(defective.tables()["t"])


def test_killed_at_any_write_nothing_is_counted_twice_or_left_out(defective: Run, tmp_path: Path) -> None:
    def killed(at: int) -> Callable[[int], None]:
        def fault(write: int) -> None:
            if write == at:
                raise KilledError

        return fault

    original, at = defective.folder, 0
    while True:
        at += 1
        defective.folder = tmp_path / f"killed-at-{at}"
        shutil.copytree(original / "work", defective.folder / "work")
        store = Fragile(defective.store, killed(at))
        try:
            assert defective.advance(store=store)
        except KilledError:
            assert defective.advance()
            proven(defective.tables()["t"])
            continue
        break
    # Two for each slice: before it, and with what was found.
    assert at - 1 == 8


def test_two_calls_at_once_count_each_slice_once(defective: Run) -> None:
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(defective.advance())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 3
    assert len(defective.state().lots[0].done) == 4
    proven(defective.tables()["t"])


def test_a_slower_call_takes_over_what_a_faster_one_has_kept(defective: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def overtaken(*given: Any) -> Any:
        monkeypatch.undo()
        assert defective.advance()
        return compare_slice(*given)

    monkeypatch.setattr(work, "compare_slice", overtaken)
    store = Fragile(defective.store, lambda write: None)
    assert defective.advance(store=store)
    assert store.writes == 1, "it had begun the first slice, and saw after it that all were done"
    proven(defective.tables()["t"])


@pytest.mark.parametrize("at", [1, 2, 5])
def test_a_call_that_keeps_an_older_state_at_the_worst_moment_does_the_rest_again(defective: Run, at: int) -> None:
    def overtaken(write: int) -> None:
        if write == at:
            assert defective.advance()

    assert defective.advance(store=Fragile(defective.store, overtaken))
    proven(defective.tables()["t"])


def other(run: Run) -> Callable[[int], None]:
    """Another call that does all there is to do, before the second time that a part is read."""

    def overtaking(read: int) -> None:
        if read == 2:
            assert run.advance()

    return overtaking


def test_a_call_that_was_overtaken_before_it_began_does_nothing(defective: Run) -> None:
    store = Fragile(defective.store, lambda _: None, other(defective))
    assert defective.advance(store=store)
    assert store.writes == 1, "what the other had kept"
    proven(defective.tables()["t"])


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_connection_lost_in_any_slice_is_made_again(defective: Run, side: str) -> None:
    server = getattr(defective.pair, side)
    ended = []

    def hang_up(_write: int) -> None:
        ended.extend(
            server.run(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'validator'"
            )
        )

    assert defective.advance(store=Fragile(defective.store, hang_up))
    assert len(ended) >= 4, "after each slice"
    proven(defective.tables()["t"])


def test_a_server_that_is_gone_ends_the_call_and_not_the_item(defective: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defective.pair.source.__class__, "endpoint", _nowhere)
    with pytest.raises(ConnectError, match="cannot reach the source"):
        defective.advance()
    monkeypatch.undo()
    assert defective.state().lots[0].tried == 0, "no slice is to blame"
    assert defective.advance()
    proven(defective.tables()["t"])


def _nowhere(server: Any) -> Any:
    from validator.endpoint import Endpoint

    return Endpoint(server.side, "127.0.0.1", 1, "postgres", "postgres", tls="disable")


def refusing(sqlstate: str, rows: int = 0, times: int = 10**9) -> Callable[..., Any]:
    """`compare_slice` of a server that refuses slices of more than `rows` rows, as often as said."""
    left = [times]

    def refused(sides: Any, comparison: Any, part: Any, options: Any) -> Any:
        if part.rows > rows and left[0]:
            left[0] -= 1
            raise QueryError(f"the source says: no ({sqlstate})", sqlstate)
        return compare_slice(sides, comparison, part, options)

    return refused


def test_a_server_that_goes_down_is_asked_again_by_the_next_call(
    defective: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "compare_slice", refusing("57P01", times=3))
    with pytest.raises(ConnectionLostError, match=r"the source says: no \(57P01\)"):
        defective.advance()
    assert defective.advance()
    proven(defective.tables()["t"])


def test_a_slice_that_takes_too_long_is_cut_in_two(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.pair.on_both(f"{PAYMENTS}; {ROWS}; ANALYZE t")
    run.pair.on_target(DEFECTS)
    run.options, run.item_rows = Options(range_rows=400), 100_000
    run.plan()
    monkeypatch.setattr(work, "_FEWEST_ROWS", 10)
    monkeypatch.setattr(work, "compare_slice", refusing("57014", rows=60))
    assert run.advance()
    assert len(run.state().lots[0].done) == 8
    proven(run.tables()["t"])


def test_parts_by_hash_are_cut_as_well(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.pair.on_both("CREATE TABLE t (id text PRIMARY KEY, amount numeric(12,2))")
    run.pair.on_both(f"{ROWS}; ANALYZE t")
    run.pair.on_target(DEFECTS.replace("id IN (", "id::int IN (").replace("-id", "-id::int"))
    run.plan()
    monkeypatch.setattr(work, "compare_slice", refusing("57014", rows=60))
    assert run.advance()
    assert len(run.state().lots[0].done) == 8
    proven(run.tables()["t"])


def test_a_slice_that_cannot_be_cut_is_said(defective: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "compare_slice", refusing("57014"))
    assert defective.advance()
    table = defective.tables()["t"]
    assert table["verdict"] == "INCONCLUSIVE"
    assert table["reason"] == "the source says: no (57014), and there is nothing left to cut"


def test_a_slice_that_two_calls_died_of_is_cut(defective: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "_FEWEST_ROWS", 10)
    deaths = []

    def deadly(sides: Any, comparison: Any, part: Any, options: Any) -> Any:
        if part.rows == 100:
            deaths.append(part)
            raise KilledError
        return compare_slice(sides, comparison, part, options)

    monkeypatch.setattr(work, "compare_slice", deadly)
    for _ in range(8):
        with pytest.raises(KilledError):
            defective.advance()
    assert defective.advance()
    assert len(deaths) == 8
    assert len(defective.state().lots[0].done) == 8
    proven(defective.tables()["t"])


def test_a_lock_is_waited_for_again_and_again(defective: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "compare_slice", refusing("55P03", times=5))
    assert defective.advance()
    proven(defective.tables()["t"])


def test_a_lock_that_stays_is_the_tables_problem_and_hides_no_other(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_PINS", connection._PINS.replace("lock_timeout TO '5s'", "lock_timeout TO '20ms'"))
    run.pair.on_both("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)")
    run.item_rows = 100_000
    run.plan()
    (entry,) = run.entries()
    locked = threading.Event()
    done = threading.Event()

    def hold() -> None:
        import pg8000.native

        port = run.pair.source.port
        with pg8000.native.Connection("postgres", host="127.0.0.1", port=port, ssl_context=False) as holder:
            holder.run("BEGIN")
            holder.run(f"LOCK TABLE {run.pair.schema}.a IN ACCESS EXCLUSIVE MODE")
            locked.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    locked.wait()
    try:
        assert run.advance(entry)
    finally:
        done.set()
        thread.join()
    tables = run.tables()
    assert (tables["a"]["verdict"], tables["b"]["verdict"]) == ("INCONCLUSIVE", "PASS")
    assert "lock timeout" in tables["a"]["reason"]
    # Another execution takes up what an earlier one gave up.
    assert run.advance(entry, attempt="another")
    assert {table["verdict"] for table in run.tables().values()} == {"PASS"}


def test_a_table_altered_meanwhile_is_said(defective: Run) -> None:
    assert not defective.advance(call=NO_TIME)
    defective.pair.on_target("ALTER TABLE t ADD COLUMN more int")
    assert defective.advance()
    table = defective.tables()["t"]
    assert table["verdict"] == "FAIL", "what was found in the first slice stands"
    assert "was redefined, rewritten or truncated during the comparison" in table["reason"]


# --- rows in flight --------------------------------------------------------------------------------------------------
@pytest.fixture
def flying(run: Run) -> Run:
    """Rows that have not arrived yet, and one that never will."""
    run.pair.on_both(f"{PAYMENTS}; {ROWS}; ANALYZE t")
    run.pair.on_target("DELETE FROM t WHERE id IN (5, 150, 399); UPDATE t SET amount = 0 WHERE id = 250")
    run.order, run.item_rows = Order(0.3, 5), 100_000
    run.plan()
    return run


def arrived(run: Run) -> None:
    run.pair.on_target("INSERT INTO t VALUES (5, 5), (150, 150), (399, 399)")


def settled(table: dict[str, Any]) -> None:
    assert table["verdict"] == "FAIL"
    assert table["reason"] == "1 rows changed".replace("rows", "row")
    assert [key["id"] for key in table["changed"]["keys"]] == ["250"]
    assert table["settled"] == 3
    assert table["missing"]["count"] == table["pending"]["count"] == 0


def test_rows_in_flight_are_settled_by_a_later_call(flying: Run) -> None:
    for _ in range(4):
        assert not flying.advance(call=NO_TIME)
    state = flying.state()
    assert [candidate.word for candidate in state.lots[0].progress.waiting] == ["5", "150", "250", "399"]
    assert state.settling is None
    arrived(flying)
    assert flying.advance(call=NO_TIME)
    settled(flying.tables()["t"])


def test_rows_that_another_call_has_settled_are_not_settled_again(flying: Run) -> None:
    for _ in range(4):
        flying.advance(call=NO_TIME)
    arrived(flying)
    store = Fragile(flying.store, lambda _: None, other(flying))
    assert flying.advance(store=store)
    assert store.writes == 1, "what the other had kept"
    settled(flying.tables()["t"])


def test_a_call_that_dies_while_it_watches_is_repeated(flying: Run, tmp_path: Path) -> None:
    for _ in range(4):
        flying.advance(call=NO_TIME)
    arrived(flying)
    original = flying.folder
    for at in (1, 2):
        flying.folder = tmp_path / f"killed-at-{at}"
        shutil.copytree(original / "work", flying.folder / "work")

        def fault(write: int, at: int = at) -> None:
            if write == at:
                raise KilledError

        with pytest.raises(KilledError):
            flying.advance(store=Fragile(flying.store, fault))
        assert (flying.state().settling is None) == (at == 1)
        assert flying.advance()
        settled(flying.tables()["t"])


@pytest.mark.parametrize("losses", [1, 4])
def test_a_connection_lost_between_watching_and_describing_loses_no_row(
    flying: Run, monkeypatch: pytest.MonkeyPatch, losses: int
) -> None:
    for _ in range(4):
        flying.advance(call=NO_TIME)
    arrived(flying)
    real, left = compare._confirm, [losses]

    def cut_off(*given: Any, **named: Any) -> Any:
        if left[0]:
            left[0] -= 1
            flying.pair.source.run(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'validator'"
            )
        return real(*given, **named)

    monkeypatch.setattr(compare, "_confirm", cut_off)
    if losses > 1:
        with pytest.raises(ConnectionLostError):
            flying.advance()
    assert flying.advance()
    assert left == [0]
    settled(flying.tables()["t"])


def test_the_deadline_is_that_of_the_item_and_not_of_a_call(flying: Run) -> None:
    times = iter([100.0, 102.0])
    call = Call(lambda: 600.0, 1.0, now=lambda: next(times))
    watched = []

    def seen(found: Any, look_again: Any, patience: Patience) -> Any:
        watched.append(patience)
        return settle(found, look_again, Patience(0.3, 0.3))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compare, "settle", seen)
        assert flying.advance(call=call)
    assert watched == [Patience(0.3, 3.0)]


def test_rows_that_nobody_looked_at_again_are_pending(flying: Run) -> None:
    for _ in range(4):
        flying.advance(call=NO_TIME)
    Item(flying.store, "run", flying.entries()[0]).abandon("run", "the comparison ended with Sandbox.Timedout")
    table = flying.tables()["t"]
    assert table["verdict"] == "INCONCLUSIVE"
    assert table["pending"]["count"] == 4
    assert "item 0 of the run was not finished: the comparison ended with Sandbox.Timedout" in table["reason"]
    arrived(flying)
    assert flying.advance(attempt="another")
    settled(flying.tables()["t"])


# --- planning --------------------------------------------------------------------------------------------------------
def test_a_plan_goes_on_where_it_stopped(run: Run) -> None:
    run.pair.on_both("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int); CREATE VIEW v AS SELECT 1")
    run.pair.on_source("CREATE TABLE c (id int)")
    assert run.plan(seconds=0) is None
    assert run.plan(seconds=0) is None
    seed = run.store.read(table_key("run", 0))
    run.pair.on_both("CREATE TABLE late (id int)")
    plan = run.plan(seconds=0)
    assert plan is not None
    assert [table["table"] for table in plan["tables"]] == ["a", "b", "c"]
    assert run.store.read(table_key("run", 0)) == seed
    assert run.plan(seconds=0) == plan
    assert run.store.read(plan_key("run")) == plan
    tables = run.all()
    assert {name: table["verdict"] for name, table in tables.items()} == {"a": "PASS", "b": "PASS", "c": "FAIL"}
    assert plan["skipped"] == [{"schema": run.pair.schema, "name": "v", "kind": "view"}]
    assert plan["source"]["encoding"] == "UTF8"


def test_a_large_table_is_dealt_out_over_items_and_small_ones_share_one(run: Run) -> None:
    run.pair.on_both(f"{PAYMENTS}; {ROWS}; ANALYZE t; CREATE TABLE a (id int); CREATE TABLE z (id int)")
    run.item_rows = 40_000
    run.plan()
    assert run.entries() == [
        {"item": 0, "lots": [[0, 0, 1], [1, 0, 1]]},
        {"item": 1, "lots": [[1, 1, 4], [2, 0, 1]]},
    ]
    run.id, run.item_rows = "other", 100
    tables = run.all()
    assert len(run.entries()) == 6
    assert {table["verdict"] for table in tables.values()} == {"PASS"}
    assert tables["t"]["rows"] == {"source": 400, "target": 400}


def test_large_objects_are_no_pass_unless_the_order_leaves_them_out(run: Run) -> None:
    run.pair.on_both("CREATE TABLE t (id int PRIMARY KEY)")
    [[number]] = run.pair.target.run("SELECT lo_from_bytea(0, 'x')")
    try:
        run.all()
        assert conclude_run(run.store, run.id, run.cards)["problems"] == [
            "large objects are not compared: there are 1 on the target"
        ]
        run.id, run.order = "other", Order(0, 0, without_large_objects=True)
        run.all()
        assert conclude_run(run.store, run.id, run.cards)["verdict"] == "PASS"
    finally:
        run.pair.target.run(f"SELECT lo_unlink({number})")


def test_a_table_that_cannot_be_read_is_judged_while_planning(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_PINS", connection._PINS.replace("lock_timeout TO '5s'", "lock_timeout TO '20ms'"))
    run.pair.on_both("CREATE TABLE a (id int); CREATE TABLE b (id int)")
    import pg8000.native

    port = run.pair.target.port
    with pg8000.native.Connection("postgres", host="127.0.0.1", port=port, ssl_context=False) as holder:
        holder.run("BEGIN")
        holder.run(f"LOCK TABLE {run.pair.schema}.a IN ACCESS EXCLUSIVE MODE")
        run.plan()
    tables = run.all()
    assert tables["a"]["verdict"] == "INCONCLUSIVE"
    assert "lock timeout" in tables["a"]["reason"]
    assert tables["b"]["verdict"] == "PASS"


def test_a_marker_that_never_arrives_is_the_runs_problem(run: Run) -> None:
    run.order = Order(0, 0, marker="nope")
    run.pair.source.run(
        "CREATE SCHEMA cutover; CREATE TABLE cutover.marker (id uuid, lsn pg_lsn, written_at timestamptz)"
    )
    run.pair.target.run(
        "CREATE SCHEMA cutover; CREATE TABLE cutover.marker (id uuid, lsn pg_lsn, written_at timestamptz)"
    )
    try:
        plan = run.plan()
        assert plan is not None
        assert plan["items"] == []
        report = conclude_run(run.store, "run", Mask())
        assert report["verdict"] == "INCONCLUSIVE"
        assert "the source has no marker nope in cutover.marker" in report["problems"][0]
        # And one that does.
        marker = "11111111-2222-3333-4444-555555555555"
        row = f"INSERT INTO cutover.marker VALUES ('{marker}', '0/1', '2027-01-01')"
        run.pair.source.run(row)
        run.pair.target.run(row)
        run.id, run.order = "another", Order(0, 0, marker=marker)
        plan = run.plan()
        assert plan is not None
        assert plan["marker"]["lsn"] == "0/1"
    finally:
        for server in (run.pair.source, run.pair.target):
            server.run("DROP SCHEMA cutover CASCADE")


def test_sequences_are_compared_where_asked_for(run: Run) -> None:
    run.pair.on_both("CREATE SEQUENCE s; CREATE TABLE t (id int)")
    run.pair.on_source("SELECT nextval('s')")
    run.order = Order(0, 0, sequences=True)
    run.all()
    report = conclude_run(run.store, "run", Mask())
    assert (report["verdict"], report["mismatches"]) == ("FAIL", 1)
    assert report["sequences"][0]["verdict"] == "FAIL"


def test_some_tables_only(run: Run) -> None:
    run.pair.on_both("CREATE TABLE a (id int); CREATE TABLE b (id int)")
    run.order = Order(0, 0, tables=(f"{run.pair.schema}.b",))
    assert list(run.all()) == ["b"]


# --- what the report holds -------------------------------------------------------------------------------------------
def test_card_data_is_masked_in_the_parts_and_in_the_report(run: Run) -> None:
    run.cards = Mask(["card"])
    run.options = replace(
        run.options, mask=lambda table: lambda column, value: "411111••••••1111" if column == "card" else value
    )
    run.pair.on_both("CREATE TABLE t (id int PRIMARY KEY, card text); INSERT INTO t VALUES (1, '4111111111111111')")
    run.pair.on_target("UPDATE t SET card = '4111111111111112'")
    table = run.all()["t"]
    assert table["verdict"] == "FAIL"
    for file in run.folder.rglob("*.*"):
        assert "41111111111111" not in file.read_text()
    repair = (run.folder / "runs/run/repair.sql").read_text()
    assert "t" in repair
    assert "FAIL" in (run.folder / "runs/run/report.md").read_text()
    assert "<html" in (run.folder / "runs/run/report.html").read_text()


def test_a_card_column_of_no_table_is_an_error(run: Run) -> None:
    run.cards = Mask(["crad"])
    run.pair.on_both("CREATE TABLE t (id int, card text)")
    with pytest.raises(Exception, match="no table has the card column crad"):
        run.plan()


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table is kept by itself, as in a run of many."""
    monkeypatch.setattr(planning, "_TOGETHER_BYTES", 0)


@pytest.mark.usefixtures("apart")
def test_a_report_without_any_of_its_parts_proves_nothing(run: Run) -> None:
    run.pair.on_both("CREATE TABLE a (id int); CREATE TABLE b (id int)")
    run.all()
    assert {table["verdict"] for table in run.tables().values()} == {"PASS"}
    (run.folder / part_key("run", 0)).unlink()
    tables = run.tables()
    assert (tables["a"]["verdict"], tables["b"]["verdict"]) == ("INCONCLUSIVE", "PASS")
    assert tables["a"]["reason"] == "item 0 of the run was never begun"
    (run.folder / table_key("run", 0)).unlink()
    report = conclude_run(run.store, "run", Mask())
    assert report["verdict"] == "INCONCLUSIVE"
    assert f"{run.pair.schema}.a: 0 results for 1 planned comparisons" in report["problems"]


@pytest.mark.parametrize("change", ["twice", "lost", "other table"])
def test_slices_that_do_not_make_up_the_table_prove_nothing(run: Run, change: str) -> None:
    run.pair.on_both(f"{PAYMENTS}; {ROWS}; ANALYZE t")
    run.item_rows = 100_000
    assert run.all()["t"]["verdict"] == "PASS"
    key = part_key("run", 0)
    part = run.store.read(key)
    assert part is not None
    done = part["lots"][0]["done"]
    if change == "twice":
        done.append(done[0])
    elif change == "lost":
        done.pop()
    else:
        part["lots"][0]["table"] = 1
    run.store.write(key, part)
    table = run.tables()["t"]
    assert table["verdict"] == "INCONCLUSIVE"
    expected = "item 0 of the run was never begun" if change == "other table" else "do not make up the table"
    assert expected in table["reason"]


def test_a_run_without_a_plan_is_an_error(run: Run) -> None:
    with pytest.raises(Exception, match=r"run gone has no plan: nothing can be said of it \(start a new run\)"):
        conclude_run(run.store, "gone", Mask())


@pytest.mark.parametrize("kept", ["by itself", "with the plan"])
def test_an_item_without_its_table_is_an_error(defective: Run, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if kept == "by itself":
        monkeypatch.setattr(planning, "_TOGETHER_BYTES", 0)
        (defective.folder / plan_key("run")).unlink()
        assert defective.plan()
        (defective.folder / table_key("run", 0)).unlink()
    else:
        plan = json.loads((defective.folder / plan_key("run")).read_text())
        defective.store.write(plan_key("run"), {**plan, "together": []})
    with pytest.raises(StoreError, match=r"tables/0.json is gone: the run cannot go on without its plan"):
        defective.advance()


@pytest.mark.parametrize("bytes_together", [0, 10**6])
def test_few_tables_are_kept_with_the_plan_and_many_by_themselves(
    run: Run, bytes_together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "_TOGETHER_BYTES", bytes_together)
    names = [f"t{number}" for number in range(3)]
    run.pair.on_both("; ".join(f"CREATE TABLE {name} (id int PRIMARY KEY)" for name in names))
    assert {table["verdict"] for table in run.all().values()} == {"PASS"}
    kept = sorted(file.name for file in (run.folder / "work/run/tables").glob("*"))
    assert kept == ([] if bytes_together else [f"{number}.json" for number in range(3)])
    assert (run.folder / "work/run/listing.json").exists() == (not bytes_together)


def test_planning_that_takes_long_is_kept_on_its_way(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.pair.on_both("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)")
    monkeypatch.setattr(planning, "_KEEP_SECONDS", 0)

    def killed(write: int) -> None:
        if write == 3:  # after the listing and the first table
            raise KilledError

    with pytest.raises(KilledError):
        run.plan(store=Fragile(run.store, killed))
    assert run.store.read(table_key("run", 0)) is not None
    assert run.store.read(table_key("run", 1)) is None
    seed = run.store.read(table_key("run", 0))
    assert {table["verdict"] for table in run.all().values()} == {"PASS"}
    assert run.store.read(table_key("run", 0)) == seed


# --- only what changed -----------------------------------------------------------------------------------------------
@pytest.fixture
def clean(run: Run) -> Run:
    """A table that a full run has found equal."""
    run.pair.on_both(f"{PAYMENTS}; {ROWS}; ANALYZE t")
    assert run.all()["t"]["mode"] == "full"
    run.order, run.id = Order(0, 0, incremental=True), "next"
    return run


def test_a_clean_run_is_what_the_next_one_starts_from(clean: Run) -> None:
    clean.pair.on_both("UPDATE t SET amount = 0 WHERE id = 17")
    clean.pair.on_target("UPDATE t SET amount = 1 WHERE id = 18")
    table = clean.all()["t"]
    assert (table["mode"], table["verdict"]) == ("incremental", "FAIL")
    assert [key["id"] for key in table["changed"]["keys"]] == ["18"]
    assert clean.entries() == [{"item": 0, "lots": [[0, 0, 4]]}]
    # That was no clean run: the next one still starts from the first, and finds the row again.
    clean.id = "third"
    table = clean.all()["t"]
    assert (table["mode"], table["verdict"]) == ("incremental", "FAIL")
    clean.pair.on_target("UPDATE t SET amount = 18 WHERE id = 18")
    clean.id = "fourth"
    assert clean.all()["t"]["verdict"] == "PASS"


def test_a_run_that_is_to_leave_no_baseline_waits_for_none_and_leaves_the_last_one(
    clean: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: Any) -> None:
        raise AssertionError("it waited")

    keys = list(clean.store.keys("baselines/"))
    before = [clean.store.read(key) for key in keys]
    clean.pair.on_both("UPDATE t SET amount = 0 WHERE id = 17")
    clean.order = Order(0, 0, incremental=True, baseline=False)
    monkeypatch.setattr(planning, "await_durable", forbidden)
    table = clean.all()["t"]
    assert (table["mode"], table["verdict"]) == ("incremental", "PASS")
    assert [clean.store.read(key) for key in keys] == before


def test_sessions_that_stay_open_prepare_a_table_once(clean: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    read_definition = comparison.read_definition

    def noted(session: Any, table: Any) -> Any:
        read.append(session.endpoint.side)
        return read_definition(session, table)

    def planned(run_id: str) -> tuple[int, dict[str, Any]]:
        read.clear()
        clean.id = run_id
        plan = clean.plan(opened=opened)
        assert plan is not None
        return len(read), plan["together"][0]["comparison"]

    monkeypatch.setattr(comparison, "read_definition", noted)
    with clean.sides() as opened:
        (first_read, first), (second_read, second) = planned("first"), planned("second")
        assert (first_read, second_read) == (2, 0)
        assert first["seed"] != second["seed"], "no hash of one run is worth anything in another"
        assert {**first, "seed": 0} == {**second, "seed": 0}
        clean.order = Order(0, 0)
        assert planned("full")[0] == 2, "slices want estimates of today"
        clean.order = Order(0, 0, incremental=True)
        clean.pair.on_target("ALTER TABLE t ADD more int")
        altered_read, altered = planned("altered")
        assert (altered_read, *altered["matched"]["faults"]) == (2, "column more is missing on the source")
        opened.close()
        assert planned("reconnected")[0] == 2, "another server may answer"
        monkeypatch.setattr(comparison, "_KNOWN_TABLES", 0)
        opened.close()
        assert [planned(name)[0] for name in ("many", "more")] == [2, 2]


def _compare_altered(clean: Run, at: int) -> str:
    """What is said of a table that is altered right before a statement; "locked" where that cannot be, "" past them."""
    clean.pair.on_both(f"DROP TABLE t; {PAYMENTS}; {ROWS}; ANALYZE t")
    clean.order, clean.id = Order(0, 0), f"{at}-full"
    assert clean.all()["t"]["verdict"] == "PASS"
    query, counted, locked = connection.Session.query, 0, False

    def altered(session: Any, sql: str, **values: Any) -> Any:
        nonlocal counted, locked
        counted += session.endpoint.side == "target"
        if session.endpoint.side == "target" and counted == at:
            try:
                clean.pair.on_target("SET lock_timeout TO '1ms'; ALTER TABLE t ALTER amount TYPE numeric(12,1)")
            except DatabaseError:
                locked = True
        return query(session, sql, **values)

    clean.order = Order(0, 0, incremental=True)
    with clean.sides() as opened, pytest.MonkeyPatch.context() as patch:
        clean.id = f"{at}-known"
        clean.plan(opened=opened)
        patch.setattr(connection.Session, "query", altered)
        clean.id = f"{at}-next"
        clean.plan(opened=opened)
        Item(clean.store, clean.id, clean.entries()[0]).advance(opened, "run", clean.options, ALL_TIME)
    table = clean.tables()["t"]
    if counted < at or locked:
        assert table["verdict"] == "PASS"
        return "locked" if locked else ""
    # Altered before it was looked at, it is another table; afterwards it is not the one that was planned.
    assert table["verdict"] == "INCONCLUSIVE" or "column amount is numeric" in str(table["notes"])
    return str(table["verdict"])


def test_a_table_altered_at_any_statement_of_an_increment_never_passes_for_what_it_was(clean: Run) -> None:
    """The sessions know it from the run before."""
    clean.item_rows = 10**6
    outcomes = [_compare_altered(clean, 1)]
    while outcomes[-1]:
        outcomes.append(_compare_altered(clean, len(outcomes) + 1))
    assert {"locked", "INCONCLUSIVE"} <= set(outcomes)


@pytest.mark.parametrize(("seconds", "writes"), [(600, 1), (0, 3)])
def test_small_changes_are_kept_together(
    run: Run, seconds: float, writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.item_rows = 10**6
    run.pair.on_both("; ".join(f"CREATE TABLE {name} (id int PRIMARY KEY)" for name in ("a", "b", "c")))
    run.all()
    run.order, run.id = Order(0, 0, incremental=True), "next"
    run.pair.on_target("INSERT INTO b VALUES (1)")
    run.plan()
    monkeypatch.setattr(work, "_KEEP_SECONDS", seconds)
    store = Fragile(run.store, lambda _: None)
    assert run.advance(store=store)
    assert store.writes == writes
    tables = run.tables()
    assert {name: table["mode"] for name, table in tables.items()} == dict.fromkeys("abc", "incremental")
    assert {name: table["verdict"] for name, table in tables.items()} == {"a": "PASS", "b": "FAIL", "c": "PASS"}


def test_a_call_that_ends_early_keeps_the_changes_that_it_compared(run: Run) -> None:
    run.item_rows = 10**6
    run.pair.on_both("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)")
    run.all()
    run.order, run.id = Order(0, 0, incremental=True), "next"
    run.plan()
    assert not run.advance(call=NO_TIME)
    assert [lot.scanned for lot in run.state().lots] == [True, False]
    assert run.advance(call=NO_TIME)
    assert {table["verdict"] for table in run.tables().values()} == {"PASS"}


def test_what_changes_cannot_explain_is_compared_in_full(clean: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def unexplained(*given: Any) -> tuple[comparison.Progress, str]:
        return comparison.Progress(), "rows differ that were not written since"

    clean.plan()
    monkeypatch.setattr(work, "compare_increment", unexplained)
    assert clean.advance()
    table = clean.tables()["t"]
    assert (table["mode"], table["verdict"]) == ("full", "PASS")
    assert "compared in full: rows differ that were not written since" in table["notes"]


def test_changes_that_take_too_long_to_find_are_compared_in_full(clean: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*given: Any) -> Any:
        raise QueryError("the source says: canceling statement due to statement timeout (57014)", "57014")

    clean.plan()
    monkeypatch.setattr(work, "compare_increment", slow)
    assert clean.advance()
    table = clean.tables()["t"]
    assert (table["mode"], table["verdict"]) == ("full", "PASS")
    assert "statement timeout" in " ".join(table["notes"])


def test_a_table_that_never_was_clean_says_so(clean: Run) -> None:
    clean.pair.on_both("CREATE TABLE fresh (id int PRIMARY KEY)")
    table = clean.all()["fresh"]
    assert table["mode"] == "full"
    assert "compared in full: no clean run of it is on record" in table["notes"]
