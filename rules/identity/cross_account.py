"""E9113: a door to another account, or to all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rules._base import HouseRule
from rules._policies import statements
from rules._template import Finding, Template
from rules._values import text
from rules.data.policy_documents import ACCOUNT_KEYS, RESOURCE, TRUST

_ACCOUNT = re.compile(r"(?:arn:[^:]*:(?:iam|sts)::)?(\d{12})(?::.*)?")
_OWN = "0" * 12


class CrossAccount(HouseRule):
    """One's own account is written ${AWS::AccountId}; a literal account id is taken for another's."""

    id = "E9113"
    shortdesc = "Principal of another account, or everyone"
    description = "Nothing of the payment system is shared across accounts; * admits every account there is"
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"
    tags = ["house", "iam"]
    fix = "name a principal of this account by ${AWS::AccountId}, or bind * by a condition on the account"

    def findings(self, template: Template) -> Iterator[Finding]:
        for documents in (TRUST, RESOURCE):
            for statement in statements(template, documents):
                if not statement.allows:
                    continue
                for path, kind, name in statement.principals():
                    fault = _fault(name) if kind == "AWS" else None
                    if fault and not (name == "*" and statement.is_bound_by(ACCOUNT_KEYS)):
                        yield statement.finding(fault, *path)
        for permission in template.of("AWS::Lambda::Permission"):
            fault = _fault(text(permission.properties.get("Principal")) or "")
            if fault:
                yield permission.finding(fault, "Principal")


def _fault(principal: str) -> str | None:
    if principal == "*":
        return "everyone is admitted"
    match = _ACCOUNT.fullmatch(principal)
    return f"account {match[1]} is admitted" if match and match[1] != _OWN else None
