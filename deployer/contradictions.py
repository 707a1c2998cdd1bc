"""Params against what a cutover has moved: may this build be deployed at this moment? Pure.

CloudFormation writes a listener rule or a parameter whole whenever any of it changes, its tags too, and knows nothing
of what others did to it. So what was moved outside of it stays only while params say the same, or nothing is deployed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deployer.errors import RefusedError
from deployer.moved import BALANCER, DATA_CENTER_GROUP, DATABASE, MIGRATION_RULE, POINTER, SERVICE, Moved

# A cutover in any other phase is under way, or stuck.
AT_REST = ("", "replicating", "done", "rolled_back")
FLAG = "--during-cutover"
# What of the service's tier makes ECS start new tasks in the other target group.
_TASKS = ("Service", "TaskDefinition")
_FOLLOW = "let params follow what the cutover did"

Template = Mapping[str, Any]


def require_agreement(
    moved: Moved, templates: Mapping[str, Template], *, acknowledged: str | None, command: str
) -> None:
    """Raise `RefusedError` where a cutover is under way, or where params contradict what one has moved.

    `templates` are those of the build; `acknowledged` is the phase that a person has named, None for none; `command`
    is what he would run again.
    """
    under_way = _under_way(moved, acknowledged)
    if under_way:
        raise RefusedError(
            under_way,
            hint="wait until it has ended (python deploy.py status); or, if it is meant to happen all the same: "
            f"{command} {FLAG} {moved.phase}",
        )
    found = [*_of_the_pointer(moved, templates), *_of_the_weights(moved, templates)]
    if found:
        raise RefusedError(found, hint=_hint(moved))
    together = [*_of_the_tasks(moved, templates)]
    if together:
        raise RefusedError(together, hint=f"{_FOLLOW} in a deployment of its own; deploy the service after it")


def _under_way(moved: Moved, acknowledged: str | None) -> str:
    if moved.phase in AT_REST:
        if acknowledged is not None:
            return f"{FLAG} {acknowledged}: no cutover is under way (phase {moved.phase or 'none yet'})"
        return ""
    if acknowledged == moved.phase:
        return ""
    named = "" if acknowledged is None else f", not {acknowledged}"
    return (
        f"a cutover is under way (phase {moved.phase}{named}): a deployment may reset the weights that it has set, "
        "restart what it waits for, or take from it what it is about to use"
    )


def _of_the_pointer(moved: Moved, templates: Mapping[str, Template]) -> Iterator[str]:
    """Nobody but the cutover moves the application to another database: it alone refuses writes meanwhile."""
    wanted = _properties(templates, DATABASE, POINTER).get("Value")
    if moved.pointer and wanted is not None and wanted != moved.pointer:
        yield (
            f"params say service.database: {wanted}, and the pointer says {moved.pointer}: the deployment would lead "
            "the application to the other database, with no cutover"
        )


def _of_the_weights(moved: Moved, templates: Mapping[str, Template]) -> Iterator[str]:
    """Moved since the last deployment, and elsewhere by this one. Weights that params alone move are no conflict."""
    before, after = (_split(side) for side in (moved.templates, templates))
    if moved.weights is None or before is None or _shares(moved.weights) == _shares(before):
        return
    if after is None:
        if not _shares(moved.weights).get(DATA_CENTER_GROUP):
            return  # the rule may go: all it does is what the production rule does
        wanted = "load_balancer.aws_weight: 100"
    elif _shares(after) == _shares(moved.weights):
        return
    else:
        wanted = f"weights of {_told(after)}"
    yield (
        f"params say {wanted}, the migration rule has {_told(moved.weights)} by now, and was deployed with "
        f"{_told(before)}: the deployment would move requests that somebody else has moved"
    )


def _of_the_tasks(moved: Moved, templates: Mapping[str, Template]) -> Iterator[str]:
    """ECS starts new tasks in the other target group, which the rule does not know, and it stands until all is done."""
    before = _split(moved.templates)
    if moved.weights is None or before is None or _shares(moved.weights) == _shares(before):
        return
    live = [group for group, share in _shares(moved.weights).items() if group != DATA_CENTER_GROUP and share]
    changed = [name for name in _TASKS if _untagged(moved.templates, name) != _untagged(templates, name)]
    if live and changed:
        yield (
            f"the migration rule sends requests to {', '.join(live)}, as the cutover has set it, and this deployment "
            f"changes service.{changed[0]}: the new tasks would stand in the other target group, and the requests find "
            "none"
        )


def _hint(moved: Moved) -> str:
    if moved.pointer == "aurora":
        return f"{_FOLLOW}: service.database: aurora, load_balancer.aws_weight: 100; build, and run again"
    return f"{_FOLLOW}, or move things back where params have them; build, and run again"


def _split(templates: Mapping[str, Template]) -> dict[str, int] | None:
    """The weights that a template gives the migration rule, by logical id of the group; None without a rule."""
    actions = _properties(templates, BALANCER, MIGRATION_RULE).get("Actions")
    if actions is None:
        return None
    groups = [group for action in actions for group in action.get("ForwardConfig", {}).get("TargetGroups", [])]
    return {str(group["TargetGroupArn"].get("Ref")): int(group.get("Weight", 1)) for group in groups}


def _untagged(templates: Mapping[str, Template], name: str) -> dict[str, Any]:
    """A resource of the service, without what starts no deployment."""
    return {key: value for key, value in _properties(templates, SERVICE, name).items() if key != "Tags"}


def _properties(templates: Mapping[str, Template], tier: str, logical_id: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = templates.get(tier, {}).get("Resources", {}).get(logical_id, {}).get("Properties", {})
    return found


def _shares(weights: Mapping[str, int]) -> dict[str, float]:
    """Groups that get requests, and how many of them: 0 and 100 is the same as 0 and 1."""
    total = sum(weights.values())
    return {group: weight / total for group, weight in weights.items() if weight}


def _told(weights: Mapping[str, int]) -> str:
    return ", ".join(f"{group} {weight}" for group, weight in weights.items())
