"""The containers of task definitions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rules._template import Finding, Resource, Template
from rules._values import Path, at


@dataclass(frozen=True, slots=True)
class Container:
    """One container definition."""

    task: Resource
    path: Path
    body: Any

    def at(self, key: str) -> Any:
        """A property of the container."""
        return at(self.body, key)

    def finding(self, message: str, key: str) -> Finding:
        """A finding at a property of the container."""
        return self.task.finding(message, *self.path, key)


def containers(template: Template) -> Iterator[Container]:
    """Every container of every task definition."""
    for task in template.of("AWS::ECS::TaskDefinition"):
        for path, body in task.each("ContainerDefinitions", "*"):
            yield Container(task, path, body)
