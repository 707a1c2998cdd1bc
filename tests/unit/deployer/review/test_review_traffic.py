"""Live traffic: weights, rules, the service, names and carriers."""

from __future__ import annotations

import copy

import pytest

from deployer.review.model import Action, Certainty, Concern, Severity

RULES = ("load_balancer.ProductionRule", "load_balancer.TestRule")
RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
MIGRATION = "load_balancer.MigrationRule"


def weigh(scene, data_center, aws, side="after"):
    groups = scene.properties(MIGRATION, side)["Actions"][0]["ForwardConfig"]["TargetGroups"]
    groups[0]["Weight"], groups[1]["Weight"] = data_center, aws


def texts(item):
    return [finding.text for finding in item.findings if finding.concern is Concern.TRAFFIC]


# --- the rules that Amazon ECS manages -------------------------------------------------------------------------------
@pytest.mark.parametrize("address", RULES)
def test_tags_alone_reset_the_weights_of_ecs(dev, tools, address):
    """aws-cdk#36649: whatever of a rule changes, CloudFormation writes it whole."""
    dev.change(address, tools.detail("Tags", "[]", "[1]"), replacement="False", scope=("Tags",))
    item = dev.item(address)
    assert (tools.rules(item), item.severity) == (["traffic"], Severity.STOP)
    assert "BlueTargetGroup 100, GreenTargetGroup 0" in texts(item)[0]


@pytest.mark.parametrize("address", RULES)
def test_tags_of_the_stack_reset_them_too(dev, tools, address):
    dev.change(address, scope=("Tags",), replacement="False")
    assert tools.rules(dev.item(address)) == ["traffic"]


def test_a_rule_that_may_change_may_reset_them(dev, tools):
    dev.stack("Network")
    dev.change(
        "load_balancer.ProductionRule",
        tools.detail("", attribute="Metadata", evaluation="Dynamic", known=False),
        replacement="False",
    )
    item = dev.item("load_balancer.ProductionRule")
    assert (item.certainty, tools.rules(item)) == (Certainty.POSSIBLE, ["traffic"])


def test_a_rule_that_stays_keeps_its_weights(dev, tools):
    dev.change("load_balancer.HttpsListener", tools.detail("Tags", "a", "b"), replacement="False")
    dev.change(
        "load_balancer.ProductionRule",
        tools.fed("ListenerArn", "HttpsListener", recreate="Always"),
        replacement="Conditional",
    )
    item = dev.item("load_balancer.ProductionRule")
    assert (item.severity, item.findings) == (Severity.QUIET, ())


def test_the_rules_of_a_service_are_found_by_its_wires(dev, tools):
    dev.resource("service.Service")["Properties"]["LoadBalancers"] = []
    dev.resource("service.Service", "before")["Properties"]["LoadBalancers"] = []
    dev.change("load_balancer.ProductionRule", tools.detail("Tags", "[]", "[1]"), replacement="False")
    item = dev.item("load_balancer.ProductionRule")
    assert texts(item) == [
        "it is written anew with BlueTargetGroup 100, GreenTargetGroup 0, and weights that a person set are lost"
    ]


def test_a_rule_that_only_the_deployed_service_names_is_one_of_them(dev, tools):
    dev.set("service.Service", LoadBalancers=[])
    dev.change("load_balancer.ProductionRule", tools.detail("Tags", "[]", "[1]"), replacement="False")
    assert "Amazon ECS" in texts(dev.item("load_balancer.ProductionRule"))[0]


# --- the migration rule ----------------------------------------------------------------------------------------------
def test_a_shift_of_weights_is_named_with_its_numbers(dev, tools):
    weigh(dev, 90, 10)
    dev.change(
        MIGRATION, tools.detail("Actions/0/ForwardConfig/TargetGroups/0/Weight", "100", "90"), replacement="False"
    )
    item = dev.item(MIGRATION)
    assert tools.rules(item) == ["traffic"]
    assert texts(item) == [
        "requests move from DcTargetGroup 100, BlueTargetGroup 0 to DcTargetGroup 90, BlueTargetGroup 10"
    ]


def test_other_edits_write_the_weights_anew(dev, tools):
    dev.edit(MIGRATION, Priority=11)
    assert texts(dev.item(MIGRATION)) == [
        "it is written anew with DcTargetGroup 100, BlueTargetGroup 0, and weights that a person set are lost"
    ]


