"""Step Functions: state machines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.shapes import text
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import Custom, Look, Removal, Work, same

_OTHERS = same("LoggingConfiguration RoleArn TracingConfiguration")


def definition(properties: Mapping[str, Any]) -> str:
    """The definition as the service takes it, each ${Name} replaced.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachine.html
    """
    written = properties.get("DefinitionString")
    written = text(properties["Definition"]) if written is None else str(written)
    for name, value in (properties.get("DefinitionSubstitutions") or {}).items():
        written = written.replace(f"${{{name}}}", json.dumps(text(value))[1:-1])
    return written


def _make(work: Work, values: dict[str, Any]) -> Mapping[str, Any]:
    values["definition"] = definition(work.after)
    return work.call("CreateStateMachine", {k: v for k, v in values.items() if not k.startswith("Definition")})


def _update(work: Work) -> None:
    values = {name: work.after[name] for name in _OTHERS if name in work.after}
    work.call("UpdateStateMachine", values, stateMachineArn=work.physical_id, definition=definition(work.after))


def _told(work: Work) -> Mapping[str, Any]:
    """The definition with the substitutions as they are known: where it is as expected, the template's own text."""
    expected, actual = definition(work.after), work.entity["definition"]
    same_text = json.loads(expected) == json.loads(actual)
    name = "DefinitionString" if "DefinitionString" in work.after else "Definition"
    return {name: work.after[name] if same_text else actual}


MACHINE = Row(
    type="AWS::StepFunctions::StateMachine",
    service="stepfunctions",
    make=_make,
    sends=_OTHERS
    | same("Definition DefinitionString DefinitionSubstitutions", StateMachineName="name", StateMachineType="type"),
    named="StateMachineName",
    name_limit=80,
    physical="stateMachineArn",
    complete=False,
    look=Look(
        operation="DescribeStateMachine", key="stateMachineArn", path="", dead=("status", frozenset({"DELETING"}))
    ),
    attributes={"Arn": "", "Name": "name", "StateMachineRevisionId": "revisionId"},
    steps=(
        Custom(
            properties=frozenset({*_OTHERS, "Definition", "DefinitionString", "DefinitionSubstitutions"}),
            calls={"UpdateStateMachine": ("stateMachineArn", "definition", *_OTHERS.values())},
            function=_update,
        ),
    ),
    remove=Removal(operation="DeleteStateMachine", key="stateMachineArn"),
    tags=Tags(
        create="tags",
        tag="TagResource",
        untag="UntagResource",
        key="resourceArn",
        tags="tags",
        keys="tagKeys",
        names=("key", "value"),
        lists="ListTagsForResource",
        read="tags",
    ),
    reads={"DefinitionSubstitutions": None, "StateMachineName": "name", "StateMachineType": "type"},
    extend=_told,
)

PROVIDERS: Mapping[str, Provider] = {MACHINE.type: MACHINE}
