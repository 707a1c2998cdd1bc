"""Deployments of the compiled system to the embedded AWS, next to the aws command line and Sceptre (goal G8).

Every call costs 50 ms more, as over a network. Before each tool's first deployment the account is fresh and has what is
made once: a bucket, and the stack of account-wide roles. Sceptre cannot deploy nested stacks from local files, so each
tier is a stack of its own there, wired by its `stack_output` resolver.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import PYTHON, ROOT
from benchmarks.report import Row
from localaws import process

WORK = ROOT / ".cache/benchmarks/deployments"
PEERS = ROOT / ".cache/benchmarks/peers"
LATENCY_MS = 50
BUCKET = "peers-packages"
STACK = "payments-dev"
SCENARIOS = ("first", "no change", "one tier")
REGION = "us-east-1"
GOALS = {"first": (0.5, 14), "no change": (0.25, 2), "one tier": (0, 7)}


@dataclass
class Figures:
    """Seconds and API calls of each run, by scenario."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    calls: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, scenario: str, seconds: float, calls: Mapping[str, int]) -> None:
        """One run."""
        self.seconds.setdefault(scenario, []).append(seconds)
        self.calls[scenario] = dict(calls)


def measure(rounds: int) -> list[Row]:
    """All tools in turn, each in an account of its own, `rounds` times."""
    prepare_builds()
    install_peers()
    figures = {name: Figures() for name in TOOLS}
    for number in range(rounds):
        for name, tool in TOOLS.items():
            run_tool(tool, figures[name])
        print(f"  round {number + 1} of {rounds}", file=sys.stderr)
    for name, found in figures.items():
        for scenario in SCENARIOS:
            calls = found.calls[scenario]
            print(f"  {name}, {scenario}: {sum(calls.values())} calls: {calls}", file=sys.stderr)
    return [row for scenario in SCENARIOS for row in rows_of(scenario, figures)]


def rows_of(scenario: str, figures: Mapping[str, Figures]) -> list[Row]:
    """Time against the aws command line, and calls, of one scenario."""
    peer = figures["aws"].seconds[scenario]
    rows = []
    for name, found in figures.items():
        seconds = found.seconds[scenario]
        ratio = statistics.median(one / other for one, other in zip(seconds, peer, strict=True))
        limit = GOALS[scenario][0] if name == "deploy.py" else 0
        calls = sum(found.calls[scenario].values())
        what = f"{name}, {scenario}: {calls} API calls"
        rows.append(Row("G8" if limit else "", what, statistics.median(seconds), ratio, f"aws, {scenario}", limit))
    return rows


