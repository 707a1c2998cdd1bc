"""What a run may be asked to do."""

from __future__ import annotations

from typing import Any

import pytest

from validator.errors import UsageError
from validator.order import Order, read_order, run_id_of


def test_what_is_left_out_is_as_the_deployment_has_it() -> None:
    assert read_order({}, 60, 600) == Order(60, 600)
    assert read_order({}, 60, 600, 50) == Order(60, 600, max_share_percent=50)


def test_everything_given() -> None:
    given = {
        "settle_seconds": 0,
        "deadline_seconds": 1.5,
        "incremental": True,
        "baseline": False,
        "sequences": True,
        "without_large_objects": True,
        "marker": "m",
        "tables": ["payments", "public.ledger"],
        "max_share_percent": 12.5,
        "run_id": "run-1_A",
    }
    order = read_order(given, 60, 600)
    assert order == Order(0, 1.5, True, False, True, True, "m", ("payments", "public.ledger"), 12.5)
    assert Order.of(order.document()) == order
    assert read_order({"marker": None}, 1, 1).marker is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], r"the input of a run is not a JSON object \(start it with \{\}\)"),
        ({"settle": 1}, r"the input of a run has 'settle', which is not known \(known are settle_seconds, "),
        ({"settle_seconds": -1}, "settle_seconds is -1, not a number of seconds from 0 to 86400"),
        ({"settle_seconds": True}, "settle_seconds is True, not a number of seconds"),
        ({"deadline_seconds": "60"}, "deadline_seconds is '60', not a number of seconds"),
        ({"deadline_seconds": 86401}, "deadline_seconds is 86401, not a number of seconds"),
        ({"incremental": 1}, "incremental is 1, not true or false"),
        ({"sequences": "yes"}, "sequences is 'yes', not true or false"),
        ({"max_share_percent": 0}, "max_share_percent is 0, not a number above 0 and at most 100"),
        ({"max_share_percent": 100.5}, "max_share_percent is 100.5, not a number above 0 and at most 100"),
        ({"max_share_percent": True}, "max_share_percent is True, not a number above 0"),
        ({"max_share_percent": "50"}, "max_share_percent is '50', not a number above 0"),
        ({"marker": ""}, "marker is '', neither null nor the id of a marker"),
        ({"marker": 7}, "marker is 7, neither null nor the id of a marker"),
        ({"tables": "payments"}, r"tables is 'payments', not a list of table names \(leave it out to compare all\)"),
        ({"tables": []}, r"tables is \[\], not a list of table names"),
        ({"tables": [""]}, r"tables is \[''\], not a list of table names"),
        ({"tables": [1]}, r"tables is \[1\], not a list of table names"),
        ({"run_id": "../other"}, r"run_id is '\.\./other', not the id of a run: up to 80 letters, digits, - and _"),
        ({"run_id": None}, "run_id is None, not the id of a run"),
    ],
)
def test_what_is_wrong_is_said(given: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_order(given, 60, 600)


def test_a_run_has_the_name_of_its_execution_unless_it_takes_up_an_earlier_one() -> None:
    assert run_id_of({}, "0312267a-54d0") == "0312267a-54d0"
    assert run_id_of({"run_id": "earlier"}, "0312267a-54d0") == "earlier"
    with pytest.raises(UsageError, match="run_id is 'a/b'"):
        run_id_of({}, "a/b")
