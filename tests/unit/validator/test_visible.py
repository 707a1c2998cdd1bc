"""Where two values differ, and what the eye cannot see in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validator.visible import Piece, compared, pieces


def _text(found: list[Piece]) -> str:
    return "".join(f"[{piece.text}]" if piece.name else piece.text for piece in found)


def _marked(found: list[Piece]) -> str:
    return "".join(f"<{piece.text}>" if piece.changed else piece.text for piece in found)


@pytest.mark.parametrize(
    ("before", "after", "left", "right"),
    [
        ("10.00", "10.01", "10.0<0>", "10.0<1>"),
        ("1250.00", "-1250.00", "1250.00", "<->1250.00"),
        ("EUR", "USD", "<EUR>", "<USD>"),
        ("invoice 7", "invoice 7 ", "invoice 7", "invoice 7<SP>"),
        ("a b", "a  b", "a b", "aSP<SP>b"),
        ("10 000", "10\xa0000", "10<SP>000", "10<NBSP>000"),
        ("Café", "Cafe\u0301", "Caf<é><U+00E9>", "Caf<e><U+0301>"),
        ("a", "\u0430", "<a>", "<\u0430><U+0430>"),
        ("a\nb", "a\r\nb", "aLFb", "a<CR>LFb"),
        ("ABCDEF", "ABXDEF", "AB<C>DEF", "AB<X>DEF"),
        ("abcdeXfghijY", "abcdefghij", "abcde<X>fghij<Y>", "abcdefghij"),
        ("same", "same", "same", "same"),
    ],
)
def test_what_differs_is_marked(before: str, after: str, left: str, right: str) -> None:
    found = compared(before, after)
    assert (_marked(found[0]), _marked(found[1])) == (left, right)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        (" both ends ", "[SP]both ends[SP]"),
        ("two  blanks", "two[SP][SP]blanks"),
        ("a\tb\x1b[31m", "a[TAB]b[U+001B][31m"),
        ("\ufeffa\u200bb\u202ec", "[BOM]a[ZWSP]b[U+202E]c"),
        ("Cafe\u0301 日本", "Cafe\u0301 日本"),
        ("", ""),
    ],
)
def test_one_value_shows_what_the_eye_cannot_see(text: str, shown: str) -> None:
    assert _text(pieces(text)) == shown


def test_a_character_is_called_by_its_name() -> None:
    assert pieces("\xa0") == [Piece("NBSP", name="no-break space U+00A0")]
    assert pieces("\x00") == [Piece("U+0000", name="character U+0000")]
    assert compared("", " ")[1] == [Piece("SP", changed=True, name="space U+0020")]


def test_long_values_are_cut_where_they_are_the_same() -> None:
    before, after = f"{'a' * 5_000}X{'b' * 5_000}", f"{'a' * 5_000}Y{'b' * 5_000}"
    left, _ = compared(before, after)
    assert [piece.name for piece in left if piece.name] == ["4,920 characters left out", "4,920 characters left out"]
    assert _marked(left) == f"…{'a' * 80}<X>{'b' * 80}…"


def test_a_long_value_by_itself_is_cut_at_its_end() -> None:
    (head, cut) = pieces("x" * 5_000)
    assert (head.text, cut.name) == ("x" * 2_000, "3,000 characters left out")


def test_long_differences_are_not_compared_character_by_character() -> None:
    left, right = compared("é" * 500, "è" * 500)
    assert left == [Piece("é" * 500, changed=True)]
    assert right == [Piece("è" * 500, changed=True)]


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_is_lost_and_only_equal_parts_are_unmarked(before: str, after: str) -> None:
    left, right = compared(before, after)

    def same(found: list[Piece]) -> tuple[str, list[str]]:
        """What is unmarked; blanks apart, since those at an end have a name."""
        kept = [piece for piece in found if not piece.changed]
        letters = "".join(piece.text for piece in kept if not piece.name).replace(" ", "")
        return letters, [piece.name for piece in kept if piece.name and piece.name != "space U+0020"]

    assert same(left) == same(right)
    if before != after:
        assert any(piece.changed for piece in (*left, *right))
    plain = [piece.text for piece in pieces(before) if not piece.name]
    assert "".join(plain).replace(" ", "") == "".join(
        character for character in before if character.isprintable() and character != " "
    )
