from __future__ import annotations

import dataclasses

import yaml

from compiler.linking import link
from compiler.settings_record import settings_record
from settings.load import load
from templates.root import system


def _keys(section, prefix=""):
    for name, value in section.items():
        if isinstance(value, dict):
            yield from _keys(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_the_root_carries_every_value_that_params_set_and_nothing_that_the_command_line_says(root):
    settings = load(root / "params", "prod", "blue")
    record = link(system(settings), settings).templates["root"]["Metadata"]["Settings"]
    base = yaml.safe_load((root / "params/base.yaml").read_text())
    prod = yaml.safe_load((root / "params/prod.yaml").read_text())
    null = {key for key in _keys(base) if key.startswith("tags.")} - set(_keys(record))
    assert base["cutover"].pop("smoke_url") is None
    assert set(_keys(base)) - null - {"network.vpn"} <= set(_keys(record)) <= {*_keys(base), *_keys(prod)}
    assert all(base["tags"][key.removeprefix("tags.")] is None for key in null)
    assert record["database"]["engine_version"] == settings.database.engine_version
    assert record["network"]["availability_zone_ids"] == list(settings.network.availability_zone_ids)
    assert record["data_center"]["database_ca_pem"].startswith("params/")
    assert not {"env", "suffix"} & record.keys()


def test_what_is_null_is_left_out_whole_sections_too(root):
    settings = load(root / "params", "dev")
    without = dataclasses.replace(settings, network=dataclasses.replace(settings.network, vpn=None))
    assert "vpn" not in settings_record(without)["network"]
    assert "pr_number" not in settings_record(settings)["tags"]
    tags = dataclasses.replace(settings.tags, pr_number="12")
    assert settings_record(dataclasses.replace(settings, tags=tags))["tags"]["pr_number"] == "12"


def test_no_other_template_carries_it(root):
    settings = load(root / "params", "dev")
    templates = link(system(settings), settings).templates
    assert [tier for tier, template in templates.items() if "Metadata" in template] == ["root"]
