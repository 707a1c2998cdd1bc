"""Values between CloudFormation's form and a service's, against botocore's own models."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
import pytest

from localaws.providers.base import ProviderError
from localaws.providers.shapes import at, call, fit, observe, place
from localaws.providers.tags import Tags, as_mapping
from tests.unit.localaws.providers.conftest import World


@cache
def shape(service: str, operation: str, member: str = "") -> Any:
    found = botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape
    return found.members[member] if member else found


class TestFit:
    def test_names_are_found_whatever_their_case(self) -> None:
        given = {"ClusterName": "payments", "Settings": [{"Name": "containerInsights", "Value": "enabled"}]}
        wanted = {"clusterName": "payments", "settings": [{"name": "containerInsights", "value": "enabled"}]}
        assert fit(given, shape("ecs", "CreateCluster"), "CreateCluster") == wanted

    @pytest.mark.parametrize(
        ("service", "operation", "member", "given", "wanted"),
        [
            ("rds", "CreateDBCluster", "Port", "5432", 5432),
            ("rds", "CreateDBCluster", "StorageEncrypted", "true", True),
            ("rds", "CreateDBCluster", "StorageEncrypted", False, False),
            ("cloudwatch", "PutMetricAlarm", "Threshold", "0.5", 0.5),
            ("ec2", "CreateVpnGateway", "AmazonSideAsn", "64512", 64512),
            ("iam", "CreateRole", "AssumeRolePolicyDocument", {"Version": "x"}, '{"Version":"x"}'),
            ("elbv2", "CreateLoadBalancer", "Name", 7, "7"),
            (
                "sns",
                "CreateTopic",
                "Attributes",
                {"FifoTopic": True, "Policy": {}},
                {"FifoTopic": "true", "Policy": "{}"},
            ),
            ("lambda", "UpdateFunctionCode", "ZipFile", "text", b"text"),
            ("lambda", "UpdateFunctionCode", "ZipFile", b"bytes", b"bytes"),
            ("ec2", "DescribeVpcs", "VpcIds", "vpc-1", ["vpc-1"]),
        ],
    )
    def test_values_are_cast(self, service: str, operation: str, member: str, given: Any, wanted: Any) -> None:
        assert fit(given, shape(service, operation, member), "x") == wanted

    def test_documents_go_through_as_they_are(self) -> None:
        document = shape("bedrock-runtime", "Converse", "additionalModelRequestFields")
        assert fit({"Any": {"thing": 1}}, document, "x") == {"Any": {"thing": 1}}

    @pytest.mark.parametrize(
        ("member", "given", "message"),
        [
            ("Port", "many", "CreateDBCluster/Port: 'many' is no integer"),
            ("StorageEncrypted", "perhaps", "CreateDBCluster/StorageEncrypted: 'perhaps' is no boolean"),
            ("ScalingConfiguration", "x", "CreateDBCluster/ScalingConfiguration: expected an object, not str"),
            ("Nothing", 1, "CreateDBCluster/Nothing: the service knows no such parameter"),
            ("ScalingConfiguration", {"Odd": 1}, "CreateDBCluster/ScalingConfiguration/Odd: the service knows"),
            ("Tags", [{"Key": "a"}, {"Odd": 1}], "CreateDBCluster/Tags/1/Odd: the service knows"),
        ],
    )
    def test_what_does_not_fit_is_named(self, member: str, given: Any, message: str) -> None:
        with pytest.raises(ProviderError, match=message) as caught:
            fit({member: given}, shape("rds", "CreateDBCluster"), "CreateDBCluster")
        assert caught.value.code == "ValidationError"


def test_what_botocore_refuses_is_a_provider_s_error(world: World) -> None:
    with pytest.raises(
        ProviderError, match=r"DescribeKey: (?s:.*)Missing required parameter in input: .KeyId"
    ) as caught:
        call(world.clients("kms"), "DescribeKey", {})
    assert caught.value.code == "InternalFailure"


class TestObserve:
    @pytest.mark.parametrize(
        ("given", "actual", "seen"),
        [
            ("5432", 5432, "5432"),
            (60, 60.0, 60),
            ("true", True, "true"),
            ("a", "b", "b"),
            ("many", 3, 3),
            (True, False, False),
            ({"Statement": []}, '{"Statement": []}', {"Statement": []}),
            ({"Statement": []}, "no document", "no document"),
            ({"a": 1}, [1], [1]),
            (["x"], None, None),
            ({"Name": "a"}, {"name": "a", "extra": 1}, {"Name": "a"}),
            ({"Name": "a", "Gone": 1}, {"name": "a"}, {"Name": "a"}),
            ({"Name": "a"}, {"name": "b"}, {"Name": "b"}),
            ([1, 2], [2, 1], [1, 2]),
            ([1, 2], [2], [2]),
            ([1], [1, 2], [1, 2]),
            ([{"Name": "a"}], [{"name": "b", "some": {"deep": [1]}}], [{"Name": "b"}]),
            ([], [{"name": "b", "some": {"deep": [1]}}], [{"Name": "b", "Some": {"Deep": [1]}}]),
            (
                [{"Port": 1}, {"Port": 2}, {"Port": 3}],
                [{"port": 3}, {"port": 1}, {"port": 9}],
                [{"Port": 1}, {"Port": 9}, {"Port": 3}],
            ),
        ],
    )
    def test_what_an_answer_says(self, given: Any, actual: Any, seen: Any) -> None:
        assert observe(given, actual) == seen


def test_places() -> None:
    parameters: dict[str, Any] = {}
    place(parameters, "Options.StaticRoutesOnly", value=True)
    place(parameters, "Options.TunnelOptions", [1])
    place(parameters, "ResourceIds[]", "vpc-1")
    assert parameters == {"Options": {"StaticRoutesOnly": True, "TunnelOptions": [1]}, "ResourceIds": ["vpc-1"]}
    assert at(parameters, "Options.TunnelOptions.0") == 1
    assert at(parameters, "ResourceIds.1") is None
    assert at(parameters, "ResourceIds.x") is None
    assert at(parameters, "Options.Nothing.More") is None
    assert at(parameters, "") is parameters


@pytest.mark.parametrize(
    "tags",
    [{"a": "1"}, [{"Key": "a", "Value": "1"}], [{"key": "a", "value": "1"}], [{"TagKey": "a", "TagValue": "1"}]],
)
def test_tags_of_any_form(tags: Any) -> None:
    assert as_mapping(tags) == {"a": "1"}


def test_tags_that_aws_reserves_are_kept_from_services_that_refuse_them(world: World) -> None:
    form = Tags(tag="", untag="", key="", takes_reserved=False)
    assert form.wanted({}, world.context("A")) == {"CostCenter": "finance"}
