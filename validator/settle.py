"""Rows in flight told apart from defects: candidates are looked at again until they are equal, proven, or out of time.

Replication brings a row over some time after it was written. A row that differs is a defect once the source's row has
not been written for longer than the greatest lag that replication may have, and the target still holds something else
(not written: a row that was changed and changed back looks as before, and what came in between may be on its way).
While the target holds what the source held when it was looked at before, the row is late, not wrong; while the source's
row keeps changing, nothing can be said of it. What is left of these at the deadline is pending: no proof either way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from validator.model import batches
from validator.rows import Candidate

# Looks the candidates' keys up on both sides, in new snapshots: what still differs.
LookAgain = Callable[[Sequence[str]], list[Candidate]]
_BATCH = 5000
# Most of what is in flight arrives at once: the first look is soon, and each pause twice as long as the one before.
_FIRST_PAUSE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait: `lag_seconds` is what replication may take at most; 0 means that nothing is in flight."""

    lag_seconds: float = 0.0
    deadline_seconds: float = 0.0

    @property
    def pause_seconds(self) -> float:
        """Between two looks, at most."""
        return min(max(self.lag_seconds / 4, 0.2), 5.0)


@dataclass(slots=True)
class Settled:
    """What became of the candidates."""

    confirmed: list[Candidate] = field(default_factory=list)
    pending: list[Candidate] = field(default_factory=list)
    equal: int = 0


@dataclass(slots=True)
class _Watch:
    """One candidate under watch; `since` is when its source's rows were first seen as they are, in this version."""

    now: Candidate
    since: float
    earlier: set[tuple[str, ...]] = field(default_factory=set)

    def update(self, seen: Candidate, at: float) -> None:
        if seen.source != self.now.source:
            self.earlier.add(self.now.source)
        if (seen.source, seen.version) != (self.now.source, self.now.version):
            self.since = at
        self.now = seen

    def proven(self, at: float, lag: float) -> bool:
        return at - self.since >= lag and self.now.target not in self.earlier


def settle(
    found: Sequence[Candidate],
    look_again: LookAgain,
    patience: Patience,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Settled:
    """Watch the candidates until each is equal or proven, at most until the deadline; the first look is `found`."""
    start = clock()
    # Some time after the deadline comes the last look, or one that a row would have been proven by could be left out.
    end = start + max(patience.deadline_seconds, patience.lag_seconds)
    last = False
    watched = {candidate.word: _Watch(candidate, start) for candidate in found}
    result = Settled()
    pause = min(_FIRST_PAUSE_SECONDS, patience.pause_seconds)
    while watched and not last:
        sleep(pause)
        pause = min(pause * 2, patience.pause_seconds)
        last = clock() >= end
        for words in list(batches(list(watched), _BATCH)):
            began = clock()
            differing = {candidate.word: candidate for candidate in look_again(words)}
            ended = clock()
            for word in words:
                if word not in differing:
                    result.equal += 1
                    del watched[word]
                    continue
                # Looking takes time: the source may have changed until its end, the target was read after its
                # beginning.
                watched[word].update(differing[word], ended)
                if watched[word].proven(began, patience.lag_seconds):
                    result.confirmed.append(watched.pop(word).now)
    result.pending.extend(watch.now for watch in watched.values())
    return result
