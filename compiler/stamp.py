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
    from collections.abc import Mapping

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
_HEADER = "build stamp 1"


def inputs_digest(root: str, words: list[str]) -> str:
    """A digest of all that a build depends on; `words` are the request's own (environment, suffix, day, overrides)."""
    digest = blake2b(digest_size=20)
    for word in (_HEADER, sys.version, *words, *installed_versions(), user_schema_date()):
        digest.update(word.encode() + b"\0")
    for name in _FILES:
        _add_file(digest, os.path.join(root, name), name)
    for name in _SOURCES:
        _add_folder(digest, os.path.join(root, name), name)
    return str(digest.hexdigest())


def write_stamp(path: str, inputs: str, folder: str, printed: str, *, pictured: bool) -> None:
    """Remember a good build; failing to only costs the next build its short cut."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        temporary = f"{path}.{os.getpid()}"
        with open(temporary, "w", encoding="utf-8") as stream:
            stream.write("\n".join((_HEADER, inputs, outputs_digest(folder), str(int(pictured)), printed)))
        os.replace(temporary, path)
    except OSError:
        return


def read_stamp(path: str, inputs: str, folder: str, *, pictured: bool) -> str | None:
    """What the last build printed, if it was of these inputs and its files are all as it left them; else None."""
    try:
        with open(path, encoding="utf-8") as stream:
            header, made_of, made, has_pictures, printed = stream.read().split("\n", 4)
    except (OSError, ValueError):
        return None
    if header != _HEADER or made_of != inputs or (pictured and has_pictures != "1"):
        return None
    return printed if made == outputs_digest(folder) else None


def outputs_digest(folder: str) -> str:
    """A digest of the files named by the manifest's bytes: the build's own, not what a deployer put beside them."""
    digest = blake2b(digest_size=20)
    try:
        with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as stream:
            manifest = stream.read()
    except OSError:
        return "none"
    digest.update(manifest.encode())
    # The manifest's own layout: {"files": {"<name>": {... — read without a JSON parser, which costs more than all else.
    names = manifest.partition('"files": {\n')[2].partition("\n }")[0].split("\n")
    for line in names:
        if line.startswith('  "') and line.endswith('": {'):
            name = line[3:-4]
            _add_file(digest, os.path.join(folder, name), name)
    return str(digest.hexdigest())


def _add_file(digest: blake2b, path: str, name: str) -> None:
    digest.update(name.encode() + b"\0")
    try:
        with open(path, "rb", buffering=0) as stream:
            data = stream.read()
    except OSError:
        data = b"absent"
    digest.update(str(len(data)).encode() + b"\0" + data)


def _add_folder(digest: blake2b, path: str, name: str) -> None:
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name == "__pycache__" or entry.name.startswith(".") or entry.name.endswith(_SKIPPED):
            continue
        if entry.is_dir():
            _add_folder(digest, entry.path, f"{name}/{entry.name}")
        else:
            _add_file(digest, entry.path, f"{name}/{entry.name}")


def installed_versions() -> list[str]:
    """The names of the installed distributions that decide what is built, versions included."""
    found = []
    for folder in sys.path:
        if folder.endswith("site-packages"):
            try:
                names = os.listdir(folder)
            except OSError:
                continue
            found += [n for n in names if n.endswith(".dist-info") and n.lower().startswith(_DISTRIBUTIONS)]
    return sorted(found)


def user_schema_folder(environment: Mapping[str, str], platform: str) -> str:
    """Where cfn-lint keeps schemas that it downloaded (`cfnlint.helpers.get_cache_dir`)."""
    home = environment.get("HOME", "/")
    base = f"{home}/Library/Caches" if platform == "darwin" else environment.get("XDG_CACHE_HOME") or f"{home}/.cache"
    return f"{base}/aws/cfn-lint/schemas"


def user_schema_date() -> str:
    """The date of the user's schemas, which cfn-lint prefers, when newer, to its own; its own go with its version."""
    try:
        with open(f"{user_schema_folder(os.environ, sys.platform)}/version.json", encoding="utf-8") as stream:
            return stream.read()
    except OSError:
        return "none"
