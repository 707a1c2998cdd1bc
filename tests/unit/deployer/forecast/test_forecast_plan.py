from __future__ import annotations

import copy
import subprocess
import sys

import pytest

from deployer.changes import Outcome
from deployer.review.build import build_review

STACK = "AWS::CloudFormation::Stack"


def resource(kind, *, depends=None, **properties):
    return {"Type": kind, "Properties": properties} | ({"DependsOn": depends} if depends else {})


def root(**resources):
    return {"Resources": resources}


def nested(tier, outputs=(), **others):
    parameters = {name: {"Fn::GetAtt": [stack, f"Outputs.{name}"]} for stack, name in outputs}
    return resource(STACK, TemplateURL=f"{tier}.template.json", Parameters=parameters, **others)


def one(changes):
    (change,) = changes.values()
    return change


# --- one stack -------------------------------------------------------------------------------------------------------
def test_equal_templates_change_nothing(plan, prod):
    change_set, unknowns = plan(prod, copy.deepcopy(prod))
    assert change_set.outcome is Outcome.UNCHANGED
    assert change_set.changes == ()
    assert unknowns == ()


def test_a_first_deployment_adds_everything(plan, prod):
    change_set, unknowns = plan({}, prod)
    assert {stack.change_set_type for stack in change_set.walk()} == {"CREATE"}
    assert {stack.outcome for stack in change_set.walk()} == {Outcome.CHANGED}
    changes = list(change_set.resource_changes())
    assert len(changes) == sum(len(template["Resources"]) for template in prod.values())
    assert {change.action for change in changes} == {"Add"}
    assert unknowns == ()
    database = next(change for change in change_set.changes if change.logical_id == "Database")
    assert (database.child.tier, database.child.stack_name) == ("database", "payments-dev-Database")
    assert '"${network.Vpc.Ref}"' in next(c for c in changes if c.address == "security.DatabaseSecurityGroup").after


def test_a_literal_is_changed_for_certain(changes):
    found, _ = changes(
        root(Queue=resource("AWS::SQS::Queue", QueueName="a", DelaySeconds=1)),
        root(Queue=resource("AWS::SQS::Queue", QueueName="a", DelaySeconds=2)),
    )
    change = one(found)
    assert (change.action, change.replacement, change.policy_action, change.scope) == (
        "Modify",
        "False",
        "",
        ("Properties",),
    )
    (detail,) = change.details
    assert (detail.attribute, detail.path, detail.change, detail.before, detail.after) == (
        "Properties",
        "DelaySeconds",
        "Modify",
        "1",
        "2",
    )
    assert (detail.requires_recreation, detail.evaluation, detail.source, detail.after_known) == (
        "Never",
        "Static",
        "DirectModification",
        True,
    )
    assert change.before == '{"Properties":{"QueueName":"a","DelaySeconds":1}}'
    assert change.warnings == ()


@pytest.mark.parametrize(
    ("body", "policy"),
    [({}, "ReplaceAndDelete"), ({"UpdateReplacePolicy": "Retain"}, "ReplaceAndRetain")],
)
def test_a_create_only_property_replaces(changes, body, policy):
    before, after = ({**resource("AWS::SQS::Queue", QueueName=name), **body} for name in "ab")
    change = one(changes(root(Queue=before), root(Queue=after))[0])
    assert (change.replacement, change.policy_action) == ("True", policy)
    assert change.warnings == ()


def test_a_replaced_resource_that_keeps_its_name_is_warned_of(changes):
    before, after = (resource("AWS::SQS::Queue", QueueName="a", FifoQueue=fifo) for fifo in (True, False))
    change = one(changes(root(Queue=before), root(Queue=after))[0])
    assert change.replacement == "True"
    assert "it keeps its name (QueueName: a)" in change.warnings[0]


def test_a_conditional_property_may_replace(changes):
    before, after = (resource("AWS::EC2::VPC", InstanceTenancy=tenancy) for tenancy in ("default", "dedicated"))
    found, _ = changes(
        root(Vpc=before, Subnet=resource("AWS::EC2::Subnet", VpcId={"Ref": "Vpc"})),
        root(Vpc=after, Subnet=resource("AWS::EC2::Subnet", VpcId={"Ref": "Vpc"})),
    )
    assert found["root.Vpc"].replacement == "Conditional"
    assert found["root.Subnet"].replacement == "Conditional"


