"""Slices → counts and sums: one aggregate per bucket and side, and the rows of chosen buckets as (key, hash).

Answers come as one text each, for a driver in Python spends more time on a thousand rows than the server on making
them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from validator.connection import Session
from validator.expression import RowSql
from validator.model import Slice, Strategy, batches
from validator.plan import bucket_count, bucket_ranges

# Bucket → (rows, sums).
Buckets = Mapping[int, tuple[int, str]]
# Keys looked up at once.
_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads rows of one table on one side. `relation` is SQL of the table, its rows called `r`."""

    session: Session
    relation: str
    rows: RowSql
    strategy: Strategy

    def buckets(self, part: Slice) -> dict[int, tuple[int, str]]:
        """The buckets of a slice that hold rows."""
        if self.strategy == "ranges":
            lows, highs = bucket_ranges(part)
            return self._ranges(lows, highs)
        chosen = f"b & {part.parts - 1} = {part.part}" if part.parts > 1 else "true"
        return self._hashed(_count(part), chosen, "true")

    def finer_buckets(self, part: Slice, numbers: Sequence[int], finer: int) -> dict[int, tuple[int, str]]:
        """What becomes of some buckets by hash where there are `finer` times as many, a power of two."""
        chosen = f"b & {_count(part) - 1} IN (SELECT unnest(CAST(:numbers AS bigint[])))"
        return self._hashed(_count(part) * finer, chosen, "true", numbers=list(numbers))

    def subdivide(self, low: int, high: int, rows: int) -> dict[int, tuple[int, str]]:
        """The buckets by hash of the key of one range, which has so many rows."""
        return self._hashed(bucket_count(rows), "true", self._between(low, high))

    def lines_of_ranges(self, lows: Sequence[int], highs: Sequence[int]) -> list[str]:
        """A line per row of the ranges: key, blank, hash."""
        key = self.rows.key[0].reference
        return self._lines(
            f"SELECT string_agg(q.line, E'\\n') FROM unnest(CAST(:lows AS bigint[]), CAST(:highs AS bigint[])) "
            f"AS w (low, high) CROSS JOIN LATERAL (SELECT {self._line()} AS line FROM {self.relation} "
            f"WHERE {key} BETWEEN w.low AND w.high) AS q",
            lows=list(lows),
            highs=list(highs),
        )

    def lines_of_subdivision(self, low: int, high: int, rows: int, numbers: Sequence[int]) -> list[str]:
        """The same for buckets that `subdivide` made."""
        return self._lines_of_hashed(bucket_count(rows), numbers, self._between(low, high))

    def lines_of_buckets(self, part: Slice, numbers: Sequence[int], finer: int = 1) -> list[str]:
        """The same for buckets by hash; of a multiset: hash, blank, how many rows have it."""
        count = _count(part) * finer
        if self.strategy == "buckets":
            return self._lines_of_hashed(count, numbers, "true")
        return self._lines(
            f"SELECT string_agg(q.h || ' ' || q.n, E'\\n') FROM (SELECT h, count(*) AS n FROM "
            f"(SELECT {self.rows.row_hash()} AS h FROM {self.relation} OFFSET 0) AS hashed "
            f"WHERE {self.rows.low_bits('h')} & {count - 1} IN (SELECT unnest(CAST(:numbers AS bigint[]))) "
            f"GROUP BY h) AS q",
            numbers=list(numbers),
        )

    def lines_of_keys(self, words: Sequence[str]) -> list[str]:
        """The same for the rows that have one of these keys, of a multiset one of these hashes."""
        if self.strategy == "multiset":
            return self._lines(
                f"SELECT string_agg(q.h || ' ' || q.n, E'\\n') FROM (SELECT h, count(*) AS n FROM "
                f"(SELECT ({self.rows.row_hash()})::text AS h FROM {self.relation} OFFSET 0) AS hashed "
                f"WHERE h = ANY (CAST(:words AS text[])) GROUP BY h) AS q",
                words=list(words),
            )
        return self._lines(f"SELECT string_agg({self._line()}, E'\\n') FROM {self._keyed()}", words=self._words(words))

    def values_of_keys(self, words: Sequence[str]) -> list[tuple[str, list[str | None]]]:
        """Key and values of the rows that have one of these keys: per term its canonical value, then a shown one."""
        found = self.session.query(
            f"SELECT {self.rows.key_line()}, {self._values()} FROM {self._keyed()}", words=self._words(words)
        )
        return [(word, json.loads(values)) for word, values in found]

    def values_of_hashes(self, hashes: Sequence[str]) -> list[tuple[str, list[str | None]]]:
        """The same of one row for each of these hashes, where rows have no key."""
        found = self.session.query(
            f"SELECT DISTINCT ON (h) h, v FROM (SELECT ({self.rows.row_hash()})::text AS h, {self._values()} AS v "
            f"FROM {self.relation} OFFSET 0) AS q WHERE h = ANY (CAST(:hashes AS text[]))",
            hashes=list(hashes),
        )
        return [(hashed, json.loads(values)) for hashed, values in found]

    def sums_by_age(self, transaction: int) -> tuple[int, tuple[int, ...]]:
        """Rows of the table; sums of the row hashes of those written since `transaction`, of the others' key hashes."""
        young = self._young(transaction, "o")
        hashed = f"CASE WHEN {young} THEN {self._row_hash_of('o')} ELSE {self.rows.key_hash('o')} END"
        outer = self.relation.removesuffix("AS r") + "AS o"
        if self.rows.hash == "fast":
            sql = f"SELECT count(*), {self.rows.sums(hashed)} FROM {outer}"
        else:
            sql = f"SELECT count(*), {self.rows.sums('h')} FROM (SELECT {hashed} AS h FROM {outer} OFFSET 0) AS x"
        rows, sums = self.session.query(sql)[0]
        return rows, tuple(int(part) for part in sums.split(" "))

    def lines_since(self, transaction: int, most: int) -> list[str]:
        """A line of key, blank, row hash for each row version written since `transaction`, at most `most` of them."""
        return self._lines(
            f"SELECT string_agg(q.line, E'\\n') FROM (SELECT {self._line()} AS line FROM {self.relation} "
            f"WHERE {self._young(transaction)} LIMIT {most}) AS q"
        )

    def hashes_of_keys(self, words: Sequence[str]) -> list[tuple[str, str, str]]:
        """Key, row hash and key hash of the rows that have one of these keys."""
        found = []
        for some in batches(list(words), _KEYS):
            lines = self._lines(
                f"SELECT string_agg({self._line()} || ' ' || {self.rows.key_hash()}, E'\\n') FROM {self._keyed()}",
                words=self._words(some),
            )
            found += [(word, row, key) for word, row, key in (line.split(" ") for line in lines)]
        return found

    def versions_of_keys(self, words: Sequence[str]) -> dict[str, str]:
        """By key: the transactions that wrote its rows."""
        found: dict[str, str] = {}
        for some in batches(list(words), _KEYS):
            lines = self._lines(
                f"SELECT string_agg(q.word || ' ' || q.written, E'\\n') FROM (SELECT {self.rows.key_line()} AS word, "
                f"string_agg(r.xmin::text, ',' ORDER BY r.xmin::text) AS written FROM {self._keyed()} GROUP BY 1) AS q",
                words=self._words(some),
            )
            found |= {word: written for word, _, written in (line.rpartition(" ") for line in lines)}
        return found

    def _row_hash_of(self, row: str) -> str:
        """SQL of the row hash of a row called `row`, read again by its place.

        An expression that names a column makes PostgreSQL take every row apart up to it, also where CASE needs none of
        it. A subquery is entered for the rows that need it. The place of a row in a
        partitioned table is not unique; there each partition tells its own.
        """
        same = f"r.ctid = {row}.ctid AND r.tableoid = {row}.tableoid"
        return f"(SELECT {self.rows.row_hash()} FROM {self.relation} WHERE {same})"

    def _young(self, transaction: int, row: str = "r") -> str:
        # Ids that wrapped around look as if they came from the future: such rows count as new. In a subquery, which is
        # asked once; `age` itself is for every row.
        return f"age({row}.xmin) <= (SELECT age('{transaction & 0xFFFFFFFF}'::xid))"

    def _ranges(self, lows: Sequence[int], highs: Sequence[int]) -> dict[int, tuple[int, str]]:
        key = self.rows.key[0].reference
        where = f"{self.relation} WHERE {key} BETWEEN w.low AND w.high"
        hashed = self.rows.row_hash()
        if self.rows.hash == "fast":
            inner = f"SELECT count(*) AS n, {self.rows.sums(hashed)} AS s FROM {where}"
        else:
            # OFFSET 0 keeps the planner from computing the hash once per use.
            from_hashed = f"FROM (SELECT {hashed} AS h FROM {where} OFFSET 0) AS x"
            inner = f"SELECT count(*) AS n, {self.rows.sums('h')} AS s {from_hashed}"
        return _parse(
            self.session.query(
                f"SELECT string_agg(w.i || ' ' || q.n || ' ' || q.s, E'\\n') FROM "
                f"unnest(CAST(:lows AS bigint[]), CAST(:highs AS bigint[])) WITH ORDINALITY AS w (low, high, i) "
                f"CROSS JOIN LATERAL ({inner}) AS q WHERE q.n > 0",
                lows=list(lows),
                highs=list(highs),
            ),
            first=1,
        )

    def _hashed(self, count: int, chosen: str, where: str, **values: object) -> dict[int, tuple[int, str]]:
        """`count` buckets of the rows `where`, of these the `chosen` ones: a condition that begins with `b &`."""
        hashed = self.rows.row_hash()
        bits = self.rows.low_bits("h") if self.strategy == "multiset" else self.rows.key_bits()
        if self.strategy == "multiset":
            inner = f"SELECT {bits} AS b, h FROM (SELECT {hashed} AS h FROM {self.relation} OFFSET 0) AS x"
        elif chosen == "true":
            inner = f"SELECT {bits} AS b, {hashed} AS h FROM {self.relation} WHERE {where} OFFSET 0"
        else:
            condition = chosen.replace("b &", f"{bits} &", 1)
            inner = f"SELECT {bits} AS b, {hashed} AS h FROM {self.relation} WHERE {where} AND {condition} OFFSET 0"
        grouped = (
            f"SELECT b & {count - 1} AS b, count(*) AS n, {self.rows.sums('h')} AS s FROM ({inner}) AS i "
            f"WHERE {chosen if self.strategy == 'multiset' else 'true'} GROUP BY 1"
        )
        return _parse(
            self.session.query(
                f"SELECT string_agg(q.b || ' ' || q.n || ' ' || q.s, E'\\n') FROM ({grouped}) AS q", **values
            )
        )

    def _lines_of_hashed(self, count: int, numbers: Sequence[int], where: str) -> list[str]:
        return self._lines(
            f"SELECT string_agg({self._line()}, E'\\n') FROM {self.relation} WHERE {where} AND "
            f"{self.rows.key_bits()} & {count - 1} IN (SELECT unnest(CAST(:numbers AS bigint[])))",
            numbers=list(numbers),
        )

    def _values(self) -> str:
        # One text: a select list holds at most 1,664 entries. https://www.postgresql.org/docs/current/limits.html
        values = ", ".join(f"({term.value})::text, {term.display}" for term in self.rows.terms)
        return f"array_to_json(ARRAY[{values}]::text[])::text"

    def _line(self) -> str:
        return f"{self.rows.key_line()} || ' ' || {self.rows.row_hash()}"

    def _between(self, low: int, high: int) -> str:
        return f"{self.rows.key[0].reference} BETWEEN '{low}'::bigint AND '{high}'::bigint"

    def _keyed(self) -> str:
        """The table joined to the keys `:words`, through whatever index it has."""
        # As JSON: the driver does not quote every text that an array of PostgreSQL wants quoted.
        places = range(len(self.rows.key) + 1)
        fields = ", ".join(f"x.x ->> {place} AS k{place}" for place in places)
        words = f"SELECT {fields} FROM json_array_elements(CAST(:words AS json)) AS x (x)"
        same = self.rows.has_key([f"w.k{place}" for place in places])
        return f"({words}) AS w JOIN {self.relation} ON {same}"

    def _words(self, words: Sequence[str]) -> str:
        return json.dumps([self.rows.key_fields(word) for word in words], ensure_ascii=False)

    def _lines(self, sql: str, **values: object) -> list[str]:
        text = self.session.query(sql, **values)[0][0]
        return text.split("\n") if text else []


def _count(part: Slice) -> int:
    """How many buckets by hash the table has that the slice is a part of."""
    return bucket_count(part.rows * part.parts, part.parts)


def _parse(answer: list[list[str | None]], first: int = 0) -> dict[int, tuple[int, str]]:
    text = answer[0][0]
    buckets = {}
    for line in text.split("\n") if text else ():
        number, rows, sums = line.split(" ", 2)
        buckets[int(number) - first] = int(rows), sums
    return buckets
