"""The account stack, deployed to an embedded AWS in this process; what that cannot do, by handlers."""

from __future__ import annotations

import copy
import io
import json
import time
from contextlib import suppress

import boto3
import pytest

from deployer.account import Standing, deploy_account, ensure_account, look_at_account, propose_account
from deployer.aws import Aws
from deployer.clock import Clock
from deployer.errors import (
    AwsError,
    ChangeSetError,
    DeclinedError,
    DeploymentFailedError,
    PackageError,
    RefusedError,
    StackStateError,
)
from deployer.leftovers import delete_stack
from deployer.package_dir import Package, read_package
from deployer.session import Session
from deployer.stacks import describe_stack, template_of

NAME = "payments-account"
ROLES = ("dms-cloudwatch-logs-role", "dms-vpc-role")
# Real time, in which nobody sleeps for long: the embedded AWS answers at once.
CLOCK = Clock(sleep=lambda seconds: time.sleep(min(seconds, 0.01)))


@pytest.fixture(scope="module")
def embedded():
    """An embedded AWS in this process."""
    from localaws import process
    from localaws.server import running

    with running() as endpoint, pytest.MonkeyPatch.context() as patch:
        for name, value in process.environment(endpoint).items():
            patch.setenv(name, value)
        patch.delenv("AWS_PROFILE", raising=False)
        session = boto3.Session(region_name="us-east-1")
        yield Aws("us-east-1", session.client)


@pytest.fixture
def local(embedded):
    """The same, with neither the stack nor the roles in it."""
    yield embedded
    stack = describe_stack(embedded, NAME)
    if stack is not None:
        delete_stack(embedded, stack, CLOCK)
    for role in ROLES:
        with suppress(embedded.iam.exceptions.NoSuchEntityException):
            embedded.iam.delete_role(RoleName=role)


@pytest.fixture
def package(out_dev):
    return read_package(out_dev / "dev")


@pytest.fixture
def session(root, package):
    return Session(root, package.folder, "dev", "dev", local=False)


def changed(package, change):
    """The package with another account template."""
    templates = copy.deepcopy(dict(package.templates))
    change(templates["account"])
    return Package(package.folder, package.manifest, templates, package.files, package.tags)


def widen(template):
    role = template["Resources"]["DmsVpcRole"]["Properties"]
    role["AssumeRolePolicyDocument"]["Statement"][0].pop("Condition")
    role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": "*"}


def describe(template):
    template["Resources"]["DmsVpcRole"]["Properties"]["Description"] = "another"


def ensure(aws, session, package, *, yes=True):
    ensure_account(aws, session, package, yes=yes, wait=0, clock=CLOCK)


def deploy(aws, session, package, *, yes=True):
    return deploy_account(aws, session, package, yes=yes, wait=0, clock=CLOCK)


def make_role(aws, name):
    aws.iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")


def test_a_missing_account_stack_is_deployed_after_a_review_and_then_left_alone(local, session, package, capsys):
    ensure(local, session, package)
    out, err = capsys.readouterr()
    assert "root.DmsVpcRole" in out
    assert f"{NAME} is missing: it is deployed first" in err
    assert f"{NAME} is deployed" in err
    stack = describe_stack(local, NAME)
    assert (str(stack.status), dict(stack.tags)) == ("CREATE_COMPLETE", {})
    assert template_of(local, stack.id) == package.templates["account"]
    for role in ROLES:
        assert local.iam.get_role(RoleName=role)
    assert look_at_account(local, package).standing is Standing.CURRENT
    ensure(local, session, changed(package, describe))
    assert capsys.readouterr() == ("", "")
    assert deploy(local, session, package) == 0
    assert capsys.readouterr().err == f"nothing to change: {NAME} is what {session.folder} says\n"


def test_another_build_of_it_is_deployed_when_asked_for(local, session, package, capsys):
    ensure(local, session, package)
    other = changed(package, describe)
    assert look_at_account(local, other).standing is Standing.OUTDATED
    assert deploy(local, session, other) == 0
    assert "DmsVpcRole" in capsys.readouterr().out
    assert local.iam.get_role(RoleName="dms-vpc-role")["Role"]["Description"] == "another"
    assert look_at_account(local, other).standing is Standing.CURRENT


def test_a_template_that_differs_in_nothing_that_aws_changes_is_no_change(local, session, package, capsys):
    ensure(local, session, package)
    assert deploy(local, session, changed(package, lambda template: template.update(Description="another"))) == 0
    assert capsys.readouterr().err.endswith(f"nothing to change: {NAME}\n")
    assert local.cloudformation.list_change_sets(StackName=NAME)["Summaries"] == []


def test_wider_access_needs_a_person(local, session, package, monkeypatch, capsys):
    ensure(local, session, package)
    wider = changed(package, widen)
    with pytest.raises(RefusedError) as caught:
        deploy(local, session, wider)
    assert "root.DmsVpcRole" in caught.value.problems[0]
    assert caught.value.hint == "a person must decide this: python deploy.py account --env dev, without --yes"
    assert local.cloudformation.list_change_sets(StackName=NAME)["Summaries"] == []
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert deploy(local, session, wider, yes=False) == 0
    assert look_at_account(local, wider).standing is Standing.CURRENT


