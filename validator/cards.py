"""Card data that nobody marked: numbers that look like those of cards, and columns that are named like them.

Marking columns is the rule; this is for what was forgotten. A number counts as a card's with 13 to 19 digits, a first
digit that card networks use, and a right check digit (ISO/IEC 7812-1), so that few other numbers are hidden.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from validator.masking import Mask, mask

_NUMBER = re.compile(r"(?<![0-9])[2-6](?:[ -]?[0-9]){12,18}(?![0-9])")
# By what PCI DSS calls account data, in the spellings that columns have.
_NAMES = re.compile(
    r"(card|credit_?card|debit_?card|card_?(number|no|num|nr|pan)|pan|primary_?account_?number"
    r"|cvv2?|cvc2?|cid|card_?verification_?(code|value)|track_?(data|1|2|one|two)|pin|pin_?block)",
    re.IGNORECASE,
)


def is_named_like_card_data(column: str) -> bool:
    """Whether a column's name says that it holds account data."""
    return _NAMES.fullmatch(column) is not None


def hiding(marked: Mask, schema: str, table: str) -> Callable[[str, str | None], str | None]:
    """What hides the values of one table's card columns: those that are marked, and those named like ones."""
    hide_marked = marked.of_table(schema, table)

    def hide(column: str, value: str | None) -> str | None:
        if value is not None and is_named_like_card_data(column):
            return mask(value)
        return hide_marked(column, value)

    return hide


def hide_card_numbers(text: str) -> str:
    """The text with every number in it that looks like a card's masked."""
    return _NUMBER.sub(lambda found: mask(found[0]) if _checks(found[0]) else found[0], text)


def _checks(number: str) -> bool:
    """Whether the check digit is right, by Luhn."""
    digits = [int(sign) for sign in reversed(number) if sign.isdigit()]
    return sum(digit if place % 2 == 0 else sum(divmod(digit * 2, 10)) for place, digit in enumerate(digits)) % 10 == 0
