"""What happens without a metric: events of Aurora, replication and deployments, sent to the topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from awacs import kms
from awacs import sns as actions
from troposphere import GetAtt, Ref, events, iam, rds, sns

from contract import names
from contract.policies import allow, arn, document, trust
from contract.stack import Stack
from contract.wiring import camel_case
from templates.alarms import text_of

if TYPE_CHECKING:
    from templates.monitoring import Inputs


def add_subscriptions(stack: Stack, needs: Inputs, topic: sns.Topic, policy: sns.TopicPolicy) -> None:
    """Events of Aurora that people must know of; backups and creations are none.

    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_Events.Messages.html
    """
    major = stack.settings.database.engine_version.partition(".")[0]
    subscriptions: tuple[tuple[str, list[Any], list[str]], ...] = (
        (
            "db-cluster",
            [needs.cluster_id.ref],
            ["configuration change", "deletion", "failover", "failure", "maintenance", "notification"],
        ),
        (
            "db-instance",
            [needs.writer_instance_id.ref, needs.reader_1_instance_id.ref, needs.reader_2_instance_id.ref],
            [
                "availability", "configuration change", "deletion", "failure", "low storage", "maintenance",
                "notification", "recovery",
            ],
        ),
        (
            "db-parameter-group",
            [stack.named_elsewhere(names.DB_PARAMETER_GROUP, f"instance-{major}")],
            ["configuration change"],
        ),
    )  # fmt: skip
    for source, ids, categories in subscriptions:
        stack.add(
            rds.EventSubscription(
                f"{camel_case(source.replace('-', '_'))}Events",
                # RDS tries whether it may publish.
                DependsOn=policy.title,
                SubscriptionName=stack.name(names.RDS_EVENT_SUBSCRIPTION, source),
                SnsTopicArn=Ref(topic),
                SourceType=source,
                SourceIds=ids,
                EventCategories=categories,
                Enabled=True,
            )
        )


def add_event_rules(stack: Stack, needs: Inputs, topic: sns.Topic) -> None:
    """Events that come by EventBridge, as DMS's do since engine 3.4.5, and failed deployments of the service.

    https://docs.aws.amazon.com/dms/latest/userguide/CHAP_EventBridge.html
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html
    """
    service = f"service/{text_of(needs.cluster_name)}/{text_of(needs.service_name)}"
    rules: dict[str, dict[str, Any]] = {
        "replication": {
            "source": ["aws.dms"],
            "resources": [
                needs.replication_instance_arn.ref,
                arn("dms", f"task:{text_of(needs.forward_task_id)}"),
                arn("dms", f"task:{text_of(needs.reverse_task_id)}"),
            ],
            "detail": {
                "category": [
                    "ConfigurationChange", "Deletion", "Failover", "Failure", "LowStorage", "Maintenance",
                    "StateChange",
                ]
            },
        },
        "deployments": {
            "source": ["aws.ecs"],
            "detail-type": ["ECS Deployment State Change"],
            "resources": [arn("ecs", service)],
            "detail": {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
        },
    }  # fmt: skip
    role = _role(stack, needs, topic, list(rules))
    for part, pattern in rules.items():
        stack.add(
            events.Rule(
                f"{part.capitalize()}Events",
                Name=stack.name(names.EVENT_RULE, part),
                Description=f"Tells people what goes wrong or changes: {part}",
                State="ENABLED",
                EventPattern=pattern,
                Targets=[events.Target(Id="topic", Arn=Ref(topic), RoleArn=GetAtt(role, "Arn"))],
            )
        )


def _role(stack: Stack, needs: Inputs, topic: sns.Topic, rules: list[str]) -> iam.Role:
    """Whom EventBridge publishes as: a topic's policy could let it in only without any condition.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sns-permissions
    """
    sources = [arn("events", f"rule/{stack.named_elsewhere(names.EVENT_RULE, part)}") for part in rules]
    return stack.add(
        iam.Role(
            "EventsRole",
            RoleName=stack.name(names.IAM_ROLE, "events"),
            Description="EventBridge tells the topic of alarms",
            MaxSessionDuration=3600,
            AssumeRolePolicyDocument=trust("events.amazonaws.com", *sources),
            Policies=[
                iam.Policy(
                    PolicyName="topic",
                    PolicyDocument=document(
                        allow("TellTheTopic", [actions.Publish], [Ref(topic)]),
                        allow("EncryptForTheTopic", [kms.Decrypt, kms.GenerateDataKey], [needs.data_key_arn.ref]),
                    ),
                )
            ],
        )
    )
