"""Sequences: replication does not move them, so that the target's must be set before it takes writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from validator.connection import Session
from validator.naming import quote
from validator.sides import Sides

_SEQUENCES = """
SELECT n.nspname::text, c.relname::text, q.seqincrement
FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[]))
ORDER BY 1, 2
"""


def compare_sequences(sides: Sides, schemas: Sequence[str]) -> list[dict[str, Any]]:
    """Every sequence of either side: PASS where the target's next value collides with none that the source gave out.

    A sequence that only the target has is no fault; one that it lacks is. Raises `QueryError` for one that may not be
    read.
    """
    with sides.snapshots():
        source, target = sides.both(lambda session: _read(session, schemas))
    return [
        {
            "schema": name[0],
            "name": name[1],
            "source": _last(source.get(name)),
            "target": _last(target.get(name)),
            "verdict": "PASS" if _reached(source.get(name), target.get(name)) else "FAIL",
        }
        for name in sorted(source.keys() | target.keys())
    ]


_State = tuple[int, int | None]  # increment, last value given out


def _read(session: Session, schemas: Sequence[str]) -> dict[tuple[str, str], _State]:
    found = {}
    for schema, name, increment in session.query(_SEQUENCES, schemas=list(schemas)):
        last = session.query(f"SELECT CASE WHEN is_called THEN last_value END FROM {quote(schema)}.{quote(name)}")
        found[schema, name] = increment, last[0][0]
    return found


def _last(state: _State | None) -> int | None:
    return state[1] if state else None


def _reached(source: _State | None, target: _State | None) -> bool:
    if source is None or source[1] is None:
        return True
    if target is None or target[1] is None:
        return False
    return target[1] >= source[1] if source[0] > 0 else target[1] <= source[1]
