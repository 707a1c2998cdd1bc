from __future__ import annotations

import pytest

from deployer.forecast.evaluation import Side, tier_of
from deployer.forecast.values import NO_VALUE, Attribute, Call, Fixed, Text

QUEUE = {"Type": "AWS::SQS::Queue"}
BUCKET = Attribute("root.Bucket", "Ref")


def side(template=None, *, region="us-east-1", **others):
    root = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {}}}, **(template or {})}
    return Side({"root": root, **others}, stack_name="payments-dev", region=region)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("text", "text"),
        ({"Ref": "Bucket"}, BUCKET),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, Attribute("root.Bucket", "Arn")),
        ({"Fn::GetAtt": "Bucket.Arn"}, Attribute("root.Bucket", "Arn")),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Ref": "AWS::Partition"}, "aws"),
        ({"Ref": "AWS::URLSuffix"}, "amazonaws.com"),
        ({"Ref": "AWS::StackName"}, "payments-dev"),
        ({"Ref": "AWS::AccountId"}, Fixed("AWS::AccountId")),
        ({"Ref": "AWS::StackId"}, Fixed("root: AWS::StackId")),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}]}, {"b": [1]}),
        ({"Fn::Join": ["-", ["a", {"Ref": "AWS::Region"}]]}, "a-us-east-1"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Bucket"}, "b"]]}, Text(("a-", BUCKET, "-b"))),
        ({"Fn::Join": ["-", {"Fn::GetAZs": ""}]}, Call("Fn::Join", ["-", Call("Fn::GetAZs", "")])),
        ({"Fn::Sub": "${Bucket}/${!literal}/${AWS::Region}"}, Text((BUCKET, "/${literal}/us-east-1"))),
        ({"Fn::Sub": "${Bucket.Arn}"}, Attribute("root.Bucket", "Arn")),
        ({"Fn::Sub": ["${x}-${ y }", {"x": "a", "y": {"Ref": "Bucket"}}]}, Text(("a-", BUCKET))),
        ({"Fn::Select": [1, ["a", "b"]]}, "b"),
        ({"Fn::Select": ["1", {"Fn::Split": [",", "a,b"]}]}, "b"),
        ({"Fn::Select": [2, ["a", "b"]]}, Call("Fn::Select", [2, ["a", "b"]])),
        ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, Call("Fn::Select", [0, Call("Fn::GetAZs", "")])),
        ({"Fn::Split": [",", {"Ref": "Bucket"}]}, Call("Fn::Split", [",", BUCKET])),
        ({"Fn::Base64": "x"}, "eA=="),
        ({"Fn::Base64": {"Ref": "Bucket"}}, Call("Fn::Base64", BUCKET)),
        ({"Fn::Length": [1, 2]}, 2),
        ({"Fn::Length": {"Ref": "Bucket"}}, Call("Fn::Length", BUCKET)),
        ({"Fn::ToJsonString": {"a": 1}}, '{"a":1}'),
        ({"Fn::ToJsonString": [{"Ref": "Bucket"}]}, Call("Fn::ToJsonString", [BUCKET])),
        ({"Fn::ToJsonString": {"Ref": "AWS::NoValue"}}, Call("Fn::ToJsonString", NO_VALUE)),
        ({"Fn::ImportValue": "x"}, Call("Fn::ImportValue", "x")),
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, Call("Fn::Cidr", ["10.0.0.0/16", 2, 8])),
    ],
)
def test_functions_are_evaluated_as_far_as_their_arguments_are_known(expression, value):
    assert side().evaluate("root", expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Ref": {"Fn::Sub": "Buck${AWS::Region}"}}, Call("Ref", "Buckus-east-1")),
        ({"Fn::GetAtt": [{"Ref": "Bucket"}, "Arn"]}, Call("Fn::GetAtt", [BUCKET, "Arn"])),
        ({"Fn::GetAtt": ["Bucket", {"Ref": "Bucket"}]}, Call("Fn::GetAtt", ["Bucket", BUCKET])),
    ],
)
def test_a_name_that_a_function_makes_is_known_to_aws_alone(expression, value):
    found = side()
    assert found.evaluate("root", expression) == value
    assert found.notes == [f"root: {next(iter(expression))} is not evaluated offline"]


@pytest.mark.parametrize("index", ["-1", "x", "٣x", {"Ref": "Bucket"}])
def test_an_index_that_is_none_selects_nothing(index):
    found = side().evaluate("root", {"Fn::Select": [{"Fn::Join": ["", [index]]}, ["a", "b"]]})
    assert isinstance(found, Call)


def test_a_property_that_is_made_of_itself_is_not_known():
    vpc = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": {"Fn::GetAtt": ["Vpc", "CidrBlock"]}}}
    found = side({"Resources": {"Vpc": vpc}})
    assert found.resource("root.Vpc").properties == {"CidrBlock": Fixed("root.Vpc.CidrBlock")}
    assert found.notes == ["root.Vpc.CidrBlock hangs on itself"]


