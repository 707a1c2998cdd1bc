"""E9135: a security group rule that does not say what it is for."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import UNKNOWN, at
from rules.exposure._groups import group_rules


class RuleWithoutReason(HouseRule):
    """Reviewers of the segmentation (PCI DSS 1.2.5) read the reason where the rule stands."""

    id = "E9135"
    shortdesc = "Security group rule without description"
    description = "Every rule names its peer and its reason"
    source_url = "https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html"
    tags = ["house", "exposure"]
    fix = "say in Description who talks to whom, and why"

    def findings(self, template: Template) -> Iterator[Finding]:
        for direction in ("Ingress", "Egress"):
            for rule in group_rules(template, direction):
                reason = at(rule.body, "Description")
                if reason is not UNKNOWN and not str(reason or "").strip():
                    yield rule.finding(f"{direction.lower()} rule without description")
