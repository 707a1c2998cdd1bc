"""The gate on real sessions: closed at the next statement, whatever is open, by whomever it was opened; who is in flight."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError

from cutover import gate
from cutover.errors import RefusedError
from cutover.names import roles_of
from validator.errors import QueryError


@pytest.fixture(params=["pair", "mixed_pair"])
def side(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The source with an application, its writer role and the user that holds the gate."""
    pair = request.getfixturevalue(request.param)
    roles = roles_of(pair.system)
    admin = "ADMIN OPTION" if request.param == "mixed_pair" else "ADMIN TRUE, INHERIT FALSE, SET FALSE"
    pair.source.run(f"""
        CREATE ROLE {roles.application} LOGIN PASSWORD 'a';
        CREATE ROLE {roles.writer};
        CREATE ROLE {roles.cutover} LOGIN PASSWORD 'c';
        GRANT {roles.writer} TO {roles.cutover} WITH {admin};
        GRANT pg_monitor, pg_signal_backend TO {roles.cutover};
        CREATE TABLE public.payments (id int PRIMARY KEY, n int DEFAULT 0);
        GRANT SELECT ON public.payments TO {roles.application};
        GRANT INSERT, UPDATE, DELETE, TRUNCATE ON public.payments TO {roles.writer}
    """)
    return pair.source, roles


def _sqlstate(caught: pytest.ExceptionInfo[DatabaseError]) -> str:
    state: str = caught.value.args[0]["C"]
    return state


def test_open_and_closed(side: Any) -> None:
    server, roles = side
    with server.session(roles.cutover, "c") as session, server.dial(roles.application, "a") as application:
        assert not gate.is_open(session, roles.application, roles.writer)
        with pytest.raises(DatabaseError) as caught:
            application.run("INSERT INTO payments VALUES (1)")
        assert _sqlstate(caught) == "42501"
        gate.open(session, roles.application, roles.writer)
        gate.open(session, roles.application, roles.writer)
        assert gate.is_open(session, roles.application, roles.writer)
        application.run("INSERT INTO payments VALUES (1)")
        gate.close(session, roles.application, roles.writer)
        gate.close(session, roles.application, roles.writer)
        assert not gate.is_open(session, roles.application, roles.writer)
        with pytest.raises(DatabaseError) as caught:
            application.run("INSERT INTO payments VALUES (2)")
        assert _sqlstate(caught) == "42501"
        assert application.run("SELECT id FROM payments") == [[1]]


def test_it_closes_on_an_open_transaction_and_on_a_prepared_statement(side: Any) -> None:
    server, roles = side
    with server.session(roles.cutover, "c") as session, server.dial(roles.application, "a") as application:
        gate.open(session, roles.application, roles.writer)
        prepared = application.prepare("INSERT INTO payments VALUES (:id)")
        for number in range(6):
            prepared.run(id=number)
        application.run("BEGIN")
        application.run("INSERT INTO payments VALUES (100)")
        closed_at = gate.close(session, roles.application, roles.writer)

        # What it wrote before it can still commit: it is in flight until it has ended.
        (writer,) = gate.writers_in_flight(session, closed_at)
        assert (writer.user, writer.state, writer.gid) == (roles.application, "idle in transaction", None)
        assert str(writer).startswith(f"process {writer.pid} (idle in transaction) of {roles.application}, begun 0.")
        with pytest.raises(DatabaseError) as caught:
            application.run("INSERT INTO payments VALUES (101)")
        assert _sqlstate(caught) == "42501"
        application.run("ROLLBACK")
        assert gate.writers_in_flight(session, closed_at) == []
        with pytest.raises(DatabaseError) as caught:
            prepared.run(id=200)
        assert _sqlstate(caught) == "42501"


def test_a_statement_under_way_is_in_flight_without_a_transaction_id(side: Any) -> None:
    server, roles = side
    with (
        server.session(roles.cutover, "c") as session,
        server.dial() as blocker,
        server.dial(roles.application, "a") as application,
    ):
        gate.open(session, roles.application, roles.writer)
        # The permission is checked when the statement starts; it waits before it writes its first row.
        blocker.run("SELECT pg_advisory_lock(1)")
        statement = threading.Thread(
            target=application.run, args=("INSERT INTO payments SELECT 1 WHERE pg_advisory_xact_lock(1) IS NOT NULL",)
        )
        statement.start()
        while not server.run("SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"):
            pass
        closed_at = gate.close(session, roles.application, roles.writer)
        (writer,) = gate.writers_in_flight(session, closed_at)
        assert writer.state == "active"
        assert gate.writers_in_flight(session, closed_at, [roles.application]) == []
        blocker.run("SELECT pg_advisory_unlock(1)")
        statement.join()
        assert gate.writers_in_flight(session, closed_at) == []
        # A reader that began later is none.
        blocker.run("SELECT pg_advisory_lock(1)")
        reading = threading.Thread(target=application.run, args=("SELECT pg_advisory_xact_lock(1)",))
        reading.start()
        while not server.run("SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"):
            pass
        assert gate.writers_in_flight(session, closed_at) == []
        blocker.run("SELECT pg_advisory_unlock(1)")
        reading.join()


