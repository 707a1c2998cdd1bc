"""The topic that everything is told to, and who listens."""

from __future__ import annotations

import hashlib

from awacs import sns as actions
from awacs.aws import ArnLike, Principal
from troposphere import AWSHelperFn, Ref, sns

from contract import names
from contract.policies import OURS, allow, arn, deny_plain_http, document
from contract.stack import Stack


def add_topic(stack: Stack, key_arn: AWSHelperFn) -> tuple[sns.Topic, sns.TopicPolicy]:
    """The encrypted topic, its policy, and a subscription for each address in params.

    Whoever gets an address confirms it by the link in the first mail; no message holds more than metrics and events.
    """
    topic = stack.add(
        sns.Topic(
            "Topic",
            TopicName=stack.name(names.TOPIC, "alarms"),
            DisplayName=f"{stack.settings.system} {stack.settings.suffix}",
            KmsMasterKeyId=key_arn,
            SignatureVersion="2",
        )
    )
    alarms = arn("cloudwatch", f"alarm:{stack.names_like(names.ALARM)}")
    policy = stack.add(
        sns.TopicPolicy(
            "TopicPolicy",
            Topics=[Ref(topic)],
            # Principals of this account need no line here: their own policies decide.
            PolicyDocument=document(
                allow(
                    "ToldByAlarms",
                    [actions.Publish],
                    [Ref(topic)],
                    OURS,
                    ArnLike({"aws:SourceArn": alarms}),
                    principal=Principal("Service", "cloudwatch.amazonaws.com"),
                ),
                # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_Events.GrantingPermissions.html
                allow(
                    "ToldByRds",
                    [actions.Publish],
                    [Ref(topic)],
                    OURS,
                    principal=Principal("Service", "events.rds.amazonaws.com"),
                ),
                deny_plain_http([actions.Publish], [Ref(topic)]),
            ),
        )
    )
    for address in stack.settings.monitoring.alarm_emails:
        # Named by its address: another order in params replaces nothing, so nobody has to confirm again.
        digest = hashlib.sha256(address.encode()).hexdigest()[:8]
        stack.add(
            sns.SubscriptionResource(f"Subscription{digest}", TopicArn=Ref(topic), Protocol="email", Endpoint=address)
        )
    return topic, policy
