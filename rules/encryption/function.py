"""E9143: a function's environment under a key that is not ours."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource


class FunctionEnvironmentKey(HouseRule):
    """A function without variables needs no key."""

    id = "E9143"
    shortdesc = "Lambda environment without a customer managed key"
    description = "Variables name hosts, secrets and buckets; KmsKeyArn decides who may read them"
    source_url = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html"
    tags = ["house", "encryption"]
    fix = "set KmsKeyArn to data_key_arn"
    types = ("AWS::Lambda::Function",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        if resource.at("Environment", "Variables") and not resource.at("KmsKeyArn"):
            yield resource.finding("KmsKeyArn names no key for the environment", "KmsKeyArn")