def test_who_declines_leaves_nothing(local, session, package, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    with pytest.raises(DeclinedError):
        ensure(local, session, package, yes=False)
    assert describe_stack(local, NAME) is None


def test_roles_that_exist_otherwise_are_taken_as_they_are(local, session, package, capsys):
    for role in ROLES:
        make_role(local, role)
    assert look_at_account(local, package).standing is Standing.FOREIGN
    ensure(local, session, package)
    assert deploy(local, session, package) == 0
    assert capsys.readouterr() == (
        "",
        "nothing to do: dms-cloudwatch-logs-role, dms-vpc-role exist, made by a person or in another region\n",
    )
    assert describe_stack(local, NAME) is None


def test_one_role_of_two_is_for_a_person_to_decide(local, session, package):
    make_role(local, "dms-vpc-role")
    with pytest.raises(StackStateError) as caught:
        ensure(local, session, package)
    assert caught.value.problems == [
        f"account: dms-vpc-role exists outside of stack {NAME}, dms-cloudwatch-logs-role does not exist"
    ]
    assert "make dms-cloudwatch-logs-role by hand" in caught.value.hint


def test_a_failed_deployment_is_told_and_the_next_one_clears_it(local, session, package):
    missing = changed(
        package,
        lambda template: template["Resources"]["DmsVpcRole"]["Properties"].update(
            ManagedPolicyArns=["arn:aws:iam::aws:policy/NoSuchPolicy"]
        ),
    )
    with pytest.raises(DeploymentFailedError):
        ensure(local, session, missing)
    assert describe_stack(local, NAME).status.is_failed_creation
    ensure(local, session, package)
    assert str(describe_stack(local, NAME).status) == "CREATE_COMPLETE"


def test_a_change_set_that_cannot_be_made_leaves_nothing(local, session, package):
    broken = changed(
        package,
        lambda template: template["Outputs"]["DmsVpcRoleArn"].update(Value={"Ref": "Nothing"}),
    )
    with pytest.raises((ChangeSetError, AwsError)):
        ensure(local, session, broken)
    assert describe_stack(local, NAME) is None


# --- what the embedded AWS does not do -------------------------------------------------------------------------------
def test_a_build_without_the_account_template_is_an_error(cloud, package):
    templates = {tier: template for tier, template in package.templates.items() if tier != "account"}
    with pytest.raises(PackageError, match="there is no account template"):
        look_at_account(cloud.aws, Package(package.folder, package.manifest, templates, package.files, package.tags))


def test_whoever_may_not_look_for_roles_is_told(cloud, stacks, package, refused):
    def denied(**_):
        raise refused("AccessDenied", "no")

    cloud.on(GetRole=denied)
    with pytest.raises(AwsError, match="cannot look for role dms-cloudwatch-logs-role: access denied"):
        look_at_account(cloud.aws, package)


@pytest.fixture
def proposed(cloud, stacks, package, refused):
    """`proposed(status, reason)`: a first change set of the account stack that comes to this."""
    stacks.add(NAME, "REVIEW_IN_PROGRESS")
    change = {
        "Type": "Resource",
        "ResourceChange": {"Action": "Add", "LogicalResourceId": "DmsVpcRole", "ResourceType": "AWS::IAM::Role"},
    }

    def gone(**_):
        raise refused("ChangeSetNotFound")

    def missing(**_):
        raise refused("NoSuchEntity")

    def propose(status, reason=""):
        described = {
            "ChangeSetName": "deploy", "ChangeSetId": "arn", "StackId": "stack", "StackName": NAME, "Status": status,
            "StatusReason": reason, "ExecutionStatus": "AVAILABLE", "Changes": [change],
        }  # fmt: skip
        asked = []

        def answer(**_):
            asked.append(1)
            return described if "DeleteChangeSet" not in cloud.calls else gone()

        cloud.on(
            GetRole=missing,
            CreateChangeSet=lambda **_: {"Id": "arn:aws:cloudformation:us-east-1:123456789012:changeSet/d/1"},
            DescribeChangeSet=answer,
            DeleteChangeSet=lambda **_: {},
            ListChangeSets=lambda **_: {"Summaries": []},
            DeleteStack=lambda StackName: stacks.stacks.clear(),
        )
        return propose_account(cloud.aws, look_at_account(cloud.aws, package, clock=cloud.clock), cloud.clock)

    return propose


def test_a_change_set_that_failed_tells_why(proposed, cloud):
    with pytest.raises(ChangeSetError, match="payments-account: its change set could not be made: no such principal"):
        proposed("FAILED", "no such principal")
    assert cloud.calls["DeleteChangeSet"]
    assert cloud.calls["DeleteStack"]


def test_a_stack_that_vanishes_under_its_change_set_is_told(proposed, cloud, stacks):
    inner = {}

    def describe(StackName):
        if "CreateChangeSet" in cloud.calls and "ListStackResources" not in cloud.calls:
            stacks.stacks.clear()
        return inner["describe"](StackName)

    inner["describe"] = cloud.handlers["DescribeStacks"]
    cloud.on(DescribeStacks=describe)
    with pytest.raises(ChangeSetError, match="stack payments-account is gone"):
        proposed("CREATE_COMPLETE")


def test_the_review_is_of_the_account_and_binds_its_change_set(proposed):
    proposal = proposed("CREATE_COMPLETE")
    assert (proposal.review.environment, proposal.review.suffix, proposal.review.durable) == (
        "account",
        "account",
        False,
    )
    assert proposal.review.counts == {"create": 1}
    assert json.dumps(proposal.arn).startswith('"arn:aws:cloudformation')
    assert proposal.account.before is None
