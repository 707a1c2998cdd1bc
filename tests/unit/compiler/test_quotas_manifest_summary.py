"""Quotas, the manifest, what changed, and what a person reads."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.bundle import Bundle, file_name
from compiler.canonical import canonical_json
from compiler.lint.findings import Finding
from compiler.manifest import (
    Changes,
    compare,
    exceptions,
    manifest_document,
    parameters_document,
    read_manifest,
    template_texts,
)
from compiler.quotas import check_quotas
from compiler.sarif import sarif_document
from compiler.summary import _changes, _exceptions, _tiers, address, render_findings
from settings.errors import QuotaError


def bundle(**resources):
    return Bundle("dev", {tier: {"Resources": made} for tier, made in resources.items()}, ())


VPC = {"Type": "AWS::EC2::VPC"}


# --- quotas ----------------------------------------------------------------------------------------------------------
def quota_problems(templates, texts=None):
    with pytest.raises(QuotaError) as caught:
        check_quotas(templates, texts or dict.fromkeys(templates, "{}"))
    assert caught.value.hint
    return caught.value.problems


def test_within_the_quotas():
    full = {
        "Description": "d" * 1024,
        "Resources": dict.fromkeys(map(str, range(500))),
        "Parameters": dict.fromkeys(map(str, range(200))),
        "Outputs": dict.fromkeys(map(str, range(200))),
        "Mappings": dict.fromkeys(map(str, range(200))),
    }
    check_quotas(dict.fromkeys("abcde", full), dict.fromkeys("abcde", "x" * 1_048_576))


@pytest.mark.parametrize(
    ("section", "limit"), [("Resources", 500), ("Parameters", 200), ("Outputs", 200), ("Mappings", 200)]
)
def test_a_section_with_too_many_items(section, limit):
    problem = quota_problems({"network": {section: dict.fromkeys(map(str, range(limit + 1)))}})
    assert problem == [f"network: {limit + 1} {section}, at most {limit} are allowed"]


def test_sizes_descriptions_and_dynamic_references():
    texts = {"a": "x" * 1_048_577, "b": "{{resolve:ssm:x}}" * 61, "c": "ü" * 524_289}
    assert quota_problems({"a": {}, "b": {"Description": "ü" * 513}, "c": {}}, texts) == [
        "a: template has 1,048,577 bytes, at most 1,048,576 are allowed",
        "b: Description is longer than 1,024 bytes",
        "b: 61 dynamic references, at most 60 are allowed",
        "c: template has 1,048,578 bytes, at most 1,048,576 are allowed",
    ]


def test_what_no_other_template_nests_is_sent_inline():
    root = {
        "Resources": {
            "Network": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "network.template.json"}}
        }
    }
    templates = {"root": root, "network": {}, "account": {}}
    check_quotas(templates, {"root": "x" * 51_200, "network": "x" * 51_201, "account": "ü" * 25_600})
    assert quota_problems(templates, {"root": "x" * 51_201, "network": "x" * 51_201, "account": "ü" * 25_601}) == [
        "account: template has 51,202 bytes and is sent inline, at most 51,200 are allowed",
        "root: template has 51,201 bytes and is sent inline, at most 51,200 are allowed",
    ]


def test_the_tree_as_a_whole():
    full = {"Resources": dict.fromkeys(map(str, range(500)))}
    assert quota_problems({**dict.fromkeys("abcde", full), "root": {"Resources": {"A": {}}}}) == [
        "the tree has 2501 resources; an operation on nested stacks takes at most 2500"
    ]


# --- manifest --------------------------------------------------------------------------------------------------------
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(JSON)
def test_canonical_json_is_what_the_standard_library_writes(value):
    assert canonical_json(value) == json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_canonical_json_is_one_text_for_one_value():
    assert canonical_json({"b": 1, "a": ["ü"]}) == canonical_json({"a": ["ü"], "b": 1})
    assert canonical_json({"a": "ü"}) == '{\n "a": "ü"\n}\n'


def test_the_manifest_tells_tiers_files_exceptions_and_no_time(dev):
    excepted = {"Type": "AWS::EC2::VPC", "Metadata": {"Exceptions": {"E9999": "because"}}}
    tree = bundle(network={"Vpc": excepted, "Other": VPC}, root={"Network": {"Type": "AWS::CloudFormation::Stack"}})
    manifest = manifest_document(dev, tree, {"a": b"1"}, [{"product": "x"}])
    assert manifest["stack"] == "payments-dev"
    assert manifest["tiers"]["network"] == {"template": "network.template.json", "resources": {"AWS::EC2::VPC": 2}}
    assert manifest["files"] == {
        "a": {"bytes": 1, "sha256": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"}
    }
    assert manifest["exceptions"] == [{"resource": "network.Vpc", "rule": "E9999", "reason": "because"}]
    assert exceptions(tree) == [("network.Vpc", "E9999", "because")]
    assert manifest["lifecycle"] == [{"product": "x"}]
    assert "2026" not in json.dumps({**manifest, "lifecycle": []})


def test_parameters_carry_the_tags_of_the_stack(dev):
    assert parameters_document(dev)["Parameters"] == {}
    assert parameters_document(dev)["Tags"]["Environment"] == "dev"


def written(folder, tree, dev):
    texts = template_texts(tree)
    files = {file_name(tier): text.encode() for tier, text in texts.items()}
    manifest = manifest_document(dev, tree, files | {"extra": b"1"}, [])
    for name, data in {**files, "manifest.json": canonical_json(manifest).encode()}.items():
        (folder / name).write_bytes(data)
    return manifest


def test_what_changed_between_two_builds(tmp_path, dev):
    before = written(tmp_path, bundle(a={"Same": VPC, "Changed": VPC, "Gone": VPC}, b={"Gone": VPC}), dev)
    assert read_manifest(tmp_path) == before
    after = bundle(a={"Same": VPC, "Changed": {"Type": "AWS::EC2::EIP"}, "New": VPC})
    manifest = manifest_document(dev, after, {"extra": b"2"}, [])
    assert compare(tmp_path, before, after, manifest) == Changes(
        first=False,
        added=("a.New",),
        removed=("a.Gone", "b.Gone"),
        changed=("a.Changed",),
        files=("b.template.json", "extra"),
    )


def test_a_change_outside_of_resources_is_told_by_file(tmp_path, dev):
    tree = Bundle("dev", {"a": {"Resources": {"V": VPC}}, "b": {"Resources": {"V": VPC}}}, ())
    before = written(tmp_path, tree, dev)
    after = {"a": {"Resources": {"V": VPC}, "Outputs": {"Id": {"Value": "1"}}}, "b": {"Resources": {"W": VPC}}}
    later = Bundle("dev", after, ())
    files = {file_name(tier): text.encode() for tier, text in template_texts(later).items()} | {"extra": b"1"}
    assert compare(tmp_path, before, later, manifest_document(dev, later, files, [])) == Changes(
        first=False, added=("b.W",), removed=("b.V",), files=("a.template.json",)
    )


def test_the_first_build_has_nothing_to_compare_with(tmp_path, dev):
    assert read_manifest(tmp_path) == {}
    assert compare(tmp_path, {}, bundle(a={"V": VPC}), {"files": {}}) == Changes(first=True)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": 1}'])
def test_a_manifest_that_cannot_be_read_counts_as_none(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    assert read_manifest(tmp_path) == {}


@pytest.mark.parametrize("content", [None, b"{}", b"[]", b'{"Resources": 1}', b"", b"\xff"])
def test_a_template_removed_or_mangled_by_hand_counts_as_new(tmp_path, dev, content):
    tree = bundle(a={"V": VPC})
    before = written(tmp_path, tree, dev)
    if content is None:
        (tmp_path / "a.template.json").unlink()
    else:
        (tmp_path / "a.template.json").write_bytes(content)
    assert compare(tmp_path, before, tree, before).added == ("a.V",)


# --- summary ---------------------------------------------------------------------------------------------------------
def test_tiers_by_type(dev):
    types = {f"T{number}": {"Type": f"AWS::X::T{number}"} for number in range(6)}
    manifest = manifest_document(dev, bundle(network={**types, "V": VPC, "W": VPC}), {"a": b"1234"}, [])
    assert list(_tiers(manifest)) == [
        "tier           resources  by type",
        "network                8  2 EC2::VPC, 1 X::T0, 1 X::T1, 1 X::T2, 3 more",
        "total                  8  1 templates, 1 files, 4 bytes",
    ]


def test_few_types_are_all_shown(dev):
    manifest = manifest_document(dev, bundle(network={"V": VPC}), {}, [])
    assert list(_tiers(manifest))[1] == "network                1  1 EC2::VPC"


def test_exceptions_are_listed_with_their_reasons():
    entries = [{"resource": "a.B", "rule": "E1", "reason": "because"}]
    assert list(_exceptions(entries)) == ["deliberate exceptions: 1", "  a.B E1: because"]


def test_changes_in_words():
    assert _changes(Changes(first=True)) == "first build"
    assert _changes(Changes(first=False)) == "none since the last build"
    many = tuple(f"a.R{number}" for number in range(9))
    assert _changes(Changes(first=False, added=many, removed=("b.X",), changed=("c.Y",), files=("z",))) == (
        "9 added (+a.R0, +a.R1, +a.R2, +a.R3, +a.R4, +a.R5, +a.R6, +a.R7, …); "
        "1 removed (-b.X); 1 changed (~c.Y); 1 files changed (~z)"
    )


FOUND = Finding(
    "network.template.json", 9, "E3012", "'x' is not of type 'boolean'", 1, "error", ("Resources", "Vpc", "Properties", "EnableDnsSupport"), "https://x"
)  # fmt: skip


def test_a_finding_is_told_by_tier_and_resource():
    assert address(FOUND) == "network.Vpc.EnableDnsSupport"
    assert render_findings([FOUND]) == (
        "network.Vpc.EnableDnsSupport: E3012 error: 'x' is not of type 'boolean'\n1 findings; nothing was written"
    )


# --- SARIF -----------------------------------------------------------------------------------------------------------
def test_sarif_points_at_the_line_of_the_tier_that_names_the_resource(tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/network.py").write_text('x = 1\nvpc = VPC("Vpc")\n')
    elsewhere = Finding("root.template.json", 1, "W1", "m", severity="warning")
    looped = Finding("network.template.json", 1, "I1", "m", severity="informational", path=("Resources", "Subnet1"))
    strange = Finding("network.template.json", 1, "X1", "m", severity="odd", path=("Resources",))
    document = sarif_document([FOUND, elsewhere, looped, strange], tmp_path)
    (run,) = document["runs"]
    assert document["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["E3012", "I1", "W1", "X1"]
    assert run["tool"]["driver"]["rules"][0]["helpUri"] == "https://x"
    assert "helpUri" not in run["tool"]["driver"]["rules"][1]
    first = run["results"][0]
    assert first["ruleId"] == "E3012"
    assert first["message"]["text"] == "network.Vpc.EnableDnsSupport: 'x' is not of type 'boolean'"
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "templates/network.py"
    assert place["region"]["startLine"] == 2
    assert [result["level"] for result in run["results"]] == ["error", "warning", "note", "warning"]
    assert [r["locations"][0]["physicalLocation"]["region"]["startLine"] for r in run["results"][1:]] == [1, 1, 1]


def test_sarif_without_findings_is_a_clean_run(tmp_path):
    assert sarif_document([], tmp_path)["runs"][0]["results"] == []
