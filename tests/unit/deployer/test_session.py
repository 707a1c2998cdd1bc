"""What a verb works with."""

from __future__ import annotations

import argparse
import os
import types
from pathlib import Path

import pytest

from compiler.stamp import Stamp, contents_digest
from deployer import aws
from deployer.errors import PackageError
from deployer.session import Session, open_session, use_local
from settings.errors import UsageError, UserError

ROOT = Path(__file__).parents[3]


def options(**given):
    return argparse.Namespace(**{"env": "dev", "suffix": None, "out": None, "local": False, **given})


@pytest.fixture
def process(monkeypatch):
    """Stands for the embedded AWS's process; holds what was asked of it."""
    from localaws import process

    asked = []
    monkeypatch.setattr(
        process, "up", lambda root: asked.append(("up", root)) or types.SimpleNamespace(url="http://l:1", started=True)
    )
    monkeypatch.setattr(process, "adopt", lambda variables, url: asked.append(("adopt", url)))
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    return asked


@pytest.mark.parametrize(
    ("given", "variable", "suffix"),
    [({}, None, "dev"), ({}, "pr-1", "pr-1"), ({"suffix": "pr-2"}, "pr-1", "pr-2"), ({}, "", "dev")],
)
def test_the_suffix_is_the_flag_s_then_the_environment_s(monkeypatch, given, variable, suffix):
    monkeypatch.delenv("ENVIRONMENT_SUFFIX", raising=False)
    if variable is not None:
        monkeypatch.setenv("ENVIRONMENT_SUFFIX", variable)
    opened = open_session(options(**given), "/r")
    assert (opened.folder, opened.suffix, opened.environment) == (Path("/r/out", suffix), suffix, "dev")


@pytest.mark.parametrize("suffix", ["", "../x", ".staging-dev", "a/b"])
def test_a_suffix_that_is_no_folder_of_a_build(suffix):
    with pytest.raises(UsageError, match="no suffix of a build"):
        open_session(options(suffix=suffix), "/r")


def test_builds_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert open_session(options(out="o"), "/r").folder == tmp_path / "o/dev"
    with pytest.raises(UsageError, match="--out names no folder"):
        open_session(options(out=""), "/r")


def test_a_build_of_another_environment_is_refused(out_dev):
    with pytest.raises(PackageError, match=r"a build of dev \(suffix dev\), not of prod") as caught:
        Session(ROOT, out_dev / "dev", "prod", "dev", local=False).package()
    assert caught.value.hint == "build it: python build.py --env prod --suffix dev"


def test_a_build_that_the_params_have_left_behind_is_told(out_dev, capsys):
    opened = Session(ROOT, out_dev / "dev", "dev", "dev", local=False)
    stamp = Stamp(str(out_dev / ".stamp-dev"), str(out_dev / "dev"))
    for contents, told in ((contents_digest(str(ROOT)), ""), ("another", "note: params or code have changed since")):
        stamp.write("", repr((contents, ["dev"])), opened.package().files | {}, "", pictured=False)
        (out_dev / ".stamp-dev").write_text(f"build stamp 2\n-\n{(contents, ['dev'])!r}\n-\n-\n0\n")
        capsys.readouterr()
        assert opened.package().suffix == "dev"
        assert capsys.readouterr().err.startswith(told)
        assert bool(told) == (contents == "another")


@pytest.mark.parametrize(
    ("opened", "verb", "words"),
    [
        (Session(ROOT, ROOT, "dev", "dev", local=True), "", "python deploy.py --env dev --local"),
        (Session(ROOT, ROOT, "dev", "pr-1", local=False), "status", "python deploy.py status --env dev --suffix pr-1"),
    ],
)
def test_how_a_person_calls_the_next_verb(opened, verb, words):
    assert opened.command(verb) == words


def test_clients_of_the_embedded_aws(monkeypatch, process):
    monkeypatch.setattr(aws, "connect", lambda region: f"clients of {region}")
    assert Session(ROOT, ROOT, "dev", "dev", local=True).connect("eu-west-1") == "clients of eu-west-1"
    assert process == [("up", ROOT), ("adopt", "http://l:1")]
    process.clear()
    assert Session(ROOT, ROOT, "dev", "dev", local=False).connect("eu-west-1") == "clients of eu-west-1"
    assert process == []


def test_an_endpoint_that_is_given_is_used_if_it_is_here(monkeypatch, process):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:5000")
    use_local(ROOT)
    assert process == [("adopt", "http://127.0.0.1:5000")]


def test_local_never_reaches_a_real_account(monkeypatch, process):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://cloudformation.us-east-1.amazonaws.com")
    with pytest.raises(UserError, match="not an endpoint of this machine"):
        use_local(ROOT)
    assert process == []
    assert os.environ["AWS_ENDPOINT_URL"].startswith("https://")
