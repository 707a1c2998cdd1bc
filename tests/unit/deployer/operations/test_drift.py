from __future__ import annotations

from collections import Counter

import pytest

from deployer.drift import Drift, PropertyDrift, ResourceDrift, TierDrift, detect_drift
from deployer.drift_by_design import Design
from deployer.drift_report import drift_document, render_drift
from deployer.errors import AwsError, BusyError
from deployer.forecast.evaluation import Side
from deployer.stacks import describe_stack

STACK = "AWS::CloudFormation::Stack"
RULE, SERVICE, TARGET = (
    "AWS::ElasticLoadBalancingV2::ListenerRule",
    "AWS::ECS::Service",
    "AWS::ApplicationAutoScaling::ScalableTarget",
)
WEIGHT = "/Actions/0/ForwardConfig/TargetGroups/1/Weight"


def nested(tier, **parameters):
    url = f"https://s3.us-east-1.amazonaws.com/b/payments-dev/{tier}.0123.template.json"
    given = {name: {"Fn::GetAtt": [stack, f"Outputs.{name}"]} for name, stack in parameters.items()}
    return {"Type": STACK, "Properties": {"TemplateURL": url, "Parameters": given}}


ROOT = {
    "Resources": {
        "Service": nested("service", ProductionRule="LoadBalancer", TestRule="LoadBalancer"),
        "LoadBalancer": nested("load_balancer"),
    }
}
BALANCER = {
    "Resources": {
        "Rule": {"Type": RULE, "Properties": {}},
        "Test": {"Type": RULE, "Properties": {}},
        "Migration": {"Type": RULE, "Properties": {}},
    },
    "Outputs": {"ProductionRule": {"Value": {"Ref": "Rule"}}, "TestRule": {"Value": {"Ref": "Test"}}},
}
ECS = {
    "Parameters": {"ProductionRule": {"Type": "String"}, "TestRule": {"Type": "String"}},
    "Resources": {
        "Service": {
            "Type": SERVICE,
            "Properties": {
                "LoadBalancers": [
                    {"ContainerName": "x"},
                    {
                        "AdvancedConfiguration": {
                            "ProductionListenerRule": {"Ref": "ProductionRule"},
                            "TestListenerRule": {"Ref": "TestRule"},
                        }
                    },
                ]
            },
        },
        "Scaling": {
            "Type": TARGET,
            "Properties": {
                "ScalableDimension": "ecs:service:DesiredCount",
                "ResourceId": {"Fn::Sub": "service/cluster/${Service.Name}"},
            },
        },
        "OtherScaling": {"Type": TARGET, "Properties": {"ScalableDimension": "rds:cluster:ReadReplicaCount"}},
        "Cluster": {"Type": "AWS::RDS::DBCluster", "Properties": {}},
        "Upgraded": {
            "Type": "AWS::RDS::DBInstance",
            "Properties": {"AutoMinorVersionUpgrade": True, "DBClusterIdentifier": {"Ref": "Cluster"}},
        },
        "Pinned": {"Type": "AWS::RDS::DBInstance", "Properties": {"AutoMinorVersionUpgrade": "false"}},
    },
}


# --- by design -------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def design():
    templates = {"root": ROOT, "service": ECS, "load_balancer": BALANCER}
    return Design(Side(templates, stack_name="payments-dev", region="us-east-1"))


