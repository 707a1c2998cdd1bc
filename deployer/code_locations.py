"""Where a template names a file beside it: the places that `aws cloudformation package` uploads and rewrites.

Those of our kind of system; a type with code that stands in none of them keeps its local path, and cfn-lint or
CloudFormation refuses it.
https://docs.aws.amazon.com/cli/latest/reference/cloudformation/package.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Location:
    """`path` leads from the resource's properties to the local path, `form` makes what stands there afterwards."""

    path: tuple[str, ...]
    form: Callable[[str, str, str], Any]  # bucket, key, url


def _s3_bucket(bucket: str, key: str, _url: str) -> dict[str, str]:
    return {"S3Bucket": bucket, "S3Key": key}


def _bucket(bucket: str, key: str, _url: str) -> dict[str, str]:
    return {"Bucket": bucket, "Key": key}


def _s3_url(bucket: str, key: str, _url: str) -> str:
    return f"s3://{bucket}/{key}"


def _https_url(_bucket: str, _key: str, url: str) -> str:
    return url


LOCATIONS: dict[str, tuple[Location, ...]] = {
    "AWS::ApiGateway::RestApi": (Location(("BodyS3Location",), _bucket),),
    "AWS::AppSync::GraphQLSchema": (Location(("DefinitionS3Location",), _s3_url),),
    "AWS::CloudFormation::Stack": (Location(("TemplateURL",), _https_url),),
    "AWS::Glue::Job": (Location(("Command", "ScriptLocation"), _s3_url),),
    "AWS::Lambda::Function": (Location(("Code",), _s3_bucket),),
    "AWS::Lambda::LayerVersion": (Location(("Content",), _s3_bucket),),
    "AWS::StepFunctions::StateMachine": (Location(("DefinitionS3Location",), _bucket),),
}
REMOTE = ("https://", "http://", "s3://")
