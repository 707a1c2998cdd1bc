"""Two definitions of a table → one comparison: columns joined by name, the key, the hash that both servers share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from validator.canonical import TypeFacts, forms_of_pair
from validator.catalog import Column, Definition, Table
from validator.connection import Session
from validator.expression import PROBE, RowSql, Term
from validator.model import HashName, Strategy
from validator.naming import quote
from validator.scan import Reader
from validator.sides import Sides

HashChoice = Literal["auto", "fast", "md5"]
_FAST_VERSION = 110000
# Values of these can be found again by their canonical text; by that of others, bytea but for, they cannot.
_KEY_FAMILIES = (
    *("number", "uuid", "text", "character", "bytea", "bool", "date", "time", "timetz", "timestamp", "timestamptz"),
    *("inet", "cidr", "macaddr", "macaddr8"),
)


@dataclass(frozen=True, slots=True)
class Matched:
    """How one table is compared: `terms` by side in the source's order, and what is already known to differ."""

    table: Table
    source: Definition
    target: Definition
    terms: tuple[tuple[Term, ...], tuple[Term, ...]]
    key: tuple[str, ...]
    hash: HashName
    faults: tuple[str, ...]
    unjudged: tuple[str, ...]
    notes: tuple[str, ...]
    small_keys: bool = False

    def readers(self, sessions: tuple[Session, Session], strategy: Strategy, seed: int) -> tuple[Reader, Reader]:
        """What reads the rows of each side; hashes of both are seeded alike."""
        source, target = (
            Reader(session, _relation(self.table, definition), self.rows(terms, session.encoding, seed), strategy)
            for session, definition, terms in zip(sessions, (self.source, self.target), self.terms, strict=True)
        )
        return source, target

    def rows(self, terms: tuple[Term, ...], encoding: str, seed: int) -> RowSql:
        """SQL about the rows of the side that `terms` are of."""
        key = tuple(term for name in self.key for term in terms if term.column == name)
        return RowSql(terms, key, self.hash, encoding, seed, self.small_keys)

    @property
    def leading_integer(self) -> bool:
        """Whether a range of the leading key column can be asked for."""
        return bool(self.key) and all(
            term.integer for terms in self.terms for term in terms if term.column == self.key[0]
        )

    def about(self) -> dict[str, Any]:
        """What a report says of the table's columns."""
        return {
            "key": list(self.key),
            "hash": self.hash,
            "partitioned": self.target.partitioned,
            "types": {column.name: column.type.base for column in self.target.columns},
            "generated": [column.name for column in self.target.columns if column.generated],
            "identity": [column.name for column in self.target.columns if column.identity],
        }


def choose_hash(sides: Sides, choice: HashChoice) -> HashName:
    """The hash that both servers compute alike: `fast` where it can be, unless `choice` says md5."""
    if choice == "md5" or any(
        session.version < _FAST_VERSION or session.encoding != "UTF8" for session in sides.sessions()
    ):
        return "md5"
    source, target = sides.both(lambda session: session.lasting(PROBE))
    return "fast" if source == target else "md5"


def match(table: Table, source: Definition, target: Definition, hashed: HashName) -> Matched:
    """Join the columns by name. Columns that one side lacks are faults, columns of no common form are not judged."""
    left = {column.name: column for column in source.columns}
    right = {column.name: column for column in target.columns}
    faults = [f"column {name} is missing on the target" for name in left if name not in right]
    faults += [f"column {name} is missing on the source" for name in right if name not in left]
    unjudged, notes = [], []
    terms: tuple[list[Term], list[Term]] = [], []
    for name in (name for name in left if name in right):
        columns = left[name], right[name]
        types = _types(columns)
        forms = forms_of_pair(*(column.type for column in columns))
        if forms is None:
            unjudged.append(f"column {name} cannot be compared: {types}")
            continue
        if columns[0].type.declared != columns[1].type.declared:
            notes.append(f"column {name} is {types}")
        nullable = any(column.nullable for column in columns)
        for side, form, column in zip(terms, forms, columns, strict=True):
            side.append(Term(name, form, nullable, _type_name(column.type)))
    if source.key != target.key:
        keys = [f"({', '.join(key)})" if key else "missing" for key in (source.key, target.key)]
        notes.append(f"the key is {keys[0]} on the source, {keys[1]} on the target")
    both = tuple(terms[0]), tuple(terms[1])
    return Matched(
        table, source, target, both, _key(source, target, both), hashed, tuple(faults), tuple(unjudged), tuple(notes)
    )


def _key(source: Definition, target: Definition, terms: tuple[tuple[Term, ...], ...]) -> tuple[str, ...]:
    """The first key of the two that both sides can be looked up by: no NULL in it, and its text leads back to it."""
    usable = [
        {term.column for term in side if not term.nullable and term.form.family.split("(")[0] in _KEY_FAMILIES}
        for side in terms
    ]
    for key in (source.key, target.key):
        if key and all(set(key) <= names for names in usable):
            return key
    return ()


def _relation(table: Table, definition: Definition) -> str:
    # Tables that inherit are compared by themselves; the rows of a partitioned table all are in its partitions.
    return f"{'' if definition.partitioned else 'ONLY '}{quote(table.schema)}.{quote(table.name)} AS r"


def _types(columns: Sequence[Column]) -> str:
    source, target = (column.type.declared for column in columns)
    return source if source == target else f"{source} on the source, {target} on the target"


def _type_name(facts: TypeFacts) -> str:
    return f"{quote(facts.schema)}.{quote(facts.name)}"
