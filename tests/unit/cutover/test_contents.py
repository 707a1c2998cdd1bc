"""The listing of a dump: entries told apart, keys put before the load, and what must not be made left out."""

from __future__ import annotations

from cutover.contents import Keys, choose, count, parse

LISTING = """;
; Archive created at 2026-11-30 12:00:00 UTC
;     dbname: payments
;
; Selected TOC Entries:
;
6; 2615 16386 SCHEMA - ledger postgres
5; 2615 2200 SCHEMA - public pg_database_owner
3500; 0 0 COMMENT - SCHEMA public pg_database_owner
2; 3079 16400 EXTENSION - hstore
3501; 0 0 COMMENT - EXTENSION hstore
220; 1259 16410 TABLE ledger my payments postgres
222; 0 0 TABLE ATTACH ledger payments_1 postgres
3510; 0 0 COMMENT ledger TABLE payments postgres
230; 1259 16500 FOREIGN TABLE ledger far postgres
231; 1417 16501 USER MAPPING - USER MAPPING postgres SERVER elsewhere postgres
3340; 2606 16420 CONSTRAINT ledger my payments payments_pkey postgres
3341; 2606 16421 CONSTRAINT ledger my payments payments_code_key postgres
3342; 1259 16422 INDEX ledger payments_by_date postgres
3343; 0 0 INDEX ATTACH ledger payments_1_pkey postgres
3344; 0 0 INDEX ATTACH ledger payments_1_by_date postgres
3345; 2606 16430 FK CONSTRAINT ledger my payments payments_account_fkey postgres
3346; 3466 16440 EVENT TRIGGER - awsdms_intercept_ddl postgres
3347; 3466 16441 EVENT TRIGGER - ours postgres
3348; 2620 16442 TRIGGER ledger my payments stamp postgres
3349; 9999 16443 NEWFANGLED THING ledger x postgres
"""
KEYS = Keys(frozenset({16420}), frozenset({"ledger payments_1_pkey "}))


def _choose(section: str, *without: str) -> list[str]:
    entries = parse(LISTING)
    before = [entry for entry in entries if int(entry.line.split(";")[0]) < 3340 or entry.kind == "COMMENT"]
    after = [entry for entry in entries if entry not in before]
    return [entry.line.split(";")[0] for entry in choose(section, before, after, KEYS, without)]


def test_kinds_and_oids() -> None:
    entries = {entry.line.split(";")[0]: entry for entry in parse(LISTING)}
    assert len(entries) == 20
    assert (entries["222"].kind, entries["222"].oid, entries["222"].rest) == (
        "TABLE ATTACH",
        0,
        "ledger payments_1 postgres",
    )
    assert entries["3345"].kind == "FK CONSTRAINT"
    assert str(entries["3340"]) == "CONSTRAINT ledger my payments payments_pkey postgres"
    assert entries["3349"].kind == "NEWFANGLED"


def test_keys_go_before_the_load_and_the_rest_after() -> None:
    assert _choose("pre-data") == ["6", "2", "220", "222", "3510", "230", "3340", "3343"]
    assert _choose("post-data") == ["3341", "3342", "3344", "3345", "3347", "3348", "3349"]


def test_an_extension_can_be_done_without() -> None:
    assert _choose("pre-data", "hstore") == ["6", "220", "222", "3510", "230", "3340", "3343"]


def test_they_are_counted_for_people() -> None:
    assert count(parse(LISTING)[8:12]) == "2 constraint, 1 foreign table, 1 user mapping"
    assert count([]) == "nothing"
