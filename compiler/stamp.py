"""Tell in a few milliseconds that nothing changed since the last good build.

A stamp holds a digest of every input (sources, params, installed versions, the day) and of every file written, and what
the build printed. Nothing here imports more than the interpreter has loaded anyway: a person's inner loop runs through
it. `_blake2` is CPython's own module behind `hashlib.blake2b`; importing it directly leaves out OpenSSL.
"""

from __future__ import annotations

import os
import sys

try:
    from _blake2 import blake2b
except ImportError:  # another interpreter than CPython
    from hashlib import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SOURCES = ("settings", "contract", "templates", "compiler", "rules", "validator", "params")
_FILES = ("build.py", ".cfnlintrc", "requirements.txt")
_DISTRIBUTIONS = (
    "cfn_lint",
    "troposphere",
    "awacs",
    "pyyaml",
    "pg8000",
    "scramp",
    "asn1crypto",
    "python_dateutil",
    "six",
)
_SKIPPED = (".pyc", ".pyo")
_HEADER = "build stamp 2"
_MANIFEST = "manifest.json"


def inputs_signature(root: str, words: list[str]) -> str:
    """What the file system says of all that a build depends on: sizes, times and inodes, no contents.

    The change time is in it, which no program sets back, so an equal signature means untouched files; a different one
    means nothing yet (a fresh checkout): then `contents_digest` decides. `words` are the request's own (environment,
    suffix, day, overrides).
    """
    digest = blake2b(digest_size=20)
    for word in (_HEADER, sys.version, root, *words, *installed_versions(), user_schema_date()):
        digest.update(as_bytes(word) + b"\0")
    for path in _input_files(root):
        digest.update(as_bytes(_status(path)))
    return str(digest.hexdigest())


def contents_digest(root: str) -> str:
    """A digest of the contents of all that a build depends on: equal wherever and whenever they were written."""
    digest = blake2b(digest_size=20)
    for word in (_HEADER, sys.version, *installed_versions(), user_schema_date()):
        digest.update(as_bytes(word) + b"\0")
    for path in _input_files(root):
        _add(digest, path[len(root) + 1 :], _contents(path))
    return str(digest.hexdigest())


class Stamp:
    """The memory of the last good build of one suffix: what it was made of, what it wrote, and what it printed."""

    def __init__(self, path: str, folder: str) -> None:
        self._path = path
        self._folder = folder

    def write(self, signature: str, digest: str, files: Mapping[str, bytes], printed: str, *, pictured: bool) -> None:
        """Remember a good build, which wrote `files`, unless another build of the suffix has replaced them already."""
        outputs = self._outputs()
        looked = _signature_of(outputs)  # before the contents: what replaces the files from here on shows in those
        made = _digest_of(outputs, self._folder)
        if made == _digest_of_files(files):
            self._write(signature, digest, looked, made, str(int(pictured)), printed)

    def _write(self, *fields: str) -> None:
        """Failing to write a stamp only costs the next build its short cut."""
        temporary = f"{self._path}.{os.getpid()}"
        try:
            with open(temporary, "w", encoding="utf-8") as stream:
                stream.write("\n".join((_HEADER, *fields)))
            os.replace(temporary, self._path)
        except OSError:
            return

    def read(self, signature: str, digest: Callable[[], str], *, pictured: bool) -> str | None:
        """What the last build printed, if it was of these inputs and its files are as it left them; else None."""
        try:
            with open(self._path, encoding="utf-8") as stream:
                header, looked, made_of, outputs_looked, made, has_pictures, printed = stream.read().split("\n", 6)
        except (OSError, ValueError):
            return None
        if header != _HEADER or (pictured and has_pictures != "1"):
            return None
        outputs = self._outputs()
        if not outputs:
            return None
        look = _signature_of(outputs)
        if looked == signature and outputs_looked == look:
            return printed
        if made_of == digest() and made == _digest_of(outputs, self._folder):
            self._write(signature, made_of, look, made, has_pictures, printed)
            return printed
        return None

    def made_of(self, contents: str) -> bool | None:
        """Whether the last build was made of inputs with this `contents_digest`; None where that is not known."""
        try:
            with open(self._path, encoding="utf-8") as stream:
                header, _, made_of, _ = stream.read().split("\n", 3)
        except (OSError, ValueError):
            return None
        return made_of.startswith(f"({contents!r},") if header == _HEADER else None

    def _outputs(self) -> list[str]:
        """The files that the build wrote, by its manifest: not what a deployer put beside them.

        The names are read from the manifest's own layout, {"files": {"<name>": {…: a JSON parser costs more than all
        else here.
        """
        try:
            with open(os.path.join(self._folder, _MANIFEST), encoding="utf-8") as stream:
                manifest = stream.read()
        except (OSError, ValueError):
            return []
        names = manifest.partition('"files": {\n')[2].partition("\n }")[0].split("\n")
        names = [line[3:-4] for line in names if line.startswith('  "') and line.endswith('": {')]
        return [os.path.join(self._folder, name) for name in (_MANIFEST, *names)]


