"""Every rule against its two templates in cases/<id>/: good.json passes it, bad.json has exactly the findings it lists."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from rules._catalogue import house_rules

RULES = house_rules()
CASES = Path(__file__).with_name("cases")


class Linted(SimpleNamespace):
    """What a rule sees of cfn-lint's Template."""

    __hash__ = object.__hash__


def findings(rule_id, template):
    return RULES[rule_id]().match(Linted(template=template))


def case(rule_id, name):
    return json.loads((CASES / rule_id / f"{name}.json").read_text())


@pytest.mark.parametrize("rule_id", RULES)
def test_good_template_passes(rule_id):
    template = case(rule_id, "good")

    assert template["Resources"]
    assert [match.message for match in findings(rule_id, template)] == []


@pytest.mark.parametrize("rule_id", RULES)
def test_bad_template_has_exactly_the_listed_findings(rule_id):
    template = case(rule_id, "bad")
    fix = RULES[rule_id].fix
    listed = [
        (finding["Path"], f"{finding['Says']}. {fix[:1].upper()}{fix[1:]}.")
        for finding in template["Metadata"]["ExpectedFindings"]
    ]

    assert sorted((match.path_string, match.message) for match in findings(rule_id, template)) == listed
    assert listed


@pytest.mark.parametrize("rule_id", RULES)
def test_every_bad_resource_is_told_from_the_others_by_name(rule_id):
    """A message stands alone in a log: it begins with the resource it is about."""
    for match in findings(rule_id, case(rule_id, "bad")):
        about = match.path[1] if match.path[0] == "Resources" else "the template"
        assert match.message.startswith(f"{about}: ")


def test_cases_are_of_rules_that_exist():
    assert {path.name for path in CASES.iterdir()} == set(RULES)


def finding_texts(rule_id, **resources):
    return [match.message for match in findings(rule_id, {"Resources": resources})]


def test_a_dead_version_is_told_with_what_to_move_to():
    [text] = finding_texts(
        "E9121",
        Cluster={"Type": "AWS::RDS::DBCluster", "Properties": {"Engine": "aurora-postgresql", "EngineVersion": "13.7"}},
    )

    assert "aurora-postgresql 13.7: AWS no longer offers it" in text
    assert "move to 17.7" in text


def test_versions_are_judged_by_the_day(monkeypatch):
    service = {"Type": "AWS::ECS::Service", "Properties": {"PlatformVersion": "1.4.0"}}
    function = {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "python3.13"}}
    monkeypatch.setenv("PAYMENTS_TODAY", "2026-11-24")
    assert finding_texts("E9121", Service=service, Function=function) == []

    monkeypatch.setenv("PAYMENTS_TODAY", "2029-07-01")
    [text] = finding_texts("E9121", Service=service, Function=function)
    assert "python3.13: its support ended on 2029-06-30" in text

    monkeypatch.delenv("PAYMENTS_TODAY")
    assert finding_texts("E9121", Service=service) == []


def test_a_version_with_nothing_to_move_to_is_told_all_the_same(monkeypatch):
    monkeypatch.setenv("PAYMENTS_TODAY", "2199-01-01")

    [text] = finding_texts(
        "E9121", Writer={"Type": "AWS::RDS::DBInstance", "Properties": {"CACertificateIdentifier": "rds-ca-rsa2048-g1"}}
    )

    assert "its support ended" in text
    assert "move to" not in text


def test_names_are_judged_by_the_suffix_of_the_template_and_not_without_one():
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "payments-alarms"}}
    tagged = {"Type": "AWS::SNS::Topic", "Properties": {"Tags": [{"Key": "EnvironmentSuffix", "Value": "pr-7"}]}}
    mapped = {"Type": "AWS::SSM::Parameter", "Properties": {"Tags": {"EnvironmentSuffix": "pr-7"}}}

    assert finding_texts("E9101", Topic=topic) == []
    assert len(finding_texts("E9101", Topic=topic, Other=tagged)) == 1
    assert len(finding_texts("E9101", Topic=topic, Other=mapped)) == 1
    assert len(finding_texts("E9103", Topic=topic)) == 1


def test_a_suffix_is_found_as_a_whole_word_and_literally():
    def other(suffix):
        return {"Type": "AWS::SNS::Topic", "Properties": {"Tags": [{"Key": "EnvironmentSuffix", "Value": suffix}]}}

    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "payments-pr-71-alarms"}}

    assert finding_texts("E9101", Topic=topic, Other=other("pr-71")) == []
    assert len(finding_texts("E9101", Topic=topic, Other=other("pr-7"))) == 1
    assert len(finding_texts("E9101", Topic=topic, Other=other("p.-71"))) == 1


def test_an_environment_of_its_own_kind_is_durable_by_what_it_keeps():
    def task(image):
        return {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {"ContainerDefinitions": [{"Image": image}, "no container"]},
        }

    kept = {"Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Retain"}

    assert finding_texts("E9183", Task=task("payments:1")) == []
    assert len(finding_texts("E9183", Task=task("payments:1"), Kept=kept)) == 1


def test_exceptions_are_read_from_any_metadata():
    odd = {"Type": "AWS::SNS::Topic", "Metadata": {"cfn-lint": {"config": "none"}}}
    single = {"Type": "AWS::SNS::Topic", "Metadata": {"cfn-lint": {"config": {"ignore_checks": "E9103"}}}}

    assert finding_texts("E9123", Odd=odd) == []
    assert len(finding_texts("E9123", Single=single)) == 1
