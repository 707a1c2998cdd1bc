"""Packages that are not installed, told with the command that sets them up, and told apart from mistakes of our own."""

from __future__ import annotations

import os
import re
import sys

from settings.errors import MissingPackageError

TYPE_CHECKING = False  # as type checkers know it; see door.py
if TYPE_CHECKING:
    from types import TracebackType

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_LOCKS = ("requirements.txt", "requirements-local.txt", "requirements-dev.txt")
# What is imported under another name than it is installed by.
_DISTRIBUTIONS = {"cfnlint": "cfn-lint", "dateutil": "python-dateutil", "yaml": "pyyaml"}


def require(*modules: str) -> None:
    """Raise a `MissingPackageError` that names all of these modules that cannot be imported; imports none of them."""
    from importlib.util import find_spec

    missing = [_distribution(module) for module in modules if find_spec(module) is None]
    if missing:
        raise _error(missing, _LOCKS[0])


def missing_package(error: ModuleNotFoundError) -> MissingPackageError | None:
    """What to tell of a failed import; None where the fault is ours: then the traceback is what helps.

    A module that a lock file lists is not installed. What a third party's own code fails to import is a part of its
    installation, whatever its name.
    """
    name = _distribution((error.name or "").partition(".")[0])
    lock = next((lock for lock in _LOCKS if name in _locked(lock)), "")
    if lock or (error.name and not _is_ours(error.__traceback__)):
        return _error([name], lock or _LOCKS[0])
    return None


def _error(missing: list[str], lock: str) -> MissingPackageError:
    are = "is" if len(missing) == 1 else "are"
    targets = dict(zip(_LOCKS, ("`make build` or `make deploy`", "`make deploy`", "`make check`"), strict=True))
    there = os.path.exists(os.path.join(_ROOT, ".venv", "bin", "activate"))
    return MissingPackageError(
        f"{', '.join(missing)} {are} not installed for {sys.executable}",
        hint=f"{'. .venv/bin/activate; or ' if there else ''}{targets[lock]} with a .venv of its own; "
        f"or: pip install --require-hashes -r {lock}",
    )


def _distribution(module: str) -> str:
    return _DISTRIBUTIONS.get(module, module.lower().replace("_", "-"))


def _locked(lock: str) -> set[str]:
    """The packages of a lock file; none where there is no such file."""
    try:
        with open(os.path.join(_ROOT, lock), encoding="utf-8") as stream:
            return set(re.findall(r"^([a-z0-9.-]+)(?:\[[^]]*\])?==", stream.read(), re.MULTILINE))
    except OSError:
        return set()


def _is_ours(traceback: TracebackType | None) -> bool:
    """Whether the import that failed stands in a file of this repository, a virtual environment in it apart."""
    last = ""
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        last = last if file.startswith("<frozen importlib") else file
        traceback = traceback.tb_next
    return last.startswith(_ROOT + os.sep) and "site-packages" not in last
