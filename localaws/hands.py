"""The calls to the services: one resource made, changed, removed or read through its provider."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from localaws import dynamic_references
from localaws.api_errors import ApiError
from localaws.core import Core, log
from localaws.faults import Struck
from localaws.providers.base import Context, Handle, Provider, ProviderError
from localaws.stacks import Resource, Stack

Result = TypeVar("Result")


class Refusal(Exception):  # noqa: N818 - what a resource says, for its stack to deal with
    """A resource could not be made, changed or removed; the text is its ResourceStatusReason."""


class Hands:
    """Makes, changes, removes and reads resources; every failure of whatever kind comes out as a Refusal."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def create(self, stack: Stack, resource: Resource) -> None:
        """Make it; its id and attributes are filled in."""

        def call() -> Handle:
            properties = dynamic_references.resolve(resource.properties, self._core.clients)
            return self._provider(resource).create(self._core.clients, properties, self._context(stack, resource))

        self._take(resource, self._call("create", stack, resource, call))

    def update(self, stack: Stack, resource: Resource, before: Mapping[str, Any]) -> None:
        """Change it in place from `before` to the properties that it has now."""

        def call() -> Handle:
            old, new = (dynamic_references.resolve(side, self._core.clients) for side in (before, resource.properties))
            provider, context = self._provider(resource), self._context(stack, resource)
            return provider.update(self._core.clients, resource.physical_id, old, new, context)

        self._take(resource, self._call("update", stack, resource, call))

    def delete(self, stack: Stack, resource: Resource) -> None:
        """Remove it."""

        def call() -> None:
            context = self._context(stack, resource)
            self._provider(resource).delete(self._core.clients, resource.physical_id, resource.properties, context)

        self._call("delete", stack, resource, call)

    def read(self, stack: Stack, resource: Resource) -> Mapping[str, Any] | None:
        """What the service says of it, for drift; None where it is gone."""

        def call() -> Mapping[str, Any] | None:
            context = self._context(stack, resource)
            return self._provider(resource).read(self._core.clients, resource.physical_id, resource.properties, context)

        return self._call("read", stack, resource, call)

    # --- how ----------------------------------------------------------------------------------------------------------
    def _provider(self, resource: Resource) -> Provider:
        found = self._core.find_provider(resource.type)
        if found is None:
            raise ProviderError(f"{resource.type} is not emulated", "TypeNotFound")
        return found

    def _context(self, stack: Stack, resource: Resource) -> Context:
        own = {
            "aws:cloudformation:logical-id": resource.logical_id,
            "aws:cloudformation:stack-id": stack.id,
            "aws:cloudformation:stack-name": stack.name,
        }
        return Context(
            stack_name=stack.name,
            stack_id=stack.id,
            logical_id=resource.logical_id,
            region=stack.region,
            account_id=self._core.account_id,
            tags={**resource.tags, **own},
            unique_name=resource.unique_name,
        )

    @staticmethod
    def _take(resource: Resource, handle: Handle) -> None:
        resource.physical_id = handle.physical_id
        resource.attributes = dict(handle.attributes)

    def _call(self, operation: str, stack: Stack, resource: Resource, call: Callable[[], Result]) -> Result:
        from botocore.exceptions import ClientError

        try:
            self._core.faults.strike(operation, stack.name, self._core.path(stack, resource.logical_id))
            return call()
        except ApiError as refused:
            raise Refusal(refused.message) from None
        except Struck as fault:
            raise Refusal(_handler_text(str(fault), "GeneralServiceException")) from None
        except ProviderError as refused:
            raise Refusal(_handler_text(str(refused), refused.code)) from None
        except ClientError as refused:
            error = refused.response.get("Error", {})
            status = refused.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
            said = f"{error.get('Message', '')} (Service: {refused.operation_name}, Status Code: {status})"
            raise Refusal(_handler_text(said, error.get("Code", "GeneralServiceException"))) from None
        except Exception as broken:
            # A defect of a provider must not leave the stack in progress for ever: it fails the resource, and is told.
            log.exception("%s of %s (%s) broke", operation, resource.logical_id, resource.type)
            raise Refusal(_handler_text(f"{type(broken).__name__}: {broken}", "InternalFailure")) from broken


def _handler_text(message: str, code: str) -> str:
    """As CloudFormation words what a resource handler says."""
    token = uuid.uuid4()
    return f'Resource handler returned message: "{message}" (RequestToken: {token}, HandlerErrorCode: {code})'
