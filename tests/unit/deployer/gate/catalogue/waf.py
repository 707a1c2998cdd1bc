"""The WAF."""

from __future__ import annotations

from tests.unit.deployer.gate.catalogue.edits import GONE, both, drop, put

WAF = "load_balancer.WebAcl"

# what is edited → the edit, and what the gate asks about, with "?" where it only may happen
CASES = {
    "waf rule count": (
        both(put(WAF, "Rules/#SqlInjection/OverrideAction", {"Count": {}})),
        ["weaken load_balancer.WebAcl"],
    ),
    "waf rule gone": (put(WAF, "Rules/#SqlInjection", GONE), ["weaken load_balancer.WebAcl"]),
    "waf rate count": (put(WAF, "Rules/#RateLimit/Action", {"Count": {}}), ["weaken load_balancer.WebAcl"]),
    "waf rate higher": (
        put(WAF, "Rules/#RateLimit/Statement/RateBasedStatement/Limit", 200000),
        ["weaken load_balancer.WebAcl"],
    ),
    "waf rate lower": (put(WAF, "Rules/#RateLimit/Statement/RateBasedStatement/Limit", 1000), []),
    "waf rate window shorter": (
        put(WAF, "Rules/#RateLimit/Statement/RateBasedStatement/EvaluationWindowSec", 60),
        ["weaken load_balancer.WebAcl"],
    ),
    "waf rate key": (
        put(WAF, "Rules/#RateLimit/Statement/RateBasedStatement/AggregateKeyType", "FORWARDED_IP"),
        ["weaken load_balancer.WebAcl"],
    ),
    "waf excluded rule": (
        put(
            WAF, "Rules/#Common/Statement/ManagedRuleGroupStatement/ExcludedRules", [{"Name": "SizeRestrictions_BODY"}]
        ),
        ["weaken load_balancer.WebAcl"],
    ),
    "waf override rule": (
        put(
            WAF,
            "Rules/#Common/Statement/ManagedRuleGroupStatement/RuleActionOverrides",
            [{"Name": "SizeRestrictions_BODY", "ActionToUse": {"Count": {}}}],
        ),
        ["weaken load_balancer.WebAcl"],
    ),
    "waf other group": (
        put(WAF, "Rules/#Common/Statement/ManagedRuleGroupStatement/Name", "AWSManagedRulesAdminProtectionRuleSet"),
        ["weaken load_balancer.WebAcl"],
    ),
    "waf new allow first": (
        put(
            WAF,
            "Rules",
            lambda r: [
                {
                    "Name": "Partners",
                    "Priority": 9,
                    "Action": {"Allow": {}},
                    "Statement": {"IPSetReferenceStatement": {"Arn": "arn:x"}},
                    "VisibilityConfig": {},
                },
                *r,
            ],
        ),
        ["weaken load_balancer.WebAcl"],
    ),
    "waf new block": (
        put(
            WAF,
            "Rules/-",
            {
                "Name": "Geo",
                "Priority": 9,
                "Action": {"Block": {}},
                "Statement": {"GeoMatchStatement": {"CountryCodes": ["KP"]}},
                "VisibilityConfig": {},
            },
        ),
        [],
    ),
    "waf default block": (put(WAF, "DefaultAction", {"Block": {}}), ["traffic load_balancer.WebAcl"]),
    "waf data protection gone": (put(WAF, "DataProtectionConfig", GONE), ["weaken load_balancer.WebAcl"]),
    "waf metrics off": (put(WAF, "Rules/#Common/VisibilityConfig/SampledRequestsEnabled", False), []),
    "waf name": (put(WAF, "Name", "payments-prod-web2"), []),
    "waf association removed": (drop("load_balancer.WebAclAssociation"), ["weaken load_balancer.WebAclAssociation"]),
    "waf logging removed": (drop("load_balancer.WebAclLogging"), ["weaken load_balancer.WebAclLogging"]),
    "waf redaction fewer": (
        put("load_balancer.WebAclLogging", "RedactedFields", [{"QueryString": {}}]),
        ["weaken load_balancer.WebAclLogging"],
    ),
    "waf logging filter": (
        put("load_balancer.WebAclLogging", "LoggingFilter", {"DefaultBehavior": "DROP", "Filters": []}),
        ["weaken load_balancer.WebAclLogging"],
    ),
    "waf association other": (
        put("load_balancer.WebAclAssociation", "WebACLArn", "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/x/1"),
        ["weaken load_balancer.WebAclAssociation"],
    ),
}
