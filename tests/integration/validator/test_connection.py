"""Reaching a server: TLS that verifies, passwords, and clear words when something is in the way."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from validator import connection
from validator.connection import connect
from validator.errors import AuthenticationError, ConnectError, ConnectionLostError, QueryError

DEBIAN = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="module", autouse=True)
def _reader(servers: Any) -> Iterator[None]:
    """Dropped at the end: a worker may come back to this module after it has left it."""
    for server in servers:
        server.run("CREATE ROLE reader LOGIN PASSWORD 'geheim é'")
    yield
    for server in servers:
        server.run("DROP ROLE reader")


def _ask(endpoint: Any) -> Any:
    session = connect(endpoint)
    try:
        return session.query("SELECT current_user::text")[0][0]
    finally:
        session.close()


def test_a_password_is_proved_by_scram(servers: Any) -> None:
    assert _ask(servers[0].endpoint(user="reader", password="geheim é")) == "reader"


def test_a_wrong_password_is_said_without_it(servers: Any) -> None:
    with pytest.raises(AuthenticationError, match="refuses user 'reader': password authentication failed") as caught:
        connect(servers[1].endpoint(user="reader", password="hunter2"))
    assert "hunter2" not in str(caught.value) + repr(servers[1].endpoint(password="hunter2"))
    assert "target database 'postgres' at 127.0.0.1:" in str(caught.value)


def test_no_password_where_one_is_asked_for(servers: Any) -> None:
    with pytest.raises(AuthenticationError, match="no password was given: set PGPASSWORD"):
        connect(servers[0].endpoint(user="reader"))


def test_a_database_that_does_not_exist(servers: Any) -> None:
    with pytest.raises(ConnectError, match='database "nowhere" does not exist'):
        connect(servers[0].endpoint(database="nowhere"))


def test_a_port_where_nobody_listens(servers: Any) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectError, match="cannot reach the source .*: Connection refused .*check host, port"):
            connect(servers[0].endpoint(port=probe.getsockname()[1]))


def test_a_unix_socket(servers: Any) -> None:
    assert _ask(servers[0].endpoint(host=str(servers[0].folder), user="reader", tls="verify-full")) == "reader"
    with pytest.raises(ConnectError, match="No such file or directory"):
        connect(servers[0].endpoint(host=str(servers[0].folder / "nowhere")))


def test_someone_who_hangs_up(servers: Any) -> None:
    def hang_up() -> None:
        listener.accept()[0].close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=hang_up, daemon=True).start()
        with pytest.raises(ConnectError, match="cannot reach the source"):
            connect(servers[0].endpoint(port=listener.getsockname()[1]))


def test_someone_who_says_nothing(servers: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(ConnectError, match="timed out"):
        connect(servers[0].endpoint(port=listener.getsockname()[1], connect_timeout_seconds=1))


def test_a_server_older_than_the_rules(servers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_OLDEST_VERSION", 190000)
    with pytest.raises(ConnectError, match="is PostgreSQL 18"):
        connect(servers[0].endpoint())


# --- TLS -------------------------------------------------------------------------------------------------------------
def test_verify_full_accepts_the_right_ca_and_host(tls_servers: Any, servers: Any, certificates: Any) -> None:
    endpoint = servers[0].endpoint(
        port=tls_servers[0].port, tls="verify-full", ca=certificates.ca, user="reader", password="geheim é"
    )
    assert _ask(endpoint) == "reader"
    assert tls_servers[0].encrypted == 1


@pytest.mark.parametrize("ca", ["other_ca", None])
@pytest.mark.parametrize("mode", ["verify-full", "verify-ca"])
def test_a_certificate_of_another_ca_is_refused(
    tls_servers: Any, servers: Any, certificates: Any, mode: str, ca: str | None
) -> None:
    given = getattr(certificates, ca) if ca else None
    with pytest.raises(ConnectError, match="certificate of the source .* is not to be trusted: ") as caught:
        connect(servers[0].endpoint(port=tls_servers[0].port, tls=mode, ca=given))
    assert (str(given) if given else "the certificates of this machine") in str(caught.value)


def test_a_certificate_of_another_host_is_refused(tls_servers: Any, servers: Any, certificates: Any) -> None:
    endpoint = servers[0].endpoint(port=tls_servers[0].port, host="localhost", ca=certificates.ca, tls="verify-full")
    with pytest.raises(ConnectError, match="not to be trusted: Hostname mismatch"):
        connect(endpoint)
    assert _ask(servers[0].endpoint(port=tls_servers[0].port, host="localhost", ca=certificates.ca, tls="verify-ca"))


@pytest.mark.parametrize("mode", ["require", "prefer"])
def test_encryption_without_verification(tls_servers: Any, servers: Any, mode: str) -> None:
    assert _ask(servers[0].endpoint(port=tls_servers[0].port, tls=mode)) == "postgres"
    assert tls_servers[0].encrypted == 1


def test_a_server_without_tls(servers: Any, certificates: Any) -> None:
    with pytest.raises(ConnectError, match="does not speak TLS .*sslmode=disable"):
        connect(servers[0].endpoint(tls="verify-full", ca=certificates.ca))
    assert _ask(servers[0].endpoint(tls="prefer")) == "postgres"


def test_a_ca_file_that_cannot_be_read(servers: Any, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for name in ("empty.pem", "missing.pem"):
        with pytest.raises(ConnectError, match=f"cannot read the CA certificates of the source in .*{name}"):
            connect(servers[0].endpoint(tls="verify-full", ca=tmp_path / name))


@pytest.mark.skipif(not DEBIAN.exists(), reason="needs a server built with TLS: Debian's postgresql-15")
def test_postgresqls_own_tls_with_channel_binding(cluster: Any, certificates: Any) -> None:
    server = cluster("source", DEBIAN)
    data = server.folder / "data"
    for source, name in ((certificates.server, "server.crt"), (certificates.key, "server.key")):
        (data / name).touch(mode=0o600)
        (data / name).write_bytes(source.read_bytes())
        os.chown(data / name, data.stat().st_uid, data.stat().st_gid)
    server.run("ALTER SYSTEM SET ssl TO on")
    server.run("CREATE ROLE reader LOGIN PASSWORD 'geheim é'; SELECT pg_reload_conf()")
    assert any(server.run("SHOW ssl") == [["on"]] for _ in range(1000))
    endpoint = server.endpoint(tls="verify-full", ca=certificates.ca, user="reader", password="geheim é")
    session = connect(endpoint)
    try:
        assert session.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == [[True]]
    finally:
        session.close()


# --- what a session promises -----------------------------------------------------------------------------------------
def test_a_snapshot_sees_one_state_and_writes_nothing(pair: Any) -> None:
    pair.on_source("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    session = connect(pair.source.endpoint())
    count = f"SELECT count(*) FROM {pair.schema}.t"
    try:
        session.begin()
        assert session.query(count) == [[1]]
        pair.on_source("INSERT INTO t VALUES (2)")
        assert session.query(count) == [[1]]
        with pytest.raises(QueryError, match="read-only transaction") as caught:
            session.query(f"INSERT INTO {pair.schema}.t VALUES (3)")
        assert caught.value.sqlstate == "25006"
        session.end()
        assert session.query(count) == [[2]]
        # Outside a snapshot too.
        with pytest.raises(QueryError, match="read-only transaction"):
            session.query(f"DELETE FROM {pair.schema}.t")
    finally:
        session.close()
        session.close()


def test_an_errors_text_is_withheld_where_it_may_hold_values(servers: Any) -> None:
    session = connect(servers[0].endpoint())
    try:
        with pytest.raises(QueryError) as caught:
            session.query("SELECT '4111111111111111x'::bigint")
    finally:
        session.close()
    assert str(caught.value) == "the source says: error 22P02, its text withheld: it may hold row values"


def test_an_open_session_that_nobody_answers_is_given_up_soon(pair: Any) -> None:
    """As behind a firewall that has forgotten it: here the server's process stands still."""
    session = connect(replace(pair.source.endpoint(), connect_timeout_seconds=4), timeout_seconds=300)
    session.renew(7)
    assert session.query("SHOW statement_timeout") == [["7s"]]
    ((pid,),) = session.query("SELECT pg_backend_pid()")
    assert session._driver._usock.gettimeout() > 30, "a statement may take its time again"
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(ConnectionLostError, match="lost the connection to the source .*timed out"):
            session.renew(300)
    finally:
        os.kill(pid, signal.SIGCONT)
        session.close()


def test_what_lasts_as_long_as_the_connection_is_asked_once(pair: Any) -> None:
    session = connect(pair.source.endpoint())
    assert session.lasting("SELECT clock_timestamp()::text") == session.lasting("SELECT clock_timestamp()::text")
    session.close()
