from __future__ import annotations

from deployer.forecast.params import changed_params


def root(**settings):
    return {"Metadata": {"Settings": settings}, "Resources": {}}


def test_each_changed_key_is_named_as_params_name_it():
    before = root(region="us-east-1", database={"engine_version": "17.7", "multi": True}, network={"cidrs": ["a", "b"]})
    after = root(
        region="us-east-1",
        database={"engine_version": "17.10", "multi": False},
        network={"cidrs": [], "vpn": {"bgp_asn": 65000}},
    )
    assert changed_params(before, after) == (
        ("database.engine_version", "17.7", "17.10"),
        ("database.multi", "true", "false"),
        ("network.cidrs", "a, b", "(none)"),
        ("network.vpn.bgp_asn", "(not set)", "65000"),
    )
    assert changed_params(after, before)[-1] == ("network.vpn.bgp_asn", "65000", "(not set)")


def test_without_a_record_to_compare_with_nothing_is_told():
    assert changed_params(None, root(a=1)) == ()
    assert changed_params({"Resources": {}}, root(a=1)) == ()
    assert changed_params(root(a=1), root(a=1)) == ()


def test_the_golden_templates_carry_what_it_reads(prod, edited):
    after = edited(lambda t: t["root"]["Metadata"]["Settings"]["database"].update(engine_version="17.10"))
    before = prod["root"]["Metadata"]["Settings"]["database"]["engine_version"]
    assert changed_params(prod["root"], after["root"]) == (("database.engine_version", before, "17.10"),)
