"""Ports: what rules admit, and the arithmetic of two rules that must agree."""

from __future__ import annotations

import pytest

from compiler.diagram.ports import Ports


def tcp(first, last=None):
    return Ports.of_rule({"IpProtocol": "tcp", "FromPort": first, "ToPort": first if last is None else last})


EVERYTHING = Ports.of_rule({"IpProtocol": "-1"})


@pytest.mark.parametrize(
    ("rule", "label"),
    [
        ({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}, "443"),
        ({"IpProtocol": "6", "FromPort": "80", "ToPort": "80"}, "80"),
        ({"IpProtocol": 17, "FromPort": 53, "ToPort": 53}, "udp 53"),
        ({"IpProtocol": "TCP", "FromPort": 1024, "ToPort": 65535}, "1024-65535"),
        ({"IpProtocol": "tcp"}, "all ports"),
        ({"IpProtocol": "udp", "FromPort": 0, "ToPort": 65535}, "udp all ports"),
        ({"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1}, "icmp"),
        ({"IpProtocol": "58"}, "icmpv6"),
        ({"IpProtocol": "50"}, "50"),
        ({"IpProtocol": "-1"}, "everything"),
        ({"IpProtocol": "-1", "FromPort": 443, "ToPort": 443}, "everything"),
        ({}, "everything"),
    ],
)
def test_a_rule_in_words(rule, label):
    assert Ports.of_rule(rule).label == label


def test_union_sorts_and_merges_what_touches():
    assert (tcp(443) | tcp(80)).label == "80, 443"
    assert (tcp(80, 90) | tcp(91, 99) | tcp(85)).label == "80-99"
    assert (tcp(1, 9) | tcp(3)).ranges == (("tcp", 1, 9),)
    assert Ports().union([tcp(1), tcp(2), tcp(5)]).label == "1-2, 5"
    assert Ports().union([]) == Ports()


def test_intersection_is_what_both_admit():
    assert (tcp(1, 100) & tcp(80, 200)).label == "80-100"
    assert not tcp(80) & tcp(81)
    assert not tcp(80) & Ports.of_rule({"IpProtocol": "udp", "FromPort": 80, "ToPort": 80})
    assert (EVERYTHING & tcp(443)) == tcp(443)
    assert (EVERYTHING & Ports.of_rule({"IpProtocol": "icmp"})).label == "icmp"
    assert (EVERYTHING & EVERYTHING).label == "everything"


def test_difference_is_what_only_the_first_admits():
    assert (tcp(1, 100) - tcp(50)).label == "1-49, 51-100"
    assert (tcp(1, 100) - tcp(1, 40)).label == "41-100"
    assert (tcp(1, 100) - tcp(60, 300)).label == "1-59"
    assert (tcp(1, 100) - tcp(101, 300)) == tcp(1, 100)
    assert (tcp(1, 100) - tcp(0)) == tcp(1, 100)
    assert not tcp(443) - EVERYTHING
    assert (tcp(443) - Ports.of_rule({"IpProtocol": "udp", "FromPort": 443, "ToPort": 443})) == tcp(443)
