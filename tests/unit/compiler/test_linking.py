"""Every faulty wire fails the build, and the message names both ends."""

from __future__ import annotations

import dataclasses

import pytest

from compiler.bundle import Connection
from compiler.linking import link
from contract.stack import Nested, System
from settings.errors import LinkError, NamingError, ParamsError, TierError

NETWORK = """
class Inputs(BaseInputs): pass
class Outputs(BaseOutputs):
    vpc_id: Output[VpcId]
def build(stack, needs):
    vpc = stack.add(ec2.VPC("Vpc", CidrBlock="10.0.0.0/16"))
    stack.give(Outputs.vpc_id, Ref(vpc))
"""
SUBNETS = """
class Inputs(BaseInputs):
    vpc_id: Wire[VpcId]
class Outputs(BaseOutputs):
    subnet_id: Output[SubnetId]
def build(stack, needs):
    subnet = stack.add(ec2.Subnet("Subnet", VpcId=needs.vpc_id.ref, CidrBlock="10.0.0.0/24"))
    stack.give(Outputs.subnet_id, Ref(subnet))
"""


def problems(system, settings):
    with pytest.raises(LinkError) as caught:
        link(system, settings)
    assert caught.value.hint
    return caught.value.problems


def test_links_two_tiers(two_tiers, dev):
    bundle = link(two_tiers, dev)
    assert list(bundle.templates) == ["network", "firewall", "root"]
    root, firewall = bundle.templates["root"], bundle.templates["firewall"]
    assert root["Resources"]["Firewall"]["Properties"]["Parameters"] == {
        "VpcId": {"Fn::GetAtt": ["Network", "Outputs.VpcId"]}
    }
    assert root["Resources"]["Firewall"]["Properties"]["TemplateURL"] == "firewall.template.json"
    assert "Parameters" not in root["Resources"]["Network"]["Properties"]
    assert root["Outputs"]["VPCId"]["Value"] == {"Fn::GetAtt": ["Network", "Outputs.VpcId"]}
    assert firewall["Parameters"]["VpcId"]["Type"] == "String"
    assert "from network" in firewall["Parameters"]["VpcId"]["Description"]
    assert firewall["Resources"]["Group"]["Properties"]["VpcId"] == {"Ref": "VpcId"}
    assert bundle.connections == (Connection("network", "VpcId", "firewall", "VpcId", "VpcId"),)
    assert set(bundle.resources()) == {
        "network.Vpc",
        "network.Subnet",
        "firewall.Group",
        "root.Network",
        "root.Firewall",
    }


def test_the_stacks_of_a_durable_environment_are_kept_together(two_tiers, dev):
    for protection, deletion, replacement in (
        ("durable", "RetainExceptOnCreate", "Retain"),
        ("disposable", "Delete", "Delete"),
    ):
        root = link(two_tiers, dataclasses.replace(dev, protection=protection)).templates["root"]
        for nested in root["Resources"].values():
            assert (nested["DeletionPolicy"], nested["UpdateReplacePolicy"]) == (deletion, replacement)


def test_a_missing_wire_names_the_input(tier, dev):
    subnets = tier("subnets", SUBNETS)
    system = System("x", (Nested(subnets.TIER, subnets.Inputs()),), {"S": subnets.Outputs.subnet_id})
    assert problems(system, dev) == ["subnets.vpc_id (VpcId) is wired to no output"]


def test_a_wire_of_the_wrong_kind_names_both_ends(tier, dev):
    network, subnets, other = tier("network", NETWORK), tier("subnets", SUBNETS), tier("other", SUBNETS)
    system = System(
        "x",
        (
            Nested(network.TIER, network.Inputs()),
            Nested(subnets.TIER, subnets.Inputs(vpc_id=network.Outputs.vpc_id)),
            Nested(other.TIER, other.Inputs(vpc_id=subnets.Outputs.subnet_id)),
        ),
        {"S": other.Outputs.subnet_id},
    )
    assert problems(system, dev) == ["subnets.subnet_id (SubnetId) cannot feed other.vpc_id (VpcId): the kinds differ"]


def test_a_misspelt_input_is_guessed(tier, dev):
    network, subnets = tier("network", NETWORK), tier("subnets", SUBNETS)
    system = System(
        "x",
        (
            Nested(network.TIER, network.Inputs()),
            Nested(subnets.TIER, subnets.Inputs(vcp_id=network.Outputs.vpc_id)),
        ),
        {"S": subnets.Outputs.subnet_id},
    )
    assert problems(system, dev) == [
        "subnets.vpc_id (VpcId) is wired to no output",
        "network.vpc_id (VpcId) is wired to subnets.vcp_id, which subnets does not need; did you mean vpc_id?",
    ]


