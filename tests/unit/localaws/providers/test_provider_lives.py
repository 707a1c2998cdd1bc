"""Each type from its creation to its end, in the emulated account."""

from __future__ import annotations

from typing import Any

import pytest

from localaws import providers
from localaws.providers.table import Row
from localaws.providers.work import read_tags
from tests.unit.localaws.providers.cases import CASES, TAGS
from tests.unit.localaws.providers.conftest import Made, World


def test_every_type_has_a_case() -> None:
    assert set(CASES) == providers.types()


def make(world: World, name: str, *, tags: bool = False) -> tuple[Made, Any]:
    built = CASES[name](world)
    own = {tag_property(name): TAGS} if tags and built.tagged else {}
    return world.make(name.removeprefix("AWS::"), **built.properties, **own), built


def tag_property(name: str) -> str:
    row = providers.find(name)
    assert isinstance(row, Row)
    assert row.tags is not None
    return row.tags.property


def tags_of(made: Made) -> dict[str, str]:
    """The tags of a resource; those that AWS reserves are on it whenever its service takes them."""
    row = made.provider
    work = row._work(made.world.clients, made.id, made.properties, made.context)
    tags = read_tags(row.tags, work)
    assert tags.pop("aws:cloudformation:stack-name", None) == ("payments" if row.tags.takes_reserved else None)
    return tags


@pytest.mark.parametrize("name", sorted(CASES))
def test_what_is_made_is_told(world: World, name: str) -> None:
    made, built = make(world, name)
    told = made.read()
    assert told is not None
    assert told == {key: value for key, value in made.properties.items() if key not in built.untold}


@pytest.mark.parametrize("name", sorted(CASES))
def test_attributes_are_known_at_once_and_after_a_change(world: World, name: str) -> None:
    made, built = make(world, name)
    row = made.provider
    # What AWS does not always tell either: a private zone has no name servers, a lone target group no balancer.
    optional = {"ExternalId", "LoadBalancerArns", "Endpoint.HostedZoneId", "NameServers", "StateMachineRevisionId"}
    assert set(row.attributes) - optional <= set(made.attributes)
    born = {key: made.attributes[key] for key in made.attributes if key not in built.properties}
    if built.changes:
        before = made.id
        made.update(**built.changes)
        assert made.id == before
        moved = {"StateMachineRevisionId", "Endpoint.Port", "Capacity"}
        assert {k: v for k, v in born.items() if k not in moved and k in made.attributes} == {
            k: v for k, v in born.items() if k not in moved
        }


@pytest.mark.parametrize("name", sorted(name for name in CASES))
def test_every_change_in_place_is_told(world: World, name: str) -> None:
    made, built = make(world, name)
    changes = built.changes
    if not changes:
        assert providers_without_changes(name)
        return
    made.update(**changes)
    told = made.read()
    assert told is not None
    assert told == {key: value for key, value in made.properties.items() if key not in built.untold}


def providers_without_changes(name: str) -> bool:
    """Whether nothing but tags of the type changes in place."""
    row = providers.find(name)
    assert isinstance(row, Row)
    return not row.steps


@pytest.mark.parametrize("name", sorted(CASES))
def test_an_end_is_an_end(world: World, name: str) -> None:
    made, _ = make(world, name)
    made.let_go()
    made.delete()
    assert made.read() is None
    made.delete()  # gone already is fine


def tagged() -> list[str]:
    return sorted(name for name in CASES if isinstance(row := providers.find(name), Row) and row.tags is not None)


@pytest.mark.parametrize("name", tagged())
def test_tags_are_the_template_s_over_the_stack_s(world: World, name: str) -> None:
    made, _ = make(world, name, tags=True)
    assert tags_of(made) == {"CostCenter": "own", "Owner": "payments"}
    told = made.read()
    assert told is not None
    assert told[tag_property(name)] == TAGS
    made.update(
        tags={"CostCenter": "stack", "Environment": "dev"},
        **{tag_property(name): [{"Key": "Environment", "Value": "prod"}]},
    )
    assert tags_of(made) == {"CostCenter": "stack", "Environment": "prod"}
