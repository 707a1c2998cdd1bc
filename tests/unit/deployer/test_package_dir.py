"""Reading a build: all of it, or an error that says what is wrong with it."""

from __future__ import annotations

import pytest

from deployer.errors import PackageError
from deployer.package_dir import read_package


def test_a_build_is_read_whole(built_dev):
    package = read_package(built_dev / "dev")
    assert (package.stack, package.environment, package.suffix, package.region, package.durable) == (
        "payments-dev",
        "dev",
        "dev",
        "us-east-1",
        False,
    )
    assert package.tags["Environment"] == "dev"
    assert package.nested()["LoadBalancer"] == "load_balancer"
    assert set(package.templates) == {"root", "account", *package.nested().values()}
    assert package.templates["network"]["Resources"]["Vpc"]["Type"] == "AWS::EC2::VPC"
    assert package.digests.keys() == package.files.keys()
    assert "assets/validator.zip" in package.files


def test_a_build_that_is_not_there(tmp_path):
    with pytest.raises(PackageError, match=r"out/dev: there is no build") as caught:
        read_package(tmp_path / "out/dev")
    assert caught.value.hint == "build it: python build.py --env dev"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"files": 3}'])
def test_a_manifest_that_says_nothing(out_dev, text):
    (out_dev / "dev/manifest.json").write_text(text)
    with pytest.raises(PackageError, match=r"manifest.json: "):
        read_package(out_dev / "dev")


def test_files_that_were_edited_or_removed_are_named_all_at_once(out_dev):
    (out_dev / "dev/network.template.json").write_text("{}")
    (out_dev / "dev/root.template.json").unlink()
    with pytest.raises(PackageError) as caught:
        read_package(out_dev / "dev")
    edited, removed = caught.value.problems
    assert "network.template.json: not what the build wrote" in edited
    assert "root.template.json: No such file" in removed