def test_a_rule_that_goes_leaves_requests_to_the_next(dev, tools):
    dev.drop(MIGRATION)
    item = dev.item(MIGRATION)
    assert tools.rules(item) == ["traffic"]
    assert texts(item) == ["requests go to the next rule instead of DcTargetGroup 100, BlueTargetGroup 0"]


def test_a_rule_that_is_left_behind_moves_nothing(dev):
    dev.drop(MIGRATION, "Retain")
    assert texts(dev.item(MIGRATION)) == []


def test_a_rule_that_comes_takes_requests(dev, tools):
    del dev.before["load_balancer"]["Resources"]["MigrationRule"]
    dev.change(MIGRATION, action="Add")
    item = dev.item(MIGRATION)
    assert (item.action, tools.rules(item)) == (Action.CREATE, ["traffic"])


def test_a_new_rule_takes_requests_from_the_listener_that_is_there(dev, tools):
    one = {"Actions": [{"Type": "forward", "TargetGroupArn": {"Ref": "DcTargetGroup"}}]}
    dev.add("load_balancer.Other", RULE, ListenerArn={"Ref": "HttpsListener"}, **one)
    assert texts(dev.item("load_balancer.Other")) == ["a new rule takes requests to DcTargetGroup 1"]
    dev.changes.clear()
    dev.add("load_balancer.New", "AWS::ElasticLoadBalancingV2::Listener", Port=1)
    dev.add("load_balancer.Other", RULE, ListenerArn={"Ref": "New"}, **one)
    assert texts(dev.item("load_balancer.Other")) == []


def test_a_rule_with_one_target_group_or_none_splits_nothing(dev, tools):
    one = [{"Type": "forward", "TargetGroupArn": {"Ref": "DcTargetGroup"}}]
    dev.add("load_balancer.Other", RULE, Actions=one)
    dev.before["load_balancer"]["Resources"]["Other"] = copy.deepcopy(dev.resource("load_balancer.Other"))
    dev.changes.clear()
    dev.edit("load_balancer.Other", Priority=3)
    assert texts(dev.item("load_balancer.Other")) == []
    dev.changes.clear()
    dev.edit("load_balancer.Other", Actions=[{"Type": "fixed-response"}])
    assert texts(dev.item("load_balancer.Other")) == ["requests move from DcTargetGroup 1 to no target group"]


# --- the service while requests are split ----------------------------------------------------------------------------
def deploy(scene, tools):
    scene.replace("service.TaskDefinition", Cpu="2048")
    scene.change("service.Service", tools.fed("TaskDefinition", "TaskDefinition"), replacement="False")
    return scene.item("service.Service")


@pytest.mark.parametrize(
    ("weights", "refused"), [((100, 0), False), ((90, 10), True), ((1, 99), True), ((0, 100), False)]
)
def test_a_deployment_while_requests_are_split_is_refused(dev, tools, weights, refused):
    for side in ("before", "after"):
        weigh(dev, *weights, side)
    item = deploy(dev, tools)
    assert tools.rules(item) == (["traffic"] if refused else [])
    assert "Amazon ECS starts new tasks and moves requests to them" in texts(item)


def test_the_weights_of_ecs_itself_are_no_split(dev, tools):
    for side in ("before", "after"):
        groups = dev.properties("load_balancer.ProductionRule", side)["Actions"][0]["ForwardConfig"]["TargetGroups"]
        groups[0]["Weight"], groups[1]["Weight"] = 50, 50
    assert tools.rules(deploy(dev, tools)) == []


def test_what_the_change_makes_of_the_split_counts(dev, tools):
    weigh(dev, 50, 50)
    assert tools.rules(deploy(dev, tools)) == ["traffic"]


def test_a_split_that_ends_in_the_same_change_stands_until_it_is_done(dev, tools):
    weigh(dev, 50, 50, "before")
    dev.drop(MIGRATION)
    assert tools.rules(deploy(dev, tools)) == ["traffic"]


def test_a_split_that_is_not_of_the_service_is_no_matter(dev, tools):
    for side in ("before", "after"):
        weigh(dev, 50, 50, side)
        dev.properties(MIGRATION, side)["Actions"][0]["ForwardConfig"]["TargetGroups"][1]["TargetGroupArn"] = (
            "arn:other"
        )
    assert tools.rules(deploy(dev, tools)) == []


