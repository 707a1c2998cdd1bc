"""The linter in process: the same findings as cfn-lint's command line, in parallel, cached, and never lost silently."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compiler.lint import worker
from compiler.lint.cache import FindingsCache, linter_fingerprint, shape
from compiler.lint.findings import Finding
from compiler.lint.worker import Linter, LintError, LintServer
from compiler.stamp import user_schema_folder

BROKEN = {
    "Resources": {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16", "Nope": 1}},
        "Key": {"Type": "AWS::KMS::Key", "Properties": {}},
    }
}
CLEAN = {"Resources": {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a configuration and no house rules, which keeps these tests quick."""
    (tmp_path / ".cfnlintrc").write_text("include_checks: [I]\nignore_checks: [W3002]\nregions: [us-east-1]\n")
    return tmp_path


def written(root: Path, **templates: dict) -> list[str]:
    paths = []
    for name, template in templates.items():
        path = root / f"{name}.template.json"
        path.write_text(json.dumps(template, indent=1))
        paths.append(str(path))
    return paths


def check(root: Path, jobs: int, paths: list[str]) -> dict[str, list[Finding]]:
    with LintServer(root, jobs) as server:
        return server.check(paths)


def test_findings_are_those_of_the_command_line(root):
    paths = written(root, broken=BROKEN, clean=CLEAN, worse={"Resources": {"X": {"Type": "AWS::Nope::Nope"}}})
    # cfn-lint ends with the sum of the severities' bits when it finds something
    command = Path(sys.executable).with_name("cfn-lint")
    run = subprocess.run([command, "--format", "json", "--", *paths], cwd=root, capture_output=True, text=True)
    cli = {
        (
            os.path.basename(item["Filename"]),
            item["Rule"]["Id"],
            item["Location"]["Start"]["LineNumber"],
            item["Location"]["Start"]["ColumnNumber"],
            item["Message"],
            tuple(str(part) for part in item["Location"]["Path"] or ()),
        )
        for item in json.loads(run.stdout)
    }
    found = check(root, 2, paths)
    assert list(found) != []
    ours = {(f.file, f.rule, f.line, f.column, f.message, f.path) for findings in found.values() for f in findings}
    assert ours == cli
    assert {f.rule for f in found[paths[0]]} >= {"E3002", "I3011"}
    assert {f.severity for f in found[paths[0]]} >= {"error", "informational"}
    assert found[paths[1]] == []


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_every_number_of_workers_finds_the_same(root, jobs):
    paths = written(root, a=BROKEN, b=CLEAN, c=BROKEN)
    found = check(root, jobs, paths)
    assert {Path(path).name: len(findings) > 0 for path, findings in found.items()} == {
        "a.template.json": True,
        "b.template.json": False,
        "c.template.json": True,
    }


def test_the_same_in_this_process(root, monkeypatch):
    monkeypatch.chdir(root)
    (path,) = written(root, broken=BROKEN)
    findings = Linter(root).check(path)
    assert findings == sorted(findings)
    assert check(root, 1, [path]) == {path: findings}


def test_a_linter_that_cannot_start_is_named(tmp_path):
    # no .cfnlintrc here
    with pytest.raises(LintError, match=r"cfn-lint did not check any template: .*\.cfnlintrc is missing") as caught:
        check(tmp_path, 2, ["x.json"])
    assert "--jobs 1" in caught.value.hint


def test_a_rule_that_raises_is_named(root):
    (path,) = written(root, broken=BROKEN)
    (root / "own").mkdir()
    (root / "own/Raising.py").write_text(
        "from cfnlint.rules import CloudFormationLintRule\n"
        "class Raising(CloudFormationLintRule):\n"
        "    id = 'E9999'\n"
        "    def match(self, cfn):\n"
        "        raise SystemExit(3)\n"
    )
    (root / ".cfnlintrc").write_text("append_rules: [own]\n")
    with pytest.raises(LintError, match="SystemExit|wait status"):
        check(root, 1, [path])


def test_a_worker_s_fault_in_one_file_is_named(root, monkeypatch):
    def fail(self, file):
        raise RuntimeError("no memory")

    monkeypatch.setattr(worker.Linter, "check", fail)
    (path,) = written(root, broken=BROKEN)
    expected = "cfn-lint did not check any template: broken.template.json: RuntimeError: no memory"
    with pytest.raises(LintError, match=f"^{expected}$"):
        check(root, 1, [path])