def test_another_type_under_the_same_name_is_refused_by_aws(changes):
    found, _ = changes(
        root(Thing=resource("AWS::SQS::Queue"), Policy=resource("AWS::SQS::QueuePolicy", Queues=[{"Ref": "Thing"}])),
        root(Thing=resource("AWS::SNS::Topic"), Policy=resource("AWS::SQS::QueuePolicy", Queues=[{"Ref": "Thing"}])),
    )
    assert found["root.Thing"].replacement == "True"
    assert "its type changes from AWS::SQS::Queue to AWS::SNS::Topic" in found["root.Thing"].warnings[0]
    assert found["root.Policy"].details[0].path == "Queues/0"


def test_attributes_of_a_resource_are_told_too(changes):
    before = {**resource("AWS::SQS::Queue"), "DeletionPolicy": "Retain", "Metadata": {"a": 1}, "DependsOn": "X"}
    after = {**resource("AWS::SQS::Queue"), "DeletionPolicy": "Delete", "UpdatePolicy": {"b": 2}}
    change = one(changes(root(Queue=before), root(Queue=after))[0])
    assert [(d.attribute, d.change, d.before, d.after, d.name) for d in change.details] == [
        ("Metadata", "Remove", '{"a":1}', None, ""),
        ("UpdatePolicy", "Add", None, '{"b":2}', ""),
        ("DeletionPolicy", "Modify", "Retain", "Delete", ""),
    ]
    assert change.scope == ("Metadata", "UpdatePolicy", "DeletionPolicy")


def test_what_only_depends_otherwise_does_not_change(plan):
    change_set, _ = plan(
        root(A=resource("AWS::SQS::Queue"), B=resource("AWS::SNS::Topic", depends="A")),
        root(A=resource("AWS::SQS::Queue"), B=resource("AWS::SNS::Topic")),
    )
    assert change_set.outcome is Outcome.UNCHANGED


@pytest.mark.parametrize(
    ("kind", "body", "policy"),
    [
        ("AWS::SQS::Queue", {}, "Delete"),
        ("AWS::SQS::Queue", {"DeletionPolicy": "RetainExceptOnCreate"}, "Retain"),
        ("AWS::RDS::DBCluster", {}, "Snapshot"),
        ("AWS::RDS::DBInstance", {}, "Snapshot"),
        ("AWS::RDS::DBInstance", {"Properties": {"DBClusterIdentifier": "x"}}, "Delete"),
    ],
)
def test_a_removed_resource_goes_as_its_policy_says(changes, kind, body, policy):
    change = one(changes(root(Gone={"Type": kind, **body}), root())[0])
    assert (change.action, change.policy_action, change.replacement, change.before is None) == (
        "Remove",
        policy,
        "",
        False,
    )


def test_a_renamed_resource_is_asked_about(changes):
    queue = resource("AWS::SQS::Queue", QueueName="a")
    found, unknowns = changes(root(Old=queue, Other=resource("AWS::SNS::Topic")), root(New=queue))
    assert {address: change.action for address, change in found.items()} == {
        "root.New": "Add",
        "root.Old": "Remove",
        "root.Other": "Remove",
    }
    (sentence,) = unknowns
    assert sentence.startswith("root.Old → root.New: renamed?")


def test_a_type_that_nobody_knows_may_be_replaced_and_is_told(changes):
    found, unknowns = changes(
        root(A=resource("Custom::A", X=1), B=resource("AWS::No::Such", X=1)),
        root(A=resource("Custom::A", X=2), B=resource("AWS::No::Such", X=2)),
    )
    assert {change.replacement for change in found.values()} == {"Conditional"}
    assert unknowns == (
        "root.A (Custom::A): its own handler decides whether it is replaced",
        "root.B (AWS::No::Such): no schema of its type is known, so that any change may replace it",
    )


def test_a_key_that_cannot_be_changed_is_warned_of(changes):
    before, after = (resource("AWS::KMS::Key", KeySpec=spec) for spec in ("SYMMETRIC_DEFAULT", "RSA_2048"))
    change = one(changes(root(Key=before), root(Key=after))[0])
    assert change.replacement == "False"
    assert "KeySpec of an existing resource cannot be changed" in change.warnings[0]


