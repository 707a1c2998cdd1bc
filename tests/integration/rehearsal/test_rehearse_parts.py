"""What a rehearsal is made of, each for itself: servers, processes, the way to the databases, what breaks."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rehearsal import postgres
from rehearsal.errors import RehearsalError
from rehearsal.postgres import find_programs
from rehearsal.rehearse import breaking, gateway, servers
from rehearsal.rehearse.certificates import Certificates, make_certificates
from rehearsal.rehearse.machine import called
from rehearsal.rehearse.processes import Part, Processes, run_command
from rehearsal.rehearse.servers import Server, make_server
from tests.integration.rehearsal.conftest import in_loop

HOST = "db.dev.datacenter.example"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = make_server("data center", find_programs())
    yield made
    made.remove()
    assert not made.folder.exists()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"), [HOST, "aurora.example"])


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path, os.environ)
    yield made
    made.close()


@pytest.fixture
def way(processes: Processes, certificates: Certificates, server: Server) -> Part:
    return processes.start(
        "gateway", "rehearsal.rehearse.gateway", "--certificate", str(certificates.certificate),
        "--key", str(certificates.key), f"--to=data_center=127.0.0.1:{server.port}", listens=1,
    )  # fmt: skip


def dial(port: int, **given: Any) -> psycopg.Connection[Any]:
    where = {"hostaddr": "127.0.0.1", "host": HOST, "port": port, "user": "postgres", "dbname": "payments"}
    return psycopg.connect(**{**where, **given}, autocommit=True, connect_timeout=10)


# --- servers ---------------------------------------------------------------------------------------------------------
def test_a_server_is_durable_replicates_and_survives_being_killed(server: Server) -> None:
    for name, value in (("wal_level", "logical"), ("synchronous_commit", "on"), ("fsync", "on")):
        assert server.run(f"SHOW {name}") == [(value,)]
    server.run("CREATE TABLE kept (id int)")
    assert server.run("INSERT INTO kept VALUES (%s) RETURNING id", 7) == [(7,)]
    server.stop("immediate")
    with pytest.raises(psycopg.OperationalError):
        server.run("SELECT 1")
    server.start()
    assert server.run("SELECT id FROM kept") == [(7,)]
    assert "automatic recovery" in server.log.read_text()


def test_what_is_not_the_owner_has_to_prove_a_password(server: Server) -> None:
    server.run("CREATE ROLE somebody LOGIN PASSWORD 'right'")
    with psycopg.connect(server.dsn("somebody", "right")) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("somebody",)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.dsn("somebody", "wrong"))


@pytest.fixture
def folders(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """The folders that servers have been made in; not below pytest's own, which only root may pass through."""
    made: list[Path] = []
    make = tempfile.mkdtemp

    def mkdtemp(prefix: str) -> str:
        made.append(Path(make(prefix=prefix)))
        return str(made[-1])

    monkeypatch.setattr(postgres.tempfile, "mkdtemp", mkdtemp)
    yield made
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_server_that_cannot_start_says_where_its_logs_are(
    monkeypatch: pytest.MonkeyPatch, folders: list[Path]
) -> None:
    monkeypatch.setitem(servers._SETTINGS, "wal_level", "nonsense")
    with pytest.raises(RehearsalError, match="PostgreSQL server of aurora failed: pg_ctl ended with 1") as failed:
        make_server("aurora", find_programs())
    assert str(folders[0] / "log") in failed.value.hint
    assert "wal_level" in (folders[0] / "log").read_text()


def test_only_root_gives_the_folder_away(monkeypatch: pytest.MonkeyPatch, folders: list[Path]) -> None:
    given_away: list[Path] = []
    monkeypatch.setattr(postgres.os, "chown", lambda folder, *_: given_away.append(folder))
    monkeypatch.setattr(Server, "_run", lambda made, *_, **__: made.data.mkdir(exist_ok=True))
    monkeypatch.setattr(Server, "run", lambda *_, **__: [])
    for user in (0, 1000):
        monkeypatch.setattr(postgres.os, "geteuid", lambda user=user: user)
        make_server("aurora", find_programs())
    assert given_away == folders[:1]