def test_a_surplus_wire_without_a_guess(tier, dev):
    network = tier("network", NETWORK)
    system = System("x", (Nested(network.TIER, network.Inputs(zzz=1)),), {"V": network.Outputs.vpc_id})
    assert problems(system, dev) == ["1 is wired to network.zzz, which network does not need"]


def test_a_misspelt_output_names_the_tier(tier):
    network = tier("network", NETWORK)
    with pytest.raises(LinkError, match="tier network gives no output vcp_id") as caught:
        network.Outputs.vcp_id  # noqa: B018 - the access is the test
    assert caught.value.hint == "did you mean vpc_id?"
    with pytest.raises(LinkError) as caught:
        network.Outputs.zzz  # noqa: B018
    assert caught.value.hint == "declare it in class Outputs of templates/network.py"
    with pytest.raises(AttributeError):
        network.Outputs.__zzz__  # noqa: B018


def test_what_is_no_output_cannot_be_wired(tier, dev):
    subnets = tier("subnets", SUBNETS)
    system = System("x", (Nested(subnets.TIER, subnets.Inputs(vpc_id="vpc-1")),), {"S": subnets.Outputs.subnet_id})
    assert problems(system, dev) == ["subnets.vpc_id (VpcId) is wired to 'vpc-1', which is no tier's output"]


def test_a_tier_outside_the_tree_feeds_nothing(tier, dev):
    network, subnets = tier("network", NETWORK), tier("subnets", SUBNETS)
    system = System(
        "x",
        (Nested(subnets.TIER, subnets.Inputs(vpc_id=network.Outputs.vpc_id)),),
        {"S": subnets.Outputs.subnet_id, "V": network.Outputs.vpc_id},
    )
    assert problems(system, dev) == [
        "network.vpc_id (VpcId) feeds subnets.vpc_id, but network is not in the tree",
        "root exposes V from network.vpc_id (VpcId), a tier that is not in the tree",
    ]


def test_an_output_that_nobody_takes(tier, dev):
    network = tier("network", NETWORK)
    system = System("x", (Nested(network.TIER, network.Inputs()),), {})
    assert problems(system, dev) == [
        "network.vpc_id (VpcId) is given, but no tier takes it: remove it, or declare it a Report"
    ]


def test_a_circle_names_every_tier_on_it(tier, dev):
    one = tier("one", SUBNETS.replace("Output[SubnetId]", "Output[VpcId]"))
    two = tier("two", SUBNETS.replace("Output[SubnetId]", "Output[VpcId]"))
    system = System(
        "x",
        (
            Nested(one.TIER, one.Inputs(vpc_id=two.Outputs.subnet_id)),
            Nested(two.TIER, two.Inputs(vpc_id=one.Outputs.subnet_id)),
        ),
        {},
    )
    (problem,) = problems(system, dev)
    assert problem.startswith("tiers feed each other in a circle: ")
    assert "one.SubnetId → two.VpcId" in problem
    assert "two.SubnetId → one.VpcId" in problem


def test_an_output_never_given_and_an_input_never_used(tier, dev):
    network = tier("network", NETWORK)
    idle = tier(
        "idle",
        """
class Inputs(BaseInputs):
    vpc_id: Wire[VpcId]
class Outputs(BaseOutputs):
    subnet_id: Output[SubnetId]
    extra: Report[SubnetId]
def build(stack, needs):
    stack.add(ec2.VPC("Vpc", CidrBlock="10.0.0.0/16"))
""",
    )
    system = System(
        "x",
        (Nested(network.TIER, network.Inputs()), Nested(idle.TIER, idle.Inputs(vpc_id=network.Outputs.vpc_id))),
        {"S": idle.Outputs.subnet_id},
    )
    assert problems(system, dev) == [
        "idle.subnet_id (SubnetId) is declared, but idle never gives it",
        "network.vpc_id (VpcId) feeds idle.vpc_id, but idle never uses it",
    ]


