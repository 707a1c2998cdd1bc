"""The short cut of a build that has nothing to do: never taken when anything differs."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from compiler.stamp import Stamp, contents_digest, inputs_signature

ROOT = Path(__file__).parents[3]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in (
        "settings/a.py",
        "templates/deep/b.py",
        "params/dev.yaml",
        "build.py",
        ".cfnlintrc",
        "requirements.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    out = tmp_path / "out/dev"
    (out / "assets").mkdir(parents=True)
    manifest = {"files": {"a.json": {"bytes": 1}, "assets/b.zip": {"bytes": 2}}, "stack": "x"}
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True))
    (out / "a.json").write_text("1")
    (out / "assets/b.zip").write_text("22")
    return out


def files(folder: Path) -> dict[str, bytes]:
    """What the build that wrote the folder knows that it wrote."""
    return {name: (folder / name).read_bytes() for name in ("a.json", "manifest.json", "assets/b.zip")}


def digest(repository: Path) -> str:
    return contents_digest(str(repository))


def test_the_same_inputs_have_the_same_digest(repository):
    assert digest(repository) == digest(repository)


@pytest.mark.parametrize(
    "name",
    [
        "settings/a.py",
        "templates/deep/b.py",
        "params/dev.yaml",
        "params/new.yaml",
        "build.py",
        ".cfnlintrc",
        "requirements.txt",
        "rules/x.json",
        "cache/aws/cfn-lint/schemas/version.json",
    ],
)
def test_every_input_counts(repository, name):
    before = digest(repository)
    path = repository / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("changed")
    assert digest(repository) != before


def test_a_removed_file_and_a_renamed_one_count(repository):
    before = digest(repository)
    (repository / "settings/a.py").rename(repository / "settings/c.py")
    renamed = digest(repository)
    (repository / "settings/c.py").unlink()
    assert len({before, renamed, digest(repository)}) == 3


def test_words_and_their_borders_count(repository):
    made = {inputs_signature(str(repository), list(w)) for w in (("dev", "x"), ("devx",), ("dev",), ("prod",))}
    assert len(made) == 4


def test_compiled_files_and_hidden_ones_do_not_count(repository):
    before = digest(repository)
    for name in ("settings/a.pyc", "settings/__pycache__/a.cpython.pyc", "params/.dev.yaml.swp"):
        path = repository / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    assert digest(repository) == before


def test_names_that_are_no_utf_8_count_too(repository):
    before = digest(repository)
    (repository / os.fsdecode(b"params/\xff.yaml")).write_text("x")
    assert digest(repository) != before
    assert inputs_signature(str(repository), [os.fsdecode(b"\xff")]) != inputs_signature(str(repository), ["x"])


def test_schemas_with_a_strange_date_are_schemas(repository, monkeypatch):
    before = digest(repository)
    path = repository / "cache/aws/cfn-lint/schemas/version.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff")
    assert digest(repository) != before


@pytest.mark.parametrize("name", ["site-packages", "dist-packages", "anything"])
def test_installed_versions_count(repository, monkeypatch, tmp_path, name):
    packages = tmp_path / "venv" / name
    (packages / "troposphere-4.11.1.dist-info").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(packages), str(tmp_path / "absent/site-packages")])
    before = digest(repository)
    (packages / "unrelated-1.0.dist-info").mkdir()
    assert digest(repository) == before
    (packages / "troposphere-4.11.1.dist-info").rename(packages / "troposphere-4.12.0.dist-info")
    assert digest(repository) != before


def never() -> str:
    raise AssertionError("the contents were read although nothing was touched")


@pytest.fixture
def stamp(tmp_path, folder) -> Stamp:
    return Stamp(str(tmp_path / "stamp"), str(folder))


def test_a_stamp_is_read_back_without_reading_contents(stamp, folder):
    stamp.write("seen", "made", files(folder), "printed\nlines", pictured=False)
    assert stamp.read("seen", never, pictured=False) == "printed\nlines"


def test_touched_inputs_of_the_same_contents_are_recognized_and_remembered(stamp, folder):
    stamp.write("seen", "made", files(folder), "printed", pictured=False)
    assert stamp.read("a fresh checkout", lambda: "made", pictured=False) == "printed"
    assert stamp.read("a fresh checkout", never, pictured=False) == "printed"


def test_other_inputs_are_another_build(stamp, folder):
    stamp.write("seen", "made", files(folder), "printed", pictured=False)
    assert stamp.read("other", lambda: "other", pictured=False) is None


def test_pictures_are_made_when_asked_for_and_kept_when_not(stamp, folder):
    stamp.write("seen", "made", files(folder), "printed", pictured=False)
    assert stamp.read("seen", never, pictured=True) is None
    stamp.write("seen", "made", files(folder), "printed", pictured=True)
    assert stamp.read("seen", never, pictured=True) == "printed"
    assert stamp.read("seen", never, pictured=False) == "printed"
    assert stamp.read("touched", lambda: "made", pictured=False) == "printed"
    assert stamp.read("seen", lambda: "made", pictured=True) == "printed"


@pytest.mark.parametrize("name", ["a.json", "assets/b.zip", "manifest.json"])
@pytest.mark.parametrize("harm", ["changed", "removed"])
def test_a_build_that_somebody_touched_is_made_again(stamp, folder, name, harm):
    stamp.write("seen", "made", files(folder), "printed", pictured=False)
    (folder / "flat-outputs.json").write_text("a deployer's, not ours")
    assert stamp.read("seen", never, pictured=False) == "printed"
    if harm == "changed":
        (folder / name).write_text("x")
    else:
        (folder / name).unlink()
    assert stamp.read("seen", lambda: "made", pictured=False) is None


def test_outputs_copied_elsewhere_and_back_are_recognized(stamp, folder, tmp_path):
    stamp.write("seen", "made", files(folder), "printed", pictured=False)
    shutil.move(folder, tmp_path / "away")
    assert stamp.read("seen", lambda: "made", pictured=False) is None
    shutil.copytree(tmp_path / "away", folder)
    assert stamp.read("seen", lambda: "made", pictured=False) == "printed"


def test_a_build_whose_files_another_has_replaced_is_not_remembered(stamp, folder):
    """Two builds of one suffix: the first to publish is the last to write its stamp, beside the other's files."""
    written = files(folder)
    (folder / "a.json").write_text("2")
    stamp.write("seen", "made", written, "printed", pictured=False)
    assert stamp.read("seen", lambda: "made", pictured=False) is None
    (folder / "a.json").write_text("1")
    stamp.write("seen", "made", written, "printed", pictured=False)
    assert stamp.read("seen", never, pictured=False) == "printed"


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe"])
def test_a_damaged_manifest_counts_as_another_build(stamp, folder, content):
    stamp.write("seen", "made", files(folder), "printed", pictured=False)
    (folder / "manifest.json").write_bytes(content)
    assert stamp.read("seen", lambda: "made", pictured=False) is None


