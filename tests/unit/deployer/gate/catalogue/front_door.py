"""The load balancer."""

from __future__ import annotations

from tests.unit.deployer.gate.catalogue.edits import GONE, add, both, drop, put

BALANCER = "load_balancer.LoadBalancer"
LISTENER = "load_balancer.HttpsListener"
BLUE = "load_balancer.BlueTargetGroup"

# what is edited → the edit, and what the gate asks about, with "?" where it only may happen
CASES = {
    "weights": (
        put(
            "load_balancer.MigrationRule",
            "Actions/0/ForwardConfig/TargetGroups",
            lambda g: [{**g[0], "Weight": 80}, {**g[1], "Weight": 20}],
        ),
        ["traffic load_balancer.MigrationRule"],
    ),
    "migration rule priority": (
        put("load_balancer.MigrationRule", "Priority", 200),
        ["traffic load_balancer.MigrationRule"],
    ),
    "migration rule path": (
        put("load_balancer.MigrationRule", "Conditions/0/PathPatternConfig/Values", ["/api/*"]),
        ["traffic load_balancer.MigrationRule"],
    ),
    "migration rule tag": (
        put("load_balancer.MigrationRule", "Tags/-", {"Key": "x", "Value": "y"}),
        ["traffic load_balancer.MigrationRule"],
    ),
    "migration rule removed": (drop("load_balancer.MigrationRule"), ["traffic load_balancer.MigrationRule"]),
    "production rule weights": (
        put("load_balancer.ProductionRule", "Actions/0/ForwardConfig/TargetGroups/0/Weight", 50),
        ["traffic load_balancer.ProductionRule"],
    ),
    "production rule tag": (
        put("load_balancer.ProductionRule", "Tags/-", {"Key": "x", "Value": "y"}),
        ["traffic load_balancer.ProductionRule"],
    ),
    "production rule cond": (
        put("load_balancer.ProductionRule", "Conditions/0/PathPatternConfig/Values", ["/v1/*"]),
        ["traffic load_balancer.ProductionRule"],
    ),
    "new rule before": (
        add(
            "load_balancer.Extra",
            "AWS::ElasticLoadBalancingV2::ListenerRule",
            ListenerArn={"Ref": "HttpsListener"},
            Priority=5,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}],
            Actions=[{"Type": "forward", "TargetGroupArn": {"Ref": "BlueTargetGroup"}}],
        ),
        ["traffic load_balancer.Extra"],
    ),
    "new rule fixed": (
        add(
            "load_balancer.Extra",
            "AWS::ElasticLoadBalancingV2::ListenerRule",
            ListenerArn={"Ref": "HttpsListener"},
            Priority=5,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}],
            Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}],
        ),
        ["traffic load_balancer.Extra"],
    ),
    "new rule redirect": (
        add(
            "load_balancer.Extra",
            "AWS::ElasticLoadBalancingV2::ListenerRule",
            ListenerArn={"Ref": "HttpsListener"},
            Priority=5,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}],
            Actions=[{"Type": "redirect", "RedirectConfig": {"Host": "evil.example", "StatusCode": "HTTP_302"}}],
        ),
        ["traffic load_balancer.Extra"],
    ),
    "https ssl policy old": (
        put(LISTENER, "SslPolicy", "ELBSecurityPolicy-2016-08"),
        ["weaken load_balancer.HttpsListener"],
    ),
    "https ssl policy 13 only": (put(LISTENER, "SslPolicy", "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09"), []),
    "https ssl policy gone": (put(LISTENER, "SslPolicy", GONE), ["weaken load_balancer.HttpsListener"]),
    "https ssl no pq": (
        put(LISTENER, "SslPolicy", "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"),
        ["weaken load_balancer.HttpsListener"],
    ),
    "https to http": (
        both(put(LISTENER, "Protocol", "HTTP"), put(LISTENER, "Certificates", GONE), put(LISTENER, "SslPolicy", GONE)),
        ["weaken load_balancer.HttpsListener", "traffic load_balancer.HttpsListener"],
    ),
    "https port": (put(LISTENER, "Port", 8443), ["traffic load_balancer.HttpsListener"]),
    "https certificate": (
        put(LISTENER, "Certificates/0/CertificateArn", "arn:aws:acm:us-east-1:123456789012:certificate/other"),
        [],
    ),
    "https hsts gone": (
        put(LISTENER, "ListenerAttributes/#routing.http.response.strict_transport_security.header_value", GONE),
        ["weaken load_balancer.HttpsListener"],
    ),
    "https hsts shorter": (
        put(
            LISTENER,
            "ListenerAttributes/#routing.http.response.strict_transport_security.header_value/Value",
            "max-age=0",
        ),
        ["weaken load_balancer.HttpsListener"],
    ),
    "https csp": (
        put(
            LISTENER,
            "ListenerAttributes/-",
            {"Key": "routing.http.response.access_control_allow_origin.header_value", "Value": "*"},
        ),
        ["access load_balancer.HttpsListener"],
    ),
    "https default to blue": (
        put(LISTENER, "DefaultActions", [{"Type": "forward", "TargetGroupArn": {"Ref": "BlueTargetGroup"}}]),
        ["traffic load_balancer.HttpsListener"],
    ),
    "https default text": (put(LISTENER, "DefaultActions/0/FixedResponseConfig/MessageBody", "No."), []),
    "http forward": (
        put(
            "load_balancer.HttpListener",
            "DefaultActions",
            [{"Type": "forward", "TargetGroupArn": {"Ref": "DcTargetGroup"}}],
        ),
        ["weaken load_balancer.HttpListener", "traffic load_balancer.HttpListener"],
    ),
    "http redirect host": (
        put("load_balancer.HttpListener", "DefaultActions/0/RedirectConfig/Host", "evil.example"),
        ["traffic load_balancer.HttpListener"],
    ),
    "http removed": (drop("load_balancer.HttpListener"), ["traffic load_balancer.HttpListener"]),
    "https removed (listener)": (
        drop("load_balancer.TestListener", "load_balancer.TestRule"),
        ["traffic load_balancer.TestListener", "traffic load_balancer.TestRule"],
    ),
    "alb protection off": (
        put(BALANCER, "LoadBalancerAttributes/#deletion_protection.enabled/Value", "false"),
        ["weaken load_balancer.LoadBalancer"],
    ),
    "alb protection gone": (
        put(BALANCER, "LoadBalancerAttributes/#deletion_protection.enabled", GONE),
        ["weaken load_balancer.LoadBalancer"],
    ),
    "alb logs off": (
        put(BALANCER, "LoadBalancerAttributes/#access_logs.s3.enabled/Value", "false"),
        ["weaken load_balancer.LoadBalancer"],
    ),
    "alb logs other bucket": (
        put(BALANCER, "LoadBalancerAttributes/#access_logs.s3.bucket/Value", "elsewhere"),
        ["weaken load_balancer.LoadBalancer"],
    ),
    "alb attributes gone": (put(BALANCER, "LoadBalancerAttributes", GONE), ["weaken load_balancer.LoadBalancer"]),
    "alb xff preserve": (
        put(BALANCER, "LoadBalancerAttributes/#routing.http.xff_header_processing.mode/Value", "preserve"),
        ["weaken load_balancer.LoadBalancer"],
    ),
    "alb idle": (put(BALANCER, "LoadBalancerAttributes/#idle_timeout.timeout_seconds/Value", "90"), []),
    "alb waf open": (
        put(BALANCER, "LoadBalancerAttributes/#waf.fail_open.enabled/Value", "true"),
        ["weaken load_balancer.LoadBalancer"],
    ),
    "alb scheme internal": (
        put(BALANCER, "Scheme", "internal"),
        [
            "traffic load_balancer.HttpListener",
            "traffic load_balancer.HttpsListener",
            "replace load_balancer.LoadBalancer",
            "traffic load_balancer.MigrationRule",
            "traffic load_balancer.ProductionRule",
            "traffic load_balancer.TestListener",
            "traffic load_balancer.TestRule",
        ],
    ),
    "alb name": (
        put(BALANCER, "Name", "payments-prod-alb2"),
        [
            "traffic load_balancer.HttpListener",
            "traffic load_balancer.HttpsListener",
            "replace load_balancer.LoadBalancer",
            "traffic load_balancer.MigrationRule",
            "traffic load_balancer.ProductionRule",
            "traffic load_balancer.TestListener",
            "traffic load_balancer.TestRule",
        ],
    ),
    "alb subnets": (put(BALANCER, "Subnets", [{"Ref": "PublicSubnet1Id"}, {"Ref": "PublicSubnet2Id"}]), []),
    "alb sg other": (put(BALANCER, "SecurityGroups", ["sg-0123456789abcdef0"]), ["access load_balancer.LoadBalancer"]),
    "alb minimum capacity": (put(BALANCER, "MinimumLoadBalancerCapacity", {"CapacityUnits": 100}), []),
    "tg protocol": (
        put(BLUE, "Protocol", "HTTP"),
        [
            "weaken load_balancer.BlueTargetGroup",
            "traffic load_balancer.BlueTargetGroup",
            "traffic load_balancer.MigrationRule",
            "traffic load_balancer.ProductionRule",
            "traffic load_balancer.TestRule",
        ],
    ),
    "tg name": (
        put(BLUE, "Name", "payments-prod-b2"),
        [
            "traffic load_balancer.BlueTargetGroup",
            "traffic load_balancer.MigrationRule",
            "traffic load_balancer.ProductionRule",
            "traffic load_balancer.TestRule",
        ],
    ),
    "tg matcher": (put(BLUE, "Matcher/HttpCode", "200-499"), []),
    "tg health path": (put(BLUE, "HealthCheckPath", "/"), []),
    "tg health off": (put(BLUE, "HealthCheckEnabled", False), []),
    "tg dereg": (put(BLUE, "TargetGroupAttributes/#deregistration_delay.timeout_seconds/Value", "0"), []),
    "tg dc targets": (
        put("load_balancer.DcTargetGroup", "Targets/0/Id", "192.168.99.9"),
        ["traffic load_balancer.DcTargetGroup"],
    ),
    "tg dc targets removed": (
        put("load_balancer.DcTargetGroup", "Targets", GONE),
        ["traffic load_balancer.DcTargetGroup"],
    ),
}
