"""E9112: a role that a service may assume on behalf of anyone."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._policies import statements
from rules._template import Finding, Template
from rules.data.policy_documents import SOURCE_AWARE_SERVICES, SOURCE_KEYS, TRUST


class TrustWithoutSource(HouseRule):
    """Only services that are documented to set the keys: with others the condition would lock the service out."""

    id = "E9112"
    shortdesc = "Trust of a service without aws:SourceAccount or aws:SourceArn"
    description = "Another account could make the service use the role: the confused deputy"
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"
    tags = ["house", "iam"]
    fix = "add the condition StringEquals aws:SourceAccount = ${AWS::AccountId}"

    def findings(self, template: Template) -> Iterator[Finding]:
        for statement in statements(template, TRUST):
            if not statement.allows or statement.is_bound_by(SOURCE_KEYS):
                continue
            for path, kind, name in statement.principals():
                if kind == "Service" and name in SOURCE_AWARE_SERVICES:
                    yield statement.finding(f"{name} may assume the role on behalf of any account", *path)
