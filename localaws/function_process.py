"""The process in which a Lambda function is invoked, one invocation after the other: what AWS calls the runtime.

Started as a script by localaws/shims/invocation.py, with the function's own environment and nothing of the server's. It
reads a line of JSON for each invocation from its standard input, and writes a line for each answer to a descriptor of
its own, because the function may print what it likes. Between two invocations it waits, with all that the function has
imported and connected. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
import time
import traceback
from collections.abc import Iterable
from typing import Any, NamedTuple, TextIO


class Context:
    """What a handler is told of its invocation."""

    def __init__(self, about: dict[str, Any]) -> None:
        self.aws_request_id = about["request_id"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.invoked_function_arn = about["arn"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.client_context = None
        self.identity = None
        self._until = about["until"]

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's timeout."""
        return max(0, int((self._until - time.time()) * 1000))


def main(requests: Iterable[str]) -> int:
    """Invoke the handler for each request, until there is none any more or the function cannot be invoked again."""
    if places := json.loads(os.environ.get("LOCALAWS_HOSTS", "{}")):
        _map_hosts(places)
    # In place of the directory of this script: nothing of the server may be in a function's way.
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    for request in requests:
        about = json.loads(request)
        # What the function starts must not keep the way of the answers open.
        os.set_inheritable(about["answer_descriptor"], False)  # noqa: FBT003 - it takes no other
        answer = _invoke(about)
        sys.stdout.flush()
        with open(about["answer_descriptor"], "w", encoding="utf-8", closefd=False) as answers:
            answers.write(f"{int(answer.failed)}{int(answer.is_last)}{answer.document}\n")
        if answer.is_last:
            return 1
    return 0


def keep_to_oneself(descriptor: int) -> TextIO:
    """What can be read there, from now on by nobody else: neither the function nor what it starts finds anything."""
    requests = os.fdopen(os.dup(descriptor), encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, descriptor)
    os.close(nothing)
    return requests


def _map_hosts(places: dict[str, str]) -> None:
    """Lead connections to the made-up hosts of a deployment to where they really listen; see localaws/hosts.py."""
    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        name = str(host).lower()
        if place := places.get(f"{name}:{port}") or places.get(name):
            host, _, port = place.rpartition(":")
        return look_up(host, port, *rest, **named)

    socket.getaddrinfo = getaddrinfo


class _Answer(NamedTuple):
    """What the server is told; `is_last`: the function could not be loaded or has ended its process."""

    failed: bool
    document: str
    is_last: bool = False


def _invoke(about: dict[str, Any]) -> _Answer:
    request_id = about["request_id"]
    module, _, name = os.environ["_HANDLER"].rpartition(".")
    try:
        handler = getattr(importlib.import_module(module.replace("/", ".")), name)
    except ImportError as error:
        problem = f"Unable to import module '{module}': {error}"
        return _Answer(failed=True, document=_told("Runtime.ImportModuleError", problem, request_id), is_last=True)
    except AttributeError:
        problem = f"Handler '{name}' missing on module '{module}'"
        return _Answer(failed=True, document=_told("Runtime.HandlerNotFound", problem, request_id), is_last=True)
    except BaseException as error:  # noqa: BLE001 - whatever the module's own code raises is its answer
        return _Answer(
            failed=True, document=_told(type(error).__name__, str(error), request_id, _trace(error)), is_last=True
        )
    try:
        answer = handler(about["event"], Context(about))
    except SystemExit as end:
        problem = f"RequestId: {request_id} Error: Runtime exited ({end.code})"
        return _Answer(failed=True, document=_told("Runtime.ExitError", problem, request_id), is_last=True)
    except BaseException as error:  # noqa: BLE001 - whatever a handler raises is its answer
        traceback.print_exc()
        return _Answer(failed=True, document=_told(type(error).__name__, str(error), request_id, _trace(error)))
    try:
        return _Answer(failed=False, document=json.dumps(answer))
    except (TypeError, ValueError) as error:
        return _Answer(
            failed=True, document=_told("Runtime.MarshalError", f"Unable to marshal response: {error}", request_id)
        )


def _told(kind: str, message: str, request_id: str, trace: list[str] | None = None) -> str:
    return json.dumps({"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace or []})


def _trace(error: BaseException) -> list[str]:
    """The frames of the function itself."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    return traceback.format_list(own)


if __name__ == "__main__":
    sys.exit(main(keep_to_oneself(sys.stdin.fileno())))
