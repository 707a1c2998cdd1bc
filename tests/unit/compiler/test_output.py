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
    left.symlink_to(tmp_path / "dev")
    build(tmp_path, {"a": "2"}, frozenset({"a"}))
    left.write_text("a file")
    build(tmp_path, {"a": "3"}, frozenset({"a"}))
    assert files_of(tmp_path / "dev") == {"a": "3"}
    assert {path.name for path in tmp_path.iterdir()} == {"dev", ".lock-dev"}


@pytest.mark.parametrize("thing", ["file", "link to a folder", "link to nothing"])
def test_what_is_no_folder_is_not_replaced(tmp_path, thing):
    target = tmp_path / "out/dev"
    target.parent.mkdir()
    if thing == "file":
        target.write_text("mine")
    else:
        target.symlink_to(tmp_path if thing == "link to a folder" else tmp_path / "nothing")
    before = os.lstat(target)
    with pytest.raises(OutputError, match="dev is no folder") as caught:
        build(tmp_path / "out", {"a": "1"})
    assert "--out" in caught.value.hint
    assert os.lstat(target) == before
    assert {path.name for path in target.parent.iterdir()} == {"dev", ".lock-dev"}


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


def test_a_build_killed_between_two_renames_is_put_back(tmp_path):
    """What the deployer put beside the templates must not be lost with it."""
    build(tmp_path, {"a": "1"})
    (tmp_path / "dev/flat-outputs.json").write_text("{}")
    (tmp_path / "dev").rename(tmp_path / ".old-dev")
    with staging(tmp_path, "dev"):
        assert files_of(tmp_path / "dev") == {"a": "1", "flat-outputs.json": "{}"}
    assert {path.name for path in tmp_path.iterdir()} == {"dev", ".lock-dev"}


def test_an_old_folder_beside_a_whole_one_is_left_for_the_next_exchange(tmp_path, monkeypatch):
    monkeypatch.setattr(output.sys, "platform", "other")
    build(tmp_path, {"a": "1"})
    (tmp_path / ".old-dev").mkdir()
    build(tmp_path, {"a": "2"}, frozenset({"a"}))
    assert files_of(tmp_path / "dev") == {"a": "2"}
    assert {path.name for path in tmp_path.iterdir()} == {"dev", ".lock-dev"}


class WithoutExchange:
    """A C library that is too old."""


class WithRefusal:
    """A file system that cannot."""

    def renameat2(self, *arguments):
        return -1


@pytest.mark.parametrize("library", [WithoutExchange(), WithRefusal()])
def test_without_exchange_two_renames_do(tmp_path, monkeypatch, library):
    monkeypatch.setattr(output.sys, "platform", "linux")
    monkeypatch.setattr(output.ctypes, "CDLL", lambda *a, **k: library)
    build(tmp_path, {"a": "1"})
    build(tmp_path, {"a": "2"}, frozenset({"a"}))
    assert files_of(tmp_path / "dev") == {"a": "2"}


def _hold(out: str, held, release) -> None:
    with staging(Path(out), "dev"):
        held.set()
        release.wait(20)
        (Path(out) / "first-is-done").write_text("")


def test_a_second_build_of_the_same_suffix_waits(tmp_path, monkeypatch):
    context = multiprocessing.get_context("fork")
    held, release = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(str(tmp_path), held, release))
    process.start()
    assert held.wait(20)
    said = []

    class Stderr:
        """The first build ends when the second says that it waits, not before."""

        def write(self, text: str) -> None:
            said.append(text)
            release.set()

    monkeypatch.setattr(output.sys, "stderr", Stderr())
    with staging(tmp_path, "dev"):
        assert (tmp_path / "first-is-done").exists()
    process.join(20)
    assert "".join(said) == "waiting for another build of dev to end\n"


def test_builds_of_two_suffixes_do_not_wait(tmp_path):
    with staging(tmp_path, "dev") as one, staging(tmp_path, "pr-1") as two:
        assert one != two


def test_a_lock_that_the_file_system_refuses(tmp_path, monkeypatch):
    def refuse(descriptor, operation):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(output.fcntl, "flock", refuse)
    with pytest.raises(OutputError, match="No locks available"):
        build(tmp_path, {"a": "1"})
