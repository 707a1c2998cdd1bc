"""The groups and their paths: those of the design are there, and no other is."""

from __future__ import annotations

import re

import pytest

from templates import security

GROUPS = {
    "LoadBalancerSecurityGroup": "load balancer",
    "ServiceSecurityGroup": "service",
    "DatabaseSecurityGroup": "database",
    "DmsSecurityGroup": "dms",
    "ValidatorSecurityGroup": "validator",
    "CutoverSecurityGroup": "cutover",
}
INTERNET = "0.0.0.0/0"
DATA_CENTER = "192.168.16.0/20"
SOURCE = "192.168.21.5/32"
S3 = "pl-63a5400a"
BEFORE_CUTOVER = {"load_balancer": {"aws_weight": 0}, "service": {"database": "data_center"}}
AFTER_CUTOVER = {"load_balancer": {"aws_weight": 100}, "service": {"database": "aurora"}}


def end(rule, *keys):
    """The other end of a rule, as a word."""
    for key in keys:
        value = rule.get(key)
        if isinstance(value, str):
            return value
        if value is not None:
            return GROUPS[value["Fn::GetAtt"][0]] if "Fn::GetAtt" in value else value["Ref"]
    raise AssertionError(rule)


def rules(template, direction):
    kind = f"AWS::EC2::SecurityGroup{direction}"
    return [body["Properties"] for body in template["Resources"].values() if body["Type"] == kind]


def open_paths(template, direction):
    """(group, other end, port) of every rule; ports are single and TCP."""
    found = []
    for rule in rules(template, direction):
        assert rule["IpProtocol"] == "tcp"
        assert rule["FromPort"] == rule["ToPort"]
        other = end(rule, "CidrIp", "SourceSecurityGroupId", "DestinationSecurityGroupId", "DestinationPrefixListId")
        found.append((end(rule, "GroupId"), other, rule["FromPort"]))
    assert len(found) == len(set(found))
    return set(found)


@pytest.fixture(params=["dev", "staging", "prod"])
def env(request):
    return request.param


@pytest.fixture
def template(env, settings, compile_tier):
    return compile_tier(security, settings(env))


@pytest.fixture
def compiled(settings, compile_tier):
    return lambda **changes: compile_tier(security, settings(**changes))


WAYS_IN = {
    ("load balancer", INTERNET, 443),
    ("load balancer", INTERNET, 80),
    ("load balancer", "10.0.0.0/16", 9443),
    ("load balancer", DATA_CENTER, 9443),
    ("service", "load balancer", 8443),
    ("database", "service", 5432),
    ("database", "dms", 5432),
    ("database", "validator", 5432),
    ("database", "cutover", 5432),
}
WAYS_OUT = {
    ("load balancer", "service", 8443),
    ("service", "database", 5432),
    ("service", SOURCE, 5432),
    ("service", "EndpointSecurityGroupId", 443),
    ("service", S3, 443),
    ("dms", "database", 5432),
    ("dms", SOURCE, 5432),
    ("dms", "EndpointSecurityGroupId", 443),
    ("validator", "database", 5432),
    ("validator", SOURCE, 5432),
    ("validator", "EndpointSecurityGroupId", 443),
    ("validator", S3, 443),
    ("cutover", "database", 5432),
    ("cutover", SOURCE, 5432),
    ("cutover", "EndpointSecurityGroupId", 443),
    ("cutover", S3, 443),
}
SHARE_OF_THE_DATA_CENTER = {
    ("load balancer", "192.168.20.10/32", 8443),
    ("load balancer", "192.168.20.11/32", 8443),
}


