"""The part of the page about rows: tables that differ, by column and key, and each differing row before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pages.markup import Markup, joined, tag
from validator.literals import readable
from validator.visible import Piece, compared, pieces
from validator.wording import KINDS, count_of, counts, looked_at, name_of, number, plural, printable

DRAWN = 1_000  # differences in the page; a browser opens these at once
_DRAWN_OF_A_TABLE = 200
_KEYS = 100  # of each kind and table
_COLUMNS = 40  # of a row, and of the list of columns that differ
_SAME = "the same where it is shown; it differs in what is masked"


def badge(verdict: str) -> Markup:
    """A verdict as a sign that does not need its colour."""
    return tag("span", verdict, class_=f"badge {verdict.lower()}")


class Tables:
    """The tables of a report, loudest first, drawn until the page is full."""

    def __init__(self, tables: list[Mapping[str, Any]]) -> None:
        self.told = [(place, table) for place, table in enumerate(tables) if self.is_told(table)]

    @staticmethod
    def is_told(table: Mapping[str, Any]) -> bool:
        """Whether there is more to say of a table than its line in the list."""
        return bool(counts(table))

    def render(self) -> Iterator[Markup]:
        """The filter, then each table."""
        room = DRAWN
        parts: list[Markup] = []
        drawn: Counter[str] = Counter()
        for place, table in self.told:
            most = min(room, _DRAWN_OF_A_TABLE)
            shown = table.get("differences", ())[:most]
            parts.append(_table(place, table, shown))
            room -= len(shown)
            drawn.update(item["kind"] for item in shown)
        if drawn:
            yield _filter([(place, printable(name_of(table))) for place, table in self.told], drawn)
        yield from parts


def _filter(tables: list[tuple[int, str]], drawn: Counter[str]) -> Markup:
    """The controls; the script shows them, as they do nothing without it."""
    search = tag(
        "div",
        tag("label", "Search", for_="search"),
        tag(
            "input",
            type="search",
            id="search",
            autocomplete="off",
            spellcheck="false",
            placeholder="key, column, value",
        ),
        class_="field wide",
    )
    return tag(
        "div",
        search,
        _select("table", [(f"table-{place}", name) for place, name in tables]),
        _select("kind", [(kind, kind) for kind in KINDS if drawn[kind]]),
        tag(
            "div",
            tag("p", plural(drawn.total(), "row"), role="status", id="shown"),
            tag("button", "Expand all", type="button", id="expand"),
            tag("button", "Collapse all", type="button", id="collapse"),
            tag("button", "Reset", type="button", id="reset"),
            class_="buttons",
        ),
        role="search",
        aria_label="Differing rows",
        id="filter",
        hidden=True,
    )


def _select(name: str, options: Iterable[tuple[str, str]]) -> Markup:
    listed = (tag("option", label, value=value) for value, label in (("", "any"), *options))
    return tag("div", tag("label", name.capitalize(), for_=name), tag("select", *listed, id=name), class_="field")


def _table(place: int, table: Mapping[str, Any], drawn: list[Mapping[str, Any]]) -> Markup:
    name = f"table-{place}"
    total = sum(count_of(table, kind) for kind in KINDS if kind != "pending")
    notes = [printable(note) for note in (table.get("reason"), *table.get("notes", ())) if note]
    rest = []
    if len(drawn) < total:
        rest.append(
            tag(
                "p",
                f"{number(len(drawn))} of {plural(total, 'differing row')} are drawn here; {_where(table, total)}.",
                class_="capped",
            )
        )
    return tag(
        "section",
        tag("h3", printable(name_of(table)), " ", badge(table["verdict"]), id=f"{name}-heading"),
        tag("p", f"{counts(table)}.", class_="told"),
        *(tag("p", note, class_="note") for note in notes),
        *_columns(table),
        *_keys(table),
        *(_difference(item, table.get("types", {})) for item in drawn),
        *rest,
        id=name,
        class_="table",
        aria_labelledby=f"{name}-heading",
    )


def _where(table: Mapping[str, Any], total: int) -> str:
    detailed = len(table.get("differences", ()))
    return (
        "report.json has all" if detailed >= total else f"report.json details {number(detailed)}, its counts are exact"
    )


def _columns(table: Mapping[str, Any]) -> Iterator[Markup]:
    """Changed rows by column, each with a bar: as SVG, since the page's policy lets no element style itself."""
    found = sorted((table.get("columns") or {}).items(), key=lambda item: (-item[1], item[0]))
    if not found:
        return
    most = found[0][1]
    rows = [
        tag(
            "tr",
            tag("th", tag("code", printable(name)), scope="row"),
            tag("td", number(count), class_="figure"),
            tag("td", _bar(count / most), class_="bar"),
        )
        for name, count in found[:_COLUMNS]
    ]
    head = tag(
        "tr", tag("th", "Column", scope="col"), tag("th", f"Changed rows{looked_at(table)}", scope="col"), tag("td")
    )
    yield tag("table", tag("thead", head), tag("tbody", *rows), class_="columns")
    if len(found) > _COLUMNS:
        yield tag("p", f"and {plural(len(found) - _COLUMNS, 'more column')}", class_="capped")


