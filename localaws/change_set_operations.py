"""The operations on change sets."""

from __future__ import annotations

import uuid

from localaws.api_errors import ApiError, invalid
from localaws.changesets import (
    ONLY_FROM_ROOT,
    check_room,
    delete,
    listed_no_more,
    make_obsolete,
    mark_executed,
)
from localaws.core import Core
from localaws.parameters import shown
from localaws.requests import check_new_stack, refuse_unless_updatable, wanted
from localaws.service import Operation, Service, once, page, present, tag_list
from localaws.stack_operations import USER
from localaws.stacks import ChangeSet, Json, Stack, nothing
from localaws.template import load

_VALUES = ("Path", "BeforeValue", "AfterValue", "AttributeChangeType")
_CONTEXTS = ("BeforeContext", "AfterContext")


def create_change_set(service: Service, region: str, given: Json) -> Json:
    """Begin a change set; it is planned in the background."""
    core, name = service.core, given["ChangeSetName"]

    def answer() -> Json:
        kind = given.get("ChangeSetType", "UPDATE")
        if kind == "IMPORT":
            raise invalid("ChangeSetType IMPORT is not emulated")
        if kind == "UPDATE" and given.get("OnStackFailure") == "DELETE":
            raise invalid("OnStackFailure DELETE is only valid for change sets of type CREATE")
        stack = _stack_for(core, region, given["StackName"], name, kind)
        asked = wanted(core, given, stack if kind == "UPDATE" else None)
        if stack is None:
            check_new_stack(core, region, given["StackName"])
            stack = _shell(service, region, given["StackName"])
        check_room(core, stack)
        made = ChangeSet(
            id=core.change_set_id(region, name),
            name=name,
            stack_id=stack.id,
            stack_name=stack.name,
            region=region,
            type=kind,
            wanted=asked,
            created=core.clock.now(),
            description=given.get("Description", ""),
            token=given.get("ClientToken", ""),
            include_nested=given.get("IncludeNestedStacks", False),
            on_stack_failure=given.get("OnStackFailure", ""),
            operation_id=str(uuid.uuid4()),
            validate=not given.get("DisableValidation", False),
        )
        core.state.change_sets[made.id] = made
        core.start(lambda: service.builder.build(made))
        return {"Id": made.id, "StackId": stack.id}

    return once(
        service, region, given.get("ClientToken", ""), "CreateChangeSet", f"{given['StackName']}/{name}", answer
    )


def _stack_for(core: Core, region: str, stack_name: str, name: str, kind: str) -> Stack | None:
    """The stack that a change set is for; None where a new one is to be made."""
    stack = core.find(region, stack_name)
    if kind == "CREATE":
        if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
            raise invalid(
                f"Stack [{stack_name}] already exists and cannot be created again with the changeSet [{name}]."
            )
    elif stack is None:
        raise invalid(f"Stack [{stack_name}] does not exist")
    else:
        refuse_unless_updatable(stack)
    if stack is None:
        return None
    for other in core.change_sets(stack):
        if other.name == name and not listed_no_more(other):
            raise ApiError("AlreadyExistsException", f"ChangeSet [{name}] already exists for stack {stack.id}")
    return stack


def _shell(service: Service, region: str, name: str) -> Stack:
    core = service.core
    stack = Stack(core.stack_id(region, name), name, region, nothing(), core.clock.now())
    core.state.stacks[stack.id] = stack
    service.executor.log.begin(stack, "CREATE")
    service.executor.log.stack(stack, "REVIEW_IN_PROGRESS", USER)
    return stack


def _named(service: Service, region: str, given: Json) -> ChangeSet:
    return service.core.change_set(region, given["ChangeSetName"], given.get("StackName", ""))


def describe_change_set(service: Service, region: str, given: Json) -> Json:
    """A change set, a page of its changes."""
    one = _named(service, region, given)
    changes, following = page(one.changes, given.get("NextToken"))
    values = given.get("IncludePropertyValues", False)
    return present(
        ChangeSetName=one.name,
        ChangeSetId=one.id,
        StackId=one.stack_id,
        StackName=one.stack_name,
        Description=one.description,
        Parameters=shown(load(one.wanted.body), one.wanted.parameters),
        CreationTime=one.created,
        ExecutionStatus=one.execution_status,
        Status=one.status,
        StatusReason=one.reason,
        NotificationARNs=one.wanted.notification_arns,
        RollbackConfiguration=one.wanted.rollback_configuration,
        Capabilities=one.wanted.capabilities,
        Tags=tag_list(one.wanted.tags),
        Changes=[{"Type": "Resource", "ResourceChange": change if values else _bare(change)} for change in changes],
        NextToken=following,
        IncludeNestedStacks=one.include_nested,
        ParentChangeSetId=one.parent_id,
        RootChangeSetId=one.root_id,
        OnStackFailure=one.on_stack_failure,
    )