def test_what_was_not_checked_is_named(root, monkeypatch):
    check_one = worker.Linter.check

    def fail(self, file):
        if "bad" in file:
            raise RuntimeError("no memory")
        return check_one(self, file)

    monkeypatch.setattr(worker.Linter, "check", fail)
    with pytest.raises(LintError, match=r"^cfn-lint did not check bad.template.json: bad.template.json: RuntimeError"):
        check(root, 2, written(root, bad=BROKEN, clean=CLEAN))


def test_a_worker_that_ends_badly_after_its_answers_is_told(root, monkeypatch):
    serve = worker._serve
    monkeypatch.setattr(worker, "_serve", lambda *arguments: serve(*arguments) + 3)
    with pytest.raises(LintError, match=r"^cfn-lint did not end well: a worker ended with wait status 768$"):
        check(root, 1, written(root, clean=CLEAN))


def test_more_jobs_than_open_files_are_no_more_workers(root):
    """A person may ask for any number; a process may not open any number of pipes."""
    code = (
        "import resource, sys; from pathlib import Path; from compiler.lint.worker import LintServer\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))\n"
        "with LintServer(Path(sys.argv[1]), jobs=5000) as server:\n"
        "    print(list(server.check(sys.argv[2:]).values()))"
    )
    command = [sys.executable, "-c", code, str(root), *written(root, clean=CLEAN)]
    run = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("[[]]\n", "")


def test_a_killed_linter_is_an_error_not_a_pass(root):
    (path,) = written(root, clean=CLEAN)
    with LintServer(root, jobs=2) as server:
        os.kill(server._pid, signal.SIGKILL)
        with pytest.raises(LintError, match="wait status 9"):
            server.check([path])


def test_a_dismissed_linter_leaves_nothing(root):
    with LintServer(root, jobs=2) as server:
        os.kill(server._pid, 0)
    with pytest.raises(ChildProcessError):
        os.waitpid(server._pid, 0)


def test_a_child_that_is_given_nothing_ends_well(root):
    with LintServer(root, jobs=1) as server:
        server._streams[0].close()
        assert os.waitpid(server._pid, 0)[1] == 0
        server._running = False


def wait_until(condition) -> None:
    """Fail, rather than hang, when it never comes to pass."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        os.sched_yield()


def is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_an_interrupted_check_ends_the_helpers_too(root, monkeypatch):
    """Both workers are busy when the parent is interrupted; none of them may go on."""

    def spin(self, file):
        Path(f"{file}.started").write_text(str(os.getpid()))
        while True:
            pass

    monkeypatch.setattr(worker.Linter, "check", spin)
    paths = written(root, a=CLEAN, b=CLEAN)
    started = [Path(f"{path}.started") for path in paths]

    class Waits:
        """Stands for the answers' stream: the interruption comes while the parent reads it."""

        def __iter__(self):
            wait_until(lambda: all(path.exists() and path.read_text() for path in started))
            raise KeyboardInterrupt

        def close(self):
            pass

    with pytest.raises(KeyboardInterrupt), LintServer(root, jobs=2) as server:
        request, *answers = server._streams
        for stream in answers:
            stream.close()
        server._streams = [request, Waits()]
        server.check(paths)
    pids = [int(path.read_text()) for path in started]
    try:
        wait_until(lambda: not any(map(is_running, pids)))
    finally:
        for pid in filter(is_running, pids):
            os.kill(pid, signal.SIGKILL)


def test_more_findings_than_pipes_hold_do_not_block(root):
    """Each worker has several times the 64 KiB to say that a pipe takes before its writer must wait."""
    bad = {"Resources": {f"R{number}": {"Type": f"AWS::Nope::{'x' * 60}{number}"} for number in range(400)}}
    paths = written(root, a=bad, b=bad, c=bad)
    code = (
        "import sys; from pathlib import Path; from compiler.lint.worker import LintServer\n"
        "with LintServer(Path(sys.argv[1]), jobs=3) as server:\n"
        "    print(sorted(len(findings) for findings in server.check(sys.argv[2:]).values()))"
    )
    command = [sys.executable, "-c", code, str(root), *paths]
    run = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=120)
    assert (run.stdout, run.stderr) == ("[400, 400, 400]\n", "")


