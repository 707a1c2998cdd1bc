"""What is refused while a cutover is under way, and where params say otherwise than what one has moved."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from deployer import moved as looking
from deployer.contradictions import require_agreement
from deployer.errors import RefusedError
from deployer.moved import (
    BALANCER,
    CUTOVER,
    DATA_CENTER_GROUP,
    DATABASE,
    MIGRATION_RULE,
    PHASE_OUTPUT,
    POINTER,
    POINTER_OUTPUT,
    SERVICE,
    Moved,
    forget_phase,
    literal_output,
)  # fmt: skip
from settings.errors import UserError

GOLDEN = Path(__file__).parents[2] / "golden/dev"
TIERS = (BALANCER, CUTOVER, DATABASE, SERVICE)
ON_AWS = {DATA_CENTER_GROUP: 0, "BlueTargetGroup": 100}


@pytest.fixture
def deployed() -> dict[str, Any]:
    return {tier: json.loads((GOLDEN / f"{tier}.template.json").read_text()) for tier in TIERS}


@pytest.fixture
def build(deployed: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(deployed)


@pytest.fixture
def moved(deployed: dict[str, Any]) -> Moved:
    return Moved("replicating", "data_center", {DATA_CENTER_GROUP: 100, "BlueTargetGroup": 0}, deployed)


def refused(moved: Moved, build: dict[str, Any], acknowledged: str | None = None) -> tuple[list[str], str]:
    try:
        require_agreement(moved, build, acknowledged=acknowledged, command="deploy")
    except RefusedError as error:
        return list(error.problems), error.hint
    return [], ""


def rule(build: dict[str, Any], **weights: int) -> None:
    """Let the build's rule split so; none is removed."""
    if not weights:
        del build[BALANCER]["Resources"][MIGRATION_RULE]
        return
    groups = [{"TargetGroupArn": {"Ref": group}, "Weight": weight} for group, weight in weights.items()]
    (action,) = build[BALANCER]["Resources"][MIGRATION_RULE]["Properties"]["Actions"]
    action["ForwardConfig"]["TargetGroups"] = groups


def follow(build: dict[str, Any]) -> None:
    build[DATABASE]["Resources"][POINTER]["Properties"]["Value"] = "aurora"
    rule(build)


def test_the_names_are_those_of_the_templates(deployed: dict[str, Any]) -> None:
    assert deployed[DATABASE]["Resources"][POINTER]["Type"] == "AWS::SSM::Parameter"
    assert literal_output(deployed[DATABASE], POINTER_OUTPUT) == "/payments/dev/database"
    assert literal_output(deployed[CUTOVER], PHASE_OUTPUT) == "/payments/dev/cutover/phase"
    assert deployed[BALANCER]["Resources"][DATA_CENTER_GROUP]["Type"].endswith("::TargetGroup")
    assert deployed[SERVICE]["Resources"]["TaskDefinition"]["Type"] == "AWS::ECS::TaskDefinition"
    assert deployed[SERVICE]["Resources"]["Service"]["Type"] == "AWS::ECS::Service"


def test_an_output_that_cannot_be_known_is_none() -> None:
    template = {"Resources": {"A": {"Properties": {"Name": {"Ref": "B"}}}}, "Outputs": {}}
    for value in ({"Fn::GetAtt": ["A", "Arn"]}, {"Ref": "A"}, {"Ref": "Missing"}, 7):
        template["Outputs"] = {"X": {"Value": value}}
        assert literal_output(template, "X") == ""
    assert literal_output({}, "X") == ""


def test_nothing_was_moved_and_nothing_is_refused(moved: Moved, build: dict[str, Any]) -> None:
    assert refused(moved, build) == ([], "")
    assert refused(Moved(), build) == ([], "")


@pytest.mark.parametrize(
    "phase",
    ["preflight", "awaiting_approval", "frozen", "drained", "reversed", "switched", "reopened", "watching", "rolling_back",
     "stuck", "a phase of another version"],
)  # fmt: skip
def test_every_phase_but_those_at_rest_must_be_named(moved: Moved, build: dict[str, Any], phase: str) -> None:
    moved = replace(moved, phase=phase)
    (problem,), hint = refused(moved, build)
    assert problem.startswith(f"a cutover is under way (phase {phase})")
    assert hint.endswith(f"deploy --during-cutover {phase}")
    assert refused(moved, build, "another")[0][0].startswith(f"a cutover is under way (phase {phase}, not another)")
    assert refused(moved, build, phase) == ([], "")


@pytest.mark.parametrize("phase", ["", "replicating", "done", "rolled_back"])
def test_at_rest_none_is_to_be_named(moved: Moved, build: dict[str, Any], phase: str) -> None:
    moved = replace(moved, phase=phase)
    assert refused(moved, build) == ([], "")
    (problem,), _ = refused(moved, build, "frozen")
    assert problem == f"--during-cutover frozen: no cutover is under way (phase {phase or 'none yet'})"


def test_who_names_the_phase_may_still_not_contradict(moved: Moved, build: dict[str, Any]) -> None:
    moved = replace(moved, phase="watching", pointer="aurora")
    assert "the pointer says aurora" in refused(moved, build, "watching")[0][0]


@pytest.mark.parametrize(("pointer", "wanted"), [("aurora", "data_center"), ("data_center", "aurora")])
def test_params_never_move_the_pointer(moved: Moved, build: dict[str, Any], pointer: str, wanted: str) -> None:
    build[DATABASE]["Resources"][POINTER]["Properties"]["Value"] = wanted
    (problem,), hint = refused(replace(moved, pointer=pointer), build)
    assert problem.startswith(f"params say service.database: {wanted}, and the pointer says {pointer}")
    assert ("service.database: aurora" in hint) == (pointer == "aurora")


