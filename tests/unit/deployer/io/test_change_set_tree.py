"""Reading the change sets of a tree: races, pages, what AWS leaves out, whose failure it is."""

from __future__ import annotations

import pytest

from deployer.change_set_convert import property_change, resource_change
from deployer.change_set_tree import read_tree
from deployer.changes import Outcome, PropertyChange
from deployer.errors import AwsError, ChangeSetError

UNCHANGED = "The submitted information didn't contain changes. Submit different information to create a change set."
NO_UPDATES = "No updates are to be performed."
NESTED = "AWS::CloudFormation::Stack"
TIERS = {"Database": "database", "LoadBalancer": "load_balancer", "Network": "network"}
KNOWN_AFTER = "{{changeSet:KNOWN_AFTER_APPLY}}"


def arn(name):
    return f"arn:aws:cloudformation:us-east-1:123456789012:changeSet/{name}/0a1b"


def change(logical_id, kind="AWS::SNS::Topic", action="Modify", **more):
    return {"LogicalResourceId": logical_id, "ResourceType": kind, "Action": action} | more


def nested(logical_id, action="Modify"):
    return change(logical_id, NESTED, action, ChangeSetId=arn(logical_id), Replacement="False")


def answer(name, status="CREATE_COMPLETE", changes=(), reason="", token=""):
    return (
        {
            "ChangeSetId": arn(name),
            "StackId": f"id-{name}",
            "StackName": f"stack-{name}",
            "Status": status,
            "Changes": [{"Type": "Resource", "ResourceChange": item} for item in changes],
        }
        | ({"StatusReason": reason} if reason else {})
        | ({"NextToken": token} if token else {})
    )


@pytest.fixture
def told(script):
    """Script one change set: both forms and its early validation."""

    def tell(name, status="CREATE_COMPLETE", changes=(), reason="", plain=None, events=()):
        both = {"ChangeSetName": arn(name)}
        script("describe_change_set", answer(name, status, changes, reason), IncludePropertyValues=True, **both)
        without = answer(name, status, changes if plain is None else plain, reason)
        script("describe_change_set", without, IncludePropertyValues=False, **both)
        script("describe_events", {"OperationEvents": list(events)}, Filters={"FailedEvents": True}, **both)

    return tell


@pytest.fixture
def unchanged(script):
    """Script an unchanged change set: one call must do."""

    def tell(name, reason=UNCHANGED):
        script(
            "describe_change_set",
            answer(name, "FAILED", reason=reason),
            ChangeSetName=arn(name),
            IncludePropertyValues=True,
        )

    return tell


def read(script, **more):
    return read_tree(script.aws, arn("root"), TIERS, clock=script.clock, **more)


def event(name="NAME_CONFLICT_VALIDATION", mode="FAIL", reason="taken", logical_id="Topic", **more):
    return (
        {
            "EventId": "e",
            "EventType": "VALIDATION_ERROR",
            "ValidationName": name,
            "ValidationFailureMode": mode,
            "ValidationStatus": "FAILED",
            "ValidationStatusReason": reason,
        }
        | ({"LogicalResourceId": logical_id} if logical_id else {})
        | more
    )


# --- classification ---------------------------------------------------------------------------------------------------
def test_a_tree_with_changed_and_unchanged_and_new_nested_stacks(script, told, unchanged):
    told("root", changes=[nested("Database"), nested("LoadBalancer"), nested("Network", "Add")])
    told(
        "Database",
        changes=[change("Cluster", "AWS::RDS::DBCluster", Replacement="True", PolicyAction="ReplaceAndSnapshot")],
    )
    unchanged("LoadBalancer")
    told("Network", changes=[change("Vpc", "AWS::EC2::VPC", "Add")])
    tree = read(script)
    assert [(c.tier, c.outcome, c.change_set_type) for c in tree.walk()] == [
        ("root", Outcome.CHANGED, "UPDATE"),
        ("database", Outcome.CHANGED, "UPDATE"),
        ("load_balancer", Outcome.UNCHANGED, "UPDATE"),
        ("network", Outcome.CHANGED, "CREATE"),
    ]
    assert (tree.arn, tree.stack_id, tree.stack_name, tree.cause) == (arn("root"), "id-root", "stack-root", "")
    (cluster,) = tree.changes[0].child.changes
    assert (cluster.address, cluster.replacement, cluster.policy_action) == (
        "database.Cluster",
        "True",
        "ReplaceAndSnapshot",
    )


