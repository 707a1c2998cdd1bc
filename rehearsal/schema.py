"""The payments database before the migration: its schema, and as many payments as it is to have."""

from __future__ import annotations

from importlib import resources

import psycopg

ACCOUNTS = 1000
# Through the application's own tables and trigger, as years of payments would be; settled long ago.
_ACCOUNTS = "INSERT INTO account (id, name) SELECT n, 'merchant ' || n FROM generate_series(1, %s) n"
_PAYMENTS = """
INSERT INTO payment (account_id, amount, currency, status, details, created_at)
SELECT 1 + n %% %s, 0.01 * (1 + n %% 99999), (ARRAY['EUR', 'USD', 'GBP'])[1 + n %% 3], 'settled',
       jsonb_build_object('batch', n / 1000), now() - make_interval(mins => n)
FROM generate_series(1, %s) n
"""
_LEDGER = """
INSERT INTO ledger_entry (payment_id, place, amount, posted_at)
SELECT id, side.place, side.amount, created_at
FROM payment
CROSS JOIN LATERAL (VALUES ('account:' || account_id, -amount), ('settlement', amount)) side (place, amount)
"""
_KEYS = """
INSERT INTO idempotency_key (key, digest, payment_id)
SELECT 'batch-' || id, sha256(reference::bytea), id FROM payment
"""


def make_schema(dsn: str) -> None:
    """Create the application's types, tables, indexes and trigger in an empty database; its owner calls."""
    with psycopg.connect(dsn) as connection:
        connection.execute((resources.files("rehearsal") / "schema.sql").read_bytes())


def load(dsn: str, payments: int, accounts: int = ACCOUNTS) -> None:
    """Fill the database with accounts and settled payments, in one transaction, then have it analyzed."""
    with psycopg.connect(dsn) as connection:
        connection.execute(_ACCOUNTS, (accounts,))
        connection.execute(_PAYMENTS, (accounts, payments))
        connection.execute(_LEDGER)
        connection.execute(_KEYS)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("ANALYZE")
