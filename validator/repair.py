"""The differences of a run → SQL for the target that makes the rows of the source of them; nobody but a person runs it.

Each statement names what the comparison saw and does nothing to a row that has changed since. All of it is one
transaction that ends in ROLLBACK until its reader makes that COMMIT. What cannot be written, or must not be (card data
is masked, some types are compared by a digest), is a comment that says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from validator.literals import comment, found_by, identifier, literal, seen, written
from validator.masking import is_masked
from validator.naming import quote
from validator.wording import count_of, name_of, number, plural, printable

_VERBS = {"extra": "delete it", "changed": "update it", "missing": "insert it"}
_AND = "\n   AND "
_HEAD = (
    "Run it on the target with psql, and read what each statement says: DELETE 1, UPDATE 1 or INSERT 0 1 when it did",
    "its work, 0 when the row is no longer as the comparison saw it; then compare again instead of forcing it.",
    "It ends in ROLLBACK: change that to COMMIT when all is as you want it. Stop replication of these tables first.",
    "Triggers and foreign keys apply; where triggers must not fire, and only then, use the line that is commented out.",
)
# As the comparison's own sessions write values; only those that decide what a text means.
_SETTINGS = (
    "SET LOCAL standard_conforming_strings = on;",
    "SET LOCAL client_encoding = 'UTF8';",
    "SET LOCAL timezone = 'UTC';",
    "SET LOCAL datestyle = 'ISO, YMD';",
    "SET LOCAL intervalstyle = 'iso_8601';",
    "SET LOCAL bytea_output = 'hex';",
    "SET LOCAL lc_monetary = 'C';",
    "SET LOCAL extra_float_digits = 3;",
    "SET LOCAL xmloption = 'content';",
    "SET CONSTRAINTS ALL DEFERRED;",
    "-- SET LOCAL session_replication_role = 'replica';",
)


def repair_sql(report: Mapping[str, Any], *, most: int | None = None) -> str:
    """The script; of at most `most` statements, and it says how many it left out. "" when there is nothing to mend.

    It covers the differences that the report details; its counts may be higher. Rows in flight are left alone.
    """
    tables = [table for table in report["tables"] if table["verdict"] == "FAIL" and table.get("differences")]
    sequences = [item for item in report.get("sequences", ()) if item.get("verdict") == "FAIL"]
    if not tables and not sequences:
        return ""
    room = most
    lines = [comment(f"Repair of the target, by run {report['run_id']}: {plural(len(tables), 'table')}.")]
    lines += [comment(line) for line in _HEAD]
    lines += ["BEGIN;", *_SETTINGS]
    for table in tables:
        told, statements, left_out = _Repair.of(table).render(room)
        lines += ["", *told]
        if left_out:
            lines.append(comment(f"{plural(left_out, 'statement')} left out here; repair.sql has them all."))
        room = None if room is None else room - statements
    if sequences:
        lines += ["", comment("Sequences: ROLLBACK does not undo setval, so that each is left to you.")]
        lines += map(_sequence, sequences)
    lines += ["", "ROLLBACK;", comment("COMMIT;")]
    return "\n".join(lines) + "\n"


def _sequence(item: Mapping[str, Any]) -> str:
    name = literal(f"{quote(item['schema'])}.{quote(item['name'])}")
    value = item.get("source")
    if not isinstance(value, int):
        return comment(f"{name}: the source's value is not known.")
    return comment(f"SELECT pg_catalog.setval({name}, {value});")


@dataclass(frozen=True, slots=True)
class _Repair:
    """One table's differences, and what is known of its columns."""

    name: str
    title: str
    target: str
    differences: list[Mapping[str, Any]]
    types: Mapping[str, str]
    generated: frozenset[str]
    identity: frozenset[str]
    masked: frozenset[str]
    count: int
    by_hand: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> _Repair:
        """What a table's document says. Rows of tables that inherit are compared apart, and mended apart."""
        name = f"{identifier(table['schema'])}.{identifier(table['table'])}"
        return cls(
            name=name,
            title=name_of(table),
            target=f"ONLY {name}" if table.get("partitioned") is False else name,
            differences=table["differences"],
            types=table.get("types", {}),
            generated=frozenset(table.get("generated", ())),
            identity=frozenset(table.get("identity", ())),
            masked=frozenset(table.get("masked", ())),
            count=sum(count_of(table, kind) for kind in _VERBS),
        )

    def render(self, most: int | None) -> tuple[list[str], int, int]:
        """Lines, number of statements in them, number of statements left out."""
        lines: list[str] = []
        statements = left_out = 0
        unnamed: Counter[str] = Counter()
        for kind in _VERBS:  # deletions first: what they free, the others may use
            for item in self.differences:
                if item["kind"] != kind:
                    continue
                if most is not None and statements >= most:
                    left_out += 1
                    continue
                if self._is_hidden(item.get("key", {})):
                    unnamed[kind] += 1
                    continue
                told, is_statement = self._one(item)
                lines += told
                statements += is_statement
        lines += [
            comment(f"By hand: {plural(count, 'row')} {kind}, whose key is masked; find them by comparing the source.")
            for kind, count in unnamed.items()
        ]
        detailed = sum(item["kind"] in _VERBS for item in self.differences)
        head = [comment(f"{self.title}: {plural(detailed, 'difference')}")]
        if detailed < self.count:
            head.append(comment(f"{number(self.count - detailed)} more are not detailed: compare again after this."))
        if self.by_hand:
            columns = ", ".join(f"{column} ({self.types.get(column, 'type not known')})" for column in self.by_hand)
            head.append(comment(f"By hand: the value of {columns} is not in the report; copy it from the source."))
        return head + lines, statements, left_out

    def _is_hidden(self, row: Mapping[str, str | None]) -> bool:
        return any(column in self.masked or is_masked(value) for column, value in row.items())

    def _one(self, item: Mapping[str, Any]) -> tuple[list[str], bool]:
        if not item.get("key"):
            return self._keyless(item), False
        unknown = [column for column in self._columns(item) if column not in self.types]
        if unknown:
            self.by_hand.update(unknown)
            return [self._leave(item, f"the type of {', '.join(unknown)} is not known")], False
        if item["kind"] == "changed" and item.get("columns"):
            return self._update(item["key"], item["columns"])
        side = "source" if item["kind"] == "missing" else "target"
        row = item.get("row", {}).get(side)
        if not row:
            return [self._leave(item, item.get("note") or "the report does not hold its values")], False
        if self._is_hidden(row):
            return [self._leave(item, "it holds card data, which is masked here: copy it from the source")], False
        return self._insert(item, row) if side == "source" else self._delete(item, row)

    @staticmethod
    def _columns(item: Mapping[str, Any]) -> list[str]:
        """Every column that a statement about the row would name."""
        rows = item.get("row", {}).values()
        return sorted({*item["key"], *item.get("columns", ()), *(column for row in rows for column in row)})

    def _leave(self, item: Mapping[str, Any], reason: str) -> str:
        key = ", ".join(f"{identifier(column)} = {literal(value)}" for column, value in item["key"].items())
        return comment(f"By hand: row {item['kind']}, {key}; {_VERBS[item['kind']]} yourself: {printable(reason)}.")

    def _update(self, key: Mapping[str, str | None], columns: Mapping[str, Any]) -> tuple[list[str], bool]:
        item = {"kind": "changed", "key": key}
        if any(self._is_hidden({column: values[side]}) for column, values in columns.items() for side in values):
            reason = f"{', '.join(sorted(columns))}: card data is masked here, copy it from the source"
            return [self._leave(item, reason)], False
        writable = {column: values for column, values in columns.items() if column not in self.generated}
        values = {column: self._value(column, sides["source"]) for column, sides in writable.items()}
        unwritten = sorted(column for column, value in values.items() if value is None or column in self.identity)
        lines = [self._leave(item, f"{', '.join(unwritten)} cannot be written from here")] if unwritten else []
        changes = [f"{identifier(column)} = {value}" for column, value in values.items() if column not in unwritten]
        if not changes:
            follows = "all that differs is generated: it follows the columns that it is generated from"
            return lines or [self._leave(item, follows)], False
        guard = [found_by(column, value, self.types[column]) for column, value in key.items()]
        guard += [seen(column, values["target"], self.types[column]) for column, values in columns.items()]
        statement = f"UPDATE {self.target} SET {', '.join(changes)}\n WHERE {_AND.join(guard)};"
        return [*lines, statement], True

    def _insert(self, item: Mapping[str, Any], row: Mapping[str, str | None]) -> tuple[list[str], bool]:
        values = {column: self._value(column, value) for column, value in row.items() if column not in self.generated}
        unwritten = sorted(column for column, value in values.items() if value is None)
        if unwritten:
            return [self._leave(item, f"{', '.join(unwritten)} cannot be written from here")], False
        overriding = " OVERRIDING SYSTEM VALUE" if self.identity & values.keys() else ""
        guard = _AND.join(found_by(column, value, self.types[column]) for column, value in item["key"].items())
        return [
            f"INSERT INTO {self.name} ({', '.join(map(identifier, values))}){overriding}\n"
            f" SELECT {', '.join(map(str, values.values()))}\n"
            f" WHERE NOT EXISTS (SELECT FROM {self.target} WHERE {guard});"
        ], True

    def _delete(self, item: Mapping[str, Any], row: Mapping[str, str | None]) -> tuple[list[str], bool]:
        guard = [found_by(column, value, self.types[column]) for column, value in item["key"].items()]
        guard += [seen(column, value, self.types[column]) for column, value in row.items() if column not in item["key"]]
        return [f"DELETE FROM {self.target}\n WHERE {_AND.join(guard)};"], True

    def _value(self, column: str, text: str | None) -> str | None:
        """The constant to write, or None and a mark on the column that somebody must do it."""
        value = written(text, self.types[column])
        if value is None:
            self.by_hand[column] += 1
        return value

    def _keyless(self, item: Mapping[str, Any]) -> list[str]:
        """Rows without a key: a second run would insert or delete another one, so nothing is done without a thought."""
        row: Mapping[str, str | None] = next(iter(item.get("row", {}).values()), {})
        if self._is_hidden(row):
            return [comment(f"By hand: row {item['kind']} in a table without key, with card data: masked here.")]
        told = ", ".join(f"{identifier(column)} = {literal(value)}" for column, value in row.items())
        times = f", {item['note']}" if item.get("note") else ""
        return [comment(f"By hand, once: row {item['kind']} in a table without key{times}: {told}")]