def test_what_differs_in_form_only_is_shown_as_equal(changes):
    before, after = (resource("AWS::EC2::VPCEndpoint", SubnetIds=ids) for ids in (["a", "b"], ["b", "a"]))
    (detail,) = one(changes(root(E=before), root(E=after))[0]).details
    assert detail.before == detail.after == '["a","b"]'


def test_form_alone_proves_no_replacement(changes):
    before, after = ({"ContainerDefinitions": text} for text in ('{"a": 1}', '{"a":1}'))
    found, _ = changes(
        root(T=resource("AWS::ECS::TaskDefinition", **before)), root(T=resource("AWS::ECS::TaskDefinition", **after))
    )
    assert one(found).replacement == "Conditional"


def test_tags_have_details_of_their_own(changes):
    before, after = (
        resource("AWS::SQS::Queue", Tags=[{"Key": "Team", "Value": team}]) for team in ("payments", "ledger")
    )
    change = one(changes(root(Queue=before), root(Queue=after))[0])
    (detail,) = change.details
    assert (detail.attribute, detail.path, detail.before, detail.after, detail.source) == (
        "Tags",
        "Team",
        "payments",
        "ledger",
        "DirectModification",
    )
    assert change.scope == ("Tags",)


# --- causes ----------------------------------------------------------------------------------------------------------
def subnet(vpc="Vpc", **properties):
    return resource("AWS::EC2::Subnet", VpcId={"Ref": vpc}, **properties)


def vpc(cidr):
    return resource("AWS::EC2::VPC", CidrBlock=cidr)


def test_a_replacement_goes_on_along_references(changes):
    group = resource("AWS::EC2::SecurityGroup", GroupDescription={"Fn::Sub": "of ${Subnet}"}, VpcId={"Ref": "Vpc"})
    before = root(Vpc=vpc("10.0.0.0/16"), Subnet=subnet(), Group=group)
    after = root(Vpc=vpc("10.1.0.0/16"), Subnet=subnet(), Group=group)
    found, _ = changes(before, after)
    assert found["root.Vpc"].replacement == "True"
    (detail,) = found["root.Subnet"].details
    assert (found["root.Subnet"].replacement, found["root.Subnet"].policy_action) == ("Conditional", "ReplaceAndDelete")
    assert (detail.before, detail.after, detail.after_known) == ("${root.Vpc.Ref}", None, False)
    assert (detail.evaluation, detail.source, detail.causing_entity) == ("Dynamic", "ResourceReference", "Vpc")
    assert [d.causing_entity for d in found["root.Group"].details] == ["Subnet", "Vpc"]


def test_a_circle_of_references_comes_to_an_end(changes):
    def pair(name):
        return root(
            A=resource("AWS::SQS::Queue", QueueName=name, RedrivePolicy={"t": {"Fn::GetAtt": ["B", "Arn"]}}),
            B=resource("AWS::SQS::Queue", RedrivePolicy={"t": {"Fn::GetAtt": ["A", "Arn"]}}),
        )

    found, _ = changes(pair("a"), pair("b"))
    assert found["root.A"].replacement == "True"
    assert found["root.B"].details[0].causing_entity == "A.Arn"
    assert found["root.B"].replacement == "False"


def test_an_attribute_of_what_changes_in_place_changes_only_if_it_may(changes):
    def tree(policy, port):
        role = resource("AWS::IAM::Role", Description=policy)
        cluster = resource("AWS::RDS::DBCluster", Port=port)
        function = resource(
            "AWS::Lambda::Function",
            Role={"Fn::GetAtt": ["Role", "Arn"]},
            Environment={"Variables": {"PORT": {"Fn::GetAtt": ["Cluster", "Endpoint.Port"]}}},
        )
        return root(Role=role, Cluster=cluster, Function=function)

    found, _ = changes(tree("a", 5432), tree("b", 5432))
    assert list(found) == ["root.Role"]
    found, _ = changes(tree("a", 5432), tree("a", 5433))
    (detail,) = found["root.Function"].details
    assert (detail.path, detail.source, detail.causing_entity, detail.after_known) == (
        "Environment/Variables/PORT",
        "ResourceAttribute",
        "Cluster.Endpoint.Port",
        False,
    )


