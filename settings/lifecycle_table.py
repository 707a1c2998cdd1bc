"""`params/lifecycle.yaml` → Table: the dated facts that `settings.lifecycle` judges by.

The file is read from its YAML nodes, not from constructed values: every problem then has a line, a version that lost
its quotes (17.10 is the number 17.1) and a line that stands twice are seen, and it is twice as fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from settings.errors import ParamsError

TABLE_FILE = "lifecycle.yaml"
# Product of the table → the key in params that chooses its version.
PRODUCTS = {
    "aurora-postgresql": "database.engine_version",
    "dms": "migration.engine_version",
    "lambda": "validation.runtime",
    "fargate": "service.platform_version",
    "rds-ca": "database.ca_certificate",
    "elb-tls": "load_balancer.ssl_policy",
}
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C loader is ten times as fast


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a version (or, under `majors`, of all its minors); every date is the last good day."""

    ends: date | None = None
    no_new_after: date | None = None
    extended_until: date | None = None
    gone: bool = False
    refused: str = ""
    note: str = ""


FIELDS = tuple(field.name for field in fields(Entry))
_DATES = frozenset({"ends", "no_new_after", "extended_until"})


@dataclass(frozen=True, slots=True)
class Product:
    """All versions of one product; those of the file's `gone` block are entries that are gone and nothing else."""

    name: str
    source: str
    gone_source: str
    checked_on: date
    move_to: tuple[str, ...]
    majors: Mapping[str, Entry]
    versions: Mapping[str, Entry]

    def major_of(self, version: str) -> str:
        """The major whose dates `version` inherits; empty where the table has none."""
        return next((major for major in self.majors if version == major or version.startswith(f"{major}.")), "")


@dataclass(frozen=True, slots=True)
class Table:
    """The whole file; `file` is how messages name it."""

    file: str
    products: Mapping[str, Product]


def load_table(params: Path) -> Table:
    """Read `lifecycle.yaml` in the folder `params`; raises `ParamsError` with every problem found."""
    path = params / TABLE_FILE
    label = f"{params.name}/{TABLE_FILE}"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ParamsError(f"{label}: cannot be read: {reason}", hint="restore it from version control") from None
    return parse_table(text, label)


def parse_table(text: str, file: str) -> Table:
    """Read and validate a table's text."""
    loader = LOADER(text)
    try:
        root = loader.get_single_node()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise ParamsError(
            f"{file}{line}: is not YAML: {getattr(error, 'problem', None) or error}",
            hint="compare the line with its neighbours",
        ) from None
    finally:
        loader.dispose()
    reader = _Reader(file)
    products = reader.table(root)
    if reader.problems:
        raise ParamsError(reader.problems, hint="the comment at the top of the file says what an entry may hold")
    return Table(file, products)


