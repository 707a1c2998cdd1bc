"""S3: buckets, each setting by a call of its own, and their policies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from localaws.providers.base import Provider
from localaws.providers.shapes import observe, place
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import Custom, Look, Removal, Setting, Work, is_gone, same

# A rule of a lifecycle: a template's flat names, and where the API has them.
_LIFECYCLE = {
    "ExpirationInDays": "Expiration.Days",
    "ExpirationDate": "Expiration.Date",
    "ExpiredObjectDeleteMarker": "Expiration.ExpiredObjectDeleteMarker",
    "Prefix": "Filter.Prefix",
}


def _encryption(value: Mapping[str, Any]) -> dict[str, Any]:
    rules = []
    for rule in value["ServerSideEncryptionConfiguration"]:
        renamed = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}
        rules.append({renamed.get(name, name): item for name, item in rule.items()})
    return {"Rules": rules}


def _transitions(given: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"Days": each["TransitionInDays"], "StorageClass": each["StorageClass"]} for each in given]


def _lifecycle(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Rules in the API's form, which demands that each says what it is for: everything, if nothing else.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html
    """
    rules = []
    for rule in configuration["Rules"]:
        written: dict[str, Any] = {"Filter": {"Prefix": ""}}
        for name, item in rule.items():
            value = _transitions(item) if name == "Transitions" else item
            place(written, _LIFECYCLE.get(name, name), value)
        rules.append(written)
    return {"Rules": rules}


def _logging(value: Mapping[str, Any]) -> dict[str, Any]:
    enabled = {"TargetBucket": value["DestinationBucketName"], "TargetPrefix": value.get("LogFilePrefix", "")}
    return {"LoggingEnabled": enabled}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facet:
    """One setting of a bucket: put, got and taken away by operations of its own; `form` writes it as the API does."""

    put: str
    parameter: str
    get: str
    answer: str = ""
    form: Callable[[Any], Any] = lambda value: value
    delete: str = ""
    off: Any = None

    def apply(self, work: Work, name: str) -> None:
        """Put the setting; take it away, or put what stands for its absence, where the template has it no longer."""
        if name in work.after:
            work.call(self.put, {"Bucket": work.physical_id, self.parameter: self.form(work.after[name])})
        elif self.delete:
            work.call(self.delete, Bucket=work.physical_id)
        else:
            work.call(self.put, {"Bucket": work.physical_id, self.parameter: self.off})

    def told(self, work: Work, name: str) -> Any:
        """The template's own value where the bucket has it, else what the bucket has, in the API's form."""
        try:
            answer = work.call(self.get, Bucket=work.physical_id)
        except ClientError as error:
            if not is_gone(error):
                raise
            answer = {}
        given = work.after[name]
        wanted, actual = self.form(given), answer.get(self.answer, {}) if self.answer else answer
        return given if observe(wanted, actual) == wanted else actual


_FACETS = {
    "BucketEncryption": _Facet(
        put="PutBucketEncryption",
        parameter="ServerSideEncryptionConfiguration",
        get="GetBucketEncryption",
        answer="ServerSideEncryptionConfiguration",
        form=_encryption,
        delete="DeleteBucketEncryption",
    ),
    "LifecycleConfiguration": _Facet(
        put="PutBucketLifecycleConfiguration",
        parameter="LifecycleConfiguration",
        get="GetBucketLifecycleConfiguration",
        form=_lifecycle,
        delete="DeleteBucketLifecycle",
    ),
    "LoggingConfiguration": _Facet(
        put="PutBucketLogging", parameter="BucketLoggingStatus", get="GetBucketLogging", form=_logging, off={}
    ),
    "OwnershipControls": _Facet(
        put="PutBucketOwnershipControls",
        parameter="OwnershipControls",
        get="GetBucketOwnershipControls",
        answer="OwnershipControls",
        delete="DeleteBucketOwnershipControls",
    ),
    "PublicAccessBlockConfiguration": _Facet(
        put="PutPublicAccessBlock",
        parameter="PublicAccessBlockConfiguration",
        get="GetPublicAccessBlock",
        answer="PublicAccessBlockConfiguration",
        delete="DeletePublicAccessBlock",
    ),
    "VersioningConfiguration": _Facet(
        put="PutBucketVersioning",
        parameter="VersioningConfiguration",
        get="GetBucketVersioning",
        off={"Status": "Suspended"},
    ),
}


def _step(name: str, facet: _Facet) -> Custom:
    return Custom(
        properties=frozenset({name}),
        calls={facet.put: ("Bucket", facet.parameter)} | ({facet.delete: ("Bucket",)} if facet.delete else {}),
        function=lambda work: facet.apply(work, name),
        creates=True,
    )


def _make(work: Work, values: dict[str, Any]) -> Mapping[str, Any]:
    """A bucket outside us-east-1 says where it stands, one inside must not.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    """
    region = work.context.region
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    work.call("CreateBucket", {**values, **where})
    return {"Bucket": values["Bucket"]}


_FIND = Look(operation="HeadBucket", key="Bucket", path="")


def _look(work: Work) -> Mapping[str, Any] | None:
    """That it is there, and its names.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
    """
    if _FIND(work) is None:
        return None
    name, region = work.physical_id, work.context.region
    return {
        "BucketName": name,
        "Arn": f"arn:aws:s3:::{name}",
        "DomainName": f"{name}.s3.amazonaws.com",
        "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
        "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
        "WebsiteURL": f"http://{name}.s3-website-{region}.amazonaws.com",
    }


def _bucket_extras(work: Work) -> Mapping[str, Any]:
    return {name: facet.told(work, name) for name, facet in _FACETS.items() if name in work.after}


BUCKET = Row(
    type="AWS::S3::Bucket",
    service="s3",
    make=_make,
    sends={"BucketName": "Bucket"},
    named="BucketName",
    name_limit=63,
    name_lower=True,
    exclusive=True,
    physical="Bucket",
    complete=False,
    look=_look,
    attributes=same("Arn DomainName DualStackDomainName RegionalDomainName WebsiteURL"),
    steps=tuple(_step(name, facet) for name, facet in _FACETS.items()),
    remove=Removal(operation="DeleteBucket", key="Bucket"),
    # The service refuses tags of the reserved kind from everybody but CloudFormation itself.
    tags=Tags(
        create=None,
        tag="PutBucketTagging",
        untag="DeleteBucketTagging",
        key="Bucket",
        tags="Tagging.TagSet",
        whole=True,
        lists="GetBucketTagging",
        read="TagSet",
        takes_reserved=False,
    ),
    extend=_bucket_extras,
)

POLICY = Row(
    type="AWS::S3::BucketPolicy",
    service="s3",
    create_operation="PutBucketPolicy",
    sends={"Bucket": "Bucket", "PolicyDocument": "Policy"},
    named="Bucket",
    exclusive=True,
    complete=False,
    look=Look(operation="GetBucketPolicy", key="Bucket", path=""),
    steps=(Setting(operation="PutBucketPolicy", key="Bucket", sends={"PolicyDocument": "Policy"}),),
    remove=Removal(operation="DeleteBucketPolicy", key="Bucket"),
    reads={"Bucket": None},
)

PROVIDERS: Mapping[str, Provider] = {row.type: row for row in (BUCKET, POLICY)}
