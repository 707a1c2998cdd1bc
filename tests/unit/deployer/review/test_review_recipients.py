"""Whom a topic tells: an address that is new is access, however it is written."""

from __future__ import annotations

import pytest

from deployer.review.model import Concern

TOPIC, SUBSCRIPTION = "monitoring.Topic", "AWS::SNS::Subscription"
REF = {"Ref": "Topic"}


def texts(item):
    return [finding.text for finding in item.findings if finding.concern is Concern.ACCESS]


@pytest.mark.parametrize(
    ("protocol", "endpoint", "shown"),
    [
        ("email", "other@example.com", "email other@example.com"),
        ("https", "https://alerts.example.com/key/0123456789abcdef", "https alerts.example.com"),  # a key stays unseen
        ("lambda", {"Fn::GetAtt": ["Teller", "Arn"]}, "lambda monitoring.Teller"),
    ],
)
def test_a_new_subscription_is_new_access(prod, tools, protocol, endpoint, shown):
    prod.after["monitoring"]["Resources"]["Teller"] = {"Type": "AWS::Lambda::Function"}
    prod.add("monitoring.Second", SUBSCRIPTION, Protocol=protocol, Endpoint=endpoint, TopicArn=REF)
    item = prod.item("monitoring.Second")
    assert texts(item) == [f"what {TOPIC} publishes goes to a new address, {shown}"]
    assert tools.rules(item) == ["access"]


def test_an_address_within_a_topic_is_one_too(prod, tools):
    prod.edit(TOPIC, Subscription=[{"Protocol": "email", "Endpoint": "other@example.com"}])
    item = prod.item(TOPIC)
    assert texts(item) == [f"what {TOPIC} publishes goes to a new address, email other@example.com"]
    assert tools.rules(item) == ["access"]
    prod.edit(TOPIC, DisplayName="x")
    prod.before["monitoring"] = prod.after["monitoring"]
    assert texts(prod.item(TOPIC)) == []


def test_a_subscription_under_another_name_tells_nobody_new(prod):
    name = next(name for name, body in prod.after["monitoring"]["Resources"].items() if body["Type"] == SUBSCRIPTION)
    body = dict(prod.properties(f"monitoring.{name}"))
    prod.drop(f"monitoring.{name}")
    prod.add("monitoring.Renamed", SUBSCRIPTION, **body)
    assert texts(prod.item("monitoring.Renamed")) == []
    assert texts(prod.item(f"monitoring.{name}")) == []


def test_another_address_of_a_subscription_is_named(prod, tools):
    name = next(name for name, body in prod.after["monitoring"]["Resources"].items() if body["Type"] == SUBSCRIPTION)
    prod.replace(f"monitoring.{name}", Endpoint="other@example.com")
    item = prod.item(f"monitoring.{name}")
    assert texts(item) == [f"what {TOPIC} publishes goes to a new address, email other@example.com"]
    assert tools.rules(item) == ["access", "replace"]


def test_a_first_creation_tells_whom_it_names(prod, tools):
    prod.kind = "CREATE"
    prod.add("monitoring.Second", SUBSCRIPTION, Protocol="email", Endpoint="a@example.com", TopicArn=REF)
    item = prod.item("monitoring.Second")
    assert texts(item)
    assert tools.rules(item) == []
