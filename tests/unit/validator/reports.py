"""Reports as the engine makes them, for every way to show them."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

from validator.masking import Mask
from validator.report import summarise

HOSTILE = "a\"'`|<img src=x onerror=alert(1)>&\n\x1b[31m\u202e</style></script>${x}\\"
TYPES = {
    "payment_id": "bigint",
    "amount": "numeric(12,2)",
    "currency": "character(3)",
    "reference": "text",
    "card_number": "character varying(19)",
    "rate": "double precision",
    "place": "point",
    "created_at": "timestamp with time zone",
}


def row(number: int, **changes: str | None) -> dict[str, str | None]:
    return {
        "payment_id": str(number),
        "amount": "10.00",
        "currency": "EUR",
        "reference": f"R-{number}",
        "rate": "3ff0000000000000",
        "created_at": "2026-11-30 08:00:00+00",
        **changes,
    }


def changed(number: int, note: str = "", **columns: tuple[str | None, str | None]) -> dict[str, Any]:
    sides = {name: {"source": source, "target": target} for name, (source, target) in columns.items()}
    return {"kind": "changed", "key": {"payment_id": str(number)}, "columns": sides, **({"note": note} if note else {})}


def missing(number: int, **changes: str | None) -> dict[str, Any]:
    return {"kind": "missing", "key": {"payment_id": str(number)}, "row": {"source": row(number, **changes)}}


def extra(number: int, **changes: str | None) -> dict[str, Any]:
    return {"kind": "extra", "key": {"payment_id": str(number)}, "row": {"target": row(number, **changes)}}


def table(
    name: str = "payments", verdict: str = "FAIL", *differences: dict[str, Any], **changes: Any
) -> dict[str, Any]:
    """A table's document, its counts and keys those of the differences."""
    kinds = ("missing", "extra", "changed", "pending")
    by_kind = {kind: [item for item in differences if item["kind"] == kind] for kind in kinds}
    columns: dict[str, int] = {}
    for item in by_kind["changed"]:
        for column in item.get("columns", ()):
            columns[column] = columns.get(column, 0) + 1
    return {
        "schema": "public",
        "table": name,
        "verdict": verdict,
        "rows": {"source": 5_000_000, "target": 5_000_000 + len(by_kind["extra"]) - len(by_kind["missing"])},
        **{
            kind: {"count": len(items), "keys": [item["key"] for item in items if item["key"]]}
            for kind, items in by_kind.items()
        },
        "settled": 0,
        "columns": columns,
        "differences": list(differences),
        "reason": "",
        "notes": [],
        "key": ["payment_id"],
        "seconds": 12.5,
        "bytes": {"source": 3_000_000, "target": 3_000_000},
        "types": TYPES,
        "generated": [],
        "identity": [],
        **changes,
    }


