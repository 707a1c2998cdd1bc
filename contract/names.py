"""One naming policy: every physical name is `<system>-<suffix>-<part>`, within its service's own limit and alphabet.

Linters know few of these limits (none of ELBv2, DMS and ECS), so the table is ours; each row says where it was read.
Two environments cannot share a name: the suffix is part of each, and no part of a service may end in `-<another part>`
of it, which is the only way in which `<suffix>-<part>` could be cut in two different ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from settings.errors import NamingError

_DOCS = "https://docs.aws.amazon.com/"


@dataclass(frozen=True, slots=True)
class NameRule:
    """What a service takes as a name: at most `longest` characters, matching `pattern` as a whole."""

    service: str
    longest: int
    pattern: str
    source: str
    form: str = "{system}-{suffix}-{part}"


_HYPHENATED = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_LETTER_FIRST = r"[A-Za-z](?:-?[A-Za-z0-9])*"

LOAD_BALANCER = NameRule(
    "load balancer",
    32,
    rf"(?!internal-){_HYPHENATED}",
    _DOCS + "elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html",
)
TARGET_GROUP = NameRule(
    "target group", 32, _HYPHENATED, _DOCS + "elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html"
)
DB_CLUSTER = NameRule("DB cluster", 63, _LETTER_FIRST, _DOCS + "AmazonRDS/latest/APIReference/API_CreateDBCluster.html")
DB_INSTANCE = NameRule(
    "DB instance", 63, _LETTER_FIRST, _DOCS + "AmazonRDS/latest/APIReference/API_CreateDBInstance.html"
)
DB_SUBNET_GROUP = NameRule(
    "DB subnet group",
    255,
    r"(?!default$)[a-z0-9._ -]+",
    _DOCS + "AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html",
)
DB_PARAMETER_GROUP = NameRule(
    "DB parameter group",
    255,
    _LETTER_FIRST,
    _DOCS + "AmazonRDS/latest/APIReference/API_CreateDBClusterParameterGroup.html",
)
RDS_EVENT_SUBSCRIPTION = NameRule(
    "RDS event subscription",
    255,
    _LETTER_FIRST,
    _DOCS + "AmazonRDS/latest/APIReference/API_CreateEventSubscription.html",
)
DMS_INSTANCE = NameRule(
    "DMS replication instance", 63, _LETTER_FIRST, _DOCS + "dms/latest/APIReference/API_CreateReplicationInstance.html"
)
DMS_ENDPOINT = NameRule("DMS endpoint", 255, _LETTER_FIRST, _DOCS + "dms/latest/APIReference/API_CreateEndpoint.html")
DMS_TASK = NameRule(
    "DMS replication task", 255, _LETTER_FIRST, _DOCS + "dms/latest/APIReference/API_CreateReplicationTask.html"
)
DMS_SUBNET_GROUP = NameRule(
    "DMS replication subnet group",
    255,
    r"(?!default$)[a-z0-9._ -]+",
    _DOCS + "dms/latest/APIReference/API_CreateReplicationSubnetGroup.html",
)
DMS_CERTIFICATE = NameRule(
    "DMS certificate", 255, _LETTER_FIRST, _DOCS + "dms/latest/APIReference/API_ImportCertificate.html"
)
DMS_EVENT_SUBSCRIPTION = NameRule(
    "DMS event subscription", 255, _LETTER_FIRST, _DOCS + "dms/latest/APIReference/API_CreateEventSubscription.html"
)
# The last part of a task's ARN, and so the dimension of its metrics.
DMS_RESOURCE_ID = NameRule(
    "DMS resource identifier", 31, _LETTER_FIRST, _DOCS + "dms/latest/APIReference/API_CreateReplicationTask.html"
)
ECS_CLUSTER = NameRule(
    "ECS cluster", 255, r"[A-Za-z0-9_-]+", _DOCS + "AmazonECS/latest/APIReference/API_CreateCluster.html"
)
ECS_SERVICE = NameRule(
    "ECS service", 255, r"[A-Za-z0-9_-]+", _DOCS + "AmazonECS/latest/APIReference/API_CreateService.html"
)
ECS_TASK_FAMILY = NameRule(
    "ECS task definition family",
    255,
    r"[A-Za-z0-9_-]+",
    _DOCS + "AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html",
)
IAM_ROLE = NameRule("IAM role", 64, r"[\w+=,.@-]+", _DOCS + "IAM/latest/APIReference/API_CreateRole.html")
IAM_POLICY = NameRule("IAM policy", 128, r"[\w+=,.@-]+", _DOCS + "IAM/latest/APIReference/API_CreatePolicy.html")
FUNCTION = NameRule("Lambda function", 64, r"[A-Za-z0-9_-]+", _DOCS + "lambda/latest/api/API_CreateFunction.html")
LOG_GROUP = NameRule(
    "log group",
    512,
    r"[.\-_/#A-Za-z0-9]+",
    _DOCS + "AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html",
    "/{system}/{suffix}/{part}",
)
# WAF delivers to log groups of this prefix only: https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html
WAF_LOG_GROUP = NameRule(
    "WAF log group", 512, r"aws-waf-logs-[.\-_/#A-Za-z0-9]+", LOG_GROUP.source, "aws-waf-logs-{system}-{suffix}-{part}"
)
# RDS, DMS, ECS and Step Functions choose (or want) these forms; a group made beforehand has our retention and key.
# RDS: the part is `<part of the cluster>/<type of log>`. https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.CloudWatch.html
RDS_LOG_GROUP = NameRule(
    "RDS log group",
    512,
    r"/aws/rds/cluster/[.\-_/#A-Za-z0-9]+",
    LOG_GROUP.source,
    "/aws/rds/cluster/{system}-{suffix}-{part}",
)
# DMS: the part is the replication instance's. https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TaskSettings.Logging.html
DMS_LOG_GROUP = NameRule(
    "DMS log group", 512, r"dms-tasks-[.\-_/#A-Za-z0-9]+", LOG_GROUP.source, "dms-tasks-{system}-{suffix}-{part}"
)
# Container Insights, whose group ECS names after the cluster: the part is `<part of the cluster>/performance`.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-reference-performance-logs-ECS.html
INSIGHTS_LOG_GROUP = NameRule(
    "Container Insights log group",
    512,
    r"/aws/ecs/containerinsights/[.\-_/#A-Za-z0-9]+",
    LOG_GROUP.source,
    "/aws/ecs/containerinsights/{system}-{suffix}-{part}",
)
# The prefix keeps deliveries out of the 5,120 characters that the resource policies of log groups have in all.
# https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
STATES_LOG_GROUP = NameRule(
    "Step Functions log group",
    512,
    r"/aws/vendedlogs/states/[.\-_/#A-Za-z0-9]+",
    LOG_GROUP.source,
    "/aws/vendedlogs/states/{system}-{suffix}-{part}",
)
# Site-to-site VPN delivers under the same limit: https://docs.aws.amazon.com/vpn/latest/s2svpn/monitoring-logs.html
VENDED_LOG_GROUP = NameRule(
    "vended log group",
    512,
    r"/aws/vendedlogs/[.\-_/#A-Za-z0-9]+",
    LOG_GROUP.source,
    "/aws/vendedlogs/{system}/{suffix}/{part}",
)
TOPIC = NameRule("SNS topic", 256, r"[A-Za-z0-9_-]+", _DOCS + "sns/latest/api/API_CreateTopic.html")
QUEUE = NameRule(
    "SQS queue", 80, r"[A-Za-z0-9_-]+", _DOCS + "AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html"
)
# Secrets Manager warns of names that end in a hyphen and six characters: it appends just that to the ARN.
SECRET = NameRule(
    "secret",
    512,
    r"(?!.*-[A-Za-z0-9]{6}$)[A-Za-z0-9/_+=.@-]+",
    _DOCS + "secretsmanager/latest/apireference/API_CreateSecret.html",
    "{system}/{suffix}/{part}",
)
ALARM = NameRule("alarm", 255, r"[\x20-\x7e]+", _DOCS + "AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html")
DASHBOARD = NameRule(
    "dashboard", 255, r"[A-Za-z0-9_-]+", _DOCS + "AmazonCloudWatch/latest/APIReference/API_PutDashboard.html"
)
STATE_MACHINE = NameRule(
    "state machine", 80, r"[0-9A-Za-z_-]+", _DOCS + "step-functions/latest/apireference/API_CreateStateMachine.html"
)
KMS_ALIAS = NameRule(
    "KMS alias",
    256,
    r"alias/(?!aws/)[a-zA-Z0-9/_-]+",
    _DOCS + "kms/latest/APIReference/API_CreateAlias.html",
    "alias/{system}-{suffix}-{part}",
)
# `${AWS::AccountId}` makes a bucket name unique in the partition; it counts as the 12 digits it becomes.
BUCKET = NameRule(
    "S3 bucket",
    63,
    r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?",
    _DOCS + "AmazonS3/latest/userguide/bucketnamingrules.html",
    "{system}-{suffix}-{part}-${{AWS::AccountId}}",
)
SECURITY_GROUP = NameRule(
    "security group",
    255,
    r"(?!sg-)[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]+",
    _DOCS + "AWSEC2/latest/APIReference/API_CreateSecurityGroup.html",
)
WEB_ACL = NameRule("WAF web ACL", 128, r"[A-Za-z0-9_-]+", _DOCS + "waf/latest/APIReference/API_CreateWebACL.html")
SCALING_POLICY = NameRule(
    "scaling policy", 256, r"[\x20-\x7e]+", _DOCS + "autoscaling/application/APIReference/API_PutScalingPolicy.html"
)
EVENT_RULE = NameRule(
    "EventBridge rule", 64, r"[.\-_A-Za-z0-9]+", _DOCS + "eventbridge/latest/APIReference/API_PutRule.html"
)
SSM_PARAMETER = NameRule(
    "SSM parameter",
    1011,
    r"/[a-zA-Z0-9_./-]+",
    _DOCS + "systems-manager/latest/APIReference/API_PutParameter.html",
    "/{system}/{suffix}/{part}",
)
METRIC_NAMESPACE = NameRule(
    "metric namespace",
    255,
    r"(?!AWS/)[A-Za-z0-9._/#:-]+",
    _DOCS + "AmazonCloudWatch/latest/APIReference/API_MetricDatum.html",
    "{system}/{suffix}/{part}",
)
NAME_TAG = NameRule("Name tag", 256, r"[\w +=.,:/@-]+", _DOCS + "AWSEC2/latest/UserGuide/Using_Tags.html")
STACK = NameRule(
    "stack",
    128,
    r"[a-zA-Z][-a-zA-Z0-9]*",
    _DOCS + "AWSCloudFormation/latest/APIReference/API_CreateStack.html",
    "{system}-{suffix}",
)


class Names:
    """The names of one environment. `claim` is for the tier that creates the resource, `refer` for one that names it.

    Faults are collected, so that one build shows them all; `problems()` yields them after the last tier.
    """

    def __init__(self, system: str, suffix: str) -> None:
        self._system = system
        self._suffix = suffix
        self._claimed: dict[NameRule, set[str]] = {}
        self._referred: dict[tuple[NameRule, str], str] = {}
        self._faults: dict[str, int | None] = {}  # what is wrong, and the longest suffix that would do

    def _form(self, rule: NameRule, part: str) -> str:
        return rule.form.format(system=self._system, suffix=self._suffix, part=part)

    def claim(self, rule: NameRule, part: str) -> str:
        """The name of a resource that this tier creates; claiming it twice is a fault.

        `part` says what the resource is ("blue", "task-execution"); the result is a template string (a bucket's holds
        `${AWS::AccountId}`).
        """
        name = self._form(rule, part)
        parts = self._claimed.setdefault(rule, set())
        if part in parts:
            self._faults[f"{rule.service} name {name!r} is claimed twice"] = None
        for other in parts - {part}:
            long, short = sorted((part, other), key=len, reverse=True)
            if "{suffix}-{part}" in rule.form and long.endswith("-" + short):
                self._faults[
                    f"{rule.service} parts {long!r} and {short!r}: two suffixes could make the same name of them"
                ] = None
        parts.add(part)
        effective = name.replace("${AWS::AccountId}", "0" * 12)
        if len(effective) > rule.longest:
            longest_suffix = rule.longest - len(effective) + len(self._suffix)
            self._faults[
                f"{rule.service} name {effective!r} has {len(effective)} characters, at most {rule.longest} are allowed"
            ] = longest_suffix
        elif not re.fullmatch(rule.pattern, effective):
            self._faults[f"{rule.service} name {effective!r} does not match {rule.pattern}"] = None
        return name

    def refer(self, rule: NameRule, part: str, tier: str) -> str:
        """The name of a resource that another tier creates, for ARNs in policies; unclaimed, it is a fault."""
        self._referred[rule, part] = tier
        return self._form(rule, part)

    def pattern(self, rule: NameRule) -> str:
        """Every name that the rule can give in this environment, `*` in place of the part; for ARNs in policies."""
        return self._form(rule, "*")

    def problems(self, *, complete: bool = True) -> Iterator[str]:
        """Every fault found, in the order of discovery; `complete`: every tier has claimed its names."""
        yield from self._faults
        if not complete:
            return
        for (rule, part), tier in self._referred.items():
            if part not in self._claimed.get(rule, set()):
                yield f"{tier} refers to {rule.service} {self._form(rule, part)!r}, which no tier creates"

    def check(self, *, complete: bool = True) -> None:
        """Raise `NamingError` with all problems, and the longest suffix that would do where length is one of them."""
        problems = list(self.problems(complete=complete))
        if not problems:
            return
        limits = [limit for limit in self._faults.values() if limit is not None]
        hint = "mend the part in the tier module, or the rule in contract/names.py"
        if limits and min(limits) > 0:
            hint = f"use a suffix of at most {min(limits)} characters instead of {self._suffix!r} ({len(self._suffix)})"
        raise NamingError(problems, hint=hint)


def every_rule() -> dict[str, NameRule]:
    """All rules by constant name."""
    return {key: value for key, value in globals().items() if isinstance(value, NameRule)}
