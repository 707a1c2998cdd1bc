from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from deployer.destroy import Destroyed, confirm, delete_uploads, destroy, find_doomed, forget, stop_tasks
from deployer.errors import AwsError, DeclinedError, DeploymentFailedError, ProtectedError
from deployer.execution.follow import Watch
from deployer.forecast.sources import record_deployed
from deployer.package_dir import read_package
from deployer.stacks import describe_stack
from settings.errors import UsageError

BUCKET, TASK = "AWS::S3::Bucket", "AWS::DMS::ReplicationTask"
BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
BALANCER_ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/x/1"
PACKAGES = "payments-packages-123456789012-us-east-1"


class Silent:
    def show(self, events, tally):
        pass

    def tick(self, tally):
        pass

    def note(self, text):
        pass

    def close(self, tally):
        pass


@pytest.fixture
def package(out_dev):
    return read_package(out_dev / "dev")


class Environment:
    """A deployed dev: a bucket, a load balancer and a replication task; what its deletion comes to is `ends`."""

    def __init__(self, cloud, stacks, package):
        self.cloud, self.stacks, self.package = cloud, stacks, package
        self.held = {"reports": 3, PACKAGES: 2}
        self.statuses = ["running", "stopping", "stopped"]
        self.ends = [[]]  # for each deletion: resources that could not be deleted, (logical id, type, reason)
        self.said = []
        stacks.add("payments-dev", template=package.templates["root"])
        stacks.tell("payments-dev", "CREATE_COMPLETE")
        stacks.hold("payments-dev", "Reports", BUCKET, "reports")
        stacks.hold("payments-dev", "Balancer", BALANCER, BALANCER_ARN)
        stacks.hold("payments-dev", "Task", TASK, "task-arn")
        stacks.hold("payments-dev", "Never", BUCKET, "", "CREATE_FAILED")
        cloud.on(
            ListObjectVersions=self._list,
            DeleteObjects=self._delete,
            GetBucketLogging=lambda **_: {},
            DescribeLoadBalancerAttributes=lambda **_: {
                "Attributes": [{"Key": "access_logs.s3.enabled", "Value": "true"}]
            },
            ModifyLoadBalancerAttributes=lambda **_: {},
            DescribeReplicationTasks=self._task,
            StopReplicationTask=lambda **_: {},
            DeleteStack=self._delete_stack,
            DeleteParameter=self._forget,
        )
        self.forgotten = []

    def _forget(self, Name):
        self.forgotten.append(Name)
        return {}

    def _list(self, Bucket, Prefix, **_):
        assert Prefix == ("payments-dev/" if Bucket == PACKAGES else "")
        return {"Versions": [{"Key": f"{Prefix}{n}", "VersionId": "1"} for n in range(self.held[Bucket])]}

    def _delete(self, Bucket, Delete, **_):
        self.held[Bucket] -= len(Delete["Objects"])
        return {}

    def _task(self, Filters, WithoutSettings):
        assert Filters == [{"Name": "replication-task-arn", "Values": ["task-arn"]}]
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return {"ReplicationTasks": [{"Status": status}]}

    def _delete_stack(self, StackName):
        assert StackName.startswith("arn:")
        self.stacks.tell("payments-dev", "DELETE_IN_PROGRESS")
        failed = self.ends.pop(0)
        held = {logical_id for logical_id, _, _ in failed}
        for logical_id, kind, reason in failed:
            self.stacks.tell("payments-dev", "DELETE_FAILED", logical_id, kind, logical_id.lower(), reason)
        status = "DELETE_FAILED" if failed else "DELETE_COMPLETE"
        self.stacks.tell("payments-dev", status)
        self.stacks.stacks[StackName]["StackStatus"] = status
        for entry in self.stacks.resources[StackName]:
            entry["ResourceStatus"] = "DELETE_FAILED" if entry["LogicalResourceId"] in held else "DELETE_COMPLETE"
        return {}

    @property
    def state(self):
        return describe_stack(self.cloud.aws, "payments-dev")

    def destroy(self):
        doomed = find_doomed(self.cloud.aws, self.package, self.state)
        watch = Watch(Silent(), "python deploy.py status --env dev", self.cloud.clock)
        return destroy(self.cloud.aws, self.package, doomed, watch=watch, say=self.said.append)


@pytest.fixture
def environment(cloud, stacks, package):
    return Environment(cloud, stacks, package)


# --- what may not be destroyed ---------------------------------------------------------------------------------------
def durable(package):
    return SimpleNamespace(durable=True, environment="prod", stack=package.stack, suffix=package.suffix)


def test_a_durable_environment_is_refused_and_said_why(environment):
    with pytest.raises(ProtectedError) as caught:
        find_doomed(environment.cloud.aws, durable(environment.package), environment.state)
    assert caught.value.problems == [
        "payments-dev is not destroyed: prod is durable (protection in params): it is hard to destroy on purpose"
    ]
    assert "protection: disposable" in caught.value.hint
    assert "update-termination-protection" in caught.value.hint