@pytest.mark.parametrize(
    ("address", "kind", "path", "expected", "actual", "reason"),
    [
        ("load_balancer.Rule", RULE, WEIGHT, "0", "100", "ECS moves the weights"),
        ("load_balancer.Test", RULE, WEIGHT, "0", "100", "ECS moves the weights"),
        ("load_balancer.Migration", RULE, WEIGHT, "0", "100", ""),
        ("load_balancer.Rule", RULE, "/Priority", "1", "2", ""),
        ("service.Service", SERVICE, "/DesiredCount", "3", "5", "autoscaling sets it"),
        ("service.Service", SERVICE, "/LaunchType", "a", "b", ""),
        ("service.Other", SERVICE, "/DesiredCount", "3", "5", ""),
        ("service.Upgraded", "AWS::RDS::DBInstance", "/EngineVersion", "17.7", "17.10", "RDS installs minor versions"),
        ("service.Cluster", "AWS::RDS::DBCluster", "/EngineVersion", "17.7", "17.10", "RDS installs minor versions"),
        ("service.Upgraded", "AWS::RDS::DBInstance", "/EngineVersion", "17.10", "17.7", ""),
        ("service.Upgraded", "AWS::RDS::DBInstance", "/EngineVersion", "17.7", "18.1", ""),
        ("service.Upgraded", "AWS::RDS::DBInstance", "/EngineVersion", "17.7", "aurora", ""),
        ("service.Upgraded", "AWS::RDS::DBInstance", "/EngineVersion", "aurora", "17.7", ""),
        ("service.Pinned", "AWS::RDS::DBInstance", "/EngineVersion", "17.7", "17.10", ""),
        ("service.Upgraded", "AWS::RDS::DBInstance", "/StorageType", "17.7", "17.10", ""),
    ],
)
def test_what_services_move_by_themselves_is_explained_and_nothing_else(
    design, address, kind, path, expected, actual, reason
):
    said = design.explain(address, kind, path.removeprefix("/"), expected, actual)
    assert said.startswith(reason)
    assert bool(said) == bool(reason)


# --- detection -------------------------------------------------------------------------------------------------------
class Detector:
    """The drift API over `drifts`: entries by stack name."""

    def __init__(self, cloud, stacks):
        self.cloud, self.polls = cloud, 1
        self.entries = {}
        self.outcome = {}
        self.asked = Counter()
        self.id = stacks.add("payments-dev", template=ROOT)
        for tier, template in (("Service", ECS), ("LoadBalancer", BALANCER)):
            stack_id = stacks.add(f"payments-dev-{tier}-1", template=template)
            stacks.hold("payments-dev", tier, STACK, stack_id)
            for logical_id, body in template["Resources"].items():
                stacks.hold(f"payments-dev-{tier}-1", logical_id, body["Type"], logical_id.lower())
        stacks.hold("payments-dev", "Gone", STACK, stack_id, "DELETE_COMPLETE")
        stacks.hold("payments-dev", "Shell", STACK, "")
        cloud.on(
            DetectStackDrift=lambda StackName: {"StackDriftDetectionId": StackName},
            DescribeStackDriftDetectionStatus=self._status,
            DescribeStackResourceDrifts=self._drifts,
        )

    def _status(self, StackDriftDetectionId):
        self.asked[StackDriftDetectionId] += 1
        done = self.asked[StackDriftDetectionId] > self.polls
        return {
            "StackId": StackDriftDetectionId,
            "StackDriftDetectionId": StackDriftDetectionId,
            "DetectionStatus": "DETECTION_COMPLETE" if done else "DETECTION_IN_PROGRESS",
            "Timestamp": 0,
        } | (self.outcome if done else {})

    def _drifts(self, StackName, MaxResults, NextToken="0"):
        entries = self.entries.get(StackName.split("/")[1], [])
        start = int(NextToken)
        more = {"NextToken": str(start + 1)} if start + 1 < len(entries) else {}
        return {"StackResourceDrifts": entries[start : start + 1], **more}

    def find(self, stack_name, logical_id, kind, status="MODIFIED", *differences, **more):
        self.entries.setdefault(stack_name, []).append(
            {
                "StackId": stack_name,
                "LogicalResourceId": logical_id,
                "ResourceType": kind,
                "StackResourceDriftStatus": status,
                "PropertyDifferences": [
                    {"PropertyPath": path, "ExpectedValue": old, "ActualValue": new, "DifferenceType": how}
                    for path, old, new, how in differences
                ],
                "Timestamp": 0,
                **more,
            }
        )

    def detect(self):
        return detect_drift(self.cloud.aws, describe_stack(self.cloud.aws, "payments-dev"), self.cloud.clock)


@pytest.fixture
def detector(cloud, stacks):
    return Detector(cloud, stacks)


