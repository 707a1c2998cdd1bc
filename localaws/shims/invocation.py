"""One run of a Lambda function: its real handler, in a process of its own on this machine.

Python functions from a zip file, without layers. The interpreter is the server's own, whatever the runtime's version,
and the processor's kind is not asked: what is tested here is the code, not the runtime.
"""

from __future__ import annotations

import atexit
import contextlib
import io
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

from localaws.gate import outside
from localaws.loopback import environment

_RUNTIME = Path(__file__).parents[1] / "function_process.py"
_lock = threading.Lock()
_running: Counter[str] = Counter()
_processes: set[subprocess.Popen[bytes]] = set()
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
        receiver, sender = os.pipe()
        try:
            process = self._start(code, sender)
        finally:
            os.close(sender)
        with open(receiver, "rb") as answers, _registered(process):
            answer = self._wait(process, answers, began)
        took = (time.time() - began) * 1000
        self.log = (
            f"START RequestId: {self._request_id} Version: {function.version}\n{self.log}"
            f"END RequestId: {self._request_id}\nREPORT RequestId: {self._request_id}\tDuration: {took:.2f} ms\n"
        )
        return answer

    def _start(self, code: Path, sender: int) -> subprocess.Popen[bytes]:
        function = self._function
        process = subprocess.Popen(  # noqa: S603  (the function's own code is what is to run)
            [sys.executable, str(_RUNTIME)],
            cwd=code,
            env=self._environment(code),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(sender,),
            start_new_session=True,
        )
        about = {
            "event": self._event,
            "request_id": self._request_id,
            "arn": function.function_arn,
            "until": time.time() + function.timeout,
            "answer_descriptor": sender,
        }
        threading.Thread(target=_write, args=(process, json.dumps(about).encode()), daemon=True).start()
        return process

    def _wait(self, process: subprocess.Popen[bytes], answers: Any, began: float) -> tuple[str, bool]:
        """Read what it prints and answers until it ends, or until its time is up."""
        function = self._function
        printed, answered = bytearray(), bytearray()
        sources = {process.stdout.fileno(): printed, answers.fileno(): answered}  # type: ignore[union-attr]  # PIPE
        until = began + function.timeout
        while sources:
            ready, _, _ = select.select(list(sources), [], [], max(until - time.time(), 0))
            if not ready:
                _kill(process)
                self.log = printed.decode(errors="replace")
                text = f"{self._request_id} Task timed out after {function.timeout:.2f} seconds"
                return self._problem("Sandbox.Timedout", f"RequestId: {text}"), True
            for descriptor in ready:
                chunk = os.read(descriptor, 1 << 16)
                if chunk:
                    sources[descriptor] += chunk
                else:
                    del sources[descriptor]
        self.log = printed.decode(errors="replace")
        code = process.wait()
        if not answered:
            text = f"RequestId: {self._request_id} Error: Runtime exited with error: exit status {code}"
            return self._problem("Runtime.ExitError", text), True
        return answered.decode(), code != 0

    def _environment(self, code: Path) -> dict[str, str]:
        """https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html (reserved variables win)."""
        function = self._function
        stream = f"{time.strftime('%Y/%m/%d')}/[{function.version}]{self._request_id.replace('-', '')}"
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
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "LAMBDA_TASK_ROOT": str(code),
            "AWS_SESSION_TOKEN": "example",
            **environment(f"http://127.0.0.1:{os.environ.get('MOTO_PORT', '1')}"),
        }
        usual = {"PATH": os.defpath, "LANG": "en_US.UTF-8", "TZ": ":UTC", "PYTHONDONTWRITEBYTECODE": "1"}
        return {**usual, **function.environment_vars, **reserved}

    def _problem(self, kind: str, message: str) -> str:
        return json.dumps({"errorMessage": message, "errorType": kind, "requestId": self._request_id})


class _registered:  # noqa: N801 - reads as a statement of with
    """While it lasts, the process ends with the server."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def __enter__(self) -> None:
        with _lock:
            _processes.add(self._process)

    def __exit__(self, *_: object) -> None:
        with _lock:
            _processes.discard(self._process)
        self._process.stdout.close()  # type: ignore[union-attr]  # PIPE


def _write(process: subprocess.Popen[bytes], document: bytes) -> None:
    try:
        with process.stdin as stdin:  # type: ignore[union-attr]  # PIPE
            stdin.write(document)
    except BrokenPipeError:
        return  # it ended before it had read what to do


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


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
    with _lock:
        for process in _processes:
            _kill(process)
        for code in _unpacked.values():
            shutil.rmtree(code, ignore_errors=True)
        _unpacked.clear()