class TestPaths:
    def test_before_the_cutover_these_are_open_and_no_others(self, compiled):
        template = compiled(**BEFORE_CUTOVER)
        assert open_paths(template, "Ingress") == WAYS_IN
        assert open_paths(template, "Egress") == WAYS_OUT | SHARE_OF_THE_DATA_CENTER

    def test_after_the_cutover_only_requests_have_no_way_to_the_data_center(self, compiled):
        template = compiled(**AFTER_CUTOVER)
        assert open_paths(template, "Ingress") == WAYS_IN
        assert open_paths(template, "Egress") == WAYS_OUT

    @pytest.mark.parametrize("weight", [0, 1, 99])
    def test_the_load_balancer_reaches_the_data_center_while_it_has_a_share(self, compiled, weight):
        template = compiled(load_balancer={"aws_weight": weight}, service={"database": "aurora"})
        assert open_paths(template, "Egress") == WAYS_OUT | SHARE_OF_THE_DATA_CENTER

    @pytest.mark.parametrize("side", ["data_center", "aurora"])
    def test_the_service_reaches_both_databases_whichever_the_pointer_names(self, compiled, side):
        template = compiled(load_balancer={"aws_weight": 100}, service={"database": side})
        assert open_paths(template, "Egress") == WAYS_OUT

    @pytest.mark.parametrize(
        ("url", "port"),
        [
            ("https://payments.example/health", 443),
            ("https://payments.example:9443/", 9443),
            ("http://payments.example/", 80),
        ],
    )
    def test_the_front_door_is_asked_where_params_say(self, compiled, url, port):
        template = compiled(cutover={"smoke_url": url}, load_balancer={"aws_weight": 100})
        assert open_paths(template, "Egress") == WAYS_OUT | {("cutover", INTERNET, port)}

    @pytest.mark.parametrize("host", ["db.example", "192.168.30.5"])
    def test_the_source_database_is_reached_at_its_address_only(self, compiled, host):
        place = {"cidrs": ["192.168.30.0/24"], "database_host": host, "database_address": "192.168.30.5"}
        template = compiled(data_center=place)
        ends = {other for _, other, port in open_paths(template, "Egress") if port == 5432}
        assert ends == {"database", "192.168.30.5/32"}

    def test_every_block_of_params_gets_its_rules(self, compiled):
        template = compiled(
            security={"ingress_cidrs": ["198.51.100.0/24", "203.0.113.0/24"]},
            data_center={"cidrs": ["192.168.0.0/16", "172.16.0.0/12"]},
        )
        found = open_paths(template, "Ingress")
        assert {other for _, other, port in found if port == 443} == {"198.51.100.0/24", "203.0.113.0/24"}
        assert {other for _, other, port in found if port == 80} == {"198.51.100.0/24", "203.0.113.0/24"}
        assert {other for _, other, port in found if port == 9443} == {"10.0.0.0/16", "192.168.0.0/16", "172.16.0.0/12"}
        blocks = {"192.168.0.0/16", "172.16.0.0/12"}
        assert not blocks & {other for _, other, _ in open_paths(template, "Egress")}

    def test_ports_are_those_of_params(self, compiled):
        template = compiled(
            service={"port": 9000},
            database={"port": 6000},
            load_balancer={"test_port": 7000},
            data_center={"application_port": 9100, "database_port": 6100},
        )
        assert {port for *_, port in open_paths(template, "Ingress")} == {80, 443, 6000, 7000, 9000}
        assert {port for *_, port in open_paths(template, "Egress")} == {443, 6000, 6100, 9000, 9100}

    def test_what_goes_out_to_a_group_comes_in_there(self, template):
        out = {path for path in open_paths(template, "Egress") if path[1] in GROUPS.values()}
        into = {
            (other, group, port) for group, other, port in open_paths(template, "Ingress") if other in GROUPS.values()
        }
        assert out == into

    def test_the_order_of_blocks_in_params_changes_nothing(self, compiled):
        blocks = ["198.51.100.0/24", "203.0.113.0/24"]
        one, other = (compiled(security={"ingress_cidrs": order}) for order in (blocks, blocks[::-1]))
        assert one["Resources"] == other["Resources"]


class TestGroups:
    def test_there_is_one_for_each_kind_of_interface(self, template, env):
        found = {
            name: body["Properties"]["GroupName"]
            for name, body in template["Resources"].items()
            if body["Type"] == "AWS::EC2::SecurityGroup"
        }
        assert found == {name: f"payments-{env}-{words.replace(' ', '-')}" for name, words in GROUPS.items()}
        for name, words in GROUPS.items():
            output = f"{name[: -len('SecurityGroup')]}SecurityGroupId"
            assert template["Outputs"][output]["Value"] == {"Fn::GetAtt": [name, "GroupId"]}, words

    @pytest.mark.parametrize("name", GROUPS)
    def test_none_has_a_way_of_its_own(self, template, name):
        properties = template["Resources"][name]["Properties"]
        assert properties["VpcId"] == {"Ref": "VpcId"}
        assert "SecurityGroupIngress" not in properties
        # Left out, CloudFormation would add "allow all".
        (rule,) = properties["SecurityGroupEgress"]
        assert (rule["CidrIp"], rule["IpProtocol"]) == ("127.0.0.1/32", "-1")

    def test_every_rule_names_its_peer_and_its_reason_in_characters_that_ec2_takes(self, template):
        bodies = [body["Properties"] for body in template["Resources"].values()]
        texts = [body.get("Description") or body["GroupDescription"] for body in bodies]
        assert all(re.fullmatch(r"[a-zA-Z0-9 ._:/()#,@\[\]+=&;{}!$*-]{10,255}", text) for text in texts)
        for direction in ("Ingress", "Egress"):
            for rule in rules(template, direction):
                peers, _, reason = rule["Description"].partition(": ")
                assert " to " in peers
                assert len(reason) >= len("payments")
