"""Random tables, rows and defects, against a comparison that is slow and plainly right: everything fetched and compared."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pg8000.native
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.integration.validator.conftest import Pair, schemas, told
from validator import plan, rows
from validator.comparison import Options
from validator.settle import Patience
from validator.sides import Sides

EXAMPLES = int(os.environ.get("VALIDATOR_EXAMPLES", "40"))
Row = tuple[str | None, ...]

_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4)
_short = st.text("ab |,'\\", max_size=3)
_numbers = st.one_of(st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1)).map(str)
VALUES: dict[str, st.SearchStrategy[str]] = {
    "bigint": _numbers,
    "integer": st.one_of(st.integers(-9, 9), st.integers(-(2**31), 2**31 - 1)).map(str),
    "numeric": st.sampled_from(["0", "1", "1.0", "1.00", "-1", "1e30", "-1e-30", "NaN", "0.1"]),
    "numeric(6,2)": st.decimals(-9999, 9999, places=2).map(str),
    "text": st.one_of(_texts, _short, st.sampled_from(["", "NULL", "null", "<null>", "é", "e\u0301", "\\x00", "a\nb"])),
    "varchar(9)": _texts,
    "char(3)": st.one_of(_short, st.sampled_from(["", "a", "|"])),
    "boolean": st.sampled_from(["true", "false"]),
    "uuid": st.uuids().map(str),
    "date": st.one_of(st.dates().map(str), st.sampled_from(["infinity", "0044-03-15 BC"])),
    "timestamptz": st.one_of(st.datetimes().map(lambda at: f"{at.isoformat()}+00"), st.just("infinity")),
    "interval": st.sampled_from(["1 month", "30 days", "1 day", "24:00", "-1 month"]),
    "double precision": st.one_of(st.floats(allow_subnormal=True).map(repr), st.sampled_from(["0", "-0", "13", "13.00000000000001"])),
    "jsonb": st.sampled_from(["1", "1.0", "-1", '{"a": 1}', '{"a": -1}', "[]", "[[]]", "null", '"|"', '{"a": null}', "{}"]),
    "json": st.sampled_from(['{"a":1}', '{"a": 1}', "[]"]),
    "bytea": st.binary(max_size=3).map(lambda value: "\\x" + value.hex()),
    "text[]": st.sampled_from(["{}", "{NULL}", '{"NULL"}', "{a,b}", '{"a,b"}', "[0:0]={a}", "{a|b}"]),
    "inet": st.sampled_from(["10.0.0.1", "10.0.0.1/24", "::1"]),
    "mood": st.sampled_from(["happy", "so|so", "sad"]),
}  # fmt: skip
# Of these, values that differ in text differ in SQL: none breaks a unique index.
KEYS: dict[str, st.SearchStrategy[str]] = {
    **{kind: VALUES[kind] for kind in ("bigint", "integer", "numeric(6,2)", "text", "boolean", "uuid", "date", "bytea", "inet", "mood")},
    "char(3)": st.text("ab|,'", max_size=3),
    "numeric": st.sampled_from(["0", "1.50", "-1", "NaN", "0.25", "1e3"]).map(str),
    "interval": st.sampled_from(["1 month", "1 day", "2 days", "1 hour"]),
    "timestamptz": VALUES["timestamptz"],
}  # fmt: skip
# No text of theirs leads back to the row: rows are compared as if they had no key.
UNUSABLE = {"interval"}


@dataclass(frozen=True)
class Sample:
    """A table as both sides have it: kinds of its columns (the first `width` are the key), who may be NULL, rows."""

    kinds: tuple[str, ...]
    width: int
    nullable: tuple[bool, ...]
    source: tuple[Row, ...]
    target: tuple[Row, ...]
    partitions: int
    reversed: bool
    analyzed: tuple[bool, bool]


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    width = draw(st.sampled_from([0, 1, 1, 1, 2, 3]))
    kinds = (
        *draw(st.lists(st.sampled_from(list(KEYS)), min_size=width, max_size=width)),
        *draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=4)),
    )
    nullable = (*(False for _ in range(width)), *(draw(st.booleans()) for _ in kinds[width:]))
    cells = [
        KEYS[kind] if place < width else st.one_of(st.none(), VALUES[kind]) if may else VALUES[kind]
        for place, (kind, may) in enumerate(zip(kinds, nullable, strict=True))
    ]

    def unique(row: Row) -> Row:
        return tuple("" if value is None else value.lower() for value in row[:width])

    many = st.lists(st.tuples(*cells), max_size=30, unique_by=unique if width else None)
    if not width:
        # Few rows, again and again.
        few = draw(st.lists(st.tuples(*cells), min_size=1, max_size=3))
        many = st.lists(st.sampled_from(few), max_size=30)
    source = draw(many)
    target: list[Row] = []
    for row in source:
        fate = draw(st.sampled_from(["keep"] * 6 + ["drop", "change", "change"]))
        if fate == "change":
            place = draw(st.integers(width, len(kinds) - 1))
            row = (*row[:place], draw(cells[place]), *row[place + 1 :])  # noqa: PLW2901 - the row as it has become
        if fate != "drop":
            target.append(row)
    if draw(st.booleans()) and len(target) > 1 and len(kinds) > width:
        # Two rows exchange a value.
        place = draw(st.integers(width, len(kinds) - 1))
        first, second = target[0], target[-1]
        target[0] = (*first[:place], second[place], *first[place + 1 :])
        target[-1] = (*second[:place], first[place], *second[place + 1 :])
    taken = {unique(row) for row in source}
    target += [
        row
        for row in draw(st.lists(st.tuples(*cells), max_size=2, unique_by=unique))
        if not width or unique(row) not in taken
    ]
    return Sample(
        kinds, width, nullable, tuple(source), tuple(draw(st.permutations(target))),
        draw(st.sampled_from([0, 0, 1, 3])) if width else 0, draw(st.booleans()), draw(st.tuples(st.booleans(), st.booleans())),
    )  # fmt: skip


def _create(sample: Sample, *, target: bool) -> str:
    columns = [
        f"c{place} {kind}{'' if may else ' NOT NULL'}"
        for place, (kind, may) in enumerate(zip(sample.kinds, sample.nullable, strict=True))
    ]
    if target and sample.reversed:
        columns = [*reversed(columns), "gone int"]
    key = ", ".join(f"c{place}" for place in range(sample.width))
    if key:
        columns.append(f"PRIMARY KEY ({key})")
    sql = f"CREATE TABLE t ({', '.join(columns)})"
    if sample.partitions and not target:
        sql += f" PARTITION BY HASH ({key}); " + "; ".join(
            f"CREATE TABLE t{n} PARTITION OF t FOR VALUES WITH (MODULUS {sample.partitions}, REMAINDER {n})"
            for n in range(sample.partitions)
        )
    if target and sample.reversed:
        sql += "; ALTER TABLE t DROP gone"
    held = sample.target if target else sample.source
    if held:
        values = ", ".join("(" + ", ".join(_literal(value) for value in row) + ")" for row in held)
        names = ", ".join(f"c{place}" for place in range(len(sample.kinds)))
        sql += f"; INSERT INTO t ({names}) VALUES {values}"
    return f"DROP TABLE IF EXISTS t; {sql}{'; ANALYZE t' if sample.analyzed[target] else ''}"


def _literal(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def _expected(sample: Sample, source: list[Row], target: list[Row]) -> list[str]:
    """What must be told, by comparing everything."""
    names = [f"c{place}" for place in range(len(sample.kinds))]
    if not sample.width or UNUSABLE & set(sample.kinds[: sample.width]):
        ours, theirs = Counter(source), Counter(target)
        gone, new = (ours - theirs).elements(), (theirs - ours).elements()
        return sorted([f"missing {_told(row)}" for row in gone] + [f"extra {_told(row)}" for row in new])
    keyed = [{row[: sample.width]: row for row in side} for side in (source, target)]
    lines = [f"missing {_told(key)}" for key in keyed[0].keys() - keyed[1].keys()]
    lines += [f"extra {_told(key)}" for key in keyed[1].keys() - keyed[0].keys()]
    for key in keyed[0].keys() & keyed[1].keys():
        pairs = zip(names, keyed[0][key], keyed[1][key], strict=True)
        columns = [name for name, ours, theirs in pairs if ours != theirs]
        if columns:
            lines.append(f"changed {_told(key)}: {', '.join(columns)}")
    return sorted(lines)


def _told(values: Row) -> str:
    return ",".join(str(value) for value in values)


@dataclass(frozen=True)
class Bench:
    """Connections that all examples share: one to write and fetch by on each side, and those of the validator."""

    pair: Pair
    source: pg8000.native.Connection
    target: pg8000.native.Connection
    sides: Sides

    def rows_of(self, sample: Sample) -> list[list[Row]]:
        names = ", ".join(f"c{place}::text" for place in range(len(sample.kinds)))
        return [[tuple(row) for row in side.run(f"SELECT {names} FROM t")] for side in (self.source, self.target)]


@pytest.fixture(scope="module")
def bench(servers: Any) -> Iterator[Bench]:
    with schemas(*servers) as pair, pair.sides() as sides:
        connections = [server.connect() for server in servers]
        for connection in connections:
            connection.run(f"""
                SET search_path TO {pair.schema}; SET timezone TO 'UTC'; SET intervalstyle TO iso_8601;
                SET client_min_messages TO error; CREATE TYPE mood AS ENUM ('happy', 'so|so', 'sad')
            """)
        yield Bench(pair, *connections, sides)
        for connection in connections:
            connection.close()


@pytest.fixture(scope="module", autouse=True)
def small_parts() -> Iterator[None]:
    """Bounds so small that a few rows fill slices, buckets and batches."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "_BUCKET_ROWS", 2)
        patch.setattr(plan, "HASHED_ROWS", 10)
        patch.setattr(plan, "_SMALL", 5)
        patch.setattr(rows, "_BATCH_ROWS", 3)
        patch.setattr(rows, "_SCAN_ROWS", 4)
        patch.setattr(rows, "_OVERFULL", 3)
        patch.setattr(Patience, "pause_seconds", 0.001)
        yield


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="VALIDATOR_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    database=None,
)
@given(samples(), st.sampled_from(["fast", "md5"]), st.booleans())
def test_what_is_found_is_what_differs(bench: Bench, sample: Sample, hashed: Any, later: bool) -> None:
    bench.source.run(_create(sample, target=False))
    bench.target.run(_create(sample, target=True))
    source, target = bench.rows_of(sample)
    expected = _expected(sample, source, target)
    options = Options(hash=hashed, range_rows=7, patience=Patience(0.001) if later else Patience())
    document = bench.pair.compare_on(bench.sides, "t", options)
    note(f"{document['strategy']}, {document['slices']} slices: {document['reason']}")
    assert told(document) == expected
    assert document["verdict"] == ("FAIL" if expected else "PASS")
    assert document["rows"] == {"source": len(source), "target": len(target)}
    usable = not UNUSABLE & set(sample.kinds[: sample.width])
    assert document["key"] == [f"c{place}" for place in range(sample.width) if usable]
    assert document["settled"] == 0
