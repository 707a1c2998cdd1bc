"""A params folder of its own for each test: the repository's base.yaml, and environments as the test writes them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from settings.errors import ParamsError
from settings.load import load

PARAMS = Path(__file__).parents[3] / "params"


class Params:
    """A params folder: `write` a file of it, `load` it, or see the `problems` that loading it reports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, text, name="dev.yaml"):
        (self.folder / name).write_text(text, encoding="utf-8")

    def edit_base(self, old, new):
        path = self.folder / "base.yaml"
        text = path.read_text()
        assert text.count(old) == 1, old
        path.write_text(text.replace(old, new))

    def line(self, start, name="base.yaml"):
        """Where the one line of a file stands that starts so, indentation included: "params/base.yaml:7"."""
        lines = (self.folder / name).read_text().split("\n")
        (number,) = (number for number, line in enumerate(lines, start=1) if line.startswith(start))
        return f"params/{name}:{number}"

    def load(self, env="dev", *arguments, **named):
        return load(self.folder, env, *arguments, **named)

    def error(self, *arguments, **named):
        with pytest.raises(ParamsError) as caught:
            self.load(*arguments, **named)
        return caught.value

    def problems(self, *arguments, **named):
        return self.error(*arguments, **named).problems


@pytest.fixture
def params(tmp_path):
    folder = tmp_path / "params"
    folder.mkdir()
    for name in ("base.yaml", "data-center-ca.pem"):
        shutil.copy(PARAMS / name, folder)
    made = Params(folder)
    for env in ("dev", "staging"):
        made.write("# overrides nothing\n", f"{env}.yaml")
    return made
