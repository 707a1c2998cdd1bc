"""The compiled templates of every environment, as files: a diff of them is what a review of a change reads.

`make golden` rewrites them after a wanted change. What the templates must contain is tested in tests/unit/templates/.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.bundle import file_name
from compiler.diagram.architecture import draw_architecture
from compiler.diagram.dependencies import draw_dependencies
from compiler.linking import link
from compiler.manifest import template_texts
from settings.load import load
from templates.root import system

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.mark.parametrize("env", ["dev", "staging", "prod"])
def test_the_templates_are_those_on_file(env, request):
    settings = load(ROOT / "params", env, None, {})
    texts = {file_name(tier): text for tier, text in template_texts(link(system(settings), settings)).items()}
    folder = HERE / env
    if request.config.getoption("--update-golden"):
        folder.mkdir(exist_ok=True)
        for path in folder.glob("*.json"):
            path.unlink()
        for name, text in texts.items():
            (folder / name).write_text(text)
    on_file = {path.name: path.read_text() for path in folder.glob("*.json")}
    assert sorted(on_file) == sorted(texts)
    differing = [name for name in sorted(texts) if texts[name] != on_file[name]]
    assert not differing, f"{env}: {', '.join(differing)} changed; if wanted: make golden, and read the diff"


@pytest.mark.parametrize(("name", "draw"), [("architecture", draw_architecture), ("dependencies", draw_dependencies)])
def test_the_pictures_in_docs_are_those_of_prod(name, draw, request):
    settings = load(ROOT / "params", "prod", None, {})
    path = ROOT / f"docs/{name}.svg"
    drawn = draw(link(system(settings), settings))
    if request.config.getoption("--update-golden"):
        path.write_text(drawn)
    assert path.read_text() == drawn, f"docs/{name}.svg is not what prod compiles to; if wanted: make golden"
