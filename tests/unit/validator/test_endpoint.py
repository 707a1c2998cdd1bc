"""DSNs and secrets → where a database is."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

import pytest

from validator.endpoint import Endpoint, from_dsn, from_secret
from validator.errors import UsageError


def _read(dsn: str, **environment: str) -> Endpoint:
    return from_dsn("source", dsn, environment)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_url_with_everything(scheme: str) -> None:
    assert _read(
        f"{scheme}://pay%40er:p%3Aw%2F@db.example:6432/pay%20ments?sslmode=verify-ca&sslrootcert=/ca.pem&connect_timeout=3"
    ) == Endpoint(
        side="source",
        host="db.example",
        port=6432,
        database="pay ments",
        user="pay@er",
        password="p:w/",
        tls="verify-ca",
        ca=Path("/ca.pem"),
        connect_timeout_seconds=3,
    )


def test_words_with_everything() -> None:
    assert _read(
        r"host=db.example port = 6432 dbname='pay \'ments' user=a\ b password='x y\\' sslmode=require "
    ) == Endpoint(
        side="source",
        host="db.example",
        port=6432,
        database="pay 'ments",
        user="a b",
        password="x y\\",
        tls="require",
    )


def test_what_is_left_out_comes_from_the_environment() -> None:
    environment = {
        "PGHOST": "e.example",
        "PGPORT": "1234",
        "PGDATABASE": "d",
        "PGUSER": "u",
        "PGPASSWORD": "p",
        "PGSSLMODE": "require",
        "PGSSLROOTCERT": "/e.pem",
        "PGCONNECT_TIMEOUT": "4",
    }
    from_environment = Endpoint(
        side="source",
        host="e.example",
        port=1234,
        database="d",
        user="u",
        password="p",
        tls="require",
        ca=Path("/e.pem"),
        connect_timeout_seconds=4,
    )
    assert _read("", **environment) == from_environment
    assert _read("postgresql://", **environment) == from_environment
    given = _read("postgresql://me:mine@h:5/x", **environment)
    assert (given.host, given.port, given.database, given.user, given.password) == ("h", 5, "x", "me", "mine")


def test_postgresqls_own_defaults() -> None:
    me = getpass.getuser()
    assert _read("") == Endpoint(side="source", host="localhost", port=5432, database=me, user=me, tls="prefer")
    assert _read("user=u").database == "u"


@pytest.mark.parametrize(
    ("dsn", "host", "tls"),
    [
        ("postgresql://u@db.example/x", "db.example", "verify-full"),
        ("postgresql://u@10.0.0.1/x", "10.0.0.1", "verify-full"),
        ("postgresql://u@127.0.0.1:5/x", "127.0.0.1", "prefer"),
        ("postgresql://u@localhost/x", "localhost", "prefer"),
        ("postgresql://u@[::1]:5/x", "::1", "prefer"),
        ("postgresql://u@[2001:db8::1]/x", "2001:db8::1", "verify-full"),
        ("postgresql://u@%2Frun%2FPg/x", "/run/Pg", "prefer"),
        ("postgresql:///x?host=/run/Pg", "/run/Pg", "prefer"),
        ("postgresql://127.0.0.1/x?sslmode=verify-full", "127.0.0.1", "verify-full"),
        ("postgresql://db.example/x?sslmode=disable", "db.example", "disable"),
    ],
)
def test_a_host_elsewhere_is_verified_unless_told_otherwise(dsn: str, host: str, tls: str) -> None:
    endpoint = _read(dsn)
    assert (endpoint.host, endpoint.tls) == (host, tls)


@pytest.mark.parametrize(
    ("dsn", "message"),
    [
        ("postgresql://u:s3cret@h:port/x", "--source: the DSN cannot be read"),
        ("postgresql://u:s3cret@[::1/x", "--source: the DSN cannot be read"),
        ("s3cret", "--source: the DSN cannot be read"),
        ("host=h password='s3cret", "--source: the DSN cannot be read"),
        ("host=h 's3cret'", "--source: the DSN cannot be read"),
        ("host=h colour=s3cret", "--source: the DSN's 'colour' is not known"),
        ("host=h sslmode=maybe password=s3cret", "--source: sslmode 'maybe' is not known"),
        ("postgresql://u:s3cret@h/x?port=0", "the source database's port must be a number from 1 to 65535"),
        ("host=h port=65536 password=s3cret", "the source database's port must be a number from 1 to 65535"),
        ("host=h port=\u0661 password=s3cret", "the source database's port must be a number from 1 to 65535"),
        ("connect_timeout=0", "the source database's connect_timeout must be a number from 1 to 3600"),
    ],
)
def test_a_dsn_that_is_wrong_is_said_without_its_password(dsn: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        _read(dsn)
    assert str(caught.value).startswith(message)
    assert "s3cret" not in str(caught.value)


def test_a_secret_is_verified_in_full() -> None:
    secret = {
        "username": "u",
        "password": "p",
        "host": "127.0.0.1",
        "port": "5433",
        "dbname": "d",
        "engine": "postgres",
    }
    assert from_secret("target", secret, Path("/ca.pem")) == Endpoint(
        side="target",
        host="127.0.0.1",
        port=5433,
        database="d",
        user="u",
        password="p",
        tls="verify-full",
        ca=Path("/ca.pem"),
    )


def test_a_secret_that_lacks_something_is_said_without_the_rest() -> None:
    secret: dict[str, Any] = {"username": "u", "password": "p4ss", "host": "", "port": 5432}
    with pytest.raises(UsageError) as caught:
        from_secret("target", secret, Path("/ca.pem"))
    assert str(caught.value) == "the target database's secret lacks host, dbname"


def test_an_endpoint_never_shows_its_password() -> None:
    endpoint = _read("postgresql://u:s3cret@h/x")
    assert "s3cret" not in repr(endpoint) + str(endpoint)
    assert str(endpoint) == "source database 'x' at h:5432"
