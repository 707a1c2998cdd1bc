"""What passes between the stages of a comparison: slices of tables in, results out, results of slices added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal, Self

from validator.catalog import Table

Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE"]
Kind = Literal["missing", "extra", "changed", "pending"]
HashName = Literal["fast", "md5"]
Strategy = Literal["ranges", "buckets", "multiset"]
SIDES = ("source", "target")
KINDS: tuple[Kind, ...] = ("missing", "extra", "changed", "pending")

# What a report holds of one table; counts beside it are exact.
REPORTED = 1000
LOWEST, HIGHEST = -(2**63), 2**63 - 1

# A key as the report shows it: column → canonical text, {} for rows without a key.
Key = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a table that is compared on its own; the slices of a table cover it exactly.

    By `ranges` of the leading key column, an integer: rows from `low` to `high`, both inclusive; the first and the last
    slice reach to the ends of bigint, so that rows outside the range seen while planning are not left out. `inner` is
    the range that holds the rows, which buckets are cut from. By `buckets` and `multiset`: the rows whose hash falls on
    `part` of `parts`. `rows` is an estimate.
    """

    low: int = LOWEST
    high: int = HIGHEST
    inner: tuple[int, int] | None = None
    part: int = 0
    parts: int = 1
    rows: int = 0

    def halves(self) -> tuple[Slice, Slice] | None:
        """The same rows in two slices, or None when there is nothing left to cut."""
        if self.inner is None:
            half = self.rows // 2
            return Slice(part=self.part, parts=self.parts * 2, rows=half), Slice(
                part=self.part + self.parts, parts=self.parts * 2, rows=self.rows - half
            )
        first, last = self.inner
        if first >= last:
            return None
        middle = (first + last) // 2
        half = self.rows // 2
        return Slice(self.low, middle, (first, middle), rows=half), Slice(
            middle + 1, self.high, (middle + 1, last), rows=self.rows - half
        )

    def document(self) -> list[Any]:
        """The slice as JSON."""
        return [self.low, self.high, list(self.inner) if self.inner else None, self.part, self.parts, self.rows]

    @classmethod
    def of(cls, document: Sequence[Any]) -> Self:
        """The slice that `document` was made of."""
        low, high, inner, part, parts, rows = document
        return cls(low, high, (inner[0], inner[1]) if inner else None, part, parts, rows)


def covers(slices: Iterable[Slice]) -> bool:
    """Whether the slices are a whole table: every key, every part of the hash, exactly once."""
    ordered = sorted(slices, key=lambda item: item.low)
    if any(item.inner is not None for item in ordered):
        expected = LOWEST
        for item in ordered:
            if item.inner is None or item.low != expected or item.high < item.low:
                return False
            expected = item.high + 1
        return expected == HIGHEST + 1
    widest = max((item.parts for item in ordered), default=0)
    # Each of n parts stands for widest / n places; together they must be each place once.
    if any(widest % item.parts or not 0 <= item.part < item.parts for item in ordered):
        return False
    places = [place for item in ordered for place in range(item.part, widest, item.parts)]
    return bool(places) and sorted(places) == list(range(widest))


@dataclass(slots=True)
class Findings:
    """What was found in some rows of one table, to be added up over its slices.

    `columns` counts in which columns the changed rows differ, for the first `described` of them.
    """

    source_rows: int = 0
    target_rows: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    keys: dict[str, list[Key]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    settled: int = 0
    columns: Counter[str] = field(default_factory=Counter)
    described: int = 0
    differences: list[dict[str, Any]] = field(default_factory=list)
    received: Counter[str] = field(default_factory=Counter)

    @property
    def differing(self) -> int:
        """How many rows are known to differ."""
        return sum(self.counts[kind] for kind in ("missing", "extra", "changed"))

    def add(self, other: Findings) -> None:
        """Take in the findings of other rows."""
        self.source_rows += other.source_rows
        self.target_rows += other.target_rows
        self.counts += other.counts
        self.settled += other.settled
        self.columns += other.columns
        self.described += other.described
        self.received += other.received
        for kind in KINDS:
            self.keys[kind].extend(islice(other.keys[kind], REPORTED - len(self.keys[kind])))
        self.differences.extend(islice(other.differences, REPORTED - len(self.differences)))

    def document(self) -> dict[str, Any]:
        """The findings as the part of a table's document that depends on rows."""
        return {
            "rows": {"source": self.source_rows, "target": self.target_rows},
            **{kind: {"count": self.counts[kind], "keys": [dict(key) for key in self.keys[kind]]} for kind in KINDS},
            "settled": self.settled,
            "columns": dict(sorted(self.columns.items())),
            "described": self.described,
            "differences": self.differences,
            "bytes": {side: self.received[side] for side in SIDES},
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """The findings that `document` was made of."""
        return cls(
            source_rows=document["rows"]["source"],
            target_rows=document["rows"]["target"],
            counts=Counter({kind: document[kind]["count"] for kind in KINDS if document[kind]["count"]}),
            keys={kind: list(document[kind]["keys"]) for kind in KINDS},
            settled=document["settled"],
            columns=Counter(document["columns"]),
            described=document["described"],
            differences=list(document["differences"]),
            received=Counter(document["bytes"]),
        )


def batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """The items, `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


@dataclass(frozen=True, slots=True)
class TableResult:
    """What was found out about one table. `findings` is None where no row was read.

    PASS says that both sides hold the same rows. FAIL says that they do not, and how that shows. INCONCLUSIVE says that
    it could not be found out, and why; a gate must treat it as FAIL. `reason` is a sentence, "" for a plain PASS;
    `notes` are differences that do not decide; `about` is what a report says of how the table was compared.
    """

    table: Table
    verdict: Verdict
    findings: Findings | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The result as data; it holds values of differing rows, card data masked."""
        rows = (self.findings or Findings()).document()
        if self.findings is None:
            rows["rows"] = {"source": None, "target": None}
        return {
            "schema": self.table.schema,
            "table": self.table.name,
            "verdict": self.verdict,
            "reason": self.reason,
            "notes": list(self.notes),
            **rows,
            **self.about,
        }