def differing() -> dict[str, Any]:
    """All kinds of differences that a reader must be able to tell apart."""
    payments = table(
        "payments",
        "FAIL",
        changed(17, amount=("10.00", "10.01")),
        changed(18, amount=("1250.00", "-1250.00"), currency=("EUR", "USD")),
        changed(19, reference=("invoice 7", "invoice 7 ")),
        changed(20, "equal after NFC", reference=("Café", unicodedata.normalize("NFD", "Café"))),
        changed(21, reference=("10 000 €", "10\xa0000 €")),
        changed(22, reference=(None, "")),
        changed(23, reference=("a", "\u0430")),
        changed(24, rate=("3ff8000000000000", "3ff8000000000001"), place=("40080000", "40080001")),
        changed(25, card_number=("4111111111111111", "4111111211111111")),
        changed(26, created_at=("2026-11-30 08:00:00.000001+00", "2026-11-30 08:00:00+00")),
        *(missing(number) for number in range(100, 111)),
        missing(111, card_number="5500005555555559"),
        *(extra(number) for number in (-1, -2)),
        rows={"source": 5_000_000, "target": 4_999_990},
    )
    return summarise(
        "20261130T080000Z-1a2b3c4d",
        [
            Mask(["public.payments.card_number"]).document(payments),
            table("accounts", "PASS", rows={"source": 1_000_000, "target": 1_000_000}, seconds=2.5),
            table("customers", "PASS", rows={"source": 500_000, "target": 500_000}, seconds=1.25, settled=12),
            table(
                "ledger",
                "INCONCLUSIVE",
                pending={"count": 1, "keys": [{"account_id": "7", "entry": "3"}]},
                rows={"source": 2_000_000, "target": 2_000_000},
                reason="1 row was still in flight after 60 s",
            ),
            table(
                "audit_log",
                "FAIL",
                {"kind": "missing", "key": {}, "row": {"source": {"at": "2026-11-30", "what": "signed in"}}},
                rows={"source": 200_000, "target": 199_999},
                key=[],
                reason="it has no key: rows are compared by how often they occur",
            ),
        ],
        skipped=[{"schema": "public", "name": "recent", "kind": "view"}],
        sequences=[
            {"schema": "public", "name": "payments_id_seq", "source": 5_000_111, "target": 1, "verdict": "FAIL"},
            {"schema": "public", "name": "ledger_id_seq", "source": 7, "target": 7, "verdict": "PASS"},
        ],
        source={"version": 15.18},
        target={"version": 17.11},
        marker={"lsn": "0/16B3748"},
        started_at="2026-11-30T08:00:00Z",
        seconds=31.25,
    )


def equal() -> dict[str, Any]:
    return summarise(
        "20261130T090000Z",
        [table(name, "PASS") for name in ("accounts", "payments")],
        skipped=[{"schema": "public", "name": name, "kind": "view"} for name in ("recent", "totals")],
        sequences=[{"schema": "public", "name": "payments_id_seq", "source": 7, "target": 8, "verdict": "PASS"}],
        started_at="2026-11-30T09:00:00Z",
        seconds=30,
        mode="incremental",
    )


def cut() -> dict[str, Any]:
    return summarise("20261130T100000Z", [], problem="lost the connection to the source: it was reset")


def hostile() -> dict[str, Any]:
    """Every name and value the worst that a database may hold."""
    one = {
        "kind": "changed",
        "key": {HOSTILE: HOSTILE},
        "columns": {HOSTILE: {"source": HOSTILE, "target": f"{HOSTILE}x"}},
        "note": HOSTILE,
    }
    gone = {"kind": "missing", "key": {HOSTILE: "1"}, "row": {"source": {HOSTILE: HOSTILE}}}
    found = table(
        HOSTILE,
        "FAIL",
        one,
        gone,
        schema=HOSTILE,
        reason=HOSTILE,
        notes=[HOSTILE],
        types={HOSTILE: "text"},
        key=[HOSTILE],
    )
    return summarise(
        HOSTILE,
        [found],
        problem=HOSTILE,
        skipped=[{"schema": HOSTILE, "name": HOSTILE, "kind": HOSTILE}],
        sequences=[{"schema": HOSTILE, "name": HOSTILE, "source": None, "target": 1, "verdict": "FAIL"}],
        source={"version": HOSTILE},
        marker={HOSTILE: HOSTILE},
        started_at=HOSTILE,
    )


@cache
def many() -> dict[str, Any]:
    """Ten tables of 1,000 detailed differences each, and more that are only counted."""
    tables = [
        table(
            f"table_{place}",
            "FAIL",
            *(
                changed(number, amount=(f"{number}.00", f"{number}.01"), reference=("x" * 40, "x" * 39))
                for number in range(800)
            ),
            *(missing(number) for number in range(1_000, 1_200)),
        )
        for place in range(10)
    ]
    tables[0]["changed"]["count"] = 4_000
    return summarise("20261130T110000Z", tables, seconds=60)


CASES = {"differing": differing, "equal": equal, "cut": cut, "hostile": hostile, "many": many}
