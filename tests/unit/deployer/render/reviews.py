"""Reviews as they come out of real changes, for the tests of all renderers."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

from deployer.changes import PropertyChange
from deployer.review.model import (
    Action,
    Certainty,
    Concern,
    Edit,
    Item,
    Link,
    Refusal,
    Review,
    Severity,
    TierReview,
    Verdict,
)

ALLOWED = Verdict((), ())
ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012"


def edit(
    path,
    before,
    after,
    *chain,
    attribute="Properties",
    certainty=Certainty.CERTAIN,
    replaces=False,
    known=True,
):
    """One property's change; `chain` are (kind, name, detail)."""
    change = "Add" if before is None else "Remove" if after is None and known else "Modify"
    recreation = "Always" if replaces else "Never"
    evaluation = "Static" if known else "Dynamic"
    changed = PropertyChange(
        attribute, path, change, before, after, recreation, evaluation, "DirectModification", "", known
    )
    return Edit(changed, certainty, replaces, tuple(Link(*link) for link in chain))


def item(address, type_, action, *edits, **more):
    """One resource; what is not said is routine and certain."""
    tier, _, logical = address.partition(".")
    given = {
        "physical_id": "" if action is Action.CREATE else f"payments-prod-{logical.lower()}",
        "certainty": Certainty.CERTAIN,
        "severity": Severity.NOTE,
        "concerns": (),
        "summary": "",
        "keeps": "",
        "warnings": (),
        **more,
    }
    return Item(
        address=address, tier=tier, logical_id=logical, type=f"AWS::{type_}", action=action, edits=edits, **given
    )


def review(*tiers, **more):
    """The whole; counts are those of its items."""
    made = Review(
        stack="payments-prod",
        environment="prod",
        suffix="prod",
        region="us-east-1",
        durable=True,
        forecast=False,
        headline="",
        data="unchanged",
        traffic="unchanged",
        access="unchanged",
        tiers=tiers,
        counts={},
        params=(),
        unknowns=(),
    )
    made = replace(made, **more)
    loud = [one for one in made.items() if one.certainty is not Certainty.NOISE]
    return replace(made, counts={str(key): number for key, number in Counter(one.action.value for one in loud).items()})


def tier(name, *items, outcome=None, cause="", warnings=()):
    """One tier, changed when it has items."""
    return TierReview(name, outcome or ("changed" if items else "unchanged"), cause, items, warnings)


ENGINE = ("param", "database.engine_version", "17.7 → 17.10")
WEIGHT = ("param", "load_balancer.aws_weight", "0 → 20")


def _instance(name):
    return item(
        f"database.{name}",
        "RDS::DBInstance",
        Action.MODIFY,
        edit("EngineVersion", "17.7", "17.10", ENGINE, ("property", "EngineVersion", "")),
        severity=Severity.WARN,
        concerns=(Concern.DATA,),
        summary="changes EngineVersion",
    )