class _Reader:
    """Nodes → values, collecting problems as "file:line: entry: what is wrong"."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.problems: list[str] = []

    def table(self, root: Any) -> dict[str, Product]:
        if root is None:
            self.problems.append(f"{self._file}: is empty")
            return {}
        found = self._mapping(root, "the file")
        products = {}
        for name, node in found.items():
            if name in PRODUCTS:
                products[name] = self._product(name, node)
            else:
                self._problem(node, name, f"unknown product; known are {', '.join(PRODUCTS)}")
        self.problems += [f"{self._file}: {name}: is missing" for name in PRODUCTS if name not in found]
        return products

    def _product(self, name: str, node: Any) -> Product:
        found = self._mapping(
            node, name, ("source", "gone_source", "checked_on", "move_to", "majors", "versions", "gone")
        )
        for required in ("source", "checked_on", "move_to", "versions"):
            if required not in found:
                self._problem(node, name, f"{required} is missing")
        source = self._url(found.get("source"), f"{name}.source")
        versions = self._entries(found.get("versions"), f"{name}.versions")
        for version, where in self._gone(found.get("gone"), f"{name}.gone"):
            if version in versions:
                self._problem(where, f"{name}.gone", f"{version} stands twice")
            versions[version] = Entry(gone=True)
        return Product(
            name=name,
            source=source,
            gone_source=self._url(found["gone_source"], f"{name}.gone_source") if "gone_source" in found else source,
            checked_on=self._date(found.get("checked_on"), f"{name}.checked_on") or date.min,
            move_to=self._move_to(found.get("move_to"), f"{name}.move_to", versions),
            majors=self._entries(found.get("majors"), f"{name}.majors"),
            versions=versions,
        )

    def _entries(self, node: Any, where: str) -> dict[str, Entry]:
        if node is None:
            return {}
        return {key: self._entry(value, f"{where}.{key}") for key, value in self._mapping(node, where).items()}

    def _entry(self, node: Any, where: str) -> Entry:
        if isinstance(node, yaml.MappingNode) and not node.flow_style:
            self._problem(node, where, "write it on one line, in braces: {ends: 2030-02-28}")
            return Entry()
        values: dict[str, Any] = {}
        for name, value in self._mapping(node, where, FIELDS).items():
            if name in _DATES:
                values[name] = self._date(value, f"{where}.{name}")
            elif name == "gone":
                values[name] = self._true(value, f"{where}.{name}")
            else:
                values[name] = self._text(value, f"{where}.{name}")
        return Entry(**values)

    def _gone(self, node: Any, where: str) -> list[tuple[str, Any]]:
        """The versions of the `gone` block, each with the node to blame it on; the block or a group may be empty."""
        if _is_null(node):
            return []
        found = []
        for major, words in self._mapping(node, where).items():
            if _is_null(words):
                continue
            seen: set[str] = set()
            for version in self._text(words, f"{where}.{major}").split():
                if version != major and not version.startswith(f"{major}."):
                    self._problem(words, f"{where}.{major}", f"{version} is no version of {major}")
                if version in seen:
                    self._problem(words, f"{where}.{major}", f"{version} stands twice")
                seen.add(version)
                found.append((version, words))
        return found

    def _move_to(self, node: Any, where: str, versions: Mapping[str, Entry]) -> tuple[str, ...]:
        if node is None:
            return ()
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self._problem(node, where, "must be a list of versions")
            return ()
        chosen = tuple(self._text(item, where) for item in node.value)
        for version, item in zip(chosen, node.value, strict=True):
            if version and (version not in versions or versions[version].gone or versions[version].refused):
                self._problem(item, where, f"{version} is no version to move to: unknown, gone or refused")
        return chosen

    def _mapping(self, node: Any, where: str, allowed: tuple[str, ...] = ()) -> dict[str, Any]:
        if not isinstance(node, yaml.MappingNode):
            self._problem(node, where, "must be a mapping of names to values")
            return {}
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = self._text(key, where)
            if name in found:
                self._problem(key, where, f"{name} stands twice")
            elif allowed and name not in allowed:
                self._problem(key, where, f"unknown key {name}; allowed are {', '.join(allowed)}")
            elif name:
                found[name] = value
        return found

    def _text(self, node: Any, where: str) -> str:
        if isinstance(node, yaml.ScalarNode) and node.tag.endswith(":str") and node.value:
            return str(node.value)
        if isinstance(node, yaml.ScalarNode) and node.value:
            self._problem(node, where, f"{node.value} is not text: put it in quotes")
        else:
            self._problem(node, where, "must be text")
        return ""

    def _date(self, node: Any, where: str) -> date | None:
        if node is None:
            return None
        try:
            return date.fromisoformat(node.value)
        except (TypeError, ValueError):
            self._problem(node, where, "must be a date like 2030-02-28")
            return None

    def _true(self, node: Any, where: str) -> bool:
        if not (isinstance(node, yaml.ScalarNode) and node.value == "true"):
            self._problem(node, where, "must be true, or left out")
        return True

    def _url(self, node: Any, where: str) -> str:
        text = "" if node is None else self._text(node, where)
        if text and not text.startswith("https://"):
            self._problem(node, where, "must be an https:// address")
        return text

    def _problem(self, node: Any, where: str, what: str) -> None:
        self.problems.append(f"{self._file}:{node.start_mark.line + 1}: {where}: {what}")


def _is_null(node: Any) -> bool:
    return node is None or (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null"))
