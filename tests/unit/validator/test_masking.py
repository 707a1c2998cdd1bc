"""Card numbers: no more than the first six and the last four digits leave."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.validator.reports import changed, extra, missing, table
from validator.masking import Mask, is_masked, mask

_DIGITS = st.text("0123456789", min_size=13, max_size=19)
_GAPS = st.lists(st.sampled_from(["", " ", "-"]), min_size=19, max_size=19)


@st.composite
def _cards(draw: st.DrawFn) -> str:
    digits, gaps = draw(_DIGITS), draw(_GAPS)
    return "".join(digit + gap for digit, gap in zip(digits, gaps, strict=False)).strip(" -")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("4111111111111111", "411111••••••1111"),
        ("4111 1111 1111 1234", "4111 11•• •••• 1234"),
        ("3782-822463-10005", "3782-82••••-•0005"),
        ("4222222222222", "422222•••2222"),
        ("6304000000000000000", "630400•••••••••0000"),
        ("123456789012", "•••(12)"),
        ("63040000000000000001", "•••(20)"),
        ("card 4111111111111111", "•••(21)"),
        ("4111  1111 1111 1111", "•••(20)"),
        ("٤١١١١١١١١١١١١١١١", "•••(16)"),
        ("{4111111111111111}", "•••(18)"),
        ("", "•••(0)"),
    ],
)
def test_what_is_shown_of_a_value(text: str, shown: str) -> None:
    assert mask(text) == shown


@given(_cards())
def test_of_a_card_number_only_its_ends_are_shown(card: str) -> None:
    digits = re.sub("[ -]", "", card)
    shown = re.sub("[ -]", "", mask(card))
    assert shown == f"{digits[:6]}{'•' * (len(digits) - 10)}{digits[-4:]}"


@given(st.one_of(_cards(), st.text(), st.text("0123456789 -•()", max_size=40)))
def test_whatever_it_is_no_card_number_survives(text: str) -> None:
    assert not re.search(r"[0-9](?:[ -]*[0-9]){10}", mask(text))


@given(st.one_of(_cards(), st.text(), st.text("0123456789 -•()", max_size=40)))
def test_masking_twice_is_masking_once(text: str) -> None:
    assert mask(mask(text)) == mask(text)
    assert is_masked(mask(text))


def test_what_is_not_masked_is_known() -> None:
    assert not is_masked("4111111111111111")
    assert not is_masked("•••(12345678901)")
    assert not is_masked(None)


CARDS = ("4111111111111111", "5500005555555559", "4111 1111 1111 1234")


@pytest.mark.parametrize("name", ["card_number", "payments.card_number", "public.payments.card_number"])
def test_a_tables_document_is_masked_everywhere(name: str) -> None:
    document = table(
        "payments",
        "FAIL",
        changed(1, "equal after NFC", card_number=(CARDS[0], CARDS[1]), amount=("1.00", "2.00")),
        changed(2, card_number=(None, CARDS[2])),
        missing(3, card_number=CARDS[0]),
        extra(4, card_number=CARDS[1]),
        {"kind": "changed", "key": {"card_number": CARDS[2]}, "columns": {"amount": {"source": "1", "target": None}}},
        {"kind": "missing", "key": {"card_number": CARDS[1]}},
        {"kind": "pending", "key": {"card_number": CARDS[0]}},
    )
    before = json.dumps(document)
    masked = Mask([name]).document(document)
    text = json.dumps(masked, ensure_ascii=False)
    assert not any(card in text for card in CARDS)
    assert json.dumps(document) == before, "the document given stays as it is"
    assert masked["masked"] == ["card_number"]
    assert masked["differences"][0]["columns"] == {
        "card_number": {"source": "411111••••••1111", "target": "550000••••••5559"},
        "amount": {"source": "1.00", "target": "2.00"},
    }
    assert masked["differences"][0]["note"] == "equal after NFC"
    assert masked["differences"][1]["columns"]["card_number"] == {"source": None, "target": "4111 11•• •••• 1234"}
    assert masked["differences"][2]["row"]["source"]["card_number"] == "411111••••••1111"
    assert masked["differences"][2]["row"]["source"]["reference"] == "R-3"
    assert masked["pending"] == {"count": 1, "keys": [{"card_number": "411111••••••1111"}]}
    assert masked["missing"]["keys"] == [{"payment_id": "3"}, {"card_number": "550000••••••5559"}]
    assert Mask([name]).document(masked) == masked


@pytest.mark.parametrize("name", ["card", "public.accounts.card_number", "accounts.card_number", "Card_Number"])
def test_other_columns_are_left_alone(name: str) -> None:
    document = table("payments", "FAIL", missing(3, card_number=CARDS[0]))
    assert Mask([name]).document(document) == {**document, "masked": []}


def test_a_document_without_rows() -> None:
    assert Mask(["x"]).document({"schema": "s", "table": "t", "verdict": "FAIL"}) == {
        "schema": "s", "table": "t", "verdict": "FAIL", "differences": [], "masked": [],
    }  # fmt: skip


def test_numbers_are_masked_too() -> None:
    document = table("payments", "FAIL", {"kind": "missing", "key": {"card": 4111111111111111}})
    assert Mask(["card"]).document(document)["missing"]["keys"] == [{"card": "411111••••••1111"}]


def test_values_are_masked_one_by_one() -> None:
    show = Mask(("payments.card_number",)).of_table("public", "payments")
    assert show("card_number", CARDS[0]) == "411111••••••1111"
    assert show("card_number", None) is None
    assert show("amount", "10.00") == "10.00"


def test_names_that_mean_no_column_are_found() -> None:
    columns = [("public", "payments", "card_number"), ("public", "payments", "amount")]
    given_names = ["card_number", "public.payments.amount", "public.payments.card", "crad_number"]
    assert Mask(given_names).unmatched(columns) == ["crad_number", "public.payments.card"]
