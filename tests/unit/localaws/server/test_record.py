from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from localaws.record import Record, beside, locate, read_record, try_lock, write_record

_RECORD = Record(4711, "http://127.0.0.1:5000", "2026-11-24T12:00:00+00:00", "token")


def test_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    write_record(path, _RECORD)
    assert read_record(path) == _RECORD
    assert os.listdir(tmp_path) == ["state.json"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"pid": 47',
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b'{"pid": 1, "endpoint": "e", "started": "s"}',
        b'{"pid": 1, "endpoint": "e", "started": "s", "token": "t", "more": 1}',
        b'{"pid": "1", "endpoint": "e", "started": "s", "token": "t"}',
        b'{"pid": true, "endpoint": "e", "started": "s", "token": "t"}',
        b'{"pid": 1, "endpoint": null, "started": "s", "token": "t"}',
    ],
)
def test_what_is_no_record_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(content)
    assert read_record(path) is None


def test_where_nothing_is_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert read_record(tmp_path / "absent.json") is None
    assert read_record(tmp_path / "file" / "state.json") is None


def test_is_below_the_cache_unless_somebody_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCALAWS_STATE", raising=False)
    assert locate(tmp_path) == tmp_path / ".cache/localaws/state.json"
    monkeypatch.setenv("LOCALAWS_STATE", "/elsewhere/one.json")
    assert locate(tmp_path) == Path("/elsewhere/one.json")
    assert locate(tmp_path, "own/two.json") == tmp_path / "own/two.json"
    assert beside(locate(tmp_path), ".log") == Path("/elsewhere/one.log")


def test_one_holds_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    first = try_lock(path)
    assert first is not None
    assert try_lock(path) is None
    os.close(first)
    second = try_lock(path)
    assert second is not None
    os.close(second)


def test_a_child_that_inherits_the_lock_holds_it_on(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    lock = try_lock(path)
    assert lock is not None
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, pass_fds=(lock,)
    )
    os.close(lock)
    assert try_lock(path) is None
    child.communicate()
    again = try_lock(path)
    assert again is not None
    os.close(again)