@pytest.mark.parametrize(
    "value",
    ['Sub("${VpcId}-x")', 'Sub("${V}", V=needs.vpc_id.ref)', 'Sub("x-${VpcId.Arn}")'],
)
def test_a_use_inside_sub_counts(tier, dev, value):
    network = tier("network", NETWORK)
    user = tier(
        "user",
        f"""
class Inputs(BaseInputs):
    vpc_id: Wire[VpcId]
class Outputs(BaseOutputs): pass
def build(stack, needs):
    stack.add(ec2.EIP("Eip", Domain={value}))
""",
    )
    system = System(
        "x",
        (Nested(network.TIER, network.Inputs()), Nested(user.TIER, user.Inputs(vpc_id=network.Outputs.vpc_id))),
        {},
    )
    assert len(link(system, dev).connections) == 1


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("Ref(vpc)", "AWS::EC2::VPC.Ref"),
        ('"subnet-1"', "literal"),
        ('GetAtt(vpc, "CidrBlock")', "AWS::EC2::VPC.CidrBlock"),
    ],
)
def test_an_output_whose_expression_is_of_another_kind(tier, dev, expression, said):
    liar = tier(
        "liar",
        f"""
class Inputs(BaseInputs): pass
class Outputs(BaseOutputs):
    subnet_id: Output[SubnetId]
def build(stack, needs):
    vpc = stack.add(ec2.VPC("Vpc", CidrBlock="10.0.0.0/16"))
    stack.give(Outputs.subnet_id, {expression})
""",
    )
    system = System("x", (Nested(liar.TIER, liar.Inputs()),), {"S": liar.Outputs.subnet_id})
    assert problems(system, dev) == [f"liar.subnet_id (SubnetId) is given {said}, which is no SubnetId"]


@pytest.mark.parametrize("expression", ['Sub("${Vpc}")', 'Ref("AWS::Region")', 'GetAtt("Nope", "Arn")'])
def test_an_expression_that_cannot_be_told_is_left_to_the_reader(tier, dev, expression):
    clever = tier(
        "clever",
        f"""
class Inputs(BaseInputs): pass
class Outputs(BaseOutputs):
    subnet_id: Output[SubnetId]
def build(stack, needs):
    vpc = stack.add(ec2.VPC("Vpc", CidrBlock="10.0.0.0/16"))
    stack.give(Outputs.subnet_id, {expression})
""",
    )
    system = System("x", (Nested(clever.TIER, clever.Inputs()),), {"S": clever.Outputs.subnet_id})
    assert "clever" in link(system, dev).templates


def test_a_parameter_used_where_another_kind_is_wanted(tier, dev):
    network = tier("network", NETWORK)
    wrong = tier(
        "wrong",
        """
class Inputs(BaseInputs):
    vpc_id: Wire[VpcId]
class Outputs(BaseOutputs): pass
def build(stack, needs):
    stack.add(ec2.NatGateway("Nat", SubnetId=needs.vpc_id.ref))
""",
    )
    system = System(
        "x",
        (Nested(network.TIER, network.Inputs()), Nested(wrong.TIER, wrong.Inputs(vpc_id=network.Outputs.vpc_id))),
        {},
    )
    assert problems(system, dev) == ["network.vpc_id (VpcId) reaches wrong.Nat.SubnetId, which wants SubnetId"]


def test_names_are_checked_over_the_whole_tree(tier, dev):
    source = """
class Inputs(BaseInputs): pass
class Outputs(BaseOutputs): pass
def build(stack, needs):
    stack.add(logs.LogGroup("Group", LogGroupName=stack.name(names.LOG_GROUP, "same")))
"""
    one, two = tier("one", source), tier("two", source)
    system = System("x", (Nested(one.TIER, one.Inputs()), Nested(two.TIER, two.Inputs())), {})
    with pytest.raises(NamingError, match="log group name '/payments/dev/same' is claimed twice"):
        link(system, dev)


def test_the_order_of_declaration_does_not_matter(tier, dev):
    tiers = [tier(name, NETWORK) for name in ("east", "north", "west")]
    nested = tuple(Nested(made.TIER, made.Inputs()) for made in tiers)
    exposed = {made.TIER.name: made.Outputs.vpc_id for made in tiers}
    one = link(System("x", nested, exposed), dev)
    other = link(System("x", nested[::-1], exposed), dev)
    assert list(one.templates) == list(other.templates) == ["east", "north", "west", "root"]
    assert one == other


