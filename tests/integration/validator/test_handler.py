"""The Lambda function's steps as the state machine calls them: real servers behind TLS, the embedded AWS's services."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from validator import aws, handler, sessions
from validator.errors import AuthenticationError, ConnectError, ConnectionLostError, UsageError
from validator.sides import Sides
from validator.work import Item

BUCKET, NAMESPACE = "payments-test-reports", "payments/test/validation"
CARD = "4111111111111111"


class Context:
    def __init__(self, milliseconds: int = 300000) -> None:
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds


@dataclass
class System:
    """Everything that a deployed function finds: users of its own, secrets, environment, a bucket."""

    pair: Any
    fronts: Any

    def secret(self, place: int, **changes: Any) -> str:
        side = ("source", "target")[place]
        given = {
            "username": f"v_{self.pair.schema}",
            "password": "first",
            "host": "127.0.0.1",
            "port": self.fronts[place].port,
            "dbname": "postgres",
            "engine": "postgres",
        }
        secrets = boto3.client("secretsmanager")
        text = json.dumps({**given, **changes})
        if any(secret["Name"] == side for secret in secrets.list_secrets()["SecretList"]):
            return str(secrets.put_secret_value(SecretId=side, SecretString=text)["ARN"])
        return str(secrets.create_secret(Name=side, SecretString=text)["ARN"])

    def plan(self, context: Context | None = None, execution: str = "run", **given: Any) -> dict[str, Any]:
        event = {"action": "plan", "execution": execution, "input": given}
        return handler.handle(event, context or Context())

    def items(self, plan: dict[str, Any]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = json.loads(self.text(plan["items_key"]))
        return items

    def compare(self, plan: dict[str, Any], item: Any, context: Context | None = None) -> dict[str, Any]:
        event = {"action": "compare", "run_id": plan["run_id"], "attempt": plan["attempt"], "item": item}
        return handler.handle(event, context or Context())

    def conclude(self, run_id: str = "run") -> dict[str, Any]:
        return handler.handle({"action": "conclude", "run_id": run_id}, Context())

    def hang_up(self) -> None:
        """As when Lambda begins a new process."""
        while sessions._idle:
            sessions._idle.pop().end()

    def text(self, key: str) -> str:
        return str(boto3.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read().decode())


@pytest.fixture
def system(pair: Any, tls_servers: Any, certificates: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    monkeypatch.setattr(sessions, "_endpoints", {})
    monkeypatch.setattr(sessions, "_idle", [])
    aws.client.cache_clear()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "example")
    settings = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "CARD_COLUMNS": "",
        "DEADLINE_SECONDS": "0",
        "HASH": "auto",
        "ITEM_ROWS": "1000",
        "MAX_SHARE": "1",
        "METRIC_NAMESPACE": NAMESPACE,
        "REPORT_BUCKET": BUCKET,
        "SCHEMAS": pair.schema,
        "SETTLE_SECONDS": "0",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        system = System(pair, tls_servers)
        for place, (server, side) in enumerate(((pair.source, "SOURCE"), (pair.target, "TARGET"))):
            server.run(f"CREATE ROLE v_{pair.schema} LOGIN PASSWORD 'first'; GRANT pg_read_all_data TO v_{pair.schema}")
            monkeypatch.setenv(f"{side}_SECRET_ARN", system.secret(place))
            monkeypatch.setenv(f"{side}_CA", str(certificates.ca))
        yield system
    aws.client.cache_clear()
    system.hang_up()
    for server in (pair.source, pair.target):
        server.run(f"DROP ROLE v_{pair.schema}")


def metrics() -> dict[str, tuple[float, str]]:
    found = {}
    cloudwatch = boto3.client("cloudwatch")
    for metric in cloudwatch.list_metrics(Namespace=NAMESPACE)["Metrics"]:
        assert metric["Dimensions"] == []
        (point,) = cloudwatch.get_metric_statistics(
            Namespace=NAMESPACE,
            MetricName=metric["MetricName"],
            StartTime="2020-01-01",
            EndTime="2120-01-01",
            Period=86400 * 365 * 100,
            Statistics=["Sum"],
        )["Datapoints"]
        found[metric["MetricName"]] = point["Sum"], point["Unit"]
    return found


def test_a_run_from_plan_to_report(
    system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = system.pair
    monkeypatch.setenv("CARD_COLUMNS", "number")
    pair.on_both(f"CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (number text); INSERT INTO b VALUES ('{CARD}')")
    pair.on_source("CREATE TABLE only_here (id int); CREATE VIEW v AS SELECT 1")
    pair.on_target(f"INSERT INTO a VALUES (987654321); INSERT INTO b VALUES ('{CARD[:-1]}2')")

    plan = system.plan()
    assert plan == {
        "run_id": "run",
        "attempt": "run",
        "done": True,
        "items": 2,
        "tables": 3,
        "items_key": "work/run/items.json",
        "few": system.items(plan),
    }
    for item in system.items(plan):
        answer = system.compare(plan, item)
        assert answer == {"run_id": "run", "attempt": "run", "item": item, "done": True}
    answer = system.conclude()
    assert answer == {
        "run_id": "run",
        "verdict": "FAIL",
        "mismatches": 3,
        "inconclusive": 0,
        "tables": 3,
        "report_key": "runs/run/report.json",
    }
    report = json.loads(system.text(answer["report_key"]))
    assert [(table["table"], table["verdict"]) for table in report["tables"]] == [
        ("a", "FAIL"),
        ("b", "FAIL"),
        ("only_here", "FAIL"),
    ]
    assert report["skipped"] == [{"schema": pair.schema, "name": "v", "kind": "view"}]
    assert "FAIL" in system.text("runs/run/report.md")
    assert "</html>" in system.text("runs/run/report.html")
    assert "DELETE FROM" in system.text("runs/run/repair.sql")
    seconds, unit = metrics()["DurationSeconds"]
    assert seconds == report["seconds"] > 0
    assert unit == "Seconds"
    counts = {name: value for name, (value, unit) in metrics().items() if unit == "Count"}
    assert counts == {
        "Mismatches": 3,
        "Inconclusive": 0,
        "TablesCompared": 3,
        "RowsCompared": 1,
        "MissingRows": 0,
        "ExtraRows": 2,
        "ChangedRows": 0,
        "PendingRows": 0,
    }

    log = capsys.readouterr().out
    assert [json.loads(line)["action"] for line in log.splitlines()] == ["plan", "compare", "compare", "conclude"]
    assert json.loads(log.splitlines()[1])["item"] == 0
    everything = log + "".join(
        system.text(entry["Key"]) for entry in boto3.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
    )
    assert CARD not in everything
    assert "411111••••••1112" in everything
    assert "987654321" not in log, "keys of rows are not logged either"


def test_a_run_that_finds_nothing_says_that_there_is_nothing_to_mend(system: System) -> None:
    plan = system.plan()
    assert plan["items"] == 0
    assert system.conclude()["verdict"] == "INCONCLUSIVE", "nothing was compared"
    assert system.text("runs/run/repair.sql").startswith("-- This run found nothing")


def test_what_is_small_is_compared_and_concluded_by_the_call_that_plans_it(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    system.pair.on_both("CREATE TABLE a (id int PRIMARY KEY)")
    system.pair.on_source("INSERT INTO a VALUES (1)")
    answer = system.plan()
    assert (answer["done"], answer["items"], answer["few"]) == (True, 1, system.items(answer))
    concluded = {key: answer[key] for key in ("verdict", "mismatches", "inconclusive", "tables", "report_key")}
    assert concluded == {
        "verdict": "FAIL",
        "mismatches": 1,
        "inconclusive": 0,
        "tables": 1,
        "report_key": "runs/run/report.json",
    }
    assert json.loads(system.text(answer["report_key"]))["tables"][0]["missing"]["count"] == 1
    assert metrics()["Mismatches"] == (1, "Count")
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) | {"action": "plan", "verdict": "FAIL"} == json.loads(line)
    assert system.conclude() == {"run_id": "run", **concluded}, "all of it is kept"


def test_what_is_small_is_left_to_the_state_machine_where_the_call_has_no_time_for_it(system: System) -> None:
    system.pair.on_both("CREATE TABLE a (id int PRIMARY KEY)")
    answer = system.plan(Context(15900))
    assert (answer["done"], answer["few"], "verdict" in answer) == (True, system.items(answer), False)


def test_what_a_lost_connection_cuts_short_is_left_to_the_state_machine(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.pair.on_both("CREATE TABLE a (id int PRIMARY KEY)")

    def lost(*_: Any) -> Any:
        raise ConnectionLostError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(Item, "advance", lost)
        plan = system.plan()
    assert (plan["done"], plan["few"], "verdict" in plan) == (True, system.items(plan), False)
    assert "verdict" not in system.plan(), "a second call does not know why the first one ended"
    assert system.compare(plan, system.items(plan)[0])["done"]
    assert system.conclude()["verdict"] == "PASS"


def test_sessions_stay_open_from_call_to_call_until_the_server_ends_them(system: System) -> None:
    def processes() -> list[Any]:
        return [
            server.run(f"SELECT pid FROM pg_stat_activity WHERE usename = 'v_{system.pair.schema}'")
            for server in (system.pair.source, system.pair.target)
        ]

    system.plan()
    before = processes()
    system.plan(execution="second")
    assert processes() == before
    for server, ((pid,),) in zip((system.pair.source, system.pair.target), before, strict=True):
        server.run(f"SELECT pg_terminate_backend({pid}, 60000)")
        assert system.plan(execution=f"after-{pid}")["done"]
    after = processes()
    assert [len(side) for side in after] == [1, 1]
    assert not {pid for ((pid,),) in before} & {pid for ((pid,),) in after}
    with pytest.raises(UsageError):
        system.plan(execution="third", tables=["nowhere"])
    assert sessions._idle == [], "nothing that an error leaves behind is used again"


def test_rows_are_read_no_faster_than_the_share_allows(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    timeouts: list[int] = []
    naps: list[float] = []
    renew = Sides.renew

    def recorded(sides: Sides, statement_seconds: int) -> None:
        timeouts.append(statement_seconds)
        renew(sides, statement_seconds)

    system.pair.on_both("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)")
    monkeypatch.setattr(Sides, "renew", recorded)
    monkeypatch.setattr("validator.compare.time.sleep", naps.append)
    system.plan(Context(915000))
    system.plan(Context(3000), execution="short")
    monkeypatch.setenv("MAX_SHARE", "0.25")
    spared = system.plan(Context(915000), execution="spared")
    hurried = system.plan(Context(915000), execution="hurried", max_share_percent=100)
    naps.clear()
    for plan in (spared, hurried):
        system.compare(plan, system.items(plan)[0], Context(915000))
    # A third of the call, and of that the share; never nothing at all, for that would be no limit.
    assert timeouts == [300, 1, 75, 300, 75, 300]
    assert len(naps) == 1, "after the only slice of the one that spares the source"
    assert naps[0] > 0


def test_a_call_that_is_short_of_time_says_that_it_is_not_done(system: System) -> None:
    system.pair.on_both("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)")
    short = Context(1000)
    known = {"items": 0, "tables": 0, "few": []}
    assert system.plan(short) | {"done": True} == {**system.plan(short), **known, "done": True}
    plan = system.plan(short)
    assert (plan["done"], plan["tables"]) == (True, 2)
    answers = [system.compare(plan, item, short)["done"] for item in system.items(plan)]
    assert answers == [True, True], "what begins a call is done whatever the time"
    assert system.conclude()["verdict"] == "PASS"


def test_what_an_execution_gave_up_is_in_the_report_and_can_be_taken_up(system: System) -> None:
    system.pair.on_both("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)")
    plan = system.plan()
    item, other = system.items(plan)
    system.compare(plan, other)
    event = {"run_id": "run", "attempt": "run", "item": item}
    answer = handler.handle({"action": "abandon", **event, "error": "Sandbox.Timedout"}, Context())
    assert answer == {**event, "done": True}
    assert system.conclude()["verdict"] == "INCONCLUSIVE"
    report = json.loads(system.text("runs/run/report.json"))
    assert report["tables"][0]["reason"] == (
        "item 0 of the run was not finished: the comparison ended with Sandbox.Timedout"
    )
    again = system.plan(execution="second", run_id="run", tables=["other"])
    assert (again["run_id"], again["attempt"], again["tables"]) == ("run", "second", 2)
    assert system.compare(again, item)["done"]
    assert system.conclude()["verdict"] == "PASS"


def test_a_run_that_is_gone_cannot_be_taken_up(system: System) -> None:
    with pytest.raises(UsageError, match=r"there is no run gone to take up \(its work expires: start a new one\)"):
        system.plan(run_id="gone")
    with pytest.raises(UsageError, match=r"run gone has no plan \(start a new run\)"):
        system.compare({"run_id": "gone", "attempt": "a"}, {"item": 0, "lots": []})


@pytest.mark.parametrize("given", [{"settle_seconds": 250}, {"deadline_seconds": 286}])
def test_rows_cannot_be_watched_for_longer_than_a_call(system: System, given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"rows are to be watched for \d+ s, and a call of the function has 2\d\d \("):
        system.plan(Context(275000 if "settle_seconds" in given else 300000), **given)


def test_a_rotated_password_is_read_anew(system: System) -> None:
    system.plan()
    for place, server in enumerate((system.pair.source, system.pair.target)):
        server.run(f"ALTER ROLE v_{system.pair.schema} PASSWORD 'second'")
        system.secret(place, password="second")
    system.hang_up()
    assert system.plan(execution="second")["done"]
    # And kept: the secret is not read a third time.
    system.secret(0, password="third")
    system.hang_up()
    assert system.plan(execution="third")["done"]


def test_a_password_that_stays_wrong_is_an_error(system: System) -> None:
    system.pair.source.run(f"ALTER ROLE v_{system.pair.schema} PASSWORD 'other'")
    with pytest.raises(AuthenticationError, match="the source database 'postgres'"):
        system.plan()


def test_a_server_that_is_not_the_one_is_refused(
    system: System, certificates: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TARGET_CA", str(certificates.other_ca))
    with pytest.raises(ConnectError, match="the certificate of the target .* is not to be trusted"):
        system.plan()


def test_a_schema_of_neither_side_is_an_error(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCHEMAS", f"{system.pair.schema},nowhere")
    with pytest.raises(UsageError, match="neither database has a schema nowhere"):
        system.plan()


def test_a_table_of_neither_side_is_an_error(system: System) -> None:
    with pytest.raises(UsageError, match=r"neither database has a table nowhere"):
        system.plan(tables=["nowhere"])


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MAX_SHARE", "0", "the environment variable MAX_SHARE is 0, not above 0 and at most 1"),
        ("MAX_SHARE", "1.5", "the environment variable MAX_SHARE is 1.5, not above 0"),
        ("HASH", "sha1", r"the environment variable HASH is 'sha1' \(known are auto, fast, md5\)"),
        ("ITEM_ROWS", "many", "the environment variable ITEM_ROWS is 'many', not a number of 0 or more"),
        ("SETTLE_SECONDS", "-1", "the environment variable SETTLE_SECONDS is '-1', not a number"),
        ("DEADLINE_SECONDS", "inf", "the environment variable DEADLINE_SECONDS is 'inf', not a number"),
        ("REPORT_BUCKET", "", "the environment variable REPORT_BUCKET is not set"),
    ],
)
def test_a_setting_that_is_wrong_is_said(
    system: System, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=said):
        system.plan()