@pytest.mark.parametrize("reason", [UNCHANGED, NO_UPDATES])
def test_no_change_at_all_costs_one_call(script, unchanged, reason):
    unchanged("root", reason)
    tree = read(script)
    assert (tree.outcome, tree.changes, tree.cause) == (Outcome.UNCHANGED, (), "")
    assert len(script.calls) == 1


def test_outputs_alone_are_a_change(script, told):
    told("root")
    assert read(script).outcome is Outcome.CHANGED


def test_the_kind_of_the_root_is_told(script, told):
    told("root", changes=[change("Topic", action="Add")])
    assert read(script, kind="CREATE").change_set_type == "CREATE"


def test_a_nested_failure_has_its_own_cause_and_the_root_names_whose_it_is(script, told, unchanged):
    useless = f"Nested change set {arn('Database')} was not successfully created: Currently in FAILED."
    told("root", "FAILED", [nested("Database"), nested("LoadBalancer"), nested("Network")], useless)
    told(
        "Database",
        "FAILED",
        [change("Cluster", "AWS::RDS::DBCluster")],
        "Template error: Fn::Select cannot select nonexistent value",
    )
    unchanged("LoadBalancer")
    told("Network", changes=[change("Vpc", "AWS::EC2::VPC")], reason="Only executable from the root change set.")
    tree = read(script)
    assert {c.tier: (c.outcome, c.cause) for c in tree.walk()} == {
        "root": (Outcome.FAILED, "the change set of database failed"),
        "database": (Outcome.FAILED, "Template error: Fn::Select cannot select nonexistent value"),
        "load_balancer": (Outcome.UNCHANGED, ""),
        "network": (Outcome.CHANGED, ""),
    }


def test_a_root_that_fails_by_itself_keeps_its_reason(script, told):
    told("root", "FAILED", [nested("Database")], "Transform failed")
    told("Database", changes=[change("Cluster")])
    assert read(script).cause == "Transform failed"


def test_a_failure_without_a_reason(script, told):
    told("root", "FAILED")
    assert read(script).cause == "AWS gives no reason (FAILED)"


# --- races ------------------------------------------------------------------------------------------------------------
def test_each_is_polled_to_its_own_end_even_when_the_root_has_failed_at_once(script, told):
    useless = f"Nested change set {arn('Database')} was not successfully created: Currently in FAILED."
    told("root", "FAILED", [nested("Database"), nested("Network")], useless)
    told("Database", "FAILED", reason="no such parameter")
    for status in ("CREATE_PENDING", "CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS"):
        script("describe_change_set", answer("Network", status), ChangeSetName=arn("Network"))
    told("Network", changes=[change("Vpc")])
    tree = read(script)
    assert [c.outcome for c in tree.walk()] == [Outcome.FAILED, Outcome.FAILED, Outcome.CHANGED]
    assert script.sleeps == [0.5, 0.75, 1.125]


def test_polls_back_off_to_five_seconds_and_end(script):
    script("describe_change_set", answer("root", "CREATE_IN_PROGRESS"), times=None)
    with pytest.raises(ChangeSetError, match="still CREATE_IN_PROGRESS after 30 minutes"):
        read(script)
    assert max(script.sleeps) == 5.0
    assert sum(script.sleeps) == pytest.approx(1800)
    assert len(script.calls) < 400


def test_a_change_set_that_is_deleted_while_it_is_read(script):
    script("describe_change_set", answer("root", "CREATE_IN_PROGRESS"))
    script.fail("describe_change_set", "ChangeSetNotFound", status=404)
    with pytest.raises(ChangeSetError, match="was deleted while it was read"):
        read(script)


def test_a_refused_call_is_told(script):
    script.fail("describe_change_set", "ExpiredToken", "expired", status=403)
    with pytest.raises(AwsError, match=r"cannot describe change set .*: the credentials have expired") as error:
        read(script)
    assert "aws sso login" in error.value.hint


# --- pages, and what AWS leaves out -----------------------------------------------------------------------------------
def test_every_page_of_both_forms(script):
    for values in (True, False):
        both = {"ChangeSetName": arn("root"), "IncludePropertyValues": values}
        script("describe_change_set", answer("root", changes=[change("A")], token="2"), **both)
        script("describe_change_set", answer("root", changes=[change("B")], token="3"), NextToken="2", **both)
        script("describe_change_set", answer("root", changes=[change("C")]), NextToken="3", **both)
    script("describe_events", {"OperationEvents": []})
    assert [c.logical_id for c in read(script).changes] == ["A", "B", "C"]


