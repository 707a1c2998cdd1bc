"""How a correction takes a place in moto: around a method, or where there was none."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def around(owner: Any, name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Put the decorated function in place of `owner.name`: it is given what was there, then what the caller gives."""
    was_static = isinstance(vars(owner).get(name), staticmethod)
    original = getattr(owner, name)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def replaced(*args: Any, **kwargs: Any) -> Any:
            return function(original, *args, **kwargs)

        setattr(owner, name, staticmethod(replaced) if was_static else replaced)
        return function

    return decorate


def added(owner: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give `owner` the decorated function under its own name: an operation that moto does not have."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        setattr(owner, function.__name__, function)
        return function

    return decorate
