"""What the Lambda function is told by its environment, which validator/handler.py lists."""

from __future__ import annotations

import os

from validator.cards import hiding
from validator.comparison import Options
from validator.errors import UsageError
from validator.masking import Mask
from validator.order import Order
from validator.plan import RANGE_ROWS
from validator.settle import Patience
from validator.variables import names, number, text

_HASHES = ("auto", "fast", "md5")


def schemas() -> tuple[str, ...]:
    """The schemas that are compared. Raises `UsageError` for none."""
    text("SCHEMAS")
    return tuple(names("SCHEMAS"))


def share() -> float:
    """The greatest part of its time that a connection may keep the source busy. Raises `UsageError`."""
    found = number("MAX_SHARE")
    if not 0 < found <= 1:
        raise UsageError(f"the environment variable MAX_SHARE is {found:g}, not above 0 and at most 1")
    return found


def cards() -> Mask:
    """Which columns hold card data."""
    return Mask(names("CARD_COLUMNS"))


def options(order: Order) -> Options:
    """How to compare, where `order` says what to wait for. Raises `UsageError`."""
    mask = cards()
    chosen = os.environ.get("HASH", "auto")
    if chosen not in _HASHES:
        raise UsageError(f"the environment variable HASH is {chosen!r}", hint="known are " + ", ".join(_HASHES))
    return Options(
        hash=chosen,  # type: ignore[arg-type]  # one of them
        patience=Patience(order.settle_seconds, order.deadline_seconds),
        share=order.max_share_percent / 100,
        range_rows=min(RANGE_ROWS, int(number("ITEM_ROWS"))),
        mask=lambda table: hiding(mask, table.schema, table.name),
    )
