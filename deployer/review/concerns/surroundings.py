"""What rules ask of the whole tree: who guards a security group, who holds a permission, which rule splits traffic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from deployer.changes import NESTED_STACK, ChangeSet, ResourceChange
from deployer.review.trees import Body, Side, Trees
from deployer.review.values import mapping, mappings

SERVICE = "AWS::ECS::Service"
LISTENER_RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
_RULES_OF_A_SERVICE = ("ProductionListenerRule", "TestListenerRule")
_GROUPS_OF_A_SERVICE = ("TargetGroupArn", "AlternateTargetGroupArn")


class Surroundings:
    """Both sides of the tree, read once for all rules."""

    def __init__(self, change_set: ChangeSet, trees: Trees) -> None:
        self.trees = trees
        # Everything is new: what it opens, it opens to what did not exist.
        self.first = change_set.change_set_type == "CREATE"
        # Tiers that go as a whole.
        self.leaving = {
            change.child.tier for change in change_set.changes if change.child is not None and change.action == "Remove"
        }
        self._new = [change for change in change_set.resource_changes() if change.action == "Add"]
        changed = {change.tier for change in change_set.resource_changes()}
        self._unknown = changed - trees.fetched

    def bodies(self, *types: str, after: bool) -> Iterator[tuple[str, Body]]:
        """The resources of these types on one side, with addresses; before, only those whose template is known."""
        side = self.trees.after if after else self.trees.before
        if side is not None:
            for resource in side.tree.of_type(*types):
                if after or resource.tier not in self._unknown:
                    yield resource.address, side.resolved(resource)

    def served(self, address: str) -> bool:
        """Whether the resource at `address` is there today, or nobody can tell."""
        side = self.trees.before
        return side is None or side.holds(address) or not self.trees.after.holds(address)

    def heir(self, gone: ResourceChange) -> str:
        """The new resource that looks like the one that leaves: of its type, in its stack; "" where there is none.

        A logical id that is renamed is such a pair: who referred to the old one refers to the new one.
        """
        for new in self._new:
            if (new.tier, new.type) == (gone.tier, gone.type) and self._same_tier(gone, new):
                return new.address
        return ""

    def _same_tier(self, gone: ResourceChange, new: ResourceChange) -> bool:
        if gone.type != NESTED_STACK or self.trees.before is None:
            return True
        return self.trees.before.stacks.get(gone.logical_id) == self.trees.after.stacks.get(new.logical_id)

    # --- live traffic ------------------------------------------------------------------------------------------------
    @cached_property
    def managed_rules(self) -> frozenset[str]:
        """Listener rules whose weights Amazon ECS moves: those that a service names, before or after."""
        return frozenset(address for side in self._sides() for address in _named(side, _RULES_OF_A_SERVICE))

    @cached_property
    def service_groups(self) -> frozenset[str]:
        """Target groups between which Amazon ECS moves a service's tasks."""
        return frozenset(address for side in self._sides() for address in _named(side, _GROUPS_OF_A_SERVICE))

    @cached_property
    def live_split(self) -> tuple[str, tuple[tuple[str, int], ...]] | None:
        """The rule, none of ECS's own, that splits requests between a service's target group and others meanwhile.

        Rules are updated before the service that names them; a rule that leaves the template stands until the update
        is done, as CloudFormation deletes last.
        """
        after = dict(self.bodies(LISTENER_RULE, after=True))
        leaving = {address: body for address, body in self.bodies(LISTENER_RULE, after=False) if address not in after}
        for address, body in (after | leaving).items():
            split = weights(body.properties)
            live = [name for name, weight in split if weight > 0]
            if address not in self.managed_rules and len(live) > 1 and self.service_groups & set(live):
                return address, split
        return None

    def _sides(self) -> tuple[Side, ...]:
        return (self.trees.after, self.trees.before) if self.trees.before else (self.trees.after,)


def _named(side: Side, keys: tuple[str, ...]) -> Iterator[str]:
    for resource in side.tree.of_type(SERVICE):
        for balancer in mappings(side.resolved(resource).properties.get("LoadBalancers")):
            for place in (balancer, mapping(balancer.get("AdvancedConfiguration"))):
                yield from (address_in(place[key]) for key in keys if key in place)


def weights(properties: Any) -> tuple[tuple[str, int], ...]:
    """How a listener rule or listener splits requests: (target group, weight), in template order."""
    found = []
    for action in mappings(properties.get("Actions") or properties.get("DefaultActions")):
        groups = mappings(mapping(action.get("ForwardConfig")).get("TargetGroups"))
        found += [(address_in(group.get("TargetGroupArn", "")), _weight(group)) for group in groups]
        if not groups and "TargetGroupArn" in action:
            found.append((address_in(action["TargetGroupArn"]), 1))
    return tuple(found)


def _weight(group: Mapping[str, Any]) -> int:
    weight = str(group.get("Weight", 1))
    return int(weight) if weight.isdecimal() else 1


def address_in(value: Any) -> str:
    """`${security.DatabaseSecurityGroup.GroupId}` → security.DatabaseSecurityGroup; any other text as it is."""
    text = str(value)
    if text.startswith("${") and text.endswith("}") and text.count("${") == 1:
        return ".".join(text[2:-1].split(".")[:2])
    return text
