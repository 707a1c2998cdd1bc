"""E9111: a permission for actions that nobody listed."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._policies import Statement, statements
from rules._template import Finding, Template
from rules.data.policy_documents import IDENTITY, RESOURCE, TRUST


class WildcardAction(HouseRule):
    """The one wildcard in order is that of a key policy for its own account, which lets IAM policies grant the key."""

    id = "E9111"
    shortdesc = "IAM statement that allows a wildcard of actions"
    description = "A wildcard grants what the service adds tomorrow; NotAction grants all but what it names"
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege"
    tags = ["house", "iam"]
    fix = "list the actions that are called (awacs has them all)"

    def findings(self, template: Template) -> Iterator[Finding]:
        for documents in (IDENTITY, TRUST, RESOURCE):
            for statement in statements(template, documents):
                if not statement.allows or _delegates_key_to_iam(statement):
                    continue
                for path, action in statement.texts("Action"):
                    if "*" in action:
                        yield statement.finding(f"the statement allows {action}", *path)
                if statement.at("NotAction") is not None:
                    yield statement.finding("the statement allows every action but some", "NotAction")


def _delegates_key_to_iam(statement: Statement) -> bool:
    """Whether it is the statement of https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html."""
    principals = [name for _, _, name in statement.principals()]
    return (
        statement.resource.type == "AWS::KMS::Key"
        and bool(principals)
        and all(name.endswith(":iam::000000000000:root") for name in principals)
    )
