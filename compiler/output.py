"""Write out/<suffix>/ all at once or not at all.

Everything is written to a staging folder beside it, checked there by the linter, and exchanged with the old folder in
one rename. Files that the build does not own (flat-outputs.json, reviews) are carried over. A failure at any moment, a
full disk or Ctrl-C included, leaves the previous folder as it was.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from settings.errors import OutputError

_STAGING_PREFIX = ".staging-"
_OLD_PREFIX = ".old-"
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def staging(out: Path, suffix: str) -> Iterator[Path]:
    """A fresh folder `out/.staging-<suffix>`, held by one build at a time and removed afterwards.

    What builds that were killed have left is put in order first.
    """
    with _failures(out):
        out.mkdir(parents=True, exist_ok=True)
        lock = os.open(out / f".lock-{suffix}", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        target, folder = out / suffix, out / f"{_STAGING_PREFIX}{suffix}"
        with _failures(out):
            _hold(lock, suffix)
            if target.is_symlink() or (target.exists() and not target.is_dir()):
                raise OutputError(
                    f"{target} is no folder", hint="move it out of the way, or build elsewhere with --out"
                )
            _restore(target)
            _remove(folder)
            folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a staging folder, by relative path."""
    for name in sorted(files):
        path = folder / name
        with _failures(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[name])


def publish(folder: Path, target: Path, owned: frozenset[str]) -> None:
    """Put the staging folder in `target`'s place; files that are not `owned` by the previous build are carried over."""
    with _failures(target):
        if target.exists():
            for path in sorted(target.rglob("*")):
                name = path.relative_to(target)
                if path.is_file() and name.as_posix() not in owned and not (folder / name).exists():
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(path, folder / name)
            _exchange(folder, target)
        else:
            folder.rename(target)


@contextmanager
def _failures(path: Path) -> Iterator[None]:
    """Turn what the file system refuses into an error that names the place."""
    try:
        yield
    except OSError as error:
        hint = {
            errno.ENOSPC: "free some disk space and run again; the previous build is untouched",
            errno.EDQUOT: "free some of your disk quota and run again; the previous build is untouched",
            errno.EACCES: "make the folder writable, or build elsewhere with --out",
            errno.EROFS: "build elsewhere with --out",
        }.get(error.errno or 0, "mend it and run again; the previous build is untouched")
        raise OutputError(f"{error.filename or path}: {error.strerror or error}", hint=hint) from error


def _hold(lock: int, suffix: str) -> None:
    """Wait for another build of the same suffix, saying so."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"waiting for another build of {suffix} to end", file=sys.stderr)
        fcntl.flock(lock, fcntl.LOCK_EX)


def _exchange(folder: Path, target: Path) -> None:
    """Swap two folders in one step where the system can, else in two renames with a way back."""
    if sys.platform == "linux":
        rename = getattr(ctypes.CDLL(None), "renameat2", None)  # older C libraries have none
        if rename and rename(_AT_FDCWD, bytes(folder), _AT_FDCWD, bytes(target), _RENAME_EXCHANGE) == 0:
            return
    old = target.with_name(_OLD_PREFIX + target.name)
    _remove(old)
    try:
        target.rename(old)
        folder.rename(target)
    except BaseException:
        _restore(target)
        raise
    old.rename(folder)  # removed with the staging folder


def _restore(target: Path) -> None:
    """Put the old folder back where an exchange was cut off between its two renames."""
    old = target.with_name(_OLD_PREFIX + target.name)
    if old.exists() and not target.exists():
        old.rename(target)


def _remove(path: Path) -> None:
    """Remove a folder with all that is in it, or whatever else has its name."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
