"""E9123: a check switched off without a reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import Path, at, each


class ExceptionWithoutReason(HouseRule):
    """.cfnlintrc makes this check mandatory, so that no template can switch it off."""

    id = "E9123"
    shortdesc = "Check ignored without a written reason"
    description = "Metadata.cfn-lint.config.ignore_checks needs a sentence for each id under Metadata.Exceptions"
    source_url = "https://github.com/aws-cloudformation/cfn-lint#resource-based-metadata"
    tags = ["house", "exceptions"]
    fix = 'say why: stack.add(resource, excepted={"E91xx": "reason"})'

    def findings(self, template: Template) -> Iterator[Finding]:
        yield from self._silent(template.content, (), "the template")
        for resource in template.resources:
            yield from self._silent(resource.body, ("Resources", resource.logical_id), resource.logical_id)

    def _silent(self, holder: dict[str, Any], start: Path, name: str) -> Iterator[Finding]:
        for path, check in each(holder, "Metadata", "cfn-lint", "config", "ignore_checks", "*"):
            reason = at(holder, "Metadata", "Exceptions", str(check))
            if check == self.id:
                yield Finding((*start, *path), f"{name}: {check} itself cannot be ignored")
            elif not isinstance(reason, str) or not reason.strip():
                yield Finding((*start, *path), f"{name}: {check} is ignored, and nothing says why")
