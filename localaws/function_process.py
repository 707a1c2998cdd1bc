"""The process of one invocation of a Lambda function: what AWS calls the runtime.

Started as a script by localaws/shims/functions.py, with the function's own environment and nothing of the server's. It
reads what to do from its standard input, and writes the answer to a descriptor of its own, because the function may
print what it likes. https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from typing import Any


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


def main() -> int:
    """Invoke the handler once: 0 and its answer, or 1 and what AWS tells of its error."""
    about = json.load(sys.stdin)
    # In place of the directory of this script: nothing of the server may be in a function's way.
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    code, document = _invoke(about)
    sys.stdout.flush()
    with open(about["answer_descriptor"], "w", encoding="utf-8") as answer:
        answer.write(document)
    return code


def _invoke(about: dict[str, Any]) -> tuple[int, str]:
    request_id = about["request_id"]
    module, _, name = os.environ["_HANDLER"].rpartition(".")
    try:
        handler = getattr(importlib.import_module(module.replace("/", ".")), name)
    except ImportError as error:
        return 1, _told("Runtime.ImportModuleError", f"Unable to import module '{module}': {error}", request_id)
    except AttributeError:
        problem = f"Handler '{name}' missing on module '{module}'"
        return 1, _told("Runtime.HandlerNotFound", problem, request_id)
    except BaseException as error:  # noqa: BLE001 - whatever the module's own code raises is its answer
        return 1, _told(type(error).__name__, str(error), request_id, _trace(error))
    try:
        answer = handler(about["event"], Context(about))
    except SystemExit as end:
        return 1, _told("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited ({end.code})", request_id)
    except BaseException as error:  # noqa: BLE001 - whatever a handler raises is its answer
        traceback.print_exc()
        return 1, _told(type(error).__name__, str(error), request_id, _trace(error))
    try:
        return 0, json.dumps(answer)
    except (TypeError, ValueError) as error:
        return 1, _told("Runtime.MarshalError", f"Unable to marshal response: {error}", request_id)


def _told(kind: str, message: str, request_id: str, trace: list[str] | None = None) -> str:
    return json.dumps({"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace or []})


def _trace(error: BaseException) -> list[str]:
    """The frames of the function itself."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    return traceback.format_list(own)


if __name__ == "__main__":
    sys.exit(main())