def test_properties_that_a_function_makes_are_not_known():
    found = side({"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"Fn::GetAZs": ""}}}})
    assert found.resource("root.Topic").properties == {}
    assert found.notes == ["root.Topic: its properties are made by a function, and not known offline"]


def test_an_unknown_function_is_kept_and_told_of_once():
    found = side()
    assert found.evaluate("root", {"Fn::Magic": "x"}) == Call("Fn::Magic", "x")
    found.evaluate("root", {"Fn::Magic": "y"})
    assert found.notes == ["root: Fn::Magic is not evaluated offline"]


@pytest.mark.parametrize(
    ("region", "partition", "domain"),
    [("cn-north-1", "aws-cn", "amazonaws.com.cn"), ("us-gov-west-1", "aws-us-gov", "amazonaws.com")],
)
def test_a_region_tells_its_partition(region, partition, domain):
    assert side(region=region).evaluate("root", [{"Ref": "AWS::Partition"}, {"Ref": "AWS::URLSuffix"}]) == [
        partition,
        domain,
    ]


def test_a_property_that_the_template_sets_is_known_as_an_attribute_too():
    vpc = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}
    found = side({"Resources": {"Vpc": vpc}})
    assert found.evaluate("root", {"Fn::GetAtt": ["Vpc", "CidrBlock"]}) == "10.0.0.0/16"
    assert found.evaluate("root", {"Fn::GetAtt": ["Vpc", "VpcId"]}) == Attribute("root.Vpc", "VpcId")
    assert found.evaluate("root", {"Fn::GetAtt": ["Nowhere", "Arn"]}) == Attribute("root.Nowhere", "Arn")


# --- conditions and mappings -----------------------------------------------------------------------------------------
CONDITIONS = {
    "Yes": {"Fn::Equals": ["a", "a"]},
    "No": {"Fn::Not": [{"Condition": "Yes"}]},
    "Both": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]},
    "Either": {"Fn::Or": [{"Condition": "Yes"}, {"Condition": "Unknown"}]},
    "Every": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "Yes"}]},
    "None": {"Fn::Or": [{"Condition": "No"}, {"Condition": "No"}]},
    "Number": {"Fn::Equals": [1, "1"]},
    "Same": {"Fn::Equals": [{"Ref": "AWS::AccountId"}, {"Ref": "AWS::AccountId"}]},
    "Unknown": {"Fn::Equals": [{"Ref": "AWS::AccountId"}, "123456789012"]},
    "NotUnknown": {"Fn::Not": [{"Condition": "Unknown"}]},
    "AndUnknown": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "Unknown"}]},
    "Circle": {"Condition": "Circle"},
    "Odd": {"Fn::Magic": "x"},
    "OddText": "true",
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Yes", True),
        ("No", False),
        ("Both", False),
        ("Either", True),
        ("Every", True),
        ("None", False),
        ("Number", True),
        ("Same", True),
        ("Circle", Call("Condition", "Circle")),
        ("Undefined", Call("Condition", "Undefined")),
        ("OddText", Call("Condition", "true")),
    ],
)
def test_conditions_are_evaluated(name, value):
    assert side({"Conditions": CONDITIONS}).condition("root", name) == value


def test_a_condition_that_hangs_on_what_is_not_known_is_not_known():
    found = side({"Conditions": CONDITIONS})
    unknown = Call("Fn::Equals", [Fixed("AWS::AccountId"), "123456789012"])
    assert found.condition("root", "Unknown") == unknown
    assert found.condition("root", "NotUnknown") == Call("Fn::Not", unknown)
    assert found.condition("root", "AndUnknown") == Call("Fn::And", [unknown])
    assert found.condition("root", "Odd") == Call("Condition", Call("Fn::Magic", "x"))
    branches = {"Fn::If": ["Unknown", 1, {"Ref": "AWS::NoValue"}]}
    assert found.evaluate("root", {"a": branches})["a"].argument[:2] == [unknown, 1]


def test_a_branch_and_a_resource_are_there_as_their_condition_says():
    resources = {name: {**QUEUE, "Condition": name} for name in ("Yes", "No", "Unknown")}
    found = side({"Conditions": CONDITIONS, "Resources": resources})
    assert found.evaluate("root", {"Fn::If": ["Yes", "a", "b"]}) == "a"
    assert found.evaluate("root", [{"Fn::If": ["No", "a", {"Ref": "AWS::NoValue"}]}]) == []
    assert found.resource("root.Yes").type == "AWS::SQS::Queue"
    assert found.resource("root.No") is None
    assert found.resource("root.Unknown") is not None
    assert found.resource("nowhere.Yes") is None
    assert found.notes == ["root: whether condition Unknown holds is not known; it is taken to hold"]


