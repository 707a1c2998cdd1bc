"""How a build grows: with environments (G6) and with resources (G7)."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.build import LINTER
from benchmarks.measure import PYTHON, Command, interleave, median, ratio
from benchmarks.report import Row
from benchmarks.workspace import REPOSITORY, WORK, forget

ENVIRONMENTS = (1, 5, 20)
RESOURCES = (120, 1_000, 5_000)
_CPU_PER_GROWTH = 9 / 8  # the goal: 8 times the resources, at most 9 times the CPU
_MOST_ROUNDS = 2  # a round takes minutes
PER_TEMPLATE = 500  # CloudFormation's own limit


def measure_environments(rounds: int) -> list[Row]:
    """1, 5 and 20 pull-request copies, each a command of its own as in CI, from a cold cache."""
    loop = "set -e; for n in $(seq 101 $((100 + COUNT))); do PYTHON build.py --env dev --suffix pr-$n; done"
    samples = interleave(
        {
            str(count): Command(
                ["bash", "-c", loop.replace("COUNT", str(count)).replace("PYTHON", PYTHON)],
                partial(forget),
                cwd=REPOSITORY,
            )
            for count in ENVIRONMENTS
        },
        rounds,
    )
    return [
        Row(
            "G6",
            f"{count} environments, cold, CPU",
            median(samples[str(count)], "cpu"),
            ratio(samples[str(count)], samples["1"], "cpu"),
            "1 environment",
            3 if count == max(ENVIRONMENTS) else 0,
        )
        for count in ENVIRONMENTS
    ]


def measure_resources(rounds: int) -> list[Row]:
    """Lint of 120, 1,000 and 5,000 resources of the kinds that the system has, ours next to cfn-lint alone."""
    script = f"import sys; from benchmarks.growth import lint; lint({str(REPOSITORY)!r}, sys.argv[1:])"
    commands = {}
    for count in RESOURCES:
        files = [str(path) for path in _templates(count)]
        commands[f"{count} ours"] = Command([PYTHON, "-c", script, *files], cwd=REPOSITORY)
        commands[f"{count} cfn-lint"] = Command([LINTER, "--", *files], ok=(0, *range(1, 16)), cwd=REPOSITORY)
    samples = interleave(commands, min(rounds, _MOST_ROUNDS))
    rows = []
    for count in RESOURCES:
        limit = round(count / RESOURCES[0] * _CPU_PER_GROWTH, 1)
        ours, least = samples[f"{count} ours"], samples[f"{RESOURCES[0]} ours"]
        what, peer = f"lint of {count:,} resources", f"{RESOURCES[0]} resources"
        rows += [
            Row("G7", f"{what}, CPU", median(ours, "cpu"), ratio(ours, least, "cpu"), peer, limit),
            Row("", f"{what}, wall", median(ours), ratio(ours, samples[f"{count} cfn-lint"]), "cfn-lint", 0),
        ]
    return rows


def lint(root: str, files: list[str]) -> None:
    """What a build does to lint, without the cache."""
    from compiler.lint.worker import LintServer

    with LintServer(Path(root), jobs=2) as server:
        server.check(files)


def _templates(count: int) -> list[Path]:
    """`count` resources, copied round robin from the compiled tree, in templates of at most 500."""
    compiled: list[dict[str, Any]] = [
        json.loads(path.read_text()) for path in sorted((REPOSITORY / "linted/dev").glob("*.template.json"))
    ]
    pool = [
        (template.get("Parameters", {}), name, resource)
        for template in compiled
        for name, resource in template["Resources"].items()
        if resource["Type"] in ("AWS::EC2::Subnet", "AWS::CloudWatch::Alarm", "AWS::Logs::LogGroup", "AWS::EC2::EIP")
    ]
    folder = WORK / f"growth-{count}"
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for start in range(0, count, PER_TEMPLATE):
        resources = {
            f"R{n}{pool[n % len(pool)][1]}": pool[n % len(pool)][2]
            for n in range(start, min(start + PER_TEMPLATE, count))
        }
        names = {name for template in compiled for name in template["Resources"]}
        text = json.dumps({"Resources": resources}, indent=1)
        parameters = {
            n: {"Type": "String"} for n in {*names, *(p for ps, _, _ in pool for p in ps)} if f'"Ref": "{n}"' in text
        }
        path = folder / f"{start}.template.json"
        path.write_text(json.dumps({"Parameters": parameters, "Resources": resources}, indent=1))
        paths.append(path)
    return paths