@pytest.mark.parametrize("name", ["Tags", "DesiredCount"])
def test_what_starts_no_deployment_moves_nothing(dev, tools, name):
    for side in ("before", "after"):
        weigh(dev, 50, 50, side)
    dev.edit("service.Service", **{name: {"Tags": [], "DesiredCount": 9}[name]})
    assert dev.item("service.Service").findings == ()


@pytest.mark.parametrize(
    ("count", "rules", "text"),
    [
        (0, ["traffic"], "no task answers, as DesiredCount is 0"),
        (1, [], "fewer tasks (DesiredCount 3 → 1)"),
        (9, [], None),
    ],
)
def test_fewer_tasks_answer_fewer_requests(dev, tools, count, rules, text):
    dev.edit("service.Service", DesiredCount=count)
    item = dev.item("service.Service")
    assert tools.rules(item) == rules
    assert texts(item) == ([text] if text else [])


def test_a_service_that_never_had_tasks_loses_none(dev, tools):
    dev.set("service.Service", DesiredCount=0)
    dev.properties("service.Service", "before")["DesiredCount"] = 0
    dev.edit("service.Service", HealthCheckGracePeriodSeconds=9)
    assert dev.item("service.Service").findings == ()


def test_autoscaling_to_fewer_tasks_is_worth_a_look(dev, tools):
    dev.edit("service.ScalableTarget", MinCapacity=1, MaxCapacity=9)
    assert texts(dev.item("service.ScalableTarget")) == ["fewer tasks (MinCapacity 3 → 1)"]
    dev.changes.clear()
    dev.drop("service.ScalableTarget")
    assert texts(dev.item("service.ScalableTarget")) == []


# --- names, listeners, carriers --------------------------------------------------------------------------------------
def test_a_name_that_leads_elsewhere_is_live_traffic(dev, tools):
    dev.edit("network.DatabaseAddress", ResourceRecords=["192.168.21.6"])
    item = dev.item("network.DatabaseAddress")
    assert tools.rules(item) == ["traffic"]
    assert texts(item) == [
        'db.dev.datacenter.example leads elsewhere (ResourceRecords ["192.168.21.5"] → ["192.168.21.6"])'
    ]
    dev.changes.clear()
    dev.after = copy.deepcopy(dev.before)
    dev.edit("network.DatabaseAddress", TTL="5")
    assert dev.item("network.DatabaseAddress").findings == ()


@pytest.mark.parametrize(
    ("values", "refused"), [({"Port": 8443}, True), ({"Protocol": "TLS"}, True), ({"Certificates": []}, False)]
)
def test_a_listener_on_another_port_loses_its_clients(dev, tools, values, refused):
    dev.edit("load_balancer.TestListener", **values)
    assert ("traffic" in tools.rules(dev.item("load_balancer.TestListener"))) is refused


def test_a_removed_listener_has_no_port_to_compare(dev):
    dev.drop("load_balancer.TestListener")
    assert texts(dev.item("load_balancer.TestListener")) == ["clients cannot connect until the new one listens"]


@pytest.mark.parametrize(
    "address",
    [
        "load_balancer.HttpsListener", "load_balancer.BlueTargetGroup", "service.Service", "network.DatabaseAddress",
        "network.NatGateway1", "network.PrivateDefaultRoute1", "network.PrivateSubnet1", "network.Vpc",
    ],
)  # fmt: skip
def test_what_carries_requests_does_not_go_unnamed(dev, tools, address):
    dev.change(address, tools.detail("X", "1", "2", recreate="Always"), replacement="True", policy="ReplaceAndDelete")
    assert "traffic" in tools.rules(dev.item(address))
    dev.changes.clear()
    dev.drop(address)
    assert "traffic" in tools.rules(dev.item(address))


@pytest.mark.parametrize(
    ("address", "name", "text"),
    [
        ("load_balancer.HttpsListener", "Certificates", "clients are shown another certificate"),
        ("database.Writer", "DBInstanceClass", "the instance restarts, and its connections break"),
    ],
)
def test_some_edits_are_worth_a_word(dev, tools, address, name, text):
    dev.edit(address, **{name: "another"})
    item = dev.item(address)
    assert (text in texts(item), item.severity) == (True, Severity.WARN)


def test_a_first_creation_has_no_traffic_yet(dev):
    dev.kind = "CREATE"
    dev.change(MIGRATION, action="Add")
    assert dev.item(MIGRATION).findings == ()


def test_a_removed_waf_is_not_compared(dev):
    dev.drop("load_balancer.WebAcl")
    assert texts(dev.item("load_balancer.WebAcl")) == []
