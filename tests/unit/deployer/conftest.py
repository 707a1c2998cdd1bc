"""A build of dev that all tests of the deployer share: compiled once, not linted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from compiler.pipeline import compile_tree
from compiler.request import Request
from templates.root import system

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def built_dev(tmp_path_factory):
    """out/ with a build of dev in it; never to be changed."""
    out = tmp_path_factory.mktemp("built") / "out"
    compiled = compile_tree(Request(ROOT, "dev", None, "2026-11-24", out), system)
    for name, data in compiled.files.items():
        path = out / "dev" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return out


@pytest.fixture
def out_dev(built_dev, tmp_path):
    """The same as a copy of one's own."""
    shutil.copytree(built_dev, tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture
def edit_manifest(out_dev):
    """Change out/dev/manifest.json by a function."""

    def edit(change):
        path = out_dev / "dev" / "manifest.json"
        manifest = json.loads(path.read_text())
        change(manifest)
        path.write_text(json.dumps(manifest))

    return edit
