"""Faults on demand: a create, update or delete that fails, an early validation that warns; for tests of who deploys."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localaws.api_errors import invalid

OPERATIONS = ("create", "update", "delete", "validate", "warn")


class Struck(Exception):  # noqa: N818 - an event of a test, not an error of the program
    """An injected fault; its text is what the service would have said."""


@dataclass(slots=True)
class Fault:
    """`address` is "Stack/LogicalId": a stack's name, or logical ids of nested stacks, then the resource.

    `operation`: create, update, delete, or validate and warn (early validation of a change set that fails or warns).
    `times`: how often it strikes, None for always.
    """

    address: str
    operation: str
    message: str
    times: int | None = 1


class Faults:
    """The faults that are set; the first that fits strikes."""

    def __init__(self) -> None:
        self._set: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Mapping[str, Any]) -> None:
        """Set one: {"address": "Network/Vpc", "operation": "create", "message": "…", "times": 1 or None}."""
        unknown = set(fault) - {"address", "operation", "message", "times"}
        if unknown or not fault.get("address") or fault.get("operation") not in OPERATIONS:
            raise invalid(
                'A fault is {"address": "Stack/LogicalId", "operation": one of '
                f'{", ".join(OPERATIONS)}, "message": "…", "times": 1 or null}}, not {dict(fault)}'
            )
        made = Fault(
            fault["address"], fault["operation"], fault.get("message", "Injected fault"), fault.get("times", 1)
        )
        with self._lock:
            self._set.append(made)

    def clear(self) -> None:
        """Take all away."""
        with self._lock:
            self._set.clear()

    def list(self) -> list[dict[str, Any]]:
        """Those still set, as they were given."""
        with self._lock:
            return [
                {"address": one.address, "operation": one.operation, "message": one.message, "times": one.times}
                for one in self._set
            ]

    def take(self, operation: str, stack_name: str, path: tuple[str, ...]) -> str | None:
        """The message of the fault that strikes a resource, None where none does; it then counts as used once.

        `path` are the root stack's name, the logical ids of nested stacks, the resource's.
        """
        addresses = {"/".join(path[start:]) for start in range(len(path) - 1)} | {f"{stack_name}/{path[-1]}"}
        with self._lock:
            for fault in self._set:
                if fault.operation == operation and fault.address in addresses:
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._set.remove(fault)
                    return fault.message
        return None

    def strike(self, operation: str, stack_name: str, path: tuple[str, ...]) -> None:
        """Raise where a fault is set for this operation on this resource."""
        message = self.take(operation, stack_name, path)
        if message is not None:
            raise Struck(message)