def _bare(change: Json) -> Json:
    """A change without values: one detail for each property and cause, not for each place in it."""
    details: list[Json] = []
    for detail in change["Details"]:
        target = {name: value for name, value in detail["Target"].items() if name not in _VALUES}
        bare = {**detail, "Target": target}
        if bare not in details:
            details.append(bare)
    return {name: value for name, value in change.items() if name not in _CONTEXTS} | {"Details": details}


def list_change_sets(service: Service, region: str, given: Json) -> Json:
    """The change sets of a stack that were not carried out, nor deleted."""
    stack = service.core.stack(region, given["StackName"])
    found = service.core.change_sets(stack)
    entries, following = page([one for one in found if not listed_no_more(one)], given.get("NextToken"))
    summaries = [
        present(
            StackId=one.stack_id,
            StackName=one.stack_name,
            ChangeSetId=one.id,
            ChangeSetName=one.name,
            ExecutionStatus=one.execution_status,
            Status=one.status,
            StatusReason=one.reason,
            CreationTime=one.created,
            Description=one.description,
            IncludeNestedStacks=one.include_nested,
            ParentChangeSetId=one.parent_id,
            RootChangeSetId=one.root_id,
        )
        for one in entries
    ]
    return present(Summaries=summaries, NextToken=following)


def delete_change_set(service: Service, region: str, given: Json) -> Json:
    """Delete one with those below it; one that is not there counts as deleted."""
    try:
        one = _named(service, region, given)
    except ApiError as missing:
        if missing.code == "ChangeSetNotFound":
            return {}
        raise
    if one.parent_id:
        raise _wrong_status(f"ChangeSet [{one.id}] can only be deleted from the root change set {one.root_id}.")
    if one.execution_status.startswith("EXECUTE_") or one.status in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
        status = one.execution_status if one.execution_status.startswith("EXECUTE_") else one.status
        raise _wrong_status(f"ChangeSet [{one.id}] cannot be deleted in its current status of [{status}]")
    delete(service.core, service.executor.log, one)
    return {}


def _wrong_status(message: str) -> ApiError:
    return ApiError("InvalidChangeSetStatus", message)


def execute_change_set(service: Service, region: str, given: Json) -> Json:
    """Begin to carry one out."""
    core = service.core

    def answer() -> Json:
        one = _named(service, region, given)
        stack = core.state.stacks[one.stack_id]
        _refuse_execution(one, stack, given)
        mark_executed(core, one, "EXECUTE_IN_PROGRESS")
        make_obsolete(core, stack, one)
        stack.change_set_id = stack.executing = one.id
        stack.disable_rollback = given.get("DisableRollback", False) or one.on_stack_failure == "DO_NOTHING"
        stack.on_failure = one.on_stack_failure or "ROLLBACK"
        stack.retain_except_on_create = given.get("RetainExceptOnCreate", False)
        creating = one.type == "CREATE"
        log = service.executor.log
        log.begin(stack, "CREATE" if creating else "UPDATE", given.get("ClientRequestToken", ""))
        if creating:
            stack.wanted = one.wanted
            log.stack(stack, "CREATE_IN_PROGRESS", USER)
        else:
            service.executor.open_update(stack, one.wanted, USER)

        def work() -> None:
            failure = service.executor.create(stack) if creating else service.executor.update(stack)
            mark_executed(core, one, "EXECUTE_FAILED" if failure else "EXECUTE_COMPLETE")

        core.start(work)
        return {}

    subject = f"{given.get('StackName', '')}/{given['ChangeSetName']}"
    return once(service, region, given.get("ClientRequestToken", ""), "ExecuteChangeSet", subject, answer)


def _refuse_execution(one: ChangeSet, stack: Stack, given: Json) -> None:
    if one.parent_id:
        raise _wrong_status(f"ChangeSet [{one.id}] cannot be executed: {ONLY_FROM_ROOT}")
    if one.status != "CREATE_COMPLETE":
        raise _wrong_status(f"ChangeSet [{one.id}] cannot be executed in its current status of [{one.status}]")
    if one.execution_status != "AVAILABLE":
        raise _wrong_status(
            f"ChangeSet [{one.id}] cannot be executed in its current execution status of [{one.execution_status}]"
        )
    if "DisableRollback" in given and one.on_stack_failure:
        raise invalid("DisableRollback cannot be specified with a change set that has OnStackFailure")
    if one.type == "UPDATE":
        refuse_unless_updatable(stack)


OPERATIONS: dict[str, Operation] = {
    "CreateChangeSet": create_change_set,
    "DeleteChangeSet": delete_change_set,
    "DescribeChangeSet": describe_change_set,
    "ExecuteChangeSet": execute_change_set,
    "ListChangeSets": list_change_sets,
}
