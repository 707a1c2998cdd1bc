"""Load balancer: the front door in the public subnets, its listeners and rules, and the path to the data centre.

Who decides where a request goes:

- The production rule belongs to Amazon ECS, which rewrites its weights with every deployment of the service.
- While `aws_weight` is below 100, the migration rule comes before it and splits between the data centre and the target
  group that ECS serves from (`live_target_group`). At 100 it is gone, and the production rule is alone. Going back is
  setting the weight to 0: the data centre's target group is always there.

CloudFormation writes a rule again when its part of the template or its tags change, and would reset the weights that
ECS had set. https://github.com/aws/aws-cdk/issues/36649
"""

from __future__ import annotations

from troposphere import GetAtt, Ref
from troposphere import elasticloadbalancingv2 as elb

from contract import names
from contract.kinds import (
    BucketName,
    DnsName,
    HostedZoneId,
    KmsKeyArn,
    ListenerArn,
    ListenerRuleArn,
    LoadBalancerArn,
    LoadBalancerName,
    LogGroupName,
    SecurityGroupId,
    SubnetId,
    TargetGroupArn,
    TargetGroupName,
    VpcId,
    WebAclArn,
    WebAclMetricName,
)
from contract.stack import Stack, Tier
from contract.wiring import Inputs as BaseInputs
from contract.wiring import Output, Report, Wire
from contract.wiring import Outputs as BaseOutputs
from templates.load_balancer_firewall import add_firewall
from templates.load_balancer_logs import ACCESS_PREFIX, CONNECTION_PREFIX, add_log_bucket
from templates.load_balancer_targets import TargetGroups, add_target_groups, attributes

_HTTPS, _HTTP = 443, 80
# Lower is evaluated first. https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
_MIGRATION_PRIORITY, _PRODUCTION_PRIORITY = 10, 100
# What the listeners answer in the name of the application: no browser may fall back to plain HTTP or guess at content.
_RESPONSE_HEADERS = {
    "routing.http.response.server.enabled": "false",
    "routing.http.response.strict_transport_security.header_value": "max-age=63072000; includeSubDomains",
    "routing.http.response.x_content_type_options.header_value": "nosniff",
    "routing.http.response.x_frame_options.header_value": "DENY",
}


class Inputs(BaseInputs):
    """Where the load balancer stands, what guards it, and the key of its firewall's log."""

    vpc_id: Wire[VpcId]
    public_subnet_1_id: Wire[SubnetId]
    public_subnet_2_id: Wire[SubnetId]
    public_subnet_3_id: Wire[SubnetId]
    load_balancer_security_group_id: Wire[SecurityGroupId]
    logs_key_arn: Wire[KmsKeyArn]


class Outputs(BaseOutputs):
    """What the service registers with, what alarms watch, and where clients go."""

    blue_target_group_arn: Output[TargetGroupArn]
    green_target_group_arn: Output[TargetGroupArn]
    production_rule_arn: Output[ListenerRuleArn]
    test_rule_arn: Output[ListenerRuleArn]
    load_balancer_dns: Output[DnsName]
    load_balancer_name: Output[LoadBalancerName]
    blue_target_group_name: Output[TargetGroupName]
    green_target_group_name: Output[TargetGroupName]
    data_center_target_group_name: Output[TargetGroupName]
    web_acl_metric_name: Output[WebAclMetricName]
    load_balancer_arn: Report[LoadBalancerArn]
    hosted_zone_id: Report[HostedZoneId]
    https_listener_arn: Report[ListenerArn]
    test_listener_arn: Report[ListenerArn]
    migration_rule_arn: Report[ListenerRuleArn]
    data_center_target_group_arn: Report[TargetGroupArn]
    web_acl_arn: Report[WebAclArn]
    web_acl_log_group_name: Report[LogGroupName]
    access_log_bucket_name: Report[BucketName]


