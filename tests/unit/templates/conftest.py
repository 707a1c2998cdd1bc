"""What every tier's tests start from: settings out of the real params, and one tier compiled alone."""

from __future__ import annotations

import dataclasses
import functools
import json
import typing
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from troposphere import Parameter

from contract.names import Names
from contract.stack import Stack
from contract.wiring import Report, camel_case
from settings.model import Settings

PARAMS = Path(__file__).parents[3] / "params"

MakeSettings = Callable[..., Settings]
CompileTier = Callable[[ModuleType, Settings], dict[str, Any]]


def _merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {
        **base,
        **{
            key: _merge(base.get(key) or {}, value) if isinstance(value, dict) else value
            for key, value in changes.items()
        },
    }


def _make(cls: Any, data: dict[str, Any]) -> Any:
    """A settings dataclass from plain data, without judging it: the loader has tests of its own."""
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        value, hint = data[field.name], hints[field.name]
        section = next((kind for kind in (hint, *typing.get_args(hint)) if dataclasses.is_dataclass(kind)), None)
        if section is not None and value is not None:
            value = _make(section, value)
        values[field.name] = tuple(value) if isinstance(value, list) else value
    return cls(**values)


@functools.cache
def _params(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PARAMS / f"{name}.yaml").read_text())
    return found


@pytest.fixture(scope="session")
def settings() -> MakeSettings:
    """`settings("prod", suffix="pr-1", network={"vpn": None})`: params of an environment, with nested changes."""

    def make(env: str = "dev", *, suffix: str | None = None, **changes: Any) -> Settings:
        data = _merge(_merge(_params("base"), _params(env)), changes)
        made: Settings = _make(Settings, {**data, "env": env, "suffix": suffix or env})
        return made

    return make


@pytest.fixture(scope="session")
def compile_tier() -> CompileTier:
    """`compile_anew`, once for each tier and settings; every test has a template of its own."""
    compiled: dict[tuple[int, str], tuple[Any, str]] = {}

    def compile_once(module: ModuleType, settings: Settings) -> dict[str, Any]:
        key = id(module.TIER), repr(settings)
        if key not in compiled:
            compiled[key] = module.TIER, _compile(module, settings)  # with the tier, so that its id stays its own
        template: dict[str, Any] = json.loads(compiled[key][1])
        return template

    return compile_once


@pytest.fixture(scope="session")
def compile_anew() -> CompileTier:
    """One tier's template as plain data, with a parameter for each wire; its names hold, its outputs are all given.

    Names that other tiers create are taken on trust: the tree's own tests check them.
    """
    return lambda module, settings: json.loads(_compile(module, settings))


def _compile(module: ModuleType, settings: Settings) -> str:
    tier = module.TIER
    names = Names(settings.system, settings.suffix)
    stack = Stack(tier.name, tier.description, settings, names)
    for name in tier.inputs.kinds():
        stack.template.add_parameter(Parameter(camel_case(name), Type="String"))
    tier.build(stack, tier.inputs(**tier.inputs.parameters()))
    assert [problem for problem in names.problems() if "which no tier creates" not in problem] == []
    promised = {name for name, output in tier.outputs.fields().items() if not isinstance(output, Report)}
    assert promised <= stack.given
    return json.dumps(stack.template.to_dict())


@pytest.fixture
def is_kept() -> Callable[[dict[str, Any]], bool]:
    """Whether a resource outlives its stack: both policies say so, or neither; anything else is a failure."""

    def verdict(body: dict[str, Any]) -> bool:
        policies = (body["DeletionPolicy"], body["UpdateReplacePolicy"])
        assert policies in (("RetainExceptOnCreate", "Retain"), ("Delete", "Delete"))
        return policies[1] == "Retain"

    return verdict
