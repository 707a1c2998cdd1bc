"""Which resources can begin: those whose needs are met, in the order of the template."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping


class Waves:
    """The resources of a stack, handed out as what they depend on is done."""

    def __init__(self, names: Iterable[str], dependencies: Mapping[str, Iterable[str]]) -> None:
        names = list(names)
        needs = {name: set(dependencies[name]) & set(names) for name in names}
        self._waiting = {name: len(needed) for name, needed in needs.items()}
        self._dependents: dict[str, list[str]] = {name: [] for name in names}
        for name, needed in needs.items():
            for other in needed:
                self._dependents[other].append(name)
        self._ready = deque(name for name in names if not needs[name])

    def next(self) -> str | None:
        """A resource that can begin now, None where all others wait."""
        return self._ready.popleft() if self._ready else None

    def done(self, name: str) -> None:
        """Let those begin that waited for nothing but this one."""
        for dependent in self._dependents[name]:
            self._waiting[dependent] -= 1
            if not self._waiting[dependent]:
                self._ready.append(dependent)
