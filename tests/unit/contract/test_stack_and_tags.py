"""What every tier owes and `Stack` does for it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from troposphere import GetAtt, Ref, ec2, kms, logs, ssm

from compiler.registry import distil, main
from contract import names as rules
from contract import tags, wiring
from contract.kinds import VpcId
from contract.names import Names
from contract.stack import Stack, Tier
from contract.tags import registry, tag_property, tag_values
from contract.wiring import Output
from settings.errors import LinkError, UserError
from settings.load import load

ROOT = Path(__file__).parents[3]


class Inputs(wiring.Inputs):
    pass


class Outputs(wiring.Outputs):
    vpc_id: Output[VpcId]


@pytest.fixture
def dev():
    return load(ROOT / "params", "dev", None, {})


def stack_of(settings):
    return Stack("test_stack_and_tags", "test", settings, Names(settings.system, settings.suffix))


def test_tags_of_an_environment(dev):
    assert tag_values(dev) == {
        "CostCenter": "finance",
        "Environment": "dev",
        "EnvironmentSuffix": "dev",
        "MigrationPhase": "active",
    }
    known = dataclasses.replace(dev.tags, author="a", pr_number="7", repository="r", team="t")
    assert list(tag_values(dataclasses.replace(dev, tags=known))) == [
        "Author",
        "CostCenter",
        "Environment",
        "EnvironmentSuffix",
        "MigrationPhase",
        "PRNumber",
        "Repository",
        "Team",
    ]


def test_tags_in_the_form_that_the_type_wants(dev):
    stack = stack_of(dev)
    vpc = stack.add(ec2.VPC("Vpc", CidrBlock="10.0.0.0/16"), name="vpc").to_dict()
    assert {"Key": "Name", "Value": "payments-dev-vpc"} in vpc["Properties"]["Tags"]
    assert {"Key": "Environment", "Value": "dev"} in vpc["Properties"]["Tags"]
    parameter = stack.add(ssm.Parameter("P", Type="String", Value="x")).to_dict()
    assert parameter["Properties"]["Tags"]["Environment"] == "dev"
    alias = stack.add(kms.Alias("Alias", AliasName="alias/x", TargetKeyId="k")).to_dict()
    assert "Tags" not in alias["Properties"]


def test_an_unknown_type_is_an_error_not_a_guess():
    with pytest.raises(UserError, match="AWS::Nope::Nope is not in registry.json") as caught:
        tag_property("AWS::Nope::Nope", {})
    assert caught.value.hint == "run: python -m compiler.registry AWS::Nope::Nope"


def test_the_registry_agrees_with_the_schemas_that_cfn_lint_ships():
    assert registry() == {resource_type: distil(resource_type) for resource_type in registry()}


def tagging(facts):
    return {name: facts[name] for name in ("tags", "property") if name in facts}


def test_the_registry_knows_the_odd_ones():
    table = {name: tagging(facts) for name, facts in registry().items()}
    assert table["AWS::DMS::ReplicationInstance"] == {"tags": "list", "property": "Tags"}  # no `tagging` block
    assert table["AWS::SSM::Parameter"]["tags"] == "map"
    assert table["AWS::DMS::Certificate"] == {"tags": None}
    assert table["AWS::KMS::Alias"] == {"tags": None}
    assert distil("AWS::Route53::HostedZone")["property"] == "HostedZoneTags"
    assert tagging(distil("AWS::AppSync::Api")) == {"tags": "list", "property": "Tags"}  # declared by reference
    assert tagging(distil("AWS::ARCRegionSwitch::Plan")) == {"tags": "map", "property": "Tags"}  # the same, as a map


def test_a_type_is_added_to_the_registry(tmp_path, monkeypatch):
    target = tmp_path / "registry.json"
    monkeypatch.setattr("compiler.registry.REGISTRY_FILE", target)
    assert main(["AWS::EC2::VPC"]) == 0
    assert main(["AWS::KMS::Alias"]) == 0
    types = json.loads(target.read_text())["types"]
    assert {name: tagging(facts) for name, facts in types.items()} == {
        "AWS::EC2::VPC": {"tags": "list", "property": "Tags"},
        "AWS::KMS::Alias": {"tags": None},
    }
    assert "CidrBlock" in types["AWS::EC2::VPC"]["create_only"]
    assert target != tags.REGISTRY_FILE


def test_a_type_that_does_not_exist_is_not_added(tmp_path, monkeypatch, capsys):
    target = tmp_path / "registry.json"
    monkeypatch.setattr("compiler.registry.REGISTRY_FILE", target)
    assert main(["AWS::EC2::Vpc"]) == 2
    error, advice = capsys.readouterr().err.splitlines()
    assert error == "error: AWS::EC2::Vpc: the schemas of this cfn-lint know no such type"
    assert advice.startswith("next: mind upper and lower case")
    assert not target.exists()


@pytest.mark.parametrize(
    ("protection", "snapshot", "deletion", "replacement"),
    [
        ("durable", False, "RetainExceptOnCreate", "Retain"),
        ("durable", True, "Snapshot", "Snapshot"),
        ("disposable", True, "Delete", "Delete"),
        ("disposable", False, "Delete", "Delete"),
    ],
)
def test_stateful_resources_are_kept_only_where_durable(dev, protection, snapshot, deletion, replacement):
    stack = stack_of(dataclasses.replace(dev, protection=protection))
    group = stack.add_stateful(logs.LogGroup("G"), snapshot=snapshot).to_dict()
    assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == (deletion, replacement)


def test_an_exception_is_written_on_the_resource_with_its_reason(dev):
    stack = stack_of(dev)
    group = stack.add(logs.LogGroup("G"), excepted={"E9999": "because"}).to_dict()
    assert group["Metadata"] == {
        "cfn-lint": {"config": {"ignore_checks": ["E9999"]}},
        "Exceptions": {"E9999": "because"},
    }


def test_outputs_are_given_once_and_only_one_s_own(dev):
    stack = stack_of(dev)
    vpc = stack.add(ec2.VPC("Vpc", CidrBlock="10.0.0.0/16"))
    stack.give(Outputs.vpc_id, Ref(vpc))
    output = stack.template.to_dict()["Outputs"]["VpcId"]
    assert output["Value"] == {"Ref": "Vpc"}
    assert output["Description"] == "vpc id: Id of a VPC"
    with pytest.raises(LinkError, match="given twice"):
        stack.give(Outputs.vpc_id, GetAtt(vpc, "VpcId"))
    other = Stack("other", "test", dev, Names("payments", "dev"))
    with pytest.raises(LinkError, match="tier other gives test_stack_and_tags.vpc_id"):
        other.give(Outputs.vpc_id, Ref(vpc))


def test_names_go_through_the_policy(dev):
    names = Names("payments", "dev")
    stack = Stack("service", "test", dev, names)
    assert stack.name(rules.ALARM, "lag") == "payments-dev-lag"
    assert stack.named_elsewhere(rules.TOPIC, "alarms") == "payments-dev-alarms"
    assert list(names.problems()) == ["service refers to SNS topic 'payments-dev-alarms', which no tier creates"]


def test_a_tier_is_named_by_its_module():
    assert Tier(Inputs, Outputs, lambda stack, needs: None, "x").name == "test_stack_and_tags"
