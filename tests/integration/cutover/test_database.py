"""The connection: TLS, transactions, and that nothing that goes wrong leaves it as a traceback or with a row's value."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cutover import database
from cutover.database import connect, connected
from validator import dialling
from validator.errors import AuthenticationError, ConnectError, ConnectionLostError, QueryError


def test_settings_of_roles_and_servers_change_nothing(pair: Any) -> None:
    pair.source.run(
        f"ALTER DATABASE {pair.system} SET default_transaction_read_only = on;"
        f"ALTER DATABASE {pair.system} SET synchronous_commit = off"
    )
    with pair.source.session(name="a step", lock_timeout_seconds=7) as session:
        assert session.value("SHOW timezone") == "UTC"
        assert session.value("SHOW synchronous_commit") == "on"
        assert session.value("SHOW lock_timeout") == "7s"
        assert session.value("SHOW application_name") == "a step"
        session.query("CREATE TABLE public.t (id int)")
        assert session.version >= 180000


def test_a_read_only_session_cannot_write(pair: Any) -> None:
    with pair.source.session(read_only=True) as session, pytest.raises(QueryError) as caught:
        session.query("CREATE TABLE public.t (id int)")
    assert caught.value.sqlstate == "25006"


def test_a_transaction_is_all_or_nothing(pair: Any) -> None:
    with pair.source.session() as session:
        session.query("CREATE TABLE public.t (id int PRIMARY KEY)")
        with session.transaction():
            session.query("INSERT INTO public.t VALUES (:id)", id=1)
        with pytest.raises(QueryError), session.transaction():
            session.query("INSERT INTO public.t VALUES (2)")
            session.query("INSERT INTO public.t VALUES (1)")
        with pytest.raises(KeyError), session.transaction():
            session.query("INSERT INTO public.t VALUES (3)")
            raise KeyError
        assert session.query("SELECT id FROM public.t") == [[1]]


def test_a_refusal_that_may_hold_a_row_is_withheld(pair: Any) -> None:
    with pair.source.session() as session:
        with pytest.raises(QueryError) as caught:
            session.query("SELECT 'card 4111'::int")
        assert str(caught.value) == "the source says: error 22P02, its text withheld: it may hold row values"
        with pytest.raises(QueryError, match=r'the source says: relation "nothing" does not exist \(42P01\)'):
            session.query("SELECT * FROM nothing")


def test_a_statement_has_its_time(pair: Any) -> None:
    with pair.source.session(timeout_seconds=1) as session, pytest.raises(QueryError) as caught:
        session.query("SELECT pg_sleep(60)")
    assert caught.value.sqlstate == "57014"


def test_a_lost_connection_is_said(pair: Any) -> None:
    session = connect(pair.source.endpoint())
    pid = session.value("SELECT pg_backend_pid()")
    pair.source.run(f"SELECT pg_terminate_backend({pid})")
    with pytest.raises((ConnectionLostError, QueryError)), session.transaction():
        session.query("SELECT 1")
    with pytest.raises(ConnectionLostError, match="lost the connection to the source database"):
        session.query("SELECT 1")
    session.close()


def test_whom_the_server_refuses(pair: Any) -> None:
    pair.source.run(f"CREATE ROLE {pair.system}_u LOGIN PASSWORD 'right'")
    user = pair.source.endpoint(user=f"{pair.system}_u")
    with pytest.raises(AuthenticationError, match="no password was given"):
        connect(user)
    with pytest.raises(AuthenticationError, match="refuses user") as caught:
        connect(replace(user, password="wrong"))
    assert "wrong" not in str(caught.value)
    with pytest.raises(ConnectError, match="refuses the connection"):
        connect(pair.source.endpoint(database="nowhere"))


def test_a_server_that_is_not_there(pair: Any, tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match="cannot reach the source database"):
        connect(pair.source.endpoint(port=1))
    with pytest.raises(ConnectError, match="cannot reach the source database"):
        connect(pair.source.endpoint(host=str(tmp_path)))


def test_a_server_that_cannot_prove_itself(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def impostor(*_: Any, **__: Any) -> Any:
        raise dialling.ScramException("the server's signature is wrong")

    monkeypatch.setattr(dialling, "Driver", impostor)
    with pytest.raises(AuthenticationError, match="fails to prove that it knows the password"):
        connect(pair.source.endpoint())


def test_by_unix_socket(pair: Any) -> None:
    with connected(pair.source.endpoint(host=str(pair.source.folder))) as session:
        assert session.value("SELECT inet_server_addr()") is None


def test_a_server_too_old(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_OLDEST_VERSION", 990000)
    with pytest.raises(ConnectError, match="10 is the oldest known"):
        connect(pair.source.endpoint())


def test_plain_text_only_where_it_is_meant(pair: Any) -> None:
    with pytest.raises(ConnectError, match="does not speak TLS"):
        connect(pair.source.endpoint(tls="require"))
    with connected(pair.source.endpoint(tls="prefer")) as session:
        assert session.value("SELECT 1") == 1


@pytest.mark.parametrize("tls", ["prefer", "require", "verify-ca", "verify-full"])
def test_tls_in_every_mode(tls_front: Any, servers: Any, certificates: Any, tls: str) -> None:
    endpoint = servers[0].endpoint(tls=tls, port=tls_front.port, ca=certificates.ca)
    with connected(endpoint) as session:
        assert session.value("SELECT 1") == 1
    assert tls_front.encrypted == 1


def test_a_certificate_that_is_not_to_be_trusted(tls_front: Any, servers: Any, certificates: Any) -> None:
    endpoint = servers[0].endpoint(tls="verify-full", port=tls_front.port, ca=certificates.other_ca)
    with pytest.raises(ConnectError, match=f"verified against {certificates.other_ca}, by sslmode verify-full"):
        connect(endpoint)
    with pytest.raises(ConnectError, match="verified against the certificates of this machine"):
        connect(replace(endpoint, ca=None))
    with pytest.raises(ConnectError, match="not to be trusted: Hostname mismatch"):
        connect(replace(endpoint, ca=certificates.ca, host="localhost"))
    with pytest.raises(ConnectError, match="cannot read the CA certificates of the source"):
        connect(replace(endpoint, ca=Path("/nowhere.pem")))


def test_closing_twice_is_fine(pair: Any) -> None:
    session = connect(pair.source.endpoint())
    session.close()
    session.close()
    with pytest.raises(ConnectionLostError):
        session.query("SELECT 1")


def test_an_open_session_that_nobody_answers_is_given_up_soon(pair: Any) -> None:
    """As behind a firewall that has forgotten it: here the server's process stands still."""
    session = connect(replace(pair.source.endpoint(), connect_timeout_seconds=4), timeout_seconds=300)
    session.renew(300)
    pid = session.value("SELECT pg_backend_pid()")
    assert session._driver._usock.gettimeout() > 30, "a statement may take its time again"
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(ConnectionLostError, match="lost the connection to the source .*timed out"):
            session.renew(300)
    finally:
        os.kill(pid, signal.SIGCONT)
        session.close()