def test_what_is_deployed_counts_whatever_params_say_now(environment, stacks):
    root = json.loads(json.dumps(environment.package.templates["root"]))
    root["Metadata"]["Settings"]["protection"] = "durable"
    stacks.templates[environment.state.id] = root
    stacks.stacks[environment.state.id]["EnableTerminationProtection"] = True
    with pytest.raises(ProtectedError) as caught:
        find_doomed(environment.cloud.aws, environment.package, environment.state)
    assert caught.value.problems == [
        "payments-dev is not destroyed: what is deployed as payments-dev is durable, whatever params say now",
        "payments-dev is not destroyed: stack payments-dev has termination protection",
    ]


def test_a_stack_that_was_only_reviewed_has_no_template_to_ask(environment, stacks):
    stacks.stacks[environment.state.id]["StackStatus"] = "REVIEW_IN_PROGRESS"
    doomed = find_doomed(environment.cloud.aws, environment.package, environment.state)
    assert "GetTemplate" not in environment.cloud.calls
    assert doomed.account == "123456789012"


# --- what a person is asked ------------------------------------------------------------------------------------------
@pytest.fixture
def doomed(environment):
    return find_doomed(environment.cloud.aws, environment.package, environment.state)


def test_the_person_types_the_suffix(doomed):
    asked = []

    def answer(text):
        def ask(question):
            asked.append(question)
            return text

        return ask

    confirm(doomed, "dev", yes=False, named=None, ask=answer("dev\n"))
    assert asked == [
        "destroy payments-dev in account 123456789012, us-east-1: 4 resources; among them: "
        "1 DMS::ReplicationTask, 1 ElasticLoadBalancingV2::LoadBalancer, 1 S3::Bucket\n"
        "nothing of it can be brought back; type the suffix (dev) to go on: "
    ]
    for other in ("", "prod\n", "y\n"):
        with pytest.raises(DeclinedError) as caught:
            confirm(doomed, "dev", yes=False, named="dev", ask=answer(other))
        assert caught.value.exit_code == 3


def test_yes_must_name_what_it_destroys(doomed):
    confirm(doomed, "dev", yes=True, named="dev", ask=pytest.fail)
    for named in (None, "pr-1"):
        with pytest.raises(UsageError, match="must name what it destroys") as caught:
            confirm(doomed, "dev", yes=True, named=named, ask=pytest.fail)
        assert caught.value.hint == "say so: destroy --yes --suffix dev"


def test_a_stack_that_holds_nothing_says_so(cloud, stacks, package):
    stacks.add("payments-dev", template=package.templates["root"])
    found = find_doomed(cloud.aws, package, describe_stack(cloud.aws, "payments-dev"))
    assert str(found) == "destroy payments-dev in account 123456789012, us-east-1: 0 resources"


# --- destroying ------------------------------------------------------------------------------------------------------
def test_logs_stop_tasks_stop_buckets_are_emptied_and_then_the_stack_goes(environment):
    assert environment.destroy() == Destroyed(4, ())
    order = environment.cloud.order
    for first, then in (
        ("ModifyLoadBalancerAttributes", "DeleteObjects"),
        ("StopReplicationTask", "DeleteStack"),
        ("DeleteObjects", "DeleteStack"),
    ):
        assert order.index(first) < order.index(then)
    assert environment.held == {"reports": 0, PACKAGES: 0}
    assert environment.said == [
        "1 replication tasks run: stopping them",
        "3 objects deleted from the stack's buckets",
        f"2 uploaded files deleted from {PACKAGES}",
    ]
    assert environment.cloud.calls["DeleteStack"] == [{"StackName": environment.state.id}]
    assert environment.forgotten == ["/payments/dev/cutover/phase"]


def test_a_bucket_that_logs_have_filled_again_is_emptied_again(environment):
    environment.ends = [[("Reports", BUCKET, "The bucket you tried to delete is not empty")], []]
    deleted = environment._delete_stack

    def filled(StackName):
        if len(environment.ends) == 2:
            environment.held["reports"] = 1
        return deleted(StackName)

    environment.cloud.on(DeleteStack=filled)
    destroyed = environment.destroy()
    assert len(environment.cloud.calls["DeleteStack"]) == 2
    assert (destroyed.resources, destroyed.count) == (4, "4 resources")  # of both attempts
    assert environment.said[2:4] == [
        "a bucket was filled again meanwhile: once more, for what is left (1 resource)",
        "1 objects deleted from the stack's buckets",
    ]