def test_what_a_property_decides_stays_although_its_resource_is_replaced(changes):
    def tree(cidr):
        zone = {"Fn::GetAtt": ["Subnet", "AvailabilityZone"]}
        return root(
            Vpc=vpc("10.0.0.0/8"),
            Subnet=subnet(CidrBlock=cidr, AvailabilityZoneId="use1-az1"),
            Instance=resource("AWS::RDS::DBInstance", AvailabilityZone=zone),
        )

    found, _ = changes(tree("10.0.0.0/24"), tree("10.0.1.0/24"))
    assert list(found) == ["root.Subnet"]


def test_an_attribute_that_is_no_identity_may_change_with_a_replacement(changes):
    def tree(name):
        balancer = resource("AWS::ElasticLoadBalancingV2::LoadBalancer", Name=name)
        record = resource("AWS::Route53::RecordSet", HostedZoneId={"Fn::GetAtt": ["Balancer", "CanonicalHostedZoneID"]})
        return root(Balancer=balancer, Record=record)

    found, _ = changes(tree("a"), tree("b"))
    assert found["root.Record"].replacement == "Conditional"


def test_a_reference_to_another_resource_is_an_edit(changes):
    a, b = vpc("10.0.0.0/16"), vpc("10.1.0.0/16")
    found, _ = changes(root(A=a, B=b, S=subnet("A")), root(A=a, B=b, S=subnet("B")))
    (detail,) = one(found).details
    assert (detail.before, detail.after, detail.after_known) == ("${root.A.Ref}", "${root.B.Ref}", True)
    assert (detail.evaluation, detail.source) == ("Static", "DirectModification")
    assert one(found).replacement == "True"


def test_a_reference_to_a_new_resource_is_known_after_it_is_made(changes):
    found, _ = changes(
        root(A=vpc("10.0.0.0/16"), S=subnet("A")),
        root(A=vpc("10.0.0.0/16"), B=vpc("10.1.0.0/16"), S=subnet("B")),
    )
    (detail,) = found["root.S"].details
    assert (detail.before, detail.after, detail.after_known) == ("${root.A.Ref}", None, False)
    assert found["root.S"].replacement == "True"


def test_a_reference_to_one_that_is_replaced_is_known_after_that(changes):
    a, b, c = vpc("10.0.0.0/16"), vpc("10.1.0.0/16"), vpc("10.2.0.0/16")
    found, _ = changes(root(A=a, B=b, S=subnet("A")), root(A=a, B=c, S=subnet("B")))
    (detail,) = found["root.S"].details
    assert (detail.after, detail.after_known, detail.source) == (None, False, "DirectModification")


def test_a_reference_to_nothing_is_no_change(plan):
    dangling = root(S=subnet("Nowhere"))
    assert plan(dangling, copy.deepcopy(dangling))[0].outcome is Outcome.UNCHANGED


def test_a_parameter_is_named_as_the_cause_through_every_kind_of_expression(changes):
    def tree(default, region="a"):
        return {
            "Parameters": {"Size": {"Type": "String", "Default": default}},
            "Conditions": {"Large": {"Fn::Equals": [{"Ref": "Size"}, "large"]}},
            "Mappings": {"Delay": {"small": {"s": 1}, "large": {"s": 2}}},
            "Resources": {
                "Q": resource(
                    "AWS::SQS::Queue",
                    DelaySeconds={"Fn::FindInMap": ["Delay", {"Ref": "Size"}, "s"]},
                    MaximumMessageSize={"Fn::If": ["Large", 2048, 1024]},
                    RedrivePolicy={"Fn::Sub": ["${x}${Size}${AWS::Region}", {"x": {"Ref": "AWS::NoValue"}}]},
                    Tags=[{"Key": "Size", "Value": {"Ref": "Size"}}, {"Key": "Region", "Value": region}],
                )
            },
        }

    change = one(changes(tree("small"), tree("large"))[0])
    assert {
        detail.path: (detail.evaluation, detail.source, detail.causing_entity) for detail in change.details
    } == dict.fromkeys(
        ("DelaySeconds", "MaximumMessageSize", "RedrivePolicy", "Size"), ("Static", "ParameterReference", "Size")
    )


