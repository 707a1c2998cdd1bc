"""Every command and every change of params of docs/runbooks/cutover.md, in the order of a night and the nights after.

On what a rehearsal runs on: the compiled stacks in an embedded AWS (those that the tests of `deployed` have made), two
real servers, the real state machine. A command that the page has and this does not run fails, and so does the reverse.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import jmespath
import psycopg
import pytest
import yaml
from botocore import xform_name

from build import design
from compiler.command import main as build
from cutover.__main__ import main as cutover
from cutover.steps.common import cloud
from deployer.command import main as deploy
from localaws import process
from rehearsal.rehearse import machine
from rehearsal.rehearse.account import Account
from rehearsal.rehearse.arguments import parse
from rehearsal.rehearse.certificates import make_certificates
from rehearsal.rehearse.databases import AURORA, DATA_CENTER
from rehearsal.rehearse.migration import adapt_functions
from rehearsal.rehearse.observer import wait_until
from rehearsal.rehearse.processes import ROOT, Processes
from rehearsal.rehearse.stage import Stage
from rehearsal.rehearse.traffic import register_targets
from tests.integration.deployed.conftest import deployed

__all__ = ["deployed"]
PAGE = ROOT / "docs/runbooks/cutover.md"
_BLOCK = re.compile(r"^ *```(bash|yaml)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_LOOKED_UP = re.compile(r"""(\w+)=\$\(jq -r '\."([\w.]+)"' \$out\)""")
_PAY = """
INSERT INTO payment (account_id, amount, currency, details) VALUES (1, 1, 'EUR', jsonb_build_object('night', %s::text))
"""
_SECONDS = 240


def read_page() -> tuple[list[str], list[str]]:
    """The commands, one a line, and the blocks of params."""
    found: dict[str, list[str]] = {"bash": [], "yaml": []}
    for language, block in _BLOCK.findall(PAGE.read_text()):
        lines = [" ".join(line.split()) for line in block.replace("\\\n", " ").splitlines()]
        found[language] += lines if language == "bash" else ["\n".join(lines)]
    return found["bash"], found["yaml"]


class Backstage(Stage):
    """All but applications, load balancer and clients: this test pays by itself."""

    ca: Path

    def _start_parts(self) -> None:
        account, databases = self.account, self.databases
        self.processes = Processes(self.logs, account.environment())
        self._stack.callback(self.processes.close)
        made = make_certificates(self.folder, [host for host, _ in databases.hosts().values()])
        files = ("--certificate", str(made.certificate), "--key", str(made.key))
        places = [f"--to={side}=127.0.0.1:{databases.of(side).port}" for side in (DATA_CENTER, AURORA)]
        gateway = self.processes.start("gateway", "rehearsal.rehearse.gateway", *files, *places, listens=2)
        databases.lead_to(gateway.ports)
        self.ca = made.ca
        self.adapt()
        register_targets(account)
        machine.stretch(account, 10)  # a freeze of ten minutes: this machine does much else

    def adapt(self) -> None:
        """Again after a deployment, which writes what its templates have."""
        adapt_functions(self.account, self.ca, "")


@dataclass
class Night:
    """Who is on call, and the commands of the page: dev stands for prod, and yes for the question of `deploy.py`."""

    stage: Stage
    root: Path
    commands: list[str]
    params: list[str]
    told: dict[str, str]
    export: Callable[[str, str], None]
    done: list[str] = field(default_factory=list)
    said: str = ""

    # --- what the page says -------------------------------------------------------------------------------------------
    def run(self, command: str, code: int = 0) -> str:
        """A command of the page; what it printed."""
        assert command in self.commands, f"the page does not say {command}"
        self.done.append(command)
        if looked_up := _LOOKED_UP.fullmatch(command):
            outputs = json.loads((self.root / self.told["out"]).read_text())
            self.told[looked_up[1]] = outputs[looked_up[2]]
            return ""
        text = re.sub(r"\bprod\b", "dev", command)
        words = shlex.split(re.sub(r"\$(\w+)", lambda match: self.told[match[1]], text))
        if words[0] == "export":
            self.export(*words[1].split("="))
            return ""
        if named := re.fullmatch(r"(\w+)=(\S+)", words[0]):
            self.told[named[1]] = named[2]
            return ""
        printed = io.StringIO()
        with redirect_stdout(printed):
            ended = self._run(words)
        self.said = printed.getvalue()
        assert ended == code, f"{command}: {ended}\n{self.said}"
        return self.said

    def follow(self, block: str) -> None:
        """A change of params of the page."""
        assert block in self.params, f"the page does not say {block}"
        self.done.append(block)
        path = self.root / "params/dev.yaml"
        params = yaml.safe_load(path.read_text())
        for section, values in yaml.safe_load(block).items():
            params.setdefault(section, {}).update(values)
        path.write_text(yaml.safe_dump(params))

    def _run(self, words: list[str]) -> int:
        if words[:3] == ["python", "-m", "cutover"]:
            return cutover(words[3:])
        if words[:2] == ["python", "build.py"]:
            return build(words[2:], str(self.root), design)
        if words[:2] == ["python", "deploy.py"]:
            asks = words[2].startswith("-")
            return deploy([*words[2:], *(["--yes"] if asks else [])], str(self.root))
        if words[0] == "aws":
            return aws(*words[1:])
        assert words[0] == "psql", f"this test does not know {words[0]}"
        done = subprocess.run(words, capture_output=True, text=True)
        print(done.stdout + done.stderr)
        return done.returncode

    # --- what comes of it ---------------------------------------------------------------------------------------------
    @property
    def account(self) -> Account:
        return self.stage.account

    def until(self, holds: Callable[[], object], what: str) -> None:
        assert wait_until(holds, _SECONDS, lambda: None, pause=0.2), f"{what}: never, but {self.status()}"

    def status(self) -> dict[str, Any]:
        printed = io.StringIO()
        with redirect_stdout(printed):
            assert cutover(["status", "--env", "dev", "--json"]) == 0
        found: dict[str, Any] = json.loads(printed.getvalue())
        return found

    def is_at(self, phase: str) -> bool:
        found = self.status()
        return found["phase"] == phase and not found["executions"]

    def task(self, name: str) -> str:
        wanted = [{"Name": "replication-task-arn", "Values": [self.told[name]]}]
        found = self.account.client("dms").describe_replication_tasks(Filters=wanted)["ReplicationTasks"][0]
        return str(found["Status"])

    def pay(self, side: str, night: str) -> None:
        """As the application."""
        with psycopg.connect(self.stage.databases.application_dsn(side)) as connection:
            connection.execute(_PAY, [night])

    def paid(self, side: str) -> list[str]:
        sql = "SELECT details ->> 'night' FROM payment WHERE details ? 'night' ORDER BY 1"
        return [row[0] for row in self.stage.databases.of(side).run(sql)]

    def is_open(self) -> list[str]:
        return [side for side, found in self.stage.databases.gates().items() if found]

    def rules(self) -> list[str]:
        listener = self.account["LoadBalancer.HttpsListenerArn"]
        found = self.account.client("elbv2").describe_rules(ListenerArn=listener)["Rules"]
        return [rule["Priority"] for rule in found]

    def validated(self) -> str:
        """How the last validation ended."""
        name = "aws stepfunctions list-executions --state-machine-arn \"$validation\" --max-results 1 --query 'executions[0].status' --output text"
        self.until(lambda: self.run(name) != "RUNNING\n", "validated")
        return self.said.strip()


def aws(service: str, operation: str, *flags: str) -> int:
    """The AWS CLI, as far as the page uses it: arguments are checked against the service's own model."""
    client: Any = boto3.client(service)  # type: ignore[call-overload]
    name = client.meta.method_to_api_mapping[operation.replace("-", "_")]
    members = client.meta.service_model.operation_model(name).input_shape.members
    known = {f"--{xform_name(member, '-')}": member for member in members}
    given = dict(zip(flags[::2], flags[1::2], strict=True))
    query, form = given.pop("--query", ""), given.pop("--output", "json")
    call = {known[flag]: value_of(members[known[flag]], value) for flag, value in given.items()}
    answer = getattr(client, operation.replace("-", "_"))(**call)
    answer.pop("ResponseMetadata")
    found = jmespath.search(query, answer) if query else answer
    if form == "text":
        rows = found if isinstance(found, list) and found and isinstance(found[0], list) else [found]
        lines = ["\t".join(map(str, row)) if isinstance(row, list) else str(row) for row in rows]
        print("\n".join(lines))
    else:
        print(json.dumps(found, default=str))
    return 0


