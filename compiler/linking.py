"""Link: judge every wire of the tree, fill the tiers, and nest them in a root template.

A wire that is missing, misspelt, of the wrong kind, cyclic or unused is a `LinkError` that names both tiers; all faults
are reported together. Kinds are checked three times: what the root connects (declared kinds), what an output's
expression really is (`Kind.sources`), and where a parameter is used (`Kind.feeds`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from io import StringIO
from itertools import pairwise
from pathlib import Path
from traceback import extract_tb
from typing import Any

from compiler.bundle import Bundle, Connection, file_name
from compiler.settings_record import SETTINGS, settings_record
from contract.kinds import Kind, every_kind
from contract.names import Names
from contract.stack import KEPT, Nested, Stack, System, Tier
from contract.tags import tag_property, tag_values
from contract.wiring import Inputs, Output, Report, camel_case
from settings.errors import LinkError, TierError, UserError, did_you_mean
from settings.model import Settings

# CloudFormation resolves nested parameters late: a typed parameter (AWS::EC2::VPC::Id) or a pattern is checked against
# the placeholder of a value not yet known, and fails the nested change set. Kinds are checked here instead.
# https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/759
_PARAMETER_TYPE = "String"


def link(system: System, settings: Settings) -> Bundle:
    """Compile the tree of `system` for `settings`; raises `LinkError` or `NamingError` with everything found."""
    ordered = _order(system)
    names = Names(settings.system, settings.suffix)
    templates: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    broken: list[str] = []
    for nested in ordered:
        stack = Stack(nested.tier.name, nested.tier.description, settings, names)
        try:
            template = _fill(nested.tier, stack, _inside(nested))
        except TierError as error:
            broken += error.problems
            continue
        template["Parameters"] = _parameters(nested)
        if not template["Parameters"]:
            del template["Parameters"]
        problems += _unfinished(nested, stack.given, template)
        problems += _wrong_expressions(nested, template)
        templates[nested.tier.name] = template
    if broken:
        names.check(complete=False)  # troposphere knows some limits of names; the policy's own message says more
        raise TierError(broken, hint="mend the tier module; the message is troposphere's where it names a property")
    if problems:
        raise LinkError(problems, hint="mend the tier modules under templates/")
    names.check()
    templates["root"] = _root(system, ordered, settings)
    for tier in system.beside:
        templates[tier.name] = _beside(tier, settings)
    return Bundle(settings.suffix, templates, tuple(_connections(ordered)))


# --- judging the wires -----------------------------------------------------------------------------------------------
def _order(system: System) -> list[Nested]:
    """The tiers so that each comes after those that feed it; raises with every faulty wire."""
    tiers = {nested.tier.name: nested for nested in system.nested}
    problems = [problem for nested in system.nested for problem in _faulty_wires(nested, tiers)]
    problems += [
        f"root exposes {name} from {output!r}, a tier that is not in the tree"
        for name, output in system.exposes.items()
        if output.tier not in tiers
    ]
    problems += _unused_outputs(system)
    if problems:
        raise LinkError(problems, hint="mend the wiring in templates/root.py")
    feeders = {name: {wire.tier for wire in nested.needs.wires.values()} for name, nested in sorted(tiers.items())}
    try:
        return [tiers[name] for name in TopologicalSorter(feeders).static_order()]
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        wires = [
            f"{wire.tier}.{wire.label} → {consumer}.{camel_case(name)}"
            for feeder, consumer in pairwise(circle)
            for name, wire in tiers[consumer].needs.wires.items()
            if wire.tier == feeder
        ]
        raise LinkError(
            f"tiers feed each other in a circle: {' → '.join(circle)} ({', '.join(wires)})",
            hint="move the resource that closes the circle into another tier, or name it by policy instead of a wire",
        ) from None


def _faulty_wires(nested: Nested, tiers: dict[str, Nested]) -> Iterator[str]:
    tier, kinds = nested.tier.name, nested.tier.inputs.kinds()
    for name, kind in kinds.items():
        wire = nested.needs.wires.get(name)
        if name not in nested.needs.wires:
            yield f"{tier}.{name} ({kind.__name__}) is wired to no output"
        elif not isinstance(wire, Output):
            yield f"{tier}.{name} ({kind.__name__}) is wired to {wire!r}, which is no tier's output"
        elif not issubclass(wire.kind, kind):
            yield f"{wire!r} cannot feed {tier}.{name} ({kind.__name__}): the kinds differ"
        elif wire.tier not in tiers:
            yield f"{wire!r} feeds {tier}.{name}, but {wire.tier} is not in the tree"
    for name, wire in nested.needs.wires.items():
        if name not in kinds:
            guess = did_you_mean(name, kinds)
            yield f"{wire!r} is wired to {tier}.{name}, which {tier} does not need" + (f"; {guess}" if guess else "")


def _unused_outputs(system: System) -> Iterator[str]:
    taken = {
        (wire.tier, wire.name)
        for wire in (*(w for n in system.nested for w in n.needs.wires.values()), *system.exposes.values())
        if isinstance(wire, Output)
    }
    for nested in system.nested:
        for output in nested.tier.outputs.fields().values():
            if not isinstance(output, Report) and (output.tier, output.name) not in taken:
                yield f"{output!r} is given, but no tier takes it: remove it, or declare it a Report"


def _connections(ordered: list[Nested]) -> Iterator[Connection]:
    for nested in ordered:
        for name, wire in nested.needs.wires.items():
            yield Connection(wire.tier, wire.label, nested.tier.name, camel_case(name), wire.kind.__name__)


# --- filling a tier --------------------------------------------------------------------------------------------------
def _fill(tier: Tier, stack: Stack, needs: Inputs) -> dict[str, Any]:
    """The tier's template as data; whatever is raised in it becomes an error that names the tier and the line."""
    try:
        # troposphere writes a line of its own to stderr before it raises; the error says the same, and where.
        with redirect_stderr(StringIO()):
            tier.build(stack, needs)
            return dict(stack.template.to_dict())
    except UserError:
        raise
    except Exception as error:
        where = faulty_line(error) or f"templates/{tier.name}.py"
        # What troposphere refuses says so by itself; `KeyError: 'x'` does not without its type.
        kind = "" if isinstance(error, TypeError | ValueError | AttributeError) else f"{type(error).__name__}: "
        raise TierError(f"{where}: tier {tier.name} cannot be built: {kind}{error}") from error


