"""E9140: data under a key that is not ours."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import UNKNOWN
from rules.data.encryption_keys import KEY_PROPERTIES


class NoCustomerKey(HouseRule):
    """The AWS managed keys (alias/aws/…) count as none: who may use them is not ours to say."""

    id = "E9140"
    shortdesc = "Not encrypted with a customer managed key"
    description = (
        "Replication instances, log groups, topics, queues and secrets name the key that they are encrypted with"
    )
    source_url = "https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#customer-mgn-key"
    tags = ["house", "encryption"]
    fix = "wire in data_key_arn, or logs_key_arn for log groups"
    types = tuple(KEY_PROPERTIES)

    def check(self, resource: Resource) -> Iterator[Finding]:
        name = KEY_PROPERTIES[resource.type]
        key = resource.at(name)
        if key is not UNKNOWN and (not key or "alias/aws/" in str(key)):
            yield resource.finding(f"{name} names no customer managed key", name)
