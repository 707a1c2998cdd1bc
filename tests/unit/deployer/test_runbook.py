"""docs/runbooks/deploy.md: its commands are ones that exist, and its flags those that the gate asks for."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from compiler.command import _parser as build_parser
from compiler.linking import link
from compiler.manifest import template_texts
from deployer.arguments import VERBS, parse
from deployer.contradictions import _hint
from deployer.forecast.plan import forecast
from deployer.gate.judge import judge
from deployer.gate.policy import load_policy
from deployer.judgement import given
from deployer.moved import Moved
from deployer.review.build import build_review
from deployer.verbs.status import _check
from settings.load import load
from templates.root import system

ROOT = Path(__file__).parents[3]
RUNBOOK = ROOT / "docs/runbooks/deploy.md"
TEXT = RUNBOOK.read_text()
BLOCK = re.compile(r"^ *```\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
OF_ALL_COMMANDS = {"query", "output", "region", "profile"}
PROGRAMS_OWN = {"sso"}  # what the aws program has of its own, and is no service


def commands(program, text=TEXT):
    """The words of each command, in blocks and in sentences; what the shell would put in is one word."""
    lines = [line for block in BLOCK.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    lines += [re.sub(r"\s+", " ", code) for code in re.findall(r"`([^`]+)`", BLOCK.sub("", text))]
    told = [re.sub(r"\$\([^)]*\)", "X", line).replace("…", "--env prod") for line in lines]
    found = [re.search(rf"(?<![\w-]){program} [a-z-].*", line) for line in told]
    return [shlex.split(match[0], comments=True) for match in found if match]


def section(title):
    return TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


# --- commands that exist ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("words", commands("python deploy.py"), ids=" ".join)
def test_deploy_has_the_command(words):
    verb, rest = (words[2], words[3:]) if words[2] in VERBS else ("up", words[2:])
    options = parse(verb, rest)
    assert options.env == "prod"
    if verb == "status":
        _check(options)


def test_build_has_the_command():
    assert {build_parser().parse_args(words[2:]).env for words in commands("python build.py")} == {"prod"}


@pytest.mark.parametrize("words", [words for words in commands("aws") if words[1] not in PROGRAMS_OWN], ids=" ".join)
def test_aws_has_the_command(words):
    session = botocore.session.get_session()
    service, name, rest = words[1], words[2], words[3:]
    model = session.get_service_model(service)
    operation = next((one for one in model.operation_names if xform_name(one, "-") == name), "")
    if name == "wait":
        waiters = session.get_waiter_model(service)
        waiter = next(one for one in waiters.waiter_names if xform_name(one, "-") == rest[0])
        operation = waiters.get_waiter(waiter).operation
    shape = model.operation_model(operation).input_shape
    flags = {word.removeprefix("--") for word in rest if word.startswith("--")}
    assert flags - OF_ALL_COMMANDS <= {xform_name(member, "-") for member in shape.members}
    assert {xform_name(member, "-") for member in shape.required_members} <= flags


def test_none_was_overlooked():
    assert len(commands("python deploy.py")) == len(re.findall(r"python deploy\.py ", TEXT))
    assert len(commands("aws")) == len(re.findall(r"\baws (?=[a-z0-9]+ [a-z])", TEXT))


def test_the_outputs_that_it_reads_exist():
    root = json.loads((ROOT / "tests/golden/prod/root.template.json").read_text())["Resources"]
    named = re.findall(r"""'\."(\w+\.\w+)"'|`(\w+\.\w+Arn)`""", TEXT)
    assert len(named) > 4
    for stack, output in (("".join(pair)).split(".") for pair in named):
        path = ROOT / "tests/golden/prod" / root[stack]["Properties"]["TemplateURL"]
        assert output in json.loads(path.read_text())["Outputs"]


@pytest.mark.parametrize("path", [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")], ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", path.read_text()):
        name, _, anchor = target.partition("#")
        file = path.parent / name if name else path
        assert file.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}, target


# --- flags that the gate asks for ------------------------------------------------------------------------------------
def templates(*, database="data_center", aws_weight=0):
    """What prod compiles to with these params."""
    prod = load(ROOT / "params", "prod", None, {})
    service, balancer = replace(prod.service, database=database), replace(prod.load_balancer, aws_weight=aws_weight)
    settings = replace(prod, service=service, load_balancer=balancer)
    found = {tier: json.loads(text) for tier, text in template_texts(link(system(settings), settings)).items()}
    del found["account"]
    return found


def refusals(before, after):
    tree, unknowns = forecast(before, after, stack_name="payments-prod", region="us-east-1")
    review = build_review(
        tree, before, after, stack="payments-prod", environment="prod", suffix="prod", region="us-east-1",
        durable=True, forecast=True, unknowns=unknowns,
    )  # fmt: skip
    verdict = judge(review, frozenset(), load_policy(ROOT / "policies/prod.yaml"))
    assert all(refusal.flag for refusal in verdict.refusals)  # none is forbidden
    return {(refusal.rule, refusal.address) for refusal in verdict.refusals}


def flags(text, verb):
    (words,) = [words for words in commands("python deploy.py", text) if "--allow-traffic" in words]
    return given(parse(verb, words[3:] if words[2] == verb else words[2:]))


def test_params_that_follow_a_cutover_need_the_flags_that_it_gives_and_no_more():
    told = section("After a cutover")
    assert flags(told, "review") == refusals(templates(), templates(database="aurora", aws_weight=100))
    (params,) = re.findall(r"```yaml\n(.*?)```", told, re.DOTALL)
    assert params == "service: {database: aurora}\nload_balancer: {aws_weight: 100}\n"
    assert "service.database: aurora, load_balancer.aws_weight: 100" in _hint(Moved(pointer="aurora"))


def test_requests_go_back_to_the_data_center_with_the_flag_that_it_gives():
    assert flags(section("Requests are on the wrong side"), "up") == refusals(templates(aws_weight=50), templates())
