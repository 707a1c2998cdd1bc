"""Outputs: flat, whole, written at once; each form read back by what will read it."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys

import pytest
import yaml

from deployer.outputs import FORMATS, format_outputs, read_outputs, write_outputs
from deployer.stacks import describe_stack
from settings.errors import OutputError

NASTY = {
    "VPCId": "vpc-1",
    "Network.PrivateSubnet1Id": "subnet-1",
    "Quoted": 'it\'s $HOME `id` "x" \\ end',
    "Lines": "one\ntwo\r\n%three",
    "Empty": "",
    "Yes": "no",
    "Number": "0123",
    "Signs": "é ü \u2028 \x7f \ufeff 😀 #: - {",
}


@pytest.fixture
def read(world, names):
    def stack(name, **values):
        world.stacks[names.arn(name)] = {
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in values.items()]
        }

    stack("payments-dev", VPCId="vpc-1", Password="****")
    stack("payments-dev-Network", VpcId="vpc-1", PrivateSubnet1Id="subnet-1")
    stack("payments-dev-Database", ClusterEndpoint="db.example", Token="****")

    def call(**more):
        aws = world.aws()
        nested = {tier: names.arn(f"payments-dev-{tier}") for tier in ("Network", "Database")}
        return read_outputs(aws, describe_stack(aws, names.root), nested, **more)

    return call


def test_outputs_of_the_whole_tree_are_flat(read):
    assert read() == {
        "VPCId": "vpc-1",
        "Network.VpcId": "vpc-1",
        "Network.PrivateSubnet1Id": "subnet-1",
        "Database.ClusterEndpoint": "db.example",
    }


def test_masked_values_are_named_and_never_values(read):
    told = []
    assert "****" not in read(tell=told.append).values()
    assert [text.split()[1] for text in told] == ["Database.Token", "Password"]


def test_a_nested_stack_that_is_gone_meanwhile_has_no_outputs(read, world, names):
    del world.stacks[names.arn("payments-dev-Database")]
    assert "Database.ClusterEndpoint" not in read()


# --- forms ------------------------------------------------------------------------------------------------------------
def test_json_is_sorted_and_ends_with_a_newline():
    text = format_outputs(NASTY, "json")
    assert json.loads(text) == NASTY
    assert text.endswith("}\n")
    assert list(json.loads(text)) == sorted(NASTY)


def test_yaml_reads_back_as_the_same_texts():
    assert yaml.safe_load(format_outputs(NASTY, "yaml")) == NASTY
    assert yaml.safe_load(format_outputs({}, "yaml")) == {}


def test_a_shell_reads_env_back_unharmed():
    values = {**NASTY, "1st": "first"}
    script = format_outputs(values, "env") + "\nenv -0"
    done = subprocess.run(["sh", "-ac", script], capture_output=True, env={"PATH": os.environ["PATH"]}, check=True)
    seen = dict(entry.split("=", 1) for entry in done.stdout.decode().split("\0") if "=" in entry)
    expected = {
        "VPC_ID": "VPCId", "NETWORK_PRIVATE_SUBNET1_ID": "Network.PrivateSubnet1Id", "QUOTED": "Quoted", "LINES": "Lines",
        "EMPTY": "Empty", "YES": "Yes", "NUMBER": "Number", "SIGNS": "Signs", "_1ST": "1st",
    }  # fmt: skip
    assert {name: seen[name] for name in expected} == {name: values[key] for name, key in expected.items()}


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("RDSClusterReaderEndpoint", "RDS_CLUSTER_READER_ENDPOINT"),
        ("DMSReplicationTaskArn", "DMS_REPLICATION_TASK_ARN"),
        ("LoadBalancer.LoadBalancerDns", "LOAD_BALANCER_LOAD_BALANCER_DNS"),
    ],
)
def test_names_are_upper_snake(key, name):
    assert format_outputs({key: "x"}, "env") == f"{name}='x'\n"


def test_where_names_collide_the_first_keeps_it():
    flat = {"Vpc.Id": "3", "VpcId": "2", "VPCId": "1", "VpcId_2": "4"}
    assert format_outputs(flat, "env") == "VPC_ID='1'\nVPC_ID_3='3'\nVPC_ID_2='2'\nVPC_ID_2_2='4'\n"


def test_github_takes_lines_and_nothing_can_break_out_of_a_value():
    attack = "x\nEND\ninjected=1"
    text = format_outputs({"Network.Id": "a=b", "Two": attack}, "github")
    assert text.startswith("Network_Id=a=b\nTwo<<end_")
    delimiter = text.split("Two<<")[1].split("\n")[0]
    assert text.endswith(f"Two<<{delimiter}\n{attack}\n{delimiter}\n")
    assert delimiter not in attack
    assert format_outputs({"Two": attack}, "github") != format_outputs({"Two": attack}, "github")
    assert format_outputs({"R": "a\rb"}, "github").startswith("R<<")


def test_nothing_is_nothing_in_every_form():
    assert [format_outputs({}, form) for form in FORMATS] == ["{}\n", "", "{}\n", ""]


# --- the file ---------------------------------------------------------------------------------------------------------
def test_the_file_is_written_at_once_and_nothing_else_is_left(tmp_path):
    path = tmp_path / "flat-outputs.json"
    write_outputs(path, {"B": "2", "A": "é"})
    assert path.read_text(encoding="utf-8") == '{\n "A": "é",\n "B": "2"\n}\n'
    write_outputs(path, {"C": "3"})
    assert json.loads(path.read_text()) == {"C": "3"}
    assert os.listdir(tmp_path) == ["flat-outputs.json"]


@pytest.mark.parametrize(
    ("number", "hint"),
    [(errno.ENOSPC, "free some disk space"), (errno.EDQUOT, "disk quota"), (errno.EIO, "mend it")],
)
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, number, hint):
    path = tmp_path / "flat-outputs.json"
    write_outputs(path, {"A": "1"})

    def fails(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OutputError, match=f"flat-outputs.json: {os.strerror(number)}") as caught:
        write_outputs(path, {"A": "2"})
    assert hint in caught.value.hint
    assert json.loads(path.read_text()) == {"A": "1"}
    assert os.listdir(tmp_path) == ["flat-outputs.json"]


def test_a_really_full_disk_leaves_the_old_file(tmp_path):
    path = tmp_path / "flat-outputs.json"
    write_outputs(path, {"A": "1"})
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from deployer.outputs import write_outputs; from settings.errors import OutputError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))\n"
        "try: write_outputs(Path(sys.argv[1]), {'A': 'x' * 1000})\n"
        "except OutputError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert "File too large" in done.stdout
    assert json.loads(path.read_text()) == {"A": "1"}
    assert os.listdir(tmp_path) == ["flat-outputs.json"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(OutputError, match="No such file") as caught:
        write_outputs(tmp_path / "gone" / "flat-outputs.json", {})
    assert caught.value.hint.startswith("build it first")


def test_what_killed_writers_left_is_removed_and_that_of_living_ones_is_not(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = [
        f".flat-outputs.json.{ended.pid}.tmp",
        f".flat-outputs.json.{os.getppid()}.tmp",
        ".flat-outputs.json.x.tmp",
        f".flat-outputs.json.{10**30}.tmp",
    ]
    for name in left:
        (tmp_path / name).touch()
    write_outputs(tmp_path / "flat-outputs.json", {})
    assert sorted(os.listdir(tmp_path)) == sorted([*left[1:], "flat-outputs.json"])
