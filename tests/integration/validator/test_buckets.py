"""Rows that no index finds by their hash: as many as may be fetched at once, whatever the statistics say."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from validator import rows
from validator.catalog import Table
from validator.compare import compare_slice
from validator.comparison import Comparison, Options, prepare
from validator.scan import Reader

ROWS = 3000
# Of those a tenth is changed on the target, and every hundredth missing.
TABLES = {
    "buckets": "CREATE TABLE uuids (id uuid PRIMARY KEY, n int)",
    "scattered": "CREATE TABLE scattered (id bigint PRIMARY KEY, n int)",
    "multiset": "CREATE TABLE multiset (id text, n int)",
}
FILLED = """
INSERT INTO uuids SELECT md5(i::text)::uuid, i FROM generate_series(1, {rows}) AS i;
INSERT INTO scattered SELECT (i::bigint * 7919 % {rows}) << 22, i FROM generate_series(1, {rows}) AS i;
INSERT INTO multiset SELECT md5(i::text), i FROM generate_series(1, {rows}) AS i;
"""
DEFECTS = """
UPDATE {table} SET n = -n WHERE n % 10 = 0;
DELETE FROM {table} WHERE n % 100 = 7;
"""
EXPECTED = {"changed": ROWS // 10, "missing": ROWS // 100}


@pytest.fixture(scope="module")
def tables(shared_pair: Any) -> Any:
    shared_pair.on_both(";".join(TABLES.values()) + ";" + FILLED.format(rows=ROWS))
    shared_pair.on_target("".join(DEFECTS.format(table=table) for table in ("uuids", "scattered", "multiset")))
    return shared_pair


@pytest.mark.parametrize("planned", [ROWS, 1], ids=["right statistics", "none"])
@pytest.mark.parametrize("table", ["uuids", "scattered", "multiset"])
def test_everything_is_found_and_no_more_than_a_batch_is_fetched(
    tables: Any, hashed: Any, table: str, planned: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[int] = []
    lines_of_buckets = Reader.lines_of_buckets

    def noted(*asked: Any) -> list[str]:
        lines = lines_of_buckets(*asked)
        fetched.append(len(lines))
        return lines

    monkeypatch.setattr(rows, "_SCAN_ROWS", 500)
    monkeypatch.setattr(rows, "_OVERFULL", 1000)
    monkeypatch.setattr(Reader, "lines_of_buckets", noted)
    options = Options(hash=hashed)
    with tables.sides() as sides:
        comparison = prepare(sides, Table(tables.schema, table), options)
        assert isinstance(comparison, Comparison)
        if table == "scattered":
            comparison = replace(comparison, strategy="buckets", slices=(replace(comparison.slices[0], inner=None),))
        assert comparison.strategy == ("multiset" if table == "multiset" else "buckets")
        part = replace(comparison.slices[0], rows=planned)
        findings = compare_slice(sides, comparison, part, options).findings
    assert (findings.source_rows, findings.target_rows) == (ROWS, ROWS - EXPECTED["missing"])
    if table == "multiset":
        changed = EXPECTED["changed"]
        assert findings.counts == Counter(missing=changed + EXPECTED["missing"], extra=changed)
    else:
        assert findings.counts == Counter(EXPECTED)
    assert max(fetched) <= 500
    # Of the 3,000 rows that stand beside one that differs, most were sorted out before they were fetched.
    assert sum(fetched) < 2 * ROWS
