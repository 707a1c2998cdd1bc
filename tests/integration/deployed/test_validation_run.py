"""The deployed state machine on two real servers: what stands in the account proves and disproves by itself."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack

import pytest

from tests.integration.validator.conftest import (  # noqa: F401 - fixtures
    certificates,
    cluster,
    programs,
    servers,
    tls_servers,
)

TABLES = """
CREATE TABLE payments (id bigint PRIMARY KEY, amount numeric(12,2) NOT NULL);
INSERT INTO payments SELECT i, i FROM generate_series(1, 300) i;
CREATE TABLE notes (text text);
INSERT INTO notes VALUES ('a'), ('a');
ANALYZE;
"""


@pytest.fixture(scope="module")
def configuration(deployed):
    """The function's configuration, which is put back in the end, as are the secrets."""
    function, secrets = deployed.client("lambda"), deployed.client("secretsmanager")
    name = deployed["Validation.FunctionName"]
    found = function.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    with ExitStack() as undo:
        undo.callback(function.update_function_configuration, FunctionName=name, Environment={"Variables": found})
        for arn in (found["SOURCE_SECRET_ARN"], found["TARGET_SECRET_ARN"]):
            text = secrets.get_secret_value(SecretId=arn)["SecretString"]
            undo.callback(secrets.put_secret_value, SecretId=arn, SecretString=text)
        yield found


@pytest.fixture
def system(deployed, configuration, servers, tls_servers, certificates):  # noqa: F811 - fixtures
    """Both databases in their places, which the function reaches as ever: by the secrets, verified by a CA."""
    secrets = deployed.client("secretsmanager")
    variables = {**configuration, "ITEM_ROWS": "100", "SETTLE_SECONDS": "0", "DEADLINE_SECONDS": "0"}
    for server, front, side in zip(servers, tls_servers, ("SOURCE", "TARGET"), strict=True):
        server.run("CREATE ROLE validator LOGIN PASSWORD 'first'; GRANT pg_read_all_data TO validator")
        server.run(TABLES)
        told = {"username": "validator", "password": "first", "host": "127.0.0.1", "port": front.port}
        secrets.put_secret_value(
            SecretId=configuration[f"{side}_SECRET_ARN"], SecretString=json.dumps({**told, "dbname": "postgres"})
        )
        variables[f"{side}_CA"] = str(certificates.ca)
    deployed.client("lambda").update_function_configuration(
        FunctionName=deployed["Validation.FunctionName"], Environment={"Variables": variables}
    )
    yield servers
    for server in servers:
        server.run("DROP TABLE payments, notes; DROP ROLE validator")


def run(deployed, **given):
    """How the execution ended, and its report."""
    states = deployed.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=deployed["Validation.StateMachineArn"], input=json.dumps(given))[
        "executionArn"
    ]
    deadline = time.monotonic() + 240
    while (found := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        assert time.monotonic() < deadline, "the execution never ended"
        time.sleep(0.05)
    key = f"runs/{execution.rpartition(':')[2]}/report.json"
    body = deployed.client("s3").get_object(Bucket=deployed["Validation.ReportBucketName"], Key=key)["Body"].read()
    return found.get("error", found["status"]), json.loads(body)


@pytest.mark.mutating
def test_equal_databases_pass_and_a_row_that_differs_is_found(deployed, system):
    ended, report = run(deployed)
    assert (ended, report["verdict"], report["compared"]) == ("SUCCEEDED", "PASS", 2), report
    # What the alarms of the cutover read, in the namespace that they look into.
    metrics = deployed.client("cloudwatch").list_metrics(Namespace=deployed["Validation.MetricNamespace"])["Metrics"]
    assert {"Mismatches", "Inconclusive", "TablesCompared", "RowsCompared"} <= {m["MetricName"] for m in metrics}
    assert not [metric for metric in metrics if metric["Dimensions"]]

    system[1].run("UPDATE payments SET amount = 0 WHERE id = 250")
    ended, report = run(deployed, incremental=True)
    assert (ended, report["verdict"]) == ("Mismatch", "FAIL")
    (payments,) = [table for table in report["tables"] if table["table"] == "payments"]
    assert payments["mode"] == "incremental"
    assert [key["id"] for key in payments["changed"]["keys"]] == ["250"]
