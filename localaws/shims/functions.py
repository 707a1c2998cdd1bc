"""Corrections to moto's Lambda: functions run, without Docker, and keep what they are configured with."""

from __future__ import annotations

import base64
import json
import threading
from typing import Any

from localaws.gate import carried
from localaws.shims.invocation import run
from localaws.shims.patch import around

_LOG_TAIL_BYTES = 4096  # https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (LogType)
_VISIBLE = (("KMSKeyArn", "kms_key_arn"), ("TracingConfig", "tracing_config"))


def run_functions_as_processes() -> None:
    """Invoke runs the function; moto wants Docker for that, calls errors "Handled" and waits for an Event.

    https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    """
    from moto.awslambda.models import LambdaFunction

    @around(LambdaFunction, "invoke")
    def invoke(_original: Any, self: Any, body: str, request_headers: Any, response_headers: Any) -> bytes:
        kind = request_headers.get("x-amz-invocation-type", "RequestResponse")
        event = _parse(body)
        if kind == "DryRun":
            return b""
        if kind == "Event":
            threading.Thread(target=carried(run), args=(self, event), name="lambda", daemon=True).start()
            return b""
        answer, failed, log = run(self, event)
        if failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        response_headers["x-amz-log-result"] = base64.b64encode(log.encode()[-_LOG_TAIL_BYTES:]).decode()
        return answer.encode()

    @around(LambdaFunction, "_invoke_lambda")
    def invoke_for_a_service(_original: Any, self: Any, event: Any = None) -> tuple[str, bool, str]:
        return run(self, event)


def keep_what_functions_are_configured_with() -> None:
    """LoggingConfig is forgotten, an update forgets the key, tracing, storage, architecture; the VPC is made up.

    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
    """
    from moto.awslambda.models import LambdaFunction

    @around(LambdaFunction, "__init__")
    def initialize(original: Any, self: Any, account_id: str, spec: dict[str, Any], *rest: Any, **named: Any) -> None:
        original(self, account_id, spec, *rest, **named)
        _keep(self, spec)

    @around(LambdaFunction, "update_configuration")
    def update_configuration(original: Any, self: Any, config_updates: dict[str, Any]) -> Any:
        original(self, config_updates)
        _keep(self, config_updates)
        return self.get_configuration()

    @around(LambdaFunction, "update_function_code")
    def update_function_code(original: Any, self: Any, updated_spec: dict[str, Any]) -> Any:
        original(self, updated_spec)
        if architectures := updated_spec.get("Architectures"):
            self.architectures = architectures
        return self.get_configuration()

    @around(LambdaFunction, "get_configuration")
    def get_configuration(original: Any, self: Any, *, on_create: bool = False) -> dict[str, Any]:
        configuration: dict[str, Any] = original(self, on_create=on_create)
        configuration["LoggingConfig"] = _logging(self)
        if dead_letters := getattr(self, "dead_letter_config", None):
            configuration["DeadLetterConfig"] = dead_letters
        network = configuration.get("VpcConfig") or {}
        if subnets := network.get("SubnetIds"):
            network["VpcId"] = _vpc(self, subnets)
        return configuration


def _vpc(function: Any, subnets: list[str]) -> str:
    from moto.ec2.models import ec2_backends

    return str(ec2_backends[function.account_id][function.region].get_subnet(subnets[0]).vpc_id)


def _keep(function: Any, given: dict[str, Any]) -> None:
    for parameter, attribute in _VISIBLE:
        if parameter in given:
            setattr(function, attribute, given[parameter])
    if "EphemeralStorage" in given:
        function.ephemeral_storage = given["EphemeralStorage"]["Size"]
    if "LoggingConfig" in given:
        function.logging_config = given["LoggingConfig"]
        function.logs_group_name = _logging(function)["LogGroup"]
    if "DeadLetterConfig" in given:
        function.dead_letter_config = given["DeadLetterConfig"]


def _logging(function: Any) -> dict[str, Any]:
    defaults = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.function_name}"}
    return {**defaults, **getattr(function, "logging_config", {})}


def _parse(body: str) -> Any:
    from moto.awslambda.exceptions import LambdaClientError

    try:
        return json.loads(body) if body else {}
    except ValueError as error:
        text = f"Could not parse request body into json: {error}"
        raise LambdaClientError("InvalidRequestContentException", text) from error
