"""A disk that is full at every file that is written: the one before stays, and a plain re-run puts all right."""

from __future__ import annotations

import errno
import os

import pytest

FILES = ("review.md", "review.html", "review.json", "flat-outputs.json", "deployed.json")


@pytest.fixture
def full(monkeypatch):
    """Have the n-th file that is written meet an error of the disk."""

    def at(number, code=errno.ENOSPC):
        real, seen = os.fsync, []

        def fsync(descriptor):
            if os.path.isfile(f"/proc/self/fd/{descriptor}"):
                seen.append(descriptor)
                if len(seen) == number:
                    raise OSError(code, os.strerror(code))
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)

    return at


@pytest.mark.parametrize(("number", "name"), [*enumerate(FILES, start=1)])
def test_a_full_disk(world, faulty, full, monkeypatch, number, name):
    world.deployed()
    before = world.outputs()
    world.title("new")
    full(number)
    failed = world.run("--yes")
    assert failed.code == 1
    assert f"error: {world.build.folder / name}: No space left on device" in failed.err
    assert "next: free some disk space" in failed.err
    assert not [file for file in world.files() if file.endswith(".tmp")]
    assert world.outputs() == before
    if number <= 3:  # nothing was executed
        assert (world.leftovers(), world.titled()) == ([], "")
        assert "review.json" not in world.files()
    monkeypatch.undo()
    done = faulty.run()
    assert done.code == 0, done.err
    faulty.is_right("new")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_review_that_cannot_be_written_binds_nothing(world, full, monkeypatch, number):
    assert world.deployed().title("new").run("review").code == 0
    world.title("newer")
    full(number)
    assert world.run("review").code == 1
    assert (world.leftovers(), world.files()) == ([], {"flat-outputs.json", "deployed.json"})


def test_a_folder_that_cannot_be_written_is_told(world, full):
    world.deployed().title("new")
    full(1, errno.EACCES)
    failed = world.run("review")
    assert failed.code == 1
    assert failed.err.endswith("next: make the folder writable and run again\n")
