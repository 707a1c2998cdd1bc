"""What the application takes for a payment, and what it refuses."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from rehearsal.application import Refusal, read_order, read_places
from rehearsal.errors import RehearsalError

GOOD = {"account": 7, "amount": "12.30", "currency": "EUR", "details": {"order": "o"}}


def _order(key="key", **changes):
    return read_order(key, json.dumps({**GOOD, **changes}).encode())


def test_a_payment_is_read_to_the_cent():
    order = _order()
    assert (order.key, order.account, order.amount, order.currency) == ("key", 7, Decimal("12.30"), "EUR")
    assert order.details == {"order": "o"}
    assert read_order("key", b'{"account": 7, "amount": 0.1, "currency": "EUR"}').amount == Decimal("0.1")


def test_the_digest_is_the_same_for_the_same_payment_only():
    assert _order(amount="12.3").digest == _order(amount=12.30).digest == _order("another").digest
    digests = {
        _order(**change).digest for change in ({}, {"account": 8}, {"amount": 1}, {"currency": "USD"}, {"details": {}})
    }
    assert len(digests) == 5


@pytest.mark.parametrize("key", [None, "", "a b", "é", "x" * 201])
def test_a_key_that_is_none_is_refused(key):
    with pytest.raises(Refusal, match="Idempotency-Key"):
        _order(key)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"3", b'{"account": 7}', b'{"account": 7, "amount": "x", "currency": "EUR"}']
)
def test_a_body_that_is_no_payment_is_refused(body):
    with pytest.raises(Refusal, match="JSON object with account, amount and currency"):
        read_order("key", body)


@pytest.mark.parametrize(
    ("change", "problem"),
    [({"amount": amount}, "above 0, with two") for amount in ("0", "-1", "0.001", "NaN", "Infinity", 10**12)]
    + [({"account": account}, "account must") for account in ("7", 7.5, True, None)]
    + [({"currency": currency}, "three capital") for currency in ("eur", "EURO", 978)]
    + [({"details": []}, "details must")],
)
def test_values_that_make_no_sense_are_refused(change, problem):
    with pytest.raises(Refusal, match=problem):
        _order(**change)


def test_the_databases_come_from_the_environment():
    assert read_places({"DATABASE_AURORA": "a", "HOME": "/"}) == {"aurora": "a"}
    with pytest.raises(RehearsalError, match="no database") as refused:
        read_places({})
    assert "DATABASE_DATA_CENTER and DATABASE_AURORA" in refused.value.hint