def upgrade():
    """Aurora engine upgrade, weight shift, one renamed secret."""
    cluster = item(
        "database.Cluster",
        "RDS::DBCluster",
        Action.MODIFY,
        edit("EngineVersion", "17.7", "17.10", ENGINE, ("property", "EngineVersion", "")),
        severity=Severity.WARN,
        concerns=(Concern.DATA,),
        summary="changes EngineVersion",
        physical_id="payments-prod-database",
    )
    secret = item(
        "database.ApplicationSecret",
        "SecretsManager::Secret",
        Action.REPLACE,
        edit(
            "Name",
            "payments/prod/application",
            "payments/prod/java-application",
            ("template", "database.ApplicationSecret", ""),
            ("property", "Name", ""),
            replaces=True,
        ),
        severity=Severity.STOP,
        concerns=(Concern.DATA, Concern.ACCESS),
        summary="replaced because Name changes: payments/prod/application → payments/prod/java-application",
        keeps="deleted after 30 days",
        physical_id="arn:aws:secretsmanager:us-east-1:123456789012:secret:payments/prod/application-a1B2c3",
    )
    attachment = item(
        "database.ApplicationSecretAttachment",
        "SecretsManager::SecretTargetAttachment",
        Action.REPLACE,
        edit(
            "SecretId",
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:payments/prod/application-a1B2c3",
            None,
            ("resource", "database.ApplicationSecret", "replaced"),
            ("property", "SecretId", ""),
            replaces=True,
            known=False,
        ),
        severity=Severity.WARN,
        concerns=(Concern.ACCESS,),
        summary="replaced because database.ApplicationSecret is replaced",
    )
    actions = json.dumps(
        [
            {
                "ForwardConfig": {
                    "TargetGroups": [
                        {"TargetGroupArn": f"{ARN}:targetgroup/payments-prod-dc/0011223344556677", "Weight": 100},
                        {"TargetGroupArn": f"{ARN}:targetgroup/payments-prod-blue/1122334455667788", "Weight": 0},
                        {"TargetGroupArn": f"{ARN}:targetgroup/payments-prod-green/2233445566778899", "Weight": 0},
                    ]
                },
                "Type": "forward",
            }
        ]
    )
    moved = actions.replace('dc/0011223344556677", "Weight": 100', 'dc/0011223344556677", "Weight": 80').replace(
        'blue/1122334455667788", "Weight": 0', 'blue/1122334455667788", "Weight": 20'
    )
    rule = item(
        "load_balancer.MigrationRule",
        "ElasticLoadBalancingV2::ListenerRule",
        Action.MODIFY,
        edit("Actions", actions, moved, WEIGHT, ("property", "Actions", "")),
        severity=Severity.STOP,
        concerns=(Concern.TRAFFIC,),
        summary="weights move: data center 100 → 80, blue 0 → 20; weights set since by ECS are reset",
        physical_id=f"{ARN}:listener-rule/app/payments-prod/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee",
    )
    secret_chain = (
        ("template", "database.ApplicationSecret", ""),
        ("resource", "database.ApplicationSecret", "replaced"),
        ("output", "database.ApplicationSecretArn", ""),
        ("parameter", "service.DatabaseSecretArn", ""),
    )
    containers = json.dumps(
        [
            {
                "Environment": [{"Name": "SERVER_PORT", "Value": "8443"}],
                "Image": f"123456789012.dkr.ecr.us-east-1.amazonaws.com/payments@sha256:{'0' * 64}",
                "Name": "application",
                "Secrets": [
                    {
                        "Name": "DATABASE_PASSWORD",
                        "ValueFrom": "arn:aws:secretsmanager:us-east-1:123456789012:secret:payments/prod/"
                        "application-a1B2c3:password::",
                    }
                ],
            }
        ]
    )
    after = containers.replace(
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:payments/prod/application-a1B2c3:password::",
        "{{changeSet:KNOWN_AFTER_APPLY}}",
    )
    task = item(
        "service.TaskDefinition",
        "ECS::TaskDefinition",
        Action.REPLACE,
        edit(
            "ContainerDefinitions",
            containers,
            after,
            *secret_chain,
            ("property", "ContainerDefinitions", ""),
            replaces=True,
        ),
        severity=Severity.NOTE,
        concerns=(Concern.TRAFFIC,),
        summary="new revision, as by design: ContainerDefinitions changes",
        keeps="deregistered",
        physical_id="arn:aws:ecs:us-east-1:123456789012:task-definition/payments-prod-service:7",
    )
    service = item(
        "service.Service",
        "ECS::Service",
        Action.MODIFY,
        edit(
            "TaskDefinition",
            "arn:aws:ecs:us-east-1:123456789012:task-definition/payments-prod-service:7",
            None,
            *secret_chain,
            ("resource", "service.TaskDefinition", "replaced"),
            ("property", "TaskDefinition", ""),
            known=False,
        ),
        severity=Severity.WARN,
        concerns=(Concern.TRAFFIC,),
        summary="blue/green deployment of a new task definition, 15 minutes of bake time",
    )
    policy = {
        "Statement": [
            {
                "Action": ["secretsmanager:GetSecretValue"],
                "Effect": "Allow",
                "Resource": ["arn:aws:secretsmanager:us-east-1:123456789012:secret:payments/prod/application-??????"],
                "Sid": "ReadTheSecret",
            }
        ],
        "Version": "2012-10-17",
    }
    opened = json.dumps(policy).replace("payments/prod/application-??????", "payments/prod/java-application-??????")
    role = item(
        "identity.TaskExecutionRole",
        "IAM::Role",
        Action.MODIFY,
        edit(
            "Policies/0/PolicyDocument",
            json.dumps(policy),
            opened,
            ("template", "identity.TaskExecutionRole", ""),
            ("property", "Policies", ""),
        ),
        severity=Severity.WARN,
        concerns=(Concern.ACCESS,),
        summary="may read another secret; the former no longer",
    )
    alarms = [
        item(
            f"monitoring.{name}",
            "CloudWatch::Alarm",
            Action.MODIFY,
            edit(
                "Dimensions",
                None,
                None,
                ("resource", "load_balancer.LoadBalancer", "not changed"),
                ("output", "load_balancer.LoadBalancerFullName", ""),
                ("parameter", "monitoring.LoadBalancerFullName", ""),
                certainty=Certainty.NOISE,
                known=False,
            ),
            certainty=Certainty.NOISE,
            severity=Severity.QUIET,
            summary="noise: LoadBalancerFullName does not change",
        )
        for name in ("AlbErrors", "AlbHealthyTargets", "AlbTargetErrors", "AlbUnhealthyBlue", "AlbUnhealthyGreen")
    ]
    forward = item(
        "migration.AuroraTarget",
        "DMS::Endpoint",
        Action.MODIFY,
        edit(
            "PostgreSqlSettings/SecretsManagerSecretId",
            "arn:aws:secretsmanager:us-east-1:123456789012:secret:payments/prod/dms-x9Y8z7",
            None,
            ("resource", "database.DmsSecret", "may change"),
            ("output", "database.DmsSecretArn", ""),
            ("parameter", "migration.DmsSecretArn", ""),
            ("property", "PostgreSqlSettings", ""),
            certainty=Certainty.POSSIBLE,
            known=False,
        ),
        certainty=Certainty.POSSIBLE,
        severity=Severity.WARN,
        concerns=(Concern.DATA,),
        summary="may change PostgreSqlSettings",
        warnings=(
            "stop migration.ForwardTask first if it runs, and wait for that, or AWS refuses this and the whole update "
            "rolls back: aws dms stop-replication-task --replication-task-arn <ARN of migration.ForwardTask>",
            "resume it afterwards, never by reload-target, which loads every table anew: aws dms start-replication-task "
            "--start-replication-task-type resume-processing --replication-task-arn <ARN of migration.ForwardTask>",
        ),
    )
    return review(
        tier("network"),
        tier("encryption"),
        tier("identity", role),
        tier("security"),
        tier("database", cluster, _instance("Writer"), _instance("Reader1"), _instance("Reader2"), secret, attachment),
        tier("load_balancer", rule),
        tier("service", task, service),
        tier("migration", forward),
        tier("monitoring", *alarms),
        headline="Restarts the database for an engine upgrade and replaces one secret, moves 20 % of the requests "
        "to AWS, gives the task another secret to read.",
        data="Aurora 17.7 → 17.10: the cluster and 3 instances restart; 1 secret replaced",
        traffic="20 % of the requests move from the data center to AWS",
        access="identity.TaskExecutionRole may read another secret",
        params=(("database.engine_version", "17.7", "17.10"), ("load_balancer.aws_weight", "0", "20")),
    )


