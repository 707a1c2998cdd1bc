"""Two PostgreSQL servers with the payments schema, the gate's roles, and an embedded AWS with a load balancer."""

from __future__ import annotations

import asyncio
import functools
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import psycopg
import pytest

from localaws.loopback import environment
from localaws.server import running
from rehearsal.schema import load, make_schema
from tests.integration.validator.conftest import Server, cluster, programs

__all__ = ["cluster", "programs"]
POINTER = "/payments/test/database"
_PASSWORD = "example"
_TEMPLATE = "payments_template"
_ROLES = f"""
CREATE ROLE payments_writer NOLOGIN;
CREATE ROLE payments_application LOGIN PASSWORD '{_PASSWORD}';
"""
_GRANTS = """
GRANT SELECT ON ALL TABLES IN SCHEMA public TO payments_application;
GRANT INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public TO payments_writer;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO payments_writer;
"""
_numbers = itertools.count(1)


@contextmanager
def _no_other_loop() -> Iterator[None]:
    """Hide the loop that a browser of other tests keeps running in this thread: asyncio allows one, we need our own."""
    other = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(other)


def in_loop(test: Callable[..., Any]) -> Callable[..., Any]:
    """Run a test that is a coroutine."""

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        with _no_other_loop():
            asyncio.run(test(*arguments, **named))

    return run


@pytest.fixture
def alone() -> Iterator[None]:
    """For a test that calls what runs a loop of its own."""
    with _no_other_loop():
        yield


@dataclass(frozen=True)
class Side:
    """A payments database on one of the servers, and its write gate."""

    server: Server
    database: str

    @property
    def owner(self) -> str:
        return self.server.dsn(database=self.database)

    @property
    def application(self) -> str:
        return f"postgresql://payments_application:{_PASSWORD}@127.0.0.1:{self.server.port}/{self.database}"

    def run(self, sql: str) -> list[Any]:
        with psycopg.connect(self.owner, autocommit=True) as connection:
            cursor = connection.execute(sql)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def value(self, sql: str) -> Any:
        return self.run(sql)[0][0]

    def open_gate(self) -> None:
        self.run("GRANT payments_writer TO payments_application")

    def close_gate(self) -> None:
        self.run("REVOKE payments_writer FROM payments_application")

    def end_sessions(self) -> None:
        self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'payments_application'")

    def admit(self, connections: bool) -> None:
        """Whether the database takes connections: without, it is as good as gone."""
        self.server.run(f"ALTER DATABASE {self.database} ALLOW_CONNECTIONS {connections}")


@pytest.fixture(scope="session")
def servers(cluster: Callable[..., Server]) -> tuple[Server, Server]:
    """The data centre's and Aurora's, each with a database to copy."""
    both = cluster("data_center", wal_level="logical"), cluster("aurora", wal_level="logical")
    for server in both:
        for statement in [*_ROLES.strip().split("\n"), f"CREATE DATABASE {_TEMPLATE}"]:
            server.run(statement)
        template = Side(server, _TEMPLATE)
        make_schema(template.owner)
        template.run(_GRANTS)
    return both


@contextmanager
def _side(server: Server) -> Iterator[Side]:
    side = Side(server, f"payments_{next(_numbers)}")
    server.run(f"CREATE DATABASE {side.database} TEMPLATE {_TEMPLATE}")
    yield side
    server.run(f"DROP DATABASE {side.database} WITH (FORCE)")


@pytest.fixture
def data_center(servers: tuple[Server, Server]) -> Iterator[Side]:
    """The data centre's database, with ten accounts and twenty old payments, its gate open."""
    with _side(servers[0]) as side:
        load(side.owner, 20, accounts=10)
        side.open_gate()
        yield side


@pytest.fixture
def aurora(servers: tuple[Server, Server]) -> Iterator[Side]:
    """Aurora's database, empty, its gate closed."""
    with _side(servers[1]) as side:
        side.close_gate()
        yield side


# --- the embedded AWS -------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Aws:
    """An account with a pointer and a load balancer."""

    url: str
    listener: str
    rule: str
    groups: dict[str, str]
    elb: Any
    ssm: Any

    def environment(self) -> dict[str, str]:
        return {**os.environ, **environment(self.url)}

    def weigh(self, **weights: int) -> None:
        """Set the weights of the listener's rule, by the names of target groups."""
        self.elb.modify_rule(RuleArn=self.rule, Actions=[_forward(self.groups, weights)])

    def point(self, to: str) -> None:
        self.ssm.put_parameter(Name=POINTER, Value=to, Type="String", Overwrite=True)

    def register(self, group: str) -> None:
        self.elb.register_targets(TargetGroupArn=self.groups[group], Targets=[{"Id": "10.0.0.5", "Port": 8443}])

    def deregister(self, group: str) -> None:
        self.elb.deregister_targets(TargetGroupArn=self.groups[group], Targets=[{"Id": "10.0.0.5", "Port": 8443}])


def _forward(groups: dict[str, str], weights: dict[str, int]) -> dict[str, Any]:
    split = [{"TargetGroupArn": groups[name], "Weight": weight} for name, weight in weights.items()]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": split}}


@pytest.fixture(scope="session")
def account() -> Iterator[Aws]:
    with running() as url, pytest.MonkeyPatch.context() as patch:
        for name, value in environment(url).items():
            patch.setenv(name, value)
        elb, ec2, ssm = (boto3.client(service, region_name="us-east-1") for service in ("elbv2", "ec2", "ssm"))
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"][:2]]
        balancer = elb.create_load_balancer(Name="payments", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
        group = {"Protocol": "HTTP", "Port": 8443, "VpcId": vpc, "TargetType": "ip", "HealthCheckPath": "/ready"}
        groups = {
            name: elb.create_target_group(Name=name, **group)["TargetGroups"][0]["TargetGroupArn"]
            for name in ("dc", "blue")
        }
        answer = {"StatusCode": "503", "ContentType": "text/plain", "MessageBody": "No route. Try again."}
        listener = elb.create_listener(
            LoadBalancerArn=balancer,
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": answer}],
        )["Listeners"][0]["ListenerArn"]
        rule = elb.create_rule(
            ListenerArn=listener,
            Priority=10,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/payments*"]}}],
            Actions=[_forward(groups, {"dc": 100, "blue": 0})],
        )["Rules"][0]["RuleArn"]
        yield Aws(url, listener, rule, groups, elb, ssm)


@pytest.fixture
def aws(account: Aws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """The account, reached by this process and its children, as it was at first."""
    for name, value in environment(account.url).items():
        monkeypatch.setenv(name, value)
    account.weigh(dc=100, blue=0)
    account.point("data_center")
    for group in account.groups:
        account.register(group)
    return account