def build(stack: Stack, needs: Inputs) -> None:
    """Fill the load balancer template."""
    balancer = _load_balancer(stack, needs)
    groups = add_target_groups(stack, needs.vpc_id.ref)
    _listen(stack, balancer, groups)
    acl, log_group = add_firewall(stack, balancer, needs.logs_key_arn.ref)

    stack.give(Outputs.load_balancer_dns, GetAtt(balancer, "DNSName"))
    stack.give(Outputs.load_balancer_name, GetAtt(balancer, "LoadBalancerFullName"))
    stack.give(Outputs.load_balancer_arn, Ref(balancer))
    stack.give(Outputs.hosted_zone_id, GetAtt(balancer, "CanonicalHostedZoneID"))
    stack.give(Outputs.blue_target_group_arn, Ref(groups.blue))
    stack.give(Outputs.green_target_group_arn, Ref(groups.green))
    stack.give(Outputs.data_center_target_group_arn, Ref(groups.data_center))
    stack.give(Outputs.blue_target_group_name, GetAtt(groups.blue, "TargetGroupFullName"))
    stack.give(Outputs.green_target_group_name, GetAtt(groups.green, "TargetGroupFullName"))
    stack.give(Outputs.data_center_target_group_name, GetAtt(groups.data_center, "TargetGroupFullName"))
    stack.give(Outputs.web_acl_metric_name, acl.VisibilityConfig.MetricName)
    stack.give(Outputs.web_acl_arn, GetAtt(acl, "Arn"))
    stack.give(Outputs.web_acl_log_group_name, Ref(log_group))


def _load_balancer(stack: Stack, needs: Inputs) -> elb.LoadBalancer:
    """The load balancer, every attribute that matters said aloud.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
    """
    settings = stack.settings.load_balancer
    name = stack.name(names.LOAD_BALANCER, "alb")
    bucket, bucket_policy = add_log_bucket(stack, name)
    stack.give(Outputs.access_log_bucket_name, Ref(bucket))
    return stack.add(
        elb.LoadBalancer(
            "LoadBalancer",
            Name=name,
            Type="application",
            Scheme="internet-facing",
            IpAddressType="ipv4",
            Subnets=[needs.public_subnet_1_id.ref, needs.public_subnet_2_id.ref, needs.public_subnet_3_id.ref],
            SecurityGroups=[needs.load_balancer_security_group_id.ref],
            LoadBalancerAttributes=attributes(
                elb.LoadBalancerAttributes,
                {
                    "access_logs.s3.bucket": Ref(bucket),
                    "access_logs.s3.enabled": "true",
                    "access_logs.s3.prefix": ACCESS_PREFIX,
                    # TLS handshakes that never became a request: the only trace of them.
                    "connection_logs.s3.bucket": Ref(bucket),
                    "connection_logs.s3.enabled": "true",
                    "connection_logs.s3.prefix": CONNECTION_PREFIX,
                    "deletion_protection.enabled": "true" if stack.settings.durable else "false",
                    "idle_timeout.timeout_seconds": str(settings.idle_timeout_seconds),
                    # Clients come back this often, so that a zonal shift moves those who never hang up.
                    "client_keep_alive.seconds": "600",
                    "zonal_shift.config.enabled": "true",
                    # "strictest" would refuse clients that the data centre has served for years: defensive refuses what
                    # is dangerous.
                    "routing.http.desync_mitigation_mode": "defensive",
                    "routing.http.drop_invalid_header_fields.enabled": "true",
                    # Both sides see the host name that the client asked for, whichever side answers.
                    "routing.http.preserve_host_header.enabled": "true",
                    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "true",
                    "routing.http.xff_client_port.enabled": "true",
                    "routing.http.xff_header_processing.mode": "append",
                    "routing.http2.enabled": "true",
                    # No request may pass uninspected because WAF does not answer.
                    "waf.fail_open.enabled": "false",
                },
            ),
            # Elastic Load Balancing writes a test object before it accepts the bucket.
            DependsOn=[bucket_policy.title],
        )
    )


