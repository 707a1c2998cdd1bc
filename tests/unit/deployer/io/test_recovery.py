"""States from which nothing can be deployed until a person, or an empty stack's deletion, decides."""

from __future__ import annotations

import pytest

from deployer.errors import AwsError, StackStateError
from deployer.recovery import continue_rollback, explain, make_ready
from deployer.stacks import describe_stack

NESTED = "AWS::CloudFormation::Stack"


@pytest.fixture
def state(script, stack):
    def make(status, **more):
        script("describe_stacks", {"Stacks": [stack(status, **more)]}, StackName="payments-dev")
        return describe_stack(script.aws, "payments-dev")

    return make


@pytest.fixture
def holds(script, stack_arn):
    """Script the resources of a stack."""

    def tell(name, *resources):
        script("list_stack_resources", {"StackResourceSummaries": list(resources)}, StackName=stack_arn(name))

    return tell


def ready(script, state, *, durable=False, said=None):
    return make_ready(
        script.aws, state, durable=durable, say=(said if said is not None else []).append, clock=script.clock
    )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("REVIEW_IN_PROGRESS", "CREATE"),
        ("CREATE_COMPLETE", "UPDATE"),
        ("UPDATE_ROLLBACK_COMPLETE", "UPDATE"),
        ("UPDATE_FAILED", "UPDATE"),
    ],
)
def test_what_a_stack_can_take(script, state, status, kind):
    assert ready(script, state(status)) == kind
    assert len(script.calls) == 1


def test_a_missing_stack_is_created(script):
    assert ready(script, None) == "CREATE"


def test_a_nested_stack_is_not_deployed_to(script, state, stack_arn):
    nested = state("UPDATE_COMPLETE", ParentId=stack_arn("root"), RootId=stack_arn("root"))
    with pytest.raises(StackStateError, match="is nested in arn:.*root") as error:
        ready(script, nested)
    assert "deploy the root" in error.value.hint


# --- a creation that was rolled back ----------------------------------------------------------------------------------
@pytest.fixture
def emptied(holds, resource, stack_arn):
    holds(
        "payments-dev",
        resource("Database", NESTED, "DELETE_COMPLETE", stack_arn("db")),
        resource("Begun", NESTED, "DELETE_COMPLETE", ""),
    )
    holds("db", resource("Cluster", "AWS::RDS::DBCluster", "DELETE_COMPLETE"))


def test_an_empty_one_of_a_disposable_environment_is_deleted(script, stack, state, emptied, stack_arn):
    said = []
    script("delete_stack", {}, StackName=stack_arn("payments-dev"))
    script("describe_stacks", {"Stacks": [stack("DELETE_COMPLETE")]}, StackName=stack_arn("payments-dev"))
    assert ready(script, state("ROLLBACK_COMPLETE"), said=said) == "CREATE"
    assert said == ["stack payments-dev: its creation was rolled back and it holds nothing; deleting it"]


def test_a_durable_environment_decides_itself(script, state, emptied):
    with pytest.raises(StackStateError, match="ROLLBACK_COMPLETE: its creation failed") as error:
        ready(script, state("ROLLBACK_COMPLETE", EnableTerminationProtection=True), durable=True)
    assert error.value.hint == (
        "aws cloudformation update-termination-protection --stack-name payments-dev --no-enable-termination-protection, "
        "then aws cloudformation delete-stack --stack-name payments-dev, then run the command again"
    )
    assert script.count("delete_stack") == 0


def test_what_was_retained_is_named_and_nothing_is_deleted(script, state, holds, resource, stack_arn):
    holds("payments-dev", resource("Database", NESTED, "DELETE_COMPLETE", stack_arn("db")))
    holds("db", resource("ApplicationSecret", "AWS::SecretsManager::Secret", "DELETE_SKIPPED", "arn:secret"))
    with pytest.raises(StackStateError) as error:
        ready(script, state("ROLLBACK_COMPLETE"))
    assert error.value.problems[1] == (
        "what remains of it: database.ApplicationSecret (AWS::SecretsManager::Secret, arn:secret) is DELETE_SKIPPED: "
        "AWS gives no reason"
    )
    assert "keeps its name" in error.value.hint
    assert script.count("delete_stack") == 0


# --- rollbacks and deletions that failed ------------------------------------------------------------------------------
@pytest.fixture
def stuck(holds, resource, stack_arn):
    holds(
        "payments-dev",
        resource("LoadBalancer", NESTED, "UPDATE_FAILED", stack_arn("payments-dev-LoadBalancer-1A"), "nested failed"),
        resource("Network", NESTED, "UPDATE_COMPLETE", stack_arn("net")),
        resource("Topic", status="UPDATE_FAILED", physical_id="", reason="denied"),
    )
    holds(
        "payments-dev-LoadBalancer-1A",
        resource(
            "HttpsListener",
            "AWS::ElasticLoadBalancingV2::Listener",
            "UPDATE_FAILED",
            "arn:listener",
            "certificate gone",
        ),
        resource("WebAcl", "AWS::WAFv2::WebACL", "UPDATE_COMPLETE"),
    )


