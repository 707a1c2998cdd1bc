"""The emulated account: who answers which request.

The service is the one that the request was signed for: CloudFormation is our own control plane, DMS our own service,
everything else moto's. https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
"""

from __future__ import annotations

import functools
import json
import logging
import re
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from localaws import shims, state
from localaws.dms.service import Dms
from localaws.gate import Gate
from localaws.hosts import Hosts
from localaws.loopback import ACCOUNT_ID
from localaws.shims import sandbox
from localaws.transport import Clients

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
_SCOPE = re.compile(r"Credential=[^/,&]+/\d{8}/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)/aws4_request")
_DEFAULT_REGION = "us-east-1"
_BUCKET_REGION = "us-east-1"  # S3 finds an object whatever region asks
_QUIET_SECONDS = 5.0
log = logging.getLogger("localaws")


class Account:
    """One account in every region; a WSGI application. There is one in a process, because moto keeps one.

    `delay` seconds pass for each resource that CloudFormation makes; `clock` is its time.
    """

    def __init__(self, *, delay: float = 0, clock: Any = None) -> None:
        shims.settings()
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        class Dispatcher(DomainDispatcherApplication):  # type: ignore[misc]  # moto has no types here
            """moto's, which lists its own folders twice for each request to find a service."""

            get_backend_for_host = functools.cache(DomainDispatcherApplication.get_backend_for_host)

        def create_app(service: Any) -> Any:
            shims.apply("iam")  # every service asks it who calls
            shims.apply(service)
            return create_backend_app(service)

        self.gate = Gate()
        self.hosts = Hosts()
        self.changed = False
        self._delay = delay
        self._clock = clock
        self._moto = Dispatcher(create_app)
        self._planes: dict[str, Any] = {}
        self._dms: dict[str, Dms] = {}
        self._clients: dict[str, Clients] = {}
        self._lock = threading.RLock()

    # --- requests -----------------------------------------------------------------------------------------------------
    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        region, service = scope(environ)
        with self.gate.passing():
            self.changed = True
            if service == "cloudformation":
                return self.plane(region)(environ, start_response)  # type: ignore[no-any-return]
            if service == "dms":
                return self.dms(region)(environ, start_response)
            return self._ask_moto(environ, start_response)

    def _ask_unnoticed(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """What DMS asks and measures every few seconds is neither a change to save nor a reason to wait with saving."""
        passed = self.gate.last_passed
        try:
            with self.gate.passing():
                return self._ask_moto(environ, start_response)
        finally:
            self.gate.last_passed = passed

    def _change(self) -> None:
        self.changed = True

    def _ask_moto(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return self._moto(environ, start_response)  # type: ignore[no-any-return]
        except Exception as problem:
            # What moto does not do, or does wrongly, must reach the caller as an error of AWS that botocore can read.
            # It is 501, because 500 would be tried again.
            log.exception("moto failed at %s %s", environ["REQUEST_METHOD"], environ["PATH_INFO"])
            return refuse(
                environ, start_response, f"the embedded AWS cannot do this: {type(problem).__name__}: {problem}"
            )

    # --- parts --------------------------------------------------------------------------------------------------------
    def clients(self, region: str) -> Clients:
        """boto3 clients of this account, for what runs inside."""
        with self._lock:
            return self._clients.setdefault(region, Clients(self, region))

    def plane(self, region: str) -> Any:
        """CloudFormation in one region."""
        with self._lock:
            if region not in self._planes:
                from localaws.api import Plane
                from localaws.providers import find

                self._planes[region] = Plane(
                    find,
                    self.clients(region),
                    account_id=ACCOUNT_ID,
                    read_object=self.read_object,
                    delay=self._delay,
                    clock=self._clock,
                )
            return self._planes[region]

    def dms(self, region: str) -> Dms:
        """DMS in one region."""
        with self._lock:
            if region not in self._dms:
                self._dms[region] = Dms(
                    region,
                    ACCOUNT_ID,
                    self.clients(region),
                    hosts=self.hosts,
                    unnoticed=Clients(self._ask_unnoticed, region),
                    changed=self._change,
                )
            return self._dms[region]

    def read_object(self, bucket: str, key: str) -> bytes:
        """An S3 object's bytes; ClientError where there is none."""
        answer = self.clients(_BUCKET_REGION)("s3").get_object(Bucket=bucket, Key=key)
        return bytes(answer["Body"].read())

    @property
    def busy(self) -> bool:
        """Whether CloudFormation is at work."""
        with self._lock:
            planes = list(self._planes.values())
        return any(plane.busy for plane in planes)

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until CloudFormation rests; False where that took longer than `timeout` seconds."""
        with self._lock:
            planes = list(self._planes.values())
        return all(plane.settle(timeout) for plane in planes)

    # --- state --------------------------------------------------------------------------------------------------------
    def save(self, path: Path) -> int | None:
        """Write the account to `path`: the number of bytes, or None when requests left no moment of quiet."""
        with self.gate.quiet(_QUIET_SECONDS) as alone:
            if not alone:
                return None
            self.changed = False
            with self._lock:
                planes = {region: plane.dump() for region, plane in self._planes.items()}
                stores = {region: service.dump() for region, service in self._dms.items()}
            return state.write_account(path, {"planes": planes, "dms": stores, "hosts": self.hosts.tell()})

    def restore(self, path: Path) -> bool:
        """Take over the account saved at `path`; False when there is none. Raises SavedStateError."""
        found = state.read_account(path)
        if found is None:
            return False
        self.hosts.load(found["hosts"])
        for region, store in found["dms"].items():
            self.dms(region).load(store)
        for region, dumped in found["planes"].items():
            self.plane(region).load(dumped)
        for service in list(self._dms.values()):
            service.runner.resume()
        return True

    def close(self) -> None:
        """End what goes on by itself; the account stays as it is, and another server goes on with it."""
        for service in list(self._dms.values()):
            service.runner.close()

    def reset(self) -> None:
        """Forget everything."""
        from moto.moto_api._internal.models import moto_api_backend

        sandbox.end_waiting()
        for service in list(self._dms.values()):
            service.runner.close(remove=True)
        with self.gate.quiet(_QUIET_SECONDS), self._lock:
            self.hosts.load({})
            self._planes.clear()
            self._dms.clear()
            moto_api_backend.reset()
            self.changed = True

    def warm(self, services: Iterable[str], region: str = _DEFAULT_REGION) -> None:
        """Load what `services` need, so that the first deployment does not wait for it."""
        self.plane(region)
        for service in services:
            name = self.clients(region)(service).meta.service_model.signing_name
            signed = f"Credential=x/20200101/{region}/{name}/aws4_request, "
            asked = {"PATH_INFO": "/", "HTTP_HOST": "127.0.0.1", "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 {signed}"}
            with self.gate.passing():  # a service that is being loaded makes its memory: nobody saves meanwhile
                self._moto.get_application(asked)


def scope(environ: Environ) -> tuple[str, str]:
    """The region and the service that a request is signed for; us-east-1 and "" when it is not."""
    signed = environ.get("HTTP_AUTHORIZATION") or environ.get("QUERY_STRING", "").replace("%2F", "/").replace(
        "X-Amz-Credential=", "Credential="
    )
    match = _SCOPE.search(signed)
    return (match["region"], match["service"]) if match else (_DEFAULT_REGION, "")


def refuse(
    environ: Environ, start_response: StartResponse, message: str, status: str = "501 Not Implemented"
) -> list[bytes]:
    """An error in the form that the service's protocol has for it."""
    code = "NotImplemented"
    kind = environ.get("CONTENT_TYPE", "")
    if "json" in kind or scope(environ)[1] == "lambda":
        body, content = json.dumps({"__type": code, "message": message}).encode(), "application/x-amz-json-1.1"
    else:
        from xml.sax.saxutils import escape

        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        wrapped = error if scope(environ)[1] == "s3" else f"<ErrorResponse>{error}</ErrorResponse>"
        body, content = wrapped.encode(), "text/xml"
    headers = [("Content-Type", content), ("Content-Length", str(len(body))), ("x-amzn-errortype", code)]
    start_response(status, headers)
    return [body]
