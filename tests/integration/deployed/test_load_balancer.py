"""The front door: TLS, redirect, rules with weights, target groups, WAF, access logs."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def elbv2(deployed):
    return deployed.client("elbv2")


@pytest.fixture(scope="module")
def balancer(elbv2, deployed):
    arn = deployed["LoadBalancer.LoadBalancerArn"]
    return elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]


@pytest.fixture(scope="module")
def attributes(elbv2, deployed):
    found = elbv2.describe_load_balancer_attributes(LoadBalancerArn=deployed["LoadBalancer.LoadBalancerArn"])
    return {entry["Key"]: entry["Value"] for entry in found["Attributes"]}


@pytest.fixture(scope="module")
def listeners(elbv2, deployed):
    found = elbv2.describe_listeners(LoadBalancerArn=deployed["LoadBalancer.LoadBalancerArn"])["Listeners"]
    return {listener["Port"]: listener for listener in found}


def weights(elbv2, arn):
    rule = elbv2.describe_rules(RuleArns=[arn])["Rules"][0]
    return {group["TargetGroupArn"]: group["Weight"] for group in rule["Actions"][0]["ForwardConfig"]["TargetGroups"]}


def test_it_faces_the_internet_from_three_public_subnets(balancer, deployed):
    assert (balancer["Scheme"], balancer["Type"]) == ("internet-facing", "application")
    assert {zone["SubnetId"] for zone in balancer["AvailabilityZones"]} == {
        deployed[f"Network.PublicSubnet{zone}Id"] for zone in (1, 2, 3)
    }
    assert balancer["SecurityGroups"] == [deployed["Security.LoadBalancerSecurityGroupId"]]


def test_the_output_is_its_name(balancer, deployed):
    assert balancer["DNSName"] == deployed["LoadBalancerDNS"]


def test_it_listens_on_three_ports(listeners, settings):
    assert {port: listener["Protocol"] for port, listener in listeners.items()} == {
        80: "HTTP",
        443: "HTTPS",
        settings.load_balancer.test_port: "HTTPS",
    }


def test_plaintext_is_sent_to_tls(listeners):
    action = listeners[80]["DefaultActions"][0]
    assert (action["Type"], action["RedirectConfig"]["Protocol"]) == ("redirect", "HTTPS")
    assert action["RedirectConfig"]["StatusCode"] == "HTTP_301"


def test_tls_is_of_the_policy_and_certificate_of_the_params(listeners, settings):
    for port in (443, settings.load_balancer.test_port):
        assert listeners[port]["SslPolicy"] == settings.load_balancer.ssl_policy
        assert [c["CertificateArn"] for c in listeners[port]["Certificates"]] == [
            settings.load_balancer.certificate_arn
        ]


def test_what_no_rule_knows_is_answered_with_503(listeners):
    assert listeners[443]["DefaultActions"][0]["FixedResponseConfig"]["StatusCode"] == "503"


@pytest.mark.parametrize("rule", ["ProductionRuleArn", "TestRuleArn"])
def test_a_rule_of_the_service_weighs_blue_and_green(elbv2, deployed, rule):
    found = weights(elbv2, deployed[f"LoadBalancer.{rule}"])
    assert set(found) == {deployed["LoadBalancer.BlueTargetGroupArn"], deployed["LoadBalancer.GreenTargetGroupArn"]}
    assert sorted(found.values()) == [0, 100]


def test_the_migration_rule_sends_to_the_data_centre_what_the_params_say(elbv2, deployed, settings):
    if settings.load_balancer.aws_weight == 100:
        assert "LoadBalancer.MigrationRuleArn" not in deployed.outputs
        return
    found = weights(elbv2, deployed["LoadBalancer.MigrationRuleArn"])
    assert found[deployed["LoadBalancer.DataCenterTargetGroupArn"]] == 100 - settings.load_balancer.aws_weight
    assert sum(found.values()) == 100


@pytest.mark.parametrize("colour", ["Blue", "Green"])
def test_a_target_group_of_the_service_speaks_tls_and_asks_for_readiness(elbv2, deployed, settings, colour):
    arn = deployed[f"LoadBalancer.{colour}TargetGroupArn"]
    group = elbv2.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
    assert (group["Protocol"], group["Port"], group["TargetType"]) == ("HTTPS", settings.service.port, "ip")
    assert (group["HealthCheckProtocol"], group["HealthCheckPath"]) == ("HTTPS", settings.service.readiness_path)
    assert group["VpcId"] == deployed["VPCId"]


def test_the_data_centre_s_target_group_holds_its_applications(elbv2, deployed, settings):
    arn = deployed["LoadBalancer.DataCenterTargetGroupArn"]
    health = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert {(entry["Target"]["Id"], entry["Target"]["Port"]) for entry in health} == {
        (address, settings.data_center.application_port) for address in settings.data_center.application_ips
    }


def test_deletion_is_protected_where_the_environment_is_durable(attributes, settings):
    assert attributes["deletion_protection.enabled"] == str(settings.durable).lower()


def test_requests_that_are_no_http_are_dropped(attributes):
    assert attributes["routing.http.drop_invalid_header_fields.enabled"] == "true"
    assert attributes["routing.http.desync_mitigation_mode"] in ("defensive", "strictest")


def test_access_is_logged_to_a_private_bucket(attributes, deployed):
    bucket = deployed["LoadBalancer.AccessLogBucketName"]
    assert (attributes["access_logs.s3.enabled"], attributes["access_logs.s3.bucket"]) == ("true", bucket)
    block = deployed.client("s3").get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}


def test_a_web_acl_stands_in_front(deployed):
    wafv2 = deployed.client("wafv2")
    found = wafv2.get_web_acl_for_resource(ResourceArn=deployed["LoadBalancer.LoadBalancerArn"])
    assert found["WebACL"]["ARN"] == deployed["LoadBalancer.WebAclArn"]
    assert "RateLimit" in [rule["Name"] for rule in found["WebACL"]["Rules"]]
