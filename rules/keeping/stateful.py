"""E9120: data that CloudFormation deletes by default."""

from __future__ import annotations

from collections.abc import Iterator

import cfnlint.data.AdditionalSpecs
from cfnlint.helpers import load_resource

from rules._base import HouseRule
from rules._template import Finding, Resource

# A replaced DMS task starts with a full load again: its state is data too.
_STATEFUL = sorted({
    *load_resource(cfnlint.data.AdditionalSpecs, "StatefulResources.json")["ResourceTypes"],
    "AWS::DMS::ReplicationTask",
})  # fmt: skip


class StatefulWithoutPolicy(HouseRule):
    """cfn-lint's I3011 says the same as a remark; here it stops the build."""

    id = "E9120"
    shortdesc = "Stateful resource without explicit DeletionPolicy and UpdateReplacePolicy"
    description = "Both default to Delete: a renamed logical id or a create-only property then destroys the data"
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-updatereplacepolicy.html"
    tags = ["house", "data"]
    fix = "add the resource by stack.add_stateful, which writes both policies"
    types = tuple(_STATEFUL)

    def check(self, resource: Resource) -> Iterator[Finding]:
        missing = [key for key in ("DeletionPolicy", "UpdateReplacePolicy") if not resource.body.get(key)]
        if missing:
            yield Finding(("Resources", resource.logical_id), f"{resource.logical_id}: no {' and no '.join(missing)}")
