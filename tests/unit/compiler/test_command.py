"""The command line: what is printed where, and the exit code."""

from __future__ import annotations

import datetime as dt
import errno
import io
import json
import os
import signal
import sys
import time
import uuid
from pathlib import Path

import pytest

import build
from compiler import command, pipeline, versions
from compiler.command import main
from compiler.request import Request
from contract.stack import Nested, System
from settings import door
from settings.errors import LifecycleError, LinkError, UserError

ROOT = Path(__file__).parents[3]
CLEAN = """
class Inputs(BaseInputs): pass
class Outputs(BaseOutputs): pass
def build(stack, needs):
    from troposphere import ssm
    stack.add(ssm.Parameter("Greeting", Name=stack.name(names.SSM_PARAMETER, "greeting"), Type="String", Value="hello"))
"""
PUBLIC = (
    CLEAN
    + """
    stack.add(ec2.EIP("Address", Domain="nope"))
"""
)


@pytest.fixture
def run(tier, tmp_path, capsys, monkeypatch):
    """Run the command on a one-tier system, into a folder of the test's own."""
    monkeypatch.delenv("ENVIRONMENT_SUFFIX", raising=False)

    on_term = signal.getsignal(signal.SIGTERM)

    def call(*arguments: str, source: str = CLEAN):
        module = tier("greeting", source)
        design = lambda settings: System("greeting", (Nested(module.TIER, module.Inputs()),), {})  # noqa: E731
        out = [] if {"versions", "--out"} & set(arguments) else ["--out", str(tmp_path / "out")]
        code = main([*arguments, *out], str(ROOT), design)
        return code, *capsys.readouterr()

    yield call
    signal.signal(signal.SIGTERM, on_term)


def test_a_build_and_the_same_build_again(run, tmp_path):
    code, out, err = run("--env", "dev", "--suffix", "tcommand", "--no-cache")
    assert (code, err) == (0, "")
    assert "payments-tcommand: environment dev, suffix tcommand" in out
    assert "findings   0 of any level (2 of 2 templates linted" in out
    assert "first build" in out
    files = {path.name for path in (tmp_path / "out/tcommand").iterdir()}
    assert files == {"greeting.template.json", "root.template.json", "manifest.json", "parameters.json", "assets"}
    code, again, err = run("--env", "dev", "--suffix", "tcommand")
    assert (code, err) == (0, "")
    assert "unchanged  nothing to build" in again
    assert again.split("\n\nunchanged")[0] == out.split("\n\nfindings")[0]


def test_a_change_is_told(run):
    run("--env", "dev", "--suffix", "tchange")
    code, out, _ = run("--env", "dev", "--suffix", "tchange", "--set", "tags.team=core")
    assert code == 0
    assert "changed (~greeting.Greeting" in out


def test_findings_end_the_build_and_leave_the_previous_one(run, tmp_path):
    run("--env", "dev", "--suffix", "tfindings")
    before = (tmp_path / "out/tfindings/greeting.template.json").read_bytes()
    sarif = tmp_path / "findings.sarif"
    code, out, _ = run("--env", "dev", "--suffix", "tfindings", "--sarif", str(sarif), source=PUBLIC)
    assert code == 1
    assert "greeting.Address.Domain: E3030 error: 'nope' is not one of" in out
    assert "nothing was written" in out
    assert (tmp_path / "out/tfindings/greeting.template.json").read_bytes() == before
    results = json.loads(sarif.read_text())["runs"][0]["results"]
    assert "E3030" in {result["ruleId"] for result in results}


def test_json_is_all_that_stdout_carries(run, tmp_path):
    code, out, err = run("--env", "dev", "--suffix", "tjson", "--json")
    document = json.loads(out)
    assert (code, err, document["findings"]) == (0, "", [])
    assert document["manifest"]["suffix"] == "tjson"
    assert document["written"] == str(tmp_path / "out/tjson")
    code, out, _ = run("--env", "dev", "--suffix", "tjson", "--json", source=PUBLIC)
    document = json.loads(out)
    assert (code, document["written"]) == (1, None)
    assert document["findings"][0]["file"] == "greeting.template.json"


def test_the_suffix_comes_from_the_flag_then_the_environment_then_the_env(run, tmp_path, monkeypatch):
    run("--env", "dev")
    monkeypatch.setenv("ENVIRONMENT_SUFFIX", "tfromenv")
    run("--env", "dev")
    run("--env", "dev", "--suffix", "tflag")
    assert {path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")} == {
        "dev",
        "tfromenv",
        "tflag",
    }


