"""The Lambda function's steps as the state machine calls them: real servers behind TLS, stubbed AWS clients."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from validator import aws, handler
from validator.compare import Sides
from validator.errors import AuthenticationError, ConnectError, UsageError

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:{}"


class Context:
    def __init__(self, milliseconds: int = 300000) -> None:
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds


class Stubs:
    """A stubbed client per service; `validator.aws.client` gives these out."""

    def __init__(self) -> None:
        self.clients: dict[str, Any] = {}
        self.stubbers: dict[str, Stubber] = {}
        for service in ("secretsmanager", "s3", "cloudwatch"):
            make: Any = boto3.client
            client = make(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
            self.clients[service] = client
            self.stubbers[service] = Stubber(client)
            self.stubbers[service].activate()

    def secret(self, side: str, **values: Any) -> None:
        self.stubbers["secretsmanager"].add_response(
            "get_secret_value", {"SecretString": json.dumps(values)}, {"SecretId": ARN.format(side)}
        )

    def done(self) -> None:
        for stubber in self.stubbers.values():
            stubber.assert_no_pending_responses()


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> Stubs:
    stubs = Stubs()
    monkeypatch.setattr(aws, "client", stubs.clients.__getitem__)
    monkeypatch.setattr(handler, "_endpoints", {})
    return stubs


@pytest.fixture
def system(pair: Any, tls_servers: Any, certificates: Any, stubs: Stubs, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Everything that a deployed function finds: a user of its own, secrets, environment."""
    for server, front, side in zip((pair.source, pair.target), tls_servers, ("source", "target"), strict=True):
        server.run(f"CREATE ROLE v_{pair.schema} LOGIN PASSWORD 'first'; GRANT pg_read_all_data TO v_{pair.schema}")
        stubs.secret(
            side,
            username=f"v_{pair.schema}",
            password="first",
            host="127.0.0.1",
            port=front.port,
            dbname="postgres",
            engine="postgres",
        )
        monkeypatch.setenv(f"{side.upper()}_SECRET_ARN", ARN.format(side))
        monkeypatch.setenv(f"{side.upper()}_CA", str(certificates.ca))
    monkeypatch.setenv("SCHEMAS", pair.schema)
    monkeypatch.setenv("REPORT_BUCKET", "payments-test-reports")
    monkeypatch.setenv("METRIC_NAMESPACE", "payments/test/validation")
    yield pair
    for server in (pair.source, pair.target):
        server.run(f"DROP ROLE v_{pair.schema}")


def test_a_run_from_plan_to_report(system: Any, stubs: Stubs, capsys: pytest.CaptureFixture[str]) -> None:
    system.on_both("CREATE TABLE a (id int); CREATE TABLE b (card text); INSERT INTO b VALUES ('4111111111111111')")
    system.on_source("CREATE TABLE only_here (id int); CREATE VIEW v AS SELECT 1")
    system.on_target("INSERT INTO a VALUES (1)")

    plan = handler.handle({"action": "plan"}, Context())
    run_id = plan["run_id"]
    assert plan["tables"] == [{"schema": system.schema, "table": name} for name in ("a", "b", "only_here")]
    assert plan["skipped"] == [{"schema": system.schema, "name": "v", "kind": "view"}]

    results = [
        handler.handle({"action": "compare", "run_id": run_id, "table": table}, Context()) for table in plan["tables"]
    ]
    assert [(result["table"], result["verdict"]) for result in results] == [
        ("a", "FAIL"),
        ("b", "PASS"),
        ("only_here", "FAIL"),
    ]
    assert results[0]["rows"] == {"source": 0, "target": 1}
    assert set(results[0]) == {"run_id", "schema", "table", "verdict", "rows", "checksum", "reason", "notes"}

    key = f"runs/{run_id}/report.json"
    stubs.stubbers["s3"].add_response(
        "put_object",
        {},
        {"Bucket": "payments-test-reports", "Key": key, "Body": ANY, "ContentType": "application/json"},
    )
    stubs.stubbers["cloudwatch"].add_response(
        "put_metric_data",
        {},
        {
            "Namespace": "payments/test/validation",
            "MetricData": [
                {"MetricName": "Mismatches", "Value": 2, "Unit": "Count"},
                {"MetricName": "TablesCompared", "Value": 3, "Unit": "Count"},
                {"MetricName": "Inconclusive", "Value": 0, "Unit": "Count"},
            ],
        },
    )
    answer = handler.handle({"action": "summarise", "run_id": run_id, "results": results}, Context())
    assert answer == {
        "run_id": run_id,
        "verdict": "FAIL",
        "mismatches": 2,
        "inconclusive": 0,
        "tables": 3,
        "report_key": key,
    }
    stubs.done()
    log = capsys.readouterr().out
    assert "4111111111111111" not in log + json.dumps(results)
    assert [json.loads(line)["action"] for line in log.splitlines()] == [
        "plan",
        "compare",
        "compare",
        "compare",
        "summarise",
    ]
    assert json.loads(log.splitlines()[2])["verdict"] == "PASS"


