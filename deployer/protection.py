"""Protection that AWS enforces whoever deploys: termination protection, and a stack policy on every stack of the tree.

Durable environments only: a disposable one is there to be replaced, and each call would cost every deployment.

A policy denies replacement and deletion of what is stateful, and any update of what is moved outside of CloudFormation,
which would reset it: a listener rule that shares out live traffic, whose weights ECS and the cutover shift, and the
pointer. What a reviewed change set does to them is let through for the time of its execution, and nothing else.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from deployer.aws import Aws, in_parallel, translate
from deployer.changes import NESTED_STACK, ROOT, ChangeSet, ResourceChange
from deployer.package_dir import Package
from deployer.review.concerns.stateful import is_stateful
from deployer.stacks import StackState, describe_stack, nested_stacks

Policy = dict[str, Any]

_ALLOW: dict[str, Any] = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
OPEN: Policy = {"Statement": [_ALLOW]}
_PREFIX = "LogicalResourceId/"
_POINTER = "AWS::SSM::Parameter"
_ACTIONS = {
    "AWS::ElasticLoadBalancingV2::Listener": "DefaultActions",
    "AWS::ElasticLoadBalancingV2::ListenerRule": "Actions",
}


def stack_policy(template: Mapping[str, Any]) -> Policy:
    """The policy of a stack with this template. A stack cannot be without one any more once it had one."""
    stateful, moved = [], []
    for logical_id, resource in sorted(template["Resources"].items()):
        if shares_traffic(resource) or resource["Type"] == _POINTER:
            moved.append(_PREFIX + logical_id)
        elif (
            is_stateful(resource["Type"]) or resource["Type"] == NESTED_STACK
        ):  # its deletion asks no policy of its own
            stateful.append(_PREFIX + logical_id)
    return {
        "Statement": [
            _ALLOW,
            *([_deny(["Update:Replace", "Update:Delete"], stateful)] if stateful else []),
            *([_deny(["Update:*"], moved)] if moved else []),
        ]
    }


def _deny(actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": actions, "Principal": "*", "Resource": resources}


def shares_traffic(resource: Mapping[str, Any]) -> bool:
    """Whether a listener or rule forwards to several target groups, so that its weights may be live."""
    actions = resource.get("Properties", {}).get(_ACTIONS.get(resource["Type"], ""), [])
    return any(len(action.get("ForwardConfig", {}).get("TargetGroups", [])) > 1 for action in actions)


def is_protected(aws: Aws, state: StackState, package: Package) -> bool:
    """Whether nothing is left to protect, by one call; a run that was killed while it had lifted something shows here.

    `lifted` opens the root's policy first and closes it last, so the root's tells of the whole tree.
    """
    if not package.durable:
        return True
    return state.termination_protection and _policy(aws, state.id) == stack_policy(package.templates[ROOT])


def protect(aws: Aws, state: StackState, package: Package) -> int:
    """Bring protection to what the package says; returns how many settings were changed, none where not durable.

    The root's policy is set last: only when it is closed is everything.
    """
    if not package.durable:
        return 0
    changed = 0
    if not state.termination_protection:
        with translate("protect", f"stack {state.name} from deletion"):
            aws.cloudformation.update_termination_protection(StackName=state.name, EnableTerminationProtection=True)
        changed += 1
    tiers = package.nested()
    ids = {tiers[name]: stack_id for name, stack_id in nested_stacks(aws, state.id).items() if name in tiers}
    changed += sum(in_parallel(lambda item: _set(aws, item[1], stack_policy(package.templates[item[0]])), ids.items()))
    return changed + _set(aws, state.id, stack_policy(package.templates[ROOT]))


def touched(change_set: ChangeSet) -> frozenset[str]:
    """The addresses of all that a change set replaces, deletes or, of listener rules and parameters, updates.

    What the gate has let pass; the policies must let it pass too. Whether a rule shares traffic its policy knows.
    """
    return frozenset(change.address for change in change_set.resource_changes() if _is_touched(change))


def _is_touched(change: ResourceChange) -> bool:
    replaces = change.replacement in ("True", "Conditional")
    return replaces or change.action in ("Remove", "Dynamic", "SyncWithActual") or change.type in (*_ACTIONS, _POINTER)


@contextmanager
def lifted(
    aws: Aws, state: StackState, package: Package, addresses: Collection[str], say: Callable[[str], None]
) -> Iterator[None]:
    """While inside, the policies let pass what happens to `addresses`; afterwards they are as `protect` makes them.

    When the stack is still being changed at the end (the watcher was interrupted), they stay lifted, for closing them
    would make that change fail: the next run closes them (`is_protected`). A kill ends the same way.
    """
    opened = package.durable and _lift(aws, state, package, addresses, say)
    try:
        yield
    finally:
        now = describe_stack(aws, state.id) if opened else None
        if now is not None and now.status.ended:
            protect(aws, now, package)
        elif now is not None:
            say(f"stack {now.name} is still {now.status}: its stack policies stay lifted until the next run")


def _lift(
    aws: Aws, state: StackState, package: Package, addresses: Collection[str], say: Callable[[str], None]
) -> bool:
    """Open the policies for the addresses; whether any policy denied one of them."""
    by_tier: dict[str, set[str]] = {}
    for address in addresses:
        tier, _, logical_id = address.rpartition(".")
        by_tier.setdefault(tier, set()).add(logical_id)
    if not by_tier:
        return False
    tiers = package.nested()
    ids = {tiers.get(name, name): stack_id for name, stack_id in nested_stacks(aws, state.id).items()}
    ids[ROOT] = state.id
    todo = [(ids[tier], logical_ids) for tier, logical_ids in by_tier.items() if tier in ids]
    present = in_parallel(lambda item: _policy(aws, item[0]), todo)
    opened = [
        (stack_id, wider)
        for (stack_id, logical_ids), policy in zip(todo, present, strict=True)
        if (wider := _without(policy, logical_ids)) != policy
    ]
    if not opened:
        return False
    say("stack policies lifted for " + ", ".join(sorted(addresses)))
    _put(aws, state.id, OPEN)
    in_parallel(lambda item: _put(aws, *item), [item for item in opened if item[0] != state.id])
    return True


def _without(policy: Policy, logical_ids: set[str]) -> Policy:
    """The policy with these resources taken out of its denials."""
    names = {_PREFIX + logical_id for logical_id in logical_ids}
    statements = []
    for statement in policy.get("Statement", []):
        resources = statement["Resource"]
        if statement["Effect"] == "Deny" and isinstance(resources, list):
            resources = [resource for resource in resources if resource not in names]
        if resources:
            statements.append({**statement, "Resource": resources})
    return {"Statement": statements} if policy else policy


def _policy(aws: Aws, stack_id: str) -> Policy:
    """The stack's policy, empty where it never had one."""
    with translate("read the stack policy of", stack_id):
        body = aws.cloudformation.get_stack_policy(StackName=stack_id).get("StackPolicyBody", "")
    return dict(json.loads(body)) if body else {}


def _set(aws: Aws, stack_id: str, policy: Policy) -> bool:
    """Set the policy where the stack has another; no policy and an open one are the same."""
    if (_policy(aws, stack_id) or OPEN) == policy:
        return False
    _put(aws, stack_id, policy)
    return True


def _put(aws: Aws, stack_id: str, policy: Policy) -> None:
    with translate("set the stack policy of", stack_id):
        aws.cloudformation.set_stack_policy(StackName=stack_id, StackPolicyBody=json.dumps(policy))
