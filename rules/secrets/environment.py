"""E9117: a credential in the environment of a container or function."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import at, filled, text
from rules.secrets._words import is_credential

# A dynamic reference there is resolved by CloudFormation: everyone who may describe the resource reads the secret.
_IN_VALUE = re.compile(
    r"://[^/\s:@]+:[^/\s@]+@|[?&;\s]password=[^&;\s]+|\{\{resolve:(secretsmanager|ssm-secure):", re.IGNORECASE
)


class CredentialInEnvironment(HouseRule):
    """By the variable's name with a literal value, or by what the value holds whatever its name."""

    id = "E9117"
    shortdesc = "Credential in an environment variable"
    description = "Environment variables are shown by describe calls, consoles and crash reports (PCI DSS 8.6.2)"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html"
    tags = ["house", "secrets"]
    fix = "keep it in Secrets Manager: Secrets of the container, or the secret's ARN in the variable of a function"

    def findings(self, template: Template) -> Iterator[Finding]:
        for task in template.of("AWS::ECS::TaskDefinition"):
            for path, variable in task.each("ContainerDefinitions", "*", "Environment", "*"):
                name = text(at(variable, "Name")) or ""
                value = variable.get("Value") if isinstance(variable, dict) else None
                if _is_exposed(name, value):
                    yield task.finding(f"variable {name} holds a credential", *path)
        for function in template.of("AWS::Lambda::Function"):
            variables = function.at("Environment", "Variables")
            for name, value in variables.items() if isinstance(variables, dict) else ():
                if _is_exposed(str(name), value):
                    yield function.finding(f"variable {name} holds a credential", "Environment", "Variables", str(name))


def _is_exposed(name: str, value: Any) -> bool:
    return (is_credential(name) and bool(text(value))) or _IN_VALUE.search(filled(value) or "") is not None
