"""The command line: what is printed where, and the exit code."""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from pathlib import Path

import pytest

import build as door
from compiler import command, pipeline, versions
from compiler.command import main
from contract.stack import Nested, System
from settings.errors import LifecycleError, UserError

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

    def call(*arguments: str, source: str = CLEAN):
        module = tier("greeting", source)
        design = lambda settings: System("greeting", (Nested(module.TIER, module.Inputs()),), {})  # noqa: E731
        code = main([*arguments, "--out", str(tmp_path / "out")], str(ROOT), design)
        return code, *capsys.readouterr()

    return call


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
        (["--env", "dev", "--jobs", "0"], "--jobs 0: at least one process is needed", "leave --jobs out"),
        (["--env", "dev", "--set", "tags.team"], "--set tags.team: KEY=VALUE is wanted", "--set tags.pr_number=123"),
        (["--env", "dev", "--live"], "--live belongs to versions", "python build.py versions --live"),
        (["versions", "--write"], "--write goes with --live", "python build.py versions --live --write"),
        (["deploy"], "invalid choice: 'deploy'", "see: python build.py --help"),
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


def test_a_sarif_file_that_cannot_be_written(run, tmp_path):
    code, _, err = run("--env", "dev", "--suffix", "tsarif", "--sarif", str(tmp_path / "nowhere/x.sarif"))
    assert code == 2
    assert "x.sarif: No such file or directory" in err


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
    assert "2026-12-24" in seen[1]


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
    assert [nested.tier.name for nested in door.design(dev).nested][:3] == ["encryption", "identity", "network"]
