"""The CloudFormation API of the emulated account, as a WSGI application.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import pickle
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from localaws import change_set_operations, drift, protocol, read_operations, stack_operations, template_operations
from localaws.api_errors import ApiError
from localaws.changesets import STOPPED, Builder
from localaws.clock import Clock
from localaws.core import Core, log
from localaws.executor import Executor
from localaws.providers.base import Provider
from localaws.service import Operation, Service
from localaws.stacks import State

OPERATIONS: dict[str, Operation] = {
    **change_set_operations.OPERATIONS,
    **drift.OPERATIONS,
    **read_operations.OPERATIONS,
    **stack_operations.OPERATIONS,
    **template_operations.OPERATIONS,
}
_SCOPE = re.compile(r"Credential=[^/,]+/\d{8}/([a-z0-9-]+)/cloudformation/")
_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 500: "Internal Server Error"}


class Plane:
    """The control plane of one account.

    `find_provider` gives what makes a resource type, None where it is not known; `clients` gives a boto3 client of the
    emulated services by name; `read_object` gives the bytes behind a bucket and key, KeyError (or a ClientError) where
    there are none. `delay` seconds pass for each resource and each step of a change set.
    """

    def __init__(
        self,
        find_provider: Callable[[str], Provider | None],
        clients: Any,
        *,
        account_id: str = "123456789012",
        read_object: Callable[[str, str], bytes],
        clock: Clock | None = None,
        delay: float = 0,
    ) -> None:
        self._core = Core(
            find_provider,
            clients,
            account_id=account_id,
            read_object=read_object,
            clock=clock or Clock(),
            delay=delay,
        )
        executor = Executor(self._core)
        self._service = Service(self._core, executor, Builder(self._core, executor.log))
        self.faults = self._core.faults

    # --- requests -----------------------------------------------------------------------------------------------------
    def __call__(self, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request of the Query protocol."""
        request_id = str(uuid.uuid4())
        try:
            status, body = 200, self._answer(environ, request_id)
        except ApiError as refused:
            status, body = refused.status, protocol.render_error(refused, request_id)
        except Exception as broken:  # noqa: BLE001 - a defect reaches the client as AWS's own 500, which botocore reads
            log.exception("a request of CloudFormation broke")
            failure = ApiError("InternalFailure", f"{type(broken).__name__}: {broken}", 500)
            status, body = failure.status, protocol.render_error(failure, request_id)
        headers = [
            ("Content-Type", "text/xml"),
            ("Content-Length", str(len(body))),
            ("x-amzn-RequestId", request_id),
        ]
        start_response(f"{status} {_REASONS[status]}", headers)
        return [body]

    def _answer(self, environ: Mapping[str, Any], request_id: str) -> bytes:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        sent = environ["wsgi.input"].read(length).decode() if length else ""
        query = environ.get("QUERY_STRING", "")
        form = dict(parse_qsl(f"{query}&{sent}" if query else sent, keep_blank_values=True))
        action = form.pop("Action", "")
        form.pop("Version", None)
        if action not in OPERATIONS:
            raise ApiError(
                "InvalidAction", f"Could not find operation {action} for version 2010-05-15: it is not emulated"
            )
        operation = protocol.service_model().operation_model(action)
        given = protocol.parse(operation, form)
        with self._core.lock:
            result = OPERATIONS[action](self._service, _region(environ), given)
            return protocol.render(operation, result, request_id)

    # --- state --------------------------------------------------------------------------------------------------------
    def dump(self) -> bytes:
        """All of the state."""
        with self._core.lock:
            return pickle.dumps(self._core.state)

    def load(self, dumped: bytes) -> None:
        """Take over a state that `dump` gave, of this program alone; what it cut off is brought to an end."""
        state = pickle.loads(dumped)  # noqa: S301 - written by dump, into a file of the user's own
        if not isinstance(state, State):
            raise TypeError("not a state of the control plane")
        with self._core.lock:
            self._core.state = state
            for change_set in state.change_sets.values():
                if change_set.status in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
                    change_set.status, change_set.reason = "FAILED", STOPPED
                if change_set.execution_status == "EXECUTE_IN_PROGRESS":
                    change_set.execution_status = "EXECUTE_FAILED"
            for detection in state.detections.values():
                if detection.status == "DETECTION_IN_PROGRESS":
                    detection.status, detection.reason = "DETECTION_FAILED", STOPPED
            for stack in state.stacks.values():
                if stack.in_progress and not stack.root_id:
                    self._core.start(lambda stack=stack: self._service.executor.resume(stack))  # type: ignore[misc]

    @property
    def busy(self) -> bool:
        """Whether an operation is under way."""
        return not self._core.settle(0)

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until nothing is under way; False where that took longer than `timeout` seconds."""
        return self._core.settle(timeout)

    # --- faults -------------------------------------------------------------------------------------------------------
    def inject(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Set and clear faults: {"clear": true, "add": [{"address": …, "operation": …, "message": …, "times": …}]}.

        Answers with those that are set. ApiError where one is malformed.
        """
        if request.get("clear"):
            self.faults.clear()
        for fault in request.get("add", ()):
            self.faults.add(fault)
        return {"faults": self.faults.list()}


def _region(environ: Mapping[str, Any]) -> str:
    match = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    return match[1] if match else "us-east-1"
