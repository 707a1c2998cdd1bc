"""One side of a plan: its templates as stacks, with parameters, conditions, mappings and intrinsic functions evaluated.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from contract import resource_types
from deployer.changes import NESTED_STACK, ROOT
from deployer.forecast.functions import FUNCTIONS, Conditions
from deployer.forecast.values import NO_VALUE, Attribute, Call, Fixed
from deployer.tiers import file_tier

Template = Mapping[str, Any]
Owner = tuple[str, str]  # tier and logical id of a nested stack's resource in its parent
_OUTPUTS = "Outputs."
_LISTS = ("CommaDelimitedList", "List<")
_SSM = "AWS::SSM::Parameter::Value<"


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of a template: `properties` evaluated, `body` as it is written."""

    tier: str
    logical_id: str
    type: str
    body: Mapping[str, Any]
    properties: Mapping[str, Any]

    @property
    def address(self) -> str:
        """`database.Cluster`."""
        return f"{self.tier}.{self.logical_id}"


@dataclass(slots=True)
class Stack:
    """A stack of one side: `owner` is the nested stack's resource in its parent, None for the root.

    `nested` are the tiers of the stacks right below it, by logical id.
    """

    tier: str
    name: str
    template: Template
    owner: Owner | None
    nested: dict[str, str] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)


def tier_of(body: Mapping[str, Any]) -> str:
    """The tier of a nested stack by the file that it names: "https://…/database.<sha256>.template.json" → database."""
    return file_tier(str(body.get("Properties", {}).get("TemplateURL", "")))