def test_out_is_relative_to_where_one_stands(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("--env", "dev", "--suffix", "there", "--out", "mine")[0] == 0
    assert (tmp_path / "mine/there/manifest.json").exists()
    _, out, _ = run("--env", "dev", "--suffix", "there", "--out", "mine")
    assert "nothing to build, mine/there is current" in out


def test_without_out_it_is_beside_the_door(monkeypatch, run):
    asked = []
    monkeypatch.setattr(command, "Stamp", lambda *paths: (asked.append(paths), pytest.fail("far enough"))[1])
    with pytest.raises(pytest.fail.Exception):
        main(["--env", "dev"], str(ROOT), None)
    assert asked == [(str(ROOT / "out/.stamp-dev"), str(ROOT / "out/dev"))]


def test_of_a_tag_set_twice_the_last_counts_in_either_order(run, tmp_path):
    for first, last in (("one", "two"), ("two", "one")):
        arguments = ["--set", f"tags.team={first}", "--set", f"tags.team={last}"]
        assert run("--env", "dev", "--suffix", "ttwice", *arguments)[0] == 0
        assert json.loads((tmp_path / "out/ttwice/parameters.json").read_text())["Tags"]["Team"] == last


def test_the_next_day_is_another_build_though_today_is_given(run, monkeypatch):
    arguments = ["--env", "dev", "--suffix", "tclock", "--today", "2026-12-24"]
    run(*arguments)
    assert "unchanged" in run(*arguments)[1]
    monkeypatch.setattr(command.time, "strftime", lambda form: "2031-02-03")
    assert "unchanged" not in run(*arguments)[1]


def test_an_input_edited_during_the_build_leaves_no_stamp(run, monkeypatch, tmp_path):
    seen = iter(("before", "after", "after", "after"))
    monkeypatch.setattr(command, "inputs_signature", lambda root, words: next(seen))
    assert run("--env", "dev", "--suffix", "tedited")[0] == 0
    assert not (tmp_path / "out/.stamp-tedited").exists()
    assert run("--env", "dev", "--suffix", "tedited")[0] == 0
    assert (tmp_path / "out/.stamp-tedited").exists()


@pytest.mark.parametrize(
    ("flag", "variable", "chosen"), [("a", "b", "a"), (None, "b", "b"), (None, "", "dev"), ("", "b", "")]
)
def test_the_cache_marks_the_suffix_that_the_settings_will_have(flag, variable, chosen):
    request = Request(ROOT, "dev", flag, "2026-11-24", ROOT / "out", environment_suffix=variable)
    assert request.chosen_suffix == chosen


def test_pictures_only_when_asked_for(run, tmp_path):
    run("--env", "dev", "--suffix", "tpictures")
    code, _, err = run("--env", "dev", "--suffix", "tpictures", "--diagram")
    assert (code, err) == (0, "")
    folder = tmp_path / "out/tpictures"
    assert (folder / "architecture.svg").read_text().lstrip().startswith("<")
    assert (folder / "dependencies.svg").exists()
    _, out, _ = run("--env", "dev", "--suffix", "tpictures", "--diagram")
    assert "unchanged" in out


@pytest.mark.parametrize(
    ("arguments", "error", "advice"),
    [
        ([], "--env is missing", "python build.py --env dev"),
        (["--env"], "argument --env: expected one argument", "see: python build.py --help"),
        (["--env", "dev", "--nope"], "unrecognized arguments: --nope", "see: python build.py --help"),
        (["--env", "dev", "--today", "soon"], "--today soon: not a date", "write it as YYYY-MM-DD"),
        (["--env", "dev", "--today", "2026-1-2"], "--today 2026-1-2: not a date", "write it as YYYY-MM-DD"),
        (["--env", "dev", "--today", "20260102"], "--today 20260102: not a date", "write it as YYYY-MM-DD"),
        (["--env", "dev", "--suffix", ""], '--suffix: ""; at most 28 lower-case letters', "mend the arguments"),
        (["--env", "dev", "--suffix", "../../x"], '--suffix: "../../x"; at most 28', "mend the arguments"),
        (["--env", "dev", "--suffix", os.fsdecode(b"\xff")], "at most 28 lower-case letters", "mend the arguments"),
        (["--env", "../dev"], '"../dev": there is no params/../dev.yaml', "mend the arguments"),
        (["--env", "dev", "--jobs", "0"], "--jobs 0: at least one process is needed", "leave --jobs out"),
        (["--env", "dev", "--set", "tags.team"], "--set tags.team: KEY=VALUE is wanted", "--set tags.pr_number=123"),
        (["--env", "dev", "--live"], "--live belongs to versions", "python build.py versions --live"),
        (["versions", "--write"], "--write goes with --live", "python build.py versions --live --write"),
        (["versions", "--suffix", "x", "--no-cache"], "--suffix, --no-cache: of no use to versions", "versions [--env"),
        (["deploy"], "invalid choice: 'deploy'", "see: python build.py --help"),
        (["--env", "dev", "--out", ""], "--out names no folder", "leave it out, or name one"),
    ],
)
def test_wrong_usage(run, arguments, error, advice):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    first, last = err.strip().splitlines()
    assert first.startswith("error: ")
    assert error in first
    assert last.startswith("next: ")
    assert advice in last


def test_a_sarif_file_that_cannot_be_written(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("nowhere/x.sarif", "", str(tmp_path)):
        assert run("--env", "dev", "--suffix", "tsarif", "--sarif", path) == (
            2, "", f"error: --sarif {path}: no such file can be\nnext: name a file in a folder that exists\n"
        )  # fmt: skip
    assert not (tmp_path / "out").exists()
    (tmp_path / "full.sarif").symlink_to("/dev/full")
    code, _, err = run("--env", "dev", "--suffix", "tsarif", "--sarif", "full.sarif")
    assert code == 2
    assert "--sarif full.sarif: No space left on device" in err


def test_wrong_params_name_file_and_key(run):
    code, _, err = run("--env", "nope")
    assert code == 2
    assert "dev" in err
    assert "prod" in err
    assert "Traceback" not in err


def test_a_dead_version_fails_by_the_day(run):
    code, _, err = run("--env", "dev", "--suffix", "tdead", "--today", "2033-01-01")
    assert code == LifecycleError.exit_code == 1
    assert "database.engine_version" in err
    assert "migration.engine_version" in err or "validation.runtime" in err


def test_an_error_without_a_next_step(monkeypatch, run):
    def fail(*arguments):
        raise UserError(["one", "two"])

    monkeypatch.setattr(command, "_build", fail)
    assert run("--env", "dev") == (1, "", "error: one\nerror: two\n")


def test_ctrl_c_is_no_traceback(monkeypatch, run):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_build", interrupt)
    assert run("--env", "dev") == (130, "", "interrupted; the previous build is untouched\n")


def test_sigterm_ends_a_build_as_ctrl_c_does(monkeypatch, run):
    monkeypatch.setattr(pipeline, "build", lambda *arguments: signal.raise_signal(signal.SIGTERM))
    assert run("--env", "dev", "--no-cache") == (143, "", "interrupted; the previous build is untouched\n")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141, ""),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "error: standard output: No space left on device\n"),
        (FileNotFoundError(errno.ENOENT, "No such file", "x.json"), 1, "error: x.json: No such file\n"),
    ],
)
def test_what_cannot_be_printed_or_read_is_no_traceback(monkeypatch, run, error, code, said):
    def fail(*arguments):
        raise error

    redirected = []
    monkeypatch.setattr(command, "_build", fail)
    monkeypatch.setattr(door.os, "dup2", lambda *descriptors: redirected.append(descriptors[1]))
    assert run("--env", "dev") == (code, "", said)
    assert redirected == [1]