def prepare_builds() -> None:
    """out/ as it is, and another with one tier changed: the alarms' threshold of the database's CPU."""
    shutil.rmtree(WORK, ignore_errors=True)
    repository = WORK / "repository"
    repository.mkdir(parents=True)
    for name in ("settings", "contract", "templates", "compiler", "rules", "pages", "validator", "cutover", "params"):
        shutil.copytree(ROOT / name, repository / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("build.py", ".cfnlintrc", "requirements.txt"):
        shutil.copy2(ROOT / name, repository / name)
    build = [PYTHON, "build.py", "--env", "dev", "--out"]
    run([*build, str(WORK / "before")], cwd=repository)
    params = repository / "params/base.yaml"
    params.write_text(params.read_text().replace("database_cpu_percent: 80", "database_cpu_percent: 75"))
    run([*build, str(WORK / "after")], cwd=repository)


def install_peers() -> None:
    """The peers, from locked requirements, in an environment of their own."""
    if (PEERS / "bin/sceptre").exists():
        return
    run([PYTHON, "-m", "venv", str(PEERS)])
    requirements = str(ROOT / "benchmarks/requirements-peers.txt")
    run([str(PEERS / "bin/pip"), "install", "--quiet", "--require-hashes", "--requirement", requirements])


def run_tool(tool: Callable[[str, Path, Mapping[str, str]], list[list[str]]], figures: Figures) -> None:
    """First deployment, nothing changed, one tier changed, in a fresh account."""
    state = WORK / "account/state.json"
    shutil.rmtree(state.parent, ignore_errors=True)
    endpoint = process.up(ROOT, state).url
    try:
        variables = {**process.isolated(os.environ, endpoint), "AWS_DEFAULT_REGION": REGION}
        account_once(variables)
        process.ask(endpoint, "POST", "/localaws/latency", {"ms": LATENCY_MS})
        for scenario, folder in zip(SCENARIOS, ("before", "before", "after"), strict=True):
            commands = tool(scenario, WORK / folder / "dev", variables)
            process.ask(endpoint, "DELETE", "/localaws/counters")
            began = time.perf_counter()
            for command in commands:
                run(command, variables=variables)
            seconds = time.perf_counter() - began
            found = process.ask(endpoint, "GET", "/localaws/counters")["calls"]
            calls = {operation: n for service in found.values() for operation, n in service.items()}
            figures.add(scenario, seconds, calls)
    finally:
        process.stop(ROOT, state)


def account_once(variables: Mapping[str, str]) -> None:
    """What an account has before any of the measured deployments: buckets, and the roles that DMS finds by name."""
    deploy = [PYTHON, "deploy.py", "account", "--env", "dev", "--out", str(WORK / "before"), "--local", "--yes"]
    run(deploy, variables=variables)
    run([str(PEERS / "bin/aws"), "s3", "mb", f"s3://{BUCKET}"], variables=variables)
    run([PYTHON, "-m", "benchmarks.bucket", str(WORK / "before/dev")], variables=variables)


def run(command: list[str], *, cwd: Path = ROOT, variables: Mapping[str, str] | None = None) -> None:
    """One process; its output where it fails."""
    env = dict(os.environ if variables is None else variables)
    done = subprocess.run(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")


def _deploy_py(_scenario: str, build: Path, _variables: Mapping[str, str]) -> list[list[str]]:
    return [[PYTHON, "deploy.py", "--env", "dev", "--out", str(build.parent), "--local", "--yes"]]


def _aws(_scenario: str, build: Path, _variables: Mapping[str, str]) -> list[list[str]]:
    aws = str(PEERS / "bin/aws")
    packaged = str(WORK / "packaged.json")
    tags = json.loads((build / "parameters.json").read_text())["Tags"]
    package = ("package", "--template-file", str(build / "root.template.json"), "--use-json", "--s3-bucket", BUCKET)
    deploy = ("deploy", "--template-file", packaged, "--stack-name", STACK, "--no-fail-on-empty-changeset")
    capabilities = ("--capabilities", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
    return [
        [aws, "cloudformation", *package, "--output-template-file", packaged],
        [aws, "cloudformation", *deploy, *capabilities, "--tags", *(f"{key}={value}" for key, value in tags.items())],
    ]


def _sceptre(_scenario: str, build: Path, variables: Mapping[str, str]) -> list[list[str]]:
    """A project of one stack per tier; the code of the function is uploaded by the aws command line beforehand."""
    project = WORK / "sceptre"
    shutil.rmtree(project, ignore_errors=True)
    (project / "config/dev").mkdir(parents=True)
    (project / "templates").mkdir()
    hyphenated = str.maketrans("_", "-")  # Sceptre makes a stack's name of its file's
    (project / "config/config.yaml").write_text(
        f"project_code: payments\nregion: {REGION}\ntemplate_bucket_name: {BUCKET}\n"
    )
    root = json.loads((build / "root.template.json").read_text())["Resources"]
    tiers = {name: body["Properties"]["TemplateURL"].removesuffix(".template.json") for name, body in root.items()}
    files = {name: tier.translate(hyphenated) for name, tier in tiers.items()}
    aws = str(PEERS / "bin/aws")
    for name, tier in tiers.items():
        template = build / f"{tier}.template.json"
        package = ("package", "--template-file", str(template), "--use-json", "--s3-bucket", BUCKET)
        output = ("--output-template-file", str(project / f"templates/{tier}.json"))
        run([aws, "cloudformation", *package, *output], variables=variables)
        given = root[name]["Properties"].get("Parameters", {})
        lines = [f"template:\n  type: file\n  path: {tier}.json"]
        if given:
            lines.append("parameters:")
        for parameter, value in given.items():
            producer, output = value["Fn::GetAtt"]
            lines.append(f"  {parameter}: !stack_output dev/{files[producer]}.yaml::{output.removeprefix('Outputs.')}")
        (project / f"config/dev/{files[name]}.yaml").write_text("\n".join(lines) + "\n")
    return [[str(PEERS / "bin/sceptre"), "--dir", str(project), "launch", "--yes", "dev"]]


TOOLS = {"deploy.py": _deploy_py, "aws": _aws, "Sceptre": _sceptre}