@pytest.mark.parametrize("at", ["start", "run"])
def test_an_interruption_leaves_no_server(monkeypatch: pytest.MonkeyPatch, folders: list[Path], at: str) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Server, at, interrupt)
    with pytest.raises(KeyboardInterrupt):
        make_server("aurora", find_programs())
    assert [folder.exists() for folder in folders] == [False]


def test_programs_are_the_packages_or_those_that_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = find_programs()
    monkeypatch.setenv("REHEARSAL_POSTGRES", str(found))
    assert find_programs() == found
    monkeypatch.setenv("REHEARSAL_POSTGRES", str(tmp_path))
    with pytest.raises(RehearsalError, match="no programs of PostgreSQL") as failed:
        find_programs()
    assert "REHEARSAL_POSTGRES" in failed.value.hint
    monkeypatch.delenv("REHEARSAL_POSTGRES")
    monkeypatch.setattr(postgres, "find_spec", lambda _: None)
    with pytest.raises(RehearsalError):
        find_programs()


def test_as_another_user_than_root_no_other_user_is_needed(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    given: list[dict[str, Any]] = []

    def run(_: list[Any], **named: Any) -> subprocess.CompletedProcess[bytes]:
        given.append(named)
        return subprocess.CompletedProcess([], 0)

    monkeypatch.setattr(postgres.subprocess, "run", run)
    for user in (0, 1000):
        monkeypatch.setattr(postgres.os, "geteuid", lambda user=user: user)
        server.start()
    assert [named.get("user") for named in given] == ["nobody", None]


def test_root_is_told_which_folder_hides_the_programs(monkeypatch: pytest.MonkeyPatch, folders: list[Path]) -> None:
    monkeypatch.setattr(postgres.os, "chown", lambda *_: None)
    monkeypatch.setattr(Server, "_run", lambda made, *_, **__: made.data.mkdir(exist_ok=True))
    monkeypatch.setattr(Server, "run", lambda *_, **__: [])
    hidden = Path(tempfile.mkdtemp(prefix="hidden-"))  # which only its owner may pass through
    (hidden / "bin").mkdir()
    monkeypatch.setattr(postgres.os, "geteuid", lambda: 1000)
    assert make_server("aurora", hidden / "bin").programs == hidden / "bin"
    monkeypatch.setattr(postgres.os, "geteuid", lambda: 0)
    with pytest.raises(RehearsalError, match=f"refuses to run as root, and {hidden} lets no other user") as failed:
        make_server("aurora", hidden / "bin")
    assert failed.value.hint.startswith(f"chmod o+x {hidden}, ")
    assert len(folders) == 2
    hidden.chmod(0o711)
    assert make_server("aurora", hidden / "bin").programs == hidden / "bin"


# --- processes -------------------------------------------------------------------------------------------------------
def module(folder: Path, name: str, source: str, monkeypatch: pytest.MonkeyPatch) -> str:
    (folder / f"{name}.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return name


def test_a_process_is_ready_when_it_says_where_it_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = (
        "import os, time\nprint('one listens on 127.0.0.1:11', flush=True)\ntime.sleep(0.2)\n"
        "print(os.environ['WORD'], 'listens on 127.0.0.1:22', flush=True)\ntime.sleep(600)"
    )
    name = module(tmp_path, "speaks", source, monkeypatch)
    processes = Processes(tmp_path, os.environ)
    part = processes.start("speaker", name, listens=2, WORD="two words")
    assert part.ports == {"one": 11, "two words": 22}
    assert os.getsid(part.process.pid) == part.process.pid  # Ctrl-C is not its
    processes.check()
    # Started again, what it had said before does not count.
    part.kill()
    with pytest.raises(RehearsalError, match="speaker ended by itself with -9") as failed:
        processes.check()
    assert str(tmp_path / "speaker.log") in failed.value.hint
    processes.forget(part)
    again = processes.start("speaker", name, listens=2, WORD="other")
    assert again.ports == {"one": 11, "other": 22}
    processes.close()
    assert not again.lives


def test_a_process_that_ends_before_it_is_ready_names_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = module(tmp_path, "dies", "raise SystemExit(3)", monkeypatch)
    processes = Processes(tmp_path, os.environ)
    with pytest.raises(RehearsalError, match="early ended with 3") as failed:
        processes.start("early", name, listens=1)
    assert str(tmp_path / "early.log") in failed.value.hint
    processes.close()


def test_a_process_that_says_nothing_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = module(tmp_path, "silent", "import time; time.sleep(600)", monkeypatch)
    monkeypatch.setattr("rehearsal.rehearse.processes._READY_SECONDS", 0.1)
    processes = Processes(tmp_path, os.environ)
    with pytest.raises(RehearsalError, match="silent was not ready in time"):
        processes.start("silent", name, listens=1)
    processes.close()


def test_a_process_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('deaf listens on 127.0.0.1:1', flush=True)\ntime.sleep(600)"
    )
    name = module(tmp_path, "deaf", source, monkeypatch)
    part = Processes(tmp_path, os.environ).start("deaf", name, listens=1)
    assert part.end(0.1) == -signal.SIGKILL


def test_a_command_tells_what_it_printed_or_where_its_log_is(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert run_command("it", log, os.environ, "-c", "print('said')") == "said\n"
    with pytest.raises(RehearsalError, match="it failed with 4: python -c") as failed:
        run_command("it", log, os.environ, "-c", "import sys; print('why', file=sys.stderr); sys.exit(4)")
    assert str(log) in failed.value.hint
    assert log.read_text() == "said\nwhy\n"


def test_a_command_that_is_interrupted_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def interrupt(self: subprocess.Popen[bytes]) -> None:
        started.append(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_command("it", tmp_path / "log", os.environ, "-c", "import time; time.sleep(600)")
    assert started[0].returncode == -signal.SIGTERM
    assert started[0].stdout
    started[0].stdout.close()


# --- the way to the databases -------------------------------------------------------------------------------------------
def test_who_asks_for_tls_gets_it_verified_and_who_does_not_gets_through(way: Part, certificates: Certificates) -> None:
    port = way.ports["data_center"]
    with dial(port, sslmode="verify-full", sslrootcert=str(certificates.ca)) as connection:
        assert connection.pgconn.ssl_in_use
        rows = connection.execute("SELECT repeat('x', 1000) FROM generate_series(1, 3000)").fetchall()
        assert sum(len(row[0]) for row in rows) == 3_000_000
    with dial(port, sslmode="disable") as connection:
        assert not connection.pgconn.ssl_in_use
    with pytest.raises(psycopg.OperationalError, match="certificate"):
        dial(port, sslmode="verify-full", sslrootcert=str(certificates.ca), host="another.example")


def test_what_an_end_says_last_still_arrives(way: Part) -> None:
    with pytest.raises(psycopg.OperationalError, match='database "nowhere" does not exist'):
        dial(way.ports["data_center"], sslmode="disable", dbname="nowhere")


def test_a_cut_breaks_what_there_is_and_nothing_that_comes(way: Part) -> None:
    port = way.ports["data_center"]
    with dial(port, sslmode="disable") as connection:
        connection.execute("SELECT 1")
        way.process.send_signal(signal.SIGUSR1)
        with pytest.raises(psycopg.OperationalError):
            for _ in range(1000):
                connection.execute("SELECT pg_sleep(0.01)")
    with dial(port, sslmode="disable") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_client_that_leaves_early_and_a_server_that_is_away_do_no_harm(
    processes: Processes, certificates: Certificates
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = processes.start(
            "gateway", "rehearsal.rehearse.gateway", "--certificate", str(certificates.certificate),
            "--key", str(certificates.key), f"--to=away=127.0.0.1:{nobody.getsockname()[1]}", listens=1,
        )  # fmt: skip
        socket.create_connection(("127.0.0.1", away.ports["away"])).close()
        with pytest.raises(psycopg.OperationalError):
            dial(away.ports["away"], sslmode="disable")
    assert away.end() == 0


def test_the_command_leads_to_every_place_that_it_is_given(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch, alone: None
) -> None:
    led: list[Any] = []

    async def run(_: ssl.SSLContext, places: Any) -> None:
        led.append(places)

    monkeypatch.setattr(gateway, "run", run)
    given = ["--certificate", str(certificates.certificate), "--key", str(certificates.key)]
    assert gateway.main([*given, "--to", "data_center=127.0.0.1:1", "--to", "aurora=::1:2"]) == 0
    assert led == [{"data_center": ("127.0.0.1", 1), "aurora": ("::1", 2)}]


@pytest.mark.parametrize("place", ["aurora", "=127.0.0.1:1", "aurora=127.0.0.1", "aurora=:1", "aurora=127.0.0.1:x"])
def test_a_place_that_is_none_is_refused(
    place: str, certificates: Certificates, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--certificate", str(certificates.certificate), "--key", str(certificates.key)]
    assert gateway.main([*given, "--to", place]) == 1
    assert f"{place!r} is no NAME=HOST:PORT" in capsys.readouterr().err


def test_a_certificate_that_is_none_is_refused(
    certificates: Certificates, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").touch()
    for file in (tmp_path / "empty", tmp_path / "missing"):
        assert gateway.main(["--certificate", str(file), "--key", str(certificates.key), "--to", "a=b:1"]) == 1
        assert f"the gateway cannot use {file}" in capsys.readouterr().err


def test_a_certificate_holds_for_the_hosts_alone_and_its_key_is_private(certificates: Certificates) -> None:
    assert certificates.key.stat().st_mode & 0o777 == 0o600
    context = ssl.create_default_context(cafile=str(certificates.ca))
    assert len(context.get_ca_certs()) == 1
    told = subprocess.run(
        ["openssl", "x509", "-in", certificates.certificate, "-noout", "-ext", "subjectAltName"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert f"DNS:{HOST}, DNS:aurora.example" in told


@in_loop
async def test_the_way_in_this_process(certificates: Certificates, server: Server, capfd: Any) -> None:
    """The same, for what a process of its own does not tell of its coverage."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    running = asyncio.create_task(gateway.run(context, {"data_center": ("127.0.0.1", server.port)}))
    told = ""
    while " listens on " not in told:
        await asyncio.sleep(0.01)
        told += capfd.readouterr().out
    port = int(told.strip().rpartition(":")[2])

    async def sign_in(**given: Any) -> psycopg.AsyncConnection[Any]:
        where = {"hostaddr": "127.0.0.1", "host": HOST, "port": port, "user": "postgres", "dbname": "payments"}
        return await psycopg.AsyncConnection.connect(**{**where, **given}, autocommit=True, connect_timeout=10)

    async with await sign_in(sslmode="verify-full", sslrootcert=str(certificates.ca)) as connection:
        assert await (await connection.execute("SELECT 1")).fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError, match="certificate"):
        await sign_in(sslmode="verify-full", sslrootcert=str(certificates.ca), host="another.example")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        await sign_in(sslmode="disable", dbname="nowhere")
    async with await sign_in(sslmode="disable") as connection:
        os.kill(os.getpid(), signal.SIGUSR1)
        with pytest.raises(psycopg.OperationalError):
            await connection.execute("SELECT pg_sleep(60)")
    os.kill(os.getpid(), signal.SIGTERM)
    await running


# --- what breaks -------------------------------------------------------------------------------------------------------
def test_processes_are_found_by_what_is_in_their_environment() -> None:
    mark = f"REHEARSAL_MARK={os.getpid()}"
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"],
        env={**os.environ, "REHEARSAL_MARK": str(os.getpid())},
        stdout=subprocess.PIPE,
    )
    assert child.stdout
    with child.stdout:
        child.stdout.readline()
        assert breaking.find_processes((mark,)) == [child.pid]
        assert breaking.find_processes((mark, "OTHER=1")) == []
        child.kill()
        child.wait()


def test_functions_of_branches_are_found_too() -> None:
    inner = {"States": {"Drain": {"Parameters": {"FunctionName": "arn:f:drain"}}, "Pass": {}}}
    machine = {"States": {"Freeze": {"Parameters": {"FunctionName": "arn:f:freeze"}}, "Both": {"Branches": [inner]}}}
    assert dict(called(machine)) == {"Freeze": "arn:f:freeze", "Drain": "arn:f:drain"}
