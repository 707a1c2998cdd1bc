"""`python build.py` as a person runs it, on the real params, rules and linter."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from compiler.bundle import Bundle
from compiler.linking import link
from rules.data.physical_names import PHYSICAL_NAMES
from settings.load import load
from templates.root import system

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ("dev", "staging", "prod")
CFN_LINT = Path(sys.executable).with_name("cfn-lint")


def build(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "build.py", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "ENVIRONMENT_SUFFIX": "", **environment},
        capture_output=True,
        text=True,
    )


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    """Every environment, built once."""
    folder = tmp_path_factory.mktemp("out")
    for env in ENVIRONMENTS:
        done = build("--env", env, "--out", folder)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return folder


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_an_environment_builds_without_a_finding(out, env):
    manifest = json.loads((out / env / "manifest.json").read_text())
    assert set(manifest["tiers"]) == {
        "encryption", "identity", "network", "security", "database", "load_balancer", "service", "migration",
        "validation", "cutover", "monitoring", "root", "account",
    }  # fmt: skip
    for name, entry in manifest["files"].items():
        data = (out / env / name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["bytes"], entry["sha256"])
    root = json.loads((out / env / "root.template.json").read_text())
    assert set(root["Outputs"]) == {
        "DMSReplicationTaskArn", "LoadBalancerDNS", "RDSClusterEndpoint", "RDSClusterReaderEndpoint", "VPCId",
    }  # fmt: skip
    for nested in root["Resources"].values():
        assert (out / env / nested["Properties"]["TemplateURL"]).is_file()


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_plain_cfn_lint_agrees(out, env):
    """The same configuration and house rules, through cfn-lint's own command line."""
    files = sorted((out / env).glob("*.template.json"))
    run = subprocess.run([CFN_LINT, "--", *files], cwd=ROOT, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "")


