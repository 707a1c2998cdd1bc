"""Both stores do the same, and say in words what went wrong; a folder is a real one, a bucket is the embedded AWS's."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from validator.behind import Behind
from validator.store import Bucket, Folder, Store, StoreError, read_all

NAME = "payments-test-reports"


def s3() -> Any:
    make: Any = boto3.client
    return make("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "folder":
        yield Folder(tmp_path / "made" / "when needed")
        return
    with mock_aws():
        client = s3()
        client.create_bucket(Bucket=NAME)
        yield Bucket(client, NAME)


def test_what_was_written_is_read_back(store: Store) -> None:
    assert store.read("work/r/plan.json") is None
    store.write("work/r/plan.json", {"é": [1, None, {"n": 2**62}]})
    assert store.read("work/r/plan.json") == {"é": [1, None, {"n": 2**62}]}
    store.write("work/r/plan.json", {})
    assert store.read("work/r/plan.json") == {}


@pytest.mark.parametrize("count", [0, 1, 2, 150])
def test_several_are_read_in_their_order(store: Store, count: int) -> None:
    keys = [f"work/r/tables/{number}.json" for number in range(count)]
    for number, key in enumerate(keys):
        if number % 3:
            store.write(key, {"number": number})
    assert list(read_all(store, keys)) == [{"number": number} if number % 3 else None for number in range(count)]


def test_keys_are_listed_in_order(store: Store) -> None:
    assert list(store.keys("work/")) == []
    for key in ("work/r/b.json", "work/r/a.json", "work/q/c.json", "runs/r/report.json"):
        store.write(key, {})
    assert list(store.keys("work/r/")) == ["work/r/a.json", "work/r/b.json"]
    assert list(store.keys("work/r/a")) == ["work/r/a.json"]


@pytest.mark.parametrize("text", ['{"a": ', "[1]", "", "\udcff"])
def test_what_is_no_json_object_is_named(store: Store, text: str) -> None:
    store.write_text("work/r/plan.json", text.encode(errors="replace").decode(), "application/json")
    with pytest.raises(
        StoreError, match=r"work/r/plan\.json is not a JSON object \(it is cut short or no file of ours"
    ):
        store.read("work/r/plan.json")


def test_a_bucket_keeps_the_type_of_a_text() -> None:
    with mock_aws():
        client = s3()
        client.create_bucket(Bucket=NAME)
        Bucket(client, NAME).write_text("runs/r/report.html", "<html>", "text/html; charset=utf-8")
        assert client.get_object(Bucket=NAME, Key="runs/r/report.html")["ContentType"] == "text/html; charset=utf-8"


# --- a folder --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("at", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    folder = Folder(tmp_path)
    folder.write("a.json", {"old": True})

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, at, full)
    with pytest.raises(StoreError, match=r"cannot write .*/a\.json: No space left on device"):
        folder.write("a.json", {"old": False})
    monkeypatch.undo()
    assert folder.read("a.json") == {"old": True}
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("")
    with pytest.raises(StoreError, match=r"cannot write .*/work/r/plan\.json: "):
        Folder(tmp_path).write("work/r/plan.json", {})
    assert Folder(tmp_path).read("work/r/plan.json") is None


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "plan.json").mkdir()
    with pytest.raises(StoreError, match=r"cannot read .*/plan\.json: Is a directory"):
        Folder(tmp_path).read("plan.json")


# --- a bucket --------------------------------------------------------------------------------------------------------
def test_a_bucket_that_is_not_there_is_named() -> None:
    with mock_aws():
        bucket = Bucket(s3(), NAME)
        with pytest.raises(StoreError, match=f"cannot write s3://{NAME}/a.json: NoSuchBucket: "):
            bucket.write("a.json", {})
        with pytest.raises(StoreError, match=f"cannot read s3://{NAME}/a.json: NoSuchBucket: "):
            bucket.read("a.json")
        with pytest.raises(StoreError, match=f"cannot list s3://{NAME}/w: NoSuchBucket: "):
            list(bucket.keys("w"))


@pytest.mark.parametrize("there", [False, True])
def test_an_object_is_absent_only_where_the_list_says_so(there: bool) -> None:
    """Who may list by prefix only is refused an object that is not there, instead of being told so."""
    client = s3()
    with Stubber(client) as stubber:
        stubber.add_client_error("get_object", "AccessDenied", http_status_code=403)
        contents = [{"Key": "work/a.json"}] if there else [{"Key": "work/a.json.old"}]
        stubber.add_response("list_objects_v2", {"Contents": contents}, {"Bucket": NAME, "Prefix": "work/a.json"})
        if there:
            with pytest.raises(StoreError, match=r"cannot read s3://.*/work/a\.json: AccessDenied"):
                Bucket(client, NAME).read("work/a.json")
        else:
            assert Bucket(client, NAME).read("work/a.json") is None
        stubber.assert_no_pending_responses()


def test_a_bucket_out_of_reach_is_said() -> None:
    make: Any = boto3.client
    from botocore.config import Config

    client = make(
        "s3",
        endpoint_url="http://127.0.0.1:1",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(
        StoreError, match=r'cannot write s3://.*/a.json: Could not connect to the endpoint URL: "http://'
    ):
        Bucket(client, NAME).write("a.json", {})


def test_a_mistake_of_ours_is_not_dressed_up() -> None:
    with pytest.raises(AttributeError):
        Bucket(None, NAME).write("a.json", {})


class Slow(Folder):
    """Writes when it is let; fails at some keys, and remembers in which order it was asked."""

    def __init__(self, path: Path, failing: str = "") -> None:
        super().__init__(path)
        self.let = threading.Event()
        self.failing = failing
        self.asked: list[str] = []

    def write_text(self, key: str, text: str, content_type: str) -> None:
        assert self.let.wait(60)
        self.asked.append(key)
        if key == self.failing:
            raise StoreError(f"cannot write {key}")
        super().write_text(key, text, content_type)


def test_what_is_written_behind_is_seen_at_once_and_kept_in_order(tmp_path: Path) -> None:
    store = Slow(tmp_path)
    with Behind(store) as behind:
        behind.write("a", {"n": 1})
        behind.write("b", {"n": 2})
        behind.write("a", {"n": 3})
        behind.write_text("c", '{"n": 4}', "application/json")
        assert (behind.read("a"), behind.read("c"), behind.read("d")) == ({"n": 3}, {"n": 4}, None)
        assert store.asked == []
        assert (behind.wrote("a"), behind.wrote("d")) == (True, False)
        store.let.set()
        assert list(behind.keys("")) == ["a", "b", "c"], "what it lists is there"
        assert behind.read("a") == {"n": 3}
        behind.write("d", {})
    assert store.asked == ["a", "b", "a", "c", "d"]
    assert store.read("d") == {}


def test_after_a_write_that_failed_behind_there_is_no_other(tmp_path: Path) -> None:
    store = Slow(tmp_path, failing="b")
    store.let.set()
    with pytest.raises(StoreError, match="cannot write b"), Behind(store) as behind:
        for key in "abc":
            behind.write(key, {})
    assert store.asked == ["a", "b"]


def test_an_error_of_the_work_is_not_hidden_by_one_of_its_writes(tmp_path: Path) -> None:
    store = Slow(tmp_path, failing="a")
    store.let.set()
    with pytest.raises(ZeroDivisionError), Behind(store) as behind:
        behind.write("a", {})
        print(1 / 0)