def upgrade_verdict():
    """One acknowledged, one open, one that the environment's policy forbids."""
    return Verdict(
        (
            Refusal(
                "load_balancer.MigrationRule",
                "traffic",
                "touching the rule sets the live weights to those of the template",
                "--allow-traffic load_balancer.MigrationRule",
            ),
            Refusal(
                "database.ApplicationSecret",
                "replace",
                "is replaced, the old one deleted; what goes is the password in it, and whoever signs in with the old one "
                "is locked out (never here, see policies/prod.yaml:12; make a second secret, then drop the first)",
                "",
            ),
        ),
        (("access", "identity.TaskExecutionRole"),),
    )


def refused_verdict():
    """Two open refusals, both with flags."""
    return Verdict(
        (
            Refusal(
                "database.ApplicationSecret",
                "replace",
                "the secret's value is lost with it",
                "--allow-replace database.ApplicationSecret",
            ),
            Refusal(
                "load_balancer.MigrationRule",
                "traffic",
                "touching the rule sets the live weights to those of the template",
                "--allow-traffic load_balancer.MigrationRule",
            ),
        ),
        (),
    )


def first():
    """A first deployment: everything is created."""
    kinds = {
        "network": [("EC2::VPC", 1, ()), ("EC2::Subnet", 6, ()), ("EC2::Route", 4, ()), ("EC2::VPCEndpoint", 6, ())],
        "security": [
            ("EC2::SecurityGroup", 5, (Concern.ACCESS,)),
            ("EC2::SecurityGroupIngress", 8, (Concern.ACCESS,)),
        ],
        "identity": [("IAM::Role", 8, (Concern.ACCESS,))],
        "database": [
            ("RDS::DBCluster", 1, (Concern.DATA,)),
            ("RDS::DBInstance", 3, (Concern.DATA,)),
            ("RDS::DBParameterGroup", 2, ()),
        ],
        "monitoring": [("CloudWatch::Alarm", 46, ()), ("SNS::Topic", 1, ())],
    }
    tiers = [
        tier(
            name,
            *(
                item(
                    f"{name}.{type_.rpartition(':')[2]}{number + 1}",
                    type_,
                    Action.CREATE,
                    concerns=concerns,
                    summary="created",
                )
                for type_, many, concerns in types
                for number in range(many)
            ),
            outcome="created",
        )
        for name, types in kinds.items()
    ]
    return review(
        *tiers,
        stack="payments-pr-12",
        environment="dev",
        suffix="pr-12",
        durable=False,
        headline="Creates everything; nothing that exists is touched.",
        data="a new, empty Aurora cluster with 3 instances",
        traffic="all requests go to the data center",
        access="8 roles, 5 security groups with 8 rules that let something in",
    )


