from __future__ import annotations

import json
import subprocess

import pytest

from deployer.changes import ROOT, Outcome
from deployer.errors import PackageError
from deployer.forecast.plan import forecast
from deployer.forecast.sources import (
    RECORD,
    after_of,
    by_content,
    forget_deployed,
    from_aws,
    from_record,
    read_before,
    record_deployed,
)
from deployer.package_dir import read_package
from deployer.upload import package_tree
from settings.errors import OutputError

DIGEST = "0123456789abcdef" * 4


@pytest.fixture
def package(out_dev):
    return read_package(out_dev / "dev")


def before(against, package, root):
    return read_before(against, root=root, folder=package.folder, environment="dev", suffix="dev", region="us-east-1")


def is_unchanged(found, package):
    change_set, unknowns = forecast(found.templates, after_of(package), stack_name="payments-dev", region="us-east-1")
    return change_set.outcome is Outcome.UNCHANGED and not unknowns


# --- names by content ------------------------------------------------------------------------------------------------
def code(place, kind="AWS::Lambda::Function", name="Code"):
    return {ROOT: {"Resources": {"F": {"Type": kind, "Properties": {name: place, "Other": 1}}}}}


def named(templates, name="Code"):
    return by_content(templates, {"assets/validator.zip": DIGEST})[ROOT]["Resources"]["F"]["Properties"][name]


def test_code_has_the_same_name_wherever_it_lies():
    name = f"validator.{DIGEST}.zip"
    assert named(code("assets/validator.zip")) == name
    assert named(code("./assets/validator.zip")) == name
    assert named(code({"S3Bucket": "b", "S3Key": f"payments-dev/{name}"})) == name
    kind, place = "AWS::StepFunctions::StateMachine", "DefinitionS3Location"
    assert named(code({"Bucket": "b", "Key": f"x/{name}"}, kind, place), place) == name
    kind, place = "AWS::AppSync::GraphQLSchema", "DefinitionS3Location"
    assert named(code(f"s3://b/x/{name}", kind, place), place) == name


@pytest.mark.parametrize(
    "place", ["assets/other.zip", {"ZipFile": "x"}, {"S3Bucket": "b", "S3Key": "code.zip"}, 5, {"S3Key": {"Ref": "K"}}]
)
def test_code_that_nothing_is_known_of_stays_as_it_is(place):
    assert named(code(place)) == place


def test_code_deep_in_a_property_is_named_too():
    templates = code({"ScriptLocation": "assets/validator.zip", "Name": "x"}, "AWS::Glue::Job", "Command")
    assert named(templates, "Command") == {"ScriptLocation": f"validator.{DIGEST}.zip", "Name": "x"}
    odd = code({"Ref": "X"}, "AWS::Glue::Job", "Command")
    assert named(odd, "Command") == {"Ref": "X"}
    assert named(code("x", "AWS::Glue::Job", "Command"), "Command") == "x"


def test_other_resources_stay_as_they_are():
    for kind in ("AWS::Lambda::Function", "AWS::SQS::Queue", "Custom::X", "AWS::CloudFormation::Stack"):
        body = {"Type": kind, "Properties": {"TemplateURL": "x"}}
        assert by_content({ROOT: {"Resources": {"R": body}}}, {})[ROOT]["Resources"]["R"] == body


def test_what_was_packaged_for_aws_compares_as_what_was_built(package):
    packaged = package_tree(package, "payments-packages-123456789012-us-east-1", "us-east-1")
    found = from_aws(packaged.templates, "what is deployed")
    assert found.what == "what is deployed"
    assert is_unchanged(found, package)


def test_other_code_is_a_change(package):
    packaged = package_tree(package, "b", "us-east-1").templates
    text = json.dumps(packaged).replace(package.digests["assets/validator.zip"], DIGEST)
    found = from_aws(json.loads(text), "")
    change_set, _ = forecast(found.templates, after_of(package), stack_name="x", region="us-east-1")
    (change,) = [change for change in change_set.resource_changes() if change.tier != ROOT]
    assert change.address == "validation.Function"
    assert change.details[0].before == f"validator.{DIGEST}.zip"