def test_a_condition_around_a_whole_is_the_cause_of_what_changes_in_it(changes):
    def tree(size):
        tags = [{"Key": "Team", "Value": value, "PropagateAtLaunch": True} for value in "ab"]
        return {
            "Parameters": {"Size": {"Type": "String", "Default": size}},
            "Conditions": {"Large": {"Fn::Equals": [{"Ref": "Size"}, "large"]}},
            "Resources": {
                "G": resource(
                    "AWS::AutoScaling::AutoScalingGroup",
                    LaunchTemplate={"Fn::If": ["Large", {"Version": 2}, {"Version": 1}]},
                    Tags=[{"Fn::If": ["Large", *tags]}],
                )
            },
        }

    change = one(changes(tree("small"), tree("large"))[0])
    assert [(detail.path, detail.source, detail.causing_entity) for detail in change.details] == [
        ("LaunchTemplate/Version", "ParameterReference", "Size"),
        ("Tags/Team/Value", "DirectModification", ""),
    ]


def test_a_known_attribute_that_changes_is_dynamic_all_the_same(changes):
    def tree(cidr):
        rule = resource("AWS::EC2::SecurityGroupIngress", CidrIp={"Fn::GetAtt": "Vpc.CidrBlock"})
        return root(Vpc=vpc(cidr), Rule=rule)

    found, _ = changes(tree("10.0.0.0/16"), tree("10.1.0.0/16"))
    (detail,) = found["root.Rule"].details
    assert (detail.before, detail.after, detail.evaluation, detail.causing_entity) == (
        "10.0.0.0/16",
        "10.1.0.0/16",
        "Dynamic",
        "Vpc.CidrBlock",
    )


def test_a_value_that_changes_by_a_mapping_alone_is_an_edit(changes):
    def tree(seconds):
        queue = resource("AWS::SQS::Queue", DelaySeconds={"Fn::FindInMap": ["D", "a", "s"]}, Other=[{"A": "x"}])
        return {"Mappings": {"D": {"a": {"s": seconds}}}, "Resources": {"Q": queue}}

    (detail,) = one(changes(tree(1), tree(2))[0]).details
    assert (detail.source, detail.before, detail.after) == ("DirectModification", "1", "2")


def test_what_a_function_makes_of_an_unknown_value_is_followed(changes):
    def tree(cidr):
        zone = {"Fn::Select": [0, {"Fn::Split": ["-", {"Ref": "Vpc"}]}]}
        items = {"Fn::Split": [",", {"Fn::Join": [",", ["a", {"Ref": "Vpc"}]]}]}
        return root(Vpc=vpc(cidr), Q=resource("AWS::SQS::Queue", QueueName=zone, Items=items))

    found, _ = changes(tree("10.0.0.0/16"), tree("10.1.0.0/16"))
    assert [(d.path, d.causing_entity) for d in found["root.Q"].details] == [("QueueName", "Vpc"), ("Items", "Vpc")]


# --- nested stacks ---------------------------------------------------------------------------------------------------
def test_a_cause_is_followed_through_the_tree(plan, prod, edited):
    after = edited(lambda t: t["network"]["Resources"]["Vpc"]["Properties"].update(CidrBlock="10.99.0.0/16"))
    change_set, unknowns = plan(prod, after)
    changes = {change.address: change for change in change_set.resource_changes()}
    assert unknowns == ()
    assert changes["network.Vpc"].replacement == "True"
    parameter = next(d for d in changes["root.Security"].details if d.path == "Parameters/VpcId")
    assert (parameter.source, parameter.causing_entity) == ("ResourceAttribute", "Network.Outputs.VpcId")
    detail = next(d for d in changes["load_balancer.BlueTargetGroup"].details if d.path == "VpcId")
    assert (detail.evaluation, detail.source, detail.causing_entity) == ("Dynamic", "ParameterReference", "VpcId")
    assert detail.before == "${network.Vpc.Ref}"
    assert changes["root.Security"].replacement == "False"
    assert "root.Encryption" not in changes
    assert {stack.tier for stack in change_set.walk()} == {
        "root", "cutover", "database", "load_balancer", "migration", "monitoring", "network", "security", "service",
        "validation",
    }  # fmt: skip


