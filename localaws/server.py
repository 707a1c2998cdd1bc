"""The server of the embedded AWS: the account over HTTP on loopback, and a few resources of our own below /localaws/.

    python -m localaws.server --state FILE            started by localaws.process, not by hand
    with running() as endpoint: …                     in a test, in its own process

Functions of the account run as processes of this user, so only this machine is listened to, and no web page may speak
to it: a request that a browser made on a page's behalf (it has an Origin, or a Sec-Fetch-Site), or that another name
led here (DNS rebinding: the Host is not loopback's), is refused.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localaws.errors import SavedStateError, UnresponsiveError
from localaws.record import Record, beside, read_record, write_record
from settings.errors import UserError

_LOOPBACK_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?", re.ASCII)
LATENCY_VARIABLE = "LOCALAWS_LATENCY_MS"
_TICK_SECONDS = 1.0
_SETTLED_SECONDS = 1.0
# What a deployment asks of the account, in about the order in which it does.
_SERVICES = (
    "s3", "sts", "ec2", "kms", "iam", "logs", "sns", "secretsmanager", "rds", "elbv2", "ecs", "dms",
    "cloudwatch", "events", "lambda", "stepfunctions", "application-autoscaling", "wafv2", "route53", "acm",
)  # fmt: skip
log = logging.getLogger("localaws")


class Server:
    """The WSGI application: guard, our own resources, counting, the account."""

    def __init__(self, account: Any, saved: Path | None = None) -> None:
        from localaws.counters import Counters

        self.account = account
        self.counters = Counters()
        self.stopping = threading.Event()
        self.token = os.urandom(16).hex()
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self.endpoint = ""
        self._saved = saved
        self._latency = float(os.environ.get(LATENCY_VARIABLE) or 0) / 1000
        self._resources: dict[tuple[str, str], Callable[[Any], object]] = {
            ("GET", "health"): self._tell_health,
            ("GET", "counters"): lambda _: self.counters.document(),
            ("DELETE", "counters"): lambda _: self.counters.reset(),
            ("POST", "faults"): self._inject,
            ("GET", "hosts"): lambda _: self.account.hosts.tell(),
            ("POST", "hosts"): self._map_hosts,
            ("POST", "replication"): self._disturb,
            ("POST", "latency"): self._slow_down,
            ("POST", "save"): lambda _: {"bytes": self.save()},
            ("POST", "reset"): self._reset,
            ("POST", "stop"): self._stop,
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        host, origin = environ.get("HTTP_HOST", ""), environ.get("HTTP_ORIGIN")
        path = environ.get("PATH_INFO", "")
        site = environ.get("HTTP_SEC_FETCH_SITE", "none")
        if origin is not None or site != "none" or not _LOOPBACK_HOST.fullmatch(host):
            why = f"refused: Host {host!r}, Origin {origin!r}, Sec-Fetch-Site {site!r}"
            return _answer(start_response, "403 Forbidden", _problem(why))
        if path.startswith("/localaws/"):
            return self._answer_own(environ, start_response, path.removeprefix("/localaws/"))
        if path.startswith("/moto-api"):
            # moto's own reset would leave CloudFormation with stacks of nothing.
            return _answer(start_response, "404 Not Found", _problem("use /localaws/ instead of /moto-api/"))
        self.counters.count(environ)
        if self._latency:
            time.sleep(self._latency)
        return self.account(environ, start_response)  # type: ignore[no-any-return]

    def record(self) -> Record:
        """What others find this server by."""
        return Record(os.getpid(), self.endpoint, self.started, self.token)

    def save(self) -> int | None:
        """Save the account, where there is a place for it; the number of bytes."""
        return self.account.save(self._saved) if self._saved else None

    def _answer_own(self, environ: dict[str, Any], start_response: Callable[..., Any], name: str) -> list[bytes]:
        resource = self._resources.get((environ["REQUEST_METHOD"], name))
        if resource is None:
            known = ", ".join(f"{method} {known}" for method, known in self._resources)
            return _answer(start_response, "404 Not Found", _problem(f"no such resource; there are {known}"))
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            return _answer(start_response, "200 OK", resource(json.loads(body) if body else {}))
        except (ValueError, LookupError) as problem:
            return _answer(start_response, "400 Bad Request", _problem(str(problem)))
        except UserError as problem:
            return _answer(start_response, "409 Conflict", _problem(str(problem), problem.hint))

    def _tell_health(self, _: Any) -> dict[str, Any]:
        record = self.record()
        return {
            "pid": record.pid,
            "token": record.token,
            "endpoint": record.endpoint,
            "started": record.started,
            "busy": self.account.busy,
            "calls": self.counters.document()["total"],
        }

    def _slow_down(self, request: dict[str, Any]) -> object:
        """{"ms": 50}: what every call from outside takes longer from now on, as over a network."""
        self._latency = float(request["ms"]) / 1000
        return {"ms": self._latency * 1000}

    def _inject(self, request: dict[str, Any]) -> object:
        from localaws.api_errors import ApiError

        try:
            return self.account.plane(request.pop("region", "us-east-1")).inject(request)
        except ApiError as refused:
            raise ValueError(refused.message) from refused

    def _map_hosts(self, request: dict[str, Any]) -> object:
        """{"db.example:5432": "127.0.0.1:54321"}: where it really listens; null forgets it. See localaws/hosts.py."""
        self.account.changed = True
        return self.account.hosts.change(request)

    def _disturb(self, request: dict[str, Any]) -> object:
        """{"task": "…", "stall": true, "corrupt": {"table": "public.payments"}}: a fault of a replication that runs."""
        return self.account.dms(request.pop("region", "us-east-1")).runner.fault(request)

    def _reset(self, _: Any) -> object:
        if self.account.busy:
            raise UnresponsiveError("CloudFormation is at work", hint="wait until it is done, then reset again")
        self.account.reset()
        self.counters.reset()
        if self._saved:
            self._saved.unlink(missing_ok=True)
        return {}

    def _stop(self, _: Any) -> object:
        """A server whose account cannot be saved says so and goes on: SIGTERM ends it all the same."""
        size = self.save()
        self.stopping.set()
        return {"bytes": size}


class Keeper:
    """Saves the account when it has changed and come to rest, and ends a server whose record is not there any more."""

    def __init__(self, server: Server, path: Path) -> None:
        self._server = server
        self._path = path

    def tick(self) -> None:
        """Look once."""
        server, account = self._server, self._server.account
        if read_record(self._path) != server.record():
            # Somebody has removed the cache, or another server has taken its place: nobody can find this one again.
            log.warning("%s is not there or not of this server any more: it ends", self._path)
            server.stopping.set()
            return
        rested = time.monotonic() - account.gate.last_passed >= _SETTLED_SECONDS
        if account.changed and rested and not account.busy:
            self.save()

    def save(self) -> None:
        """Save, or say in the log why not: the server goes on, and the next change is another try."""
        try:
            self._server.save()
        except (SavedStateError, OSError) as problem:
            log.error("%s", problem)  # noqa: TRY400 - the text says it; the way there does not matter


@contextmanager
def listening(server: Server, port: int = 0) -> Iterator[str]:
    """Serve on loopback, each connection in a thread of its own; the endpoint."""
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from werkzeug.serving import make_server

    class Handler(MotoRequestHandler):  # type: ignore[misc]  # moto has no types here
        """moto's handler, which keeps the spelling of S3 metadata, without a log. werkzeug closes each connection."""

        protocol_version = "HTTP/1.1"

        def log_request(self, *_: Any) -> None:
            """Nothing: what fails is logged where it does."""

    http = make_server("127.0.0.1", port, server, threaded=True, request_handler=Handler)
    server.endpoint = f"http://127.0.0.1:{http.server_address[1]}"
    before = os.environ.get("MOTO_PORT")
    # Where moto's state machines look for Lambda: a setting of moto's, read at each call.
    os.environ["MOTO_PORT"] = str(http.server_address[1])
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, name="http", daemon=True)
    thread.start()
    try:
        yield server.endpoint
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
        os.environ.pop("MOTO_PORT")
        if before is not None:
            os.environ["MOTO_PORT"] = before


