"""The contents of a dump, entry by entry: which go before the load, which after, which not at all.

pg_dump's own sections put primary keys after the data. Replication cannot do without them: an update finds its row on
the target by its key. So they come before the load, and nothing else of that section does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cutover.database import Session

# "3456; 2606 16390 CONSTRAINT public payments payments_pkey owner": dump id; catalogue, oid, kind, schema, tag, owner
# https://www.postgresql.org/docs/current/app-pgrestore.html
_ENTRY = re.compile(r"([0-9]+); ([0-9]+) ([0-9]+) (.+)")
_KINDS = (
    *("CONSTRAINT", "CHECK CONSTRAINT", "FK CONSTRAINT", "INDEX ATTACH", "INDEX", "EVENT TRIGGER", "TRIGGER", "RULE"),
    *(
        "TABLE ATTACH",
        "TABLE",
        "SEQUENCE OWNED BY",
        "SEQUENCE",
        "VIEW",
        "MATERIALIZED VIEW",
        "TYPE",
        "DOMAIN",
        "SCHEMA",
    ),
    *("FUNCTION", "PROCEDURE", "AGGREGATE", "OPERATOR CLASS", "OPERATOR FAMILY", "OPERATOR", "CAST", "COLLATION"),
    *(
        "EXTENSION",
        "COMMENT",
        "DEFAULT",
        "FOREIGN TABLE",
        "FOREIGN DATA WRAPPER",
        "SERVER",
        "USER MAPPING",
        "STATISTICS",
    ),
    *("ROW SECURITY", "POLICY", "PROCEDURAL LANGUAGE", "TEXT SEARCH", "ENCODING", "STDSTRINGS", "SEARCHPATH"),
)

# What a replicated row is found by: the primary key, the index of the replica identity, and in a table with neither
# its unique indexes. Indexes of partitioned tables come with those of their partitions.
_KEYS = """
SELECT i.indexrelid::bigint, coalesce(k.oid::bigint, 0), n.nspname::text, c.relname::text
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
WHERE i.indisprimary OR i.indisreplident OR i.indisunique AND i.indpred IS NULL AND NOT EXISTS (
    SELECT FROM pg_index o WHERE o.indrelid = i.indrelid AND (o.indisprimary OR o.indisreplident))
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a listing, as pg_restore takes it back."""

    line: str
    oid: int
    kind: str
    rest: str

    def __str__(self) -> str:
        return f"{self.kind} {self.rest}"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of the source that must be there before the load, by oid, and by name for what has no oid."""

    oids: frozenset[int]
    names: frozenset[str]


def read_keys(source: Session) -> Keys:
    """Of all tables: what is not dumped matches nothing."""
    rows = source.query(_KEYS)
    return Keys(
        frozenset(oid for row in rows for oid in row[:2] if oid), frozenset(f"{row[2]} {row[3]} " for row in rows)
    )


def parse(listing: str) -> list[Entry]:
    """The entries of `pg_restore --list`; its comments start with a semicolon."""
    return [_entry(line, match) for line in listing.splitlines() if (match := _ENTRY.fullmatch(line))]


def _entry(line: str, match: re.Match[str]) -> Entry:
    words = match[4]
    kind = max((kind for kind in _KINDS if words.startswith(f"{kind} ")), key=len, default=words.split(" ")[0])
    return Entry(line, int(match[3]), kind, words.removeprefix(f"{kind} "))


def choose(
    section: str, before: Sequence[Entry], after: Sequence[Entry], keys: Keys, without_extensions: Iterable[str]
) -> list[Entry]:
    """The entries of a section, in the dump's order; `before` and `after` are pg_dump's own pre-data and post-data."""
    early = [entry for entry in after if _is_key(entry, keys)]
    chosen = [*before, *early] if section == "pre-data" else [entry for entry in after if entry not in early]
    without = set(without_extensions)
    return [entry for entry in chosen if not _left_out(entry, without)]


def count(entries: Iterable[Entry]) -> str:
    """For people: "3 table, 2 sequence"."""
    counted = Counter(entry.kind.lower() for entry in entries)
    return ", ".join(f"{number} {kind}" for kind, number in sorted(counted.items())) or "nothing"


def _is_key(entry: Entry, keys: Keys) -> bool:
    if entry.kind in ("CONSTRAINT", "INDEX"):
        return entry.oid in keys.oids
    return entry.kind == "INDEX ATTACH" and any(entry.rest.startswith(name) for name in keys.names)


def _left_out(entry: Entry, without_extensions: set[str]) -> bool:
    """What must not be made on the target.

    It has a schema public of its own, comments of extensions are their owner's to make, user mappings hold passwords,
    and DMS makes its event trigger itself.
    """
    words = entry.rest.split(" ")
    if entry.kind == "EXTENSION":
        return words[1] in without_extensions
    if entry.kind == "COMMENT":
        return words[1] == "EXTENSION" or entry.rest.startswith("- SCHEMA public ")
    if entry.kind == "EVENT TRIGGER":
        return words[1].startswith("awsdms")
    return entry.kind == "USER MAPPING" or (entry.kind == "SCHEMA" and words[1] == "public")