def test_a_bucket_that_is_filled_for_ever_is_given_up(environment):
    environment.ends = [[("Reports", BUCKET, "not empty")]] * 3
    with pytest.raises(DeploymentFailedError) as caught:
        environment.destroy()
    assert len(environment.cloud.calls["DeleteStack"]) == 3
    assert "something still writes into the bucket" in caught.value.hint


def test_what_could_not_be_deleted_is_named_with_the_next_step(environment):
    environment.ends = [
        [
            ("Group", "AWS::EC2::SecurityGroup", "has a dependent object"),
            ("Alias", "AWS::KMS::Alias", "AccessDenied"),
            ("Odd", "AWS::SNS::Topic", "nobody knows"),
        ],
        [],
    ]
    with pytest.raises(DeploymentFailedError) as caught:
        environment.destroy()
    assert caught.value.problems == [
        "root.Group (EC2::SecurityGroup, group): delete failed: has a dependent object",
        "root.Alias (KMS::Alias, alias): delete failed: AccessDenied",
        "root.Odd (SNS::Topic, odd): delete failed: nobody knows",
        "payments-dev: the deletion ended with DELETE_FAILED",
    ]
    assert caught.value.hint.startswith("network interfaces of Lambda are given back up to 40 minutes")
    assert caught.value.hint.endswith("then destroy again: it goes on where it stopped")
    environment.statuses = ["stopped"]
    assert environment.destroy() == Destroyed(0, ())  # all that it held was gone by then


def test_a_stack_without_events_is_followed_too(environment, stacks):
    stacks.events.clear()
    assert environment.destroy() == Destroyed(4, ())


def test_what_the_stack_leaves_behind_is_not_counted_as_destroyed(environment, stacks):
    deleted = environment._delete_stack

    def kept(StackName):
        deleted(StackName)
        stacks.resources[StackName][0]["ResourceStatus"] = "DELETE_SKIPPED"
        return {}

    environment.cloud.on(DeleteStack=kept)
    destroyed = environment.destroy()
    assert destroyed.count == "3 resources"
    assert [remain.kept for remain in destroyed.remains] == [True]


def test_nothing_was_uploaded_for_what_was_never_deployed(environment):
    environment.held[PACKAGES] = 0
    delete_uploads(environment.cloud.aws, environment.package, environment.said.append)
    assert environment.said == []


# --- replication tasks -----------------------------------------------------------------------------------------------
def test_tasks_that_do_not_run_are_left_alone(environment):
    environment.statuses = ["ready"]
    stop_tasks(environment.cloud.aws, ["task-arn"], environment.said.append, environment.cloud.clock)
    assert environment.said == []
    assert "StopReplicationTask" not in environment.cloud.calls


@pytest.mark.parametrize("code", ["ResourceNotFoundFault", "AccessDeniedFault"])
def test_a_task_that_is_gone_runs_no_more(environment, refused, code):
    def refuse(**_):
        raise refused(code, "no")

    environment.cloud.on(DescribeReplicationTasks=refuse)
    if code == "ResourceNotFoundFault":
        stop_tasks(environment.cloud.aws, ["task-arn"], environment.said.append, environment.cloud.clock)
    else:
        with pytest.raises(AwsError, match="cannot describe replication task task-arn"):
            stop_tasks(environment.cloud.aws, ["task-arn"], environment.said.append, environment.cloud.clock)


@pytest.mark.parametrize("code", ["InvalidResourceStateFault", "AccessDeniedFault"])
def test_a_task_that_stops_by_itself_need_not_be_stopped(environment, refused, code):
    def refuse(**_):
        raise refused(code, "no")

    environment.cloud.on(StopReplicationTask=refuse)
    if code == "InvalidResourceStateFault":
        stop_tasks(environment.cloud.aws, ["task-arn"], environment.said.append, environment.cloud.clock)
        assert environment.statuses == ["stopped"]
    else:
        with pytest.raises(AwsError, match="cannot stop replication task task-arn"):
            stop_tasks(environment.cloud.aws, ["task-arn"], environment.said.append, environment.cloud.clock)


def test_a_task_that_never_stops_is_named(environment):
    environment.statuses = ["running"]
    with pytest.raises(AwsError) as caught:
        stop_tasks(environment.cloud.aws, ["task-arn"], environment.said.append, environment.cloud.clock)
    assert caught.value.problems == ["replication task task-arn does not stop"]
    assert environment.cloud.time >= 1800


# --- files -----------------------------------------------------------------------------------------------------------
def test_the_files_that_told_of_it_go_and_the_build_stays(package):
    record_deployed(package.folder, package, "123456789012")
    for name in ("flat-outputs.json", "review.json", "review.md", "review.html", "plan.md", "plan.html"):
        (package.folder / name).write_text("x")
    forget(package.folder)
    forget(package.folder)
    left = {path.relative_to(package.folder).as_posix() for path in package.folder.rglob("*") if path.is_file()}
    assert left == {*package.files, "manifest.json"}