# --- the cache -------------------------------------------------------------------------------------------------------
FINDING = Finding("a.template.json", 3, "E1", "payments-pr-12 is bad", 5, "error", ("Resources", "A"), "https://x")


def test_a_finding_survives_its_json():
    assert Finding.from_json(json.loads(json.dumps(FINDING.to_json()))) == FINDING


def test_findings_are_kept_by_text_fingerprint_environment(tmp_path):
    one = FindingsCache(tmp_path, "f", "dev", "pr-12")
    key = one.key(['{"Name": "payments-pr-12-x"}'])
    assert one.read(key) is None
    one.write(key, [FINDING])
    assert one.read(key) == [FINDING]
    for fingerprint, env, suffix, text in (
        ("g", "dev", "pr-12", '{"Name": "payments-pr-12-x"}'),
        ("f", "prod", "pr-12", '{"Name": "payments-pr-12-x"}'),
        ("f", "dev", "pr-123", '{"Name": "payments-pr-123-x"}'),
        ("f", "dev", "pr-12", '{"Name": "payments-pr-12-y"}'),
    ):
        other = FindingsCache(tmp_path, fingerprint, env, suffix)
        assert other.read(other.key([text])) is None
    assert one.key(["a", "b"])[0] != one.key(["ab"])[0]


def test_what_is_clean_for_one_copy_is_clean_for_another_of_the_same_shape(tmp_path):
    text = '{"Name": "payments-SUFFIX-x", "Value": "TAG"}'
    one = FindingsCache(tmp_path, "f", "dev", "pr-12", ["1234"])
    one.write(one.key([text.replace("SUFFIX", "pr-12").replace("TAG", "1234")]), [])
    for suffix, tag, known in (("xy-34", "5678", True), ("xy-3a", "5678", False), ("xy-34", "567", False)):
        two = FindingsCache(tmp_path, "f", "dev", suffix, [tag])
        found = two.read(two.key([text.replace("SUFFIX", suffix).replace("TAG", tag)]))
        assert (found == []) is known


def test_findings_of_one_copy_are_not_told_of_another(tmp_path):
    one, two = FindingsCache(tmp_path, "f", "dev", "pr-12"), FindingsCache(tmp_path, "f", "dev", "pr-34")
    one.write(one.key(["pr-12"]), [FINDING])
    assert one.read(one.key(["pr-12"])) == [FINDING]
    assert two.read(two.key(["pr-34"])) is None


def test_a_tag_is_abstracted_as_a_whole_string_only(tmp_path):
    cache = FindingsCache(tmp_path, "f", "dev", "dev", ["17"])
    assert cache.key(['"17.7"'])[0] != cache.key(['"18.7"'])[0]


def test_a_family_is_remembered(tmp_path):
    cache = FindingsCache(tmp_path / "new", "f", "dev", "dev")
    assert not cache.expects("family")
    cache.remember("family")  # without a folder there is nothing to remember, and nothing fails
    cache.write(cache.key([""]), [])
    cache.remember("family")
    assert cache.expects("family")
    assert not cache.expects("other")
    assert not FindingsCache(tmp_path / "new", "g", "dev", "dev").expects("family")


def test_a_server_that_is_not_eager_starts_when_it_is_asked(root):
    (path,) = written(root, clean=CLEAN)
    with LintServer(root, jobs=1, eager=False) as server:
        assert not server._running
        assert server.check([path]) == {path: []}
    with LintServer(root, jobs=1, eager=False) as server:
        pass
    assert not server._streams


def test_dated_house_rules_judge_by_the_day_of_the_build(root):
    (root / "own").mkdir()
    (root / "own/Day.py").write_text(
        "import os\n"
        "from cfnlint.rules import CloudFormationLintRule, RuleMatch\n"
        "class Day(CloudFormationLintRule):\n"
        "    id = 'E9999'\n"
        "    def match(self, cfn):\n"
        "        return [RuleMatch(['Resources'], os.environ['PAYMENTS_TODAY'])]\n"
    )
    (root / ".cfnlintrc").write_text("append_rules: [own]\n")
    (path,) = written(root, clean=CLEAN)
    with LintServer(root, jobs=1, today="2031-02-03") as server:
        assert [finding.message for finding in server.check([path])[path]] == ["2031-02-03"]


