"""Follow and execute: to the end, whatever the network, AWS and the person do meanwhile."""

from __future__ import annotations

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from deployer.errors import AwsError, BusyError, ChangeSetError, StaleReviewError
from deployer.execution.execute import execute
from deployer.execution.follow import Watch, follow, past_operation
from deployer.execution.interruption import StoppedWatchingError
from deployer.execution.start import request_token
from deployer.stacks import describe_stack

RESUME = "python deploy.py status --env dev"
DROPPED = EndpointConnectionError(endpoint_url="https://cloudformation")
THROTTLED = ("Throttling", "Rate exceeded", 400)
EXPIRED = ("ExpiredToken", "The security token included in the request is expired", 403)


@pytest.fixture
def run(world, time, recorder, names):
    """Execute the change set of a stack whose update began at second 1."""

    def call(**more):
        aws = world.aws(more.pop("endpoint", None))
        stack = describe_stack(aws, names.root)
        world.calls.clear()
        settings = {"expected": {}, "say": recorder, "resume": RESUME, "clock": time.clock()} | more
        return execute(aws, stack, names.change_set, **settings)

    return call


def update(world, end=10, last="UPDATE_COMPLETE"):
    world.tell(-90, "CREATE_IN_PROGRESS")
    world.tell(-80, "CREATE_COMPLETE")
    world.tell(1, "UPDATE_IN_PROGRESS", reason="User Initiated")
    world.nested(2, "UPDATE_IN_PROGRESS", "Network")
    world.inside(2, "UPDATE_IN_PROGRESS", "Network")
    world.inside(3, "UPDATE_IN_PROGRESS", "Network", "Vpc", physical_id="vpc-1")
    world.inside(5, "UPDATE_COMPLETE", "Network", "Vpc", physical_id="vpc-1")
    world.inside(6, "UPDATE_COMPLETE", "Network")
    world.nested(7, "UPDATE_COMPLETE", "Network")
    world.tell(8, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    world.tell(end, last)


def test_an_update_is_executed_once_and_followed_to_the_end_of_its_cleanup(world, run, recorder, names, time):
    update(world)
    result = run(expected={"network": 1})
    assert (result.status, result.succeeded, result.resources, result.seconds) == ("UPDATE_COMPLETE", True, 1, 9)
    assert result.failures == result.blocked == result.orphans == ()
    assert result.stack.status.text == "UPDATE_COMPLETE"
    executed = [params for name, params in world.calls if name == "ExecuteChangeSet"]
    assert executed == [
        {"ChangeSetName": names.change_set, "ClientRequestToken": request_token(names.change_set), "DisableRollback": False}
    ]  # fmt: skip
    assert request_token(names.change_set) == "deploy-11111111-2222-4333-8444-555555555555"
    # Nothing of the creation before, everything of the update, in order.
    assert [event.at - names.epoch for event in recorder.events] == [1, 2, 2, 3, 5, 6, 7, 8, 10]
    assert len(recorder.closed) == 1
    assert recorder.ticks > 10
    assert 10 <= time.now < 17


def test_rollback_can_be_switched_off(world, run):
    update(world)
    run(disable_rollback=True)
    assert next(params for name, params in world.calls if name == "ExecuteChangeSet")["DisableRollback"] is True


def test_polls_are_few_where_nothing_happens_and_quick_on_loopback(world, run, time):
    update(world, end=300)
    run()
    far = world.count_of("DescribeStackEvents")
    assert far < 160  # 300 seconds, two stacks, five seconds between the polls of the long cleanup
    time.now = 0.0
    world.calls.clear()
    run(endpoint="http://127.0.0.1:9")
    assert world.count_of("DescribeStackEvents") > 3 * far


def test_a_long_silence_asks_the_stack_itself(world, run):
    update(world, end=200)
    world.tell(400, "UPDATE_COMPLETE")
    world.events[next(iter(world.events))].pop()
    # The last event never comes: the stack says that it is done.
    world.events[next(iter(world.events))][-1] = (10_000, world.events[next(iter(world.events))][-1][1])
    asked = []

    def stacks(params):
        asked.append(world.time.now)
        answer = world._DescribeStacks(params)
        if world.time.now > 100:
            answer["Stacks"][0]["StackStatus"] = "UPDATE_COMPLETE"
        return answer

    world.answers["DescribeStacks"] = stacks
    assert run().succeeded
    assert len(asked) < 8


@pytest.mark.parametrize("before", ["REVIEW_IN_PROGRESS", "UPDATE_COMPLETE"])
def test_stale_reads_after_the_execution_are_no_end(world, run, before):
    world.tell(-80, before)
    world.tell(70, "UPDATE_IN_PROGRESS")
    world.tell(80, "UPDATE_COMPLETE")
    world.answers["DescribeChangeSet"] = {"ExecutionStatus": "EXECUTE_IN_PROGRESS"}
    assert run().seconds == 10


def test_a_stale_read_in_the_midst_of_a_creation_is_no_end(world, run):
    world.tell(-1, "REVIEW_IN_PROGRESS")
    world.tell(1, "CREATE_IN_PROGRESS")
    world.tell(90, "CREATE_COMPLETE")

    def stacks(params):
        answer = world._DescribeStacks(params)
        if world.time.now < 60:
            answer["Stacks"][0]["StackStatus"] = "REVIEW_IN_PROGRESS"
        return answer

    world.answers["DescribeStacks"] = stacks
    assert run().seconds == 89


def test_a_shell_that_waits_for_its_first_execution_is_not_watched(world, time, recorder, names):
    world.tell(-1, "REVIEW_IN_PROGRESS")
    aws = world.aws()
    result = follow(aws, describe_stack(aws, names.root), Watch(recorder, RESUME, time.clock()))
    assert (result.status, result.succeeded, result.failures) == ("REVIEW_IN_PROGRESS", False, ())


def test_an_execution_that_fails_before_its_first_event_says_why(world, run):
    world.tell(-80, "UPDATE_COMPLETE")
    world.answers["DescribeChangeSet"] = {"ExecutionStatus": "EXECUTE_FAILED", "StatusReason": "Template gone"}
    with pytest.raises(ChangeSetError, match="could not be executed: Template gone"):
        run()
    world.answers["DescribeChangeSet"] = {"ExecutionStatus": "EXECUTE_FAILED"}
    with pytest.raises(ChangeSetError, match="AWS gives no reason"):
        run()


def test_an_execution_that_shows_nothing_at_all_is_given_up_with_a_hint(world, run, time):
    world.tell(-80, "UPDATE_COMPLETE")
    world.answers["DescribeChangeSet"] = {"ExecutionStatus": "EXECUTE_IN_PROGRESS"}
    with pytest.raises(AwsError, match=r"nothing has happened for 10m .* that is EXECUTE_IN_PROGRESS now") as caught:
        run()
    assert caught.value.hint == f"see: {RESUME}"
    world.answers["DescribeChangeSet"] = ("ChangeSetNotFound", "ChangeSet does not exist", 404)
    with pytest.raises(AwsError, match="gone now"):
        run()


def test_an_execution_that_is_over_without_an_event_ends(world, run):
    world.tell(-80, "UPDATE_COMPLETE")
    world.answers["DescribeChangeSet"] = {"ExecutionStatus": "EXECUTE_COMPLETE"}
    assert run().succeeded


def test_an_event_that_looks_like_an_end_is_none_while_the_stack_goes_on(world, run):
    world.tell(-80, "CREATE_COMPLETE")
    world.tell(1, "UPDATE_IN_PROGRESS")
    world.tell(2, "UPDATE_FAILED")
    world.tell(20, "UPDATE_ROLLBACK_IN_PROGRESS", seen=5)
    world.tell(30, "UPDATE_ROLLBACK_COMPLETE")
    answers = iter(["UPDATE_COMPLETE", "UPDATE_ROLLBACK_IN_PROGRESS"])

    def stacks(params):
        answer = world._DescribeStacks(params)
        answer["Stacks"][0]["StackStatus"] = next(answers, "UPDATE_ROLLBACK_COMPLETE")
        return answer

    world.answers["DescribeStacks"] = stacks
    result = run()
    assert (result.status, result.succeeded) == ("UPDATE_ROLLBACK_COMPLETE", False)


def test_dropped_connections_throttling_and_damaged_answers_are_waited_for(world, run, recorder):
    update(world)
    world.fail(
        "DescribeStackEvents", None, DROPPED, THROTTLED, ("InternalFailure", "", 500), ResponseParserError("<html>")
    )
    assert run().succeeded
    assert len(recorder.notes) == 4
    assert recorder.notes[0].startswith("cannot read the events of stack payments-dev: AWS cannot be reached")
    assert [note.rpartition(" ")[2] for note in recorder.notes] == ["5s", "10s", "20s", "40s"]
    assert "the stack goes on" in recorder.notes[1]


def test_dropped_connections_are_not_waited_for_without_end(world, run, recorder, time):
    update(world)
    world.fail("DescribeStackEvents", None, *[DROPPED] * 9)
    with pytest.raises(AwsError) as caught:
        run()
    assert caught.value.problems[1] == "payments-dev goes on by itself, but can no longer be watched from here"
    assert caught.value.hint.endswith(f"watch again: {RESUME}")
    assert len(recorder.notes) == 5
    assert 120 < time.now < 300
    assert len(recorder.closed) == 1


@pytest.mark.parametrize("fault", [EXPIRED, ("AccessDenied", "no", 403), NoCredentialsError()])
def test_what_cannot_pass_by_itself_ends_the_watching_at_once(world, run, recorder, fault):
    update(world)
    world.fail("DescribeStackEvents", None, None, None, fault)
    with pytest.raises(AwsError) as caught:
        run()
    assert "goes on by itself" in caught.value.problems[1]
    assert caught.value.hint.endswith(f"watch again: {RESUME}")
    assert recorder.notes == []


def test_expired_credentials_say_so(world, run):
    update(world)
    world.fail("DescribeStackEvents", None, EXPIRED)
    with pytest.raises(AwsError, match="the credentials have expired") as caught:
        run()
    assert (
        caught.value.hint
        == f"sign in again: aws sso login (or renew the credentials in your environment); then watch again: {RESUME}"
    )


def test_asking_the_stack_is_as_patient(world, run, recorder):
    update(world)
    # The first is the one of the test itself, the second ends the watching.
    world.fail("DescribeStacks", None, DROPPED)
    assert run().succeeded
    assert recorder.notes[0].startswith("cannot describe stack")


@pytest.mark.parametrize(("signal", "code"), [((), 130), ((15,), 143)])
def test_an_interruption_ends_the_watching_and_nothing_else(world, run, time, recorder, signal, code):
    update(world)

    def interrupt():
        raise KeyboardInterrupt(*signal)

    time.happenings.append((4, interrupt))
    with pytest.raises(StoppedWatchingError) as caught:
        run()
    assert caught.value.exit_code == code
    assert caught.value.problems == [
        "stopped watching; payments-dev goes on by itself, CloudFormation needs nobody to watch"
    ]
    assert caught.value.hint == f"watch again: {RESUME}; roll an update back: {RESUME} --cancel"
    assert len(recorder.closed) == 1
    assert {name for name, _ in world.calls} == {"DescribeStackEvents", "ExecuteChangeSet"}


def test_an_interruption_during_the_execution_call_says_the_same(world, run):
    update(world)
    world.fail("ExecuteChangeSet", KeyboardInterrupt())
    with pytest.raises(StoppedWatchingError):
        run()


# --- executing once ---------------------------------------------------------------------------------------------------
def test_a_lost_answer_is_looked_into_and_not_repeated_when_the_execution_runs(world, run):
    update(world)
    world.fail("ExecuteChangeSet", ReadTimeoutError(endpoint_url="https://cloudformation"))
    world.answers["DescribeChangeSet"] = {"ExecutionStatus": "EXECUTE_IN_PROGRESS"}
    assert run().succeeded
    assert world.count_of("ExecuteChangeSet") == 1


def test_a_lost_question_is_asked_again_with_the_same_token(world, run):
    update(world)
    world.fail("ExecuteChangeSet", DROPPED, ("InternalFailure", "", 500))
    world.answers["DescribeChangeSet"] = {"ExecutionStatus": "AVAILABLE"}
    assert run().succeeded
    tokens = [params["ClientRequestToken"] for name, params in world.calls if name == "ExecuteChangeSet"]
    assert len(tokens) == 3
    assert len(set(tokens)) == 1


def test_lost_questions_are_not_asked_without_end(world, run):
    update(world)
    world.fail("ExecuteChangeSet", DROPPED, DROPPED, DROPPED)
    world.answers["DescribeChangeSet"] = {"ExecutionStatus": "AVAILABLE"}
    with pytest.raises(AwsError, match="cannot execute change set"):
        run()
    assert world.count_of("ExecuteChangeSet") == 3


def test_when_nothing_can_be_found_out_that_is_said(world, run):
    update(world)
    world.fail("ExecuteChangeSet", DROPPED)
    world.fail("DescribeChangeSet", DROPPED)
    with pytest.raises(AwsError, match="whether the execution has begun is not known") as caught:
        run()
    assert caught.value.hint.endswith(f"; then see: {RESUME}")


@pytest.mark.parametrize(
    "refusal",
    [
        ("TokenAlreadyExistsException", "Token already used", 400),
        ("InvalidChangeSetStatus", "cannot be executed in its current status of [EXECUTE_IN_PROGRESS]", 400),
    ],
)
def test_a_change_set_that_runs_already_is_followed_from_its_begin(world, run, recorder, names, time, refusal):
    update(world)
    time.now = 5.0
    world.fail("ExecuteChangeSet", refusal)
    world.answers["DescribeChangeSet"] = {"ExecutionStatus": "EXECUTE_IN_PROGRESS"}
    assert run().succeeded
    assert recorder.events[0].at == names.epoch + 1


def test_a_second_process_that_gets_the_first_answer_again_follows_from_the_begin(world, run, recorder, names, time):
    world.tell(-80, "CREATE_COMPLETE")
    world.tell(1, "UPDATE_IN_PROGRESS", ClientRequestToken=request_token(names.change_set))
    world.tell(2, "UPDATE_FAILED", "Vpc", reason="limit", ClientRequestToken=request_token(names.change_set))
    world.tell(3, "UPDATE_ROLLBACK_COMPLETE", ClientRequestToken=request_token(names.change_set))
    time.now = 9.0
    assert [failure.address for failure in run().failures] == ["root.Vpc"]
    assert recorder.events[0].at == names.epoch + 1


@pytest.mark.parametrize(
    ("refusal", "answer", "error", "text"),
    [
        (("InvalidChangeSetStatus", "no", 400), {"ExecutionStatus": "OBSOLETE", "StatusReason": "superseded"},
         StaleReviewError, r"can no longer be executed \(OBSOLETE\): superseded"),
        (("InvalidChangeSetStatus", "no", 400), ("ChangeSetNotFound", "gone", 404),
         StaleReviewError, r"can no longer be executed \(gone\): no"),
        (("ChangeSetNotFound", "gone", 404), None, StaleReviewError, "the reviewed change set is gone"),
        (("ValidationError", "Stack is in UPDATE_IN_PROGRESS state", 400), None, BusyError, "cannot be executed now"),
        (("ValidationError", "something else", 400), None, AwsError, "something else"),
        (("AccessDenied", "not yours", 403), None, AwsError, "access denied"),
    ],
)  # fmt: skip
def test_refusals_are_told_apart(world, run, refusal, answer, error, text):
    update(world)
    world.fail("ExecuteChangeSet", refusal)
    world.answers["DescribeChangeSet"] = answer
    with pytest.raises(error, match=text):
        run()


def test_a_change_set_that_cannot_be_described_is_an_error_of_its_own(world, run):
    update(world)
    world.fail("ExecuteChangeSet", ("InvalidChangeSetStatus", "no", 400))
    world.fail("DescribeChangeSet", ("AccessDenied", "not yours", 403))
    with pytest.raises(AwsError, match="cannot describe change set"):
        run()


# --- how it ends ------------------------------------------------------------------------------------------------------
def test_a_creation_that_fails_is_diagnosed_while_ecs_still_knows_the_tasks(world, run, names):
    service = "arn:aws:ecs:eu-central-1:123456789012:service/payments/web"
    world.tell(-1, "REVIEW_IN_PROGRESS")
    world.tell(1, "CREATE_IN_PROGRESS")
    world.nested(2, "CREATE_IN_PROGRESS", "Service")
    world.inside(2, "CREATE_IN_PROGRESS", "Service")
    world.inside(3, "CREATE_FAILED", "Service", "Web", type="AWS::ECS::Service", physical_id=service,
                 reason="ECS Deployment Circuit Breaker was triggered.")  # fmt: skip
    world.inside(4, "ROLLBACK_IN_PROGRESS", "Service")
    world.nested(
        5, "CREATE_FAILED", "Service", reason=f"Embedded stack {names.root} was not successfully created: [Web]"
    )
    world.tell(6, "ROLLBACK_IN_PROGRESS")
    world.nested(7, "DELETE_COMPLETE", "Service")
    world.inside(7, "DELETE_COMPLETE", "Service")
    world.tell(8, "ROLLBACK_COMPLETE")
    task = "arn:aws:ecs:eu-central-1:123456789012:task/payments/1"
    world.answers["ListTasks"] = lambda _: {"taskArns": [task] if world.time.now < 6 else []}
    world.answers["DescribeTasks"] = {"tasks": [{"stoppedReason": "Essential container in task exited"}]}
    result = run(expected={"service": 4})
    assert not result.succeeded
    [failure] = result.failures
    assert failure.address == "service.Web"
    assert failure.details == ("task stopped: Essential container in task exited",)
    assert world.count_of("ListTasks") == 1
    error = result.error(RESUME)
    assert error.problems == [
        "service.Web (ECS::Service, arn:aws:ecs:eu-central-1:123456789012:service/payments/web): create failed: ECS Deployment "
        "Circuit Breaker was triggered.\n  task stopped: Essential container in task exited",
        "payments-dev: the creation failed and was rolled back (ROLLBACK_COMPLETE)",
    ]
    assert "the tasks do not stay up" in error.hint


def test_what_a_cleanup_could_not_delete_is_no_silent_success(world, run):
    update(world, end=40)
    world.inside(20, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "Network")
    world.inside(25, "DELETE_FAILED", "Network", "OldBucket", type="AWS::S3::Bucket", physical_id="old-bucket",
                 reason="The bucket you tried to delete is not empty")  # fmt: skip
    world.inside(30, "UPDATE_COMPLETE", "Network")
    result = run()
    assert result.succeeded
    assert result.warnings() == [
        "network.OldBucket (AWS::S3::Bucket, old-bucket) could not be deleted and belongs to no stack any more: The bucket "
        "you tried to delete is not empty; delete it by hand (something outside of the stack still uses it: remove that first)"
    ]


def test_what_nested_stacks_tell_together_with_the_end_is_not_missed(world, run):
    update(world, end=40)
    for status, resource in (
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", ""), ("DELETE_FAILED", "Old"), ("UPDATE_COMPLETE", "")
    ):  # fmt: skip
        world.inside(39, status, "Network", resource, seen=40)
    assert [orphan.address for orphan in run().orphans] == ["network.Old"]


def test_an_orphan_without_a_known_reason_is_told_too(world, run):
    update(world, end=40)
    world.tell(30, "DELETE_FAILED", "Key", type="AWS::KMS::Key", physical_id="key-1")
    [warning] = run().warnings()
    assert warning.endswith("any more: AWS gives no reason; delete it by hand")


def test_a_rollback_that_fails_names_what_blocks_it(world, run):
    world.tell(-80, "CREATE_COMPLETE")
    world.tell(1, "UPDATE_IN_PROGRESS")
    world.tell(2, "UPDATE_FAILED", "Rule", reason="Access denied")
    world.tell(3, "UPDATE_ROLLBACK_IN_PROGRESS")
    world.tell(4, "UPDATE_FAILED", "Role", reason="not authorized to perform iam:PutRolePolicy")
    world.tell(5, "UPDATE_ROLLBACK_FAILED", reason="The following resource(s) failed to update: [Role].")
    result = run()
    assert [failure.address for failure in result.failures] == ["root.Rule"]
    assert [failure.address for failure in result.blocked] == ["root.Role"]
    error = result.error(RESUME)
    assert error.problems[1].startswith("the rollback is stuck:\nroot.Role (EC2::VPC): update failed: not authorized")
    assert error.hint.endswith(f"mend what blocks it, then: {RESUME} --continue-rollback")


def test_a_creation_that_ends_in_deletion_is_a_failure(world, run, names):
    world.tell(-1, "REVIEW_IN_PROGRESS")
    world.tell(1, "CREATE_IN_PROGRESS")
    world.tell(2, "CREATE_FAILED", "Vpc", reason="limit")
    world.tell(3, "DELETE_IN_PROGRESS", reason="The following resource(s) failed to create: [Vpc].")
    world.tell(4, "DELETE_COMPLETE")
    result = run()
    assert (result.succeeded, result.deletion) == (False, False)
    assert result.stack is None
    assert result.failures[0].address == "root.Vpc"


# --- watching on ------------------------------------------------------------------------------------------------------
def test_a_deletion_can_be_followed_to_where_nothing_is_left(world, time, recorder, names):
    world.tell(-80, "CREATE_COMPLETE")
    world.tell(1, "DELETE_IN_PROGRESS", reason="User Initiated")
    world.tell(2, "DELETE_COMPLETE", "Vpc")
    world.tell(60, "DELETE_COMPLETE", seen=10_000)
    aws = world.aws()
    time.now = 5.0
    stack = describe_stack(aws, names.root)
    world.answers["DescribeStacks"] = lambda params: (
        ("ValidationError", f"Stack with id {names.root} does not exist", 400)
        if time.now > 50
        else world._DescribeStacks(params)
    )
    result = follow(aws, stack, Watch(recorder, RESUME, time.clock()))
    assert (result.succeeded, result.deletion, result.status, result.stack) == (True, True, "DELETE_COMPLETE", None)
    assert recorder.events[0].status == "DELETE_IN_PROGRESS"


def test_nested_stacks_that_aws_has_forgotten_have_no_events(world, time, recorder, names):
    world.tell(0, "CREATE_IN_PROGRESS")
    world.nested(1, "CREATE_FAILED", "Network", reason="Embedded stack x was not successfully created: quota exceeded")
    world.tell(2, "ROLLBACK_COMPLETE")
    time.now = 5.0
    aws = world.aws()
    stack = describe_stack(aws, names.root)

    def forgotten(params):
        if params["StackName"] == names.root:
            return world._DescribeStackEvents(params)
        return ("ValidationError", f"Stack [{params['StackName']}] does not exist", 400)

    world.answers["DescribeStackEvents"] = forgotten
    result = past_operation(aws, stack)
    assert [(failure.address, failure.reason) for failure in result.failures] == [("root.Network", "quota exceeded")]
    world.answers["DescribeStackEvents"] = ("ValidationError", f"Stack [{names.root}] does not exist", 400)
    with pytest.raises(AwsError, match="cannot read the events"):
        past_operation(aws, stack)


def test_a_past_operation_is_read_with_all_its_pages(world, time, names):
    update(world, last="UPDATE_ROLLBACK_COMPLETE")
    world.page_size = 2
    time.now = 50.0
    aws = world.aws()
    result = past_operation(aws, describe_stack(aws, names.root))
    assert (result.resources, result.seconds) == (1, 9)


def test_a_stack_without_events_is_at_its_end(world, time, recorder, names):
    world.stacks[names.root] = {"StackStatus": "CREATE_COMPLETE"}
    aws = world.aws()
    stack = describe_stack(aws, names.root)
    assert follow(aws, stack, Watch(recorder, RESUME, time.clock())).succeeded
    world.answers["DescribeChangeSet"] = {"ExecutionStatus": "EXECUTE_COMPLETE"}
    result = execute(aws, stack, names.change_set, expected={}, say=recorder, resume=RESUME, clock=time.clock())
    assert result.succeeded