STUCK = [
    "load_balancer.HttpsListener (AWS::ElasticLoadBalancingV2::Listener, arn:listener) is UPDATE_FAILED: certificate gone",
    "root.Topic (AWS::SNS::Topic) is UPDATE_FAILED: denied",
]


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        ("UPDATE_ROLLBACK_FAILED", "--continue-rollback"),
        ("DELETE_FAILED", "deploy.py destroy"),
        ("ROLLBACK_FAILED", "aws cloudformation delete-stack --stack-name payments-dev"),
        ("IMPORT_ROLLBACK_FAILED", "describe-stack-events"),
    ],
)
def test_each_failed_state_names_what_is_in_the_way(script, state, stuck, status, hint):
    with pytest.raises(StackStateError) as error:
        ready(script, state(status, StackStatusReason="because"))
    assert error.value.problems == [f"stack payments-dev is {status}: because", *STUCK]
    assert hint in error.value.hint


def test_a_nested_stack_that_names_nothing_in_it_is_named_itself(script, state, holds, resource, stack_arn):
    holds("payments-dev", resource("Database", NESTED, "UPDATE_FAILED", stack_arn("db"), "cancelled"))
    holds("db", resource("Inner", NESTED, "UPDATE_FAILED", stack_arn("inner"), "why"))
    holds("inner")
    error = explain(script.aws, state("UPDATE_ROLLBACK_FAILED"))
    assert error.problems[1].startswith("database.Inner (AWS::CloudFormation::Stack, arn:")


def test_deeper_resources_have_the_path_in_their_address(script, state, holds, resource, stack_arn):
    holds("payments-dev", resource("Database", NESTED, "DELETE_FAILED", stack_arn("db")))
    holds("db", resource("DataLake", NESTED, "DELETE_FAILED", stack_arn("lake")))
    holds("lake", resource("Bucket", "AWS::S3::Bucket", "DELETE_FAILED", "b", "not empty"))
    error = explain(script.aws, state("DELETE_FAILED"))
    assert error.problems[1:] == ["database.data_lake.Bucket (AWS::S3::Bucket, b) is DELETE_FAILED: not empty"]


# --- continue ---------------------------------------------------------------------------------------------------------
def test_a_rollback_is_continued_without_skipping_anything(script, state, stuck, stack_arn):
    script("continue_update_rollback", {}, StackName=stack_arn("payments-dev"), ResourcesToSkip=[])
    failed = continue_rollback(script.aws, state("UPDATE_ROLLBACK_FAILED"))
    assert [str(resource) for resource in failed] == STUCK


def test_what_is_named_is_skipped_by_the_nested_stacks_own_name(script, state, stuck):
    script("continue_update_rollback", {}, ResourcesToSkip=["payments-dev-LoadBalancer-1A.HttpsListener", "Topic"])
    continue_rollback(
        script.aws, state("UPDATE_ROLLBACK_FAILED"), ["load_balancer.HttpsListener", "root.Topic", "root.Topic"]
    )


def test_nothing_else_can_be_skipped(script, state, stuck):
    with pytest.raises(StackStateError, match="load_balancer.WebAcl: not among the resources") as error:
        continue_rollback(script.aws, state("UPDATE_ROLLBACK_FAILED"), ["root.Topic", "load_balancer.WebAcl"])
    assert error.value.hint == "they are: load_balancer.HttpsListener, root.Topic"
    assert script.count("continue_update_rollback") == 0


def test_skipping_where_aws_names_nothing(script, state, holds):
    holds("payments-dev")
    with pytest.raises(StackStateError) as error:
        continue_rollback(script.aws, state("UPDATE_ROLLBACK_FAILED"), ["root.Topic"])
    assert error.value.hint == "they are: none that AWS names"


def test_there_must_be_a_rollback_to_continue(script, state):
    with pytest.raises(StackStateError, match="UPDATE_COMPLETE: there is no rollback to continue"):
        continue_rollback(script.aws, state("UPDATE_COMPLETE"))


def test_a_continuation_that_is_refused(script, state, stuck):
    script.fail("continue_update_rollback", "ValidationError", "Resources [X] must be in UPDATE_FAILED")
    with pytest.raises(
        AwsError, match="cannot continue the rollback of stack payments-dev: .*must be in UPDATE_FAILED"
    ):
        continue_rollback(script.aws, state("UPDATE_ROLLBACK_FAILED"))