# --- where it comes from ---------------------------------------------------------------------------------------------
def test_a_folder_of_a_build_is_read(package, root, out_dev):
    found = before(str(out_dev / "dev"), package, root)
    assert found.what == f"the build in {out_dev / 'dev'}"
    assert ROOT in found.templates
    assert "account" not in found.templates
    assert is_unchanged(found, package)


def test_without_a_choice_it_is_what_was_deployed_last(package, root):
    with pytest.raises(PackageError, match="nothing has been deployed from here yet") as caught:
        before(None, package, root)
    assert "--against DIR" in caught.value.hint
    assert "--against REVISION" in caught.value.hint
    assert "--against deployed" in caught.value.hint
    record_deployed(package.folder, package, "123456789012")
    found = before(None, package, root)
    assert found.what == f"what was last deployed from {package.folder} (account 123456789012, us-east-1)"
    assert is_unchanged(found, package)
    forget_deployed(package.folder)
    forget_deployed(package.folder)
    assert not (package.folder / RECORD).exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"templates": 1}'])
def test_a_damaged_record_is_an_error(package, text):
    (package.folder / RECORD).write_text(text)
    with pytest.raises(PackageError, match="deployed.json"):
        from_record(package.folder, "us-east-1")


def test_a_record_that_cannot_be_written_is_an_error(package, tmp_path):
    with pytest.raises(OutputError):
        record_deployed(tmp_path / "nowhere", package, "123456789012")


def test_the_record_of_another_region_is_compared_with_nothing(package):
    record_deployed(package.folder, package, "123456789012")
    with pytest.raises(PackageError) as caught:
        from_record(package.folder, "eu-west-1")
    assert caught.value.problems == [
        f"{package.folder}: what was last deployed from here went to us-east-1, not to eu-west-1"
    ]
    assert "--against deployed" in caught.value.hint


def test_a_record_without_its_account_says_so(package):
    record_deployed(package.folder, package, "")
    assert from_record(package.folder, "us-east-1").what.endswith("(account that it does not name, us-east-1)")


def test_the_record_survives_the_next_build(package):
    record_deployed(package.folder, package, "123456789012")
    assert read_package(package.folder).digests == package.digests


# --- a git revision --------------------------------------------------------------------------------------------------
BUILD = """\
import argparse, json, hashlib, pathlib, sys, os
parser = argparse.ArgumentParser()
for name in ("--env", "--suffix", "--out", "--today"):
    parser.add_argument(name)
parser.add_argument("--no-cache", action="store_true")
options = parser.parse_args()
if options.env == "bad":
    print("error: params/bad.yaml: 1: it is bad\\nerror: and worse\\nnext: mend it", file=sys.stderr)
    sys.exit(2)
if options.env == "crash":
    raise RuntimeError("a crash")
if options.env == "silent":
    sys.exit(3)
files = {
    "root.template.json": json.dumps({"Resources": {}, "Description": options.today + os.environ.get("ENVIRONMENT_SUFFIX", "")}),
    "parameters.json": '{"Tags": {}}',
}
folder = pathlib.Path(options.out, options.suffix)
folder.mkdir(parents=True)
for name, text in files.items():
    (folder / name).write_text(text)
entries = {name: {"sha256": hashlib.sha256(text.encode()).hexdigest()} for name, text in files.items()}
(folder / "manifest.json").write_text(json.dumps({"files": entries}))
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository whose first commit has no build.py, and whose second, tagged `v1`, has one."""
    folder = tmp_path / "repository"
    folder.mkdir()

    def git(*arguments, day="2026-01-02"):
        surroundings = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        dates = {f"GIT_{who}_DATE": f"{day}T12:00:00Z" for who in ("AUTHOR", "COMMITTER")}
        subprocess.run(
            ["git", "-C", folder, *arguments],
            check=True,
            env={**surroundings, **dates, "PATH": "/usr/bin:/bin"},
            capture_output=True,
        )

    git("init", "--initial-branch=main")
    (folder / "README").write_text("nothing to build yet")
    git("add", "README")
    git("commit", "-m", "first", day="2026-01-01")
    (folder / "build.py").write_text(BUILD)
    git("add", "build.py")
    git("commit", "-m", "second")
    git("tag", "v1")
    monkeypatch.setenv("GIT_DIR", "/nowhere")  # as a hook has it
    monkeypatch.setenv("ENVIRONMENT_SUFFIX", "other")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    return folder


