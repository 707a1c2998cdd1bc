"""Every `python -m cutover` of the runbook, executed in its order against two real servers."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from cutover import gate
from cutover.__main__ import main
from localaws.server import running

RUNBOOK = Path(__file__).parents[3] / "docs" / "runbooks" / "database-users.md"
_BLOCK = re.compile(r"^ *```bash\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def _commands(text: str) -> list[list[str]]:
    blocks = [block.replace("\\\n", " ") for block in _BLOCK.findall(text)]
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [shlex.split(line)[3:] for line in lines if line.startswith("python -m cutover ")]


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The eight secrets of the environment `prod`."""
    with running() as endpoint:
        for name, value in {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }.items():
            monkeypatch.setenv(name, value)
        client = boto3.client("secretsmanager")
        for part in ("application", "dms", "validator", "cutover"):
            for side in ("", "source-"):
                secret = {"username": f"payments_{part}", "password": f"{side}{part}"}
                client.create_secret(Name=f"payments/prod/{side}{part}", SecretString=json.dumps(secret))
        yield client


def test_it_can_be_followed(
    pair: Any, secrets: Any, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    pair.source.run("""
        CREATE EXTENSION pg_stat_statements;
        CREATE ROLE payments_application LOGIN;
        CREATE TABLE public.accounts (id int PRIMARY KEY);
        CREATE TABLE public.payments (id serial PRIMARY KEY, account int REFERENCES public.accounts);
        GRANT SELECT, INSERT ON public.payments TO payments_application
    """)
    places = {"$source": pair.source.dsn(), "$target": pair.target.dsn()}
    commands = [[places.get(word, word) for word in words] for words in _commands(RUNBOOK.read_text())]
    assert [words[0] for words in commands] == [
        *("readiness", "schema", "users", "users", "schema", "sequences", "users"),
    ]
    # Before the users are made it finds blockers, and after none.
    codes = [main(words) for words in commands]
    assert codes == [1, 0, 0, 0, 0, 0, 0]
    assert main(commands[0]) == 0
    report = json.loads((tmp_path / "readiness.json").read_text())
    assert report["ready"] is True

    with pair.sessions() as (source, target):
        assert gate.is_open(source, "payments_application", "payments_writer")
        assert not gate.is_open(target, "payments_application", "payments_writer")
    write = "INSERT INTO public.payments DEFAULT VALUES"
    pair.source.run(write, "payments_application", "source-application")
    with pytest.raises(Exception, match="permission denied"):
        pair.target.run(write, "payments_application", "application")
    assert pair.target.run("SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == [[1]]
