"""EventBridge: rules and where they lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import Custom, Look, Removal, Setting, Work, same


def _put_targets(work: Work) -> None:
    """Targets go by id; one that is put again is replaced."""
    old, new = ({each["Id"]: each for each in side.get("Targets") or ()} for side in (work.before, work.after))
    gone = [identifier for identifier in old if identifier not in new]
    fresh = [target for identifier, target in new.items() if old.get(identifier) != target]
    if gone:
        work.call("RemoveTargets", Rule=work.physical_id, Ids=gone)
    if fresh:
        work.call("PutTargets", Rule=work.physical_id, Targets=fresh)


def _let_go(work: Work) -> None:
    """A rule with targets cannot be deleted."""
    identifiers = [target["Id"] for target in work.after.get("Targets") or ()]
    if identifiers:
        Removal(operation="RemoveTargets", key="Rule", fixed={"Ids": identifiers})(work)


def _targets(work: Work) -> Mapping[str, Any]:
    return {"Targets": work.call("ListTargetsByRule", Rule=work.physical_id)["Targets"]}


_ARN = "arn:aws:events:{region}:{account}:rule/{id}"
_RULE = same("Description EventPattern RoleArn ScheduleExpression State")

RULE = Row(
    type="AWS::Events::Rule",
    service="events",
    create_operation="PutRule",
    sends=_RULE | same("Name"),
    named="Name",
    exclusive=True,
    name_limit=64,
    complete=False,
    look=Look(operation="DescribeRule", key="Name", path=""),
    attributes={"Arn": _ARN},
    steps=(
        Setting(operation="PutRule", key="Name", sends=_RULE, whole=True),
        Custom(
            properties=frozenset({"Targets"}),
            calls={"PutTargets": ("Rule", "Targets"), "RemoveTargets": ("Rule", "Ids")},
            function=_put_targets,
            creates=True,
        ),
    ),
    remove=Removal(operation="DeleteRule", key="Name", first=_let_go),
    tags=Tags(tag="TagResource", untag="UntagResource", key="ResourceARN", of=_ARN, lists="ListTagsForResource"),
    extend=_targets,
)

PROVIDERS: Mapping[str, Provider] = {RULE.type: RULE}