def against(revision, repository, environment="dev"):
    return read_before(
        revision,
        root=repository,
        folder=repository / "out" / "dev",
        environment=environment,
        suffix="pr-1",
        region="us-east-1",
    )


def test_a_revision_is_built_beside_the_tree_as_of_its_day_and_leaves_nothing(repository, tmp_path):
    found = against("v1", repository)
    assert found.templates == {ROOT: {"Resources": {}, "Description": "2026-01-02"}}
    assert found.what.startswith("revision v1 (")
    assert found.what.endswith(", 2026-01-02)")
    assert list((tmp_path / "scratch").iterdir()) == []
    assert sorted(path.name for path in repository.iterdir()) == [".git", "README", "build.py"]


@pytest.mark.parametrize(
    ("revision", "environment", "problems"),
    [
        ("nonsense", "dev", ["--against nonsense: neither a folder of a build nor a git revision"]),
        ("--output=x", "dev", ["--against --output=x: neither a folder of a build nor a git revision"]),
        ("", "dev", ["--against : neither a folder of a build nor a git revision"]),
        ("v1~1", "dev", ["--against v1~1: there is no build.py at that revision"]),
        (
            "v1",
            "bad",
            [
                "--against v1: it does not build: params/bad.yaml: 1: it is bad",
                "--against v1: it does not build: and worse",
            ],
        ),
        ("v1", "crash", ["--against v1: it does not build: RuntimeError: a crash"]),
        ("v1", "silent", ["--against v1: it does not build: it ended with 3"]),
    ],
)
def test_a_revision_that_is_none_or_does_not_build_is_an_error(repository, tmp_path, revision, environment, problems):
    with pytest.raises(PackageError) as caught:
        against(revision, repository, environment)
    assert caught.value.problems == problems
    assert caught.value.hint
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_folder_is_no_build_unless_it_has_a_manifest(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main").mkdir()
    (tmp_path / "plain").mkdir()
    assert against("main", repository).what.startswith("revision main (")
    with pytest.raises(PackageError, match="a folder without manifest.json"):
        against("plain", repository)


def test_without_a_repository_there_are_no_revisions(tmp_path):
    with pytest.raises(PackageError, match="nor a git revision"):
        against("main", tmp_path)


def test_without_git_there_are_no_revisions(repository, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(PackageError, match="git is not installed"):
        against("main", repository)


def test_what_git_cannot_unpack_is_an_error(repository):
    (repository / ".git" / "info").mkdir(exist_ok=True)
    tree = subprocess.run(
        ["git", "-C", repository, "rev-parse", "v1^{tree}"],
        check=True, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"},
    ).stdout.strip()  # fmt: skip
    (repository / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(PackageError, match="it cannot be unpacked: .*not a tree object|it cannot be unpacked: fatal"):
        against("v1", repository)


def test_an_interrupted_build_leaves_nothing(repository, tmp_path, monkeypatch):
    run = subprocess.run

    def interrupted(command, **options):
        if "build.py" in command:
            raise KeyboardInterrupt
        return run(command, **options)

    monkeypatch.setattr("deployer.forecast.revision.subprocess.run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        against("v1", repository)
    assert list((tmp_path / "scratch").iterdir()) == []