class Side:
    """The whole tree of one side. `notes` are sentences on what it could not tell.

    `names` gives the stacks of this side the names that the other side has for them: a stack is the same one as long as
    it is nested under the same logical id, whatever file its template comes from.
    """

    def __init__(
        self,
        templates: Mapping[str, Template],
        *,
        stack_name: str,
        region: str,
        names: Mapping[Owner, str] | None = None,
    ) -> None:
        self.notes: list[str] = []
        self.stacks: dict[str, Stack] = {}
        self._templates = templates
        self._names = names or {}
        self._region = region
        self._parameters: dict[tuple[str, str], Any] = {}
        self._conditions: dict[str, Conditions] = {}
        self._open: set[tuple[str, str]] = set()
        if ROOT in templates:
            self._add_stack(ROOT, stack_name, None, templates[ROOT])
            for stack in self.stacks.values():
                stack.resources = self._resources(stack)

    def note(self, sentence: str) -> None:
        """Keep a sentence once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def resource(self, address: str) -> Resource | None:
        """The resource at `address`, None where it is not of this side, or switched off by its condition."""
        tier, _, logical_id = address.partition(".")
        stack = self.stacks.get(tier)
        return None if stack is None else stack.resources.get(logical_id)

    @property
    def owners(self) -> dict[Owner, str]:
        """Each nested stack's tier by where it is nested."""
        return {stack.owner: tier for tier, stack in self.stacks.items() if stack.owner is not None}

    # --- stacks ------------------------------------------------------------------------------------------------------
    def _add_stack(self, tier: str, name: str, owner: Owner | None, template: Template) -> None:
        stack = self.stacks[tier] = Stack(tier, name, template, owner)
        for logical_id, body in template.get("Resources", {}).items():
            if body.get("Type") != NESTED_STACK:
                continue
            file = tier_of(body)
            below = self._names.get((tier, logical_id), file)
            if file in self._templates and below not in self.stacks:
                stack.nested[logical_id] = below
                self._add_stack(below, f"{name}-{logical_id}", (tier, logical_id), self._templates[file])
            else:
                why = "is another stack's too" if file in self._templates else "is not known"
                self.note(f"{tier}.{logical_id}: its template ({file or 'none named'}) {why}")

    def _resources(self, stack: Stack) -> dict[str, Resource]:
        found = {}
        for logical_id, body in stack.template.get("Resources", {}).items():
            if "Condition" in body and not self._holds(stack.tier, body["Condition"]):
                continue
            properties = self.evaluate(stack.tier, body.get("Properties", {}))
            if not isinstance(properties, Mapping):
                self.note(f"{stack.tier}.{logical_id}: its properties are made by a function, and not known offline")
                properties = {}
            found[logical_id] = Resource(stack.tier, logical_id, body["Type"], body, properties)
        return found

    def _holds(self, tier: str, name: str) -> bool:
        value = self.condition(tier, name)
        if not isinstance(value, bool):
            self.note(f"{tier}: whether condition {name} holds is not known; it is taken to hold")
        return value is not False

    def condition(self, tier: str, name: str) -> Any:
        """What a named condition comes to: True, False, or what it hangs on where that is not known."""
        if tier not in self._conditions:
            definitions = self.stacks[tier].template.get("Conditions", {})
            self._conditions[tier] = Conditions(definitions, lambda node: self.evaluate(tier, node))
        return self._conditions[tier].value(name)

    # --- values ------------------------------------------------------------------------------------------------------
    def evaluate(self, tier: str, node: Any) -> Any:
        """A value of a template of `tier`, every function in it evaluated."""
        if isinstance(node, list):
            return [value for item in node if (value := self.evaluate(tier, item)) is not NO_VALUE]
        if not isinstance(node, Mapping):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name == "Ref":
                return (
                    self._reference(tier, argument) if isinstance(argument, str) else self._call(tier, name, argument)
                )
            if name == "Fn::GetAtt":
                return self._getatt(tier, argument)
            if name in FUNCTIONS:
                return FUNCTIONS[name](argument, _Scope(self, tier))
            if name.startswith("Fn::"):
                return self._call(tier, name, argument)
        items = {key: self.evaluate(tier, item) for key, item in node.items()}
        return {key: item for key, item in items.items() if item is not NO_VALUE}

    def named(self, tier: str, name: str, attribute: str) -> Any:
        """What `${name}` (attribute "Ref") or `${name.attribute}` stands for in `tier`."""
        return self._reference(tier, name) if attribute == "Ref" else self._attribute(tier, name, attribute)

    def _getatt(self, tier: str, argument: Any) -> Any:
        logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        attribute = self.evaluate(tier, attribute)
        if isinstance(logical_id, str) and isinstance(attribute, str):
            return self._attribute(tier, logical_id, attribute)
        return self._call(tier, "Fn::GetAtt", argument)

    def _call(self, tier: str, name: str, argument: Any) -> Call:
        """A function whose value only AWS knows."""
        self.note(f"{tier}: {name} is not evaluated offline")
        return Call(name, self.evaluate(tier, argument))

    def _reference(self, tier: str, name: str) -> Any:
        if name.startswith("AWS::"):
            return self._pseudo(tier, name)
        if name in self.stacks[tier].template.get("Parameters", {}):
            return self._once(tier, name, self._parameter)
        return Attribute(f"{tier}.{name}", "Ref")

    def _pseudo(self, tier: str, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name == "AWS::Region":
            return self._region
        partition = _partition(self._region)
        known = {"AWS::Partition": partition[0], "AWS::URLSuffix": partition[1]}
        if tier == ROOT:
            known["AWS::StackName"] = self.stacks[ROOT].name
        return known.get(name) or Fixed(name if name == "AWS::AccountId" else f"{tier}: {name}")

    def _attribute(self, tier: str, logical_id: str, attribute: str) -> Any:
        stack = self.stacks[tier]
        if attribute.startswith(_OUTPUTS) and logical_id in stack.nested:
            return self._once(stack.nested[logical_id], attribute, self._output)
        body = stack.template["Resources"].get(logical_id, {})
        kind = resource_types.find(body.get("Type", ""))
        properties = body.get("Properties", {})
        if kind is not None and attribute in properties and attribute in kind.properties - set(kind.read_only):
            return self._once(tier, f"{logical_id}.{attribute}", self._property)  # as the template says: a CidrBlock
        return Attribute(f"{tier}.{logical_id}", attribute)

    def _once(self, tier: str, name: str, find: Callable[[str, str], Any]) -> Any:
        """A parameter, an output or a property that others ask for, evaluated once; a circle of them is no value."""
        key = (tier, name)
        if key in self._open:
            self.note(f"{tier}.{name} hangs on itself")
            return Fixed(f"{tier}.{name}")
        if key not in self._parameters:
            self._open.add(key)
            self._parameters[key] = find(tier, name)
            self._open.remove(key)
        return self._parameters[key]

    def _property(self, tier: str, path: str) -> Any:
        logical_id, _, name = path.partition(".")
        return self.evaluate(tier, self.stacks[tier].template["Resources"][logical_id]["Properties"][name])

    def _output(self, tier: str, attribute: str) -> Any:
        output = self.stacks[tier].template.get("Outputs", {}).get(attribute.removeprefix(_OUTPUTS))
        if output is None:
            self.note(f"{tier} gives no output {attribute.removeprefix(_OUTPUTS)}")
            return Fixed(f"{tier}.{attribute}")
        return self.evaluate(tier, output["Value"])

    def _parameter(self, tier: str, name: str) -> Any:
        stack = self.stacks[tier]
        declared = stack.template["Parameters"][name]
        kind = str(declared.get("Type", "String"))
        value = declared.get("Default", NO_VALUE)
        if stack.owner is not None:
            above, logical_id = stack.owner
            body = self.stacks[above].template["Resources"][logical_id]
            given = body.get("Properties", {}).get("Parameters", {})
            value = self.evaluate(above, given[name]) if name in given else value
        if value is NO_VALUE:
            self.note(f"{tier}: the value of parameter {name} is not known; it is taken to stay as it is")
            return Fixed(f"{tier}.{name}")
        if kind.startswith(_SSM):
            self.note(f"{tier}: parameter {name} is read from Systems Manager at deployment, and may have changed")
            return Fixed(f"ssm:{value}")
        if kind.startswith(_LISTS) and isinstance(value, str):
            return [item.strip() for item in value.split(",")]
        return value


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a function may ask: the side, seen from one tier."""

    side: Side
    tier: str

    def evaluate(self, node: Any) -> Any:
        return self.side.evaluate(self.tier, node)

    def named(self, name: str, attribute: str) -> Any:
        return self.side.named(self.tier, name, attribute)

    def condition(self, name: str) -> Any:
        return self.side.condition(self.tier, name)

    @property
    def mappings(self) -> Mapping[str, Any]:
        mappings: Mapping[str, Any] = self.side.stacks[self.tier].template.get("Mappings", {})
        return mappings


def _partition(region: str) -> tuple[str, str]:
    """Name and domain of a region's partition.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
    """
    if region.startswith("cn-"):
        return "aws-cn", "amazonaws.com.cn"
    return ("aws-us-gov" if region.startswith("us-gov-") else "aws"), "amazonaws.com"
