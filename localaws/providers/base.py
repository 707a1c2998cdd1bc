"""What the control plane asks of a resource type.

A provider makes one type with ordinary boto3 calls against the emulated services. It holds no state of its own: all
that it needs later it is given back (physical id, the properties that were applied).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Handle:
    """A resource that exists: `physical_id` is its Ref, `attributes` its Fn::GetAtt values, by "Endpoint.Address"."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


class Clients(Protocol):
    """boto3 clients of the emulated account, made once per service: `clients("ec2")`."""

    def __call__(self, service: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class Context:
    """Where a resource stands.

    `tags` are the stack's own, and the three that CloudFormation adds (aws:cloudformation:stack-name and so on), to be
    merged below the resource's Tags by every type that takes tags. `unique_name` is what CloudFormation would call a
    resource that the template leaves unnamed: "<stack>-<LogicalId>-<12 random characters>", stable for this resource.
    """

    stack_name: str
    stack_id: str
    logical_id: str
    region: str
    account_id: str
    tags: Mapping[str, str]
    unique_name: str


class ProviderError(Exception):
    """The service refuses; `code` is its own word ("InvalidParameterValue"), the text what it says."""

    def __init__(self, message: str, code: str = "GeneralServiceException") -> None:
        self.code = code
        super().__init__(message)


class Provider(Protocol):
    """One resource type. botocore's ClientError counts as a refusal of the service too."""

    def create(self, clients: Clients, properties: Mapping[str, Any], context: Context) -> Handle:
        """Make the resource; all properties are resolved."""
        ...

    def update(
        self,
        clients: Clients,
        physical_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        context: Context,
    ) -> Handle:
        """Change it in place; the planner has already decided that no replacement is needed."""
        ...

    def delete(self, clients: Clients, physical_id: str, properties: Mapping[str, Any], context: Context) -> None:
        """Remove it; one that is gone already counts as removed."""
        ...

    def read(
        self, clients: Clients, physical_id: str, properties: Mapping[str, Any], context: Context
    ) -> Mapping[str, Any] | None:
        """The actual values of those of `properties` that the service can tell, for drift; None: it is gone."""
        ...
