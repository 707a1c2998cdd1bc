"""Every house rule by id: a new file with a rule class in it is all that a new rule takes."""

from __future__ import annotations

import importlib
import pkgutil

import rules
from rules._base import HouseRule


def house_rules() -> dict[str, type[HouseRule]]:
    """Import every module of `rules` and return the rule classes that they define, by id, in the order of ids."""
    found: dict[str, type[HouseRule]] = {}
    for module in pkgutil.walk_packages(rules.__path__, "rules."):
        for value in vars(importlib.import_module(module.name)).values():
            if (
                isinstance(value, type)
                and issubclass(value, HouseRule)
                and value.__module__ == module.name
                and value.id
            ):
                if value.id in found:
                    raise ValueError(f"{value.id} is the id of two rules: {found[value.id]} and {value}")
                found[value.id] = value
    return dict(sorted(found.items()))