def test_mappings_are_looked_up():
    found = side({"Mappings": {"Sizes": {"us-east-1": {"dev": "small"}}}})

    def look(*keys):
        return found.evaluate("root", {"Fn::FindInMap": ["Sizes", *keys]})

    assert look({"Ref": "AWS::Region"}, "dev") == "small"
    assert look("us-east-1", "prod", {"DefaultValue": "large"}) == "large"
    assert look("us-east-1", "prod") == Call("Fn::FindInMap", ["Sizes", "us-east-1", "prod"])
    assert look("us-east-1", "dev", "deeper") == "small"
    assert look({"Ref": "Bucket"}, "dev") == Call("Fn::FindInMap", ["Sizes", BUCKET, "dev"])
    nothing = Call("Fn::FindInMap", ["Other", "a", "b"])
    assert found.evaluate("root", {"Fn::FindInMap": ["Other", "a", "b"]}) == nothing


# --- parameters and nested stacks ------------------------------------------------------------------------------------
def nested(url, **parameters):
    return {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url, "Parameters": parameters}}


def test_a_value_is_followed_through_outputs_and_parameters():
    network = {
        "Resources": {"Vpc": {"Type": "AWS::EC2::VPC"}},
        "Outputs": {"VpcId": {"Value": {"Ref": "Vpc"}}, "Zone": {"Value": "use1-az1"}},
    }
    security = {
        "Parameters": {"VpcId": {"Type": "String"}, "Zone": {"Type": "String"}, "Port": {"Default": 443}},
        "Resources": {"Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"VpcId": {"Ref": "VpcId"}}}},
    }
    given = {name: {"Fn::GetAtt": ["Network", f"Outputs.{name}"]} for name in ("VpcId", "Zone")}
    root = {
        "Resources": {
            "Security": nested("https://s3.us-east-1.amazonaws.com/b/x/security.0a1b.template.json", **given),
            "Network": nested("network.template.json"),
        }
    }
    found = side(root, network=network, security=security)
    assert list(found.stacks) == ["root", "security", "network"]
    assert found.owners == {("root", "Security"): "security", ("root", "Network"): "network"}
    assert found.stacks["security"].name == "payments-dev-Security"
    assert found.resource("security.Group").properties == {"VpcId": Attribute("network.Vpc", "Ref")}
    assert found.evaluate("security", [{"Ref": "Zone"}, {"Ref": "Port"}]) == ["use1-az1", 443]
    assert found.evaluate("security", {"Ref": "AWS::StackName"}) == Fixed("security: AWS::StackName")
    assert found.notes == []


def test_stacks_are_named_as_on_the_other_side():
    child = {"Resources": {"Queue": QUEUE}}
    templates = {"root": {"Resources": {"Queues": nested("old.template.json")}}, "old": child}
    found = Side(templates, stack_name="x", region="us-east-1", names={("root", "Queues"): "new"})
    assert found.resource("new.Queue") is not None
    assert found.stacks["new"].template is child


def test_what_is_missing_is_told():
    network = {"Parameters": {"Loop": {}}, "Resources": {}, "Outputs": {"Loop": {"Value": {"Ref": "Loop"}}}}
    loop = {"Fn::GetAtt": ["Network", "Outputs.Loop"]}
    root = {
        "Resources": {
            "Network": nested("network.template.json", Loop=loop),
            "Again": nested("network.template.json"),
            "Other": nested("other.template.json"),
            "Nameless": {"Type": "AWS::CloudFormation::Stack"},
        },
        "Parameters": {"Needed": {"Type": "String"}},
    }
    found = side(root, network=network)
    assert found.evaluate("root", {"Fn::GetAtt": ["Other", "Outputs.X"]}) == Attribute("root.Other", "Outputs.X")
    assert found.evaluate("root", {"Fn::GetAtt": ["Network", "Outputs.X"]}) == Fixed("network.Outputs.X")
    assert found.evaluate("root", {"Ref": "Needed"}) == Fixed("root.Needed")
    assert found.evaluate("root", loop) == Fixed("network.Outputs.Loop")
    assert found.notes == [
        "root.Again: its template (network) is another stack's too",
        "root.Other: its template (other) is not known",
        "root.Nameless: its template (none named) is not known",
        "network.Outputs.Loop hangs on itself",
        "network gives no output X",
        "root: the value of parameter Needed is not known; it is taken to stay as it is",
    ]


def test_parameters_have_the_form_of_their_type():
    parameters = {
        "List": {"Type": "CommaDelimitedList", "Default": "a, b"},
        "Ids": {"Type": "List<AWS::EC2::Subnet::Id>", "Default": ["x"]},
        "Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a"},
    }
    found = side({"Parameters": parameters})
    assert found.evaluate("root", [{"Ref": name} for name in parameters]) == [["a", "b"], ["x"], Fixed("ssm:/a")]
    assert found.notes == ["root: parameter Stored is read from Systems Manager at deployment, and may have changed"]


def test_a_tier_is_told_by_the_file_that_a_nested_stack_names():
    assert tier_of(nested("https://s3/b/payments-dev/database.0123.template.json")) == "database"
    assert tier_of({}) == ""


def test_no_templates_are_no_stacks():
    found = Side({}, stack_name="x", region="us-east-1")
    assert found.stacks == {}
    assert found.resource("root.Bucket") is None