@contextmanager
def running(*, delay: float = 0, clock: Any = None, saved: Path | None = None) -> Iterator[str]:
    """An empty account (or the one at `saved`) in this very process, for as long as the block lasts: its endpoint.

    The environment is left alone: name the endpoint to boto3, or set what localaws.process.environment says.
    """
    from localaws.account import Account

    account = Account(delay=delay, clock=clock)
    account.reset()
    server = Server(account, saved)
    if saved:
        account.restore(saved)
    with listening(server) as endpoint:
        try:
            yield endpoint
        finally:
            account.settle()
            account.reset()


def main(arguments: list[str]) -> int:
    """Serve until told to stop: by /localaws/stop, SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="localaws.server")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--lock-descriptor", type=int, required=True, help="held open until this process ends")
    parser.add_argument("--ready-descriptor", type=int, required=True, help="takes one line of JSON")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # What a state machine's function raises is the function's; its execution history has it, with values of its own.
    logging.getLogger("moto.stepfunctions").setLevel(logging.CRITICAL)
    try:
        _serve(options.state, options.ready_descriptor)
    except SavedStateError as problem:
        told = {"problem": problem.problems, "hint": problem.hint, "kind": "SavedStateError"}
    except ModuleNotFoundError as missing:
        text = f"the embedded AWS needs {missing.name}, which is not installed"
        told = {
            "problem": [text],
            "hint": "pip install --require-hashes -r requirements-local.txt",
            "kind": "StartError",
        }
    else:
        return 0
    _say(options.ready_descriptor, told)
    return 1


def _serve(path: Path, ready: int) -> None:
    from localaws.account import Account

    saved = beside(path, ".account")
    account = Account()
    account.restore(saved)
    server = Server(account, saved)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stopping.set())
    with listening(server) as endpoint:
        write_record(path, server.record())
        _say(ready, {"endpoint": endpoint})
        threading.Thread(target=account.warm, args=(_SERVICES,), name="warm", daemon=True).start()
        keeper = Keeper(server, path)
        while not server.stopping.wait(_TICK_SECONDS):
            keeper.tick()
    account.close()
    if read_record(path) == server.record():
        if account.changed:
            keeper.save()
        path.unlink()


def _say(descriptor: int, document: dict[str, Any]) -> None:
    """Tell the process that started this one, if it is still there."""
    try:
        with open(descriptor, "w", encoding="utf-8") as line:
            line.write(json.dumps(document) + "\n")
    except BrokenPipeError:
        log.warning("nobody waits for this server's start any more; it stays for whoever comes next")


def _answer(start_response: Callable[..., Any], status: str, document: object) -> list[bytes]:
    body = json.dumps(document).encode() + b"\n"
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def _problem(message: str, hint: str = "see localaws/server.py") -> dict[str, str]:
    return {"message": message, "hint": hint}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
