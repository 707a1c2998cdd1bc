"""The validation tier's own state machine and function, run for real."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from compiler.assets import package_validator
from localaws.server import running
from settings.load import load

_ROOT = Path(__file__).parents[3]
_ROLE = "arn:aws:iam::123456789012:role/role"
_TIER = json.loads((_ROOT / "tests/golden/dev/validation.template.json").read_text())["Resources"]
# In the function's place: the answers that the machine is to judge.
_STAND_IN = """
def handle(event, context):
    if event["action"] == "plan":
        return {"run_id": "r", "tables": [{"schema": "public", "table": name} for name in "abcdef"], "skipped": []}
    if event["action"] == "compare":
        assert event["run_id"] == "r"
        return {"run_id": "r", **event["table"], "verdict": "PASS"}
    names = sorted(result["table"] for result in event["results"])
    assert names == list("abcdef"), names
    return {"run_id": "r", "verdict": VERDICT, "mismatches": MISMATCHES}
"""


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "example"}
    with running() as endpoint:
        yield lambda service: boto3.client(service, region_name="us-east-1", endpoint_url=endpoint, **keys)


def _make(client: Any, name: str, code: bytes, handler: str, variables: dict[str, str]) -> str:
    if not client("iam").list_roles()["Roles"]:
        client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")
    properties = _TIER["Function"]["Properties"]
    return client("lambda").create_function(
        FunctionName=name,
        Runtime=properties["Runtime"],
        Architectures=properties["Architectures"],
        Role=_ROLE,
        Handler=handler,
        Code={"ZipFile": code},
        Timeout=60,
        Environment={"Variables": variables},
    )["FunctionArn"]


def _run(client: Any, function: str, name: str) -> dict[str, Any]:
    definition = _TIER["StateMachine"]["Properties"]["DefinitionString"].replace("${FunctionArn}", function)
    machines = client("stepfunctions")
    machine = machines.create_state_machine(name=name, definition=definition, roleArn=_ROLE)["stateMachineArn"]
    execution = machines.start_execution(stateMachineArn=machine)["executionArn"]
    until = time.monotonic() + 120
    while (found := machines.describe_execution(executionArn=execution))["status"] == "RUNNING":
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


@pytest.mark.parametrize(
    ("verdict", "mismatches", "status", "error"),
    [
        ("PASS", 0, "SUCCEEDED", None),
        ("FAIL", 2, "FAILED", "Mismatch"),
        ("INCONCLUSIVE", 0, "FAILED", "Inconclusive"),
    ],
)
def test_a_run_maps_over_the_tables_and_is_judged(
    client: Any, verdict: str, mismatches: int, status: str, error: str | None
) -> None:
    source = _STAND_IN.replace("VERDICT", repr(verdict)).replace("MISMATCHES", str(mismatches))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("code.py", source)
    name = f"stand-in-{verdict.lower()}"
    found = _run(client, _make(client, name, buffer.getvalue(), "code.handle", {}), name)
    assert (found["status"], found.get("error")) == (status, error), found
    history = client("stepfunctions").get_execution_history(executionArn=found["executionArn"], maxResults=1000)[
        "events"
    ]
    kinds = [event["type"] for event in history]
    assert kinds.count("MapIterationSucceeded") == 6
    assert kinds.count("TaskSucceeded") == 8


def test_the_validator_itself_runs_and_says_what_it_cannot_reach(client: Any) -> None:
    code = package_validator(load(_ROOT / "params", "dev", None, {}), _ROOT).data
    secrets = {}
    for side in ("SOURCE", "TARGET"):
        text = json.dumps(
            {"username": "u", "password": "not-secret", "host": "127.0.0.1", "port": 1, "dbname": "payments"}
        )
        secrets[f"{side}_SECRET_ARN"] = client("secretsmanager").create_secret(Name=side, SecretString=text)["ARN"]
    variables = {
        name: value
        for name, value in _TIER["Function"]["Properties"]["Environment"]["Variables"].items()
        if isinstance(value, str)
    }
    arn = _make(client, "validator", code, _TIER["Function"]["Properties"]["Handler"], variables | secrets)
    answer = client("lambda").invoke(FunctionName=arn, Payload=b'{"action": "plan"}')
    problem = json.loads(answer["Payload"].read())
    assert answer["FunctionError"] == "Unhandled"
    assert problem["errorType"] == "ConnectError"
    assert "127.0.0.1:1" in problem["errorMessage"]
    assert "not-secret" not in str(problem)
    found = _run(client, arn, "validation")
    assert (found["status"], found["error"]) == ("FAILED", "ConnectError")
    assert "127.0.0.1:1" in found["cause"]
