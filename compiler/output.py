"""Write out/<suffix>/ all at once or not at all.

Everything is written to a staging folder beside it, checked there by the linter, and exchanged with the old folder in
one rename. Files that the build does not own (flat-outputs.json, reviews) are carried over. A failure at any moment, a
full disk or Ctrl-C included, leaves the previous folder as it was.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from settings.errors import OutputError

STAGING_PREFIX = ".staging-"
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def staging(out: Path, suffix: str) -> Iterator[Path]:
    """A fresh folder `out/.staging-<suffix>`, held by one build at a time and removed afterwards."""
    with _failures(out):
        out.mkdir(parents=True, exist_ok=True)
        lock = os.open(out / f".lock-{suffix}", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _hold(lock, suffix)
        folder = out / f"{STAGING_PREFIX}{suffix}"
        with _failures(folder):
            shutil.rmtree(folder, ignore_errors=True)  # of a build that was killed
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
        import fcntl  # absent on Windows, where two builds at once are the user's own care
    except ImportError:  # pragma: no cover - no such platform in CI
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"waiting for another build of {suffix} to end", file=sys.stderr)
        fcntl.flock(lock, fcntl.LOCK_EX)


def _exchange(folder: Path, target: Path) -> None:
    """Swap two folders in one step where the system can, else in two renames with a way back."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.renameat2(_AT_FDCWD, bytes(folder), _AT_FDCWD, bytes(target), _RENAME_EXCHANGE) == 0:
            return
    old = target.with_name(f".old-{target.name}")
    shutil.rmtree(old, ignore_errors=True)
    target.rename(old)
    try:
        folder.rename(target)
    except BaseException:
        old.rename(target)
        raise
    old.rename(folder)  # removed with the staging folder
