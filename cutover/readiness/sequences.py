"""Sequences that run out, belong to nobody or start over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cutover import sequences
from cutover.database import Session
from cutover.names import dotted
from cutover.readiness.findings import Finding

_BLOCKING, _WARNING = 0.95, 0.75

# A sequence can count further than the column that it feeds: int4 under a bigint sequence.
_OWNERS = """
SELECT n.nspname::text, c.relname::text, s.seqcycle,
    (SELECT min(CASE a.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647
            ELSE 9223372036854775807 END)
        FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
            AND d.deptype IN ('a', 'i'))::bigint
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[]))
"""


def check(session: Session, schemas: Sequence[str]) -> Iterator[Finding]:
    """All of it."""
    facts = {(row[0], row[1]): row[2:] for row in session.query(_OWNERS, schemas=list(schemas))}
    for key, sequence in sequences.read(session, schemas).items():
        cycles, column_limit = facts[key]
        used = _used(sequence, column_limit)
        if used >= _WARNING:
            yield Finding(
                "blocker" if used >= _BLOCKING else "warning",
                "sequence-exhaustion",
                str(sequence),
                f"{used:.0%} of its values (or of its column's) are used up; the switch skips some more",
                "make column and sequence bigint (ALTER TABLE … TYPE bigint; ALTER SEQUENCE … AS bigint)",
            )
        if cycles:
            yield Finding(
                "warning",
                "sequence-cycles",
                str(sequence),
                "it starts over: no position of it is ahead of another",
                "ALTER SEQUENCE … NO CYCLE, or see that no key comes from it",
            )
        if column_limit is None:
            yield Finding(
                "note",
                "sequence-unowned",
                dotted(*key),
                "no column owns it: its table can be restored without it",
                "python -m cutover sequences moves it like all others; ALTER SEQUENCE … OWNED BY its column",
            )


def _used(sequence: sequences.Sequence, column_limit: int | None) -> float:
    """Between 0 and 1: how much of the way is behind it."""
    if sequence.increment > 0:
        last = min(sequence.highest, column_limit or sequence.highest)
        return (sequence.position - sequence.lowest + 1) / (last - sequence.lowest + 1)
    return (sequence.highest - sequence.position + 1) / (sequence.highest - sequence.lowest + 1)
