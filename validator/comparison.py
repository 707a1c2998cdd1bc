"""What is compared of one table: both definitions matched, the table cut into slices; and what was found in them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from validator.catalog import Table, read_definition, read_fingerprint, read_layout
from validator.connection import Session
from validator.details import Mask
from validator.matching import HashChoice, Matched, choose_hash, match
from validator.model import REPORTED, Findings, Slice, Strategy, TableResult
from validator.plan import RANGE_ROWS, Sight, choose, cut
from validator.rows import Candidate
from validator.settle import Patience
from validator.sides import Sides

# More rows than these in flight are not watched one by one: replication is far behind, or broken.
_WATCHED = 100_000
# Prepared tables that are remembered for a later call: some kilobytes each.
_KNOWN_TABLES = 256


def _show(_table: Table) -> Mask:
    return lambda _column, value: value


@dataclass(frozen=True, slots=True)
class Options:
    """How to compare.

    `share` is the greatest part of the time, above 0 up to 1, in which one connection keeps the source busy. `mask`
    gives for a table what hides the values of its card columns; `details` differing rows are described.
    """

    hash: HashChoice = "auto"
    patience: Patience = field(default_factory=Patience)
    share: float = 1.0
    range_rows: int = RANGE_ROWS
    details: int = REPORTED
    mask: Callable[[Table], Mask] = _show


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table ready to be compared. `fingerprints` hold its slices to the definitions that they were planned with.

    All hashes of one comparison have the same `seed`, so that a row can be known again when it is looked at later; and
    no other comparison has it, so that nobody can try values against a hash.
    """

    matched: Matched
    strategy: Strategy
    slices: tuple[Slice, ...]
    fingerprints: tuple[str, str]
    seed: int

    @property
    def table(self) -> Table:
        """The table's name."""
        return self.matched.table

    def about(self) -> dict[str, Any]:
        """What a report says of how the table was compared."""
        return {**self.matched.about(), "strategy": self.strategy, "slices": len(self.slices)}


@dataclass(slots=True)
class Progress:
    """What was found so far in slices of one table, and the rows that are to be looked at again."""

    findings: Findings = field(default_factory=Findings)
    waiting: list[Candidate] = field(default_factory=list)
    unwatched: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, other: Progress) -> None:
        """Take in what was found in other slices."""
        self.findings.add(other.findings)
        room = _WATCHED - len(self.waiting)
        self.waiting.extend(other.waiting[:room])
        self.unwatched += other.unwatched + len(other.waiting[room:])
        self.notes.extend(other.notes)


def prepare(sides: Sides, table: Table, options: Options) -> Comparison | TableResult:
    """Read and match both definitions and cut the table; a table that is not on both sides is a result already."""
    with sides.snapshots():
        source, target = sides.both(lambda session: read_definition(session, table))
        if isinstance(source, str) or isinstance(target, str):
            found = {"source": source, "target": target}
            absences = [f"{is_what} on the {side}" for side, is_what in found.items() if isinstance(is_what, str)]
            return TableResult(table, "FAIL", reason=f"the table is {' and '.join(absences)}")
        matched = match(table, source, target, choose_hash(sides, options.hash))
        fingerprints = sides.both(lambda session: read_fingerprint(session, table))
        sights = sides.both(lambda session: _sight(session, matched))
    matched = replace(matched, small_keys=len(matched.key) == 1 and all(map(_is_small, sights)))
    strategy = choose(matched.key, *sights)
    slices = tuple(cut(strategy, *sights, options.range_rows))
    return Comparison(matched, strategy, slices, fingerprints, secrets.randbits(62))


def prepare_again(sides: Sides, table: Table, options: Options) -> Comparison | TableResult:
    """As `prepare`; what these sessions have prepared before will do while its fingerprints stay as they are.

    Not for what may be read in full: the slices are as old as the estimates that they were made by.
    """
    asked = table, options.hash, options.range_rows
    known = sides.known.get(asked)
    if known is not None and known.fingerprints == sides.both(lambda session: read_fingerprint(session, table)):
        again: Comparison = replace(known, seed=secrets.randbits(62))
        return again
    prepared = prepare(sides, table, options)
    if isinstance(prepared, Comparison) and len(sides.known) < _KNOWN_TABLES:
        sides.known[asked] = prepared
    return prepared


def _is_small(sight: Sight) -> bool:
    layout = sight.layout
    if layout is None or layout.lowest is None or layout.highest is None:
        return False
    return layout.lowest >= -(2**31) and layout.highest < 2**31


def _sight(session: Session, matched: Matched) -> Sight:
    definition = matched.source if session.endpoint.side == "source" else matched.target
    layout = read_layout(session, matched.table, definition, matched.key[0]) if matched.leading_integer else None
    return Sight(definition.rows, definition.leaves, layout)