def value_of(shape: Any, text: str) -> Any:
    """A value as a flag has it: numbers, and lists of structures in the CLI's shorthand."""
    if shape.type_name == "integer":
        return int(text)
    if shape.type_name == "list":
        pairs = dict(part.split("=", 1) for part in text.split(","))
        inner = shape.member.members
        return [{key: [value] if inner[key].type_name == "list" else value for key, value in pairs.items()}]
    return text


@pytest.fixture
def night(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    if request.config.getoption("--stack"):
        pytest.skip("only on the embedded AWS")
    machine_arn = request.getfixturevalue("deployed")["Cutover.StateMachineArn"]
    prepared = tmp_path / "prepared"
    prepared.mkdir()
    original = Account(Path(os.environ["LOCALAWS_STATE"]).parents[1], "dev", None)
    original.url, running = os.environ["AWS_ENDPOINT_URL"], {"stateMachineArn": machine_arn, "statusFilter": "RUNNING"}
    states = boto3.client("stepfunctions", region_name="us-east-1")
    assert wait_until(lambda: not states.list_executions(**running)["executions"], _SECONDS, lambda: None)
    original.preserve(prepared)
    options = parse(["--env", "dev", "--payments", "60", "--accounts", "5"])
    assert options
    stage, handler = Backstage(tmp_path / "stage", options, prepared), signal.getsignal(signal.SIGTERM)
    try:
        stage.set_up(lambda _: None)
        for name, value in process.environment(stage.account.url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PATH", str(stage.databases.aurora.programs), prepend=":")
        cloud.forget()
        root = tmp_path / "root"
        root.mkdir()
        for path in ROOT.iterdir():
            # The cache: what the build of `deployed` has linted need not be again.
            if path.name in (".cfnlintrc", ".cache") or (path.name[0] != "." and path.name not in ("params", "out")):
                (root / path.name).symlink_to(path)
        shutil.copytree(ROOT / "params", root / "params")
        (root / "out").symlink_to(stage.folder / "out")
        monkeypatch.chdir(root)
        source, target = (stage.databases.of(side).dsn() for side in (DATA_CENTER, AURORA))
        yield Night(stage, root, *read_page(), {"USER": "ann", "source": source, "target": target}, monkeypatch.setenv)
    finally:
        signal.signal(signal.SIGTERM, handler)  # as `build.py` sets it for a process of its own
        stage.close()
        cloud.forget()


def test_a_night_by_the_page(night: Night) -> None:
    before_the_day(night)
    first_movement(night)
    switched(night)
    followed(night)
    back(night)
    anew(night)
    stuck(night)
    assert set(night.commands + night.params) - set(night.done) == set()


def before_the_day(night: Night) -> None:
    for line in night.commands[:5]:
        night.run(line)
    night.run('python -m cutover readiness --source "$source" --target "$target"')
    start = 'aws dms start-replication-task --replication-task-arn "$forward" --start-replication-task-type '
    night.run(f"{start}start-replication")
    night.until(lambda: night.task("forward") == "stopped", "loaded")
    night.run(
        "aws dms describe-replication-tasks --filters \"Name=replication-task-arn,Values=$forward\" --query 'ReplicationTasks[0].[Status,StopReason]' --output text"
    )
    assert night.said.startswith("stopped\t")
    night.run('python -m cutover schema --source "$source" --target "$target" --section post-data --apply')
    night.run(f"{start}resume-processing")
    night.until(lambda: night.task("forward") == "running", "replicating")
    night.run('python -m cutover sequences --source "$source" --target "$target" --margin 1000')
    validate = 'aws stepfunctions start-execution --state-machine-arn "$validation"'
    night.run(validate)
    assert night.validated() == "SUCCEEDED"
    night.run(f"{validate} --input '{{\"incremental\": true}}'")
    assert night.validated() == "SUCCEEDED"


def first_movement(night: Night) -> None:
    night.follow("load_balancer: {aws_weight: 10}")
    night.run("python build.py --env prod")
    night.run("python deploy.py --env prod --allow-traffic load_balancer.MigrationRule")
    assert "10" in night.rules()


def switched(night: Night) -> None:
    """A run that is rejected, and one that is approved, whose execution somebody stops while it is watched."""
    begin, approve = (f'python -m cutover {word} --env prod --by "$USER"' for word in ("start", "approve"))
    status = "python -m cutover status --env prod"
    night.run(begin)
    night.until(lambda: night.status()["question"] == "freeze", "asked")
    night.run(status)
    assert "asks: freeze?" in night.said
    night.run('python -m cutover reject --env prod --by "$USER" --reason "too busy tonight"')
    night.until(lambda: night.is_at("replicating"), "given up")
    time.sleep(1)  # a run is named after the second
    night.pay(DATA_CENTER, "1 before")
    night.run(begin)
    night.until(lambda: night.status()["question"] == "freeze", "asked")
    night.run(approve)
    night.until(lambda: night.status()["phase"] in ("watching", "rolled_back", "stuck"), "switched")
    assert night.run("python deploy.py status --env prod").count("watching") == 1
    assert night.is_open() == [AURORA]
    night.pay(AURORA, "2 on AWS")

    states, arns = night.account.client("stepfunctions"), night.account["Cutover.StateMachineArn"]
    (running,) = states.list_executions(stateMachineArn=arns, statusFilter="RUNNING")["executions"]
    states.stop_execution(executionArn=running["executionArn"])
    definition = machine.read_definition(night.account)
    definition["States"]["Watch"]["Parameters"]["Payload"]["watch"]["minutes"] = 0
    machine.write_definition(night.account, definition)
    night.run('python -m cutover resume --env prod --by "$USER"')
    night.until(lambda: night.is_at("done"), "done")


def followed(night: Night) -> None:
    night.follow("service: {database: aurora}\nload_balancer: {aws_weight: 100}")
    night.run("python build.py --env prod")
    night.run(
        "python deploy.py --env prod --allow-traffic load_balancer.MigrationRule --allow-weaken monitoring.AlbWeightedPath --allow-weaken monitoring.CutoverNoGo"
    )
    assert "10" not in night.rules()
    # What this test has changed by hand drifts, and nothing that the cutover has moved.
    drifted = re.findall(
        r"^ *(\w+\.\w+) \(.*\) modified$", night.run("python deploy.py drift --env prod", 1), re.MULTILINE
    )
    assert {name for name in drifted if not name.endswith("Function")} == {"cutover.StateMachine"}
    night.stage.adapt()


def back(night: Night) -> None:
    """Also where somebody has stopped the reverse task: it brings what was paid meanwhile."""
    night.run('aws dms stop-replication-task --replication-task-arn "$reverse"')
    night.until(lambda: night.task("reverse") == "stopped", "stopped")
    night.pay(AURORA, "3 on AWS")
    night.run(
        'psql "$target" -c "SELECT slot_name, active, pg_size_pretty(pg_current_wal_lsn() - restart_lsn) FROM pg_replication_slots"'
    )
    assert "(1 row)" in night.said
    night.run('python -m cutover go-back --env prod --by "$USER"')
    night.until(lambda: night.is_at("rolled_back"), "back")
    assert night.is_open() == [DATA_CENTER]
    night.pay(DATA_CENTER, "4 back")
    assert night.paid(DATA_CENTER) == ["1 before", "2 on AWS", "3 on AWS", "4 back"]
    assert "reload-target" in night.status()["steps"]["rollback"]["answer"]["forward"]


def anew(night: Night) -> None:
    night.follow("service: {database: data_center}")
    night.run("python build.py --env prod")
    night.run("python deploy.py --env prod")
    night.run('python -m cutover empty --source "$source" --target "$target"')
    night.run('python -m cutover empty --source "$source" --target "$target" --apply')
    start = 'aws dms start-replication-task --replication-task-arn "$forward" --start-replication-task-type '
    night.run(f"{start}reload-target")
    night.until(lambda: night.task("forward") == "stopped", "loaded")
    night.run(f"{start}resume-processing")
    night.until(lambda: night.task("forward") == "running", "replicating")
    night.run('aws stepfunctions start-execution --state-machine-arn "$validation"')
    assert night.validated() == "SUCCEEDED"
    assert night.paid(AURORA) == ["1 before", "2 on AWS", "3 on AWS", "4 back"]


def stuck(night: Night) -> None:
    """Its commands look; what they find here is a data centre that takes the payments."""
    night.run(
        "aws dms describe-replication-tasks --query 'ReplicationTasks[].[ReplicationTaskIdentifier,Status,LastFailureMessage]' --output text"
    )
    # Other tests leave tasks of their own in this account.
    told = dict(line.split("\t")[:2] for line in night.said.splitlines())
    assert (told["payments-dev-forward"], told["payments-dev-reverse"]) == ("running", "stopped")
    gate = "-c \"SELECT pg_has_role('payments_application', 'payments_writer', 'MEMBER')\""
    assert "\n t\n" in night.run(f'psql "$source" {gate}')
    assert "\n f\n" in night.run(f'psql "$target" {gate}')
    assert "returned" in night.run('psql "$target" -c "SELECT run_id, word, opened_at FROM cutover.fence"')
    night.stage.databases.data_center.run(
        "REVOKE payments_writer FROM payments_application GRANTED BY payments_cutover"
    )
    night.run('python -m cutover users --side source --dsn "$source" --open --apply')
    assert night.is_open() == [DATA_CENTER]
