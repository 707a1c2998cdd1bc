"""A tier's template in the making, and the tier itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import troposphere
from troposphere import AWSObject, Template

from contract import names as rules
from contract.names import NameRule, Names
from contract.tags import tag_property, tag_values
from contract.wiring import Inputs, Output, Outputs, tier_name
from settings.errors import LinkError
from settings.model import Settings

# The deletion policy of what a durable environment keeps.
KEPT = "RetainExceptOnCreate"

R = TypeVar("R", bound=AWSObject)


class Stack:
    """Collects the resources and outputs of one tier.

    Everything that all tiers owe is done here once: tags, names, deletion policies, the record of exceptions.
    """

    def __init__(self, tier: str, description: str, settings: Settings, names: Names) -> None:
        self.tier = tier
        self.settings = settings
        self.template = Template(Description=description)
        self.given: set[str] = set()
        self._names = names
        self._tags = tag_values(settings)

    def add(
        self,
        resource: R,
        *,
        name: str | None = None,
        excepted: Mapping[str, str] | None = None,
    ) -> R:
        """Add a resource, tagged as its type wants; returns it, for `Ref` and `GetAtt`.

        `name` adds a `Name` tag (the form that consoles show) made of that part. `excepted` maps a lint rule id to the
        reason why this resource deliberately breaks it; both stand in the resource's Metadata and in the summary.
        """
        tags = dict(self._tags)
        if name is not None:
            tags["Name"] = self.name(rules.NAME_TAG, name)
        for key, value in tag_property(resource.resource["Type"], tags).items():
            resource.properties[key] = value
        if excepted:
            resource.resource["Metadata"] = {
                "cfn-lint": {"config": {"ignore_checks": sorted(excepted)}},
                "Exceptions": dict(sorted(excepted.items())),
            }
        self.template.add_resource(resource)
        return resource

    def add_stateful(self, resource: R, *, snapshot: bool = False, **options: Any) -> R:
        """Add a resource that holds data: kept (or snapshotted) where the environment is durable, else deleted.

        Both policies are explicit, because the default of UpdateReplacePolicy is to delete. Kept, but for a creation
        that is rolled back: what it leaves holds nothing yet, and its name would stand in the way of the next try.
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
        """
        on_deletion, on_replacement = "Delete", "Delete"
        if self.settings.durable:
            on_deletion, on_replacement = ("Snapshot", "Snapshot") if snapshot else (KEPT, "Retain")
        resource.resource["DeletionPolicy"] = on_deletion
        resource.resource["UpdateReplacePolicy"] = on_replacement
        return self.add(resource, **options)

    def name(self, rule: NameRule, part: str) -> str:
        """Claim the physical name of a resource of this tier; see `Names.claim`."""
        return self._names.claim(rule, part)

    def named_elsewhere(self, rule: NameRule, part: str) -> str:
        """The physical name of another tier's resource; see `Names.refer`. For ARNs in policies, instead of a wire."""
        return self._names.refer(rule, part, self.tier)

    def names_like(self, rule: NameRule) -> str:
        """A pattern of all names of one rule in this environment; see `Names.pattern`."""
        return self._names.pattern(rule)

    def give(self, output: Output[Any], value: Any) -> None:
        """Set the value of a declared output."""
        if output.tier != self.tier or output.name in self.given:
            raise LinkError(f"tier {self.tier} gives {output!r}: not its own, or given twice")
        self.given.add(output.name)
        self.template.add_output(troposphere.Output(output.label, Value=value, Description=_sentence(output)))


def _sentence(output: Output[Any]) -> str:
    words = " ".join((output.kind.__doc__ or output.kind.__name__).split()).rstrip(".")
    return f"{output.name.replace('_', ' ')}: {words}"


@dataclass(frozen=True, slots=True)
class Tier:
    """One nested stack: what it needs, what it gives, and the function that fills its template."""

    inputs: type[Inputs]
    outputs: type[Outputs]
    build: Callable[[Stack, Any], None]
    description: str

    @property
    def name(self) -> str:
        """The tier's name is its module's."""
        return tier_name(self.inputs)


@dataclass(frozen=True, slots=True)
class Nested:
    """A tier in the tree, with the wires that feed it."""

    tier: Tier
    needs: Inputs


@dataclass(frozen=True, slots=True)
class System:
    """The whole tree: its tiers, and which outputs the root itself gives, by their public names.

    `beside` are stacks that exist once per account: written next to the root, never nested in it.
    """

    description: str
    nested: tuple[Nested, ...]
    exposes: Mapping[str, Output[Any]]
    beside: tuple[Tier, ...] = ()
