"""What is told where a package is missing, and that a mistake of our own is not taken for one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from settings import packages
from settings.door import answer
from settings.errors import MissingPackageError
from tests.integration.deploying.small import Build


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A repository with a lock of two packages."""
    (tmp_path / "requirements.txt").write_text("cfn-lint==1.0 \\\n    --hash=sha256:00\npyyaml==6.0\n")
    (tmp_path / "requirements-local.txt").write_text("moto[server]==5.0\n")
    monkeypatch.setattr(packages, "_ROOT", str(tmp_path))
    return tmp_path


def raised(code, file):
    """What a line of code raises that stands in `file`."""
    with pytest.raises(ModuleNotFoundError) as caught:
        exec(compile(code, str(file), "exec"), {})
    # Without this test's own frames, as the interpreter would have it.
    return caught.value.with_traceback(caught.value.__traceback__.tb_next)


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ("build.py --env dev --no-cache", "pyyaml, troposphere, awacs, cfn-lint are"),  # all at once
        ("build.py versions", "pyyaml is"),
        ("deploy.py --env dev --yes", "botocore is"),
        ("deploy.py plan --env dev --against out/dev", "pyyaml is"),
    ],
)
def test_outside_of_a_virtual_environment_the_doors_say_what_to_install(root, tmp_path, words, missing):
    Build(tmp_path / "out").write()
    door, *rest = words.split()
    command = [sys.executable, "-S", root / door, *rest, *(["--out", "out"] if "--env" in rest else [])]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    told, hint = done.stderr.splitlines()
    assert told == f"error: {missing} not installed for {sys.executable}"
    assert hint.startswith("next: ")
    assert "`make build` or `make deploy`" in hint


def test_what_is_installed_is_not_missing():
    packages.require("json", "yaml")
    with pytest.raises(MissingPackageError, match=r"^no-such-thing is not installed for ") as caught:
        packages.require("json", "no_such_thing")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("code", "told", "lock"),
    [
        ("import cfnlint", "cfn-lint", "requirements.txt"),
        ("import yaml.nodes", "pyyaml", "requirements.txt"),
        ("from moto.server import main", "moto", "requirements-local.txt"),
    ],
)
def test_a_locked_package_is_told_wherever_it_is_imported(here, monkeypatch, code, told, lock):
    monkeypatch.setitem(sys.modules, code.split()[1].partition(".")[0], None)
    error = packages.missing_package(raised(code, here / "deployer" / "stacks.py"))
    assert error is not None
    assert error.problems == [f"{told} is not installed for {sys.executable}"]
    assert error.hint.endswith(f"pip install --require-hashes -r {lock}")
    assert "activate" not in error.hint


def test_who_has_a_virtual_environment_is_told_to_use_it(here):
    (here / ".venv" / "bin").mkdir(parents=True)
    (here / ".venv" / "bin" / "activate").touch()
    with pytest.raises(MissingPackageError) as caught:
        packages.require("no_such_thing")
    assert caught.value.hint.startswith(". .venv/bin/activate; or `make build`")


@pytest.mark.parametrize("place", [".venv/lib/site-packages/cfnlint/rules.py", "../elsewhere/cfnlint/rules.py"])
def test_what_a_third_party_misses_belongs_to_its_installation(here, place):
    error = packages.missing_package(raised("import no_such_thing", (here / place).resolve()))
    assert error is not None
    assert error.problems == [f"no-such-thing is not installed for {sys.executable}"]


def test_a_mistake_of_our_own_stays_a_traceback(here):
    assert packages.missing_package(raised("import jsno", here / "deployer" / "stacks.py")) is None
    assert packages.missing_package(raised("import deployer.no_such_module", here / "deploy.py")) is None
    assert packages.missing_package(ModuleNotFoundError("raised by hand")) is None

    def mistaken():
        raise raised("import jsno", here / "deployer" / "stacks.py")

    with pytest.raises(ModuleNotFoundError, match="jsno"):
        answer(mistaken, "interrupted")


def test_names_that_a_module_lacks_are_no_missing_package():
    def mistaken():
        from json import no_such_name  # noqa: F401

    with pytest.raises(ImportError, match="no_such_name"):
        answer(mistaken, "interrupted")


def test_the_door_tells_it(here, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)

    def run():
        raise raised("import yaml", here / "deployer" / "gate.py")

    assert answer(run, "interrupted") == 2
    assert capsys.readouterr().err.startswith("error: pyyaml is not installed for ")


def test_every_name_that_is_installed_otherwise_is_locked():
    locked = set().union(*(packages._locked(lock) for lock in packages._LOCKS))
    assert set(packages._DISTRIBUTIONS.values()) <= locked
    assert {"troposphere", "boto3", "botocore", "moto", "coverage"} <= locked
