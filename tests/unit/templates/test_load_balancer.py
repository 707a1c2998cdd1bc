from __future__ import annotations

from typing import Any

import pytest

from templates import load_balancer


def of_type(template: Any, kind: str) -> Any:
    return {name: body for name, body in template["Resources"].items() if body["Type"] == kind}


def attributes(resource: Any, name: str) -> Any:
    return {item["Key"]: item["Value"] for item in resource["Properties"][name]}


def weights(rule: Any) -> Any:
    (action,) = rule["Properties"]["Actions"]
    assert action["Type"] == "forward"
    return {group["TargetGroupArn"]["Ref"]: group["Weight"] for group in action["ForwardConfig"]["TargetGroups"]}


@pytest.fixture(params=["dev", "staging", "prod"])
def env(request: Any) -> Any:
    return request.param


@pytest.fixture
def template(env: Any, settings: Any, compile_tier: Any) -> Any:
    return compile_tier(load_balancer, settings(env))


@pytest.fixture
def resources(template: Any) -> Any:
    return template["Resources"]


@pytest.fixture
def build(settings: Any, compile_tier: Any) -> Any:
    """The resources with changes to the load balancer's params."""
    return lambda **changes: compile_tier(load_balancer, settings("dev", load_balancer=changes))["Resources"]


class TestLoadBalancer:
    def test_faces_the_internet_in_the_public_subnets(self, resources: Any) -> None:
        properties = resources["LoadBalancer"]["Properties"]
        assert properties["Scheme"] == "internet-facing"
        assert properties["Type"] == "application"
        assert properties["Subnets"] == [{"Ref": f"PublicSubnet{number}Id"} for number in (1, 2, 3)]
        assert properties["SecurityGroups"] == [{"Ref": "LoadBalancerSecurityGroupId"}]

    def test_is_hardened(self, resources: Any) -> None:
        given = attributes(resources["LoadBalancer"], "LoadBalancerAttributes")
        assert given["routing.http.drop_invalid_header_fields.enabled"] == "true"
        assert given["routing.http.desync_mitigation_mode"] == "defensive"
        assert given["routing.http.x_amzn_tls_version_and_cipher_suite.enabled"] == "true"
        assert given["routing.http.xff_header_processing.mode"] == "append"
        assert given["routing.http.preserve_host_header.enabled"] == "true"
        assert given["waf.fail_open.enabled"] == "false"

    def test_takes_the_idle_timeout_from_params(self, build: Any) -> None:
        given = attributes(build(idle_timeout_seconds=75)["LoadBalancer"], "LoadBalancerAttributes")
        assert given["idle_timeout.timeout_seconds"] == "75"

    @pytest.mark.parametrize(("name", "protected"), [("dev", "false"), ("staging", "false"), ("prod", "true")])
    def test_is_protected_from_deletion_where_durable(
        self, name: str, protected: str, settings: Any, compile_tier: Any
    ) -> None:
        balancer = compile_tier(load_balancer, settings(name))["Resources"]["LoadBalancer"]
        assert attributes(balancer, "LoadBalancerAttributes")["deletion_protection.enabled"] == protected


