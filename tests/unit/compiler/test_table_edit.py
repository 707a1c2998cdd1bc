"""Editing the text of params/lifecycle.yaml: it says what was meant, and nothing else of it changes."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.table_edit import rewrite
from settings.errors import ParamsError
from settings.lifecycle_table import Entry, Table, parse_table

TEXT = (Path(__file__).parents[3] / "params" / "lifecycle.yaml").read_text()
TABLE = parse_table(TEXT, "params/lifecycle.yaml")
DATES = st.dates(date(2000, 1, 1), date(2150, 12, 31))
WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12)
ENTRIES = st.builds(
    Entry,
    ends=st.none() | DATES,
    no_new_after=st.none() | DATES,
    extended_until=st.none() | DATES,
    gone=st.booleans(),
    refused=st.just("") | WORDS,
    note=st.just("") | WORDS,
)
VERSIONS = st.from_regex(r"\A[0-9]{1,2}\.[0-9]{1,2}(\.[0-9])?\Z") | st.from_regex(
    r"\A[a-z][a-z0-9]{0,5}-[a-z0-9]{1,5}\Z"
)


# What is changed of the real table: {product: (checked_on, majors, versions)}; versions that others move to stay alive.
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        name: st.tuples(
            DATES,
            st.dictionaries(st.sampled_from(["13", "17", "19"]), ENTRIES, max_size=2)
            if product.majors
            else st.just({}),
            st.dictionaries(
                st.sampled_from(sorted(set(product.versions) - set(product.move_to))) | VERSIONS, ENTRIES, max_size=4
            ),
        )
        for name, product in TABLE.products.items()
    },
)
Changes = dict[str, tuple[date, dict[str, Entry], dict[str, Entry]]]


def changed(changes: Changes) -> Table:
    products = dict(TABLE.products)
    for name, (checked_on, majors, versions) in changes.items():
        product = products[name]
        products[name] = dataclasses.replace(
            product,
            checked_on=checked_on,
            majors={**product.majors, **majors},
            versions={**product.versions, **{v: e for v, e in versions.items() if v not in product.move_to}},
        )
    return Table(TABLE.file, products)


def entries_of(table: Table) -> dict[tuple[str, str, str], Entry]:
    return {
        (product.name, section, version): entry
        for product in table.products.values()
        for section in ("majors", "versions")
        for version, entry in getattr(product, section).items()
    }


@settings(deadline=None)
@given(CHANGES)
def test_the_edited_text_says_what_the_table_says(changes: Changes) -> None:
    wanted = changed(changes)
    assert parse_table(rewrite(TEXT, wanted), TABLE.file) == wanted


@settings(deadline=None)
@given(CHANGES)
def test_an_edit_keeps_every_comment_in_its_place_and_every_line_that_did_not_change(changes: Changes) -> None:
    edited = rewrite(TEXT, changed(changes)).splitlines()
    comments = [line.partition("#")[2] for line in TEXT.splitlines() if "#" in line]
    remaining = iter(edited)
    assert all(any(line.endswith(comment) for line in remaining) for comment in comments), "a comment is lost or moved"
    before, after = entries_of(TABLE), entries_of(changed(changes))
    differing = {key for key, entry in after.items() if before.get(key) != entry}
    groups = [
        {(name, "versions", version) for version in words.split()}
        for name, product in yaml.load(TEXT, Loader=yaml.BaseLoader).items()
        for words in product.get("gone", {}).values()
    ]
    touched = sum(bool(group & differing) for group in groups)
    emptied = sum(group <= differing for group in groups)
    out_of_groups = len(differing & set().union(*groups))
    dates = sum(checked_on != TABLE.products[name].checked_on for name, (checked_on, _, _) in changes.items())
    lines = TEXT.splitlines()
    assert len(edited) == len(lines) + len(differing - before.keys()) + out_of_groups - emptied
    in_place = len(differing & before.keys()) - out_of_groups
    assert sum(line in edited for line in lines) >= len(lines) - in_place - touched - dates


@settings(deadline=None)
@given(CHANGES)
def test_every_known_entry_can_be_changed_and_changed_back(changes: Changes) -> None:
    there = changed(changes)
    back = Table(
        TABLE.file,
        {
            name: dataclasses.replace(
                product,
                versions={**there.products[name].versions, **product.versions},
                majors={**there.products[name].majors, **product.majors},
            )
            for name, product in TABLE.products.items()
        },
    )
    assert parse_table(rewrite(rewrite(TEXT, there), back), TABLE.file) == back


def edit(text: str, product: str, versions: dict[str, Entry]) -> str:
    table = parse_table(text, "x")
    wanted = dict(table.products)
    wanted[product] = dataclasses.replace(wanted[product], versions={**wanted[product].versions, **versions})
    return rewrite(text, Table("x", wanted))


def lines_around(text: str, part: str) -> tuple[str, str, str]:
    lines = text.splitlines()
    index = next(i for i, line in enumerate(lines) if part in line)
    return lines[index - 1].strip(), lines[index].strip(), lines[index + 1].strip()


@pytest.mark.parametrize(
    ("version", "above"),
    [
        ("17.8", '"17.7": {ends: 2030-02-28, note: LTS}'),
        ("17.12", '"17.11": {}'),
        ("11.1", "versions:"),
        ("18.10", '"18.6": {}'),
    ],
)
def test_a_new_version_stands_where_its_number_puts_it(version: str, above: str) -> None:
    edited = edit(TEXT, "aurora-postgresql", {version: Entry()})
    assert lines_around(edited, f'"{version}"')[:2] == (above, f'"{version}": {{}}')


def test_new_versions_at_one_place_are_in_order() -> None:
    edited = edit(TEXT, "dms", {"3.10.0": Entry(), "3.7.0": Entry(), "3.9.1": Entry()})
    assert lines_around(edited, '"3.9.1"') == ('"3.7.0": {}', '"3.9.1": {}', '"3.10.0": {}')


def test_a_version_that_is_offered_again_leaves_the_gone_block() -> None:
    edited = edit(TEXT, "aurora-postgresql", {"13.21": Entry(), "9.6.22": Entry()})
    assert '"13": 13.3 13.4 13.5 13.6 13.7 13.8 13.10 13.11 13.12 13.13 13.14 13.15 13.16 13.18 13.20 13.22\n' in edited
    assert '"13.21": {}\n' in edited
    assert '\n  gone:\n    "10": 10.7 10.21\n' in edited, "a group of which nothing is left goes too"
    assert '    "10": "10.7"\n' in edit(TEXT, "aurora-postgresql", {"10.21": Entry()}), "one number alone needs quotes"


def test_the_gone_block_may_lose_its_last_version() -> None:
    versions = [version for version, entry in TABLE.products["dms"].versions.items() if entry == Entry(gone=True)]
    edited = edit(TEXT, "dms", dict.fromkeys(versions, Entry()))
    assert lines_around(edited, "since withdrawn")[2] == "gone:"
    assert parse_table(edited, "x").products["dms"].versions["3.3.4"] == Entry()
    assert not any(line.endswith(" ") for line in edited.splitlines())


def test_an_empty_gone_block_is_no_obstacle() -> None:
    text = TEXT.replace("fargate:\n", "fargate:\n  gone: ~\n")
    assert '    "1.5.0": {}\n' in edit(text, "fargate", {"1.5.0": Entry()})


def test_fields_keep_their_order_and_unchanged_ones_their_text() -> None:
    text = TEXT.replace(
        "{no_new_after: 2027-01-31, ends: 2027-03-31}", "{ note: 'as it is',  no_new_after: 2027-01-31 }"
    )
    edited = edit(text, "dms", {"3.5.4": Entry(no_new_after=date(2027, 2, 1), ends=date(2027, 3, 31), note="as it is")})
    assert "\"3.5.4\": {note: 'as it is', no_new_after: 2027-02-01, ends: 2027-03-31}\n" in edited


def test_a_field_that_no_longer_holds_is_taken_out() -> None:
    edited = edit(TEXT, "rds-ca", {"rds-ca-2019": Entry(ends=date(2024, 8, 22))})
    assert "rds-ca-2019: {ends: 2024-08-22}\n" in edited


def test_line_ends_and_a_missing_last_one_stay() -> None:
    windows = edit(TEXT.replace("\n", "\r\n"), "dms", {"3.7.0": Entry()})
    assert '"3.7.0": {}\r\n' in windows
    assert windows.replace("\r\n", "").count("\n") == 0
    cut = edit(TEXT.rstrip("\n"), "elb-tls", {"ELBSecurityPolicy-Z": Entry()})
    assert cut.splitlines()[-1] == "    ELBSecurityPolicy-Z: {}"


@pytest.mark.parametrize("layout", ["no majors", "empty majors", "versions in one line"])
def test_a_layout_that_cannot_be_edited_is_refused_and_not_spoilt(layout: str) -> None:
    if layout == "versions in one line":
        block = TEXT[TEXT.index("    rds-ca-2015") : TEXT.index("\nelb-tls")]
        inline = ", ".join(line.strip() for line in block.strip().splitlines())
        text = TEXT.replace("  versions:\n" + block, f"  versions: {{{inline}}}\n")
        product, majors, versions = "rds-ca", {}, {"rds-ca-new": Entry()}
    else:
        text = TEXT.replace("fargate:\n", "fargate:\n  majors: {}\n") if layout == "empty majors" else TEXT
        product, majors, versions = "fargate", {"1": Entry(ends=date(2026, 11, 24))}, {}
    table = parse_table(text, "x")
    facts = table.products[product]
    wanted = dataclasses.replace(facts, majors=majors, versions={**facts.versions, **versions})
    with pytest.raises(ParamsError, match="cannot be written into the file as it is laid out"):
        rewrite(text, Table("x", {**table.products, product: wanted}))


def test_an_edit_of_nothing_is_nothing() -> None:
    assert rewrite(TEXT, TABLE) == TEXT
