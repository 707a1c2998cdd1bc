"""The command line: verbs, options, and how failures are told."""

from __future__ import annotations

import argparse
import io
import os
import signal
import subprocess
import sys
import types
from pathlib import Path

import pytest

from deployer import arguments, command
from deployer.errors import DeclinedError
from settings import door
from settings.errors import UsageError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def verb(monkeypatch):
    """Stands for the module of a verb; returns a function that sets what it does."""
    module = types.ModuleType("deployer.verbs.outputs")
    monkeypatch.setitem(sys.modules, "deployer.verbs.outputs", module)
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)

    def does(action):
        module.run = action

    return does


def test_help_lists_every_verb(capsys):
    assert command.main(["--help"], str(ROOT)) == 0
    out = capsys.readouterr().out
    for name in arguments.VERBS:
        assert f"\n  {name} " in out


@pytest.mark.parametrize("name", arguments.VERBS)
def test_each_verb_has_a_help_of_its_own(name, capsys):
    assert command.main([name, "--help"], str(ROOT)) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: deploy.py {name} ")
    assert ("--env" in out) == (name != "local")


def test_without_a_verb_it_is_up(monkeypatch):
    seen = []
    module = types.ModuleType("deployer.verbs.up")
    module.run = lambda options, root: seen.append((options.env, root)) or 7
    monkeypatch.setitem(sys.modules, "deployer.verbs.up", module)
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    assert command.main(["--env", "dev"], "/repository") == 7
    assert seen == [("dev", "/repository")]


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        (["exectue"], "exectue: no such verb", "did you mean execute?"),
        (["--env", "dev", "review"], "review: the verb comes first", "python deploy.py review --env dev"),
        (["--local", "--env", "plan"], f"{ROOT}/out/plan: there is no build", "build it: python build.py --env plan"),
        (["xyz"], "xyz: no such verb", "one of up, plan, review"),
        ([], "--env is missing", "python deploy.py --env dev"),
        (["review"], "--env is missing", "python deploy.py review --env dev"),
        (["review", "--env", "dev", "--yes"], "unrecognized arguments: --yes", "see: python deploy.py review --help"),
        (["--env", "dev", "--wait", "soon"], "argument --wait: soon: a whole number of seconds is wanted", "see: "),
        (["local", "restart"], "argument action: invalid choice", "see: python deploy.py local --help"),
    ],
)
def test_a_wrong_command_line_is_told_with_the_next_step(capsys, given, message, hint):
    assert command.main(given, str(ROOT)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    error, following = captured.err.splitlines()
    assert error.startswith(f"error: {message}")
    assert following.startswith(f"next: {hint}")


def test_acknowledgements_are_given_by_rule_and_address():
    options = arguments.parse("review", ["--env", "dev", "--allow-replace", "a.B", "--allow-replace", "c.D"])
    assert (options.allow_replace, options.allow_delete) == (["a.B", "c.D"], [])


def test_seconds_are_numbers():
    assert arguments.parse("up", ["--env", "dev", "--wait", "60"]).wait == 60


def test_an_error_of_a_verb_is_told_and_gives_its_exit_code(verb, capsys):
    def decline(options, root):
        raise DeclinedError(["one", "two"], hint="nothing was done")

    verb(decline)
    assert command.main(["outputs", "--env", "dev"], str(ROOT)) == 3
    assert capsys.readouterr().err == "error: one\nerror: two\nnext: nothing was done\n"


def test_an_error_without_a_next_step(verb, capsys):
    def fail(options, root):
        raise UsageError("so")

    verb(fail)
    assert command.main(["outputs", "--env", "dev"], str(ROOT)) == 2
    assert capsys.readouterr().err == "error: so\n"


@pytest.mark.parametrize(("stop", "code"), [((), 130), ((15,), 143)])
def test_an_interruption_ends_with_the_signal_s_code(verb, capsys, stop, code):
    def interrupted(options, root):
        raise KeyboardInterrupt(*stop)

    verb(interrupted)
    assert command.main(["outputs", "--env", "dev"], str(ROOT)) == code
    assert capsys.readouterr().err == "interrupted\n"


def test_sigterm_interrupts():
    with pytest.raises(KeyboardInterrupt) as caught:
        door.interrupt(15, None)
    assert caught.value.args == (15,)


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (BrokenPipeError(), 141, ""),
        (OSError(28, "No space left on device"), 1, "error: standard output: No space left on device\n"),
        (OSError(28, "No space left on device", "f.json"), 1, "error: f.json: No space left on device\n"),
        (OSError("odd"), 1, "error: standard output: odd\n"),
    ],
)
def test_a_stream_or_disk_that_refuses(verb, capsys, monkeypatch, error, code, told):
    def fail(options, root):
        raise error

    replaced = []
    monkeypatch.setattr(door.os, "dup2", lambda *descriptors: replaced.append(descriptors[1]))
    verb(fail)
    assert command.main(["outputs", "--env", "dev"], str(ROOT)) == code
    assert capsys.readouterr().err == told
    assert replaced == [1]


def test_streams_that_are_none_of_python_s_own(verb, monkeypatch):
    streams = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    verb(lambda options, root: print("→") or 0)
    assert command.main(["outputs", "--env", "dev"], str(ROOT)) == 0
    assert streams[0].getvalue() == "→\n"


def test_a_terminal_that_has_no_arrow_is_no_reason_to_fail():
    done = subprocess.run(
        [sys.executable, "deploy.py", "--help"],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert "\\u2192" in done.stdout


def test_help_is_as_wide_as_the_terminal(monkeypatch):
    monkeypatch.setattr(os, "get_terminal_size", lambda: os.terminal_size((72, 20)))
    assert door.Help("deploy.py")._width == 70


def test_help_and_usage_errors_load_nothing_heavy():
    code = (
        "import sys; from deployer.command import main; main(['--help'], '.'); main(['plan'], '.');"
        "heavy = {'boto3', 'botocore', 'cfnlint', 'troposphere', 'moto', 'yaml', 'json', 'http', 'difflib'};"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_options_are_a_namespace():
    assert isinstance(arguments.parse("local", ["stop"]), argparse.Namespace)
