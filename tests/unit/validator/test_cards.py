"""Card data that nobody marked."""

from __future__ import annotations

import pytest

from validator.cards import hide_card_numbers, hiding, is_named_like_card_data
from validator.masking import Mask


@pytest.mark.parametrize(
    "name", ["pan", "PAN", "card_number", "cardNumber", "credit_card", "cvv", "track2", "pin_block"]
)
def test_names_of_card_data(name: str) -> None:
    assert is_named_like_card_data(name)


@pytest.mark.parametrize("name", ["company", "span", "card_id", "cardinality", "description", "pins"])
def test_names_of_other_data(name: str) -> None:
    assert not is_named_like_card_data(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("4111111111111111", "411111••••••1111"),
        ("by 5555-5555-5555-4444.", "by 5555-55••-••••-4444."),
        ("378282246310005", "378282•••••0005"),
        ("4111111111111112", "4111111111111112"),  # a wrong check digit
        ("1234567890123456789012", "1234567890123456789012"),  # too long
        ("9111111111111111", "9111111111111111"),  # no network's
        ("no number", "no number"),
    ],
)
def test_numbers_in_texts(text: str, shown: str) -> None:
    assert hide_card_numbers(text) == shown


def test_marked_columns_and_named_ones_are_hidden_and_no_others() -> None:
    hide = hiding(Mask(("public.t.secret",)), "public", "t")
    assert [hide(column, "value") for column in ("secret", "pan", "note")] == ["•••(5)", "•••(5)", "value"]
    assert hide("pan", None) is None
