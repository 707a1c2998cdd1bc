"""The rows against the service models of botocore and the registry of resource types: every name is a real one."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from contract.resource_types import find as find_type
from localaws import providers
from localaws.providers.table import Row
from localaws.providers.work import Look, Removal

ROWS = [providers.find(name) for name in sorted(providers.types())]
GOLDEN = sorted(Path(__file__).parents[3].glob("golden/*/*.template.json"))


@cache
def model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def shape_of(service: str, operation: str) -> Any:
    assert operation in model(service).operation_names
    return model(service).operation_model(operation).input_shape


def assert_parameter(service: str, operation: str, path: str) -> None:
    """`path` leads somewhere in the operation's input."""
    shape = shape_of(service, operation)
    for step in path.split("."):
        name = step.removesuffix("[]")
        if shape.type_name == "map":
            shape = shape.value
            continue
        member = next((known for known in shape.members if known.lower() == name.lower()), None)
        assert member, f"{service} {operation} has no {path}"
        shape = shape.members[member]
        assert not step.endswith("[]") or shape.type_name == "list", f"{operation} {path} is no list"


def test_every_type_of_the_templates_has_a_provider() -> None:
    used = {resource["Type"] for file in GOLDEN for resource in json.loads(file.read_text())["Resources"].values()}
    assert used - {"AWS::CloudFormation::Stack"} == providers.types()


def test_rooms_hold_what_the_index_says() -> None:
    for name in providers.types():
        row = providers.find(name)
        assert isinstance(row, Row)
        assert row.type == name


def test_other_types_have_none() -> None:
    assert providers.find("AWS::CloudFormation::Stack") is None
    assert providers.find("AWS::Nothing::AtAll") is None


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.type)
class TestRow:
    def test_properties_are_the_registry_s(self, row: Row) -> None:
        known = find_type(row.type)
        assert known is not None
        assert row.known <= known.properties

    def test_creation_takes_what_is_sent(self, row: Row) -> None:
        if not row.create_operation:
            assert row.make
            return
        for parameter in (*row.sends.values(), *row.fixed):
            assert_parameter(row.service, row.create_operation, parameter)
        if row.tags and row.tags.create:
            assert_parameter(row.service, row.create_operation, row.tags.create)

    def test_steps_call_what_is_there(self, row: Row) -> None:
        for step in row.steps:
            for operation, parameters in step.calls.items():
                shape_of(row.service, operation)
                for parameter in parameters:
                    assert_parameter(row.service, operation, parameter)

    def test_look_and_removal_call_what_is_there(self, row: Row) -> None:
        if isinstance(row.look, Look):
            keys = ["Filters"] if row.look.filter else [row.look.key]
            for parameter in (*keys, *row.look.fixed):
                assert_parameter(row.service, row.look.operation, parameter)
        if isinstance(row.remove, Removal):
            for parameter in (row.remove.key, *row.remove.fixed):
                assert_parameter(row.service, row.remove.operation, parameter)

    def test_tag_operations_take_what_they_are_given(self, row: Row) -> None:
        form = row.tags
        known = find_type(row.type)
        assert known is not None
        assert (form.property if form else None) == known.tag_property
        if form:
            assert_parameter(row.service, form.tag, form.key)
            assert_parameter(row.service, form.tag, form.tags)
            assert_parameter(row.service, form.untag, form.key)
            if not form.whole:
                assert_parameter(row.service, form.untag, form.keys)
            if form.lists:
                assert_parameter(row.service, form.lists, form.key)

    def test_what_may_change_can_be_changed(self, row: Row) -> None:
        """Every property that the registry does not say to be create-only has a step, is a tag, or is ignored."""
        known = find_type(row.type)
        assert known is not None
        fixed = {*known.create_only, *known.conditional_create_only}
        changeable = {name for step in row.steps for name in step.properties} | set(row.ignored)
        if row.tags:
            changeable.add(row.tags.property)
        assert row.known - fixed - changeable == row.unchangeable

    def test_attributes_are_the_registry_s(self, row: Row) -> None:
        known = find_type(row.type)
        assert known is not None
        readable = {path.replace("/", ".") for path in known.read_only} | known.properties
        assert set(row.attributes) <= readable

    def test_reasons_are_given(self, row: Row) -> None:
        assert all(reason for reason in row.ignored.values())


def references(value: Any) -> set[tuple[str, str]]:
    """Fn::GetAtt and ${A.B} of a template: logical id and attribute."""
    found: set[tuple[str, str]] = set()
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "Fn::GetAtt":
                found.add((inner[0], ".".join(inner[1:])))
            if name == "Fn::Sub":
                written = inner if isinstance(inner, str) else inner[0]
                found |= {(a, b) for a, b in re.findall(r"\$\{(\w+)\.([\w.]+)\}", written)}
            found |= references(inner)
    elif isinstance(value, list):
        for inner in value:
            found |= references(inner)
    return found


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_rows_know_all_that_the_templates_use(file: Path) -> None:
    template = json.loads(file.read_text())
    rows = {
        logical_id: row
        for logical_id, resource in template["Resources"].items()
        if (row := providers.find(resource["Type"]))
    }
    for logical_id, row in rows.items():
        assert set(template["Resources"][logical_id].get("Properties", {})) <= row.known
    for logical_id, attribute in references(template):
        if logical_id in rows:
            assert attribute in rows[logical_id].attributes
