"""Columns → SQL: the canonical text of a row, its hash, and the text and hash of its key.

A row's hash is injective but for collisions of the hash itself: two rows that differ in any value, in a NULL, or in
which column a value stands in, are hashed from different input. That is a seed, a mask of the NULLs, the values of
fixed alphabets, and the free texts each by itself. (concat_ws leaves NULLs out; the mask says which.) The hash covers
the whole row at once, so that values exchanged between two rows do not cancel out in a sum.

Two hashes:

* `fast`, 64 bits: hashtextextended and uuid_hash_extended, chained through their seed. Where both servers are
  PostgreSQL 11 or later, write UTF-8, and answer a probe alike: a server of another byte order does not.
* `md5`, 128 bits, as two 64-bit halves: on any PostgreSQL from 10 on.

The hashes that PostgreSQL has for other types are not used on values: they leave out the sign of numerics, fold bigints
to 32 bits and hash enums by oid. (Integers are folded by halves here, which loses nothing.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from validator.canonical import Form
from validator.model import HashName
from validator.naming import quote

# A call takes at most 100 arguments, separator included. https://www.postgresql.org/docs/current/limits.html
_ARGUMENTS = 90
_MASK_BITS = 62
# In these encodings the server's bytes are compared as they are; those of others are converted to UTF-8 first.
_UNCONVERTED = ("UTF8", "SQL_ASCII")
_NO_UUID = "'00000000-0000-0000-0000-000000000000'::uuid"
# Answers that differ between byte orders and, should PostgreSQL ever change its hash functions, between versions.
PROBE = """
SELECT concat_ws(' ',
    hashtextextended('probe é€ |' COLLATE "C", 7), hashint8extended(81985529216486895, 7),
    uuid_hash_extended('01234567-89ab-cdef-0123-456789abcdef', 7)
)
"""


@dataclass(frozen=True, slots=True)
class Term:
    """One column of one side, and the form that both sides compare it in.

    `nullable` when it may be NULL on either side; `type` is SQL of its type, without length.
    """

    column: str
    form: Form
    nullable: bool = True
    type: str = ""
    row: str = "r"

    @property
    def reference(self) -> str:
        """The column of a row, which is called `row`."""
        return f"{self.row}.{quote(self.column)}"

    @property
    def value(self) -> str:
        """SQL of its canonical value, NULL for NULL."""
        return self.form.template.replace("{}", self.reference)

    @property
    def display(self) -> str:
        """SQL of its value as text for people."""
        return f"({(self.form.display or self.form.template).replace('{}', self.reference)})::text"

    @property
    def built_in(self) -> bool:
        """Whether its type is PostgreSQL's own."""
        return self.type.startswith('"pg_catalog".')

    @property
    def integer(self) -> bool:
        """Whether both sides keep it as a whole number of at most 64 bits."""
        return self.form.family == "number" and self.form.integer


