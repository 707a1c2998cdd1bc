"""The tally finds every payment that was lost, doubled, altered or invented, and nothing where all is well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rehearsal.books import Books, Held
from rehearsal.events import Accepted, GaveUp, Read, Refused, Sent, Weighed
from rehearsal.tally import count


def _events(*orders):
    for number, order in enumerate(orders, 1):
        yield Sent(number, order, 7, "1.00", "EUR")
        yield Accepted(number + 0.5, order, number, number)


def _books(*orders, **changes):
    held = tuple(Held(order, number, 7, "1.00", "EUR") for number, order in enumerate(orders, 1))
    return replace(Books("aurora", held), **changes)


def _swap(books, **changes):
    """The books with their last payment changed."""
    return replace(books, held=(*books.held[:-1], replace(books.held[-1], **changes)))


def test_what_was_accepted_and_is_there_once_is_well():
    tally = count(_events("a", "b", "c"), _books("a", "b", "c"))
    assert (tally.accepted, tally.present, tally.lost, tally.doubled, tally.findings) == (3, 3, (), (), ())
    assert tally.passed
    assert tally.verdict == "passed: 3 payments accepted, none lost, none doubled"
    assert (tally.p50, tally.p99, tally.slowest_write) == (0.5, 0.5, 0.5)
    document = tally.document()
    assert (document["verdict"], document["lost"], document["doubled"]) == (tally.verdict, 0, 0)
    assert (document["write_pause_s"], document["read_outage_s"]) == (1.0, 0.0)


def test_a_payment_that_is_not_there_is_lost_also_when_only_the_other_database_has_it():
    events, kept = list(_events("a", "b", "c")), _books("a", "b")
    for others in ([], [_books("a", "b", "c")]):
        tally = count(events, kept, others)
        assert (tally.lost, tally.present, tally.doubled) == (("c",), 2, ())
        assert tally.verdict == "failed: 1 payment lost"
        assert tally.document()["examples"]["lost"] == ["c"]
        assert not tally.passed


def test_a_payment_that_is_there_twice_is_doubled_wherever_the_second_is():
    events, books = list(_events("a", "b")), _books("a", "b")
    again = Held("b", 9, 7, "1.00", "EUR")
    here = count(events, replace(books, held=(*books.held, again)))
    there = count(events, books, [Books("data center", (again,))])
    told = count([*events, Accepted(3.0, "b", 9, 2.0)], books)
    for tally in (here, there, told):
        assert (tally.doubled, tally.lost) == (("b",), ())
        assert tally.verdict == "failed: 1 payment doubled"
    assert count(events, books, [books]).passed


def test_asked_for_twice_and_answered_alike_is_one_payment():
    events = [*_events("a", "b"), Accepted(2.1, "b", 2, 2.0)]
    tally = count(events, _books("a", "b"))
    assert (tally.accepted, tally.passed) == (2, True)
    assert tally.p50 == pytest.approx(0.1)  # known to the client from the first answer on


@pytest.mark.parametrize(
    "change", [{"amount": "9.00"}, {"currency": "USD"}, {"account": 8}, {"payment": 5}, {"keys": 0}, {"keys": 2}]
)
def test_a_payment_that_is_another_than_was_asked_for_is_altered(change):
    tally = count(_events("a", "b"), _swap(_books("a", "b"), **change))
    assert (tally.altered, tally.lost, tally.doubled) == (("b",), (), ())
    assert tally.verdict == "failed: 1 payment altered"


def test_a_payment_that_nobody_asked_for_is_found():
    tally = count(_events("a"), _books("a", "x", "y"))
    assert tally.verdict == "failed: 2 payments in the database that nobody asked for"
    assert tally.unasked == ("x", "y")


def test_what_was_never_answered_may_be_there_or_not():
    unanswered = [*_events("a"), Sent(2.0, "b", 7, "1.00", "EUR"), Refused(2.1, "b", 0, "gone"), GaveUp(9.0, "b")]
    for books in (_books("a"), _books("a", "b")):
        tally = count(unanswered, books)
        assert (tally.passed, tally.given_up, tally.refused, tally.accepted) == (True, 1, 1, 1)
    late = count([*unanswered, Accepted(9.5, "b", 2, 2.0)], _books("a", "b"))
    assert late.given_up == 0  # one of two tries at once was given up, the other accepted


def test_ledger_and_history_that_are_wrong_are_found():
    tally = count(_events("a"), _books("a", unbalanced=(1, 2), noted_wrongly=(3,)))
    assert tally.findings == ("2 payments whose ledger does not sum to zero", "1 payment whose history is wrong")


def test_reads_that_did_not_find_the_payment_are_told_from_those_that_got_no_answer():
    reads = [Read(2.0, 1.9, 1, 503, right=False, reason="busy"), Read(2.1, 2.0, 1, 200, right=True)]
    unanswered = count([*_events("a"), *reads], _books("a"))
    assert (unanswered.passed, unanswered.reads, unanswered.failed_reads) == (True, 2, {"503 busy": 1})
    assert unanswered.read_outage.seconds == pytest.approx(0.2)
    assert unanswered.slowest_read == pytest.approx(0.1)
    for status in (200, 404):
        tally = count([*_events("a"), Read(2.0, 1.9, 1, status, right=False)], _books("a"))
        assert tally.verdict == "failed: 1 read of an accepted payment did not find it"


def test_a_run_that_accepted_nothing_proves_nothing():
    tally = count([Weighed(1.0, "l", {})], Books("aurora", ()))
    assert tally.findings == ("no payment was accepted: the run proves nothing",)
    assert tally.write_pause.seconds == 0
    assert tally.slowest_write == 0


def test_pauses_are_measured_over_the_time_in_which_payments_were_asked_for():
    events = [
        *_events("a", "b"),
        Refused(2.6, "c", 503, ""),
        Sent(2.55, "c", 7, "1.00", "EUR"),
        Accepted(5.5, "c", 3, 2.55),
    ]
    tally = count(events, _books("a", "b", "c"))
    assert (tally.write_pause.start, tally.write_pause.end) == (2.5, 5.5)
    assert tally.refusal_pause.seconds == pytest.approx(2.9)
    assert tally.document()["refusal_pause_s"] == 2.9
