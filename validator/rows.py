"""Mismatching buckets → the rows that differ: lines of (key, hash) fetched from both sides, a bounded number at a time.

What is equal never leaves the server but for the other rows of a mismatching bucket, and of those only key and hash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, Self, TypeVar

from validator.model import Slice
from validator.plan import bucket_ranges
from validator.scan import Buckets, Reader

R = TypeVar("R")
# Lines of one side in memory at once, by each pair of connections: a megabyte with what is made of them.
_BATCH_ROWS = 2_000
# The same where each batch reads the whole table, as no index knows the hashes: some ten megabytes.
_SCAN_ROWS = 20_000
# Beyond twice as many rows it pays to look into their buckets first: a bucket of so many has about eight rows.
_FINER, _FINE_ROWS = 64, 8
# A bucket by hash that has more was planned with old statistics.
_OVERFULL = 4_096


class Ask(Protocol):
    """Asks both sides the same at once; answers source first."""

    def __call__(self, question: Callable[[Reader], R], /) -> tuple[R, R]: ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A key whose rows are not the same on both sides: the hashes of them, sorted, () where there is none.

    Without a key to tell rows apart, `word` is the hash of the row, and the hashes are as many as there are such rows.
    `version` is another one whenever the source's rows were written again, be it as they were; "" where none is known.
    """

    word: str
    source: tuple[str, ...]
    target: tuple[str, ...]
    version: str = field(default="", compare=False)

    @property
    def kinds(self) -> Counter[str]:
        """How many rows are missing, extra and changed. A key that repeats on a side can be several of them."""
        alike = min(len(self.source), len(self.target))
        return +Counter(missing=len(self.source) - alike, extra=len(self.target) - alike, changed=alike)

    @property
    def kind(self) -> Literal["missing", "extra", "changed"]:
        """The kind of a key that is there once at most on each side."""
        if not self.target:
            return "missing"
        return "changed" if self.source else "extra"

    def document(self) -> list[Any]:
        """The candidate as JSON."""
        return [self.word, list(self.source), list(self.target), self.version]

    @classmethod
    def of(cls, document: Sequence[Any]) -> Self:
        """The candidate that `document` was made of."""
        word, source, target, version = document
        return cls(word, tuple(source), tuple(target), version)


def differing_buckets(source: Buckets, target: Buckets) -> dict[int, int]:
    """The buckets that differ, and how many rows the fuller side has in each."""
    return {
        number: max(buckets[number][0] for buckets in (source, target) if number in buckets)
        for number in source.keys() | target.keys()
        if source.get(number) != target.get(number)
    }


def differing_rows(ask: Ask, part: Slice, reader: Reader, bad: dict[int, int], rows: int) -> Iterator[list[Candidate]]:
    """The rows that differ in the buckets `bad` of a slice, a batch at a time.

    `reader` is of either side; `rows` is how many the fuller side has in the slice.
    """
    if reader.strategy == "ranges":
        yield from _of_ranges(ask, part, bad)
        return
    if rows > part.rows and any(count > _OVERFULL for count in bad.values()):
        part = replace(part, rows=rows)
        bad = differing_buckets(*ask(lambda side: side.buckets(part)))
    if sum(bad.values()) <= 2 * _SCAN_ROWS:
        yield from _of_hashes(ask, part, reader, bad, 1)
        return
    for numbers in _grouped(bad, _SCAN_ROWS * _FINE_ROWS):
        finer = differing_buckets(*ask(lambda side, numbers=numbers: side.finer_buckets(part, numbers, _FINER)))  # type: ignore[misc]
        yield from _of_hashes(ask, part, reader, finer, _FINER)


def candidates(source: Sequence[str], target: Sequence[str]) -> list[Candidate]:
    """The keys whose rows differ, of lines of key, blank, hash."""
    ours, theirs = set(source), set(target)
    if len(ours) == len(source) and len(theirs) == len(target):
        left: Any = ours - theirs
        right: Any = theirs - ours
    else:
        # Rows that are there twice: counted, for a set would lose them.
        counts = Counter(source), Counter(target)
        left, right = (counts[0] - counts[1]).elements(), (counts[1] - counts[0]).elements()
    found: dict[str, tuple[list[str], list[str]]] = {}
    for place, lines in enumerate((left, right)):
        for line in lines:
            word, _, hashed = line.rpartition(" ")
            found.setdefault(word, ([], []))[place].append(hashed)
    return [Candidate(word, tuple(sorted(a)), tuple(sorted(b))) for word, (a, b) in sorted(found.items())]


def with_versions(found: Sequence[Candidate], source: Reader) -> list[Candidate]:
    """The same, each with the version of its rows on the source, in the snapshot that they were found in."""
    if source.strategy == "multiset" or not found:
        return list(found)
    versions = source.versions_of_keys([candidate.word for candidate in found if candidate.source])
    return [replace(candidate, version=versions.get(candidate.word, "")) for candidate in found]


def surplus(source: Sequence[str], target: Sequence[str]) -> list[Candidate]:
    """Of rows without a key: those that one side has more of, of lines of hash, blank, count."""
    counts = [{hashed: int(count) for hashed, count in (line.split(" ") for line in side)} for side in (source, target)]
    found = []
    for hashed in sorted(counts[0].keys() | counts[1].keys()):
        more = counts[0].get(hashed, 0) - counts[1].get(hashed, 0)
        if more:
            found.append(Candidate(hashed, (hashed,) * more, (hashed,) * -more))
    return found


def _of_hashes(ask: Ask, part: Slice, reader: Reader, bad: dict[int, int], finer: int) -> Iterator[list[Candidate]]:
    for numbers in _grouped(bad, _SCAN_ROWS):
        lines = ask(lambda side, numbers=numbers: side.lines_of_buckets(part, numbers, finer))  # type: ignore[misc]
        yield surplus(*lines) if reader.strategy == "multiset" else candidates(*lines)


def _of_ranges(ask: Ask, part: Slice, bad: dict[int, int]) -> Iterator[list[Candidate]]:
    lows, highs = bucket_ranges(part)
    for number, rows in [(number, rows) for number, rows in bad.items() if rows > _BATCH_ROWS]:
        whole = lows[number], highs[number], rows
        inner = differing_buckets(*ask(lambda side, whole=whole: side.subdivide(*whole)))  # type: ignore[misc]
        for numbers in _grouped(inner, _BATCH_ROWS):
            yield candidates(
                *ask(lambda side, whole=whole, numbers=numbers: side.lines_of_subdivision(*whole, numbers))  # type: ignore[misc]
            )
    for numbers in _grouped({number: rows for number, rows in bad.items() if rows <= _BATCH_ROWS}, _BATCH_ROWS):
        ends = [lows[number] for number in numbers], [highs[number] for number in numbers]
        yield candidates(*ask(lambda side, ends=ends: side.lines_of_ranges(*ends)))  # type: ignore[misc]


def _grouped(bad: dict[int, int], most: int) -> Iterator[list[int]]:
    """The buckets in groups of at most `most` rows; one that is fuller stands alone."""
    group: list[int] = []
    total = 0
    for number, rows in sorted(bad.items()):
        if group and total + rows > most:
            yield group
            group, total = [], 0
        group.append(number)
        total += rows
    if group:
        yield group