@pytest.mark.parametrize("content", ["", "build stamp 0\na\nb\nc\nd\n0\ny", "one line"])
def test_a_damaged_stamp_counts_as_none(tmp_path, folder, content):
    (tmp_path / "stamp").write_text(content)
    assert Stamp(str(tmp_path / "stamp"), str(folder)).read("a", lambda: "b", pictured=False) is None


def test_a_stamp_that_cannot_be_written_is_no_error(tmp_path, folder):
    (tmp_path / "file").write_text("")
    Stamp(str(tmp_path / "file/stamp"), str(folder)).write("a", "b", files(folder), "printed", pictured=False)
    assert not os.path.exists(tmp_path / "file/stamp")


def test_a_signature_sees_what_a_digest_sees_and_more(repository):
    root = str(repository)
    before, digest_before = inputs_signature(root, ["dev"]), contents_digest(root)
    assert inputs_signature(root, ["dev"]) == before
    assert inputs_signature(root, ["prod"]) != before
    path = repository / "settings/a.py"
    text = path.read_text()
    path.write_text("other")
    os.utime(path, ns=(0, 0))
    changed = inputs_signature(root, ["dev"])
    assert changed != before
    path.write_text(text)
    os.utime(path, ns=(0, 0))
    assert contents_digest(root) == digest_before
    assert inputs_signature(root, ["dev"]) not in (before, changed)  # the change time tells
    path.unlink()
    assert inputs_signature(root, ["dev"]) != before


def test_another_interpreter_has_the_hash_under_its_public_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "_blake2", None)
    monkeypatch.delitem(sys.modules, "compiler.stamp")
    again = importlib.import_module("compiler.stamp")
    assert again.contents_digest(str(ROOT)) == contents_digest(str(ROOT))


def imported(*arguments: str) -> tuple[int, str, set[str]]:
    """Exit code, standard output, and every module that an interpreter imports."""
    command = [sys.executable, "-X", "importtime", *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    lines = [line for line in run.stderr.splitlines() if line.startswith("import time:")]
    return run.returncode, run.stdout, {line.rpartition("|")[2].strip() for line in lines}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [(["--help"], 0, "exit codes"), (["--nope"], 2, ""), (["--env", "dev", "--suffix", "timports"], 0, "unchanged")],
)
def test_the_short_ways_import_nothing_that_costs(tmp_path, arguments, code, said):
    if said == "unchanged":
        arguments = [*arguments, "--out", str(tmp_path)]
        subprocess.run([sys.executable, "build.py", *arguments], cwd=ROOT, check=True, capture_output=True)
    ended, printed, modules = imported("build.py", *arguments)
    modules -= imported("-c", "pass")[2]
    assert (ended, said in printed) == (code, True)
    assert "compiler.stamp" in modules
    costly = {
        "troposphere",
        "awacs",
        "cfnlint",
        "boto3",
        "yaml",
        "typing",
        "json",
        "pathlib",
        "datetime",
        "signal",
        "hashlib",
    }
    assert not costly & modules
