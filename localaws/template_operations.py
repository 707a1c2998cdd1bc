"""The operations on templates: the one that a stack has, and what one declares."""

from __future__ import annotations

from typing import Any

from contract import resource_types
from localaws.api_errors import invalid
from localaws.language import text
from localaws.parameters import hidden
from localaws.requests import body_of
from localaws.service import Operation, Service, present
from localaws.stacks import Json
from localaws.template import Template, load
from localaws.template_checks import capabilities, check


def get_template(service: Service, region: str, given: Json) -> Json:
    """The template as it was given; one for both stages, as there are no macros."""
    core = service.core
    if "ChangeSetName" in given:
        body = core.change_set(region, given["ChangeSetName"], given.get("StackName", "")).wanted.body
    elif "StackName" in given:
        stack = core.stack(region, given["StackName"])
        body = "" if stack.status == "REVIEW_IN_PROGRESS" else stack.wanted.body
    else:
        raise invalid("StackName or ChangeSetName must be specified")
    return {"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}


def _asked(service: Service, region: str, given: Json) -> Template:
    if "StackName" in given:
        return load(service.core.stack(region, given["StackName"]).wanted.body)
    template = load(body_of(service.core, given))
    check(template, service.core.known_type)
    return template


def validate_template(service: Service, region: str, given: Json) -> Json:
    """Whether a template is well formed, and what it declares."""
    template = _asked(service, region, given)
    return _summary(template) | {
        "Parameters": [
            present(
                ParameterKey=name,
                DefaultValue=_default(declared),
                NoEcho=hidden(declared),
                Description=declared.get("Description"),
            )
            for name, declared in template.parameters.items()
        ]
    }


def get_template_summary(service: Service, region: str, given: Json) -> Json:
    """What a template declares and holds."""
    template = _asked(service, region, given)
    types = sorted({body["Type"] for body in template.resources.values()})
    return (
        _summary(template)
        | {
            "Parameters": [_declaration(name, declared) for name, declared in template.parameters.items()],
            "ResourceTypes": types,
            "ResourceIdentifierSummaries": [_identifiers(template, kind) for kind in types],
        }
        | present(Version=template.document.get("AWSTemplateFormatVersion"))
    )


def _summary(template: Template) -> Json:
    needed = capabilities(template)
    kinds = sorted({body["Type"] for body in template.resources.values() if body["Type"].startswith("AWS::IAM::")})
    reason = f"The following resource(s) require capabilities: [{', '.join(kinds)}]" if needed else None
    return present(
        Description=template.description, Capabilities=needed or None, CapabilitiesReason=reason, DeclaredTransforms=[]
    )


def _default(declared: dict[str, Any]) -> str | None:
    return text(declared["Default"]) if "Default" in declared else None


def _declaration(name: str, declared: dict[str, Any]) -> Json:
    allowed = [text(value) for value in declared.get("AllowedValues", ())]
    return present(
        ParameterKey=name,
        DefaultValue=_default(declared),
        ParameterType=declared.get("Type", "String"),
        NoEcho=hidden(declared),
        Description=declared.get("Description"),
        ParameterConstraints={"AllowedValues": allowed} if allowed else {},
    )


def _identifiers(template: Template, kind: str) -> Json:
    facts = resource_types.find(kind)
    return {
        "ResourceType": kind,
        "LogicalResourceIds": [name for name, body in template.resources.items() if body["Type"] == kind],
        "ResourceIdentifiers": list(facts.primary_identifier) if facts is not None else [],
    }


OPERATIONS: dict[str, Operation] = {
    "GetTemplate": get_template,
    "GetTemplateSummary": get_template_summary,
    "ValidateTemplate": validate_template,
}