def test_every_stack_of_the_tree_is_asked_by_itself_to_the_last_page(detector):
    balancer, ecs = "payments-dev-LoadBalancer-1", "payments-dev-Service-1"
    detector.find("payments-dev", "Service", STACK, "IN_SYNC")
    detector.find(balancer, "Rule", RULE, "MODIFIED", (WEIGHT, "0", "100", "NOT_EQUAL"), PhysicalResourceId="rule")
    detector.find(balancer, "Migration", RULE, "MODIFIED", (WEIGHT, "5", "7", "NOT_EQUAL"))
    detector.find(balancer, "Test", RULE, "IN_SYNC")
    detector.find(ecs, "Pinned", "AWS::RDS::DBInstance", "DELETED")
    detector.find(ecs, "Cluster", "AWS::RDS::DBCluster", "UNKNOWN", DriftStatusReason="no permission")
    detector.find(ecs, "Upgraded", "AWS::RDS::DBInstance", "NOT_CHECKED")
    found = detector.detect()
    assert [tier.tier for tier in found.tiers] == ["root", "service", "load_balancer"]
    assert [tier.checked for tier in found.tiers] == [1, 2, 3]
    assert [(drift.address, drift.status) for drift in found.unexpected] == [
        ("service.Pinned", "DELETED"),
        ("service.Cluster", "UNKNOWN"),
        ("load_balancer.Migration", "MODIFIED"),
    ]
    assert [drift.address for drift in found.expected] == ["load_balancer.Rule"]
    assert found.tiers[0].resources == ()
    assert found.tiers[0].unchecked == ()
    assert found.tiers[1].unchecked == (
        ("Service", SERVICE), ("Scaling", TARGET), ("OtherScaling", TARGET), ("Upgraded", "AWS::RDS::DBInstance"),
    )  # fmt: skip
    assert found.exit_code == 1
    assert len(detector.cloud.calls["DetectStackDrift"]) == 3
    assert detector.cloud.time > 0


def test_nothing_drifted_is_good_and_a_credential_is_never_shown(detector):
    assert detector.detect().exit_code == 0
    path = "/MasterUserPassword"
    detector.find("payments-dev-Service-1", "Cluster", "AWS::RDS::DBCluster", "MODIFIED", (path, "a", "b", "NOT_EQUAL"))
    (drift,) = detector.detect().unexpected
    assert drift.differences == (PropertyDrift("MasterUserPassword", "NOT_EQUAL", "(not shown)", "(not shown)"),)


def test_a_difference_that_is_by_design_excuses_no_other(detector):
    detector.find(
        "payments-dev-LoadBalancer-1", "Rule", RULE, "MODIFIED",
        (WEIGHT, "0", "100", "NOT_EQUAL"), ("/Priority", "1", "2", "NOT_EQUAL"),
    )  # fmt: skip
    (drift,) = detector.detect().unexpected
    assert [bool(found.reason) for found in drift.differences] == [True, False]


@pytest.mark.parametrize(("reason", "told"), [("no rights", "no rights"), ("", "AWS gives no reason")])
def test_a_detection_that_fails_in_part_is_no_good_end(detector, reason, told):
    detector.outcome = {"DetectionStatus": "DETECTION_FAILED", "DetectionStatusReason": reason}
    found = detector.detect()
    assert {tier.failure for tier in found.tiers} == {told}
    assert found.exit_code == 1


def test_a_stack_that_is_at_work_is_busy(detector, refused):
    def refuse(StackName):
        raise refused("ValidationError", "Drift detection is already in progress for stack [x]")

    detector.cloud.on(DetectStackDrift=refuse)
    with pytest.raises(BusyError, match="already in progress"):
        detector.detect()


def test_any_other_refusal_is_told(detector, refused):
    def refuse(StackName):
        raise refused("AccessDenied", "not you")

    detector.cloud.on(DetectStackDrift=refuse)
    with pytest.raises(AwsError, match="access denied"):
        detector.detect()


def test_a_detection_that_never_ends_is_given_up(detector):
    detector.polls = 10_000
    with pytest.raises(AwsError, match="has not ended after 60 minutes"):
        detector.detect()


