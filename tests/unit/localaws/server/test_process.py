"""Finding a server, and telling one from what is left of one; starting a real one is tested in tests/integration."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from localaws import process
from localaws.errors import LoopbackError, SavedStateError, StartError, UnresponsiveError
from localaws.record import Record, beside, locate, read_record, try_lock, write_record

_ROOT = Path(__file__).parents[4]
_TOKEN = "own"


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCALAWS_STATE", raising=False)
    monkeypatch.setattr(process, "_POLL_SECONDS", 0.001)


@contextmanager
def _listening(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A port of this machine at which every connection is answered by `answer`."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1 << 16)
                answer(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _says(document: object, status: str = "200 OK") -> Callable[[socket.socket], None]:
    body = json.dumps(document).encode()
    return lambda connection: connection.sendall(f"HTTP/1.0 {status}\r\n\r\n".encode() + body)


def _left(root: Path, endpoint: str, token: str = _TOKEN) -> Path:
    """What a server of `root` has left."""
    path = locate(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_record(path, Record(4711, endpoint, "2026-11-24T12:00:00+00:00", token))
    return path


class TestFind:
    def test_the_server_that_answers_by_its_token(self, tmp_path: Path) -> None:
        with _listening(_says({"token": _TOKEN, "pid": 4711})) as endpoint:
            _left(tmp_path, endpoint)
            assert process.find(tmp_path) == process.Endpoint(endpoint, 4711, started=False)
            assert process.status(tmp_path) == {"token": _TOKEN, "pid": 4711}

    def test_nothing_where_nothing_was(self, tmp_path: Path) -> None:
        assert process.find(tmp_path) is None
        assert process.status(tmp_path) is None
        assert process.stop(tmp_path) is False

    @pytest.mark.parametrize(
        "answer",
        [
            _says({"token": "another server's"}),
            _says({}),
            _says([]),
            _says("text"),
            _says({"token": _TOKEN}, "404 Not Found"),
            _says({"message": "m", "hint": "h"}, "403 Forbidden"),
            lambda connection: connection.sendall(b"SSH-2.0-OpenSSH\r\n"),
            lambda connection: connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n<html>"),
            lambda connection: connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n\xff\xfe"),
            lambda connection: None,
        ],
    )
    def test_whatever_else_has_the_port_now_is_not_the_server(
        self, tmp_path: Path, answer: Callable[[socket.socket], None]
    ) -> None:
        with _listening(answer) as endpoint:
            _left(tmp_path, endpoint)
            assert process.find(tmp_path) is None

    def test_nobody_at_the_port(self, tmp_path: Path) -> None:
        with _listening(_says({})) as endpoint:
            pass
        _left(tmp_path, endpoint)
        assert process.find(tmp_path) is None

    def test_a_record_of_another_machine_is_none(self, tmp_path: Path) -> None:
        _left(tmp_path, "http://evil.example:80")
        assert process.find(tmp_path) is None

    @pytest.mark.parametrize("lives", [True, False])
    def test_who_says_nothing_is_the_server_only_if_it_lives(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lives: bool
    ) -> None:
        monkeypatch.setattr(process, "_ANSWER_SECONDS", 0.05)
        silent = threading.Event()
        with _listening(lambda _: silent.wait() and None) as endpoint:
            path = _left(tmp_path, endpoint)
            lock = try_lock(path) if lives else None
            try:
                if lives:
                    with pytest.raises(UnresponsiveError, match=r"process 4711.*does not answer") as caught:
                        process.find(tmp_path)
                    assert "state.log" in caught.value.hint
                else:
                    assert process.find(tmp_path) is None
            finally:
                silent.set()
                if lock is not None:
                    os.close(lock)

    def test_an_answer_that_trickles_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ticks = iter([0.0, 100.0])
        monkeypatch.setattr(process.time, "monotonic", lambda: next(ticks))
        with _listening(lambda connection: connection.sendall(b"HTTP/1.0 ")) as endpoint, pytest.raises(TimeoutError):
            process.ask(endpoint, "GET", "/", seconds=50)

    def test_a_long_answer_is_read_whole(self) -> None:
        with _listening(_says(["x" * 300_000])) as endpoint:
            assert process.ask(endpoint, "GET", "/") == ["x" * 300_000]

    def test_a_refusal_is_told(self) -> None:
        with _listening(_says({"message": "m", "hint": "h"}, "409 Conflict")) as endpoint:
            with pytest.raises(UnresponsiveError, match="m") as caught:
                process.ask(endpoint, "POST", "/")
            assert caught.value.hint == "h"

    def test_only_this_machine_is_asked(self) -> None:
        with pytest.raises(LoopbackError):
            process.ask("http://evil.example:80", "GET", "/")

    def test_the_document_is_sent(self) -> None:
        heard: list[bytes] = []

        def answer(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n{}")

        listener = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                while b'{"a": 1}' not in b"".join(heard):
                    heard.append(connection.recv(1 << 16))
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        process.ask(f"http://127.0.0.1:{listener.getsockname()[1]}", "POST", "/x", {"a": 1})
        thread.join()
        listener.close()
        assert b"".join(heard).startswith(b"POST /x HTTP/1.0\r\nHost: 127.0.0.1:")


def test_finding_imports_nothing_heavy() -> None:
    code = (
        "import sys; from localaws import process; from pathlib import Path; process.find(Path('/nowhere'));"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'moto', 'boto3', 'botocore', 'werkzeug', 'flask', 'subprocess', 'http', 'asyncio', 'logging'}))"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, cwd=_ROOT, text=True, env=environ
    )
    assert done.stdout == "[]\n"


class TestStop:
    def test_a_server_that_does_not_end_is_named(self, tmp_path: Path) -> None:
        with _listening(_says({"token": _TOKEN})) as endpoint:
            path = _left(tmp_path, endpoint)
            lock = try_lock(path)
            assert lock is not None
            with pytest.raises(UnresponsiveError, match="process 4711.*has not ended within 0.01 s"):
                process.stop(tmp_path, seconds=0.01)
            os.close(lock)
            assert process.stop(tmp_path)


class TestReset:
    def test_without_a_server_what_was_saved_goes(self, tmp_path: Path) -> None:
        process.reset(tmp_path)
        saved = beside(locate(tmp_path), ".account")
        saved.parent.mkdir(parents=True)
        saved.touch()
        process.reset(tmp_path)
        assert not saved.exists()

    def test_a_server_forgets(self, tmp_path: Path) -> None:
        asked: list[str] = []
        original = process.ask

        def ask(endpoint: str, method: str, path: str, *rest: Any, **named: Any) -> Any:
            asked.append(f"{method} {path}")
            return original(endpoint, method, path, *rest, **named)

        with _listening(_says({"token": _TOKEN})) as endpoint, pytest.MonkeyPatch.context() as patch:
            _left(tmp_path, endpoint)
            patch.setattr(process, "ask", ask)
            process.reset(tmp_path)
        assert asked[-1] == "POST /localaws/reset"


class TestUp:
    """With another program in the server's place: what it says, or fails to say, when it starts."""

    @pytest.fixture
    def program(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
        def program(source: str) -> None:
            package = tmp_path / "code" / "localaws"
            package.mkdir(parents=True, exist_ok=True)
            (package / "__init__.py").touch()
            preamble = "import sys, os, json, time\nready = int(sys.argv[sys.argv.index('--ready-descriptor') + 1])\n"
            (package / "server.py").write_text(preamble + source)
            monkeypatch.setattr(process, "_CODE", tmp_path / "code")

        return program

    def test_a_server_that_says_where_it_is(
        self, tmp_path: Path, program: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_PROFILE", "prod")
        program(
            "open('environ', 'w').write(json.dumps([sorted(os.environ), os.getsid(0) == os.getpid()]))\n"
            'os.write(ready, b\'{"endpoint": "http://127.0.0.1:1"}\\n\')'
        )
        found = process.up(tmp_path)
        assert found.started
        assert found.url == "http://127.0.0.1:1"
        os.waitpid(found.pid, 0)
        names, leads = json.loads((tmp_path / "code/environ").read_text())
        assert "AWS_PROFILE" not in names
        assert leads  # a session of its own: what ends the terminal does not end it

    def test_a_server_that_runs_is_not_started_again(self, tmp_path: Path, program: Any) -> None:
        program("raise AssertionError")
        with _listening(_says({"token": _TOKEN})) as endpoint:
            _left(tmp_path, endpoint)
            assert process.up(tmp_path) == process.Endpoint(endpoint, 4711, started=False)

    def test_the_end_of_the_log_is_told(self, tmp_path: Path, program: Any) -> None:
        program("print('\\n'.join(str(n) for n in range(100)), flush=True); sys.exit(3)")
        with pytest.raises(StartError) as caught:
            process.up(tmp_path)
        first, *lines = caught.value.problems
        assert "ended with 3" in first
        assert lines == [str(number) for number in range(85, 100)]
        assert "state.log" in caught.value.hint
        assert read_record(locate(tmp_path)) is None
        lock = try_lock(locate(tmp_path))
        assert lock is not None
        os.close(lock)

    def test_a_server_that_does_not_become_ready_is_ended(self, tmp_path: Path, program: Any) -> None:
        program("open('pid', 'w').write(str(os.getpid())); time.sleep(600)")
        with pytest.raises(StartError, match="was not ready in time"):
            process.up(tmp_path, seconds=0.2)
        lock = try_lock(locate(tmp_path))
        assert lock is not None
        os.close(lock)

    @pytest.mark.parametrize(("kind", "expected"), [("SavedStateError", SavedStateError), ("StartError", StartError)])
    def test_what_it_cannot_start_with_is_told(
        self, tmp_path: Path, program: Any, kind: str, expected: type[Exception]
    ) -> None:
        said = {"problem": ["damaged"], "hint": "reset", "kind": kind}
        program(f"os.write(ready, {(json.dumps(said) + chr(10)).encode()!r})")
        with pytest.raises(expected, match="damaged") as caught:
            process.up(tmp_path)
        assert caught.value.hint == "reset"

    def test_another_that_starts_is_waited_for(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = locate(tmp_path)
        path.parent.mkdir(parents=True)
        lock = try_lock(path)
        assert lock is not None
        with _listening(_says({"token": _TOKEN})) as endpoint:
            monkeypatch.setattr(process.time, "sleep", lambda _: _left(tmp_path, endpoint))
            assert process.up(tmp_path) == process.Endpoint(endpoint, 4711, started=False)
        os.close(lock)

    def test_but_not_for_ever(self, tmp_path: Path) -> None:
        path = locate(tmp_path)
        path.parent.mkdir(parents=True)
        lock = try_lock(path)
        assert lock is not None
        with pytest.raises(UnresponsiveError, match="another process holds .*state.lock"):
            process.up(tmp_path, seconds=0.01)
        os.close(lock)