def test_what_changes_in_one_tier_alone_is_told_of_that_one(plan, prod, edited):
    after = edited(lambda t: t["database"]["Resources"]["Cluster"]["Properties"].update(EngineVersion="17.10"))
    change_set, _ = plan(prod, after)
    (database,) = change_set.changes
    assert [(d.path, d.before, d.after) for d in database.details] == [("TemplateURL", None, None)]
    (cluster,) = database.child.changes
    assert (cluster.address, cluster.replacement) == ("database.Cluster", "False")


def test_a_changed_output_alone_changes_the_stack(plan, prod, edited):
    after = edited(lambda t: t["database"]["Outputs"].pop("ReaderEndpoint"))
    after["root"]["Outputs"].pop("RDSClusterReaderEndpoint")
    change_set, _ = plan(prod, after)
    (database,) = change_set.changes
    assert database.child.changes == ()
    assert database.child.outcome is Outcome.CHANGED


def test_metadata_of_the_root_changes_nothing(plan, prod, edited):
    after = edited(lambda t: t["root"]["Metadata"]["Settings"].update(log_retention_days=1))
    assert plan(prod, after)[0].outcome is Outcome.UNCHANGED


def test_a_description_alone_is_another_template_and_changes_no_resource(plan, prod, edited):
    after = edited(lambda t: t["database"].update(Description="other"))
    change_set, _ = plan(prod, after)
    (database,) = change_set.changes
    assert (database.child.outcome, [d.path for d in database.details]) == (Outcome.UNCHANGED, ["TemplateURL"])


def test_a_removed_tier_goes_with_all_that_is_in_it(plan, prod, edited):
    def remove(templates):
        del templates["root"]["Resources"]["Monitoring"]
        del templates["monitoring"]

    dev = copy.deepcopy(prod)
    dev["root"]["Resources"]["Monitoring"]["DeletionPolicy"] = "Delete"
    change_set, unknowns = plan(dev, edited(remove))
    (monitoring,) = change_set.changes
    assert (monitoring.action, monitoring.policy_action) == ("Remove", "Delete")
    assert len(monitoring.child.changes) == len(prod["monitoring"]["Resources"])
    assert {change.action for change in monitoring.child.changes} == {"Remove"}
    kept, _ = plan(prod, edited(remove))
    assert (kept.changes[0].policy_action, kept.changes[0].child) == ("Retain", None)
    assert unknowns == ()


def test_a_renamed_tier_is_removed_and_added(plan, prod, edited):
    def rename(templates):
        templates["root"]["Resources"]["Alarms"] = templates["root"]["Resources"].pop("Monitoring")

    change_set, unknowns = plan(prod, edited(rename))
    assert [(change.logical_id, change.action) for change in change_set.changes] == [
        ("Alarms", "Add"),
        ("Monitoring", "Remove"),
    ]
    assert change_set.changes[0].child.change_set_type == "CREATE"
    assert unknowns[0].startswith("root.Monitoring → root.Alarms: renamed?")


def test_a_template_under_another_file_name_is_the_same_stack(plan, prod, edited):
    def move(templates):
        templates["root"]["Resources"]["Monitoring"]["Properties"]["TemplateURL"] = "alarms.template.json"
        templates["alarms"] = templates.pop("monitoring")

    change_set, _ = plan(prod, edited(move))
    assert change_set.outcome is Outcome.UNCHANGED


def test_what_is_fed_by_a_new_stack_changes_for_certain(changes):
    queues = {"Resources": {"Q": resource("AWS::SQS::Queue")}, "Outputs": {"Name": {"Value": {"Ref": "Q"}}}}
    user = {"Parameters": {"Name": {}}, "Resources": {"T": resource("AWS::SNS::Topic", TopicName={"Ref": "Name"})}}

    def tree(logical_id):
        return {
            "root": root(**{logical_id: nested("queues"), "User": nested("user", [(logical_id, "Name")])}),
            "queues": queues,
            "user": user,
        }

    found, _ = changes(tree("Old"), tree("New"))
    (detail,) = found["user.T"].details
    assert (detail.before, detail.after_known, detail.source) == ("${queues.Q.Ref}", False, "ParameterReference")
    assert found["user.T"].replacement == "Conditional"