@dataclass(frozen=True, slots=True)
class RowSql:
    """SQL about the rows of one side, called `r`.

    `terms` stand in the order that both sides share; `key` are those that tell rows apart. `small_keys`: the key is one
    whole number of 32 bits in every row, as far as is known.
    """

    terms: tuple[Term, ...]
    key: tuple[Term, ...]
    hash: HashName
    encoding: str
    seed: int
    small_keys: bool = False

    def row_hash(self) -> str:
        """SQL of a row's hash: bigint for `fast`, 32 hexadecimal digits for `md5`. Never NULL."""
        return self._fast(self.terms) if self.hash == "fast" else self._md5(self.terms)

    def sums(self, hashed: str) -> str:
        """SQL of the order-free sums of `hashed`, as one text; exact, and sums of parts add up."""
        if self.hash == "fast":
            return f"coalesce(sum({hashed}), 0)::text"
        halves = f"('x' || {hashed})::bit(64)::bigint", f"('x' || substr({hashed}, 17))::bit(64)::bigint"
        return "concat_ws(' ', " + ", ".join(f"coalesce(sum({half}), 0)" for half in halves) + ")"

    def low_bits(self, hashed: str) -> str:
        """SQL of 31 bits of a row's hash, as an integer."""
        if self.hash == "fast":
            return f"({hashed} & 2147483647)"
        return f"(('x' || {hashed})::bit(31)::int & 2147483647)"

    def key_bits(self) -> str:
        """SQL of 31 bits that only the key decides, spread evenly."""
        if len(self.key) == 1 and self.key[0].integer:
            # Numbers made of a time, a machine and a counter differ little in their lowest bits.
            number = f"{self.key[0].reference}::bigint"
            return f"(({number} # ({number} >> 11) # ({number} >> 22) # ({number} >> 41)) & 2147483647)"
        if self.hash == "fast":
            return f"({self._fast(self.key)} & 2147483647)"
        return f"(('x' || {self._md5(self.key)})::bit(31)::int & 2147483647)"

    def key_hash(self, row: str = "r") -> str:
        """SQL of a strong hash of the key alone, of the same kind as `row_hash`, for a row called `row`."""
        key = tuple(replace(term, row=row) for term in self.key)
        if self.hash == "fast" and len(key) == 1 and key[0].integer:
            number = key[0].reference
            if self.small_keys:
                # The cast fails for a larger number, so that none is ever hashed as another.
                return f"hashint4extended({number}::int4, {self.seed})"
            number = f"{number}::bigint"
            return f"hashint8extended({number} >> 32, hashint8extended({number} & 4294967295, {self.seed}))"
        return self._fast(key) if self.hash == "fast" else self._md5(key)

    def key_line(self) -> str:
        """SQL of the key as one word: its values joined by commas, those that are not plain in hexadecimal."""
        return f"concat_ws(',', {', '.join(self._word(term) for term in self.key)})"

    def key_fields(self, word: str) -> list[str]:
        """What `has_key` takes of a word of `key_line`: the word itself, then the text of each value."""
        values = word.split(",")
        return [word, *(self._field(term, value) for term, value in zip(self.key, values, strict=True))]

    def has_key(self, fields: Sequence[str]) -> str:
        """SQL that is true of the rows of this key, `key_fields` given as SQL; an index of the key helps."""
        same = [self._has_value(term, field) for term, field in zip(self.key, fields[1:], strict=True)]
        # The same value may be written in two ways, 1.0 and 1.00; and a loose collation holds more to be the same.
        return " AND ".join([*same, f"{self.key_line()} = {fields[0]}"])

    def _field(self, term: Term, value: str) -> str:
        # What is no UTF-8 on the other side is no value of this one.
        return value if _is_plain(term) or self._by_bytes(term) else bytes.fromhex(value).decode(errors="replace")

    def _has_value(self, term: Term, field: str) -> str:
        """The other side's value may be none of this side's type: too great, or a label or a letter that it lacks."""
        if self._by_bytes(term):
            value = term.reference if term.form.family == "bytea" else self._bytes(term.value)
            return f"{value} = decode({field}, 'hex')"
        if term.form.family == "number":
            return f"{term.reference} = {field}::{'bigint' if term.integer else 'numeric'}"
        return f"{term.reference} = {field}::{term.type}"

    def _by_bytes(self, term: Term) -> bool:
        free = term.form.free and (self.encoding != "UTF8" or not term.built_in)
        return free or term.form.family == "bytea"

    def key_text(self, place: int, word: str) -> str:
        """The canonical text of the key's column of a word of `key_line`."""
        term = self.key[place]
        if _is_plain(term):
            return word
        return f"\\x{word}" if term.form.family == "bytea" else bytes.fromhex(word).decode("utf-8", "replace")

    def _word(self, term: Term) -> str:
        if _is_plain(term):
            return term.reference
        if term.form.family == "bytea":
            return f"encode({term.reference}, 'hex')"
        return f"encode({self._bytes(f'({term.value})::text')}, 'hex')"

    def _bytes(self, text: str) -> str:
        return f"convert_to({text}, '{'UTF8' if self.encoding not in _UNCONVERTED else self.encoding}')"

    def _fast(self, terms: Sequence[Term]) -> str:
        """Hash calls nested in each other, the innermost first; free texts alone, so that none needs a separator."""
        chain = str(self.seed)
        plain: list[str] = []
        for term in terms:
            if term.form.family == "uuid":
                value = f"coalesce({term.reference}, {_NO_UUID})" if term.nullable else term.reference
                chain = f"uuid_hash_extended({value}, {chain})"
            elif term.form.free:
                value = f"coalesce({term.value}, '')" if term.nullable else term.value
                chain = f'hashtextextended({value} COLLATE "C", {chain})'
            else:
                plain.append(term.value)
        values = [*_masks(terms), *plain]
        for start in range(0, len(values), _ARGUMENTS):
            chain = f'hashtextextended({_call(values[start : start + _ARGUMENTS])} COLLATE "C", {chain})'
        return chain

    def _md5(self, terms: Sequence[Term]) -> str:
        text = self._text(terms)
        bytes_of = text if self.encoding in _UNCONVERTED else f"convert_to({text}, 'UTF8')"
        # Else it would have the collation of the columns, or none to be found where those differ.
        return f'(md5({bytes_of}) COLLATE "C")'

    def _text(self, terms: Sequence[Term]) -> str:
        fixed = [term.value for term in terms if not term.form.free]
        free = [term.value for term in terms if term.form.free]
        if self.encoding in _UNCONVERTED:
            lengths = [f"octet_length({value})" for value in free]
        else:
            lengths = [f"octet_length(convert_to({value}, 'UTF8'))" for value in free]
        return _joined([f"'{self.seed}'", *_masks(terms), *fixed, *lengths, *free])


def _is_plain(term: Term) -> bool:
    return term.integer or term.form.family == "uuid"


def _masks(terms: Sequence[Term]) -> list[str]:
    """One bigint per 62 columns that may be NULL, a bit for each NULL."""
    nullable = [term for term in terms if term.nullable]
    return [
        " + ".join(
            f"CASE WHEN {term.reference} IS NULL THEN {1 << bit} ELSE 0 END::bigint"
            for bit, term in enumerate(nullable[start : start + _MASK_BITS])
        )
        for start in range(0, len(nullable), _MASK_BITS)
    ]


def _joined(values: list[str]) -> str:
    while len(values) > _ARGUMENTS:
        values = [_call(values[start : start + _ARGUMENTS]) for start in range(0, len(values), _ARGUMENTS)]
    return _call(values)


def _call(values: Sequence[str]) -> str:
    return f"concat_ws('|', {', '.join(values)})"
