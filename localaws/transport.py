"""boto3 clients for what runs inside the server: their requests are handed to the application, not to a socket.

Everything of botocore stays in use (parameter validation, serializing, signing, parsing, retries), only the last step
differs: a `before-send` handler that answers ends the sending
(https://github.com/boto/botocore/blob/develop/botocore/httpsession.py is then never reached).
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from localaws.loopback import environment

# The host that the requests name: the same form as over a socket, so that S3 addresses buckets by path.
_ENDPOINT = "http://127.0.0.1:1"
_NO_BODY = b""
Application = Callable[[dict[str, Any], Callable[..., Any]], Any]


class Clients:
    """boto3 clients of the emulated account in one region: `clients("ec2")`, each made once."""

    def __init__(self, application: Application, region: str) -> None:
        self._application = application
        self._region = region
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}
        self._session: Any = None

    def __call__(self, service: str) -> Any:
        """The client of `service`, safe to share between threads (making one is not)."""
        client = self._made.get(service)
        if client is None:
            with self._lock:
                client = self._made.get(service) or self._made.setdefault(service, self._make(service))
        return client

    def _make(self, service: str) -> Any:
        from botocore.config import Config

        if self._session is None:
            self._session = _session()
        client = self._session.create_client(
            service,
            region_name=self._region,
            endpoint_url=_ENDPOINT,
            # A refusal here is final: nothing between the two ends can have lost a request.
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )
        client.meta.events.register("before-send.*", Sender(self._application))
        return client


class Sender:
    """Answers botocore's `before-send` event from a WSGI application."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, request: Any, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        answered: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], None]:
            answered[:] = [int(status[:3]), headers]
            return written.append

        written: list[bytes] = []
        chunks = self._application(make_environ(request), start_response)
        try:
            written.extend(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        status, headers = answered
        body = _NO_BODY if request.method == "HEAD" else b"".join(written)
        return AWSResponse(request.url, status, _joined(headers), Raw(body))


class Raw(io.BytesIO):
    """A body that is here already, with the one method of urllib3's responses that botocore calls besides read()."""

    def stream(self, amt: int = 1 << 16, **_: Any) -> Iterator[bytes]:
        """The rest of the body, in pieces."""
        while piece := self.read(amt):
            yield piece


def make_environ(request: Any) -> dict[str, Any]:
    """The WSGI environment (PEP 3333) of one of botocore's prepared requests."""
    parts = urlsplit(request.url)
    body = request.body
    if body is None:
        body = _NO_BODY
    elif hasattr(body, "read"):
        body = body.read()
    elif isinstance(body, str):
        body = body.encode()
    raw_target = parts.path + (f"?{parts.query}" if parts.query else "")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1") or "/",
        "QUERY_STRING": parts.query,
        "REQUEST_URI": raw_target,
        "RAW_URI": raw_target,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": parts.netloc,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    spelled: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        if key == "TRANSFER_ENCODING":
            continue  # the body is here whole
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        environ[key] = value.decode("latin-1") if isinstance(value, bytes) else value
        if "_" in name:
            spelled[key] = name
    environ["CONTENT_LENGTH"] = str(len(body))
    # moto's own convention: WSGI folds "_" and "-", S3 tells them apart in names of metadata.
    environ["moto.preserved_header_names"] = spelled
    return environ


def _joined(headers: list[tuple[str, str]]) -> Any:
    from botocore.compat import HTTPHeaders

    joined = HTTPHeaders()
    for name, value in headers:
        joined[name] = value
    return joined


def _session() -> Any:
    """A botocore session that no file or variable of the user steers."""
    from botocore.configprovider import ConstantProvider
    from botocore.session import Session

    settings = environment(_ENDPOINT)
    session = Session()
    # A profile that the user's environment names would have to be in the file that is named away here.
    session.get_component("config_store").set_config_provider("profile", ConstantProvider(None))
    session.set_config_variable("config_file", os.devnull)
    session.set_config_variable("credentials_file", os.devnull)
    session.set_credentials(settings["AWS_ACCESS_KEY_ID"], settings["AWS_SECRET_ACCESS_KEY"])
    return session
