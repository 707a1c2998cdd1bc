"""Small tiers made from source text, so that a test shows the whole tree that it judges."""

from __future__ import annotations

import dataclasses
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract.stack import Nested, System, Tier
from settings.load import load
from settings.model import Settings

ROOT = Path(__file__).parents[3]
_PRELUDE = """
from __future__ import annotations
from troposphere import GetAtt, Ref, Sub, ec2, logs
from contract.kinds import *
from contract import names
from contract.stack import Tier
from contract.wiring import Inputs as BaseInputs, Output, Outputs as BaseOutputs, Report, Wire
"""
NETWORK = """
class Inputs(BaseInputs): pass
class Outputs(BaseOutputs):
    vpc_id: Output[VpcId]
    subnet_id: Report[SubnetId]
def build(stack, needs):
    vpc = stack.add(ec2.VPC("Vpc", CidrBlock="10.0.0.0/16"))
    subnet = stack.add(ec2.Subnet("Subnet", VpcId=Ref(vpc), CidrBlock="10.0.0.0/24"))
    stack.give(Outputs.vpc_id, Ref(vpc))
    stack.give(Outputs.subnet_id, Ref(subnet))
"""
FIREWALL = """
class Inputs(BaseInputs):
    vpc_id: Wire[VpcId]
class Outputs(BaseOutputs):
    group_id: Report[SecurityGroupId]
def build(stack, needs):
    group = stack.add(ec2.SecurityGroup("Group", GroupDescription="x", VpcId=needs.vpc_id.ref))
    stack.give(Outputs.group_id, GetAtt(group, "GroupId"))
"""


@pytest.fixture
def tier() -> Iterator[Callable[[str, str], types.ModuleType]]:
    """Make a tier module of that name from source text; the module has TIER, Inputs and Outputs."""
    made = []

    def make(name: str, source: str) -> types.ModuleType:
        module = types.ModuleType(f"made.{name}")
        sys.modules[module.__name__] = module
        made.append(module.__name__)
        exec(compile(_PRELUDE + source + "\nTIER = Tier(Inputs, Outputs, build, 'made')", name, "exec"), vars(module))
        return module

    yield make
    for name in made:
        sys.modules.pop(name, None)


@pytest.fixture
def dev() -> Settings:
    """The settings of dev, from the real params."""
    return load(ROOT / "params", "dev", None, {})


@pytest.fixture
def two_tiers(tier: Callable[[str, str], types.ModuleType]) -> System:
    """A network that feeds a firewall, and a root that gives the VPC's id."""
    network, firewall = tier("network", NETWORK), tier("firewall", FIREWALL)
    return System(
        "two tiers",
        (Nested(firewall.TIER, firewall.Inputs(vpc_id=network.Outputs.vpc_id)), Nested(network.TIER, network.Inputs())),
        {"VPCId": network.Outputs.vpc_id},
    )


def durable(settings: Settings) -> Settings:
    """The same settings in a durable environment."""
    return dataclasses.replace(settings, protection="durable")


__all__ = ["FIREWALL", "NETWORK", "ROOT", "Tier", "durable"]