def test_a_stack_beside_the_tree_is_the_same_for_every_environment(tier, dev, two_tiers):
    account = tier(
        "account",
        """
class Inputs(BaseInputs): pass
class Outputs(BaseOutputs): pass
def build(stack, needs):
    stack.add(ec2.VPC("Vpc", CidrBlock="10.0.0.0/16"))
""",
    )
    system = dataclasses.replace(two_tiers, beside=(account.TIER,))
    first = link(system, dev)
    tags = dataclasses.replace(dev.tags, author="somebody", pr_number="7", team="core")
    second = link(system, dataclasses.replace(dev, env="staging", suffix="pr-7", tags=tags))
    assert first.templates["account"] == second.templates["account"]
    assert "Account" not in first.templates["root"]["Resources"]
    assert {"Key": "Environment", "Value": "account"} in first.templates["account"]["Resources"]["Vpc"]["Properties"][
        "Tags"
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('stack.add(ec2.VPC("Vpc", CidrBlock=5))', "Vpc.CidrBlock is <class 'int'>, expected <class 'str'>"),
        ('stack.add(ec2.Route("Route"))', "Resource RouteTableId required in type AWS::EC2::Route"),
        ('stack.add(ec2.VPC("V-1"))', "Name .V-1. not alphanumeric"),
        ("needs.nothing", "cannot be built: 'Inputs' object has no attribute 'nothing'"),
        ("1 / 0", "cannot be built: ZeroDivisionError: division by zero"),
        ("{}['x']", "cannot be built: KeyError: 'x'"),
        ("import nope", "cannot be built: ModuleNotFoundError: No module named 'nope'"),
        ("assert False, 'never'", "cannot be built: AssertionError: never"),
    ],
)
def test_a_tier_that_raises_is_named(tier, dev, line, said):
    bad = tier(
        "bad",
        f"""
class Inputs(BaseInputs): pass
class Outputs(BaseOutputs): pass
def build(stack, needs):
    {line}
""",
    )
    with pytest.raises(TierError, match=said) as caught:
        link(System("x", (Nested(bad.TIER, bad.Inputs()),), {}), dev)
    assert caught.value.problems[0].startswith("templates/bad.py: tier bad cannot be built: ")


def test_the_line_of_the_tier_module_is_named(dev):
    """A tier in a file of its own, as in templates/: `network` fed with settings that troposphere cannot take."""
    from templates import encryption

    broken = dataclasses.replace(dev, security=dataclasses.replace(dev.security, key_deletion_window_days="soon"))
    with pytest.raises(TierError, match=r"templates/encryption.py:\d+: tier encryption cannot be built"):
        link(
            System(
                "x",
                (Nested(encryption.TIER, encryption.Inputs()),),
                {"D": encryption.Outputs.data_key_arn, "L": encryption.Outputs.logs_key_arn},
            ),
            broken,
        )


def test_a_name_too_long_is_told_by_the_policy_before_troposphere_does(tier, dev, capsys):
    front = tier(
        "front",
        """
from troposphere import elasticloadbalancingv2 as elb
class Inputs(BaseInputs): pass
class Outputs(BaseOutputs): pass
def build(stack, needs):
    stack.add(elb.LoadBalancer("Alb", Name=stack.name(names.LOAD_BALANCER, "front")))
""",
    )
    later = tier(
        "later",
        """
class Inputs(BaseInputs): pass
class Outputs(BaseOutputs): pass
def build(stack, needs):
    stack.add(ec2.EIP("Eip", Domain=stack.name(names.TARGET_GROUP, "much-longer")))
    stack.named_elsewhere(names.TOPIC, "not-yet")
""",
    )
    system = System("x", (Nested(front.TIER, front.Inputs()), Nested(later.TIER, later.Inputs())), {})
    with pytest.raises(NamingError) as caught:
        link(system, dataclasses.replace(dev, suffix="a" * 30))
    assert len(caught.value.problems) == 2
    assert caught.value.hint.startswith("use a suffix of at most 11 characters")
    assert capsys.readouterr() == ("", "")


def test_an_error_that_a_tier_words_itself_is_passed_on(tier, dev):
    """A tier that reads a certificate from params says what is wrong with it; nothing is put around that."""
    own = tier(
        "own",
        """
from settings.errors import ParamsError
class Inputs(BaseInputs): pass
class Outputs(BaseOutputs): pass
def build(stack, needs):
    raise ParamsError("data_center.database_ca_pem: is gone", hint="put it back")
""",
    )
    with pytest.raises(ParamsError, match=r"^data_center.database_ca_pem: is gone$") as caught:
        link(System("x", (Nested(own.TIER, own.Inputs()),), {}), dev)
    assert caught.value.hint == "put it back"
