"""SNS: topics, who is told, and who may tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import NOTHING, Custom, Look, Properties, Removal, Work, custom, same

_TOPIC = ("DisplayName", "KmsMasterKeyId", "SignatureVersion", "TracingConfig")
# What a topic has that nobody told otherwise.
_DEFAULTS = {"SignatureVersion": "1", "TracingConfig": "PassThrough"}
_FIND_TOPIC = Look(operation="GetTopicAttributes", key="TopicArn", path="Attributes")


def _look(work: Work) -> Mapping[str, Any] | None:
    found = _FIND_TOPIC(work)
    return found and {**found, "TopicName": work.physical_id.rpartition(":")[2]}


def _put_attributes(work: Work) -> None:
    for name in _TOPIC:
        if work.changed(name):
            value = work.after.get(name, _DEFAULTS.get(name, ""))
            work.call("SetTopicAttributes", TopicArn=work.physical_id, AttributeName=name, AttributeValue=value)


TOPIC = Row(
    type="AWS::SNS::Topic",
    service="sns",
    create_operation="CreateTopic",
    sends={name: f"Attributes.{name}" for name in (*_TOPIC, "FifoTopic")} | {"TopicName": "Name"},
    named="TopicName",
    physical="TopicArn",
    complete=False,
    look=_look,
    attributes={"TopicArn": "", "TopicName": "TopicName"},
    steps=(custom(" ".join(_TOPIC), "SetTopicAttributes", _put_attributes),),
    remove=Removal(operation="DeleteTopic", key="TopicArn"),
    tags=Tags(tag="TagResource", untag="UntagResource", key="ResourceArn", lists="ListTagsForResource"),
    reads={name: name for name in (*_TOPIC, "FifoTopic", "TopicName")},
)

_SUBSCRIPTION = ("DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")


def _put_subscription(work: Work) -> None:
    for name in _SUBSCRIPTION:
        if work.changed(name):
            work.call(
                "SetSubscriptionAttributes",
                SubscriptionArn=work.physical_id,
                AttributeName=name,
                AttributeValue=work.after.get(name, {} if name.endswith("Policy") else ""),
            )


# Unconfirmed subscriptions have no ARN to speak of, but with ReturnSubscriptionArn they have.
# https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
SUBSCRIPTION = Row(
    type="AWS::SNS::Subscription",
    service="sns",
    create_operation="Subscribe",
    sends=same("Endpoint Protocol TopicArn") | {name: f"Attributes.{name}" for name in _SUBSCRIPTION},
    fixed={"ReturnSubscriptionArn": True},
    physical="SubscriptionArn",
    complete=False,
    look=Look(operation="GetSubscriptionAttributes", key="SubscriptionArn", path="Attributes"),
    attributes={"Arn": ""},
    steps=(custom(" ".join(_SUBSCRIPTION), "SetSubscriptionAttributes", _put_subscription),),
    remove=Removal(operation="Unsubscribe", key="SubscriptionArn", asks=True),
    reads={name: name for name in _SUBSCRIPTION},
)


_BORN_WITH = "__default_policy_ID"


def default_policy(topic: str) -> dict[str, Any]:
    """The policy that a topic is born with: its owner may do everything.

    https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
    """
    actions = "AddPermission DeleteTopic GetTopicAttributes ListSubscriptionsByTopic Publish RemovePermission"
    return {
        "Version": "2008-10-17",
        "Id": _BORN_WITH,
        "Statement": [
            {
                "Sid": "__default_statement_ID",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": [f"SNS:{action}" for action in f"{actions} SetTopicAttributes Subscribe".split()],
                "Resource": topic,
                "Condition": {"StringEquals": {"AWS:SourceOwner": topic.split(":")[4]}},
            }
        ],
    }


def _put_policy(work: Work, _values: Properties = NOTHING) -> Mapping[str, Any]:
    new = work.after["Topics"]
    for topic in new:
        _set_policy(work, topic, work.after["PolicyDocument"])
    for topic in work.before.get("Topics", ()):
        if topic not in new:
            _set_policy(work, topic, default_policy(topic))
    return {}


def _set_policy(work: Work, topic: str, document: Mapping[str, Any]) -> None:
    work.call("SetTopicAttributes", TopicArn=topic, AttributeName="Policy", AttributeValue=document)


def _remove_policy(work: Work) -> None:
    for topic in work.after["Topics"]:
        if _FIND_TOPIC(work.at(topic)) is not None:
            _set_policy(work, topic, default_policy(topic))


def _look_at_policy(work: Work) -> Mapping[str, Any] | None:
    """The policy of the first of its topics that has one of its own."""
    told = {topic: _FIND_TOPIC(work.at(topic)) for topic in work.after["Topics"]}
    found = {topic: each["Policy"] for topic, each in told.items() if each and _BORN_WITH not in each["Policy"]}
    return {"Topics": list(found), "PolicyDocument": next(iter(found.values()))} if found else None


POLICY = Row(
    type="AWS::SNS::TopicPolicy",
    service="sns",
    piecemeal=True,
    make=_put_policy,
    sends=same("PolicyDocument Topics"),
    physical=lambda work: work.context.unique_name,
    complete=False,
    look=_look_at_policy,
    attributes={"Id": ""},
    steps=(
        Custom(
            properties=frozenset({"PolicyDocument", "Topics"}),
            calls={"SetTopicAttributes": ("TopicArn", "AttributeName", "AttributeValue")},
            function=_put_policy,
        ),
    ),
    remove=_remove_policy,
)

PROVIDERS: Mapping[str, Provider] = {row.type: row for row in (TOPIC, SUBSCRIPTION, POLICY)}