# --- listeners and rules ---------------------------------------------------------------------------------------------
def _listen(stack: Stack, balancer: elb.LoadBalancer, groups: TargetGroups) -> None:
    settings = stack.settings.load_balancer
    stack.add(_redirect_listener(balancer))
    production = stack.add(_https_listener(stack, balancer, "HttpsListener", _HTTPS))
    test = stack.add(_https_listener(stack, balancer, "TestListener", settings.test_port))
    # The two groups and weights that ECS expects to find. It may swap them in the first deployment already.
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/migrate-codedeploy-to-ecs-bluegreen-cloudformation-template.html
    start = [(groups.blue, 100), (groups.green, 0)]
    production_rule = stack.add(_rule("ProductionRule", production, _PRODUCTION_PRIORITY, start))
    test_rule = stack.add(_rule("TestRule", test, _PRODUCTION_PRIORITY, start))
    if settings.data_center_weight:
        live = groups.blue if settings.live_target_group == "blue" else groups.green
        split = [(groups.data_center, settings.data_center_weight), (live, settings.aws_weight)]
        migration_rule = stack.add(_rule("MigrationRule", production, _MIGRATION_PRIORITY, split))
        stack.give(Outputs.migration_rule_arn, Ref(migration_rule))
    stack.give(Outputs.https_listener_arn, Ref(production))
    stack.give(Outputs.test_listener_arn, Ref(test))
    stack.give(Outputs.production_rule_arn, Ref(production_rule))
    stack.give(Outputs.test_rule_arn, Ref(test_rule))


def _redirect_listener(balancer: elb.LoadBalancer) -> elb.Listener:
    return elb.Listener(
        "HttpListener",
        LoadBalancerArn=Ref(balancer),
        Port=_HTTP,
        Protocol="HTTP",
        DefaultActions=[
            elb.Action(
                Type="redirect",
                RedirectConfig=elb.RedirectConfig(Protocol="HTTPS", Port=str(_HTTPS), StatusCode="HTTP_301"),
            )
        ],
    )


def _https_listener(stack: Stack, balancer: elb.LoadBalancer, logical_id: str, port: int) -> elb.Listener:
    """A listener whose rules do the forwarding: a request that none of them takes is asked to come again."""
    settings = stack.settings.load_balancer
    return elb.Listener(
        logical_id,
        LoadBalancerArn=Ref(balancer),
        Port=port,
        Protocol="HTTPS",
        SslPolicy=settings.ssl_policy,
        Certificates=[elb.Certificate(CertificateArn=settings.certificate_arn)],
        DefaultActions=[
            elb.Action(
                Type="fixed-response",
                FixedResponseConfig=elb.FixedResponseConfig(
                    StatusCode="503", ContentType="text/plain", MessageBody="No route. Try again."
                ),
            )
        ],
        ListenerAttributes=attributes(elb.ListenerAttribute, _RESPONSE_HEADERS),
    )


def _rule(
    logical_id: str, listener: elb.Listener, priority: int, split: list[tuple[elb.TargetGroup, int]]
) -> elb.ListenerRule:
    """A rule that takes every request and splits them by weight."""
    return elb.ListenerRule(
        logical_id,
        ListenerArn=Ref(listener),
        Priority=priority,
        Conditions=[elb.Condition(Field="path-pattern", PathPatternConfig=elb.PathPatternConfig(Values=["/*"]))],
        Actions=[
            elb.ListenerRuleAction(
                Type="forward",
                ForwardConfig=elb.ForwardConfig(
                    TargetGroups=[
                        elb.TargetGroupTuple(TargetGroupArn=Ref(group), Weight=weight) for group, weight in split
                    ]
                ),
            )
        ],
    )


TIER = Tier(Inputs, Outputs, build, "Load balancer: ALB, listeners, target groups, path to the data centre, WAF")
