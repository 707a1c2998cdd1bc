"""A proxy on loopback between the deployer and AWS, which can break what passes."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

HTML = b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>\n"


@dataclass(frozen=True)
class Call:
    """A request: its number since the proxy began, what it asks for, and which attempt of botocore's it is."""

    number: int
    name: str
    attempt: int


# How a call is broken, by name; None lets it pass.
Plan = Callable[[Call], str | None]


class Proxy:
    """`plan` says what becomes of each call, `after` is told of each that AWS has worked on, before its answer goes back."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream.removeprefix("http://")
        self.url = ""
        self.release = threading.Event()
        self.clear()

    def clear(self) -> None:
        self.calls: list[Call] = []
        self.plan: Plan = lambda call: None
        self.after: Callable[[Call], None] = lambda call: None
        self._lock = threading.Lock()

    def count(self, name: str, attempt: int) -> Call:
        with self._lock:
            call = Call(len(self.calls) + 1, name, attempt)
            self.calls.append(call)
        return call


@contextmanager
def proxying(upstream: str):
    proxy = Proxy(upstream)

    class Handler(_Handler):
        of = proxy

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.release.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    of: Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two packets, and the second would wait for 40 ms

    def log_message(self, *_) -> None:
        pass

    def handle(self) -> None:
        with suppress(ConnectionError):  # whoever asked was killed
            super().handle()

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = self.of.count(self._name(body), self._attempt())
        fault = self.of.plan(call)
        if fault == "dropped before":
            self._drop()
        elif fault == "server error":
            self._reply(500, {"Content-Type": "text/xml"}, b"<Error><Code>InternalFailure</Code></Error>")
        elif fault == "web page":
            self._reply(502, {"Content-Type": "text/html"}, HTML)
        else:
            status, headers, answer = self._forward(body)
            self.of.after(call)
            if fault == "dropped after":
                self._drop()
            elif fault == "slow":
                self.of.release.wait(20)  # until whoever asked has given up
                self._drop()
            elif fault == "truncated" and answer:
                self._reply(status, headers, answer, sent=len(answer) // 2)
                self._drop()
            else:
                self._reply(status, headers, answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

    def _name(self, body: bytes) -> str:
        action = parse_qs(body.decode(errors="replace")).get("Action")
        query = self.path.partition("?")[2].partition("=")[0]
        return (
            action[0] if action else f"{self.command} {query or ('object' if self.path.count('/') > 1 else 'bucket')}"
        )

    def _attempt(self) -> int:
        told = dict(part.strip().split("=") for part in self.headers.get("amz-sdk-request", "attempt=1").split(";"))
        return int(told["attempt"])

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        upstream = http.client.HTTPConnection(self.of.upstream, timeout=30)
        hop_by_hop = {"connection", "content-length", "expect", "transfer-encoding"}
        headers = {name: value for name, value in self.headers.items() if name.lower() not in hop_by_hop}
        upstream.request(self.command, self.path, body, headers)
        answer = upstream.getresponse()
        data = answer.read()
        upstream.close()
        return answer.status, {n: v for n, v in answer.getheaders() if n.lower() not in hop_by_hop}, data

    def _reply(self, status: int, headers: dict[str, str], answer: bytes, sent: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer if sent is None else answer[:sent])

    def _drop(self) -> None:
        self.close_connection = True