def big():
    """400 items: a tag on everything, among it a few changes that matter, with values of every length."""
    tag = ("param", "tags.cost_center", "finance → payments")
    tiers = []
    for name in ("network", "security", "database", "service", "monitoring"):
        items = [
            item(
                f"{name}.Thing{number}",
                "EC2::Subnet",
                Action.MODIFY,
                edit("CostCenter", "finance", "payments", tag, attribute="Tags"),
                summary="tags only",
            )
            for number in range(50)
        ]
        items += [
            item(
                f"{name}.Rule{number}",
                "EC2::SecurityGroupIngress",
                Action.REPLACE,
                edit(
                    "CidrIp",
                    f"10.{number}.0.0/16",
                    f"10.{number}.0.0/15",
                    ("param", f"network.peers.{number}", ""),
                    ("output", "network.Peer", ""),
                    replaces=True,
                ),
                edit("Description", "x" * 900, "x" * 450 + "y" * 450),
                severity=Severity.STOP if number % 10 == 0 else Severity.WARN,
                concerns=(Concern.ACCESS,),
                summary="replaced because CidrIp changes: wider",
                keeps="deleted",
            )
            for number in range(20)
        ]
        items += [
            item(
                f"{name}.Quiet{number}",
                "CloudWatch::Alarm",
                Action.MODIFY,
                edit("Threshold", "1", None, known=False, certainty=Certainty.NOISE),
                certainty=Certainty.NOISE,
                severity=Severity.QUIET,
                summary="noise",
            )
            for number in range(10)
        ]
        tiers.append(tier(name, *items))
    return review(
        *tiers,
        headline="Tags everything anew and widens 100 rules.",
        access="100 rules let more in",
        params=(("tags.cost_center", "finance", "payments"),),
    )


def big_verdict():
    """A refusal for every tenth rule."""
    loud = [one for one in big().items() if one.severity is Severity.STOP]
    return Verdict(
        tuple(Refusal(one.address, "access", "lets more in", f"--allow-access {one.address}") for one in loud), ()
    )


