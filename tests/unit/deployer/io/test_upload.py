"""Packaging: everything under the name of its content; uploading: only what is new."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from deployer.bucket import Bucket
from deployer.errors import AwsError, PackageError
from deployer.package_dir import Package, read_package
from deployer.upload import package_tree, template_argument, upload

BUCKET = Bucket("payments-packages-123456789012-us-east-1", "123456789012", "us-east-1")
BASE = "https://s3.us-east-1.amazonaws.com/b/payments-dev/"


def sha(data):
    return hashlib.sha256(data).hexdigest()


def package(tmp_path, templates, files=None):
    everything = {f"{tier}.template.json": json.dumps(template).encode() for tier, template in templates.items()}
    manifest = {"stack": "payments-dev", "suffix": "dev", "environment": "dev", "region": "us-east-1"}
    return Package(tmp_path, manifest, templates, everything | (files or {}), {})


def resources(**types):
    return {"Resources": {name: {"Type": kind, "Properties": properties} for name, (kind, properties) in types.items()}}


@pytest.fixture
def packaged(built_dev):
    return package_tree(read_package(built_dev / "dev"), "b", "us-east-1")


def test_a_file_that_nothing_rewrites_keeps_the_digest_of_the_build(built_dev, packaged):
    build = read_package(built_dev / "dev")
    digest = build.digests["database.template.json"]
    assert packaged.objects[f"payments-dev/database.{digest}.template.json"] == build.files["database.template.json"]
    assert (
        packaged.root["Resources"]["Database"]["Properties"]["TemplateURL"] == f"{BASE}database.{digest}.template.json"
    )


def test_code_is_rewritten_before_the_template_that_names_it_is_hashed(built_dev, packaged):
    build = read_package(built_dev / "dev")
    code = f"payments-dev/validator.{build.digests['assets/validator.zip']}.zip"
    assert packaged.objects[code] == build.files["assets/validator.zip"]
    validation = packaged.templates["validation"]
    assert validation["Resources"]["Function"]["Properties"]["Code"] == {"S3Bucket": "b", "S3Key": code}
    url = packaged.root["Resources"]["Validation"]["Properties"]["TemplateURL"]
    uploaded = packaged.objects[url.removeprefix("https://s3.us-east-1.amazonaws.com/b/")]
    assert json.loads(uploaded) == validation
    assert sha(uploaded) in url
    assert build.digests["validation.template.json"] not in url


def test_only_what_the_tree_names_is_packaged(built_dev, packaged):
    build = read_package(built_dev / "dev")
    assert packaged.templates.keys() == build.templates.keys() - {"account"}
    assert len(packaged.objects) == 13
    assert all(key.startswith(packaged.prefix) for key in packaged.objects)


def test_the_root_text_is_the_root_and_the_same_every_time(built_dev, packaged):
    again = package_tree(read_package(built_dev / "dev"), "b", "us-east-1")
    assert json.loads(packaged.root_text) == packaged.root == packaged.templates["root"]
    assert again == packaged
    assert template_argument(packaged) == {"TemplateBody": packaged.root_text}


def test_a_build_is_not_changed_by_packaging(built_dev):
    build = read_package(built_dev / "dev")
    package_tree(build, "b", "us-east-1")
    assert build.templates == read_package(built_dev / "dev").templates


@pytest.mark.parametrize(("surplus", "inline"), [(0, True), (1, False)])
def test_a_root_that_is_too_large_to_go_inline(tmp_path, surplus, inline):
    root = {"Description": "", "Resources": {}}
    size = len(package_tree(package(tmp_path, {"root": root}), "b", "us-east-1").root_text)
    large = package(
        tmp_path,
        {"root": {**root, "Description": "ü" * ((51_200 - size) // 2) + "x" * ((51_200 - size) % 2 + surplus)}},
    )
    packaged = package_tree(large, "b", "us-east-1")
    assert len(packaged.root_text.encode()) == 51_200 + surplus
    if inline:
        assert (packaged.root_url, packaged.objects) == ("", {})
        return
    digest = sha(packaged.root_text.encode())
    assert template_argument(packaged) == {"TemplateURL": f"{BASE}root.{digest}.template.json"}
    assert packaged.objects == {f"payments-dev/root.{digest}.template.json": packaged.root_text.encode()}


def test_every_code_location(tmp_path):
    files = {
        "assets/a.zip": b"zip",
        "assets/job.py": b"py",
        "assets/machine.asl.json": b"{}",
        "assets/schema.graphql": b"type",
    }
    root = resources(
        Function=("AWS::Lambda::Function", {"Code": "assets/a.zip"}),
        Layer=("AWS::Lambda::LayerVersion", {"Content": "./assets/a.zip"}),
        Job=("AWS::Glue::Job", {"Command": {"ScriptLocation": "assets/job.py"}}),
        Machine=("AWS::StepFunctions::StateMachine", {"DefinitionS3Location": "assets/machine.asl.json"}),
        Api=("AWS::ApiGateway::RestApi", {"BodyS3Location": "assets/machine.asl.json"}),
        Graph=("AWS::AppSync::GraphQLSchema", {"DefinitionS3Location": "assets/schema.graphql"}),
    )
    made = package_tree(package(tmp_path, {"root": root}, files), "b", "us-east-1")
    found = {name: body["Properties"] for name, body in made.root["Resources"].items()}
    zip_key = f"payments-dev/a.{sha(b'zip')}.zip"
    asl_key = f"payments-dev/machine.{sha(b'{}')}.asl.json"
    assert found == {
        "Function": {"Code": {"S3Bucket": "b", "S3Key": zip_key}},
        "Layer": {"Content": {"S3Bucket": "b", "S3Key": zip_key}},
        "Job": {"Command": {"ScriptLocation": f"s3://b/payments-dev/job.{sha(b'py')}.py"}},
        "Machine": {"DefinitionS3Location": {"Bucket": "b", "Key": asl_key}},
        "Api": {"BodyS3Location": {"Bucket": "b", "Key": asl_key}},
        "Graph": {"DefinitionS3Location": f"s3://b/payments-dev/schema.{sha(b'type')}.graphql"},
    }


def test_what_is_remote_or_inline_already_stays(tmp_path):
    root = resources(
        Function=("AWS::Lambda::Function", {"Code": {"ZipFile": "pass"}}),
        Job=("AWS::Glue::Job", {"Name": "no command"}),
        Nested=("AWS::CloudFormation::Stack", {"TemplateURL": "https://s3.amazonaws.com/other/template.json"}),
        Waiter=("AWS::CloudFormation::WaitConditionHandle", {}),
    )
    root["Resources"]["Waiter"].pop("Properties")
    made = package_tree(package(tmp_path, {"root": root}), "b", "us-east-1")
    assert (made.root, made.objects) == (root, {})


def test_a_tree_of_any_depth_where_two_name_the_same_child(tmp_path):
    nested = "AWS::CloudFormation::Stack"
    templates = {
        "root": resources(
            A=(nested, {"TemplateURL": "a.template.json"}),
            B=(nested, {"TemplateURL": "leaf.template.json"}),
        ),
        "a": resources(Leaf=(nested, {"TemplateURL": "leaf.template.json"})),
        "leaf": resources(Topic=("AWS::SNS::Topic", {})),
    }
    made = package_tree(package(tmp_path, templates), "b", "us-east-1")
    leaf = made.root["Resources"]["B"]["Properties"]["TemplateURL"]
    assert made.templates["a"]["Resources"]["Leaf"]["Properties"]["TemplateURL"] == leaf
    assert len(made.objects) == 2


def test_a_path_that_names_no_file(tmp_path):
    root = resources(Function=("AWS::Lambda::Function", {"Code": "assets/gone.zip"}))
    with pytest.raises(PackageError, match=r"root.template.json: Function.Code names assets/gone.zip") as error:
        package_tree(package(tmp_path, {"root": root}), "b", "us-east-1")
    assert "build.py --env dev" in error.value.hint


def test_china_has_a_domain_of_its_own(tmp_path):
    templates = {
        "root": resources(A=("AWS::CloudFormation::Stack", {"TemplateURL": "a.template.json"})),
        "a": resources(Topic=("AWS::SNS::Topic", {})),
    }
    made = package_tree(package(tmp_path, templates), "b", "cn-north-1")
    url = made.root["Resources"]["A"]["Properties"]["TemplateURL"]
    assert url.startswith("https://s3.cn-north-1.amazonaws.com.cn/b/payments-dev/a.")


# --- uploading --------------------------------------------------------------------------------------------------------
def held(packaged, without=()):
    return {
        "Contents": [{"Key": key, "Size": len(data)} for key, data in packaged.objects.items() if key not in without]
    }


def test_what_is_there_costs_one_listing(script, packaged):
    script("list_objects_v2", held(packaged), Prefix="payments-dev/", ExpectedBucketOwner="123456789012")
    assert upload(script.aws, BUCKET, packaged) == 0


def test_only_what_is_new_or_damaged_is_uploaded_and_its_content_is_verified(script, packaged):
    first, second, *_ = packaged.objects
    answer = held(packaged, without=[first])
    answer["Contents"][0]["Size"] -= 1  # an object of another size is not ours
    script("list_objects_v2", answer)
    for key in (first, second):
        data = packaged.objects[key]
        script(
            "put_object",
            {},
            Bucket=BUCKET.name,
            Key=key,
            Body=data,
            ChecksumSHA256=base64.b64encode(hashlib.sha256(data).digest()).decode(),
            ExpectedBucketOwner="123456789012",
        )
    assert upload(script.aws, BUCKET, packaged) == 2


def test_the_first_upload_makes_the_bucket(script, packaged):
    script.fail("list_objects_v2", "NoSuchBucket", status=404)
    script("create_bucket", {})
    script("get_caller_identity", {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/a", "UserId": "A"})
    for operation in ("public_access_block", "bucket_ownership_controls", "bucket_encryption", "bucket_versioning"):
        script(f"put_{operation}")
    for operation in ("bucket_policy", "bucket_lifecycle_configuration", "bucket_tagging"):
        script(f"put_{operation}")
    script("put_object", {}, times=13)
    assert upload(script.aws, BUCKET, packaged, {"Environment": "dev"}) == 13
    kinds = {call["ContentType"] for call in script.arguments("put_object")}
    assert kinds == {"application/json", "application/octet-stream"}


def test_an_empty_prefix_looks_whether_the_bucket_is_complete(script, packaged):
    script("list_objects_v2", {})
    script("get_bucket_tagging", {"TagSet": [{"Key": "PackageBucketConfigured", "Value": "true"}]})
    script("put_object", {}, times=13)
    assert upload(script.aws, BUCKET, packaged) == 13


def test_an_upload_that_is_refused_names_the_object(script, packaged):
    key = next(iter(packaged.objects))
    script("list_objects_v2", held(packaged, without=[key]))
    script.fail("put_object", "BadDigest", "The SHA256 you specified did not match")
    with pytest.raises(AwsError, match=f"cannot upload s3://{BUCKET.name}/{key}: .*BadDigest"):
        upload(script.aws, BUCKET, packaged)