def test_a_stack_of_which_one_side_is_not_known_may_change_in_anything(plan, prod):
    before = {tier: template for tier, template in prod.items() if tier != "network"}
    change_set, unknowns = plan(before, prod)
    changes = {change.logical_id: change for change in change_set.changes}
    assert "root.Network: its template (network) is not known" in unknowns
    assert "root.Network: what changes in it is not known without both its templates" in unknowns
    assert (changes["Network"].action, changes["Network"].child) == ("Modify", None)
    review = build_review(
        change_set, before, prod, stack="payments-prod", environment="prod", suffix="prod", region="us-east-1",
        durable=True, forecast=True, unknowns=unknowns,
    )  # fmt: skip
    group = next(item for item in review.items() if item.address == "load_balancer.BlueTargetGroup")
    assert group.certainty.value == "possible"


def test_an_output_of_a_stack_that_is_not_known_may_change(changes):
    def tree(version):
        return root(
            Strange=resource(STACK, TemplateURL="strange.template.json", Parameters={"Version": version}),
            Topic=resource("AWS::SNS::Topic", TopicName={"Fn::GetAtt": ["Strange", "Outputs.Name"]}),
            Other=resource("AWS::SNS::Topic", TopicName={"Ref": "Strange"}),
        )

    found, _ = changes(tree(1), tree(2))
    assert found["root.Topic"].replacement == "Conditional"
    assert found["root.Topic"].details[0].causing_entity == "Strange.Outputs.Name"
    assert "root.Other" not in found


def test_tags_of_a_nested_stack_reach_what_does_not_set_them(changes):
    child = {
        "Resources": {
            "Own": resource("AWS::SQS::Queue", Tags=[{"Key": "Team", "Value": "x"}]),
            "Map": resource("AWS::SSM::Parameter", Tags={"Team": "x"}),
            "None": resource("AWS::SQS::Queue"),
            "Untaggable": resource("AWS::SQS::QueuePolicy"),
            "Unknown": resource("AWS::No::Such"),
        }
    }

    def tree(team):
        return {"root": root(Child=nested("child", Tags=[{"Key": "Team", "Value": team}])), "child": child}

    found, _ = changes(tree("a"), tree("b"))
    assert list(found) == ["root.Child", "child.None"]
    assert (found["child.None"].scope, found["child.None"].details) == (("Tags",), ())
    assert [(d.attribute, d.path) for d in found["root.Child"].details] == [("Tags", "Team")]


def test_stacks_nest_as_deep_as_they_like(plan):
    def tree(seconds):
        return {
            "root": root(Middle=nested("middle")),
            "middle": root(Leaf=nested("leaf")),
            "leaf": root(Q=resource("AWS::SQS::Queue", DelaySeconds=seconds)),
        }

    change_set, _ = plan(tree(1), tree(2))
    assert [stack.tier for stack in change_set.walk()] == ["root", "middle", "leaf"]
    assert change_set.changes[0].child.changes[0].child.stack_name == "payments-dev-Middle-Leaf"


def test_a_plan_needs_neither_aws_nor_the_schemas_nor_troposphere(root):
    script = (
        "import json, pathlib, sys\n"
        "from deployer.forecast.plan import forecast\n"
        "from deployer.forecast.sources import read_before\n"
        "templates = {p.name.partition('.')[0]: json.loads(p.read_text()) for p in pathlib.Path('tests/golden/dev').glob('*.json')}\n"
        "after = json.loads(json.dumps(templates).replace('17.7', '17.10'))\n"
        "change_set, _ = forecast(templates, after, stack_name='x', region='us-east-1')\n"
        "assert [change.logical_id for change in change_set.changes] == ['Database']\n"
        "print([name for name in ('boto3', 'botocore', 'cfnlint', 'troposphere', 'moto') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_a_function_names_is_changed_by_its_parameter(changes):
    def template(name):
        arn = {"Fn::GetAtt": [{"Ref": "Name"}, "Arn"]}
        topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": arn}}
        return {"Parameters": {"Name": {"Type": "String", "Default": name}}, "Resources": {"Topic": topic}}

    found, unknowns = changes(template("Old"), template("New"))
    (detail,) = found["root.Topic"].details
    assert (detail.source, detail.causing_entity) == ("ParameterReference", "Name")
    assert unknowns == ("root: Fn::GetAtt is not evaluated offline",)
