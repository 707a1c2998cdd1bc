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
_BUCKET = "payments-test-reports"
# In the function's place: two items of work, of which the second takes two calls, and the answer that is to be judged.
_STAND_IN = """
import json

def handle(event, context):
    if event["action"] == "plan":
        import boto3
        assert event["input"] == {"settle_seconds": 0}, event
        items = [{"item": item, "lots": [[item, 0, 1]]} for item in range(2)]
        boto3.client("s3").put_object(Bucket="BUCKET", Key="work/r/items.json", Body=json.dumps(items))
        return {"run_id": "r", "attempt": event["execution"], "done": True, "items": 2, "items_key": "work/r/items.json",
                "few": items if FEW else [], **CONCLUSION}
    assert event["run_id"] == "r", event
    if event["action"] == "compare":
        assert event["attempt"] and event["item"]["lots"] == [[event["item"]["item"], 0, 1]], event
        return {"done": event["item"]["item"] == 0 or "answer" in event}
    assert event == {"action": "conclude", "run_id": "r"}, event
    return {"run_id": "r", "verdict": VERDICT, "mismatches": MISMATCHES}
"""


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "example"}
    with running() as endpoint:

        def client(service: str) -> Any:
            return boto3.client(service, region_name="us-east-1", endpoint_url=endpoint, **keys)

        client("s3").create_bucket(Bucket=_BUCKET)
        yield client


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
        Timeout=properties["Timeout"],
        Environment={"Variables": variables},
    )["FunctionArn"]


def _run(client: Any, function: str, name: str) -> dict[str, Any]:
    definition = _TIER["StateMachine"]["Properties"]["DefinitionString"]
    definition = definition.replace("${FunctionArn}", function).replace("${ReportBucket}", _BUCKET)
    machines = client("stepfunctions")
    machine = machines.create_state_machine(name=name, definition=definition, roleArn=_ROLE)["stateMachineArn"]
    execution = machines.start_execution(stateMachineArn=machine, input='{"settle_seconds": 0}')["executionArn"]
    until = time.monotonic() + 120
    while (found := machines.describe_execution(executionArn=execution))["status"] == "RUNNING":
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


@pytest.mark.parametrize(
    ("verdict", "mismatches", "taken", "status", "error"),
    [
        ("PASS", 0, "from S3", "SUCCEEDED", None),
        ("FAIL", 2, "few", "FAILED", "Mismatch"),
        ("INCONCLUSIVE", 0, "from S3", "FAILED", "Inconclusive"),
        ("PASS", 0, "at once", "SUCCEEDED", None),
        ("FAIL", 1, "at once", "FAILED", "Mismatch"),
    ],
)
def test_a_run_maps_over_the_items_and_is_judged(
    client: Any, verdict: str, mismatches: int, taken: str, status: str, error: str | None
) -> None:
    source = _STAND_IN.replace("VERDICT", repr(verdict)).replace("MISMATCHES", str(mismatches))
    conclusion = {"verdict": verdict, "mismatches": mismatches} if taken == "at once" else {}
    source = source.replace("FEW", str(taken == "few")).replace("CONCLUSION", repr(conclusion))
    source = source.replace("BUCKET", _BUCKET)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("code.py", source)
    name = f"stand-in-{verdict.lower()}-{taken.replace(' ', '-')}"
    found = _run(client, _make(client, name, buffer.getvalue(), "code.handle", {}), name)
    assert (found["status"], found.get("error")) == (status, error), found
    log = client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    calls = [event["message"] for event in log if event["message"].startswith("START")]
    # The plan, an item that is done by one call and one that is not, the conclusion.
    assert len(calls) == (1 if taken == "at once" else 1 + 3 + 1)


def test_the_validator_itself_runs_and_says_what_it_cannot_reach(client: Any) -> None:
    code = package_validator(load(_ROOT / "params", "dev", None, {}), _ROOT).data
    secrets = {}
    for side in ("SOURCE", "TARGET"):
        text = json.dumps(
            {"username": "u", "password": "not-secret", "host": "127.0.0.1", "port": 1, "dbname": "payments"}
        )
        secrets[f"{side}_SECRET_ARN"] = client("secretsmanager").create_secret(Name=side, SecretString=text)["ARN"]
    variables = {"REPORT_BUCKET": _BUCKET} | {
        name: value
        for name, value in _TIER["Function"]["Properties"]["Environment"]["Variables"].items()
        if isinstance(value, str)
    }
    arn = _make(client, "validator", code, _TIER["Function"]["Properties"]["Handler"], variables | secrets)
    answer = client("lambda").invoke(FunctionName=arn, Payload=b'{"action": "plan", "execution": "e", "input": {}}')
    problem = json.loads(answer["Payload"].read())
    assert answer["FunctionError"] == "Unhandled"
    assert problem["errorType"] == "ConnectError"
    assert "127.0.0.1:1" in problem["errorMessage"]
    assert "not-secret" not in str(problem)
    found = _run(client, arn, "validation")
    assert (found["status"], found["error"]) == ("FAILED", "ConnectError")
    assert "127.0.0.1:1" in found["cause"]
