"""Every finding provoked once, on real servers; and a source with nothing wrong has none of them."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from cutover.__main__ import main
from cutover.names import roles_of
from cutover.readiness import gate, sequences, server, target
from cutover.readiness.findings import Finding
from validator.errors import QueryError


def _report(pair: Any, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, list[dict[str, str]]]:
    arguments = ["--source", pair.source.dsn(), "--system", pair.system, "--interval", "0", "--json", "-", *more]
    code = main(["readiness", *arguments])
    return code, json.loads(capsys.readouterr().out)["findings"]


def _found(findings: list[dict[str, str]], code: str) -> dict[str, str]:
    """Severity by object of one code."""
    return {finding["object"]: finding["severity"] for finding in findings if finding["code"] == code}


def _users(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["users", "--side", "source", "--dsn", pair.source.dsn(), "--system", pair.system, "--apply", "--open"])
        == 0
    )
    capsys.readouterr()


GOOD = """
    CREATE TABLE public.accounts (id bigint PRIMARY KEY, name varchar(50), since date);
    CREATE TABLE public.payments (id uuid PRIMARY KEY, amount numeric(12, 2) NOT NULL, at timestamptz);
    CREATE SEQUENCE public.numbers OWNED BY public.accounts.id
"""


@pytest.mark.parametrize("kind", ["pair", "mixed_pair"])
def test_a_source_that_is_ready(
    kind: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pair = request.getfixturevalue(kind)
    pair.source.run(GOOD)
    _users(pair, capsys)
    code, findings = _report(pair, capsys, "--target", pair.target.dsn())
    assert code == 0
    old = (
        {("note", "gate-set-role")}
        if kind == "mixed_pair" and pair.source.run("SHOW server_version_num") < [["16"]]
        else set()
    )
    # What these servers are set to for speed and lack by their making, and notes that are always there.
    assert {(finding["severity"], finding["code"]) for finding in findings} == {
        ("warning", "fsync"),
        ("warning", "full-page-writes"),
        ("warning", "tls-off"),
        ("note", "gate-owner"),
        ("note", "plugin-unproven"),
        ("note", "server-version"),
        ("note", "slot-limit"),
        ("note", "wal-volume"),
    } | old
    file = tmp_path / "report.json"
    arguments = ["--source", pair.source.dsn(), "--system", pair.system, "--interval", "0", "--json", str(file)]
    assert main(["readiness", *arguments]) == 0
    said = capsys.readouterr().out
    assert "warning  tls-off: ssl\n         the server does not speak TLS" in said
    assert said.endswith(f"ready: 0 blocker, 0 unread, 3 warning, {5 + len(old)} note\n")
    report = json.loads(file.read_text())
    assert report["ready"] is True
    assert report["counts"] == {"blocker": 0, "unread": 0, "warning": 3, "note": 5 + len(old)}
    assert report["schemas"] == ["public"]
    assert report["version"] == int(pair.source.run("SHOW server_version_num")[0][0])
    assert report["source"] == f"source database '{pair.system}' at 127.0.0.1:{pair.source.port}"
    assert main(["readiness", *arguments[:-1], "/nowhere/x"]) == 2
    assert "cannot write /nowhere/x: No such file or directory" in capsys.readouterr().err


def test_tables(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pair.source.run("""
        CREATE EXTENSION postgres_fdw;
        CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;
        CREATE TABLE no_key (id int);
        CREATE TABLE no_key_full (id int); ALTER TABLE no_key_full REPLICA IDENTITY FULL;
        CREATE TABLE no_key_index (id int NOT NULL UNIQUE);
        ALTER TABLE no_key_index REPLICA IDENTITY USING INDEX no_key_index_id_key;
        CREATE TABLE key_late (id int PRIMARY KEY DEFERRABLE);
        CREATE TABLE key_full (id int PRIMARY KEY); ALTER TABLE key_full REPLICA IDENTITY FULL;
        CREATE TABLE key_index (id int PRIMARY KEY, n int NOT NULL UNIQUE);
        ALTER TABLE key_index REPLICA IDENTITY USING INDEX key_index_n_key;
        CREATE TABLE key_pk_index (id int PRIMARY KEY);
        ALTER TABLE key_pk_index REPLICA IDENTITY USING INDEX key_pk_index_pkey;
        CREATE TABLE key_nothing (id int PRIMARY KEY); ALTER TABLE key_nothing REPLICA IDENTITY NOTHING;
        CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY);
        CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
        CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE part_1 PARTITION OF parted DEFAULT;
        CREATE TABLE parted_keyless (id int) PARTITION BY RANGE (id);
        CREATE TABLE part_keyless PARTITION OF parted_keyless DEFAULT;
        CREATE FOREIGN TABLE far (id int) SERVER elsewhere;
        CREATE MATERIALIZED VIEW seen AS SELECT 1 AS one;
        CREATE TABLE guarded (id int PRIMARY KEY); ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
        CREATE TABLE same (id int PRIMARY KEY); CREATE TABLE "Same" (id int PRIMARY KEY);
        SELECT lo_create(0)
    """)
    code, findings = _report(pair, capsys)
    assert code == 1
    assert _found(findings, "no-primary-key") == {
        "public.no_key": "blocker",
        "public.no_key_full": "warning",
        "public.no_key_index": "warning",
        "public.part_keyless": "blocker",
    }
    assert _found(findings, "deferrable-key") == {"public.key_late": "blocker"}
    assert _found(findings, "replica-identity-full") == {"public.key_full": "note"}
    assert _found(findings, "replica-identity-index") == {"public.key_index": "warning"}
    assert _found(findings, "replica-identity-nothing") == {"public.key_nothing": "blocker"}
    assert _found(findings, "unlogged-table") == {"public.unlogged": "blocker"}
    assert _found(findings, "inheritance") == {"public.parent": "blocker"}
    assert _found(findings, "partitioned-table") == {"public.parted": "note", "public.parted_keyless": "note"}
    assert _found(findings, "foreign-table") == {"public.far": "warning"}
    assert _found(findings, "materialized-view") == {"public.seen": "note"}
    assert _found(findings, "row-security") == {"public.guarded": "warning"}
    assert _found(findings, "names-differ-by-case") == {"public.Same": "blocker"}
    assert _found(findings, "large-objects") == {"pg_largeobject": "blocker"}


def test_columns(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pair.source.run("""
        CREATE EXTENSION lo;
        CREATE TYPE state AS ENUM ('a'); CREATE TYPE pair_of AS (a int);
        CREATE DOMAIN price AS numeric; CREATE DOMAIN exact AS numeric(12, 2);
        CREATE TABLE t (id int PRIMARY KEY, loose numeric, loose_array numeric[], loose_domain price, good exact,
            good_array numeric(5, 1)[], wide numeric(40, 2), o oid, l lo, j jsonb, b bytea, s state, c pair_of, i inet,
            r tsrange, "from" numeric(3, 1) GENERATED ALWAYS AS (1) STORED, late int GENERATED ALWAYS AS (2) VIRTUAL,
            n int GENERATED ALWAYS AS IDENTITY, d int GENERATED BY DEFAULT AS IDENTITY);
        CREATE TABLE parted (id numeric PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF parted DEFAULT
    """)
    _, findings = _report(pair, capsys)
    assert _found(findings, "unbounded-numeric") == dict.fromkeys(
        ("public.parted.id", "public.t.loose", "public.t.loose_array", "public.t.loose_domain"), "blocker"
    )
    assert _found(findings, "wide-numeric") == {"public.t.wide": "warning"}
    assert _found(findings, "oid-column") == {"public.t.l": "blocker", "public.t.o": "blocker"}
    assert _found(findings, "lob-column") == dict.fromkeys(
        ("public.t.b", "public.t.c", "public.t.good_array", "public.t.j", "public.t.loose_array"), "note"
    )
    assert _found(findings, "type-as-text") == {"public.t.i": "note", "public.t.s": "note"}
    assert _found(findings, "type-unlisted") == {"public.t.r": "warning"}
    assert _found(findings, "generated-column") == {"public.t.from": "warning", "public.t.late": "warning"}
    assert _found(findings, "identity-always") == {"public.t.n": "warning"}


def test_columns_before_there_were_generated_ones(pair: Any) -> None:
    from cutover.readiness import columns

    pair.source.run("CREATE TABLE t (id int PRIMARY KEY, n numeric, g int GENERATED ALWAYS AS (1) STORED)")
    with pair.source.session() as session:
        session.version = 110000
        assert [finding.code for finding in columns.check(session, ["public"])] == ["unbounded-numeric"]


def test_constraints(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pair.source.run("""
        CREATE TABLE a (id int PRIMARY KEY, n int UNIQUE DEFERRABLE);
        CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a, CHECK (id > 0));
        ALTER TABLE b ADD CONSTRAINT small CHECK (id < 10) NOT VALID;
        CREATE UNIQUE INDEX one_null ON a (coalesce(n, 0));
        CREATE INDEX plain_coalesce ON a (coalesce(n, 0));
        INSERT INTO b VALUES (1), (2);
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER usual BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f();
        CREATE TRIGGER ever BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE a ENABLE ALWAYS TRIGGER ever;
        CREATE TRIGGER there BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE a ENABLE REPLICA TRIGGER there;
        CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
        CREATE EVENT TRIGGER watcher ON ddl_command_end EXECUTE FUNCTION e();
        CREATE RULE swallow AS ON DELETE TO b DO INSTEAD NOTHING;
        UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'plain_coalesce'::regclass
    """)
    _, findings = _report(pair, capsys)
    assert _found(findings, "foreign-key") == {"public.b.b_a_fkey": "note"}
    assert _found(findings, "deferrable-constraint") == {"public.a.a_n_key": "warning"}
    assert _found(findings, "not-valid-constraint") == {"public.b.small": "warning"}
    assert _found(findings, "trigger") == {"public.a.usual": "note"}
    assert _found(findings, "trigger-on-replica") == {"public.a.ever": "blocker", "public.a.there": "blocker"}
    assert _found(findings, "event-trigger") == {"watcher": "warning"}
    assert _found(findings, "rule") == {"public.b.swallow": "warning"}
    assert _found(findings, "invalid-index") == {"public.plain_coalesce": "warning"}
    assert _found(findings, "coalesce-index") == {"public.one_null": "blocker"}


def test_sequences(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pair.source.run("""
        CREATE TABLE t (id int PRIMARY KEY, small smallserial, "order" serial, fine bigserial);
        SELECT setval('t_small_seq', 32000), setval('t_order_seq', 1700000000), setval('t_fine_seq', 1700000000);
        ALTER SEQUENCE t_order_seq AS bigint;
        CREATE SEQUENCE nobodys CYCLE;
        CREATE SEQUENCE down INCREMENT -1 MINVALUE -10 MAXVALUE -1 OWNED BY t.id; SELECT setval('down', -8)
    """)
    _, findings = _report(pair, capsys)
    assert _found(findings, "sequence-exhaustion") == {
        "public.down": "warning",
        "public.t_order_seq": "warning",
        "public.t_small_seq": "blocker",
    }
    assert _found(findings, "sequence-cycles") == {"public.nobodys": "warning"}
    assert _found(findings, "sequence-unowned") == {"public.nobodys": "note"}


def test_activity(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pair.source.run("CREATE TABLE t (id int PRIMARY KEY)")
    pair.source.run("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'forgotten'")
    with pair.source.dial() as connection:
        connection.run("BEGIN")
        pid = connection.run("SELECT pg_backend_pid()")[0][0]
        _, findings = _report(pair, capsys, "--long-transaction", "0")
        assert _found(findings, "long-transaction") == {f"process {pid}": "warning"}
        assert _found(findings, "prepared-transaction") == {"forgotten": "blocker"}
        _, findings = _report(pair, capsys)
        assert _found(findings, "long-transaction") == {}


def test_who_could_write_past_the_gate(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """One role for each way there is; the application, who holds the gate and a mere reader are none."""
    s, application = pair.system, roles_of(pair.system).application
    pair.source.run(
        "CREATE TABLE t (id int PRIMARY KEY, n int); CREATE TABLE u (id int PRIMARY KEY); CREATE VIEW v AS SELECT * FROM t"
    )
    _users(pair, capsys)
    code, findings = _report(pair, capsys)
    assert code == 0
    pair.source.run(f"""
        CREATE ROLE {s}_direct LOGIN; GRANT INSERT ON t TO {s}_direct;
        CREATE ROLE {s}_column LOGIN; GRANT UPDATE (n) ON t TO {s}_column;
        CREATE ROLE {s}_view LOGIN; GRANT DELETE ON v TO {s}_view;
        CREATE ROLE {s}_group; GRANT TRUNCATE ON t TO {s}_group;
        CREATE ROLE {s}_member LOGIN NOINHERIT; GRANT {s}_group TO {s}_member;
        CREATE ROLE {s}_all LOGIN; GRANT pg_write_all_data TO {s}_all;
        CREATE ROLE {s}_root LOGIN; GRANT postgres TO {s}_root;
        CREATE ROLE {s}_reader LOGIN; GRANT SELECT ON t TO {s}_reader;
        CREATE ROLE {s}_batch LOGIN; GRANT {s}_writer TO {s}_batch;
        CREATE ROLE {s}_owner LOGIN; GRANT CREATE ON SCHEMA public TO {s}_owner; ALTER TABLE u OWNER TO {s}_owner;
        CREATE FUNCTION writes() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM public.t';
        CREATE FUNCTION reads() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT count(*) FROM public.t';
        CREATE FUNCTION plain() RETURNS void LANGUAGE sql AS 'DELETE FROM public.t';
        CREATE FUNCTION closed() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM public.t';
        REVOKE EXECUTE ON FUNCTION closed() FROM PUBLIC;
        GRANT UPDATE ON u TO PUBLIC
    """)
    code, findings = _report(pair, capsys)
    assert code == 1
    assert set(_found(findings, "gate-bypass")) == {
        f"{s}_{name}" for name in ("direct", "column", "view", "member", "all", "root", "batch")
    }
    ways = {finding["object"]: finding["text"] for finding in findings if finding["code"] == "gate-bypass"}
    assert ways[f"{s}_direct"] == "it can write by privileges of its own: the freeze would not stop it"
    assert ways[f"{s}_member"] == f"it can write through {s}_group: the freeze would not stop it"
    assert "through pg_write_all_data:" in ways[f"{s}_all"]
    assert "through postgres:" in ways[f"{s}_root"]
    assert f"through {s}_writer:" in ways[f"{s}_batch"]
    assert _found(findings, "gate-owner") == {"postgres": "note", f"{s}_owner": "note"}
    assert _found(findings, "gate-public") == {"public.u": "blocker"}
    assert _found(findings, "gate-security-definer") == {"public.writes()": "blocker"}

    # The application itself, by each way.
    remedies = []
    for way in (
        f"GRANT INSERT ON t TO {application}",
        f"ALTER TABLE t OWNER TO {application}",
        f"ALTER ROLE {application} SUPERUSER",
    ):
        pair.source.run(way)
        _, findings = _report(pair, capsys)
        (found,) = [each for each in findings if (each["code"], each["object"]) == ("gate-bypass", application)]
        remedies.append((found["text"], found["remedy"]))
    assert remedies[0][0].startswith("it can write by privileges of its own")
    assert "--open makes it a member of" in remedies[0][1]
    assert remedies[1][0].startswith("it can write as an owner")
    assert remedies[2][0].startswith("it can write as a superuser")


def test_before_a_membership_had_options(pair: Any) -> None:
    with pair.source.session() as session:
        session.version = 150000
        codes = {found.code for found in gate.check(session, ["public"], roles_of(pair.system))}
    assert codes == {"role-missing", "gate-owner", "gate-set-role"}


def test_roles_that_are_not_there_yet(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pair.source.run(f"CREATE ROLE {pair.system}_validator")
    _, findings = _report(pair, capsys)
    s = pair.system
    assert _found(findings, "role-missing") == {f"{s}_application, {s}_dms, {s}_cutover, {s}_writer": "blocker"}


def test_what_may_not_be_read_is_said(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    s = pair.system
    pair.source.run(f"CREATE TABLE t (id serial PRIMARY KEY); CREATE ROLE {s}_nobody LOGIN PASSWORD 'n'")
    arguments = ["--source", f"postgresql://{s}_nobody:n@127.0.0.1:{pair.source.port}/{s}", "--interval", "0"]
    assert main(["readiness", *arguments, "--system", s]) == 4
    said = capsys.readouterr().out
    for check, why in {
        "sequences": "permission denied for sequence t_id_seq",
        "wal": "permission denied for function pg_ls_waldir",
        "activity": f"{s}_nobody does not see other users' transactions",
    }.items():
        assert f"unread   unread-{check}\n         not all of {check} could be looked at: " in said
        assert why in said
    assert "not known to be ready: 1 blocker, 3 unread" in said


def test_a_server_that_goes_away_gives_no_report(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["readiness", "--source", f"postgresql://postgres@127.0.0.1:1/{pair.system}"]) == 4
    assert "error: cannot reach the source database" in capsys.readouterr().err


class _Asked:
    """A session that answers from a table, for settings that need a server of their own."""

    def __init__(self, real: Any, settings: dict[str, str]) -> None:
        self._real, self._settings = real, settings
        self.version = real.version

    def query(self, sql: str, **values: Any) -> list[list[Any]]:
        rows: list[list[Any]] = self._real.query(sql, **values)
        if "pg_settings" in sql:
            return [[name, self._settings.get(name, value)] for name, value in rows]
        return rows

    def value(self, sql: str, **values: Any) -> Any:
        return self.query(sql, **values)[0][0]


def _server(pair: Any, **settings: str) -> dict[tuple[str, str], Finding]:
    with pair.source.session() as session:
        asked: Any = _Asked(session, settings)
        return {(found.code, found.severity): found for found in server.check(asked)}


def test_settings_of_replication(pair: Any) -> None:
    assert ("wal-level", "blocker") in _server(pair, wal_level="replica")
    few = _server(pair, max_replication_slots="1", max_wal_senders="1")
    assert few["replication-slots", "blocker"].text.startswith(
        "max_replication_slots is 1, of which 1 are free: DMS needs"
    )
    assert ("wal-senders", "blocker") in few
    assert ("wal-sender-timeout", "blocker") in _server(pair, wal_sender_timeout="9999")
    assert ("wal-sender-timeout", "warning") in _server(pair, wal_sender_timeout="300000")
    for right in ("0", "10000", "60000"):
        assert not [key for key in _server(pair, wal_sender_timeout=right) if key[0] == "wal-sender-timeout"]
    assert ("slot-limit", "warning") in _server(pair, max_slot_wal_keep_size="4096")
    assert ("slot-limit", "note") in _server(pair)
    assert ("tls-off", "warning") in _server(pair)
    assert ("tls-off", "warning") not in _server(pair, ssl="on")


def test_settings_of_the_user_that_reads(pair: Any) -> None:
    pair.source.run(
        f"ALTER DATABASE {pair.system} SET statement_timeout = '30s';"
        f"ALTER DATABASE {pair.system} SET idle_in_transaction_session_timeout = '1min';"
        f"ALTER DATABASE {pair.system} SET synchronous_commit = off"
    )
    found = _server(pair)
    assert found["statement-timeout", "warning"].text.startswith("statement_timeout is 30000 ms: the full load")
    assert found["idle-in-transaction-session-timeout", "warning"].text.startswith(
        "idle_in_transaction_session_timeout is 60000 ms: DMS leaves"
    )
    assert ("synchronous-commit", "warning") in found


def test_slots(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(5):
        pair.source.run(f"SELECT pg_create_logical_replication_slot('s{number}', 'test_decoding')")
    pair.source.run("CREATE TABLE t AS SELECT repeat('x', 100) FROM generate_series(1, 20000)")
    _, findings = _report(pair, capsys)
    assert _found(findings, "slot-inactive") == dict.fromkeys((f"s{number}" for number in range(5)), "warning")
    assert next(f["text"] for f in findings if f["code"] == "slot-inactive").startswith(
        "nobody reads the slot, and it holds"
    )
    assert _found(findings, "replication-slots") == {"max_replication_slots": "warning"}
    assert _found(findings, "plugin-unproven") == {}
    pair.source.run("SELECT pg_create_logical_replication_slot('s5', 'test_decoding')")
    _, findings = _report(pair, capsys)
    assert _found(findings, "replication-slots") == {"max_replication_slots": "blocker"}


def test_slots_that_are_read_or_lost(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        server,
        "_SLOTS",
        "SELECT * FROM (VALUES ('a', true, 'test_decoding', 0, 'reserved'), ('b', false, 'x', 0, 'lost')) v -- {status}",
    )
    found = _server(pair)
    assert found["slot-lost", "warning"].object == "b"
    assert ("slot-inactive", "warning") not in found


def test_before_there_was_a_limit_for_slots(pair: Any) -> None:
    pair.source.run("SELECT pg_create_logical_replication_slot('s', 'test_decoding')")
    with pair.source.session() as session:
        session.version = 120000
        codes = {found.code for found in server.check(session)}
    assert "slot-inactive" in codes
    assert "slot-limit" not in codes


def test_the_rate_of_the_wal_is_measured(
    pair: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.source.run("CREATE TABLE t (x text)")

    def write(_: float) -> None:
        pair.source.run("INSERT INTO t SELECT repeat(md5(n::text), 10) FROM generate_series(1, 20000) n")

    monkeypatch.setattr("cutover.readiness.wal.time.sleep", write)
    _, findings = _report(pair, capsys)
    (note,) = [finding for finding in findings if finding["code"] == "wal-volume"]
    rate = float(note["text"].split("grew by ")[1].split(" MiB/s")[0].replace(",", ""))
    assert rate > 0


def test_an_archiver_that_fails(pair: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cutover.readiness.wal._ARCHIVER", "SELECT 3, '00000001000000000000000A'")
    _, findings = _report(pair, capsys)
    assert _found(findings, "archiving-fails") == {"00000001000000000000000A": "warning"}


def test_a_target_that_does_not_fit(
    pair: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.source.run(
        "CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm; CREATE TABLE t (id int PRIMARY KEY, a text COLLATE pg_c_utf8)"
    )
    other = f"{pair.system}_other"
    monkeypatch.setattr(target, "_AVAILABLE", "SELECT * FROM (VALUES ('pg_trgm', '0.1'), ('plpgsql', '1.0')) v")
    seen: dict[str, list[dict[str, str]]] = {}
    for options in ("ENCODING LATIN1 LOCALE 'C'", "LOCALE 'C' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"):
        pair.target.run(f"CREATE DATABASE {other} {options} TEMPLATE template0")
        try:
            dsn = f"postgresql://postgres@127.0.0.1:{pair.target.port}/{other}"
            code, seen[options] = _report(pair, capsys, "--target", dsn)
        finally:
            pair.target.run(f"DROP DATABASE {other}")
        assert code == 1
    findings, otherwise = seen.values()
    assert _found(findings, "encoding-differs") == {"": "blocker"}
    assert _found(otherwise, "encoding-differs") == {}
    assert _found(otherwise, "collation-differs") == {"": "warning"}
    assert _found(findings, "collation-differs") == {}
    assert _found(otherwise, "collation-missing") == {}
    assert _found(findings, "extension-missing") == {"hstore": "blocker"}
    assert _found(findings, "extension-version") == {"pg_trgm": "note"}
    assert _found(findings, "collation-missing") == {"pg_c_utf8": "blocker"}


def test_a_target_without_a_way_back(pair: Any) -> None:
    """The real target, but for what only another server could say of itself."""

    class _Older:
        version = 150000

        def __init__(self, real: Any) -> None:
            self._real = real

        def query(self, sql: str, **values: Any) -> Any:
            return self._real.query(sql, **values)

        def value(self, sql: str) -> Any:
            return "replica" if sql == "SHOW wal_level" else self._real.value(sql)

    with pair.sessions() as (source, there):
        older: Any = _Older(there)
        found = {(finding.code, finding.severity) for finding in target.check(source, older)}
    assert found == {("target-older", "blocker"), ("target-wal-level", "blocker")}


def test_limits_of_sequences_and_columns(pair: Any) -> None:
    pair.source.run("CREATE SEQUENCE a AS smallint; SELECT setval('a', 24600)")
    with pair.source.session() as session:
        codes = {found.code: found for found in sequences.check(session, ["public"])}
    assert codes["sequence-exhaustion"].text.startswith("75% of its values")


def test_it_changes_nothing(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    before = pair.source.run("SELECT pg_current_wal_insert_lsn()::text, txid_snapshot_xmax(txid_current_snapshot())")[
        0
    ][1]
    _report(pair, capsys, "--target", pair.target.dsn())
    assert pair.source.run("SELECT txid_snapshot_xmax(txid_current_snapshot())")[0][0] == before
    with pair.source.session(read_only=True) as session, pytest.raises(QueryError):
        session.query("CREATE TABLE t (id int)")
    assert threading.active_count() >= 1
