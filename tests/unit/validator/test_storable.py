"""What one process plans another carries out: nothing of a comparison may be lost on the way."""

from __future__ import annotations

import json
from collections import Counter

from validator.canonical import TypeFacts
from validator.catalog import Column, Definition, Table
from validator.comparison import Comparison, Progress
from validator.matching import match
from validator.model import HIGHEST, LOWEST, Findings, Slice
from validator.rows import Candidate
from validator.storable import comparison_document, comparison_of, progress_document, progress_of

BIGINT = TypeFacts("bigint", "bigint", "pg_catalog", "int8", "b")
LIST = TypeFacts("bigint[]", "bigint[]", "pg_catalog", "_int8", "b", element=BIGINT)


def comparison() -> Comparison:
    columns = Column("id", BIGINT, nullable=False, identity=True), Column('a "list"', LIST)
    source = Definition(16384, False, columns, ("id",), 1000, 1)
    target = Definition(17, True, columns[::-1], ("id",), 900, 12)
    matched = match(Table("public", "t"), source, target, "fast")
    slices = Slice(LOWEST, 499, (0, 499), rows=500), Slice(500, HIGHEST, (500, 999), rows=500)
    return Comparison(matched, "ranges", slices, ("a", "b"), seed=2**61 + 1)


def test_a_comparison_comes_back_as_it_was() -> None:
    document = json.loads(json.dumps(comparison_document(comparison())))
    assert comparison_of(document) == comparison()
    assert comparison_of(document).about() == comparison().about()


def test_progress_comes_back_as_it_was() -> None:
    findings = Findings(
        source_rows=7,
        target_rows=8,
        counts=Counter(missing=1, pending=2),
        settled=3,
        columns=Counter(a=4),
        differences=[{"kind": "missing", "key": {"id": "1"}}],
        received=Counter(source=10, target=11),
    )
    findings.keys["missing"].append({"id": "1"})
    progress = Progress(findings, [Candidate("1", ("h",), (), "731"), Candidate("2", (), ("x", "y"))], 5, ["a note"])
    again = progress_of(json.loads(json.dumps(progress_document(progress))))
    assert again == progress
    assert [candidate.version for candidate in again.waiting] == ["731", ""]
    again.notes.append("another")
    assert progress.notes == ["a note"]
