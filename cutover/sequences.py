"""Sequences: replication does not carry where they stand, so the target's are moved to where the source's are.

"Ahead" is the way a sequence counts: up, or down where its increment is negative. A position is the last value given
out; of a sequence never used it is one step before its start.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cutover.database import Session
from cutover.errors import RefusedError
from cutover.names import dotted, literal, quote

_CHUNK = 200

_LIST = """
SELECT n.nspname::text, c.relname::text, s.seqincrement, s.seqmin, s.seqmax
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[]))
ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Sequence:
    """One sequence and where it stands."""

    schema: str
    name: str
    increment: int
    lowest: int
    highest: int
    position: int

    def __str__(self) -> str:
        return dotted(self.schema, self.name)

    def leads(self, position: int) -> bool:
        """Whether it stands at `position` or ahead of it."""
        return self.position >= position if self.increment > 0 else self.position <= position

    def holds(self, value: int) -> bool:
        """Whether the value is one it could give out."""
        return self.lowest <= value <= self.highest


@dataclass(frozen=True, slots=True)
class Move:
    """One sequence of the target, from where it stands to where it must; `margin` steps of it are to spare."""

    sequence: Sequence
    position: int
    margin: int

    def __str__(self) -> str:
        spare = f", {self.margin:,} steps beyond the source" if self.margin else ""
        return f"{self.sequence}: {self.sequence.position} → {self.position}{spare}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to move, how many stand right already, and what cannot be moved, as sentences."""

    moves: tuple[Move, ...]
    right: int
    obstacles: tuple[str, ...]


def read(session: Session, schemas: Iterable[str]) -> dict[tuple[str, str], Sequence]:
    """Every sequence of the schemas, by schema and name. Raises `QueryError` where one may not be read."""
    listed = session.query(_LIST, schemas=list(schemas))
    found = {}
    for start in range(0, len(listed), _CHUNK):
        chunk = listed[start : start + _CHUNK]
        # Not pg_sequences: it shows NULL for a sequence never used and for one that may not be read alike.
        asked = " UNION ALL ".join(
            f"SELECT {place}, last_value, is_called FROM {quote(row[0])}.{quote(row[1])}"  # noqa: S608 - quoted
            for place, row in enumerate(chunk)
        )
        for place, last_value, is_called in session.query(asked):
            schema, name, increment, lowest, highest = chunk[place]
            position = last_value if is_called else last_value - increment
            found[schema, name] = Sequence(schema, name, increment, lowest, highest, position)
    return found


def compare(source: dict[tuple[str, str], Sequence], target: dict[tuple[str, str], Sequence], margin: int = 0) -> Plan:
    """What brings every sequence of the target to the source's position and `margin` steps beyond; never back."""
    moves, obstacles, right = [], [], 0
    for key, ours in source.items():
        theirs = target.get(key)
        if theirs is None:
            obstacles.append(f"{ours} is missing on the target")
            continue
        if theirs.increment != ours.increment:
            obstacles.append(f"{ours} counts by {ours.increment} on the source, by {theirs.increment} on the target")
            continue
        wanted, spare = ours.position + margin * ours.increment, margin
        if not theirs.holds(wanted):
            wanted, spare = ours.position, 0  # a margin may not be what exhausts it
        if theirs.leads(wanted):
            right += 1
        elif theirs.holds(wanted):
            moves.append(Move(theirs, wanted, spare))
        else:
            obstacles.append(f"{ours} stands at {ours.position}, outside {theirs.lowest} to {theirs.highest} there")
    return Plan(tuple(moves), right, tuple(obstacles))


def apply(target: Session, moves: Iterable[Move]) -> None:
    """Move them. One that moved ahead by itself meanwhile is left where it is."""
    statements = []
    for move in moves:
        name = f"{quote(move.sequence.schema)}.{quote(move.sequence.name)}"
        compared = "<" if move.sequence.increment > 0 else ">"
        step = move.sequence.increment
        # setval() is not undone by a rollback, so there is no transaction around them to pretend it.
        statements.append(
            f"SELECT setval({literal(name)}, {move.position}) FROM {name} WHERE "  # noqa: S608 - quoted
            f"last_value - (CASE WHEN is_called THEN 0 ELSE {step} END)::numeric {compared} {move.position}"
        )
    for start in range(0, len(statements), _CHUNK):
        target.query(";".join(statements[start : start + _CHUNK]))


def advance(source: Session, target: Session, schemas: Iterable[str], margin: int = 0) -> Plan:
    """Bring the target's sequences to the source's, and look again; the plan is what was done.

    Raises `RefusedError` before anything is moved when one of them cannot be.
    """
    schemas = list(schemas)
    ours = read(source, schemas)
    plan = compare(ours, read(target, schemas), margin)
    if plan.obstacles:
        raise RefusedError("sequences cannot be moved: " + "; ".join(plan.obstacles), hint="nothing was moved")
    apply(target, plan.moves)
    if left := compare(ours, read(target, schemas)).moves:
        raise RefusedError("sequences did not move: " + "; ".join(map(str, left)), hint="may the user set them?")
    return plan