def test_stacks_nest_as_deep_as_they_like(cloud, stacks):
    detector = Detector(cloud, stacks)
    deep = {"Resources": {"Leaf": nested("leaf")}}
    middle_id = stacks.add("payments-dev-Middle-1", template=deep)
    leaf_id = stacks.add("payments-dev-Leaf-1", template={"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
    stacks.hold("payments-dev", "Middle", STACK, middle_id)
    stacks.hold("payments-dev-Middle-1", "Leaf", STACK, leaf_id)
    stacks.templates[detector.id] = {"Resources": {**ROOT["Resources"], "Middle": nested("middle")}}
    found = detector.detect()
    assert [tier.tier for tier in found.tiers][-2:] == ["middle", "middle.leaf"]


# --- reports ---------------------------------------------------------------------------------------------------------
def drifted(logical_id, status, *differences, detail=""):
    return ResourceDrift("database", logical_id, "x", "AWS::RDS::DBCluster", status, detail, differences)


DRIFT = Drift(
    "payments-dev",
    (
        TierDrift(
            "database", "arn:1", 3,
            (
                drifted(
                    "Cluster", "MODIFIED",
                    PropertyDrift("Port", "NOT_EQUAL", "5432", "5433"),
                    PropertyDrift("Tags/0", "ADD", "", "x"),
                    PropertyDrift("Tags/1", "REMOVE", "y", ""),
                ),
                drifted("Gone", "DELETED"),
                drifted("Odd", "UNKNOWN", detail="no permission"),
                drifted("Rule", "MODIFIED", PropertyDrift("Weight", "NOT_EQUAL", "0", "100", "ECS moves it")),
            ),
            (("A", "AWS::DMS::Endpoint"), ("B", "AWS::DMS::Endpoint")),
            "two of them failed",
        ),
    ),
)  # fmt: skip


def test_the_report_says_first_what_nobody_meant():
    assert render_drift(DRIFT).splitlines() == [
        "payments-dev: 3 drifted, 1 by design (3 resources of 1 stacks checked)",
        "",
        "drifted",
        "  database.Cluster (AWS::RDS::DBCluster, x) modified",
        "    Port: 5432 → 5433",
        "    Tags/0: added, x",
        "    Tags/1: removed, was y",
        "  database.Gone (AWS::RDS::DBCluster, x) deleted outside of CloudFormation",
        "  database.Odd (AWS::RDS::DBCluster, x) not known: no permission",
        "",
        "by design",
        "  database.Rule (AWS::RDS::DBCluster, x) modified",
        "    Weight: 0 → 100 (ECS moves it)",
        "",
        "not told by AWS",
        "  database: two of them failed",
        "",
        "not checked: CloudFormation cannot detect the drift of",
        "  AWS::DMS::Endpoint: database.A, database.B",
        "",
        "next: put back what was changed by hand, or put it into params or templates and deploy; a deployment "
        "writes only what its templates change",
    ]


def test_no_drift_is_one_line():
    calm = Drift("payments-dev", (TierDrift("root", "arn:1", 0, (), ()), TierDrift("database", "arn:2", 3, (), ())))
    assert render_drift(calm) == "payments-dev: no drift (3 resources of 2 stacks checked)"
    assert drift_document(calm)["drifted"] is False


def test_the_document_holds_everything():
    document = drift_document(DRIFT)
    assert (document["stack"], document["drifted"]) == ("payments-dev", True)
    (tier,) = document["tiers"]
    assert (tier["tier"], tier["id"], tier["checked"], tier["failure"]) == (
        "database",
        "arn:1",
        3,
        "two of them failed",
    )
    assert tier["unchecked"][0] == {"address": "database.A", "type": "AWS::DMS::Endpoint"}
    assert tier["resources"][3] == {
        "address": "database.Rule",
        "type": "AWS::RDS::DBCluster",
        "physical_id": "x",
        "status": "MODIFIED",
        "detail": "",
        "expected": True,
        "differences": [
            {"path": "Weight", "kind": "NOT_EQUAL", "expected": "0", "actual": "100", "reason": "ECS moves it"}
        ],
    }
