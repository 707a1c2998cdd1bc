"""The web application firewall in front of the load balancer, and its log."""

from __future__ import annotations

from awacs import logs as actions
from awacs.aws import ArnLike, Principal
from troposphere import AWSHelperFn, GetAtt, Ref, encode_to_dict, logs, wafv2
from troposphere import elasticloadbalancingv2 as elb

from contract import names
from contract.policies import OURS, allow, arn, document
from contract.stack import Stack
from templates.log_groups import add_log_group

# In order of evaluation. Their capacities add up to 1,125 of the 1,500 units that a web ACL has.
# https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
_MANAGED = (
    ("IpReputation", "AWSManagedRulesAmazonIpReputationList"),
    ("KnownBadInputs", "AWSManagedRulesKnownBadInputsRuleSet"),
    # Refuses bodies over 8 KiB, the most that WAF inspects behind a load balancer: a payment is smaller.
    ("Common", "AWSManagedRulesCommonRuleSet"),
    ("SqlInjection", "AWSManagedRulesSQLiRuleSet"),
)
_WINDOW_SECONDS = 300
# Headers that carry credentials.
_SECRET_HEADERS = ("authorization", "cookie", "x-api-key")


def add_firewall(
    stack: Stack, balancer: elb.LoadBalancer, logs_key_arn: AWSHelperFn
) -> tuple[wafv2.WebACL, logs.LogGroup]:
    """The web ACL, bound to the load balancer, and the log group of the requests that it saw.

    Its metrics go by the name that it gives them, not by its own: the same in every environment, they would add up.
    """
    name = stack.name(names.WEB_ACL, "web")
    counts = stack.settings.load_balancer.waf_mode == "count"
    acl = stack.add(
        wafv2.WebACL(
            "WebAcl",
            Name=name,
            Description="What may reach the payment application",
            Scope="REGIONAL",
            DefaultAction=wafv2.DefaultAction(Allow=wafv2.AllowAction()),
            Rules=[
                _rate_rule(stack, counts=counts),
                *(_managed_rule(i, *group, counts=counts) for i, group in enumerate(_MANAGED, start=1)),
            ],
            DataProtectionConfig=_data_protection(),
            VisibilityConfig=_visibility(name),
        )
    )
    stack.add(wafv2.WebACLAssociation("WebAclAssociation", ResourceArn=Ref(balancer), WebACLArn=GetAtt(acl, "Arn")))
    return acl, _log(stack, acl, logs_key_arn)


def _rate_rule(stack: Stack, *, counts: bool) -> wafv2.WebACLRule:
    return wafv2.WebACLRule(
        Name="RateLimit",
        Priority=0,
        Action=wafv2.RuleAction(Count=wafv2.CountAction()) if counts else wafv2.RuleAction(Block=wafv2.BlockAction()),
        Statement=wafv2.Statement(
            RateBasedStatement=wafv2.RateBasedStatement(
                AggregateKeyType="IP",
                EvaluationWindowSec=_WINDOW_SECONDS,
                Limit=stack.settings.load_balancer.waf_rate_limit,
            )
        ),
        VisibilityConfig=_visibility("RateLimit"),
    )


def _managed_rule(priority: int, name: str, group: str, *, counts: bool) -> wafv2.WebACLRule:
    return wafv2.WebACLRule(
        Name=name,
        Priority=priority,
        OverrideAction=wafv2.OverrideAction(**{"Count" if counts else "None": {}}),
        Statement=wafv2.Statement(
            ManagedRuleGroupStatement=wafv2.ManagedRuleGroupStatement(VendorName="AWS", Name=group)
        ),
        VisibilityConfig=_visibility(name),
    )


def _visibility(metric: str) -> wafv2.VisibilityConfig:
    return wafv2.VisibilityConfig(CloudWatchMetricsEnabled=True, MetricName=metric, SampledRequestsEnabled=True)


def _data_protection() -> wafv2.DataProtectionConfig:
    """No card number may reach a log, a sampled request or the details of a matching rule, which quote the body.

    https://docs.aws.amazon.com/waf/latest/developerguide/data-protection-masking.html
    """
    fields = [
        wafv2.FieldToProtect(FieldType="BODY"),
        wafv2.FieldToProtect(FieldType="QUERY_STRING"),
        wafv2.FieldToProtect(FieldType="SINGLE_HEADER", FieldKeys=list(_SECRET_HEADERS)),
    ]
    return wafv2.DataProtectionConfig(
        DataProtections=[wafv2.DataProtect(Action="SUBSTITUTION", Field=field) for field in fields]
    )


def _log(stack: Stack, acl: wafv2.WebACL, key_arn: AWSHelperFn) -> logs.LogGroup:
    """The log, and the permission to write it, which stands on the log group itself.

    An account has few policies for all of its log groups together, and environments come in any number.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-CWL.html
    """
    name = stack.name(names.WAF_LOG_GROUP, "web")
    delivery = allow(
        "DeliveredByWaf",
        [actions.CreateLogStream, actions.PutLogEvents],
        [arn("logs", f"log-group:{name}:log-stream:*")],
        OURS,
        ArnLike({"aws:SourceArn": arn("logs", "*")}),
        principal=Principal("Service", "delivery.logs.amazonaws.com"),
    )
    policy = encode_to_dict(document(delivery))
    group = add_log_group(stack, "WebAclLogGroup", name, key_arn, ResourcePolicyDocument=policy)
    stack.add(
        wafv2.LoggingConfiguration(
            "WebAclLogging",
            ResourceArn=GetAtt(acl, "Arn"),
            # The log group's own Arn ends in `:*`, which WAF refuses.
            LogDestinationConfigs=[arn("logs", f"log-group:${{{group.title}}}")],
            RedactedFields=[
                *(
                    wafv2.LoggingConfigurationFieldToMatch(SingleHeader=wafv2.SingleHeader(Name=header))
                    for header in _SECRET_HEADERS
                ),
                wafv2.LoggingConfigurationFieldToMatch(QueryString={}),
            ],
        )
    )
    return group
