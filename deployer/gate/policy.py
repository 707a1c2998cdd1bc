"""A policy file: what an environment never allows, whoever acknowledges it.

    never:
      - rule: delete
        resources: ["database.*", encryption.DataKey]
        reason: the only copy of every payment

Rules are those of the gate; resources are addresses, `*` stands for any text. Anything else in the file is an error: a
policy that is misread protects nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from deployer.gate.rules import RULES
from settings.errors import UserError, did_you_mean
from settings.problems import Place, Problem, quote

_KEYS = ("rule", "resources", "reason")


class PolicyError(UserError):
    """A policy file is wrong; `problems` holds every error found, each with its line."""

    code = "D013"
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Never:
    """One entry: `place` is its file and line."""

    rule: str
    resources: tuple[str, ...]
    reason: str
    place: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What is never allowed. `digest` is the file's sha256, "" where there is none."""

    never: tuple[Never, ...] = ()
    digest: str = ""

    def forbids(self, rule: str, address: str) -> str | None:
        """Why a rule cannot be acknowledged for a resource, with the line that says so; None where it can."""
        for entry in self.never:
            if entry.rule == rule and any(fnmatchcase(address, pattern) for pattern in entry.resources):
                return f"never here, see {entry.place}; {entry.reason}"
        return None


def load_policy(path: Path | None) -> Policy:
    """The policy in a file; without a file, everything can be acknowledged. Raises PolicyError with every problem."""
    if path is None:
        return Policy()
    source = f"{path.parent.name}/{path.name}"
    try:
        data = path.read_bytes()
        node = yaml.compose(data.decode("utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise PolicyError(f"{source}: cannot be read: {error.strerror}", hint="restore it from git") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", -1) + 1
        what = " ".join(str(getattr(error, "problem", None) or error).split())
        raise PolicyError(f"{Place(0, source, line)}: not YAML: {what}", hint="mend the line") from error
    reader = _Reader(source)
    entries = tuple(reader.entries(node))
    if reader.problems:
        raise PolicyError([str(problem) for problem in reader.problems], hint="mend the lines named above")
    return Policy(entries, hashlib.sha256(data).hexdigest())


class _Reader:
    """Goes through the file's nodes, and collects entries and problems."""

    def __init__(self, source: str) -> None:
        self.problems: list[Problem] = []
        self._source = source

    def entries(self, root: yaml.Node | None) -> Iterator[Never]:
        top = self._mapping(root, ("never",), "") if root is not None else {}
        for index, node in enumerate(self._list(top.get("never"), "never")):
            key = f"never[{index}]"
            values = self._mapping(node, _KEYS, key)
            missing = [name for name in _KEYS if name not in values]
            if isinstance(node, yaml.MappingNode) and missing:
                self._refuse(node, key, f"{', '.join(missing)} missing", "rule, resources and reason are all wanted")
            rule = self._text(values.get("rule"), f"{key}.rule")
            if rule and rule not in RULES:
                known = did_you_mean(rule, RULES) or f"one of {', '.join(RULES)}"
                self._refuse(values["rule"], f"{key}.rule", quote(rule), known)
            patterns = self._list(values.get("resources"), f"{key}.resources")
            resources = tuple(self._text(pattern, f"{key}.resources") for pattern in patterns)
            for pattern, text in zip(patterns, resources, strict=True):
                if text and "." not in text:
                    self._refuse(
                        pattern, f"{key}.resources", quote(text), "an address is wanted, like database.Cluster"
                    )
            yield Never(rule, resources, self._text(values.get("reason"), f"{key}.reason"), str(self._place(node)))

    def _mapping(self, node: yaml.Node, known: tuple[str, ...], key: str) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self._refuse(node, key, "no mapping", f"a mapping of {', '.join(known)} is wanted")
            return {}
        found: dict[str, yaml.Node] = {}
        for name_node, value in node.value:
            name = str(name_node.value)
            if name not in known:
                self._refuse(name_node, key, f"unknown key {quote(name)}", did_you_mean(name, known) or _known(known))
            elif name in found:
                self._refuse(name_node, key, f"{name} again", "each key stands once")
            else:
                found[name] = value
        return found

    def _list(self, node: yaml.Node | None, key: str) -> list[yaml.Node]:
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self._refuse(node, key, "no list, or an empty one", "a list is wanted")
            return []
        return list(node.value)

    def _text(self, node: yaml.Node | None, key: str) -> str:
        if node is None:
            return ""
        value: Any = node.value
        if not isinstance(node, yaml.ScalarNode) or not str(value).strip():
            self._refuse(node, key, "no text", "a text is wanted")
            return ""
        return str(value)

    def _place(self, node: yaml.Node) -> Place:
        return Place(0, self._source, node.start_mark.line + 1)

    def _refuse(self, node: yaml.Node, key: str, found: str, allowed: str) -> None:
        self.problems.append(Problem(self._place(node), key, found, allowed))


def _known(known: tuple[str, ...]) -> str:
    return f"known here: {', '.join(known)}"