def test_a_terminal_without_the_letters_gets_their_numbers(monkeypatch):
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setattr(command, "_build", lambda *arguments: print("1, 2, …") or 0)
    assert main(["--env", "dev"], str(ROOT), build.design) == 0
    assert stdout.buffer.getvalue() == b"1, 2, \\u2026\n"


def test_a_process_without_stdout_still_builds(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(command, "_build", lambda *arguments: print("for nobody") or 0)
    assert main(["--env", "dev"], str(ROOT), build.design) == 0


def test_help_ends_well(run):
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    assert "exit codes: 0 done" in out


def test_a_tree_that_cannot_be_designed_names_the_line(capsys, monkeypatch, tmp_path):
    def design(settings):
        raise LinkError("tier network gives no output vcp_id", hint="did you mean vpc_id?")

    monkeypatch.delenv("ENVIRONMENT_SUFFIX", raising=False)
    arguments = ["--env", "dev", "--out", str(tmp_path)]
    assert main(arguments, str(ROOT), design) == 1
    assert capsys.readouterr().err == "error: tier network gives no output vcp_id\nnext: did you mean vpc_id?\n"
    assert main(arguments, str(ROOT), lambda settings: settings.nope) == 1
    assert capsys.readouterr().err == (
        "error: templates/root.py: AttributeError: 'Settings' object has no attribute 'nope'\nnext: mend the module\n"
    )
    (tmp_path / "templates").mkdir()
    for text, said in (
        ("x = 1\n1 / 0\n", "templates/tier.py:2: ZeroDivisionError: division by zero"),
        ("x = 1\n\nx(:\n", "templates/tier.py:3: SyntaxError: invalid syntax (tier.py, line 3)"),
    ):
        source = (text, str(tmp_path / "templates/tier.py"), "exec")
        assert main(arguments, str(ROOT), lambda settings, source=source: exec(compile(*source))) == 1
        assert capsys.readouterr().err == f"error: {said}\nnext: mend the module\n"


def test_a_failure_after_the_linter_started_dismisses_it(monkeypatch, run):
    started = []
    enter = pipeline.LintServer.__enter__
    monkeypatch.setattr(pipeline.LintServer, "__enter__", lambda self: (started.append(self._pid), enter(self))[1])
    assert run("--env", "nope")[0] == 2
    (pid,) = started
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_lint_that_the_cache_answers_dismisses_the_linter(run, monkeypatch):
    run("--env", "dev", "--suffix", "tcached")
    monkeypatch.setattr(command.Stamp, "read", lambda *a, **k: None)
    _, out, _ = run("--env", "dev", "--suffix", "tcached")
    assert "(0 of 2 templates linted" in out
    assert "none since the last build" in out


def test_the_root_is_linted_again_when_only_its_child_changed(run, monkeypatch):
    """E1010 and E3043 read the child through the root."""
    monkeypatch.setattr(command.Stamp, "read", lambda *a, **k: None)
    for _ in range(2):
        changed = CLEAN.replace("hello", uuid.uuid4().hex)  # never seen by the cache that runs of the tests share
        _, out, _ = run("--env", "dev", "--suffix", "tchild", source=changed)
        assert "(2 of 2 templates linted" in out


def test_more_than_cloudformation_takes_is_refused_before_the_lint(run, tmp_path):
    source = CLEAN.replace('"hello"', '"{{resolve:ssm:x}}" * 61')
    code, out, err = run("--env", "dev", "--suffix", "tquota", source=source)
    assert (code, out) == (1, "")
    assert err.startswith("error: greeting: 61 dynamic references, at most 60 are allowed\n")
    assert not (tmp_path / "out/tquota").exists()


def test_a_copy_of_the_same_shape_is_not_linted_again_nor_is_the_linter_loaded(run, monkeypatch):
    run("--env", "dev", "--suffix", "tshape-1", "--set", "tags.pr_number=11")
    monkeypatch.setattr(pipeline.LintServer, "_start", lambda self: pytest.fail("the linter was loaded for nothing"))
    code, out, _ = run("--env", "dev", "--suffix", "tshape-2", "--set", "tags.pr_number=22")
    assert code == 0
    assert "(0 of 2 templates linted" in out


def test_today_is_today(monkeypatch, run):
    seen = []
    monkeypatch.setattr(command, "inputs_signature", lambda root, words: (seen.append(words), "x")[1])
    run("--env", "dev", "--suffix", "ttoday")
    run("--env", "dev", "--suffix", "ttoday", "--today", "2026-12-24")
    assert time.strftime("%Y-%m-%d") in seen[0]
    assert "2026-12-24" not in seen[0]
    assert "2026-12-24" in seen[-1]


def test_versions_are_another_command(monkeypatch, run):
    asked = []
    monkeypatch.setattr(versions, "run", lambda *a, **k: (asked.append((a, k)), 7)[1])
    assert run("versions", "--live", "--env", "prod", "--today", "2027-01-01")[0] == 7
    ((environments, params, today, _), options), *_ = asked
    assert list(environments) == ["prod"]
    assert (params, today) == (ROOT / "params", dt.date(2027, 1, 1))
    assert options == {"as_json": False, "live": True, "write": False}


def test_versions_of_every_environment(run):
    code, out, err = run("versions", "--today", "2026-11-24")
    assert (code, err) == (0, "")
    assert "database.engine_version (dev, prod, staging)" in out
    assert "2026-11-24" in out
    assert run("versions", "--today", "2033-01-01")[0] == 1
    assert run("versions")[0] in (0, 1)  # judged on the day of the test


def test_the_door_designs_the_real_system(dev):
    assert [nested.tier.name for nested in build.design(dev).nested][:3] == ["encryption", "identity", "network"]