def _bar(share: float) -> Markup:
    bar = tag("rect", width=f"{max(share * 100, 1):.1f}", height=8, rx=1)
    return tag("svg", bar, viewBox="0 0 100 8", preserveAspectRatio="none", aria_hidden="true", focusable="false")


def _keys(table: Mapping[str, Any]) -> Iterator[Markup]:
    for kind in KINDS:
        keys = [key for key in (table.get(kind) or {}).get("keys", ()) if key]
        if not keys:
            continue
        more = count_of(table, kind) - len(keys[:_KEYS])
        rest = [tag("li", f"and {number(more)} more")] if more > 0 else []
        listed = tag("ul", *(tag("li", _key(key)) for key in keys[:_KEYS]), *rest)
        summary = tag("summary", f"Keys of rows {kind}: {number(count_of(table, kind))}")
        yield tag("details", summary, listed, class_="keys")


def _key(key: Mapping[str, Any]) -> Markup:
    parts = (
        joined(tag("span", printable(column), class_="name"), " ", tag("code", *_value(value)))
        for column, value in key.items()
    )
    return tag(
        "span",
        *(part for place, each in enumerate(parts) for part in (([", "] if place else []) + [each])),
        class_="key",
    )


def _difference(item: Mapping[str, Any], types: Mapping[str, str]) -> Markup:
    kind = item["kind"]
    key = _key(item["key"]) if item.get("key") else tag("span", "a row without key", class_="key")
    columns = item.get("columns", {})
    what = [tag("span", ", ".join(map(printable, columns)), class_="what")] if columns else []
    summary = tag("summary", tag("span", kind, class_="kind"), " ", key, " ", *what)
    body = (
        [_changed(columns, types)] if columns else [_row(side, row, types) for side, row in item.get("row", {}).items()]
    )
    note = [tag("p", printable(item["note"]), class_="note")] if item.get("note") else []
    return tag("details", summary, *body, *note, class_=f"difference {kind}", data_kind=kind, open=bool(columns))


def _changed(columns: Mapping[str, Any], types: Mapping[str, str]) -> Markup:
    rows = []
    for column, values in columns.items():
        before, after = _shown(values["source"], values["target"], types.get(column, ""))
        left, right = _both(before, after)
        alike = tag("span", _SAME, class_="same") if before == after else ""
        rows.append(
            tag(
                "tr",
                tag("th", tag("code", printable(column)), *([" ", alike] if alike else []), scope="row"),
                tag("td", *left, class_="old"),
                tag("td", *right, class_="new"),
            )
        )
    head = tag("tr", *(tag("th", name, scope="col") for name in ("Column", "Source", "Target")))
    return tag("table", tag("thead", head), tag("tbody", *rows), class_="values")


def _row(side: str, row: Mapping[str, Any], types: Mapping[str, str]) -> Markup:
    shown = list(row.items())
    rows = [
        tag(
            "tr",
            tag("th", tag("code", printable(column)), scope="row"),
            tag(
                "td",
                *_value(_shown(value, value, types.get(column, ""))[0]),
                class_="old" if side == "source" else "new",
            ),
        )
        for column, value in shown[:_COLUMNS]
    ]
    if len(shown) > _COLUMNS:
        rows.append(tag("tr", tag("td", f"and {plural(len(shown) - _COLUMNS, 'more column')}", colspan=2)))
    head = tag("tr", tag("th", "Column", scope="col"), tag("th", f"Only on the {side}", scope="col"))
    return tag("table", tag("thead", head), tag("tbody", *rows), class_="values row")


def _shown(before: str | None, after: str | None, type_: str) -> tuple[str | None, str | None]:
    """Binary forms as what they stand for, unless that would make the two sides look the same."""
    decoded = tuple(value and (readable(value, type_) or value) for value in (before, after))
    return (before, after) if decoded[0] == decoded[1] and before != after else (decoded[0], decoded[1])


def _both(before: str | None, after: str | None) -> tuple[list[Markup], list[Markup]]:
    if not before or not after:
        return _value(before, mark="del"), _value(after, mark="ins")
    left, right = compared(before, after)
    return [_piece(piece, "del") for piece in left], [_piece(piece, "ins") for piece in right]


def _value(value: str | None, mark: str = "") -> list[Markup]:
    if value is None or not value:
        nothing = tag("span", "NULL" if value is None else "empty text", class_="nothing")
        return [tag(mark, nothing) if mark else nothing]
    return [_piece(Piece(piece.text, bool(mark), piece.name), mark) for piece in pieces(value)]


def _piece(piece: Piece, mark: str) -> Markup:
    shown = (
        tag("span", piece.text, class_="char", role="img", aria_label=piece.name, title=piece.name)
        if piece.name
        else joined(piece.text)
    )
    return tag(mark, shown) if piece.changed else shown
