"""The rules as a whole: complete, told apart, loaded by cfn-lint itself, and held to system.md."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from types import ModuleType

import pytest
from cfnlint.config import ConfigMixIn
from cfnlint.helpers import load_plugins
from cfnlint.runner import Runner

import rules
from rules._base import HouseRule
from rules._catalogue import house_rules
from rules._template import Resource, Template

RULES = house_rules()

# What independent suites do not see, or one only (the design's own list), and the rules that hold it.
CONTROLS = {
    "DMS task logging off": ["E9171"],
    "DMS validation off": ["E9172"],
    "DMS replication instance without KMS key": ["E9140"],
    "target group over plain HTTP": ["E9154"],
    "a password literal in a Lambda environment": ["E9117"],
    "Aurora BackupRetentionPeriod 0": ["E9160"],
    "an SNS topic policy that admits plain HTTP": ["E9151"],
    "rds.force_ssl 0": ["E9157"],
    "DMS SslMode none": ["E9152"],
    "container user": ["E9180"],
    "read-only root": ["E9181"],
    "public IP": ["E9131"],
    "alarm actions missing": ["E9202"],
    "flow log": ["E9200"],
    "WAF association": ["E9193"],
    "WAF logging": ["E9194"],
    "TLS-only bucket policy": ["E9150"],
    "secret rotation": ["E9116"],
    "state machine log level": ["E9204"],
    "backup selection": ["E9164"],
    "cross-account trust": ["E9113"],
    "log retention of 365 days": ["E9201"],
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_says_what_it_is_about_and_how_to_mend_it(rule):
    assert re.fullmatch(r"[EW]9[12]\d\d", rule.id)
    assert rule.shortdesc
    assert rule.shortdesc[0].isupper()
    assert rule.shortdesc[-1] != "."
    assert rule.description
    assert rule.description != rule.shortdesc
    assert rule.source_url.startswith("https://")
    assert rule.fix
    assert rule.fix[-1] != "."
    assert "house" in rule.tags
    assert inspect.getdoc(rule)
    assert inspect.getmodule(rule).__doc__.startswith(f"{rule.id}: ")


def test_rules_are_told_apart():
    for word in ("shortdesc", "__name__", "description"):
        assert len({getattr(rule, word) for rule in RULES.values()}) == len(RULES)


def test_every_control_that_no_suite_sees_is_held_by_a_rule():
    assert {rule for ids in CONTROLS.values() for rule in ids} <= set(RULES)


def test_one_id_for_two_rules_is_refused(monkeypatch):
    class Twin(HouseRule):
        id = "E9101"

    module = ModuleType("rules.twin")
    Twin.__module__ = module.__name__
    module.Twin = Twin
    monkeypatch.setitem(sys.modules, module.__name__, module)
    walked = [SpecOf("rules.naming.suffix"), SpecOf("rules.twin")]
    monkeypatch.setattr("rules._catalogue.pkgutil.walk_packages", lambda *_: walked)

    with pytest.raises(ValueError, match="E9101 is the id of two rules"):
        house_rules()


class SpecOf:
    def __init__(self, name):
        self.name = name


def test_a_rule_that_finds_nothing_anywhere_is_a_mistake():
    class Empty(HouseRule):
        types = ("AWS::SNS::Topic",)

    template = Template({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    with pytest.raises(NotImplementedError):
        list(Empty().findings(template))
    assert list(Empty().matchall_resource_properties("file", None, {}, "AWS::SNS::Topic", [])) == []


# --- cfn-lint itself -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("on_path", [True, False])
def test_the_entry_gives_cfn_lint_every_rule_wherever_it_runs(root, monkeypatch, on_path):
    path = [str(root)] if on_path else []
    monkeypatch.setattr(sys, "path", [*path, *(entry for entry in sys.path if entry not in ("", str(root)))])

    loaded = load_plugins(str(root / "rules/entry"))

    assert sorted(rule.id for rule in loaded) == list(RULES)
    assert sys.path.count(str(root)) == 1


def run_configured(root, monkeypatch, tmp_path, template):
    monkeypatch.chdir(root)
    file = tmp_path / "template.json"
    file.write_text(json.dumps(template))
    runner = Runner(ConfigMixIn(["--config-file", ".cfnlintrc", "--template", str(file)]))
    return runner, list(runner.run())


def test_the_configuration_loads_every_rule_and_lets_no_template_silence_exceptions(root, monkeypatch, tmp_path):
    silent = {"cfn-lint": {"config": {"ignore_checks": ["E9123", "E9140", "E9103"]}}}
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Metadata": {"cfn-lint": {"config": {"ignore_checks": ["E9123"]}}},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Metadata": silent, "Properties": {}}},
    }

    runner, matches = run_configured(root, monkeypatch, tmp_path, template)

    assert set(RULES) <= set(runner.rules)
    assert runner.config.regions == ["us-east-1"]
    found = sorted((match.rule.id, match.path_string) for match in matches if match.rule.id in RULES)
    assert found == [
        ("E9123", "Metadata/cfn-lint/config/ignore_checks/0"),
        ("E9123", "Resources/Topic/Metadata/cfn-lint/config/ignore_checks/0"),
        ("E9123", "Resources/Topic/Metadata/cfn-lint/config/ignore_checks/1"),
        ("E9123", "Resources/Topic/Metadata/cfn-lint/config/ignore_checks/2"),
        ("E9151", "Resources/Topic/Properties"),
    ]
    assert all(match.linenumber == 1 and match.rule.severity == "error" for match in matches if match.rule.id in RULES)


def test_the_command_line_finds_the_rules_from_another_folder(root, tmp_path):
    bad = root / "tests/unit/rules/cases/E9154/bad.json"
    # What the console script does; -P keeps the current folder off the path, as the script's own folder is.
    command = [sys.executable, "-P", "-c", "from cfnlint.runner import main; main()"]
    options = ["--append-rules", str(root / "rules/entry"), "--format", "json", "--", str(bad)]

    done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False)

    found = [item for item in json.loads(done.stdout) if item["Rule"]["Id"] == "E9154"]
    listed = [finding["Path"] for finding in json.loads(bad.read_text())["Metadata"]["ExpectedFindings"]]
    assert sorted("/".join(item["Location"]["Path"]) for item in found) == listed
    lines = bad.read_text().splitlines()
    shown = {item["Message"]: lines[item["Location"]["Start"]["LineNumber"] - 1].strip() for item in found}
    where = {message.partition(". ")[0]: line for message, line in shown.items()}
    assert where["Plain: Protocol is HTTP"] == '"Protocol": "HTTP",'
    # A property that is missing is shown at the nearest thing that should hold it.
    assert where["DefaultHealth: HealthCheckProtocol is HTTP by default"] == '"Properties": {'


def test_resources_show_themselves_without_their_template():
    [resource] = Template({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}).resources

    assert isinstance(resource, Resource)
    assert "Template" not in repr(resource)
    assert resource.template.resources == [resource]


def test_the_package_says_where_to_look():
    for folder in (
        "naming",
        "identity",
        "secrets",
        "keeping",
        "exposure",
        "encryption",
        "transit",
        "database",
        "migration",
        "service",
        "load_balancer",
        "observability",
    ):
        assert any(rule.__module__.startswith(f"rules.{folder}.") for rule in RULES.values())
    assert "rules/entry" in rules.__doc__
