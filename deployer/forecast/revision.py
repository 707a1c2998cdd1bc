"""Build a git revision beside the working tree, to compare with it.

The revision is unpacked by `git archive`, not by `git worktree`: nothing is registered in the repository, so nothing is
left there even by a run that is killed, and no hook runs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deployer.errors import PackageError

_INSTEAD = "build that revision yourself, and name its folder: --against DIR"


@dataclass(frozen=True, slots=True)
class BuiltRevision:
    """A revision's build in a folder that goes away; `what` says which revision it is."""

    folder: Path
    what: str


@contextmanager
def build_revision(root: Path, revision: str, environment: str, suffix: str) -> Iterator[BuiltRevision]:
    """The build of one environment at a revision of the repository in `root`; removed at the end, come what may.

    Support dates are judged as of the day of the commit: what was good when it was deployed is what to compare with.
    """
    commit, day = _commit(root, revision)
    with tempfile.TemporaryDirectory(prefix="revision-") as scratch:
        source, out = Path(scratch, "source"), Path(scratch, "out")
        _unpack(root, commit, source, Path(scratch, "source.tar"))
        if not (source / "build.py").is_file():
            raise PackageError(f"--against {revision}: there is no build.py at that revision", hint=_INSTEAD)
        _build(source, revision, ["--env", environment, "--suffix", suffix, "--out", str(out), "--today", day])
        yield BuiltRevision(out / suffix, f"revision {revision} ({commit[:10]}, {day})")


def knows_revision(root: Path, revision: str) -> bool:
    """Whether git knows a commit of this name."""
    return bool(_full_name(root, revision))


def _full_name(root: Path, revision: str) -> str:
    """The commit's full name, "" where there is none of this name."""
    return _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").stdout.strip()


def _commit(root: Path, revision: str) -> tuple[str, str]:
    """The full name of the commit, and its day."""
    commit = _full_name(root, revision) if revision else ""
    if not commit:
        raise PackageError(
            f"--against {revision}: neither a folder of a build nor a git revision",
            hint="see: git log --oneline (a shallow clone knows few revisions: git fetch --unshallow)",
        )
    return commit, _git(root, "log", "--max-count=1", "--format=%cs", commit).stdout.strip()


def _unpack(root: Path, commit: str, source: Path, archive: Path) -> None:
    packed = _git(root, "archive", "--format=tar", f"--output={archive}", commit)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(source, filter="data")
    except (OSError, tarfile.TarError) as error:
        why = packed.stderr.strip() or error
        raise PackageError(f"--against {commit}: it cannot be unpacked: {why}", hint=_INSTEAD) from error


def _build(source: Path, revision: str, arguments: list[str]) -> None:
    surroundings = {key: value for key, value in os.environ.items() if key != "ENVIRONMENT_SUFFIX"}
    command = [sys.executable, "build.py", "--no-cache", *arguments]
    done = subprocess.run(  # noqa: S603  # our own door, at a revision that the person names
        command, cwd=source, env=surroundings, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or f"it ended with {done.returncode}").splitlines()
        told = [line.removeprefix("error: ") for line in said if line.startswith("error: ")] or said[-1:]
        raise PackageError([f"--against {revision}: it does not build: {line}" for line in told], hint=_INSTEAD)


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # GIT_DIR and the like, which hooks set, would name another repository.
    surroundings = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        return subprocess.run(  # noqa: S603  # fixed words, and a revision after --end-of-options
            ["git", "-C", str(root), *arguments],  # noqa: S607  # wherever the person has it
            env=surroundings,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise PackageError("git is not installed, so no revision can be built", hint=_INSTEAD) from None
