"""What CloudFormation refuses in a template before it makes anything; nothing that is not known here is skipped.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from contract import resource_types
from localaws import quotas
from localaws.api_errors import ApiError, invalid
from localaws.language import CONDITION_FUNCTIONS, FUNCTIONS
from localaws.references import REF, references
from localaws.template import NESTED_STACK, Template

POLICIES = frozenset({"Delete", "Retain", "RetainExceptOnCreate", "Snapshot"})
PSEUDO = frozenset(
    {
        "AWS::AccountId",
        "AWS::NoValue",
        "AWS::NotificationARNs",
        "AWS::Partition",
        "AWS::Region",
        "AWS::StackId",
        "AWS::StackName",
        "AWS::URLSuffix",
    }
)
_SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
    }
)
_NOT_EMULATED = frozenset({"Globals", "Hooks", "Rules", "Transform"})
_ATTRIBUTES = frozenset(
    {"Condition", "DeletionPolicy", "DependsOn", "Description", "Metadata", "Properties", "Type", "UpdateReplacePolicy"}
)
_NOT_HERE = frozenset(
    {"Fn::ForEach", "Fn::GetStackOutput", "Fn::ImportValue", "Fn::Length", "Fn::ToJsonString", "Fn::Transform"}
)
_ATTRIBUTES_NOT_EMULATED = frozenset({"CreationPolicy", "UpdatePolicy"})
_NAMED_IAM = {
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
}
_IAM = frozenset({*_NAMED_IAM, "AWS::IAM::AccessKey", "AWS::IAM::Policy", "AWS::IAM::UserToGroupAddition"})


def check(template: Template, known: Callable[[str], bool]) -> None:
    """ValidationError where a template is not well formed or asks for what is not emulated; `known` tells of a type."""
    _check_sections(template)
    quotas.check_template(template.document, template.body)
    for logical_id, body in template.resources.items():
        _check_resource(logical_id, body)
    types = sorted({body["Type"] for body in template.resources.values()})
    unknown = [name for name in types if not known(name)]
    if unknown:
        raise invalid(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
    _check_functions(template)
    for name, body in template.outputs.items():
        if "Value" not in body:
            raise invalid(f"Template format error: Output {name} must have a Value")
        if "Export" in body:
            raise invalid(f"Template error: Export of output {name} is not emulated")
    _check_names(template)
    _ = template.order


def _check_sections(template: Template) -> None:
    strange = sorted(set(template.document) - _SECTIONS - _NOT_EMULATED)
    if strange:
        raise invalid(f"Invalid template property or properties [{', '.join(strange)}]")
    foreign = sorted(set(template.document) & _NOT_EMULATED)
    if foreign:
        raise invalid(f"Template section {', '.join(foreign)} is not emulated")
    if not template.resources:
        raise invalid("Template format error: At least one Resources member must be defined.")


def _check_functions(template: Template) -> None:
    for section, allowed in (
        (template.resources, FUNCTIONS.keys()),
        (template.outputs, FUNCTIONS.keys()),
        (template.conditions, FUNCTIONS.keys() | CONDITION_FUNCTIONS),
    ):
        for function in _functions(section):
            if function in _NOT_HERE:
                raise invalid(f"Template error: {function} is not emulated")
            if function not in allowed:
                raise invalid(f"Template format error: Unrecognized intrinsic function {function}")


def _check_resource(logical_id: str, body: Any) -> None:
    if not isinstance(body, dict) or not isinstance(body.get("Type"), str):
        raise invalid(
            f"Template format error: [/Resources/{logical_id}] Every Resources object must contain a Type member."
        )
    if not logical_id.isalnum():
        raise invalid(f"Template format error: Resource name {logical_id} is non alphanumeric.")
    strange = sorted(set(body) - _ATTRIBUTES - _ATTRIBUTES_NOT_EMULATED)
    if strange:
        raise invalid(f"Template format error: Invalid template resource property '{strange[0]}' of {logical_id}")
    foreign = sorted(set(body) & _ATTRIBUTES_NOT_EMULATED)
    if foreign:
        raise invalid(f"Template error: {foreign[0]} of {logical_id} is not emulated")
    for attribute in ("DeletionPolicy", "UpdateReplacePolicy"):
        if body.get(attribute, "Delete") not in POLICIES - ({"RetainExceptOnCreate"} if attribute[0] == "U" else set()):
            raise invalid(f"Template error: resource {logical_id}: unknown {attribute} {body[attribute]}")


def _functions(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for entry in node:
            yield from _functions(entry)
    elif isinstance(node, dict):
        for key, value in node.items():
            if isinstance(key, str) and key.startswith("Fn::"):
                if len(node) > 1:
                    raise invalid(
                        f"Template format error: {key} must stand alone, not beside {len(node) - 1} other keys"
                    )
                yield key
            yield from _functions(value)


def _check_names(template: Template) -> None:
    for section, bodies in (("Resources", template.resources), ("Outputs", template.outputs)):
        for logical_id, body in bodies.items():
            condition = body.get("Condition")
            if condition is not None and condition not in template.conditions:
                raise invalid(
                    f"Template format error: Unresolved condition dependency {condition} in the {section} block "
                    "of the template"
                )
            wanted = [*references(body.get("Properties", body.get("Value")))]
            first = body.get("DependsOn", ())
            wanted += [(name, "DependsOn") for name in ((first,) if isinstance(first, str) else first)]
            for name, attribute in wanted:
                _check_name(template, section, logical_id, name, attribute)


def _check_name(template: Template, section: str, logical_id: str, name: str, attribute: str) -> None:
    if attribute == REF:
        if name not in template.resources and name not in template.parameters and name not in PSEUDO:
            raise invalid(
                f"Template format error: Unresolved resource dependencies [{name}] in the {section} block of "
                f"the template ({logical_id})"
            )
    elif name not in template.resources:
        function = "DependsOn" if attribute == "DependsOn" else "instance of Fn::GetAtt"
        raise invalid(f"Template error: {function} references undefined resource {name} ({section}.{logical_id})")


def strange_properties(template: Template) -> list[tuple[str, str]]:
    """(logical id, property) that the registry does not know of its type."""
    found = []
    for logical_id, body in template.resources.items():
        facts = resource_types.find(body["Type"])
        properties = frozenset() if facts is None else facts.properties
        found += [(logical_id, name) for name in body.get("Properties", {}) if name not in properties]
    return found


def refuse_strange_properties(template: Template) -> None:
    """ValidationError naming the first property that the registry does not know."""
    for logical_id, name in strange_properties(template):
        raise invalid(
            f"Properties validation failed for resource {logical_id} with message: #: extraneous key [{name}] is "
            "not permitted"
        )


def capabilities(template: Template) -> list[str]:
    """What a template asks to be acknowledged: IAM resources, and named ones."""
    bodies = [body for body in template.resources.values() if body.get("Type") in _IAM]
    if any(_NAMED_IAM.get(body["Type"], "") in body.get("Properties", {}) for body in bodies):
        return ["CAPABILITY_NAMED_IAM"]
    return ["CAPABILITY_IAM"] if bodies else []


def check_capabilities(template: Template, given: list[str]) -> None:
    """InsufficientCapabilities where what a template asks for was not acknowledged.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/control-access-with-iam.html#using-iam-capabilities
    """
    missing = [name for name in capabilities(template) if name not in given]
    if missing == ["CAPABILITY_IAM"] and "CAPABILITY_NAMED_IAM" in given:
        return
    if missing:
        raise ApiError("InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(missing)}]")


def known_type(find_provider: Callable[[str], Any]) -> Callable[[str], bool]:
    """Whether a type can be made here: nested stacks, and what both the registry's table and the providers hold."""
    return lambda name: (
        name == NESTED_STACK or (resource_types.find(name) is not None and find_provider(name) is not None)
    )
