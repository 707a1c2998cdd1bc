"""Trees of a few lines, and the shortest way to a forecast of them."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from deployer.forecast.plan import forecast

GOLDEN = Path(__file__).parents[3] / "golden"


def _golden(env):
    paths = (GOLDEN / env).glob("*.template.json")
    templates = {path.name.removesuffix(".template.json"): json.loads(path.read_text()) for path in paths}
    del templates["account"]
    return templates


@pytest.fixture(scope="session")
def prod():
    """The templates of prod, never to be changed."""
    return _golden("prod")


@pytest.fixture
def edited(prod):
    """A copy of prod's templates, changed by a function."""

    def edit(change):
        templates = copy.deepcopy(prod)
        change(templates)
        return templates

    return edit


@pytest.fixture
def plan():
    """forecast(before, after) with names filled in; a template stands for a root without nested stacks."""

    def run(before, after):
        sides = [side if "root" in side or not side else {"root": side} for side in (before, after)]
        return forecast(*sides, stack_name="payments-dev", region="us-east-1")

    return run


@pytest.fixture
def changes(plan):
    """The changes of a forecast by address, and its unknowns."""

    def run(before, after):
        change_set, unknowns = plan(before, after)
        return {change.address: change for change in change_set.resource_changes()}, unknowns

    return run