def _signature_of(paths: list[str]) -> str:
    return str(blake2b(as_bytes("".join(map(_status, paths))), digest_size=20).hexdigest())


def _digest_of(paths: list[str], folder: str) -> str:
    digest = blake2b(digest_size=20)
    for path in paths:
        _add(digest, path[len(folder) + 1 :], _contents(path))
    return str(digest.hexdigest())


def _digest_of_files(files: Mapping[str, bytes]) -> str:
    """What `_digest_of` gives for these files once they are written, in the order of the manifest."""
    digest = blake2b(digest_size=20)
    for name in sorted(files, key=lambda name: (name != _MANIFEST, name)):
        _add(digest, name, files[name])
    return str(digest.hexdigest())


def as_bytes(text: str) -> bytes:
    """Text for a digest. Arguments and file names that are no UTF-8 come as lone surrogates, which stand for bytes."""
    return text.encode("utf-8", "surrogateescape")


def _status(path: str) -> str:
    try:
        status = os.stat(path)
    except OSError:
        return f"{path} absent\0"
    return f"{path} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}\0"


def _contents(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as stream:
            return stream.read()
    except OSError:
        return b"absent"


def _add(digest: blake2b, name: str, data: bytes) -> None:
    digest.update(as_bytes(f"{name}\0{len(data)}\0") + data)


def _input_files(root: str) -> list[str]:
    files = [os.path.join(root, name) for name in _FILES]
    for name in _SOURCES:
        _collect(os.path.join(root, name), files)
    return files


def _collect(folder: str, files: list[str]) -> None:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name == "__pycache__" or entry.name.startswith(".") or entry.name.endswith(_SKIPPED):
            continue
        if entry.is_dir():
            _collect(entry.path, files)
        else:
            files.append(entry.path)


def installed_versions() -> list[str]:
    """The names of the installed distributions that decide what is built, versions included."""
    found = []
    for folder in sys.path:  # all of it: Debian says dist-packages, `pip install --target` any name
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        found += sorted(n for n in names if n.endswith(".dist-info") and n.lower().startswith(_DISTRIBUTIONS))
    return found


def user_schema_folder(environment: Mapping[str, str], platform: str) -> str:
    """Where cfn-lint keeps schemas that it downloaded (`cfnlint.helpers.get_cache_dir`)."""
    home = environment.get("HOME", "/")
    base = f"{home}/Library/Caches" if platform == "darwin" else environment.get("XDG_CACHE_HOME") or f"{home}/.cache"
    return f"{base}/aws/cfn-lint/schemas"


def user_schema_date() -> str:
    """The date of the user's schemas, which cfn-lint prefers, when newer, to its own; its own go with its version."""
    try:
        with open(
            f"{user_schema_folder(os.environ, sys.platform)}/version.json", encoding="utf-8", errors="replace"
        ) as stream:
            return stream.read()
    except OSError:
        return "none"
