"""What a database holds after a run: the payments that carry an order number, and whether its whole ledger balances."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

_HELD = """
SELECT details ->> 'order', payment.id, account_id, amount::text, currency,
       (SELECT count(*) FROM idempotency_key WHERE payment_id = payment.id AND key = details ->> 'order')
FROM payment WHERE details ->> 'order' IS NOT NULL
"""
# Two entries of the payment's amount, one each way; one note of its first status. Of all payments, old ones too.
_UNBALANCED = """
SELECT payment.id FROM payment
LEFT JOIN (
  SELECT payment_id, count(*) AS entries, sum(amount) AS total, max(amount) AS moved
  FROM ledger_entry GROUP BY payment_id
) posted ON posted.payment_id = payment.id
WHERE (entries, total, moved) IS DISTINCT FROM (2, 0, payment.amount)
UNION
SELECT payment_id FROM ledger_entry WHERE NOT EXISTS (SELECT FROM payment WHERE payment.id = payment_id)
ORDER BY 1
"""
_NOTED_WRONGLY = """
SELECT payment.id FROM payment LEFT JOIN (
  SELECT payment_id, count(*) AS notes FROM payment_history GROUP BY payment_id
) noted ON noted.payment_id = payment.id
WHERE notes IS DISTINCT FROM 1
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A payment in a database; `keys`: how many idempotency keys lead to it, which must be one."""

    order: str
    payment: int
    account: int
    amount: str
    currency: str
    keys: int = 1


@dataclass(frozen=True, slots=True)
class Books:
    """What a database holds: payments with an order number; ids of those whose ledger or history is wrong."""

    name: str
    held: tuple[Held, ...]
    unbalanced: tuple[int, ...] = ()
    noted_wrongly: tuple[int, ...] = ()


def read_books(name: str, dsn: str) -> Books:
    """Read a database in one snapshot; `name` is what the tally calls it. Raises psycopg.Error."""
    with psycopg.connect(dsn) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        held = tuple(Held(*row) for row in connection.execute(_HELD))
        unbalanced = tuple(row[0] for row in connection.execute(_UNBALANCED))
        noted_wrongly = tuple(row[0] for row in connection.execute(_NOTED_WRONGLY))
    return Books(name, held, unbalanced, noted_wrongly)
