"""Write a file all at once: a reader sees the one before or the new one, whatever ends the writer."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from settings.errors import OutputError


def write_text(path: Path, text: str) -> None:
    """Write a file all at once; an `OutputError` leaves the one before as it was."""
    try:
        replace_text(path, text)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise OutputError(
            f"{path}: {error.strerror or error}; what is there, if anything, is older",
            hint="free some disk space and run again" if full else "make the folder writable and run again",
        ) from error


def replace_text(path: Path, text: str) -> None:
    """The same, with whatever OSError the disk has; nothing is left of the attempt then.

    The draft bears the number of this process, so that what a killed one left is found and removed by the next.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        _remove_drafts(path)
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync_folder(path.parent)
    except BaseException:  # Ctrl-C too
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def _remove_drafts(path: Path) -> None:
    """Remove what a process left that was killed while it wrote."""
    for draft in path.parent.glob(f".{path.name}.*.tmp"):
        number = draft.name.split(".")[-2]
        if number.isdecimal() and not is_running(int(number)):
            draft.unlink(missing_ok=True)


def is_running(process: int) -> bool:
    """Whether a process of this machine runs; True where that cannot be told."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _sync_folder(folder: Path) -> None:
    """Have the rename survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
