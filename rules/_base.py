"""The base of all house rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from cfnlint.rules import CloudFormationLintRule, RuleMatch

from rules._template import Finding, Resource, Template, template_of


class HouseRule(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint ships no types
    """A rule: what it looks at (`types`), what it finds there (`check`), and how to mend it (`fix`).

    A rule about the template as a whole overrides `findings` instead. Neither may raise, whatever stands in the
    template: read values by `rules._values`, and leave alone what is not known before deployment.
    """

    id: str = ""
    shortdesc: str = ""
    description: str = ""
    source_url: str = ""
    fix: ClassVar[str] = ""
    types: ClassVar[tuple[str, ...]] = ()

    def match(self, cfn: Any) -> list[Any]:
        """What cfn-lint calls, once per template."""
        return [
            RuleMatch(list(found.path), f"{found.message}. {self.fix[:1].upper()}{self.fix[1:]}.")
            for found in self.findings(template_of(cfn))
        ]

    def matchall_resource_properties(self, *_: Any) -> Iterator[Any]:
        """Nothing: house rules look at the template once. cfn-lint calls this for each rule and resource."""
        return iter(())

    def findings(self, template: Template) -> Iterator[Finding]:
        """Everything that this rule finds in a template."""
        for resource in template.of(*self.types):
            yield from self.check(resource)

    def check(self, resource: Resource) -> Iterator[Finding]:
        """Everything that this rule finds in one resource of its `types`."""
        raise NotImplementedError