def test_what_the_form_with_values_leaves_out_is_found(script, told):
    warning = "[WARN] --include-property-values option can return incomplete ChangeSet data"
    rich = {
        "Target": {
            "Attribute": "Properties",
            "Name": "Tags",
            "Path": "/Properties/Tags/0",
            "BeforeValue": "a",
            "AfterValue": "b",
        }
    }
    plain = {"Target": {"Attribute": "Properties", "Name": "Tags"}}
    only_plain = {
        "Target": {"Attribute": "Properties", "Name": "Engine", "RequiresRecreation": "Always"},
        "ChangeSource": "ParameterReference",
    }
    told(
        "root",
        reason=warning,
        changes=[change("Kept", Details=[rich], Scope=["Tags"], Replacement="False", AfterContext="{}")],
        plain=[
            change("Kept", Details=[plain, only_plain], Scope=["Properties", "Tags"], Replacement="Conditional"),
            change("Dropped", "AWS::RDS::DBCluster", Replacement="True"),
        ],
    )
    kept, dropped = read(script).changes
    assert (dropped.logical_id, dropped.replacement) == ("Dropped", "True")
    assert [(d.path, d.before, d.after) for d in kept.details] == [("Tags/0", "a", "b"), ("Engine", None, None)]
    assert (kept.replacement, kept.scope, kept.after) == ("Conditional", ("Tags", "Properties"), "{}")


@pytest.mark.parametrize(
    ("rich", "plain", "told_"),
    [("Conditional", "True", "True"), ("True", "False", "True"), ("False", "Conditional", "Conditional")],
)
def test_of_two_replacements_the_graver_counts(script, told, rich, plain, told_):
    told("root", changes=[change("Cluster", Replacement=rich)], plain=[change("Cluster", Replacement=plain)])
    assert read(script).changes[0].replacement == told_


def test_a_nested_stack_that_only_the_plain_form_names_is_walked(script, told):
    told("root", plain=[nested("Database")])
    told("Database", changes=[change("Cluster")])
    assert [c.address for c in read(script).resource_changes()] == ["root.Database", "database.Cluster"]


def test_a_resource_that_only_the_form_with_values_names_stays(script, told):
    told("root", changes=[change("A", Replacement="True")], plain=[])
    assert [(c.logical_id, c.replacement) for c in read(script).changes] == [("A", "True")]


def test_a_removed_nested_stack_has_no_change_set_of_its_own(script, told):
    told("root", changes=[change("Old", NESTED, "Remove", PolicyAction="Delete")])
    (removed,) = read(script).changes
    assert (removed.child, removed.policy_action) == (None, "Delete")


def test_tiers_that_the_build_does_not_know_are_named_by_the_same_rule(script, told):
    told("root", changes=[nested("DataLake")])
    told("DataLake", changes=[nested("Database")])
    told("Database", changes=[change("Cluster")])
    assert [c.tier for c in read(script).walk()] == ["root", "data_lake", "data_lake.database"]


# --- early validation -------------------------------------------------------------------------------------------------
def test_warnings_stand_at_their_resource_or_at_the_change_set(script, told):
    told(
        "root",
        changes=[change("Bucket", "AWS::S3::Bucket", "Remove")],
        events=[
            event("BUCKET_EMPTINESS_VALIDATION", "WARN", "not empty", "Bucket", ValidationPath="/Resources/Bucket"),
            event("SERVICE_QUOTA_VALIDATION", "WARN", "too many", ""),
            event("CONFIG_RECORDER_VALIDATION", "WARN", "exists", "Recorder", ValidationStatus="SKIPPED"),
            {"EventId": "x", "EventType": "STACK_EVENT", "LogicalResourceId": "Bucket"},
        ],
    )
    tree = read(script)
    assert tree.changes[0].warnings == ("BUCKET_EMPTINESS_VALIDATION: not empty (at /Resources/Bucket)",)
    assert tree.warnings == (
        "SERVICE_QUOTA_VALIDATION: too many",
        "Recorder: CONFIG_RECORDER_VALIDATION: was skipped: exists",
    )
    assert tree.outcome is Outcome.CHANGED


def test_a_failed_validation_is_the_cause(script, told):
    told(
        "root",
        "FAILED",
        [nested("Database")],
        f"Nested change set {arn('Database')} was not successfully created: Currently in FAILED.",
    )
    told(
        "Database",
        "FAILED",
        [change("Topic")],
        "The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck].",
        events=[
            event(),
            event("PROPERTY_VALIDATION", reason="", logical_id="", ResourceStatusReason="bad"),
            event(mode="WARN", reason="w"),
        ],
    )
    root, database = read(script).walk()
    assert database.cause == "Topic: NAME_CONFLICT_VALIDATION: taken; PROPERTY_VALIDATION: bad"
    assert root.cause == "the change set of database failed"


