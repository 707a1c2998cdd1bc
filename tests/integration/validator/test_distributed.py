"""Whole runs on the embedded AWS: the tier's own state machine and function, two real servers behind TLS."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from compiler.assets import package_validator
from localaws.server import running
from settings.load import load
from templates.validation_workflow import workflow

ROOT = Path(__file__).parents[3]
ROLE = "arn:aws:iam::123456789012:role/role"
BUCKET, NAMESPACE = "payments-test-reports", "payments/test/validation"


@pytest.fixture(scope="module")
def aws() -> Iterator[Any]:
    """Clients of an account that has a bucket and a role."""
    keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "example"}
    with running() as endpoint:

        def client(service: str) -> Any:
            make: Any = boto3.client
            return make(service, region_name="us-east-1", endpoint_url=endpoint, **keys)

        client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")
        client("s3").create_bucket(Bucket=BUCKET)
        client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client


@pytest.fixture(scope="module")
def code() -> bytes:
    return package_validator(load(ROOT / "params", "dev", None, {}), ROOT).data


@dataclass
class Cloud:
    """One function and its state machine, for a pair of schemas."""

    aws: Any
    pair: Any
    function: str
    machine: str

    def start(self, **given: Any) -> str:
        states = self.aws("stepfunctions")
        return str(states.start_execution(stateMachineArn=self.machine, input=json.dumps(given))["executionArn"])

    def end(self, execution: str) -> dict[str, Any]:
        states = self.aws("stepfunctions")
        until = time.monotonic() + 120
        while (found := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
            assert time.monotonic() < until, "the execution never ended"
            time.sleep(0.02)
        return dict(found)

    def run(self, **given: Any) -> tuple[str | None, dict[str, Any]]:
        """The error that the execution ended with, and its report."""
        execution = self.start(**given)
        found = self.end(execution)
        return found.get("error"), self.report(given.get("run_id", execution.rpartition(":")[2]))

    def text(self, key: str) -> str:
        return str(self.aws("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read().decode())

    def report(self, run_id: str) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.text(f"runs/{run_id}/report.json"))
        return report

    def set(self, **variables: str) -> None:
        client = self.aws("lambda")
        known = client.get_function_configuration(FunctionName=self.function)["Environment"]["Variables"]
        client.update_function_configuration(
            FunctionName=self.function, Environment={"Variables": {**known, **variables}}
        )

    def parts(self, run_id: str) -> list[Any]:
        found = self.aws("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"work/{run_id}/parts/")
        return list(found.get("Contents", ()))

    def log(self) -> list[str]:
        events = self.aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{self.function}")["events"]
        return [event["message"] for event in events]


@pytest.fixture
def cloud(aws: Any, code: bytes, pair: Any, tls_servers: Any, certificates: Any) -> Iterator[Cloud]:
    variables = {
        "CARD_COLUMNS": "",
        "DEADLINE_SECONDS": "0",
        "HASH": "auto",
        "ITEM_ROWS": "100",
        "MAX_SHARE": "1",
        "METRIC_NAMESPACE": f"{NAMESPACE}/{pair.schema}",
        "REPORT_BUCKET": BUCKET,
        "SCHEMAS": pair.schema,
        "SETTLE_SECONDS": "0",
    }
    for server, front, side in zip((pair.source, pair.target), tls_servers, ("source", "target"), strict=True):
        server.run(f"CREATE ROLE v_{pair.schema} LOGIN PASSWORD 'first'; GRANT pg_read_all_data TO v_{pair.schema}")
        secret = {"username": f"v_{pair.schema}", "password": "first", "host": "127.0.0.1", "port": front.port}
        made = aws("secretsmanager").create_secret(
            Name=f"{side}-{pair.schema}", SecretString=json.dumps({**secret, "dbname": "postgres"})
        )
        variables |= {f"{side.upper()}_SECRET_ARN": made["ARN"], f"{side.upper()}_CA": str(certificates.ca)}
    name = f"validator-{pair.schema}"
    function = aws("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Architectures=["arm64"],
        Role=ROLE,
        Handler="validator.handler.handle",
        Code={"ZipFile": code},
        Timeout=60,
        Environment={"Variables": variables},
    )
    aws("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    definition = json.dumps(workflow(60, 2)).replace("${FunctionArn}", function["FunctionArn"])
    machine = aws("stepfunctions").create_state_machine(
        name=name, definition=definition.replace("${ReportBucket}", BUCKET), roleArn=ROLE
    )
    yield Cloud(aws, pair, name, machine["stateMachineArn"])
    for server in (pair.source, pair.target):
        server.run(f"DROP ROLE v_{pair.schema}")


def rows(first: int, last: int) -> str:
    return f"INSERT INTO t SELECT i, i, '{CARD}' FROM generate_series({first}, {last}) i; ANALYZE t"


CARD = "4111111111111111"
TABLE = "CREATE TABLE t (id int PRIMARY KEY, amount numeric(12,2), number text)"


def test_a_run_finds_exactly_what_differs_and_one_table_hides_no_other(cloud: Cloud) -> None:
    pair = cloud.pair
    cloud.set(CARD_COLUMNS="number")
    pair.on_both(f"{TABLE}; {rows(1, 350)}; CREATE TABLE equal (id int PRIMARY KEY); CREATE VIEW v AS SELECT 1")
    pair.on_target("DELETE FROM t WHERE id = 7; UPDATE t SET amount = 0 WHERE id IN (150, 349)")
    pair.on_target("INSERT INTO t VALUES (0, 0, NULL)")
    # Readable by its owner only: the run can say nothing of it.
    pair.on_both("CREATE TABLE hidden (id int); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY")
    error, report = cloud.run(settle_seconds=0)
    assert error == "Mismatch"
    assert (report["verdict"], report["compared"], report["mismatches"]) == ("FAIL", 3, 1)
    tables = {table["table"]: table for table in report["tables"]}
    assert {name: table["verdict"] for name, table in tables.items()} == {
        "equal": "PASS",
        "hidden": "INCONCLUSIVE",
        "t": "FAIL",
    }
    assert {kind: [key["id"] for key in tables["t"][kind]["keys"]] for kind in ("missing", "extra", "changed")} == {
        "missing": ["7"],
        "extra": ["0"],
        "changed": ["150", "349"],
    }
    assert "row-level security" in tables["hidden"]["reason"]
    folder = f"runs/{report['run_id']}"
    everything = "".join(
        cloud.text(entry["Key"])
        for prefix in (folder, f"work/{report['run_id']}")
        for entry in cloud.aws("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    )
    assert CARD not in everything
    assert "it holds card data, which is masked here: copy it from the source" in cloud.text(f"{folder}/repair.sql")
    assert "FAIL" in cloud.text(f"{folder}/report.md")
    assert "</html>" in cloud.text(f"{folder}/report.html")
    metrics = cloud.aws("cloudwatch").list_metrics(Namespace=f"{NAMESPACE}/{pair.schema}")["Metrics"]
    assert {"Mismatches", "Inconclusive", "ChangedRows", "PendingRows"} <= {metric["MetricName"] for metric in metrics}

    lines = [json.loads(line) for line in cloud.log() if line.startswith("{")]
    items = [line["item"] for line in lines if line["action"] == "compare"]
    assert sorted(items) == list(range(len(items)))
    assert len(items) >= 5, "more items than run at once"
    assert all(set(line) <= {*LOGGED, "action", "seconds"} for line in lines)
    # Another run is another proof.
    pair.on_target("DELETE FROM t WHERE id IN (0, 150, 349)")
    pair.on_target(f"INSERT INTO t VALUES (7, 7, '{CARD}'), (150, 150, '{CARD}'), (349, 349, '{CARD}')")
    error, report = cloud.run(tables=["t", "equal"])
    assert (error, report["verdict"], report["compared"]) == (None, "PASS", 2)


LOGGED = ("run_id", "attempt", "item", "done", "verdict", "tables", "items", "mismatches", "inconclusive")


# The TLS in front of the server cannot reach it either, meanwhile.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_server_that_is_killed_in_the_middle_is_waited_for(cloud: Cloud) -> None:
    cloud.pair.on_both(f"{TABLE}; {rows(1, 350)}")
    source = cloud.pair.source
    execution = cloud.start()
    run_id = execution.rpartition(":")[2]
    until = time.monotonic() + 120
    while not cloud.parts(run_id):
        assert time.monotonic() < until
        time.sleep(0.02)
    source.stop("immediate")
    while not [line for line in cloud.log() if "ConnectError" in line]:
        assert time.monotonic() < until
        time.sleep(0.02)
    source.start()
    found = cloud.end(execution)
    report = cloud.report(run_id)
    assert (found["status"], report["verdict"]) == ("SUCCEEDED", "PASS"), report["problems"]
    assert report["tables"][0]["rows"] == {"source": 350, "target": 350}


def test_a_run_that_was_stopped_is_taken_up_again(cloud: Cloud) -> None:
    cloud.pair.on_both(f"{TABLE}; {rows(1, 350)}")
    states = cloud.aws("stepfunctions")
    execution = cloud.start()
    run_id = execution.rpartition(":")[2]
    until = time.monotonic() + 120
    while not cloud.parts(run_id):
        assert time.monotonic() < until
        time.sleep(0.02)
    states.stop_execution(executionArn=execution)
    assert cloud.end(execution)["status"] == "ABORTED"
    error, report = cloud.run(run_id=run_id)
    assert (error, report["verdict"]) == (None, "PASS")
    assert report["run_id"] == run_id
    assert report["tables"][0]["rows"] == {"source": 350, "target": 350}
