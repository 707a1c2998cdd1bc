"""Declarations of inputs and outputs; how they are judged is in test_linking.py."""

from __future__ import annotations

import pytest

from contract import kinds, wiring
from contract.kinds import Kind, SubnetId, VpcId, every_kind
from contract.wiring import Output, Report, Wire, camel_case
from settings.errors import LinkError


class Inputs(wiring.Inputs):
    vpc_id: Wire[VpcId]


class Outputs(wiring.Outputs):
    subnet_1_id: Output[SubnetId]
    vpc: Report[kinds.VpcId]


def test_fields_become_ends_of_wires():
    assert Outputs.subnet_1_id.label == "Subnet1Id"
    assert Outputs.subnet_1_id.kind is SubnetId
    assert Outputs.subnet_1_id.tier == "test_wiring"
    assert repr(Outputs.subnet_1_id) == "test_wiring.subnet_1_id (SubnetId)"
    assert isinstance(Outputs.vpc, Report)
    assert list(Outputs.fields()) == ["subnet_1_id", "vpc"]
    assert Inputs.kinds() == {"vpc_id": VpcId}


def test_the_inside_of_a_tier_sees_references():
    inside = Inputs(**Inputs.parameters())
    assert inside.vpc_id.ref.to_dict() == {"Ref": "VpcId"}
    assert inside.wires == {"vpc_id": inside.vpc_id}


def test_an_output_cannot_be_referenced_from_another_template():
    with pytest.raises(LinkError, match=r"test_wiring.subnet_1_id \(SubnetId\) is an output"):
        Outputs.subnet_1_id.ref  # noqa: B018 - the access is the test


@pytest.mark.parametrize("annotation", ["str", "Wire[VpcId]", "Output[str]", "Output[Missing]", "Output[VpcId] | None"])
def test_a_declaration_without_a_kind(annotation):
    with pytest.raises(LinkError, match=r"Bad.field: .* is not Output\[Kind\] or Report\[Kind\]"):
        type("Bad", (wiring.Outputs,), {"__annotations__": {"field": annotation}, "__module__": __name__})


def test_camel_case():
    assert camel_case("private_subnet_1_id") == "PrivateSubnet1Id"


def test_kinds_are_told_apart():
    table = every_kind()
    assert table["VpcId"] is VpcId
    for kind in table.values():
        assert issubclass(kind, Kind)
        assert kind.__doc__
        assert kind.sources, f"{kind.__name__} has no source: no output could be of it"
