"""The JSON Schemas: current, valid, true of the params that exist, and never stricter than the loader."""

from __future__ import annotations

import json
import runpy
import shutil
import tempfile
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from settings import schema as module
from settings.errors import ParamsError
from settings.fields import Matches
from settings.load import load
from settings.model import Settings
from settings.schema import BASE_SCHEMA, OVERRIDES_SCHEMA, schemas, write
from settings.shape import shape

PARAMS = Path(__file__).parents[3] / "params"
ENVIRONMENTS = sorted(path.stem for path in PARAMS.glob("*.yaml") if path.stem not in ("base", "lifecycle"))
BASE = yaml.safe_load((PARAMS / "base.yaml").read_text())
# Those of libyaml, where PyYAML was built with it: many documents are written here.
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
VALIDATORS = {name: jsonschema.Draft7Validator(schema) for name, schema in schemas().items()}
# As editors see them: the files, not the functions that make them.
SCHEMAS = {name: json.loads((PARAMS / name).read_text()) for name in (BASE_SCHEMA, OVERRIDES_SCHEMA)}


@pytest.mark.parametrize("name", [BASE_SCHEMA, OVERRIDES_SCHEMA])
def test_the_committed_schema_is_current(name, tmp_path):
    write(tmp_path)
    assert (PARAMS / name).read_bytes() == (tmp_path / name).read_bytes(), "run: python -m settings.schema"


def test_the_command_writes_both(monkeypatch, tmp_path):
    written = []
    monkeypatch.setattr(Path, "write_text", lambda path, text, encoding: written.append((path, text, encoding)))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(module.__file__, run_name="__main__")
    assert ended.value.code == 0
    assert [path for path, _, _ in written] == [PARAMS / BASE_SCHEMA, PARAMS / OVERRIDES_SCHEMA]


@pytest.mark.parametrize("name", [BASE_SCHEMA, OVERRIDES_SCHEMA])
def test_it_is_a_json_schema(name):
    jsonschema.Draft7Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$schema"] == "http://json-schema.org/draft-07/schema#"


def test_the_params_that_exist_satisfy_it():
    VALIDATORS[BASE_SCHEMA].validate(BASE)
    assert "dev" in ENVIRONMENTS
    for env in ENVIRONMENTS:
        VALIDATORS[OVERRIDES_SCHEMA].validate(yaml.safe_load((PARAMS / f"{env}.yaml").read_text()))


@pytest.mark.parametrize("env", ["base", *ENVIRONMENTS])
def test_each_params_file_names_its_schema(env):
    name = BASE_SCHEMA if env == "base" else OVERRIDES_SCHEMA
    assert (PARAMS / f"{env}.yaml").read_text().startswith(f"# yaml-language-server: $schema={name}\n")


def every_object(schema):
    if schema.get("type") in ("object", ["object", "null"]):
        yield schema
    for below in (*schema.get("properties", {}).values(), *schema.get("anyOf", ())):
        yield from every_object(below)


def test_base_wants_every_key_and_overrides_want_none():
    assert all(section["required"] == list(section["properties"]) for section in every_object(SCHEMAS[BASE_SCHEMA]))
    assert not any("required" in section for section in every_object(SCHEMAS[OVERRIDES_SCHEMA]))
    for schema in SCHEMAS.values():
        sections = list(every_object(schema))
        assert len(sections) == 13
        assert all(section["additionalProperties"] is False for section in sections)
        assert not {"env", "suffix"} & set(schema["properties"])