def test_writers_are_ended_and_nobody_else(side: Any) -> None:
    server, roles = side
    application = server.dial(roles.application, "a")
    with server.session(roles.cutover, "c") as session, server.dial(roles.application, "a") as reader:
        gate.open(session, roles.application, roles.writer)
        application.run("BEGIN")
        application.run("INSERT INTO payments VALUES (1)")
        reader.run("BEGIN")
        reader.run("SELECT * FROM payments")
        closed_at = gate.close(session, roles.application, roles.writer)
        writers = gate.writers_in_flight(session, closed_at)
        assert len(writers) == 1
        # A process of the same number, begun at another time, is somebody else.
        other = gate.Writer(writers[0].pid, "x", "active", 1.0, "2000-01-01 00:00:00+00", None)
        assert gate.terminate_writers(session, [other]) == 0
        assert gate.terminate_writers(session, writers) == 1
        while gate.writers_in_flight(session, closed_at):
            pass
        assert gate.terminate_writers(session, writers) == 0
        assert gate.terminate_writers(session, []) == 0
        assert reader.run("SELECT count(*) FROM payments") == [[0]]
    application._sock.close()
    application._usock.close()


def test_a_prepared_transaction_is_in_flight_and_has_no_session(side: Any) -> None:
    server, roles = side
    with server.session(roles.cutover, "c") as session:
        closed_at = gate.close(session, roles.application, roles.writer)
        server.run("BEGIN; INSERT INTO payments VALUES (1); PREPARE TRANSACTION 'left behind'")
        (writer,) = gate.writers_in_flight(session, closed_at)
        assert (writer.pid, writer.gid) == (None, "left behind")
        assert str(writer).startswith("prepared transaction 'left behind' of postgres, begun ")
        assert gate.terminate_writers(session, [writer]) == 0


def test_one_who_sees_nothing_does_not_say_that_there_is_nobody(side: Any) -> None:
    server, roles = side
    server.run(f"REVOKE pg_monitor FROM {roles.cutover}")
    with (
        server.session(roles.cutover, "c") as session,
        pytest.raises(RefusedError, match="cannot see what other users do on the source"),
    ):
        gate.writers_in_flight(session, "2020-01-01")


def test_a_gate_with_another_way_round_it_does_not_count_as_closed(side: Any) -> None:
    server, roles = side
    server.run(f"CREATE ROLE {roles.writer}_batch; GRANT {roles.writer} TO {roles.writer}_batch")
    server.run(f"GRANT {roles.writer}_batch TO {roles.application}")
    with server.session(roles.cutover, "c") as session:
        gate.open(session, roles.application, roles.writer)
        with pytest.raises(RefusedError, match="may still write on the source, without being a member"):
            gate.close(session, roles.application, roles.writer)


def test_opened_by_somebody_else(pair: Any) -> None:
    """From 16 on only a grantor can take a grant back, and PostgreSQL would but warn; here it is an error."""
    roles = roles_of(pair.system)
    pair.source.run(f"""
        CREATE ROLE {roles.application} LOGIN; CREATE ROLE {roles.writer}; CREATE ROLE {roles.cutover} LOGIN PASSWORD 'c';
        GRANT {roles.writer} TO {roles.cutover} WITH ADMIN OPTION;
        GRANT {roles.writer} TO {roles.application}
    """)
    with pair.source.session(roles.cutover, "c") as session:
        gate.open(session, roles.application, roles.writer)
        with pytest.raises(QueryError, match="permission denied to revoke privileges granted by role"):
            gate.close(session, roles.application, roles.writer)
        assert gate.is_open(session, roles.application, roles.writer)
    with pair.source.session() as superuser:
        gate.close(superuser, roles.application, roles.writer)
        assert not gate.is_open(superuser, roles.application, roles.writer)


def test_grants_as_they_were_before_16(pair: Any) -> None:
    """The statements of older servers, which newer ones take as well: also where no older one is installed."""
    roles = roles_of(pair.system)
    pair.source.run(f"CREATE ROLE {roles.application}; CREATE ROLE {roles.writer}")
    with pair.source.session() as session:
        session.version = 150000
        gate.open(session, roles.application, roles.writer)
        assert gate.is_open(session, roles.application, roles.writer)
        gate.close(session, roles.application, roles.writer)
        assert not gate.is_open(session, roles.application, roles.writer)


def test_the_application_cannot_become_the_writer_and_outlive_the_closing(pair: Any) -> None:
    roles = roles_of(pair.system)
    pair.source.run(f"""
        CREATE ROLE {roles.application} LOGIN PASSWORD 'a'; CREATE ROLE {roles.writer};
        CREATE ROLE {roles.cutover} LOGIN PASSWORD 'c'; GRANT {roles.writer} TO {roles.cutover} WITH ADMIN TRUE
    """)
    with pair.source.session(roles.cutover, "c") as session:
        gate.open(session, roles.application, roles.writer)
    with pytest.raises(DatabaseError, match="permission denied to set role"):
        pair.source.run(f"SET ROLE {roles.writer}", roles.application, "a")
