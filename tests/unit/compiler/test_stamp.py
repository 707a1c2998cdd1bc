"""The short cut of a build that has nothing to do: never taken when anything differs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from compiler.stamp import inputs_digest, outputs_digest, read_stamp, write_stamp

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


def digest(repository: Path, *words: str) -> str:
    return inputs_digest(str(repository), list(words))


def test_the_same_inputs_have_the_same_digest(repository):
    assert digest(repository, "dev") == digest(repository, "dev")


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
    before = digest(repository, "dev")
    path = repository / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("changed")
    assert digest(repository, "dev") != before


def test_a_removed_file_and_a_renamed_one_count(repository):
    before = digest(repository)
    (repository / "settings/a.py").rename(repository / "settings/c.py")
    renamed = digest(repository)
    (repository / "settings/c.py").unlink()
    assert len({before, renamed, digest(repository)}) == 3


def test_words_and_their_borders_count(repository):
    assert len({digest(repository, *words) for words in (("dev", "x"), ("devx",), ("dev",), ("prod",))}) == 4


def test_compiled_files_and_hidden_ones_do_not_count(repository):
    before = digest(repository)
    for name in ("settings/a.pyc", "settings/__pycache__/a.cpython.pyc", "params/.dev.yaml.swp"):
        path = repository / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    assert digest(repository) == before


def test_installed_versions_count(repository, monkeypatch, tmp_path):
    packages = tmp_path / "venv/site-packages"
    (packages / "troposphere-4.11.1.dist-info").mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(packages), str(tmp_path / "absent/site-packages")])
    before = digest(repository)
    (packages / "unrelated-1.0.dist-info").mkdir()
    assert digest(repository) == before
    (packages / "troposphere-4.11.1.dist-info").rename(packages / "troposphere-4.12.0.dist-info")
    assert digest(repository) != before


def test_a_stamp_is_read_back(tmp_path, folder):
    stamp = str(tmp_path / "stamps/dev")
    write_stamp(stamp, "in", str(folder), "printed\nlines", pictured=False)
    assert read_stamp(stamp, "in", str(folder), pictured=False) == "printed\nlines"
    assert read_stamp(stamp, "other", str(folder), pictured=False) is None
    assert read_stamp(stamp, "in", str(folder), pictured=True) is None
    write_stamp(stamp, "in", str(folder), "printed", pictured=True)
    assert read_stamp(stamp, "in", str(folder), pictured=True) == "printed"
    assert read_stamp(stamp, "in", str(folder), pictured=False) == "printed"


@pytest.mark.parametrize("name", ["a.json", "assets/b.zip", "manifest.json"])
@pytest.mark.parametrize("harm", ["changed", "removed"])
def test_a_build_that_somebody_touched_is_made_again(tmp_path, folder, name, harm):
    stamp = str(tmp_path / "stamp")
    write_stamp(stamp, "in", str(folder), "printed", pictured=False)
    (folder / "flat-outputs.json").write_text("a deployer's, not ours")
    assert read_stamp(stamp, "in", str(folder), pictured=False) == "printed"
    if harm == "changed":
        (folder / name).write_text("x")
    else:
        (folder / name).unlink()
    assert read_stamp(stamp, "in", str(folder), pictured=False) is None


@pytest.mark.parametrize("content", ["", "build stamp 0\nin\nx\n0\ny", "one line"])
def test_a_damaged_stamp_counts_as_none(tmp_path, folder, content):
    (tmp_path / "stamp").write_text(content)
    assert read_stamp(str(tmp_path / "stamp"), "in", str(folder), pictured=False) is None


def test_a_stamp_that_cannot_be_written_is_no_error(tmp_path, folder):
    (tmp_path / "file").write_text("")
    write_stamp(str(tmp_path / "file/stamp"), "in", str(folder), "printed", pictured=False)
    assert not os.path.exists(tmp_path / "file/stamp")


def test_the_files_are_found_in_a_real_manifest_without_a_json_parser(folder):
    before = outputs_digest(str(folder))
    (folder / "assets/b.zip").write_text("other")
    assert outputs_digest(str(folder)) != before
    assert outputs_digest("/nowhere") == "none"


def test_the_short_cut_imports_neither_troposphere_nor_the_linter_nor_boto3():
    code = (
        "import sys; sys.argv = ['build.py', '--help']\n"
        "import compiler.command as c\n"
        "import build\n"
        "heavy = {'troposphere', 'awacs', 'cfnlint', 'boto3', 'yaml', 'typing', 'json'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )
    run = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
