"""E9110: a permission on every resource."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._policies import statements
from rules._template import Finding, Template
from rules.data.policy_documents import IDENTITY


class EveryResource(HouseRule):
    """Some actions have no resource-level permission: the exception on the resource then says which."""

    id = "E9110"
    shortdesc = "IAM statement that allows on Resource * or by NotResource"
    description = (
        "A permission names the resources that it is for, unless the service knows no resource-level permission"
    )
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege"
    tags = ["house", "iam"]
    fix = "name the ARNs, or except the resource with the reason that the action has no resource-level permission"

    def findings(self, template: Template) -> Iterator[Finding]:
        for statement in statements(template, IDENTITY):
            if not statement.allows:
                continue
            for path, name in statement.texts("Resource"):
                if name == "*":
                    yield statement.finding("the statement allows on every resource", *path)
            if statement.at("NotResource") is not None:
                yield statement.finding("the statement allows on every resource but some", "NotResource")