def test_params_that_follow_are_let_through(moved: Moved, build: dict[str, Any]) -> None:
    follow(build)
    assert refused(replace(moved, phase="done", pointer="aurora", weights=ON_AWS), build) == ([], "")


def test_a_share_of_the_data_centre_keeps_the_rule(moved: Moved, build: dict[str, Any]) -> None:
    """Somebody has moved half of the requests; without the rule they would all be on AWS at once."""
    rule(build)
    moved = replace(moved, weights={DATA_CENTER_GROUP: 50, "BlueTargetGroup": 50})
    (problem,), hint = refused(moved, build)
    assert "params say load_balancer.aws_weight: 100" in problem
    assert "move things back" in hint


@pytest.mark.parametrize(
    ("live", "weights", "is_refused"),
    [
        ({DATA_CENTER_GROUP: 100, "BlueTargetGroup": 0}, {DATA_CENTER_GROUP: 90, "BlueTargetGroup": 10}, False),
        ({DATA_CENTER_GROUP: 1, "BlueTargetGroup": 0}, {DATA_CENTER_GROUP: 90, "BlueTargetGroup": 10}, False),
        ({DATA_CENTER_GROUP: 90, "BlueTargetGroup": 10}, {DATA_CENTER_GROUP: 90, "BlueTargetGroup": 10}, False),
        ({DATA_CENTER_GROUP: 9, "BlueTargetGroup": 1}, {DATA_CENTER_GROUP: 90, "BlueTargetGroup": 10}, False),
        ({DATA_CENTER_GROUP: 50, "BlueTargetGroup": 50}, {DATA_CENTER_GROUP: 90, "BlueTargetGroup": 10}, True),
        ({DATA_CENTER_GROUP: 50, "GreenTargetGroup": 50}, {DATA_CENTER_GROUP: 50, "BlueTargetGroup": 50}, True),
        ({DATA_CENTER_GROUP: 0, "BlueTargetGroup": 100}, {DATA_CENTER_GROUP: 100, "BlueTargetGroup": 0}, True),
    ],
)
def test_weights_are_params_to_move_unless_somebody_else_has(
    moved: Moved, build: dict[str, Any], live: dict[str, int], weights: dict[str, int], is_refused: bool
) -> None:
    rule(build, **weights)
    assert bool(refused(replace(moved, weights=live), build)[0]) == is_refused


@pytest.mark.parametrize("weights", [None, {"BlueTargetGroup": 100}])
def test_a_rule_that_is_gone_or_was_never_deployed_says_nothing(
    moved: Moved, build: dict[str, Any], deployed: dict[str, Any], weights: dict[str, int] | None
) -> None:
    rule(build)
    if weights is not None:
        rule(deployed)
    assert refused(replace(moved, weights=weights), build) == ([], "")


@pytest.mark.parametrize("name", ["TaskDefinition", "Service"])
def test_new_tasks_come_after_the_rule_is_gone(moved: Moved, build: dict[str, Any], name: str) -> None:
    after = replace(moved, phase="done", pointer="aurora", weights=ON_AWS)
    follow(build)
    build[SERVICE]["Resources"][name]["Properties"]["Tags"] = []
    assert refused(after, build) == ([], "")  # that starts none
    build[SERVICE]["Resources"][name]["Properties"]["Other"] = "changed"
    (problem,), hint = refused(after, build)
    assert f"changes service.{name}" in problem
    assert "in a deployment of its own" in hint


def test_new_tasks_are_no_matter_where_nobody_has_moved_the_rule_to_aws(moved: Moved, build: dict[str, Any]) -> None:
    build[SERVICE]["Resources"]["Service"]["Properties"]["Other"] = "changed"
    assert refused(moved, build) == ([], "")
    # Moved, but to nobody on AWS.
    rule(build, **{DATA_CENTER_GROUP: 100})
    assert refused(replace(moved, weights={DATA_CENTER_GROUP: 1}), build) == ([], "")


def _aws(service: str) -> tuple[Any, Any]:
    client = botocore.session.get_session().create_client(
        service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    return SimpleNamespace(client=lambda _: client, elbv2=client), Stubber(client)


def test_a_phase_that_nobody_has_set_is_not_deleted(deployed: dict[str, Any]) -> None:
    aws, stubber = _aws("ssm")
    with stubber:
        stubber.add_client_error("delete_parameter", "ParameterNotFound")
        assert forget_phase(aws, deployed[CUTOVER]) is False
        stubber.add_client_error("delete_parameter", "AccessDeniedException")
        with pytest.raises(UserError, match="delete"):
            forget_phase(aws, deployed[CUTOVER])


def test_a_rule_that_may_not_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/a/1/2/3"
    found = [
        {"LogicalResourceId": MIGRATION_RULE, "PhysicalResourceId": rule, "ResourceStatus": "CREATE_COMPLETE"},
    ]
    monkeypatch.setattr(looking, "stack_resources", lambda *_: found)
    aws, stubber = _aws("elbv2")
    with stubber:
        stubber.add_client_error("describe_rules", "RuleNotFound")
        assert looking._weights(aws, "stack") is None
        stubber.add_client_error("describe_rules", "AccessDenied")
        with pytest.raises(UserError, match="listener rule"):
            looking._weights(aws, "stack")
