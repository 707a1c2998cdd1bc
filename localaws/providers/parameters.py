"""Systems Manager: parameters of Parameter Store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import Custom, Removal, Work, same

_VALUE = same("AllowedPattern DataType Description Policies Tier Type Value")


def _look(work: Work) -> Mapping[str, Any] | None:
    """Value and description stand in two answers."""
    wanted = [{"Key": "Name", "Option": "Equals", "Values": [work.physical_id]}]
    found = work.call("DescribeParameters", ParameterFilters=wanted)["Parameters"]
    if not found:
        return None
    return {**found[0], **work.call("GetParameter", Name=work.physical_id)["Parameter"]}


def _put(work: Work) -> None:
    """Written anew whatever of it changes, the value too: what somebody else has put there meanwhile is gone.

    https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-ssm (UpdateHandler)
    """
    values = {parameter: work.after[name] for name, parameter in _VALUE.items() if name in work.after}
    work.call("PutParameter", values, Name=work.physical_id, Overwrite=True)


PARAMETER = Row(
    type="AWS::SSM::Parameter",
    service="ssm",
    create_operation="PutParameter",
    sends=_VALUE | same("Name"),
    named="Name",
    exclusive=True,
    complete=False,
    look=_look,
    attributes={"Type": "Type", "Value": "Value"},
    steps=(
        Custom(
            # The tags count: its handler writes the parameter before it tags it.
            properties=frozenset({*_VALUE, "Tags"}),
            calls={"PutParameter": ("Name", "Overwrite", *_VALUE.values())},
            function=_put,
        ),
    ),
    remove=Removal(operation="DeleteParameter", key="Name"),
    tags=Tags(
        tag="AddTagsToResource",
        untag="RemoveTagsFromResource",
        key="ResourceId",
        fixed={"ResourceType": "Parameter"},
        lists="ListTagsForResource",
        read="TagList",
    ),
    reads={"AllowedPattern": None, "Policies": None, "Tier": None},
)

PROVIDERS: Mapping[str, Provider] = {PARAMETER.type: PARAMETER}
