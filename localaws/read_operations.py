"""The operations that only tell."""

from __future__ import annotations

from localaws import quotas
from localaws.api_errors import invalid
from localaws.core import GONE
from localaws.parameters import shown
from localaws.service import Operation, Service, page, page_back, present, tag_list
from localaws.stacks import Event, Json, Resource, Stack
from localaws.template import load


# --- stacks ----------------------------------------------------------------------------------------------------------
def describe_stacks(service: Service, region: str, given: Json) -> Json:
    """One stack, or all that are not deleted."""
    core = service.core
    if "StackName" in given:
        return {"Stacks": [_stack(core.stack(region, given["StackName"]))]}
    alive = [one for one in core.stacks() if one.region == region and one.status != GONE]
    entries, following = page(list(reversed(alive)), given.get("NextToken"))
    return present(Stacks=[_stack(one) for one in entries], NextToken=following)


def _stack(one: Stack) -> Json:
    return present(
        StackId=one.id,
        StackName=one.name,
        ChangeSetId=one.change_set_id,
        Description=load(one.wanted.body).description,
        Parameters=shown(load(one.wanted.body), one.wanted.parameters) or None,
        CreationTime=one.created,
        DeletionTime=one.deleted,
        LastUpdatedTime=one.updated,
        RollbackConfiguration=one.wanted.rollback_configuration,
        StackStatus=one.status,
        StackStatusReason=one.reason,
        DisableRollback=one.disable_rollback,
        NotificationARNs=one.wanted.notification_arns,
        TimeoutInMinutes=one.timeout_minutes,
        Capabilities=one.wanted.capabilities or None,
        Outputs=one.outputs or None,
        RoleARN=one.wanted.role_arn,
        Tags=tag_list(one.wanted.tags),
        EnableTerminationProtection=one.termination_protection,
        ParentId=one.parent_id,
        RootId=one.root_id,
        DriftInformation=present(StackDriftStatus=one.drift, LastCheckTimestamp=one.drift_checked),
        RetainExceptOnCreate=one.retain_except_on_create,
        DeletionMode=one.deletion_mode,
        LastOperations=[{"OperationType": one.operation_type, "OperationId": one.operation_id}],
    )


def list_stacks(service: Service, region: str, given: Json) -> Json:
    """All stacks, deleted ones included."""
    wanted = given.get("StackStatusFilter", [])
    found = [one for one in service.core.stacks() if one.region == region]
    found = [one for one in reversed(found) if not wanted or one.status in wanted]
    entries, following = page(found, given.get("NextToken"))
    summaries = [
        present(
            StackId=one.id,
            StackName=one.name,
            TemplateDescription=load(one.wanted.body).description,
            CreationTime=one.created,
            LastUpdatedTime=one.updated,
            DeletionTime=one.deleted,
            StackStatus=one.status,
            StackStatusReason=one.reason,
            ParentId=one.parent_id,
            RootId=one.root_id,
            DriftInformation=present(StackDriftStatus=one.drift, LastCheckTimestamp=one.drift_checked),
        )
        for one in entries
    ]
    return present(StackSummaries=summaries, NextToken=following)


# --- resources -------------------------------------------------------------------------------------------------------
def _resource(stack: Stack, one: Resource, time: str) -> Json:
    return present(
        StackName=stack.name,
        StackId=stack.id,
        LogicalResourceId=one.logical_id,
        PhysicalResourceId=one.physical_id,
        ResourceType=one.type,
        ResourceStatus=one.status,
        ResourceStatusReason=one.reason,
        Description=one.body.get("Description"),
        DriftInformation=present(StackResourceDriftStatus=one.drift, LastCheckTimestamp=one.drift_checked),
        **{time: one.updated},
    )


def _one_resource(stack: Stack, logical_id: str) -> Resource:
    if logical_id not in stack.resources:
        raise invalid(f"Resource {logical_id} does not exist for stack {stack.name}")
    return stack.resources[logical_id]


def describe_stack_resource(service: Service, region: str, given: Json) -> Json:
    """One resource."""
    from localaws.events import compact

    stack = service.core.stack(region, given["StackName"])
    one = _one_resource(stack, given["LogicalResourceId"])
    detail = _resource(stack, one, "LastUpdatedTimestamp")
    if "Metadata" in one.body:
        detail["Metadata"] = compact(one.body["Metadata"])
    return {"StackResourceDetail": detail}