class TestLogs:
    def test_access_and_connections_are_logged_once_the_bucket_lets_them(self, resources: Any) -> None:
        balancer = resources["LoadBalancer"]
        given = attributes(balancer, "LoadBalancerAttributes")
        for log in ("access_logs", "connection_logs"):
            assert given[f"{log}.s3.enabled"] == "true"
            assert given[f"{log}.s3.bucket"] == {"Ref": "AccessLogBucket"}
        assert balancer["DependsOn"] == ["AccessLogBucketPolicy"]

    def test_the_bucket_is_closed_versioned_and_encrypted_in_the_only_way_that_works(self, resources: Any) -> None:
        bucket = resources["AccessLogBucket"]["Properties"]
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert len(bucket["PublicAccessBlockConfiguration"]) == 4
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
        assert bucket["VersioningConfiguration"]["Status"] == "Enabled"
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]

    def test_logs_end_when_params_say(self, build: Any) -> None:
        (rule,) = build(access_log_retention_days=400)["AccessLogBucket"]["Properties"]["LifecycleConfiguration"][
            "Rules"
        ]
        assert rule["Status"] == "Enabled"
        assert rule["ExpirationInDays"] == 400
        assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
        assert rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 7

    @pytest.mark.parametrize(("name", "kept"), [("dev", False), ("prod", True)])
    def test_are_kept_where_durable(
        self, name: str, kept: bool, settings: Any, compile_tier: Any, is_kept: Any
    ) -> None:
        resources = compile_tier(load_balancer, settings(name))["Resources"]
        for logical_id in ("AccessLogBucket", "WebAclLogGroup"):
            assert is_kept(resources[logical_id]) == kept

    def test_only_this_load_balancer_delivers_and_only_below_our_account(self, resources: Any, env: Any) -> None:
        deliver, _ = resources["AccessLogBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        assert deliver["Effect"] == "Allow"
        assert deliver["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
        assert deliver["Action"] == ["s3:PutObject"]
        bucket = f"arn:${{AWS::Partition}}:s3:::payments-{env}-access-logs-${{AWS::AccountId}}"
        assert deliver["Resource"] == [
            {"Fn::Sub": f"{bucket}/access/AWSLogs/${{AWS::AccountId}}/*"},
            {"Fn::Sub": f"{bucket}/connections/AWSLogs/${{AWS::AccountId}}/*"},
        ]
        given = attributes(resources["LoadBalancer"], "LoadBalancerAttributes")
        assert (given["access_logs.s3.prefix"], given["connection_logs.s3.prefix"]) == ("access", "connections")
        source = (
            "arn:${AWS::Partition}:elasticloadbalancing:${AWS::Region}:${AWS::AccountId}:"
            f"loadbalancer/app/{resources['LoadBalancer']['Properties']['Name']}/*"
        )
        assert deliver["Condition"] == {"ArnLike": {"aws:SourceArn": {"Fn::Sub": source}}}

    def test_nobody_comes_without_tls(self, resources: Any) -> None:
        policy = resources["AccessLogBucketPolicy"]["Properties"]
        _, deny = policy["PolicyDocument"]["Statement"]
        assert policy["Bucket"] == {"Ref": "AccessLogBucket"}
        assert (deny["Effect"], deny["Principal"], deny["Action"]) == ("Deny", "*", ["s3:*"])
        assert deny["Condition"] == {"Bool": {"aws:SecureTransport": False}}
        assert len(deny["Resource"]) == 2


class TestListeners:
    def test_plain_http_is_redirected_and_nothing_else(self, resources: Any) -> None:
        listener = resources["HttpListener"]["Properties"]
        assert (listener["Port"], listener["Protocol"]) == (80, "HTTP")
        assert listener["DefaultActions"] == [
            {
                "Type": "redirect",
                "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
            }
        ]

    @pytest.mark.parametrize("logical_id", ["HttpsListener", "TestListener"])
    def test_https_is_as_params_say(self, logical_id: str, resources: Any, env: Any, settings: Any) -> None:
        wanted = settings(env).load_balancer
        listener = resources[logical_id]["Properties"]
        assert listener["Protocol"] == "HTTPS"
        assert listener["Port"] == {"HttpsListener": 443, "TestListener": wanted.test_port}[logical_id]
        assert listener["SslPolicy"] == wanted.ssl_policy
        assert listener["Certificates"] == [{"CertificateArn": wanted.certificate_arn}]

    @pytest.mark.parametrize("logical_id", ["HttpsListener", "TestListener"])
    def test_what_no_rule_takes_is_asked_to_come_again(self, logical_id: str, resources: Any) -> None:
        (action,) = resources[logical_id]["Properties"]["DefaultActions"]
        assert action["Type"] == "fixed-response"
        assert action["FixedResponseConfig"]["StatusCode"] == "503"

    @pytest.mark.parametrize("logical_id", ["HttpsListener", "TestListener"])
    def test_answers_carry_security_headers(self, logical_id: str, resources: Any) -> None:
        given = attributes(resources[logical_id], "ListenerAttributes")
        start = "routing.http.response."
        assert given[f"{start}strict_transport_security.header_value"].startswith("max-age=63072000")
        assert given[f"{start}x_content_type_options.header_value"] == "nosniff"
        assert given[f"{start}x_frame_options.header_value"] == "DENY"
        assert given[f"{start}server.enabled"] == "false"


class TestTargetGroups:
    @pytest.mark.parametrize("logical_id", ["BlueTargetGroup", "GreenTargetGroup", "DcTargetGroup"])
    def test_are_https_by_address_and_ask_for_health(
        self, logical_id: str, resources: Any, env: Any, settings: Any
    ) -> None:
        group = resources[logical_id]["Properties"]
        assert group["TargetType"] == "ip"
        assert group["Protocol"] == "HTTPS"
        assert group["VpcId"] == {"Ref": "VpcId"}
        assert group["HealthCheckProtocol"] == "HTTPS"
        assert group["HealthCheckPort"] == "traffic-port"
        assert group["Matcher"] == {"HttpCode": "200"}
        assert group["HealthCheckTimeoutSeconds"] < group["HealthCheckIntervalSeconds"]
        given = attributes(resources[logical_id], "TargetGroupAttributes")
        assert given["stickiness.enabled"] == "false"
        assert given["load_balancing.cross_zone.enabled"] == "true"
        assert given["deregistration_delay.timeout_seconds"] == "60"

    def test_each_side_is_asked_at_its_own_path(self, settings: Any, compile_tier: Any) -> None:
        changed = settings("dev", service={"readiness_path": "/ready"}, data_center={"health_check_path": "/up"})
        resources = compile_tier(load_balancer, changed)["Resources"]
        paths = {
            name: resources[f"{name}TargetGroup"]["Properties"]["HealthCheckPath"] for name in ("Blue", "Green", "Dc")
        }
        assert paths == {"Blue": "/ready", "Green": "/ready", "Dc": "/up"}

    @pytest.mark.parametrize(("part", "patience"), [("Blue", 60), ("Green", 60), ("Dc", 30)])
    def test_of_the_service_outlast_a_failover_of_the_database(self, part: str, patience: int, resources: Any) -> None:
        group = resources[f"{part}TargetGroup"]["Properties"]
        assert group["UnhealthyThresholdCount"] * group["HealthCheckIntervalSeconds"] == patience

    @pytest.mark.parametrize("logical_id", ["BlueTargetGroup", "GreenTargetGroup"])
    def test_of_the_service_have_no_targets_of_their_own(
        self, logical_id: str, resources: Any, env: Any, settings: Any
    ) -> None:
        group = resources[logical_id]["Properties"]
        assert "Targets" not in group
        assert group["Port"] == settings(env).service.port
        assert attributes(resources[logical_id], "TargetGroupAttributes")["slow_start.duration_seconds"] == "30"

    def test_of_the_data_centre_holds_its_addresses_outside_of_all_zones(
        self, resources: Any, env: Any, settings: Any
    ) -> None:
        place = settings(env).data_center
        group = resources["DcTargetGroup"]["Properties"]
        assert group["Port"] == place.application_port
        assert group["Targets"] == [
            {"Id": address, "Port": place.application_port, "AvailabilityZone": "all"}
            for address in place.application_ips
        ]
        assert attributes(resources["DcTargetGroup"], "TargetGroupAttributes")["slow_start.duration_seconds"] == "0"

    def test_names_are_short_enough_for_a_long_suffix(self, settings: Any, compile_tier: Any) -> None:
        template = compile_tier(load_balancer, settings("dev", suffix="pr-1234567890"))
        found = [
            body["Properties"]["Name"]
            for body in of_type(template, "AWS::ElasticLoadBalancingV2::TargetGroup").values()
        ]
        assert len(set(found)) == 3
        assert all("pr-1234567890" in name and len(name) <= 32 for name in found)


class TestRules:
    @pytest.mark.parametrize(
        ("logical_id", "listener"), [("ProductionRule", "HttpsListener"), ("TestRule", "TestListener")]
    )
    def test_of_ecs_hold_both_groups_whatever_the_weight(self, logical_id: str, listener: str, build: Any) -> None:
        bodies = [build(aws_weight=weight)[logical_id] for weight in (0, 30, 100)]
        assert bodies[0] == bodies[1] == bodies[2]
        assert weights(bodies[0]) == {"BlueTargetGroup": 100, "GreenTargetGroup": 0}
        assert bodies[0]["Properties"]["ListenerArn"] == {"Ref": listener}

    @pytest.mark.parametrize("logical_id", ["ProductionRule", "TestRule", "MigrationRule"])
    def test_take_every_request(self, logical_id: str, resources: Any) -> None:
        assert resources[logical_id]["Properties"]["Conditions"] == [
            {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}
        ]

    @pytest.mark.parametrize("weight", [0, 1, 30, 99])
    def test_of_the_migration_splits_by_weight_and_comes_first(self, weight: int, build: Any) -> None:
        resources = build(aws_weight=weight)
        rule = resources["MigrationRule"]
        assert weights(rule) == {"DcTargetGroup": 100 - weight, "BlueTargetGroup": weight}
        assert rule["Properties"]["ListenerArn"] == {"Ref": "HttpsListener"}
        assert rule["Properties"]["Priority"] < resources["ProductionRule"]["Properties"]["Priority"]

    def test_of_the_migration_sends_to_the_group_that_ecs_serves_from(self, build: Any) -> None:
        rule = build(aws_weight=30, live_target_group="green")["MigrationRule"]
        assert weights(rule) == {"DcTargetGroup": 70, "GreenTargetGroup": 30}

    def test_of_the_migration_is_gone_at_the_end_and_the_way_back_is_not(self, build: Any) -> None:
        resources = build(aws_weight=100)
        assert "MigrationRule" not in resources
        assert resources["DcTargetGroup"] == build(aws_weight=0)["DcTargetGroup"]


class TestFirewall:
    def test_stands_before_the_load_balancer(self, resources: Any) -> None:
        bound = resources["WebAclAssociation"]["Properties"]
        assert bound == {"ResourceArn": {"Ref": "LoadBalancer"}, "WebACLArn": {"Fn::GetAtt": ["WebAcl", "Arn"]}}
        assert resources["WebAcl"]["Properties"]["Scope"] == "REGIONAL"

    def test_has_the_managed_groups_in_order_and_lets_them_act(self, resources: Any) -> None:
        rules = resources["WebAcl"]["Properties"]["Rules"]
        managed = [rule for rule in rules if "ManagedRuleGroupStatement" in rule["Statement"]]
        assert [rule["Statement"]["ManagedRuleGroupStatement"]["Name"] for rule in managed] == [
            "AWSManagedRulesAmazonIpReputationList",
            "AWSManagedRulesKnownBadInputsRuleSet",
            "AWSManagedRulesCommonRuleSet",
            "AWSManagedRulesSQLiRuleSet",
        ]
        assert all(rule["OverrideAction"] == {"None": {}} for rule in managed)
        assert [rule["Priority"] for rule in rules] == list(range(5))
        assert all(rule["VisibilityConfig"]["CloudWatchMetricsEnabled"] for rule in rules)

    def test_lets_all_pass_and_counts_while_it_is_tried(self, build: Any) -> None:
        rate, *managed = build(waf_mode="count")["WebAcl"]["Properties"]["Rules"]
        assert rate["Action"] == {"Count": {}}
        assert [rule["OverrideAction"] for rule in managed] == [{"Count": {}}] * 4

    def test_counts_by_a_name_that_no_other_environment_has(self, template: Any, env: Any) -> None:
        acl = template["Resources"]["WebAcl"]["Properties"]
        assert acl["VisibilityConfig"]["MetricName"] == acl["Name"] == f"payments-{env}-web"
        assert template["Outputs"]["WebAclMetricName"]["Value"] == acl["Name"]

    def test_blocks_addresses_that_ask_too_often(self, build: Any) -> None:
        rule = build(waf_rate_limit=777)["WebAcl"]["Properties"]["Rules"][0]
        assert rule["Action"] == {"Block": {}}
        assert rule["Statement"]["RateBasedStatement"] == {
            "AggregateKeyType": "IP",
            "EvaluationWindowSec": 300,
            "Limit": 777,
        }

    def test_hides_card_data_and_credentials_wherever_it_writes(self, resources: Any) -> None:
        protections = resources["WebAcl"]["Properties"]["DataProtectionConfig"]["DataProtections"]
        hidden = {item["Field"]["FieldType"]: item for item in protections}
        assert set(hidden) == {"BODY", "QUERY_STRING", "SINGLE_HEADER"}
        assert hidden["SINGLE_HEADER"]["Field"]["FieldKeys"] == ["authorization", "cookie", "x-api-key"]
        for item in protections:
            assert item["Action"] == "SUBSTITUTION"
            assert not {"ExcludeRuleMatchDetails", "ExcludeRateBasedDetails"} & set(item)

    def test_logs_to_a_group_that_waf_accepts(self, resources: Any, env: Any, settings: Any) -> None:
        group = resources["WebAclLogGroup"]["Properties"]
        assert group["LogGroupName"].startswith("aws-waf-logs-")
        assert group["RetentionInDays"] == settings(env).log_retention_days
        assert group["KmsKeyId"] == {"Ref": "LogsKeyArn"}
        logging = resources["WebAclLogging"]["Properties"]
        assert logging["ResourceArn"] == {"Fn::GetAtt": ["WebAcl", "Arn"]}
        (destination,) = logging["LogDestinationConfigs"]
        assert destination["Fn::Sub"].endswith(":log-group:${WebAclLogGroup}")  # no `:*`, which WAF refuses
        assert {"SingleHeader": {"Name": "authorization"}} in logging["RedactedFields"]
        assert {"QueryString": {}} in logging["RedactedFields"]

    def test_the_log_group_itself_lets_log_delivery_write_for_us_alone(self, resources: Any) -> None:
        group = resources["WebAclLogGroup"]["Properties"]
        (statement,) = group["ResourcePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "delivery.logs.amazonaws.com"}
        assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
        (resource,) = statement["Resource"]
        assert resource["Fn::Sub"].endswith(f":log-group:{group['LogGroupName']}:log-stream:*")
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_gives_full_names_as_dimensions_and_arns_as_targets(template: Any) -> None:
    given = {name: output["Value"] for name, output in template["Outputs"].items()}
    assert given["LoadBalancerName"] == {"Fn::GetAtt": ["LoadBalancer", "LoadBalancerFullName"]}
    assert given["LoadBalancerDns"] == {"Fn::GetAtt": ["LoadBalancer", "DNSName"]}
    for color in ("Blue", "Green"):
        assert given[f"{color}TargetGroupArn"] == {"Ref": f"{color}TargetGroup"}
        assert given[f"{color}TargetGroupName"] == {"Fn::GetAtt": [f"{color}TargetGroup", "TargetGroupFullName"]}
    assert given["DataCenterTargetGroupName"] == {"Fn::GetAtt": ["DcTargetGroup", "TargetGroupFullName"]}
    assert given["ProductionRuleArn"] == {"Ref": "ProductionRule"}
    assert given["TestRuleArn"] == {"Ref": "TestRule"}
    assert given["MigrationRuleArn"] == {"Ref": "MigrationRule"}


def test_two_suffixes_share_no_name(settings: Any, compile_tier: Any) -> None:
    found = []
    for suffix in ("pr-1", "pr-2"):
        resources = compile_tier(load_balancer, settings("dev", suffix=suffix))["Resources"].values()
        keys = ("Name", "BucketName", "LogGroupName")
        found.append({str(body["Properties"][key]) for body in resources for key in keys if key in body["Properties"]})
    assert len(found[0]) == 7
    assert not found[0] & found[1]