def faulty_line(error: Exception) -> str:
    """Where under templates/ something was raised, as `templates/network.py:12`; "" where nothing of it was."""
    places = [(frame.filename, frame.lineno) for frame in extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        places.append((error.filename or "", error.lineno))
    lines = [f"templates/{Path(file).name}:{line}" for file, line in places if Path(file).parent.name == "templates"]
    return lines[-1] if lines else ""


def _inside(nested: Nested) -> Inputs:
    """The tier's inputs as it sees them itself: references to its own parameters."""
    return nested.tier.inputs(**nested.tier.inputs.parameters())


def _parameters(nested: Nested) -> dict[str, Any]:
    return {
        camel_case(name): {
            "Type": _PARAMETER_TYPE,
            "Description": f"{(kind.__doc__ or name).rstrip('.')}, from {nested.needs.wires[name].tier}",
        }
        for name, kind in nested.tier.inputs.kinds().items()
    }


def _unfinished(nested: Nested, given: set[str], template: dict[str, Any]) -> Iterator[str]:
    tier = nested.tier.name
    for name, output in nested.tier.outputs.fields().items():
        if name not in given and not isinstance(output, Report):
            yield f"{output!r} is declared, but {tier} never gives it"
    used = {reference for _, reference in _references(template["Resources"], ())}
    used |= {reference for _, reference in _references(template.get("Outputs", {}), ())}
    for name in nested.tier.inputs.kinds():
        if camel_case(name) not in used:
            wire = nested.needs.wires[name]
            yield f"{wire!r} feeds {tier}.{name}, but {tier} never uses it"


def _references(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every parameter or resource named by Ref or Fn::Sub below `node`, with the path of property names to it."""
    if isinstance(node, dict):
        if set(node) == {"Ref"}:
            yield path, str(node["Ref"])
        elif set(node) == {"Fn::Sub"}:
            text = node["Fn::Sub"] if isinstance(node["Fn::Sub"], str) else node["Fn::Sub"][0]
            for chunk in text.split("${")[1:]:
                yield (*path, "Fn::Sub"), chunk.partition("}")[0].partition(".")[0]
            if not isinstance(node["Fn::Sub"], str):
                yield from _references(node["Fn::Sub"][1], (*path, "Fn::Sub"))
        else:
            for key, value in node.items():
                yield from _references(value, (*path, key))
    elif isinstance(node, list):
        for value in node:
            yield from _references(value, path)


# --- the kinds of expressions ----------------------------------------------------------------------------------------
def _wrong_expressions(nested: Nested, template: dict[str, Any]) -> Iterator[str]:
    tier, resources = nested.tier.name, template["Resources"]
    for output in nested.tier.outputs.fields().values():
        given = template.get("Outputs", {}).get(output.label)
        source = _source(given["Value"], resources) if given else None
        if source and source not in output.kind.sources:
            yield f"{output!r} is given {source}, which is no {output.kind.__name__}"
    kinds = {camel_case(name): kind for name, kind in nested.tier.inputs.kinds().items()}
    wanted = _wanted_kinds()
    for logical_id, resource in resources.items():
        for path, reference in _references(resource.get("Properties", {}), ()):
            kind, owners = kinds.get(reference), wanted.get(path[-1], ()) if path else ()
            if kind and owners and not any(issubclass(kind, owner) for owner in owners):
                wire = next(w for n, w in nested.needs.wires.items() if camel_case(n) == reference)
                yield (
                    f"{wire!r} reaches {tier}.{logical_id}.{'.'.join(path)}, "
                    f"which wants {' or '.join(owner.__name__ for owner in owners)}"
                )


def _source(value: Any, resources: dict[str, Any]) -> str | None:
    """What an output's value is, as "Type.Ref" or "Type.Attribute"; "literal"; None where it cannot be told."""
    if not isinstance(value, dict):
        return "literal"
    if "Ref" in value and value["Ref"] in resources:
        return f"{resources[value['Ref']]['Type']}.Ref"
    if "Fn::GetAtt" in value:
        logical_id, attribute = value["Fn::GetAtt"]
        return f"{resources[logical_id]['Type']}.{attribute}" if logical_id in resources else None
    return None


def _wanted_kinds() -> dict[str, tuple[type[Kind], ...]]:
    """Property name → the kinds that may stand there."""
    wanted: dict[str, tuple[type[Kind], ...]] = {}
    for kind in every_kind().values():
        for name in kind.feeds:
            wanted[name] = (*wanted.get(name, ()), kind)
    return wanted


# --- the root --------------------------------------------------------------------------------------------------------
def _root(system: System, ordered: list[Nested], settings: Settings) -> dict[str, Any]:
    resources = {}
    for nested in ordered:
        name = nested.tier.name
        properties: dict[str, Any] = {"TemplateURL": file_name(name)}
        parameters = {
            camel_case(n): {"Fn::GetAtt": [camel_case(w.tier), f"Outputs.{w.label}"]}
            for n, w in nested.needs.wires.items()
        }
        if parameters:
            properties["Parameters"] = parameters
        properties |= tag_property("AWS::CloudFormation::Stack", tag_values(settings))
        resources[camel_case(name)] = {
            "Type": "AWS::CloudFormation::Stack",
            # All or none: a kept database behind deleted security groups would be out of reach.
            "DeletionPolicy": KEPT if settings.durable else "Delete",
            "UpdateReplacePolicy": "Retain" if settings.durable else "Delete",
            "Properties": properties,
        }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": system.description,
        "Metadata": {SETTINGS: settings_record(settings)},
        "Resources": resources,
        "Outputs": {
            name: {
                "Description": (output.kind.__doc__ or name).rstrip("."),
                "Value": {"Fn::GetAtt": [camel_case(output.tier), f"Outputs.{output.label}"]},
            }
            for name, output in system.exposes.items()
        },
    }


def _beside(tier: Tier, settings: Settings) -> dict[str, Any]:
    """A stack that exists once per account: the same for every environment, so it carries no environment's tags."""
    tags = replace(settings.tags, author=None, pr_number=None, team=None)
    shared = replace(settings, env=tier.name, suffix=tier.name, tags=tags)
    names = Names(shared.system, shared.suffix)
    stack = Stack(tier.name, tier.description, shared, names)
    template = _fill(tier, stack, tier.inputs())
    names.check()
    return template
