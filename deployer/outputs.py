"""Outputs: everything that the tree gives away, in one flat table and one file."""

from __future__ import annotations

import errno
import json
import re
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from deployer.aws import READERS, Aws, in_parallel
from deployer.files import replace_text
from deployer.stacks import StackState, describe_stack
from settings.errors import OutputError

FLAT_OUTPUTS = "flat-outputs.json"
FORMATS = ("json", "env", "yaml", "github")

# What CloudFormation shows of a NoEcho value: no value at all (cfn-config#177 wrote it back as one).
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
_MASKED = "****"
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NO_NAME = re.compile(r"[^A-Za-z0-9_]")
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")  # YAML demands an escape, JSON none


def read_outputs(
    aws: Aws, root: StackState, nested: Mapping[str, str], tell: Callable[[str], None] = lambda _: None
) -> dict[str, str]:
    """Every output of the tree, flat: the root's as `VPCId`, a nested stack's as `Network.PrivateSubnet1Id`.

    `nested` holds stack ids by logical id; they are described at the same time. Masked values are left out, and
    `tell` is given one sentence on each.
    """

    def of_stack(item: tuple[str, str]) -> dict[str, str]:
        logical_id, stack_id = item
        state = describe_stack(aws, stack_id)
        return {} if state is None else {f"{logical_id}.{key}": value for key, value in state.outputs.items()}

    flat = dict(root.outputs)
    for outputs in in_parallel(of_stack, sorted(nested.items()), READERS):
        flat |= outputs
    for key in sorted(flat):
        if flat[key] == _MASKED:
            del flat[key]
            tell(f"output {key} is left out: its value comes from a NoEcho parameter, and AWS does not show it")
    return flat


def write_outputs(path: Path, flat: Mapping[str, str]) -> None:
    """Write the table as sorted JSON, all at once.

    A reader sees the old file or the new one; whatever goes wrong, a full disk say, leaves the old one as it was.
    """
    try:
        replace_text(path, format_outputs(flat, "json"))
    except OSError as error:
        hint = {
            errno.ENOSPC: "free some disk space, then: python deploy.py outputs",
            errno.EDQUOT: "free some of your disk quota, then: python deploy.py outputs",
            errno.ENOENT: "build it first: the folder is written by build.py",
            errno.EACCES: "make the folder writable, then: python deploy.py outputs",
        }.get(error.errno or 0, "mend it, then: python deploy.py outputs")
        raise OutputError(
            f"{path}: {error.strerror or error}; what is there, if anything, is that of an earlier deployment",
            hint=hint,
        ) from error


def format_outputs(flat: Mapping[str, str], form: str) -> str:
    """The table as text that ends with a newline (an empty table of lines has none).

    `json`: one object, sorted. `yaml`: the same as a YAML mapping. `env`: lines `NAME='value'` that a POSIX shell
    reads, `Network.PrivateSubnet1Id` as `NETWORK_PRIVATE_SUBNET1_ID`. `github`: what $GITHUB_OUTPUT takes, with
    `Network_PrivateSubnet1Id`. Where two outputs come to the same name, the one whose key sorts first keeps it (the
    root's before those of nested stacks), the next gets `_2`, then `_3`.
    """
    if form == "env":
        names = _distinct(flat, lambda key: _WORDS.sub("_", key).upper())
        return "".join(f"{names[key]}={_quoted(flat[key])}\n" for key in names)
    if form == "github":
        names = _distinct(flat, lambda key: key)
        return "".join(_github(names[key], flat[key]) for key in names)
    if form == "yaml":
        return "".join(f"{_yaml(key)}: {_yaml(flat[key])}\n" for key in sorted(flat)) or "{}\n"
    return json.dumps(dict(flat), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _distinct(flat: Mapping[str, str], name_of: Callable[[str], str]) -> dict[str, str]:
    names: dict[str, str] = {}
    taken: set[str] = set()
    for key in sorted(flat, key=lambda key: ("." in key, key)):
        plain = _NO_NAME.sub("_", name_of(key))
        name = wanted = f"_{plain}" if plain[:1].isdigit() else plain
        number = 1
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        taken.add(name)
        names[key] = name
    return {key: names[key] for key in sorted(names)}


def _quoted(value: str) -> str:
    escaped = value.replace("'", "'\\''")
    return f"'{escaped}'"


def _github(name: str, value: str) -> str:
    """One output of a step.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions#multiline-strings
    """
    if "\n" not in value and "\r" not in value:
        return f"{name}={value}\n"
    delimiter = f"end_{secrets.token_hex(16)}"  # random, so that no value can close it and set outputs of its own
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _yaml(text: str) -> str:
    """A double-quoted scalar: JSON's, but for signs that YAML demands to be escaped."""
    return _UNPRINTABLE.sub(lambda sign: f"\\u{ord(sign[0]):04x}", json.dumps(text, ensure_ascii=False))