def test_the_report_holds_what_the_plan_left_out_and_what_never_came_back(
    stubs: Stubs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORT_BUCKET", "b")
    monkeypatch.setenv("METRIC_NAMESPACE", "n")
    written: dict[str, Any] = {}

    def keep(storage: Any, bucket: str, report: dict[str, Any]) -> str:
        written.update(report)
        return "key"

    monkeypatch.setattr(aws, "write_report", keep)
    stubs.stubbers["cloudwatch"].add_response("put_metric_data", {}, {"Namespace": "n", "MetricData": ANY})
    answer = handler.handle(
        {
            "action": "summarise",
            "run_id": "r",
            "results": [],
            "tables": [{"schema": "s", "table": "t"}],
            "skipped": [{"schema": "s", "name": "v", "kind": "view"}],
        },
        Context(),
    )
    assert answer["verdict"] == "INCONCLUSIVE"
    assert written["skipped"] == [{"schema": "s", "name": "v", "kind": "view"}]
    assert "s.t: 0 results for 1 planned comparisons" in written["problems"]


def test_a_rotated_password_is_read_anew(system: Any, stubs: Stubs, tls_servers: Any) -> None:
    handler.handle({"action": "plan"}, Context())
    for server, front, side in zip((system.source, system.target), tls_servers, ("source", "target"), strict=True):
        server.run(f"ALTER ROLE v_{system.schema} PASSWORD 'second'")
        stubs.secret(
            side, username=f"v_{system.schema}", password="second", host="127.0.0.1", port=front.port, dbname="postgres"
        )
    assert handler.handle({"action": "plan"}, Context())["tables"] == []
    # And kept: no third reading.
    assert handler.handle({"action": "plan"}, Context())["tables"] == []
    stubs.done()


def test_a_password_that_stays_wrong_is_an_error(system: Any, stubs: Stubs, tls_servers: Any) -> None:
    system.source.run(f"ALTER ROLE v_{system.schema} PASSWORD 'other'")
    for front, side in zip(tls_servers, ("source", "target"), strict=True):
        stubs.secret(
            side, username=f"v_{system.schema}", password="first", host="127.0.0.1", port=front.port, dbname="postgres"
        )
    with pytest.raises(AuthenticationError, match="the source database 'postgres'"):
        handler.handle({"action": "plan"}, Context())


def test_a_server_that_is_not_the_one_is_refused(
    system: Any, certificates: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_CA", str(certificates.other_ca))
    with pytest.raises(ConnectError, match="the certificate of the target .* is not to be trusted"):
        handler.handle({"action": "plan"}, Context())


def test_a_schema_of_neither_side_is_an_error(system: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCHEMAS", f"{system.schema},nowhere")
    with pytest.raises(UsageError, match="neither database has a schema nowhere"):
        handler.handle({"action": "plan"}, Context())


def test_the_statement_timeout_ends_before_the_function(system: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    timeouts = []

    def recorded(source: Any, target: Any, timeout_seconds: int) -> Any:
        timeouts.append(timeout_seconds)
        return Sides(source, target, timeout_seconds)

    monkeypatch.setattr(handler, "Sides", recorded)
    handler.handle({"action": "plan"}, Context(900000))
    handler.handle({"action": "plan"}, Context(3000))
    assert timeouts == [885, 1]