def describe_stack_resources(service: Service, region: str, given: Json) -> Json:
    """The resources of a stack, 100 at most, or of the stack that holds a physical id."""
    core = service.core
    if "StackName" in given:
        stack = core.stack(region, given["StackName"])
        names = [given["LogicalResourceId"]] if "LogicalResourceId" in given else list(stack.resources)
        found = [(stack, _one_resource(stack, name)) for name in names]
    else:
        physical_id = given.get("PhysicalResourceId")
        if physical_id is None:
            raise invalid("Either StackName or PhysicalResourceId must be specified")
        stacks = [one for one in core.stacks() if one.region == region and one.status != GONE]
        holders = [one for one in stacks if any(r.physical_id == physical_id for r in one.resources.values())]
        if not holders:
            raise invalid(f"Stack for {physical_id} does not exist")
        found = [(holders[0], resource) for resource in holders[0].resources.values()]
    return {"StackResources": [_resource(stack, one, "Timestamp") for stack, one in found[:100]]}


def list_stack_resources(service: Service, region: str, given: Json) -> Json:
    """The resources of a stack, page by page."""
    stack = service.core.stack(region, given["StackName"])
    entries, following = page(list(stack.resources.values()), given.get("NextToken"))
    summaries = []
    for one in entries:
        summary = _resource(stack, one, "LastUpdatedTimestamp")
        summaries.append({key: summary[key] for key in summary if key not in ("StackName", "StackId", "Description")})
    return present(StackResourceSummaries=summaries, NextToken=following)


# --- events ----------------------------------------------------------------------------------------------------------
def describe_stack_events(service: Service, region: str, given: Json) -> Json:
    """A stack's history, newest first."""
    stack = service.core.stack(region, given["StackName"])
    entries, following = page_back(stack.events, given.get("NextToken"))
    events = [{"StackId": stack.id, "StackName": stack.name} | _event(one) for one in entries]
    return present(StackEvents=events, NextToken=following)


def _event(one: Event) -> Json:
    return present(
        EventId=one.id,
        OperationId=one.operation_id,
        LogicalResourceId=one.logical_id,
        PhysicalResourceId=one.physical_id,
        ResourceType=one.type,
        Timestamp=one.time,
        ResourceStatus=one.status,
        ResourceStatusReason=one.reason,
        ResourceProperties=one.properties,
        ClientRequestToken=one.token,
        DetailedStatus=one.detailed_status,
    )


def describe_events(service: Service, region: str, given: Json) -> Json:
    """Events of one stack, change set or operation; an operation's reach over every stack of its tree.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeEvents.html
    """
    core = service.core
    found: list[tuple[str, Event]]
    if "ChangeSetName" in given:
        one = core.change_set(region, given["ChangeSetName"], given.get("StackName", ""))
        found = [(one.stack_id, event) for event in one.events]
    elif "StackName" in given:
        stack = core.stack(region, given["StackName"])
        found = [(stack.id, event) for event in stack.events]
    elif "OperationId" in given:
        everything = [
            *((stack.id, event) for stack in core.stacks() for event in stack.events),
            *((other.stack_id, event) for other in core.state.change_sets.values() for event in other.events),
        ]
        found = [entry for entry in everything if entry[1].operation_id == given["OperationId"]]
        found.sort(key=lambda entry: entry[1].time)
    else:
        raise invalid("One of ChangeSetName, OperationId or StackName must be specified")
    if "OperationId" in given:
        found = [entry for entry in found if entry[1].operation_id == given["OperationId"]]
    if given.get("Filters", {}).get("FailedEvents"):
        found = [entry for entry in found if entry[1].kind != "STACK_EVENT"]
    entries, following = page_back(found, given.get("NextToken"))
    events = [{"StackId": stack_id, "EventType": one.kind} | _event(one) | one.validation for stack_id, one in entries]
    return present(OperationEvents=events, NextToken=following)


# --- small things --------------------------------------------------------------------------------------------------
def get_stack_policy(service: Service, region: str, given: Json) -> Json:
    """A stack's policy."""
    return present(StackPolicyBody=service.core.stack(region, given["StackName"]).policy)


def list_exports(service: Service, region: str, given: Json) -> Json:  # noqa: ARG001 - every operation has this form
    """There are none: a template that exports is refused."""
    return {"Exports": []}


def describe_account_limits(service: Service, region: str, given: Json) -> Json:  # noqa: ARG001 - every operation has this form
    """The one limit that matters here."""
    return {"AccountLimits": [{"Name": "StackLimit", "Value": quotas.STACKS}]}


OPERATIONS: dict[str, Operation] = {
    "DescribeAccountLimits": describe_account_limits,
    "DescribeEvents": describe_events,
    "DescribeStackEvents": describe_stack_events,
    "DescribeStackResource": describe_stack_resource,
    "DescribeStackResources": describe_stack_resources,
    "DescribeStacks": describe_stacks,
    "GetStackPolicy": get_stack_policy,
    "ListExports": list_exports,
    "ListStackResources": list_stack_resources,
    "ListStacks": list_stacks,
}
