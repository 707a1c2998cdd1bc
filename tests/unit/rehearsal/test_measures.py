"""Pauses, outages and percentiles, each from times that were made up so that the answer is plain."""

from __future__ import annotations

import pytest

from rehearsal.events import Accepted, GaveUp, Read, Refused
from rehearsal.measures import NOTHING, Interval, buckets, percentile, read_outage, refusal_pause, write_pause


def _read(started, at, right=True):
    return Read(at, started, 1, 200 if right else 502, right)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([], 99, 0.0),
        ([5.0], 50, 5.0),
        ([1.0, 2.0, 3.0, 4.0], 50, 2.0),
        ([1.0, 2.0, 3.0, 4.0], 99, 4.0),
        ([1.0, 2.0], 0, 1.0),
    ],
)
def test_percentiles_are_values_that_were_measured(values, percent, expected):
    assert percentile(values, percent) == expected


def test_the_write_pause_is_the_longest_gap_with_both_ends_of_the_run():
    assert write_pause([3.0, 1.0, 2.0], 0.5, 3.2) == Interval(1.0, 2.0)
    assert write_pause([1.0, 2.0], 0.0, 9.0) == Interval(2.0, 9.0)
    assert write_pause([6.0, 6.5], 1.0, 6.6) == Interval(1.0, 6.0)
    assert write_pause([], 1.0, 4.0) == Interval(1.0, 4.0)


def test_the_pause_of_refusals_goes_from_a_refused_write_to_the_next_accepted_one():
    assert refusal_pause([1.0, 5.0, 9.0], [2.0, 3.0, 8.5], 10.0) == Interval(2.0, 5.0)
    assert refusal_pause([1.0], [2.0, 3.0], 10.0) == Interval(2.0, 10.0)
    assert refusal_pause([1.0, 2.0], [], 2.0) == NOTHING
    assert refusal_pause([1.0], [2.0], 2.0) == NOTHING


def test_reads_that_succeed_in_time_are_no_outage_however_few():
    assert read_outage([]) == NOTHING
    assert read_outage([_read(1.0, 1.1), _read(50.0, 50.9)]) == NOTHING


def test_an_outage_begins_with_the_first_read_that_failed_and_ends_with_a_success():
    reads = [
        _read(1.0, 1.1),
        _read(2.0, 2.2, right=False),
        _read(3.0, 3.1, right=False),
        _read(3.5, 4.0),
        _read(5.0, 5.1),
    ]
    assert read_outage(reads) == Interval(2.0, 4.0)
    assert read_outage(reversed(reads)) == Interval(2.0, 4.0)


def test_a_failure_while_others_succeed_lasts_from_one_success_to_the_next():
    reads = [_read(1.0, 1.1), _read(1.0, 1.5, right=False), _read(1.2, 1.4), _read(1.55, 1.6)]
    assert read_outage(reads) == Interval(1.4, 1.6)


def test_an_outage_that_never_ended_lasts_to_the_last_try():
    assert read_outage([_read(1.0, 1.1), _read(2.0, 2.2, right=False), _read(3.0, 7.0, right=False)]) == Interval(
        2.0, 7.0
    )


def test_reads_that_hang_are_an_outage_though_they_end_well():
    hanging = [_read(1.0, 1.1), _read(2.0, 6.0), _read(3.0, 6.1), _read(6.2, 6.3)]
    assert read_outage(hanging) == Interval(2.0, 6.0)
    others_go_on = [_read(1.0, 1.1), *(_read(2.0 + n / 10, 2.05 + n / 10) for n in range(41)), _read(2.0, 6.0)]
    assert read_outage(others_go_on) == NOTHING


def test_slices_count_what_happened_in_them_and_nothing_outside():
    events = [
        Accepted(9.9, "before", 1, 9.0),
        Accepted(10.0, "a", 1, 9.5),
        Accepted(10.9, "b", 2, 10.8),
        Refused(11.2, "c", 503, ""),
        _read(11.0, 11.3),
        _read(11.0, 11.4, right=False),
        GaveUp(11.5, "c"),
        Accepted(12.0, "last", 3, 11.5),
        Accepted(12.1, "after", 4, 11.0),
    ]
    first, second = buckets(events, Interval(10.0, 12.0), 1.0)
    assert (first.start, first.accepted, first.refused, first.reads) == (10.0, 2, 0, 0)
    assert (first.p50, first.p99) == (pytest.approx(0.1), pytest.approx(0.5))
    assert (second.accepted, second.refused, second.reads, second.failed_reads, second.p99) == (1, 1, 2, 1, 0.5)
    assert len(buckets([], NOTHING, 0.1)) == 1
