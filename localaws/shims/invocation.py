"""One run of a Lambda function: its real handler, in a process of this machine (localaws/shims/sandbox.py).

Python functions from a zip file, without layers. The interpreter is the server's own, whatever the runtime's version,
and the processor's kind is not asked: what is tested here is the code, not the runtime.
"""

from __future__ import annotations

import atexit
import io
import json
import os
import shutil
import tempfile
import threading
import time
import uuid
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

from localaws import hosts
from localaws.gate import outside
from localaws.loopback import environment
from localaws.shims import sandbox

_lock = threading.Lock()
_running: Counter[str] = Counter()
_unpacked: dict[str, Path] = {}


def run(function: Any, event: Any) -> tuple[str, bool, str]:
    """Invoke `function` once: its answer, whether it failed, what it printed.

    Raises TooManyRequestsException when as many of it run as are reserved for it.
    """
    _take_a_place(function)
    try:
        invocation = _Invocation(function, {} if event is None else event)
        with outside():
            answer, failed = invocation.run()
        function.save_logs(invocation.log)
        return answer, failed, invocation.log
    finally:
        with _lock:
            _running[function.function_arn] -= 1


def _take_a_place(function: Any) -> None:
    from moto.awslambda.exceptions import LambdaClientError

    reserved = function.reserved_concurrency
    with _lock:
        if reserved is not None and _running[function.function_arn] >= int(reserved):
            refusal = LambdaClientError("TooManyRequestsException", "Rate Exceeded.")
            refusal.code = 429
            raise refusal
        _running[function.function_arn] += 1


class _Invocation:
    """One run of a function."""

    def __init__(self, function: Any, event: Any) -> None:
        self._function = function
        self._event = event
        self._request_id = str(uuid.uuid4())
        self.log = ""
        function.logs_backend.ensure_log_group(function.logs_group_name)

    def run(self) -> tuple[str, bool]:
        """The answer, and whether it is an error."""
        function = self._function
        kind = str(function.run_time) if function.package_type == "Zip" else "an image"
        if not kind.startswith("python") or function.layers:
            what = f"{kind} with layers" if function.layers else kind
            problem = f"the embedded AWS runs Python functions without layers, and this one is {what}"
            return self._problem("Runtime.NotEmulated", problem), True
        try:
            code = _unpack(function)
        except zipfile.BadZipFile as error:
            return self._problem("Runtime.InvalidCode", f"the code is no zip file: {error}"), True
        began = time.time()
        environment = self._environment(code)
        # The function itself too: one that was deleted and made anew begins anew.
        use = (function, function.code_sha_256, tuple(sorted(environment.items())))
        stream = {"AWS_LAMBDA_LOG_STREAM_NAME": self._stream()}
        process = sandbox.take(function.function_arn, use, {**environment, **stream}, code)
        answer = self._invoke(process, began)
        took = (time.time() - began) * 1000
        self.log = (
            f"START RequestId: {self._request_id} Version: {function.version}\n{process.printed}"
            f"END RequestId: {self._request_id}\nREPORT RequestId: {self._request_id}\tDuration: {took:.2f} ms\n"
        )
        return answer

    def _invoke(self, process: sandbox.Sandbox, began: float) -> tuple[str, bool]:
        """Let the process work until it answers or ends, or its time is up; it waits for more only after an answer."""
        function = self._function
        until = began + function.timeout
        about = {
            "event": self._event,
            "request_id": self._request_id,
            "arn": function.function_arn,
            "until": until,
        }
        try:
            answer = process.invoke(about, lambda: until - time.time())
        except sandbox.TimeIsUpError:
            sandbox.discard(process)
            text = f"{self._request_id} Task timed out after {function.timeout:.2f} seconds"
            return self._problem("Sandbox.Timedout", f"RequestId: {text}"), True
        except sandbox.EndedError:
            code = sandbox.discard(process)
            text = f"RequestId: {self._request_id} Error: Runtime exited with error: exit status {code}"
            return self._problem("Runtime.ExitError", text), True
        sandbox.give_back(process)
        return answer

    def _stream(self) -> str:
        """The log stream of a process that is started for this invocation."""
        return f"{time.strftime('%Y/%m/%d')}/[{self._function.version}]{self._request_id.replace('-', '')}"

    def _environment(self, code: Path) -> dict[str, str]:
        """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (reserved variables win)."""
        function = self._function
        reserved = {
            "_HANDLER": function.handler,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_REGION": function.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name,
            "LAMBDA_TASK_ROOT": str(code),
            "AWS_SESSION_TOKEN": "example",
            hosts.VARIABLE: os.environ.get(hosts.VARIABLE, "{}"),
            **environment(f"http://127.0.0.1:{os.environ.get('MOTO_PORT', '1')}"),
        }
        usual = {"PATH": os.defpath, "LANG": "en_US.UTF-8", "TZ": ":UTC", "PYTHONDONTWRITEBYTECODE": "1"}
        return {**usual, **function.environment_vars, **reserved}

    def _problem(self, kind: str, message: str) -> str:
        return json.dumps({"errorMessage": message, "errorType": kind, "requestId": self._request_id})


def _unpack(function: Any) -> Path:
    """The function's code as files, once for each content."""
    with _lock:
        found = _unpacked.get(function.code_sha_256)
        if found is None:
            found = Path(tempfile.mkdtemp(prefix="localaws-function-"))
            with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as archive:
                archive.extractall(found)
            _unpacked[function.code_sha_256] = found
        return found


@atexit.register
def clean_up() -> None:
    """End what still runs, and remove the unpacked code."""
    sandbox.end_all()
    with _lock:
        for code in _unpacked.values():
            shutil.rmtree(code, ignore_errors=True)
        _unpacked.clear()