def test_every_key_says_what_it_is_and_what_is_allowed():
    keys = SCHEMAS[BASE_SCHEMA]["properties"]
    assert all(
        key["description"] for section in every_object(SCHEMAS[BASE_SCHEMA]) for key in section["properties"].values()
    )
    database = keys["database"]["properties"]
    assert keys["database"]["description"] == "Aurora PostgreSQL: one writer, two readers, three zones."
    assert database["backup_retention_days"] == {
        "type": "integer",
        "description": "Days of automated backups and point-in-time recovery (a whole number from 1 to 35 (days))",
        "minimum": 1,
        "maximum": 35,
    }
    assert database["engine_version"]["patternErrorMessage"] == "a full version like 17.7, in quotes"
    assert keys["network"]["properties"]["vpn"]["anyOf"][0] == {"type": "null"}
    assert keys["network"]["properties"]["availability_zone_ids"]["minItems"] == 3
    assert keys["network"]["properties"]["availability_zone_ids"]["uniqueItems"] is True


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("network", "vpc_cidr"), "10.0.0.0"),
        (("network", "vpc_cidr"), "10.0.0.0/8"),
        (("network", "vpc_cidr"), "10.0.0.256/16"),
        (("network", "availability_zone_ids"), ["use1-az1"] * 3),
        (("network", "availability_zone_ids"), ["use1-az1", "use1-az2"]),
        (("network", "nat_gateways"), 2),
        (("network", "nat_gateways"), True),
        (("network", "vpn"), {"bgp_asn": 65010}),
        (("network", "vpn"), {"customer_gateway_ip": "vpn.example", "bgp_asn": 65010}),
        (("database", "engine_version"), 17.7),
        (("database", "backup_window"), "24:00-25:00"),
        (("tags", "cost_center"), None),
        (("tags", "color"), "red"),
        (("service", "min_tasks"), 2),
        (("service", "image"), "payments"),
    ],
)
def test_an_editor_sees_what_one_field_alone_can_get_wrong(path, value):
    section, name = path
    changed = {**BASE, section: {**BASE[section], name: value}}
    with pytest.raises(jsonschema.ValidationError):
        VALIDATORS[BASE_SCHEMA].validate(changed)


# --- the schema and the loader agree ---------------------------------------------------------------------------------
def leaves(section, path=()):
    for name, field in shape(section).items():
        if name in ("env", "suffix"):
            continue
        yield (*path, name), field
        if field.is_section:
            yield from leaves(field.kind, (*path, name))


PATHS = dict(leaves(Settings))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 70000) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=4,
)


def value_for(field):
    """Values of which many are right, and many are wrong by a little."""
    if field.is_section:
        return st.fixed_dictionaries({}, optional={name: value_for(inner) for name, inner in shape(field.kind).items()})
    patterns = [constraint.pattern for constraint in field.constraints if isinstance(constraint, Matches)]
    texts = [st.from_regex(pattern, fullmatch=True) for pattern in patterns]
    texts += [
        st.from_regex(r"\d{1,3}(\.\d{1,3}){3}/\d{1,3}", fullmatch=True),
        st.from_regex(r"10\.\d\.0\.0(/1[0-9])?", fullmatch=True),
    ]
    one = st.one_of(
        *texts,
        st.integers(0, 1000),
        st.sampled_from([1, 3, 7, 365, 465, 256, 1024, "blue", "aurora", "durable", "ARM64", True, None]),
    )
    return (st.lists(one, max_size=4) if field.many else one) | ANYTHING


@st.composite
def mutations(draw):
    """A path into params, and what to put there."""
    path = draw(st.sampled_from(sorted(PATHS)))
    return path, draw(value_for(PATHS[path]) | ANYTHING)


def put(document, path, value):
    name, *rest = path
    below = document.get(name)
    return {**document, name: put(below if isinstance(below, dict) else {}, rest, value) if rest else value}


def written(path, document):
    """Write it as YAML; what YAML has made of it."""
    text = yaml.dump(document, Dumper=DUMPER, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
    return yaml.load(text, Loader=LOADER)


def refused_by_loader(folder):
    try:
        load(folder, "dev")
    except ParamsError:
        return True
    return False


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as made:
        params = Path(made) / "params"
        params.mkdir()
        shutil.copy(PARAMS / "data-center-ca.pem", params)
        yield params


@hypothesis_settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutations())
def test_what_the_schema_of_base_rejects_the_loader_rejects(folder, mutation):
    path, value = mutation
    document = written(folder / "base.yaml", put(BASE, path, value))
    (folder / "dev.yaml").write_text("")
    if not refused_by_loader(folder):
        VALIDATORS[BASE_SCHEMA].validate(document)


@hypothesis_settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.none() | mutations())
def test_what_the_schema_of_overrides_rejects_the_loader_rejects(folder, mutation):
    document = put({}, *mutation) if mutation else None
    (folder / "base.yaml").write_text((PARAMS / "base.yaml").read_text())
    document = written(folder / "dev.yaml", document)
    if not refused_by_loader(folder):
        VALIDATORS[OVERRIDES_SCHEMA].validate(document)


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(PATHS)))
def test_a_key_left_out_of_base_is_missed_by_both(folder, path):
    *above, name = path
    document = json.loads(json.dumps(BASE))
    section = document
    for part in above:
        section = section[part] or {}
    section.pop(name, None)
    (folder / "base.yaml").write_text(yaml.safe_dump(document))
    (folder / "dev.yaml").write_text("")
    assert refused_by_loader(folder) is (document != BASE)
    assert VALIDATORS[BASE_SCHEMA].is_valid(document) is (document == BASE)