def test_a_validation_failure_whose_events_say_nothing_keeps_the_reason(script, told):
    told(
        "root",
        "FAILED",
        reason="[AWS::EarlyValidation::PropertyValidation] failed",
        events=[event(mode="WARN", reason="w")],
    )
    assert read(script).cause == "[AWS::EarlyValidation::PropertyValidation] failed"


def test_events_of_every_page(script):
    for values in (True, False):
        script("describe_change_set", answer("root"), IncludePropertyValues=values)
    script("describe_events", {"OperationEvents": [event(mode="WARN", logical_id="", reason="1")], "NextToken": "2"})
    script("describe_events", {"OperationEvents": [event(mode="WARN", logical_id="", reason="")]}, NextToken="2")
    assert read(script).warnings == (
        "NAME_CONFLICT_VALIDATION: 1",
        "NAME_CONFLICT_VALIDATION: AWS gives no reason",
    )


@pytest.mark.parametrize(
    ("code", "status"),
    [("AccessDenied", 403), ("InvalidAction", 400), ("InternalFailure", 500)],
    ids=["denied", "old", "broken"],
)
def test_findings_that_cannot_be_had_cost_a_warning_and_one_call(script, code, status):
    for name, changes in (("root", [nested("Database")]), ("Database", [change("Cluster")])):
        for values in (True, False):
            script(
                "describe_change_set",
                answer(name, changes=changes),
                ChangeSetName=arn(name),
                IncludePropertyValues=values,
            )
    script.fail("describe_events", code, "no", status=status)
    root, database = read(script).walk()
    assert root.outcome is Outcome.CHANGED
    assert (len(root.warnings), database.warnings) == (1, ())
    assert "early validation: its warnings, if there are any, cannot be read" in root.warnings[0]


# --- one change, one property -----------------------------------------------------------------------------------------
def test_a_property_with_everything():
    detail = {
        "Target": {
            "Attribute": "Properties",
            "Name": "VpcConfig",
            "Path": "/Properties/VpcConfig/SubnetIds/0",
            "RequiresRecreation": "Conditionally",
            "BeforeValue": "subnet-1",
            "AfterValue": "subnet-2",
            "AttributeChangeType": "Add",
        },
        "Evaluation": "Dynamic",
        "ChangeSource": "ResourceAttribute",
        "CausingEntity": "Vpc.CidrBlock",
    }
    assert property_change(detail) == PropertyChange(
        "Properties",
        "VpcConfig/SubnetIds/0",
        "Add",
        "subnet-1",
        "subnet-2",
        "Conditionally",
        "Dynamic",
        "ResourceAttribute",
        "Vpc.CidrBlock",
    )


@pytest.mark.parametrize(
    ("target", "path", "name"),
    [
        ({"Attribute": "Properties", "Name": "Engine"}, "Engine", "Engine"),
        ({"Attribute": "Tags"}, "", ""),
        ({"Attribute": "DeletionPolicy", "Path": "/DeletionPolicy"}, "", ""),
        ({}, "", ""),
    ],
)
def test_paths(target, path, name):
    made = property_change({"Target": target})
    assert (made.path, made.name, made.change, made.requires_recreation, made.evaluation) == (
        path,
        name,
        "Modify",
        "Never",
        "Static",
    )


@pytest.mark.parametrize(
    ("after", "told", "known"),
    [
        (KNOWN_AFTER, None, False),
        (f'["{KNOWN_AFTER}","b"]', f'["{KNOWN_AFTER}","b"]', False),
        ("b", "b", True),
        (None, None, True),
    ],
)
def test_values_that_aws_knows_only_afterwards(after, told, known):
    target = {"Attribute": "Properties", "Name": "VpcId"} | ({} if after is None else {"AfterValue": after})
    made = property_change({"Target": target})
    assert (made.after, made.after_known) == (told, known)


def test_a_change_with_nothing_but_what_must_be():
    made = resource_change(change("Topic", action="Dynamic"), "monitoring", (), None)
    assert (made.address, made.action, made.physical_id, made.replacement, made.policy_action) == (
        "monitoring.Topic",
        "Dynamic",
        "",
        "",
        "",
    )
    assert (made.scope, made.details, made.before, made.after) == ((), (), None, None)
