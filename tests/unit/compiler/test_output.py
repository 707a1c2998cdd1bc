"""out/<suffix>/ changes as a whole or not at all."""

from __future__ import annotations

import errno
import multiprocessing
import os
import re
from pathlib import Path

import pytest

from compiler import output
from compiler.output import publish, staging, write_files
from settings.errors import OutputError


def files_of(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


def build(out: Path, files: dict[str, str], owned: frozenset[str] = frozenset()) -> None:
    with staging(out, "dev") as folder:
        write_files(folder, {name: text.encode() for name, text in files.items()})
        publish(folder, out / "dev", owned)


def test_the_first_build_and_the_next(tmp_path):
    build(tmp_path, {"a": "1", "assets/b": "2"})
    assert files_of(tmp_path / "dev") == {"a": "1", "assets/b": "2"}
    build(tmp_path, {"a": "3"}, frozenset({"a", "assets/b"}))
    assert files_of(tmp_path / "dev") == {"a": "3"}
    assert {path.name for path in tmp_path.iterdir()} == {"dev", ".lock-dev"}


def test_what_a_deployment_put_there_is_carried_over(tmp_path):
    build(tmp_path, {"a": "1"})
    (tmp_path / "dev/flat-outputs.json").write_text("{}")
    (tmp_path / "dev/deep").mkdir()
    (tmp_path / "dev/deep/review.json").write_text("[]")
    build(tmp_path, {"a": "2"}, frozenset({"a"}))
    assert files_of(tmp_path / "dev") == {"a": "2", "flat-outputs.json": "{}", "deep/review.json": "[]"}


def test_without_publish_nothing_changes(tmp_path):
    build(tmp_path, {"a": "1"})
    with staging(tmp_path, "dev") as folder:
        write_files(folder, {"a": b"2"})
    assert files_of(tmp_path / "dev") == {"a": "1"}
    assert {path.name for path in tmp_path.iterdir()} == {"dev", ".lock-dev"}


def test_an_interruption_leaves_the_previous_build(tmp_path):
    build(tmp_path, {"a": "1"})
    with pytest.raises(KeyboardInterrupt), staging(tmp_path, "dev") as folder:
        write_files(folder, {"a": b"2"})
        raise KeyboardInterrupt
    assert files_of(tmp_path / "dev") == {"a": "1"}
    assert {path.name for path in tmp_path.iterdir()} == {"dev", ".lock-dev"}


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (errno.ENOSPC, "free some disk space"),
        (errno.EDQUOT, "free some of your disk quota"),
        (errno.EROFS, "build elsewhere with --out"),
        (errno.EACCES, "make the folder writable"),
        (errno.EIO, "mend it and run again"),
    ],
)
def test_what_the_file_system_refuses(tmp_path, monkeypatch, code, advice):
    build(tmp_path, {"a": "1"})

    def refuse(self, data):
        raise OSError(code, os.strerror(code), str(self))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(OutputError, match=re.escape(os.strerror(code))) as caught:
        build(tmp_path, {"a": "2"})
    assert advice in caught.value.hint
    assert "a" in caught.value.problems[0]
    assert files_of(tmp_path / "dev") == {"a": "1"}
    assert {path.name for path in tmp_path.iterdir()} == {"dev", ".lock-dev"}


def test_a_really_full_disk(tmp_path):
    with staging(tmp_path, "dev") as folder:
        (folder / "a").symlink_to("/dev/full")
        with pytest.raises(OutputError, match="No space left on device"):
            write_files(folder, {"a": b"x"})


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="out"):
        build(tmp_path / "out", {"a": "1"})


def test_staging_left_by_a_killed_build_is_swept(tmp_path):
    left = tmp_path / ".staging-dev"
    left.mkdir()
    (left / "stale").write_text("")
    build(tmp_path, {"a": "1"})
    assert files_of(tmp_path / "dev") == {"a": "1"}


def test_where_folders_cannot_be_exchanged_two_renames_do(tmp_path, monkeypatch):
    monkeypatch.setattr(output.sys, "platform", "other")
    build(tmp_path, {"a": "1"})
    build(tmp_path, {"a": "2"}, frozenset({"a"}))
    assert files_of(tmp_path / "dev") == {"a": "2"}
    assert {path.name for path in tmp_path.iterdir()} == {"dev", ".lock-dev"}


def test_a_second_rename_that_fails_puts_the_old_folder_back(tmp_path, monkeypatch):
    monkeypatch.setattr(output.sys, "platform", "other")
    build(tmp_path, {"a": "1"})
    rename = Path.rename

    def fail(self, target):
        if self.name.startswith(".staging"):
            raise OSError(errno.EIO, "gone", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OutputError, match="gone"):
        build(tmp_path, {"a": "2"}, frozenset({"a"}))
    assert files_of(tmp_path / "dev") == {"a": "1"}


def test_a_file_system_without_exchange_falls_back(tmp_path, monkeypatch):
    class Libc:
        def renameat2(self, *arguments):
            return -1

    monkeypatch.setattr(output.sys, "platform", "linux")
    monkeypatch.setattr(output.ctypes, "CDLL", lambda *a, **k: Libc())
    build(tmp_path, {"a": "1"})
    build(tmp_path, {"a": "2"}, frozenset({"a"}))
    assert files_of(tmp_path / "dev") == {"a": "2"}


def _hold(out: str, held, release) -> None:
    with staging(Path(out), "dev"):
        held.set()
        release.wait(20)


def test_a_second_build_of_the_same_suffix_waits(tmp_path, capfd):
    context = multiprocessing.get_context("fork")
    held, release = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(str(tmp_path), held, release))
    process.start()
    assert held.wait(20)
    context.Process(target=_release_when_told, args=(tmp_path, release)).start()
    (tmp_path / "go").write_text("")
    build(tmp_path, {"a": "1"})
    process.join(20)
    assert "waiting for another build of dev to end" in capfd.readouterr().err
    assert files_of(tmp_path / "dev") == {"a": "1"}


def _release_when_told(folder: Path, release) -> None:
    import fcntl

    # released only once the second build is blocked on the lock: /proc shows a waiter as "->"
    while "->" not in Path("/proc/locks").read_text():
        pass
    del fcntl
    release.set()
