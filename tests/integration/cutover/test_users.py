"""The users as each of them signs in: what it may, and what it may not; on a server of our own and on one like RDS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from pg8000.exceptions import DatabaseError

from cutover import gate, marker, sequences, users
from cutover.__main__ import main
from cutover.names import roles_of
from localaws.server import running

TABLES = """
    CREATE SCHEMA ledger;
    CREATE TABLE ledger.payments (id serial PRIMARY KEY, n int);
    CREATE TABLE ledger."odd ""n"" x" (id int PRIMARY KEY);
    INSERT INTO ledger.payments (n) VALUES (1)
"""
PASSWORD = "correct-horse"


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    with running() as endpoint:
        yield endpoint


@pytest.fixture
def secrets(aws: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Secrets Manager of the embedded AWS, as the process finds it."""
    for name, value in {
        "AWS_ENDPOINT_URL": aws,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    return boto3.client("secretsmanager")


def _secret(secrets: Any, name: str, **values: str) -> str:
    text = json.dumps(values)
    arn: str = secrets.create_secret(Name=name, SecretString=text)["ARN"]
    return arn


def _users(pair: Any, side: str, *more: str, user: str = "postgres") -> int:
    server = getattr(pair, side)
    return main(["users", "--side", side, "--dsn", server.dsn(user), "--system", pair.system, *more])


def _give_passwords(secrets: Any, pair: Any) -> list[str]:
    given = []
    for role in roles_of(pair.system).signing_in:
        arn = _secret(secrets, f"{role}-{pair.source.port}", username=role, password=PASSWORD)
        given += ["--secret-for", f"{role}={arn}"]
    return given


def _refused(server: Any, sql: str, user: str) -> bool:
    try:
        server.run(sql, user, PASSWORD)
    except DatabaseError as error:
        if error.args[0]["C"] != "42501":
            raise
        return True
    return False


@pytest.mark.parametrize("kind", ["pair", "mixed_pair"])
def test_the_source(
    kind: str, request: pytest.FixtureRequest, secrets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = request.getfixturevalue(kind)
    server, roles = pair.source, roles_of(pair.system)
    server.run(TABLES)
    server.run(f"ALTER DATABASE {pair.system} SET log_statement = 'all'")
    passwords = _give_passwords(secrets, pair)
    assert _users(pair, "source", "--apply", "--open", *passwords) == 0
    said = capsys.readouterr()
    assert "passwords of " + ", ".join(roles.signing_in) in said.out
    assert PASSWORD not in said.out + said.err
    stored = server.run(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{roles.dms}'")[0][0]
    assert stored.startswith("SCRAM-SHA-256$4096:")
    # Not even a server that logs every statement has seen it.
    log = (server.folder / "log").read_text()
    assert f'ALTER ROLE "{roles.dms}" PASSWORD' in log
    assert PASSWORD not in log

    application, validator, cutover = roles.application, roles.validator, roles.cutover
    write, read = "INSERT INTO ledger.payments (n) VALUES (2)", "SELECT * FROM ledger.payments"
    assert not _refused(server, write, application)
    assert not _refused(server, 'TRUNCATE ledger."odd ""n"" x"', application)
    assert _refused(server, "CREATE TABLE ledger.mine (id int)", application)
    assert _refused(server, f"GRANT {roles.writer} TO {validator}", application)
    assert server.run("SHOW idle_in_transaction_session_timeout", application, PASSWORD) == [["1min"]]
    for reader in (validator, cutover):
        assert not _refused(server, read, reader)
        assert _refused(server, write, reader) or (kind == "mixed_pair" and reader == cutover)
    assert _refused(server, "SELECT setval('ledger.payments_id_seq', 100)", validator)
    assert server.run("SELECT rolsuper FROM pg_roles WHERE rolname = current_user", roles.dms, PASSWORD) == [[True]]

    # Tables that come later are no exception.
    server.run("CREATE TABLE ledger.later (id serial PRIMARY KEY)")
    assert not _refused(server, "INSERT INTO ledger.later DEFAULT VALUES", application)
    assert not _refused(server, "SELECT * FROM ledger.later", validator)

    # All that a cutover does, as its own user.
    with server.session(cutover, PASSWORD) as session:
        assert marker.write(session).lsn
        with server.dial(application, PASSWORD) as writer:
            writer.run("BEGIN; INSERT INTO ledger.payments (n) VALUES (3)")
            closed_at = gate.close(session, application, roles.writer)
            in_flight = gate.writers_in_flight(session, closed_at, [roles.dms])
            assert [each.user for each in in_flight] == [application]
            assert gate.terminate_writers(session, in_flight) == 1
        assert _refused(server, write, application)
        assert _refused(server, "SELECT nextval('ledger.payments_id_seq')", application)
        assert not _refused(server, read, application)
        assert sequences.read(session, ["ledger"])["ledger", "payments_id_seq"].position >= 2
        session.query("SELECT setval('ledger.payments_id_seq', 1000)")

    # Again, with the gate closed: it is all there already, and stays closed.
    assert _users(pair, "source", "--apply") == 0
    assert "passwords of nobody" in capsys.readouterr().out
    assert _refused(server, write, application)
    assert not _refused(server, read, validator)
    with server.session(cutover, PASSWORD) as session:
        gate.open(session, application, roles.writer)
    assert not _refused(server, write, application)


def test_a_target_like_aurora(pair: Any, secrets: Any) -> None:
    """Its master user is no superuser; it makes roles, and has what RDS gives it to hand on."""
    server, roles = pair.target, roles_of(pair.system)
    server.run(f"""
        CREATE ROLE rds_superuser; CREATE ROLE rds_replication REPLICATION;
        CREATE ROLE master LOGIN CREATEROLE CREATEDB;
        GRANT rds_superuser, rds_replication, pg_monitor, pg_signal_backend, pg_read_all_data TO master WITH ADMIN OPTION;
        ALTER DATABASE {pair.system} OWNER TO master
    """)
    server.run(TABLES, "master")
    passwords = _give_passwords(secrets, pair)
    for _ in range(2):
        assert _users(pair, "target", "--apply", *passwords, user="master") == 0

    write, read = "INSERT INTO ledger.payments (n) VALUES (2)", "SELECT * FROM ledger.payments"
    assert _refused(server, write, roles.application)
    assert not _refused(server, read, roles.application)
    # What DMS writes brings every value, so it needs no sequence.
    assert not _refused(server, "INSERT INTO ledger.payments VALUES (7, 2)", roles.dms)
    assert not _refused(server, "CREATE TABLE awsdms.awsdms_status (id int)", roles.dms)
    assert not _refused(server, "INSERT INTO cutover.marker VALUES (md5('')::uuid, '0/0', now())", roles.dms)
    assert server.run("SELECT rolsuper FROM pg_roles WHERE rolname = current_user", roles.dms, PASSWORD) == [[False]]
    assert not _refused(server, "SELECT * FROM cutover.marker", roles.validator)
    assert _refused(server, write, roles.validator)
    assert _refused(server, write, roles.cutover)
    with server.session(roles.cutover, PASSWORD) as session:
        session.query("SELECT setval('ledger.payments_id_seq', 1000)")
        gate.open(session, roles.application, roles.writer)
        assert not _refused(server, write, roles.application)
        with server.dial(roles.application, PASSWORD) as writer:
            writer.run("BEGIN")
            writer.run(write)
            closed_at = gate.close(session, roles.application, roles.writer)
            assert gate.terminate_writers(session, gate.writers_in_flight(session, closed_at)) == 1
        assert _refused(server, write, roles.application)
        assert marker.write(session).lsn


def test_before_there_was_a_role_that_reads_everything(pair: Any) -> None:
    """The statements for PostgreSQL 13, which newer servers take as well."""
    server, roles = pair.source, roles_of(pair.system)
    server.run(TABLES)
    with server.session() as session:
        facts = replace(users.inspect(session), version=130000)
        lines = users.statements(facts, roles, opened=True)
        assert not any("pg_read_all_data" in line for line in lines)
        users.apply(session, lines, dict.fromkeys(roles.signing_in, PASSWORD))
    server.run("CREATE TABLE ledger.later (id serial PRIMARY KEY)")
    for reader in (roles.validator, roles.cutover, roles.application):
        for name in ("payments", "later", "payments_id_seq", "later_id_seq"):
            assert not _refused(server, f"SELECT * FROM ledger.{name}", reader)
    assert _refused(server, "DELETE FROM ledger.payments", roles.validator)
    assert not _refused(server, "DELETE FROM ledger.payments", roles.application)


def test_printed_it_is_sql_without_passwords(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pair.source.run(TABLES)
    assert _users(pair, "source", "--open") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("BEGIN;\nDO $$ BEGIN IF NOT EXISTS")
    assert printed.endswith("COMMIT;\n")
    assert "PASSWORD" not in printed
    assert pair.source.run("SELECT count(*) FROM pg_roles WHERE rolname LIKE 't%'") == [[0]]
    # It is what psql takes, also twice.
    pair.source.run(printed)
    pair.source.run(printed)
    with pair.source.session() as session:
        assert gate.is_open(session, f"{pair.system}_application", f"{pair.system}_writer")


def test_writes_of_an_application_are_not_taken_away_in_passing(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    server, roles = pair.source, roles_of(pair.system)
    server.run(TABLES)
    server.run(f"CREATE ROLE {roles.application} LOGIN; GRANT USAGE ON SCHEMA ledger TO {roles.application}")
    assert _users(pair, "source", "--apply") == 0
    server.run(f"GRANT INSERT ON ledger.payments TO {roles.application}")
    capsys.readouterr()
    for more in ((), ("--apply",)):
        assert _users(pair, "source", *more) == 1
        assert "writes on the source by privileges of its own, which this would end (--open" in capsys.readouterr().err
    assert server.run(f"SELECT has_table_privilege('{roles.application}', 'ledger.payments', 'INSERT')") == [[True]]
    assert _users(pair, "source", "--apply", "--open") == 0
    own = "SELECT count(*) FROM pg_class c, aclexplode(relacl) a WHERE c.relname = 'payments' AND a.privilege_type = "
    assert server.run(f"{own} 'INSERT' AND a.grantee = '{roles.application}'::regrole") == [[0]]
    # Once the gate is open there is nothing to lose.
    server.run(f"GRANT INSERT ON ledger.payments TO {roles.application}")
    assert _users(pair, "source", "--apply") == 0
    assert server.run(f"SELECT has_table_privilege('{roles.application}', 'ledger.payments', 'INSERT')") == [[True]]


def test_it_is_not_taken_away_before_there_is_a_writer_role_either(
    pair: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    application = roles_of(pair.system).application
    pair.source.run(f"{TABLES}; CREATE ROLE {application}; GRANT UPDATE ON ledger.payments TO {application}")
    assert _users(pair, "source", "--apply") == 1
    assert "by privileges of its own" in capsys.readouterr().err


def test_half_of_it_is_nothing(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pair.target.run(f"CREATE ROLE master LOGIN CREATEROLE; ALTER DATABASE {pair.system} OWNER TO master")
    assert _users(pair, "target", "--apply", user="master") == 4
    assert "the target says: permission denied to alter role (42501)" in capsys.readouterr().err
    assert pair.target.run(f"SELECT count(*) FROM pg_roles WHERE rolname LIKE '{pair.system}%'") == [[0]]


def test_wrong_usage(pair: Any, secrets: Any, capsys: pytest.CaptureFixture[str]) -> None:
    role = roles_of(pair.system).application
    expected = {
        ("--open",): "--open is for the source",
        ("--secret-for", f"{role}=x"): "--secret-for goes with --apply",
        ("--apply", "--secret-for", "x"): "'x' is not ROLE=SECRET",
        ("--apply", "--secret-for", "root=x"): "root does not sign in (known are ",
        ("--system", "Nö"): "'Nö' is no name of a system",
    }
    for more, said in expected.items():
        assert _users(pair, "target", *more) == 2
        assert said in capsys.readouterr().err


def test_secrets_that_do_not_fit(
    pair: Any, secrets: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    role = roles_of(pair.system).application
    others = _secret(secrets, f"{pair.system}-other", username="somebody", password="hunter2")
    empty = _secret(secrets, f"{pair.system}-empty", username=role)
    broken = secrets.create_secret(Name=f"{pair.system}-broken", SecretString="hunter2")["ARN"]
    expected = {
        others: f"is of another user than {role}",
        empty: "holds no password",
        broken: "holds no password",
        "nowhere": f"the secret of {role} cannot be read",
    }
    for arn, said in expected.items():
        assert _users(pair, "target", "--apply", "--secret-for", f"{role}={arn}") == 2
        error = capsys.readouterr().err
        assert said in error
        assert "hunter2" not in error
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert _users(pair, "target", "--apply", "--secret-for", f"{role}={others}") == 2
    assert "Secrets Manager cannot be asked: You must specify a region" in capsys.readouterr().err