def forecast():
    """An offline plan, which knows less."""
    return review(
        tier(
            "database",
            item(
                "database.Cluster",
                "RDS::DBCluster",
                Action.REPLACE,
                edit(
                    "DatabaseName", "payments", "ledger", ("param", "database.name", "payments → ledger"), replaces=True
                ),
                severity=Severity.STOP,
                concerns=(Concern.DATA,),
                summary="will be replaced because DatabaseName changes: payments → ledger",
                keeps="snapshot taken, then deleted",
                physical_id="",
            ),
            item(
                "database.Writer",
                "RDS::DBInstance",
                Action.REPLACE,
                edit(
                    "DBClusterIdentifier",
                    '{"Ref": "Cluster"}',
                    None,
                    ("resource", "database.Cluster", "replaced"),
                    certainty=Certainty.POSSIBLE,
                    replaces=True,
                    known=False,
                ),
                certainty=Certainty.POSSIBLE,
                severity=Severity.STOP,
                concerns=(Concern.DATA,),
                summary="may be replaced: what AWS::RDS::DBCluster returns after its replacement is not known",
                physical_id="",
            ),
        ),
        tier("network"),
        forecast=True,
        headline="Will replace the database: its data stays behind in a snapshot.",
        data="database.Cluster will be replaced",
        traffic="unknown: weights set since by ECS are not in any template",
        params=(("database.name", "payments", "ledger"),),
        unknowns=(
            "What has been changed outside of CloudFormation since the last deployment.",
            "Whether AWS still offers the instance class in these zones.",
        ),
    )


def forecast_verdict():
    """Of the cluster only."""
    return Verdict(
        (Refusal("database.Cluster", "replace", "the data stays behind", "--allow-replace database.Cluster"),), ()
    )


def failed():
    """A change set that AWS could not create, for the reason of one nested stack."""
    return review(
        tier("network"),
        tier(
            "service",
            outcome="failed",
            cause="Template error: Fn::Select cannot select nonexistent value at index 2 (TaskDefinition)",
            warnings=("the quota of target groups is nearly reached: 95 of 100",),
        ),
        tier("database", _instance("Writer")),
        headline="Cannot be executed.",
    )


def unchanged():
    """Nothing to do."""
    return review(tier("network"), tier("database"), headline="Changes nothing.")


HOSTILE = "</script><img src=x onerror=alert(1)>|`@octocat`|\n-->\x1b[31m\u202e<b>&amp;</details>"


def hostile():
    """Values that want to be markup."""
    one = item(
        f"network.{HOSTILE}",
        HOSTILE,
        Action.REPLACE,
        edit("Description", HOSTILE, HOSTILE[::-1], ("param", HOSTILE, HOSTILE), replaces=True),
        edit("Body", json.dumps({HOSTILE: HOSTILE}), json.dumps({HOSTILE: "x"})),
        edit("MasterUserPassword", "hunter2hunter2", "correct horse"),
        physical_id=HOSTILE,
        severity=Severity.STOP,
        concerns=(Concern.DATA,),
        summary=HOSTILE,
        keeps=HOSTILE,
        warnings=(HOSTILE,),
    )
    return review(
        tier("network", one, cause=HOSTILE, warnings=(HOSTILE,)),
        headline=HOSTILE,
        data=HOSTILE,
        traffic=HOSTILE,
        access=HOSTILE,
        params=((HOSTILE, HOSTILE, HOSTILE),),
        unknowns=(HOSTILE,),
    )


def hostile_verdict():
    """The same of a verdict."""
    return Verdict((Refusal(HOSTILE, "replace", HOSTILE, f"--allow-replace {HOSTILE}"),), ((HOSTILE, HOSTILE),))


CASES = {
    "upgrade": (upgrade, upgrade_verdict),
    "first": (first, lambda: ALLOWED),
    "big": (big, big_verdict),
    "forecast": (forecast, forecast_verdict),
    "failed": (failed, lambda: ALLOWED),
}