def test_shapes():
    assert shape("pr-123") == "aa-000"
    assert shape("Team 7") == "Aaaa 0"


@pytest.mark.parametrize(
    "content", ["", "[", "[1]", "{}x", '{"findings": 1}', '{"findings": [{"nope": 1}], "text": ""}']
)
def test_a_damaged_entry_counts_as_absent(tmp_path, content):
    cache = FindingsCache(tmp_path, "f", "dev", "dev")
    (tmp_path / "k.json").write_text(content)
    assert cache.read(("k", "")) is None


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("")
    cache = FindingsCache(tmp_path / "file", "f", "dev", "dev")
    with pytest.raises(NotADirectoryError):
        (tmp_path / "file/x").write_text("")
    cache.write(("k", ""), [FINDING])
    cache.remember("family")
    assert cache.read(("k", "")) is None


def test_the_first_entry_of_a_day_sweeps_those_of_other_days(tmp_path):
    old = FindingsCache(tmp_path / "2026-11-23", "f", "dev", "dev")
    old.write(old.key([""]), [])
    new = FindingsCache(tmp_path / "2026-11-24", "f", "dev", "dev")
    for text in ("one", "two"):
        new.write(new.key([text]), [])
    assert [path.name for path in tmp_path.iterdir()] == ["2026-11-24"]
    assert (new.read(new.key(["one"])), new.read(new.key(["two"]))) == ([], [])


def test_the_clock_counts_whatever_the_day_of_the_build(root, monkeypatch):
    """cfn-lint's own dated rules go by it: what `--today` answered a year ago is no answer now."""
    first = linter_fingerprint(root, "2026-11-24")
    monkeypatch.setattr("compiler.lint.cache.time.strftime", lambda form: "2031-02-03")
    assert linter_fingerprint(root, "2026-11-24") != first


@pytest.mark.parametrize(
    "name",
    [
        "rules/new.py",
        "rules/data/new.json",
        "contract/names.py",
        "contract/registry.json",
        "settings/lifecycle.py",
        "compiler/lint/worker.py",
        "params/lifecycle.yaml",
        ".cfnlintrc",
    ],
)
def test_what_rules_read_counts(root, name):
    first = linter_fingerprint(root, "2026-11-24")
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x = 1")
    second = linter_fingerprint(root, "2026-11-24")
    path.write_text("x = 2")
    assert len({first, second, linter_fingerprint(root, "2026-11-24")}) == 3


def test_the_linter_s_own_version_counts(root, monkeypatch):
    packages = root / "site-packages"
    (packages / "cfn_lint-1.0.0.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(packages)
    first = linter_fingerprint(root, "2026-11-24")
    (packages / "cfn_lint-1.0.0.dist-info").rename(packages / "cfn_lint-1.0.1.dist-info")
    assert linter_fingerprint(root, "2026-11-24") != first


def test_the_fingerprint_holds_the_day_the_rules_and_the_schemas(root, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(root / "cache"))
    first = linter_fingerprint(root, "2026-11-24")
    assert linter_fingerprint(root, "2026-11-24") == first
    assert linter_fingerprint(root, "2026-11-25") != first
    (root / "rules").mkdir()
    (root / "rules/new.py").write_text("x = 1")
    second = linter_fingerprint(root, "2026-11-24")
    assert second != first
    (root / ".cfnlintrc").write_text("include_checks: []\n")
    third = linter_fingerprint(root, "2026-11-24")
    assert third != second
    newer = root / "cache/aws/cfn-lint/schemas"
    newer.mkdir(parents=True)
    (newer / "version.json").write_text('{"schema_date": "2027-01-01"}')
    assert linter_fingerprint(root, "2026-11-24") != third


def test_the_user_s_schemas_are_where_cfn_lint_puts_them(monkeypatch):
    from cfnlint.helpers import get_cache_dir

    assert user_schema_folder(os.environ, sys.platform) == get_cache_dir()
    assert user_schema_folder({"HOME": "/h"}, "darwin") == "/h/Library/Caches/aws/cfn-lint/schemas"
    assert user_schema_folder({"HOME": "/h"}, "linux") == "/h/.cache/aws/cfn-lint/schemas"
