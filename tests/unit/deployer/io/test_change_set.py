"""Creating a change set, asking whether it can be executed, deleting it."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime

import pytest

from deployer import change_set_name
from deployer.change_set import create, delete, is_executable
from deployer.change_set_name import Maker, Purpose, maker_of, new_name
from deployer.errors import AwsError, BusyError, ChangeSetError, StackStateError
from deployer.package_dir import read_package
from deployer.upload import Packaged, package_tree

ARN = "arn:aws:cloudformation:us-east-1:123456789012:changeSet/deploy/0a1b"


@pytest.fixture
def packaged(built_dev):
    return package_tree(read_package(built_dev / "dev"), "b", "us-east-1")


def test_the_whole_tree_is_asked_for(script, packaged):
    script("create_change_set", {"Id": ARN, "StackId": "x"}, StackName="payments-dev", ChangeSetType="UPDATE")
    assert create(script.aws, "payments-dev", packaged, {"B": "2", "A": "1"}, "UPDATE", clock=script.clock) == ARN
    (call,) = script.arguments("create_change_set")
    assert call["IncludeNestedStacks"] is True
    assert call["Capabilities"] == ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
    assert call["Tags"] == [{"Key": "A", "Value": "1"}, {"Key": "B", "Value": "2"}]
    assert call["TemplateBody"] == packaged.root_text
    assert call["ClientToken"] == call["ChangeSetName"]
    assert re.fullmatch(r"deploy-up-20261124T174507Z-[0-9a-f]{8}-\d+-[0-9a-f]{6}", call["ChangeSetName"])
    assert call["Description"].startswith("deploy.py up, root template ")
    assert "OnStackFailure" not in call


def test_a_root_in_the_bucket_is_named_by_its_url(script, packaged):
    script("create_change_set", {"Id": ARN}, TemplateURL="https://s3/root", ChangeSetType="CREATE")
    far = Packaged({}, "{}", {}, "p/", "https://s3/root", {})
    create(script.aws, "payments-dev", far, {}, "CREATE", purpose=Purpose.REVIEW, clock=script.clock)
    (call,) = script.arguments("create_change_set")
    assert "TemplateBody" not in call
    assert call["ChangeSetName"].startswith("deploy-review-")


def test_a_lost_answer_is_found_again(script, packaged):
    script.fail("create_change_set", "AlreadyExistsException", "exists")
    script("describe_change_set", {"ChangeSetId": ARN}, StackName="payments-dev")
    assert create(script.aws, "payments-dev", packaged, {}, "UPDATE", clock=script.clock) == ARN
    names = {call["ChangeSetName"] for _, call in script.calls}
    assert len(names) == 1


@pytest.mark.parametrize(
    ("code", "text", "kind", "told", "hint"),
    [
        (
            "LimitExceededException",
            "ChangeSet limit exceeded for stack x",
            ChangeSetError,
            "as many change sets",
            "list-change-sets",
        ),
        ("ValidationError", "ChangeSet limit exceeded", ChangeSetError, "or one nested in it", "delete-change-set"),
        (
            "ValidationError",
            "Stack:x is in UPDATE_IN_PROGRESS state and can not be updated.",
            BusyError,
            "UPDATE_IN_",
            "faster",
        ),
        (
            "ValidationError",
            "Stack:x is in ROLLBACK_COMPLETE state and can not be updated.",
            StackStateError,
            "ROLLBACK",
            "status",
        ),
        ("ValidationError", "Template format error", AwsError, "cannot create a change set of stack payments-dev", ""),
    ],
)
def test_refusals(script, packaged, code, text, kind, told, hint):
    script.fail("create_change_set", code, text)
    with pytest.raises(kind, match=told) as error:
        create(script.aws, "payments-dev", packaged, {}, "UPDATE", clock=script.clock)
    assert text in str(error.value)
    assert hint in error.value.hint


# --- can it be executed? ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "execution", "told"),
    [
        ("CREATE_COMPLETE", "AVAILABLE", ""),
        ("CREATE_COMPLETE", "OBSOLETE", "it is obsolete: the stack was changed after it was made"),
        ("CREATE_COMPLETE", "EXECUTE_IN_PROGRESS", "it is being executed"),
        ("CREATE_COMPLETE", "EXECUTE_COMPLETE", "it has been executed"),
        ("CREATE_COMPLETE", "EXECUTE_FAILED", "it was executed, and failed"),
        ("FAILED", "UNAVAILABLE", "it is FAILED (UNAVAILABLE): why"),
        ("DELETE_IN_PROGRESS", "AVAILABLE", "it is DELETE_IN_PROGRESS (AVAILABLE)"),
    ],
)
def test_executability(script, status, execution, told):
    reason = {"StatusReason": "why"} if status == "FAILED" else {}
    script("describe_change_set", {"Status": status, "ExecutionStatus": execution} | reason, ChangeSetName=ARN)
    found = is_executable(script.aws, ARN)
    assert (bool(found), found.reason) == (not told, told)


@pytest.mark.parametrize(
    ("code", "text"),
    [("ChangeSetNotFound", f"ChangeSet [{ARN}] does not exist"), ("ValidationError", "Stack [x] does not exist")],
)
def test_a_change_set_that_is_gone_cannot_be_executed(script, code, text):
    script.fail("describe_change_set", code, text, status=404)
    assert "does not exist any more" in is_executable(script.aws, ARN).reason


def test_a_change_set_that_may_not_be_read(script):
    script.fail("describe_change_set", "AccessDenied", "no", status=403)
    with pytest.raises(AwsError, match="cannot describe change set"):
        is_executable(script.aws, ARN)


# --- delete -----------------------------------------------------------------------------------------------------------
def test_delete_waits_until_it_is_gone(script):
    script("delete_change_set", {}, ChangeSetName=ARN)
    script("describe_change_set", {"Status": "DELETE_PENDING"})
    script("describe_change_set", {"Status": "DELETE_IN_PROGRESS"})
    script.fail("describe_change_set", "ChangeSetNotFound", status=404)
    delete(script.aws, ARN, script.clock)
    assert script.sleeps == [0.5, 0.75]


def test_delete_ends_at_delete_complete(script):
    script("delete_change_set")
    script("describe_change_set", {"Status": "DELETE_COMPLETE"})
    delete(script.aws, ARN, script.clock)


def test_deleting_what_is_gone_is_no_error(script):
    script.fail("delete_change_set", "ChangeSetNotFound", status=404)
    delete(script.aws, ARN, script.clock)


def test_a_change_set_that_cannot_be_deleted(script):
    script("delete_change_set")
    script("describe_change_set", {"Status": "DELETE_FAILED", "StatusReason": "nested"})
    with pytest.raises(ChangeSetError, match="cannot be deleted: nested"):
        delete(script.aws, ARN, script.clock)


def test_a_change_set_that_never_goes(script):
    script("delete_change_set")
    script("describe_change_set", {"Status": "DELETE_IN_PROGRESS"}, times=None)
    with pytest.raises(AwsError, match="is still there after 120 s"):
        delete(script.aws, ARN, script.clock)


@pytest.mark.parametrize("status", ["UNAVAILABLE", "AVAILABLE"])
def test_one_that_is_being_made_is_deleted_when_it_is_made(script, status):
    script.fail("delete_change_set", "InvalidChangeSetStatus", "cannot be deleted in its current status")
    script("describe_change_set", {"Status": "CREATE_IN_PROGRESS", "ExecutionStatus": status})
    script("delete_change_set", {}, ChangeSetName=ARN)
    script.fail("describe_change_set", "ChangeSetNotFound", status=404)
    delete(script.aws, ARN, script.clock)
    assert script.sleeps == [0.5]


def test_one_that_is_being_made_for_too_long(script):
    script.fail("delete_change_set", "InvalidChangeSetStatus", times=None)
    answer = {"Status": "CREATE_IN_PROGRESS", "ExecutionStatus": "UNAVAILABLE"}
    script("describe_change_set", answer, times=None)
    with pytest.raises(AwsError, match="is still being made after 120 s"):
        delete(script.aws, ARN, script.clock)


@pytest.mark.parametrize("operation", ["delete_change_set", "describe_change_set"])
def test_a_deletion_that_is_refused(script, operation):
    if operation == "describe_change_set":
        script("delete_change_set")
    script.fail(operation, "InvalidChangeSetStatus", "it is being executed")
    if operation == "delete_change_set":
        script("describe_change_set", {"Status": "CREATE_COMPLETE", "ExecutionStatus": "EXECUTE_IN_PROGRESS"})
    with pytest.raises(AwsError, match="cannot delete change set .*it is being executed"):
        delete(script.aws, ARN, script.clock)


# --- the name ---------------------------------------------------------------------------------------------------------
def test_a_name_tells_its_run():
    name = new_name(Purpose.REVIEW, datetime(2026, 11, 24, tzinfo=UTC).timestamp())
    maker = maker_of(name)
    assert maker == Maker(Purpose.REVIEW, change_set_name.machine(), os.getpid())
    assert name != new_name(Purpose.REVIEW, datetime(2026, 11, 24, tzinfo=UTC).timestamp())
    assert re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name)
    assert maker_of("awscli-cloudformation-package-deploy-1234") is None


def test_only_a_run_of_this_machine_is_known_to_have_ended(monkeypatch):
    here = change_set_name.machine()
    gone = 2**22 + 1  # above any process number of Linux
    assert Maker(Purpose.UP, here, gone).has_ended()
    assert not Maker(Purpose.UP, here, os.getpid()).has_ended()
    assert not Maker(Purpose.UP, "00000000", gone).has_ended()


@pytest.mark.parametrize("error", [PermissionError, OverflowError])
def test_a_process_of_another_user_runs(monkeypatch, error):
    def kill(_process, _signal):
        raise error

    monkeypatch.setattr(os, "kill", kill)
    assert not Maker(Purpose.UP, change_set_name.machine(), 1).has_ended()


def test_a_machine_is_known_without_proc(monkeypatch):
    with_proc = change_set_name.machine()

    def readlink(_path):
        raise FileNotFoundError

    monkeypatch.setattr(os, "readlink", readlink)
    assert re.fullmatch(r"[0-9a-f]{8}", change_set_name.machine())
    assert change_set_name.machine() != with_proc
