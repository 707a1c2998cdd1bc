from __future__ import annotations

from datetime import UTC, datetime

import pytest

from deployer.errors import AwsError
from deployer.recovery import StuckResource
from deployer.remains import find_remains
from deployer.stacks import describe_stack

UNTIL = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)


def had(logical_id, kind, physical_id):
    return StuckResource(f"database.{logical_id}", kind, physical_id, "CREATE_COMPLETE", "", logical_id)


RESOURCES = (
    had("Key", "AWS::KMS::Key", "key-1"),
    had("Secret", "AWS::SecretsManager::Secret", "secret-arn"),
    had("Logs", "AWS::Logs::LogGroup", "/payments/dev/service"),
    had("Cluster", "AWS::RDS::DBCluster", "payments-dev-database"),
    had("Topic", "AWS::SNS::Topic", "topic-arn"),
)


@pytest.fixture
def gone(cloud, stacks, refused):
    """A deleted stack of whose resources nothing is left; `gone(Operation=answer)` has something left."""
    stacks.add("payments-dev", "DELETE_COMPLETE")

    def missing(code):
        def handler(**_):
            raise refused(code)

        return handler

    def find(**left):
        answers = {
            "DescribeKey": missing("NotFoundException"),
            "DescribeSecret": missing("ResourceNotFoundException"),
            "DeleteLogGroup": missing("ResourceNotFoundException"),
            "DescribeLogGroups": lambda **_: {"logGroups": []},
            "DescribeDBClusterSnapshots": missing("DBClusterNotFoundFault"),
        }
        cloud.on(**answers | {name: lambda _answer=answer, **_: _answer for name, answer in left.items()})
        return [str(remain) for remain in find_remains(cloud.aws, describe_stack(cloud.aws, "payments-dev"), RESOURCES)]

    return find


def test_nothing_left_is_nothing_to_tell(gone):
    assert gone() == []


def test_a_key_waits_for_its_deletion(gone):
    key = {"KeyId": "key-1", "KeyState": "PendingDeletion", "DeletionDate": UNTIL}
    assert gone(DescribeKey={"KeyMetadata": key}) == [
        "database.Key: key key-1 is pending deletion until 2026-12-01T08:00:00.000Z; it costs nothing and encrypts "
        "nothing any more"
    ]
    assert gone(DescribeKey={"KeyMetadata": {"KeyId": "key-1", "KeyState": "Enabled"}}) == [
        "database.Key: key key-1 is Enabled; schedule its deletion by hand"
    ]


def test_a_secret_keeps_its_name_until_it_is_deleted(gone):
    again = "to use its name before: aws secretsmanager delete-secret --force-delete-without-recovery --secret-id a/b"
    assert gone(DescribeSecret={"Name": "a/b", "DeletedDate": UNTIL}) == [
        f"database.Secret: secret a/b is pending deletion until 2026-12-01T08:00:00.000Z; {again}"
    ]
    assert gone(DescribeSecret={"Name": "a/b"}) == [f"database.Secret: secret a/b is still there; {again}"]


def test_a_log_group_that_came_back_is_deleted_once_more(gone, cloud):
    assert gone(DeleteLogGroup={}) == []
    assert cloud.calls["DeleteLogGroup"] == [{"logGroupName": "/payments/dev/service"}]
    others = [{"logGroupName": "/payments/dev/service-other"}]
    assert gone(DescribeLogGroups={"logGroups": others}) == []
    assert gone(DescribeLogGroups={"logGroups": [*others, {"logGroupName": "/payments/dev/service"}]}) == [
        "database.Logs: log group /payments/dev/service is there again; its service still writes: "
        "aws logs delete-log-group --log-group-name /payments/dev/service"
    ]


def test_snapshots_outlive_their_cluster(gone):
    snapshots = [{"DBClusterSnapshotIdentifier": "before-the-cutover"}]
    assert gone(DescribeDBClusterSnapshots={"DBClusterSnapshots": snapshots}) == [
        "database.Cluster: snapshot before-the-cutover of payments-dev-database; it holds the data and costs; "
        "delete it when nobody wants it"
    ]


def test_what_was_retained_is_told(gone, stacks):
    stacks.hold("payments-dev", "Bucket", "AWS::S3::Bucket", "reports", "DELETE_SKIPPED")
    stacks.hold("payments-dev", "Gone", "AWS::S3::Bucket", "other", "DELETE_COMPLETE")
    assert gone() == ["root.Bucket: AWS::S3::Bucket reports was kept (DELETE_SKIPPED); delete it by hand"]


def test_what_may_not_be_asked_is_an_error(gone, cloud, refused):
    gone()

    def denied(**_):
        raise refused("AccessDenied", "no")

    cloud.on(DescribeKey=denied)
    with pytest.raises(AwsError, match="cannot look for what is left of database.Key"):
        find_remains(cloud.aws, describe_stack(cloud.aws, "payments-dev"), RESOURCES)
