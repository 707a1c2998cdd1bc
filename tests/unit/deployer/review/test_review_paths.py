"""Security groups: what is let through after a change that was not before, and the other way round."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.review.concerns.paths import Path
from deployer.review.model import Concern

GROUP = "security.DatabaseSecurityGroup"
INGRESS = "AWS::EC2::SecurityGroupIngress"
GROUP_ID = {"Fn::GetAtt": ["DatabaseSecurityGroup", "GroupId"]}


def tcp(low, high=None, **peer):
    return {
        "IpProtocol": "tcp",
        "FromPort": low,
        "ToPort": low if high is None else high,
        **(peer or {"CidrIp": "10.0.0.0/16"}),
    }


def texts(item, concern=Concern.ACCESS):
    return [finding.text for finding in item.findings if finding.concern is concern]


# --- one path and another --------------------------------------------------------------------------------------------
PATHS = st.builds(
    Path, st.sampled_from(["a", "b"]), st.booleans(), st.sampled_from(["-1", "tcp"]), st.integers(0, 5), st.integers(5, 9),
    st.sampled_from(["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "::/0", "fd00::/8", "${security.X.GroupId}"]),
)  # fmt: skip


@given(PATHS, PATHS, PATHS)
def test_what_covers_covers_what_that_covers(first, second, third):
    assert first.covers(first)
    if first.covers(second) and second.covers(third):
        assert first.covers(third)
    if first.covers(second) and second.protocol == "tcp":
        assert first.protocol == "-1" or (first.low <= second.low and second.high <= first.high)


@given(st.integers(0, 32), st.integers(0, 32), st.integers(0, 2**32 - 1))
def test_a_network_covers_exactly_its_addresses(wide, narrow, address):
    def path(bits):
        return Path("g", True, "tcp", 1, 1, str(ipaddress.ip_network((address, bits), strict=False)))

    assert path(wide).covers(path(narrow)) is (wide <= narrow)


@pytest.mark.parametrize(
    ("wider", "narrower", "covers"),
    [
        ("::/0", "fd00::/8", True),
        ("fd00::/8", "::/0", False),
        ("::/0", "10.0.0.0/8", False),
        ("0.0.0.0/0", "fd00::/8", False),
    ],
)
def test_the_two_internets_are_two(wider, narrower, covers):
    assert Path("g", True, "tcp", 1, 1, wider).covers(Path("g", True, "tcp", 1, 1, narrower)) is covers


@pytest.mark.parametrize(
    ("protocol", "ports", "known", "left"),
    [
        ("tcp", (1, 9), [], [(1, 9)]),
        ("tcp", (1, 9), [(1, 9)], []),
        ("tcp", (1, 9), [(0, 99)], []),
        ("tcp", (1, 9), [(1, 3), (4, 9)], []),  # none of them alone
        ("tcp", (1, 9), [(3, 5)], [(1, 2), (6, 9)]),
        ("udp", (1, 9), [(1, 1), (9, 9), (5, 5)], [(2, 4), (6, 8)]),
        ("tcp", (1, 9), [(8, 20)], [(1, 7)]),
        ("tcp", (1, 9), [(20, 30)], [(1, 9)]),
        ("icmp", (3, 4), [(3, 3)], [(3, 4)]),  # a type and a code are no range
    ],
)
def test_of_a_path_only_the_ports_that_are_new_are_told(protocol, ports, known, left):
    path = Path("g", True, protocol, *ports, "10.0.0.0/24")
    others = [Path("g", True, protocol, *pair, "10.0.0.0/8") for pair in known]
    strangers = [Path("other", True, protocol, 0, 99, "::/0"), Path("g", False, protocol, 0, 99, "10.0.0.0/8")]
    assert [(part.low, part.high) for part in path.beyond([*others, *strangers])] == left


@given(PATHS, st.lists(PATHS, max_size=4), st.integers(0, 9))
def test_what_is_told_of_a_path_is_what_no_other_lets_through(path, others, port):
    """Port by port, for paths of the same protocol."""
    here = [other for other in others if other.meets(path)]
    if path.protocol == "tcp" and path.low <= port <= path.high:
        open_before = any(other.protocol == "-1" or other.low <= port <= other.high for other in here)
        told = any(part.low <= port <= part.high for part in path.beyond(others))
        assert told is not open_before


def test_a_path_reads_as_a_sentence():
    assert str(Path("g", True, "tcp", 443, 443, "0.0.0.0/0")) == "tcp 443 from 0.0.0.0/0"
    assert str(Path("g", False, "udp", 1, 9, "10.0.0.0/8")) == "udp 1-9 to 10.0.0.0/8"
    assert str(Path("g", False, "-1", 0, 65535, "x")) == "everything to x"


# --- rules of their own ----------------------------------------------------------------------------------------------
def test_a_new_rule_opens_a_path(dev, tools):
    dev.add("security.DatabaseFromOffice", INGRESS, GroupId=GROUP_ID, **tcp(5432, CidrIp="203.0.113.0/24"))
    item = dev.item("security.DatabaseFromOffice")
    assert tools.rules(item) == ["access"]
    assert texts(item) == ["security.DatabaseSecurityGroup lets through tcp 5432 from 203.0.113.0/24"]


def test_a_rule_under_a_new_name_opens_nothing(dev, tools):
    body = dev.after["security"]["Resources"]["DatabaseFromDmsPort5432"]
    dev.drop("security.DatabaseFromDmsPort5432")
    dev.add("security.DatabaseFromReplication", INGRESS, **body["Properties"])
    review = dev.review()
    assert tools.find(review, "security.DatabaseFromReplication").findings == ()
    assert tools.find(review, "security.DatabaseFromDmsPort5432").findings == ()
    assert review.access == "nothing lets more in or allows more"


def test_a_rule_that_goes_closes_a_path(dev, tools):
    dev.drop("security.DatabaseFromDmsPort5432")
    item = dev.item("security.DatabaseFromDmsPort5432")
    assert tools.rules(item) == []
    assert texts(item, Concern.TRAFFIC) == [
        "security.DatabaseSecurityGroup no longer lets through tcp 5432 from security.DmsSecurityGroup"
    ]


@pytest.mark.parametrize(
    ("edit", "wider"),
    [
        ({"ToPort": 5433}, True),
        ({"FromPort": 5000}, True),
        ({"IpProtocol": "-1"}, True),
        ({"IpProtocol": "6"}, False),  # tcp, by number
        ({"Description": "other words"}, False),
        ({"SourceSecurityGroupId": None, "CidrIp": "0.0.0.0/0"}, True),
        ({"SourceSecurityGroupId": {"Ref": "DmsSecurityGroup"}}, False),  # the same group, named otherwise
    ],
)
def test_a_rule_that_changes_is_compared_by_what_it_lets_through(dev, tools, edit, wider):
    dev.replace("security.DatabaseFromDmsPort5432", **edit)
    item = dev.item("security.DatabaseFromDmsPort5432")
    assert bool(texts(item)) is wider
    assert ("access" in tools.rules(item)) is wider


@pytest.mark.parametrize("ports", [{"FromPort": None, "ToPort": None}, {"FromPort": -1, "ToPort": -1}])
def test_a_rule_without_ports_is_for_all_of_them(dev, ports):
    dev.replace("security.DatabaseFromDmsPort5432", **ports)
    assert texts(dev.item("security.DatabaseFromDmsPort5432")) == [
        f"{GROUP} lets through tcp 0-5431 from security.DmsSecurityGroup",
        f"{GROUP} lets through tcp 5433-65535 from security.DmsSecurityGroup",
    ]


def test_a_rule_without_a_peer_is_for_anything(dev):
    dev.replace("security.DatabaseFromDmsPort5432", SourceSecurityGroupId=None)
    assert texts(dev.item("security.DatabaseFromDmsPort5432")) == [
        "security.DatabaseSecurityGroup lets through tcp 5432 from anything"
    ]


def test_a_rule_that_stays_in_the_account_closes_nothing(dev):
    dev.drop("security.DatabaseFromDmsPort5432", "Retain")
    assert dev.item("security.DatabaseFromDmsPort5432").findings == ()


# --- rules within a group --------------------------------------------------------------------------------------------
def test_a_wider_network_is_wider_and_a_part_of_it_is_not(dev):
    for side in ("before", "after"):
        dev.properties(GROUP, side)["SecurityGroupIngress"] = [tcp(99, CidrIp="10.0.0.0/16")]
    dev.edit(GROUP, SecurityGroupIngress=[tcp(99, CidrIp="10.0.1.0/24")])
    item = dev.item(GROUP)
    assert texts(item) == []
    assert texts(item, Concern.TRAFFIC) == [f"{GROUP} no longer lets through tcp 99 from 10.0.0.0/16"]
    dev.changes.clear()
    dev.edit(GROUP, SecurityGroupIngress=[tcp(99, CidrIp="10.0.0.0/8")])
    item = dev.item(GROUP)
    assert texts(item) == [f"{GROUP} lets through tcp 99 from 10.0.0.0/8"]
    assert texts(item, Concern.TRAFFIC) == []


def test_one_rule_need_be_no_list(dev):
    dev.edit("security.DatabaseSecurityGroup", SecurityGroupIngress=tcp(5432, CidrIpv6="fd00::/8"))
    assert texts(dev.item(GROUP)) == [f"{GROUP} lets through tcp 5432 from fd00::/8"]


def test_the_loopback_rule_lets_nothing_out_and_its_end_lets_everything_out(dev):
    dev.edit("security.DatabaseSecurityGroup", SecurityGroupEgress=None)
    assert texts(dev.item(GROUP)) == [f"{GROUP} lets through everything to 0.0.0.0/0"]


def test_a_rule_that_moves_out_of_its_group_opens_nothing(dev):
    dev.properties(GROUP, "before")["SecurityGroupIngress"] = [tcp(5432, CidrIp="10.0.0.0/16")]
    dev.change(GROUP, replacement="False")
    dev.add("security.Rule", INGRESS, GroupId=GROUP_ID, **tcp(5432, CidrIp="10.0.0.0/16"))
    review = dev.review()
    assert not any(item.findings for item in review.items())


def test_a_group_that_is_replaced_lets_through_what_it_did(dev):
    dev.replace(GROUP, GroupDescription="other words")
    assert texts(dev.item(GROUP)) == []


# --- first creation, and templates that are not at hand --------------------------------------------------------------
def test_a_first_creation_opens_only_what_it_creates(dev, tools):
    dev.kind = "CREATE"
    dev.change("security.DatabaseFromDmsPort5432", action="Add")
    item = dev.item("security.DatabaseFromDmsPort5432")
    assert texts(item)
    assert tools.rules(item) == []


def test_without_the_deployed_template_an_addition_is_new(dev, tools):
    dev.add("security.Rule", INGRESS, GroupId=GROUP_ID, **tcp(5432, CidrIp="10.0.0.0/16"))
    dev.change("security.DatabaseFromDmsPort5432", tools.detail("ToPort", "5432", "5433"), replacement="True")
    dev.set("security.DatabaseFromDmsPort5432", ToPort=5433)
    dev.fetched = {"root"}
    review = dev.review()
    assert tools.rules(tools.find(review, "security.Rule")) == ["access"]
    assert texts(tools.find(review, "security.DatabaseFromDmsPort5432")) == [
        f"{GROUP} lets through tcp 5433 from security.DmsSecurityGroup"
    ]