def test_plain_cfn_lint_and_the_build_agree_on_what_is_wrong(out, tmp_path):
    """A key without rotation, found by a house rule through both doors."""
    template = json.loads((out / "dev/encryption.template.json").read_text())
    key = next(r for r in template["Resources"].values() if r["Type"] == "AWS::KMS::Key")
    del key["Properties"]["EnableKeyRotation"]
    broken = tmp_path / "encryption.template.json"
    broken.write_text(json.dumps(template, indent=1))
    run = subprocess.run([CFN_LINT, "--format", "json", "--", broken], cwd=ROOT, capture_output=True, text=True)
    cli = {(item["Rule"]["Id"], item["Message"]) for item in json.loads(run.stdout)}
    code = (
        "import sys; from pathlib import Path; from compiler.lint.worker import Linter\n"
        "for f in Linter(Path('.')).check(sys.argv[1]): print(f.rule, f.message, sep='\\t')"
    )
    ours = subprocess.run([sys.executable, "-c", code, broken], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {tuple(line.split("\t", 1)) for line in ours.stdout.splitlines()} == cli
    assert any(rule.startswith("E91") for rule, _ in cli)


def test_the_same_inputs_give_the_same_bytes(out, tmp_path):
    """Another process with another hash seed, time zone and locale, without the caches."""
    done = build(
        "--env", "prod", "--out", tmp_path, "--no-cache", "--jobs", "1", PYTHONHASHSEED="1", TZ="Asia/Tokyo", LC_ALL="C"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert digests(tmp_path / "prod") == digests(out / "prod")


def test_a_copy_of_the_repository_gives_the_same_bytes(out, tmp_path):
    """Another folder: no path of this machine stands in what is built."""
    for name in ("settings", "contract", "templates", "compiler", "rules", "pages", "validator", "cutover", "params"):
        subprocess.run(["cp", "-r", ROOT / name, tmp_path / name], check=True)
    for name in ("build.py", ".cfnlintrc", "requirements.txt"):
        subprocess.run(["cp", ROOT / name, tmp_path / name], check=True)
    done = subprocess.run([sys.executable, "build.py", "--env", "dev"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert digests(tmp_path / "out/dev") == digests(out / "dev")
    for path in (tmp_path / "out/dev").rglob("*.json"):
        assert str(tmp_path) not in path.read_text()


def test_an_interpreter_without_docstrings_is_refused(out):
    """The templates say what a wire carries in the words of its kind."""
    command = [sys.executable, "-OO", "build.py", "--env", "dev", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: python -OO would build other bytes\n")


def test_nothing_to_do_is_said_and_does_nothing(out):
    before = {path: path.stat().st_mtime_ns for path in (out / "staging").rglob("*")}
    done = build("--env", "staging", "--out", out)
    assert done.returncode == 0
    assert "unchanged  nothing to build" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in (out / "staging").rglob("*")} == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_ended_build_leaves_the_previous_one(out, number, code):
    """A signal while the linter works: one line, nothing left behind."""
    before = digests(out / "dev")
    process = subprocess.Popen(
        [sys.executable, "build.py", "--env", "dev", "--out", out, "--no-cache"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "ENVIRONMENT_SUFFIX": ""},
        start_new_session=True,
    )
    staged = out / ".staging-dev/manifest.json"
    deadline = time.monotonic() + 60
    while not staged.exists() and process.poll() is None and time.monotonic() < deadline:
        os.sched_yield()
    os.killpg(process.pid, number)
    _, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (code, "interrupted; the previous build is untouched\n")
    assert digests(out / "dev") == before
    assert not (out / ".staging-dev").exists()


def test_a_killed_build_leaves_the_previous_one_and_the_next_is_whole(out):
    """SIGKILL while the linter works: nobody can tidy up, but the next build does, and sees to the same bytes."""
    before = digests(out / "dev")
    arguments = [sys.executable, "build.py", "--env", "dev", "--out", str(out), "--no-cache"]
    process = subprocess.Popen(arguments, cwd=ROOT, env={**os.environ, "ENVIRONMENT_SUFFIX": ""})
    staged = out / ".staging-dev/manifest.json"
    deadline = time.monotonic() + 60
    while not staged.exists() and process.poll() is None and time.monotonic() < deadline:
        os.sched_yield()
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert digests(out / "dev") == before
    done = build("--env", "dev", "--out", out, "--set", "tags.team=core")
    assert (done.returncode, done.stderr) == (0, "")
    assert not (out / ".staging-dev").exists()
    manifest = json.loads((out / "dev/manifest.json").read_text())
    written = {name: entry["sha256"] for name, entry in manifest["files"].items()}
    assert {name: digest for name, digest in digests(out / "dev").items() if name != "manifest.json"} == written
    assert build("--env", "dev", "--out", out).returncode == 0
    assert digests(out / "dev") == before


def test_two_builds_of_one_suffix_at_once(out):
    """Each is whole, the last one stands, and neither's stamp speaks for the other's files."""
    command = [sys.executable, "build.py", "--env", "dev", "--suffix", "twice", "--out", str(out), "--set"]
    both = [subprocess.Popen([*command, f"tags.team={team}"], cwd=ROOT, stdout=subprocess.DEVNULL) for team in "ab"]
    assert [process.wait() for process in both] == [0, 0]
    for team in "abab":
        done = subprocess.run([*command, f"tags.team={team}"], cwd=ROOT, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads((out / "twice/parameters.json").read_text())["Tags"]["Team"] == team


def test_a_reader_that_has_read_enough(out):
    """`python build.py … | head -1` ends as other programs do, without a traceback."""
    for arguments in (["versions"], ["--env", "staging", "--out", str(out), "--no-cache"]):
        read, write = os.pipe()
        os.close(read)
        command = [sys.executable, "build.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True)
        os.close(write)
        assert (done.returncode, done.stderr) == (141, ""), arguments


def test_a_full_disk_behind_stdout(out):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "build.py", "versions"], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, done.stderr) == (1, "error: standard output: No space left on device\n")


# --- names -----------------------------------------------------------------------------------------------------------
@cache
def naming_properties(resource_type: str) -> frozenset[tuple[str, ...]]:
    """The properties that name a resource: its schema's primary identifier, and those of the house rule's table."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    identifier = tuple(path.removeprefix("/properties/") for path in schema.get("primaryIdentifier", ()))
    return frozenset({identifier, *((name,) for name in PHYSICAL_NAMES.get(resource_type, {}))})


def literal(value: object) -> str | None:
    """A name known at compile time; a Sub that references resources is none, their own names are looked at."""
    if isinstance(value, dict):
        value = value.get("Fn::Sub")
    return value if isinstance(value, str) and not re.search(r"\$\{(?!AWS::)", value) else None


def physical_names_of(bundle: Bundle) -> Iterator[str]:
    """Every physical name of the tree but the account stack's, as "Type name", once for each resource that has it."""
    for address, resource in bundle.resources().items():
        for properties in naming_properties(resource["Type"]):
            values = [literal(resource.get("Properties", {}).get(name)) for name in properties]
            if all(values) and not address.startswith("account."):
                yield f"{resource['Type']} {' '.join(map(str, values))}"


def physical_names(env: str, suffix: str) -> set[str]:
    """The names of an environment under a suffix."""
    settings = load(ROOT / "params", env, suffix, {})
    return set(physical_names_of(link(system(settings), settings)))


def test_two_suffixes_share_no_physical_name():
    suffixes = ("pr-1", "pr-11", "pr-2", "a", "a-b")
    names = {suffix: physical_names("dev", suffix) for suffix in suffixes}
    assert all(len(found) > 100 for found in names.values())
    for one in suffixes:
        for other in suffixes:
            if one != other:
                assert not names[one] & names[other]


def test_every_literal_name_of_the_tree_holds_the_suffix():
    for name in physical_names("dev", "pr-77"):
        assert re.search(r"[-/]pr-77\b", name), name
