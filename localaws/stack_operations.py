"""The operations that create, change and delete stacks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Callable

from localaws import stack_policy
from localaws.api_errors import ApiError, invalid
from localaws.changesets import make_obsolete
from localaws.core import GONE
from localaws.planner import Planner
from localaws.requests import check_new_stack, refuse_unless_updatable, wanted
from localaws.service import Operation, Service, once
from localaws.stacks import Json, Stack
from localaws.template import load
from localaws.template_checks import refuse_strange_properties

USER = "User Initiated"


def _token(given: Json) -> str:
    token: str = given.get("ClientRequestToken", "")
    return token


def _rollback_off(given: Json) -> bool:
    return bool(given.get("DisableRollback") or given.get("DeploymentConfig", {}).get("DisableRollback"))


def create_stack(service: Service, region: str, given: Json) -> Json:
    """Begin to create a stack."""
    core, name = service.core, given["StackName"]

    def answer() -> Json:
        if core.find(region, name) is not None:
            raise ApiError("AlreadyExistsException", f"Stack [{name}] already exists")
        check_new_stack(core, region, name)
        if "OnFailure" in given and "DisableRollback" in given:
            raise invalid("You can specify either OnFailure or DisableRollback, but not both.")
        asked = wanted(core, given)
        refuse_strange_properties(load(asked.body))
        stack = Stack(core.stack_id(region, name), name, region, asked, core.clock.now())
        stack.disable_rollback = _rollback_off(given)
        stack.on_failure = given.get("OnFailure", "ROLLBACK")
        stack.retain_except_on_create = given.get("RetainExceptOnCreate", False)
        stack.termination_protection = given.get("EnableTerminationProtection", False)
        stack.timeout_minutes = given.get("TimeoutInMinutes")
        if "StackPolicyBody" in given:
            stack_policy.check(given["StackPolicyBody"])
            stack.policy = given["StackPolicyBody"]
        core.state.stacks[stack.id] = stack
        operation_id = service.executor.log.begin(stack, "CREATE", _token(given))
        service.executor.log.stack(stack, "CREATE_IN_PROGRESS", USER)
        core.start(lambda: _done(service.executor.create(stack)))
        return {"StackId": stack.id, "OperationId": operation_id}

    return once(service, region, _token(given), "CreateStack", name, answer)


def _done(_: str) -> None:
    """The reason of a failure stands in the stack's events; nobody waits for the thread's result."""


def update_stack(service: Service, region: str, given: Json) -> Json:
    """Begin to update a stack."""
    core = service.core

    def answer() -> Json:
        stack = core.stack(region, given["StackName"])
        refuse_unless_updatable(stack)
        asked = wanted(core, given, stack)
        refuse_strange_properties(load(asked.body))
        for name in ("StackPolicyBody", "StackPolicyDuringUpdateBody"):
            if name in given:
                stack_policy.check(given[name])
        plan = Planner(core, stack, asked, creating=False).plan()
        if not plan.changes and not plan.altered and stack.status != "UPDATE_FAILED":
            raise invalid("No updates are to be performed.")
        stack.policy = given.get("StackPolicyBody", stack.policy)
        stack.policy_during_update = given.get("StackPolicyDuringUpdateBody", "")
        stack.disable_rollback = _rollback_off(given)
        stack.retain_except_on_create = given.get("RetainExceptOnCreate", False)
        stack.executing = ""
        make_obsolete(core, stack)
        operation_id = service.executor.log.begin(stack, "UPDATE", _token(given))
        service.executor.open_update(stack, asked, USER)
        core.start(lambda: _done(service.executor.update(stack)))
        return {"StackId": stack.id, "OperationId": operation_id}

    return once(service, region, _token(given), "UpdateStack", given["StackName"], answer)


def delete_stack(service: Service, region: str, given: Json) -> Json:
    """Begin to delete a stack; one that is not there counts as deleted."""
    core, name = service.core, given["StackName"]

    def answer() -> Json:
        stack = core.find(region, name)
        if stack is None or stack.status in (GONE, "DELETE_IN_PROGRESS"):
            return {}
        _refuse_protected(service, stack)
        retain, mode = given.get("RetainResources", []), given.get("DeletionMode", "STANDARD")
        if stack.status != "DELETE_FAILED" and (retain or mode == "FORCE_DELETE_STACK"):
            raise invalid(
                f"Invalid operation on stack [{stack.id}]. When a stack is in the DELETE_FAILED state, RetainResources "
                "and DeletionMode FORCE_DELETE_STACK can be given; otherwise they can not."
            )
        strange = [logical_id for logical_id in retain if logical_id not in stack.resources]
        if strange:
            raise invalid(
                f"The specified resources to retain must be in a valid state. Unknown: [{', '.join(strange)}]"
            )
        if stack.status == "CREATE_IN_PROGRESS":  # the creation stops, and deletes what it has made
            stack.on_failure, stack.disable_rollback, stack.cancelled = "DELETE", False, True
            return {}
        if stack.in_progress:
            raise invalid(f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
        stack.deletion_mode = mode if mode != "STANDARD" else ""
        service.executor.log.begin(stack, "DELETE", _token(given))
        service.executor.log.stack(stack, "DELETE_IN_PROGRESS", USER)
        core.start(lambda: _done(service.executor.remover.delete_stack(stack, retain)))
        return {}

    return once(service, region, _token(given), "DeleteStack", name, answer)


def _refuse_protected(service: Service, stack: Stack) -> None:
    if service.core.root(stack).termination_protection:
        where = " on the root stack" if stack.root_id else ""
        raise invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled{where}")


def continue_update_rollback(service: Service, region: str, given: Json) -> Json:
    """Go on with a rollback that failed, without the resources that are to be skipped."""
    core = service.core
    stack = core.stack(region, given["StackName"])
    if stack.root_id:
        raise invalid(f"RollbackUpdatedStack is not supported on nested stacks; use the root stack {stack.root_id}")
    if stack.status != "UPDATE_ROLLBACK_FAILED":
        raise invalid(
            f"Stack:{stack.id} is in {stack.status} state and can not continue its rollback; it must be in "
            "UPDATE_ROLLBACK_FAILED"
        )
    skip = frozenset(given.get("ResourcesToSkip", []))
    strange = sorted(skip - _failed_updates(service, stack))
    if strange:
        raise invalid(f"ResourcesToSkip must be resources in UPDATE_FAILED state, not [{', '.join(strange)}]")
    return _roll_back(service, stack, given, "CONTINUE", lambda: service.executor.undo_update(stack, USER, skip), {})


def _failed_updates(service: Service, root: Stack) -> set[str]:
    found = set()
    for stack in service.core.stacks():
        if root.id in (stack.id, stack.root_id):
            prefix = f"{stack.name}." if stack.parent_id else ""
            found |= {f"{prefix}{name}" for name, one in stack.resources.items() if one.status == "UPDATE_FAILED"}
    return found


def rollback_stack(service: Service, region: str, given: Json) -> Json:
    """Roll back what was left failed because its rollback was off."""
    stack = service.core.stack(region, given["StackName"])
    executor = service.executor
    stack.retain_except_on_create = given.get("RetainExceptOnCreate", False)
    creating = stack.status == "CREATE_FAILED"
    if not creating and stack.status != "UPDATE_FAILED":
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")

    def work() -> None:
        (executor.undo_creation if creating else executor.undo_update)(stack, USER)

    status = "ROLLBACK_IN_PROGRESS" if creating else "UPDATE_ROLLBACK_IN_PROGRESS"
    stack.disable_rollback = False
    answer = {"StackId": stack.id}
    return _roll_back(service, stack, given, "ROLLBACK", work, answer, status)


def _roll_back(
    service: Service,
    stack: Stack,
    given: Json,
    operation: str,
    work: Callable[[], None],
    answer: Json,
    status: str = "UPDATE_ROLLBACK_IN_PROGRESS",
) -> Json:
    operation_id = service.executor.log.begin(stack, operation, _token(given))
    service.executor.log.stack(stack, status, USER)
    service.core.start(work)
    return answer | ({"OperationId": operation_id} if answer else {})


def cancel_update_stack(service: Service, region: str, given: Json) -> Json:
    """Stop an update, which rolls back."""
    stack = service.core.stack(region, given["StackName"])
    if stack.root_id or stack.status != "UPDATE_IN_PROGRESS":
        raise invalid("CancelUpdateStack cannot be called from current stack status")
    stack.cancelled = True
    return {}


def update_termination_protection(service: Service, region: str, given: Json) -> Json:
    """Switch a root stack's termination protection."""
    stack = service.core.stack(region, given["StackName"])
    if stack.root_id:
        raise invalid(
            f"Cannot change the termination protection of nested stack {stack.name}; use its root stack {stack.root_id}"
        )
    stack.termination_protection = given["EnableTerminationProtection"]
    return {"StackId": stack.id}


def set_stack_policy(service: Service, region: str, given: Json) -> Json:
    """Set a stack's policy."""
    stack = service.core.stack(region, given["StackName"])
    if "StackPolicyBody" not in given:
        raise invalid("StackPolicyURL is not emulated; give StackPolicyBody")
    stack_policy.check(given["StackPolicyBody"])
    stack.policy = given["StackPolicyBody"]
    return {}


OPERATIONS: dict[str, Operation] = {
    "CancelUpdateStack": cancel_update_stack,
    "ContinueUpdateRollback": continue_update_rollback,
    "CreateStack": create_stack,
    "DeleteStack": delete_stack,
    "RollbackStack": rollback_stack,
    "SetStackPolicy": set_stack_policy,
    "UpdateStack": update_stack,
    "UpdateTerminationProtection": update_termination_protection,
}
