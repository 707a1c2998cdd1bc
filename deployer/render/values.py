"""Values as a person may read them: nothing invisible, nothing secret, no longer than helps."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher

HIDDEN = "(hidden)"
KNOWN_LATER = "(known only when applied)"

_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}  # controls, bidirectional overrides, zero-width characters, …
_SECRET_KEYS = re.compile(
    r"(^|[._-])(secret_?string|(master_?(user_?)?)?password|auth_?token|private_?key|secret_?(access_?)?key"
    r"|client_?secret|access_?token|api_?key|credentials?)$",
    re.IGNORECASE,
)
_SECRET_NAMES = re.compile(r"passw(or)?d|secret|token|api_?key|private_?key|credential", re.IGNORECASE)
_SECRET_TEXTS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(AKIA|ASIA)[0-9A-Z]{16}\b|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+"
    r"|\bgh[pousr]_\w{30,}|\b[a-z][a-z0-9+.-]*://[^\s/:@]+:[^\s/@]+@"
)
_REFERENCE = re.compile(r"\{\{resolve:[^}]*\}\}|arn:[^\s]*")
_WORDS = re.compile(r"\w+|\W")
_MARKED_AT_MOST = 4000  # characters; comparing longer texts word by word would cost seconds
_ALIKE = 0.3


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a value, and whether the other side has it too."""

    text: str
    changed: bool


def visible(text: str) -> str:
    r"""The text on one line, what the eye cannot see written as an escape: "\n", "\x1b", "\u202e".

    A value may hold a terminal's control sequences, or characters that reorder what is read:
    https://trojansource.codes/
    """
    if text.isprintable():  # nearly every one, at a hundredth of the cost
        return text
    return "".join(_escape(char) if unicodedata.category(char) in _INVISIBLE else char for char in text)


def _escape(char: str) -> str:
    short = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(char)
    if short:
        return short
    code = ord(char)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - the escapes' own widths


def is_secret(key: str, name: str, value: str) -> bool:
    """Whether a value must not be shown: by its key, by the name beside it ("DB_PASSWORD", key "Value"), by its looks.

    A reference to a secret (ARN, dynamic reference) is none.
    """
    if _SECRET_TEXTS.search(value):
        return True
    named = _SECRET_KEYS.search(key) or (key == "Value" and _SECRET_NAMES.search(name))
    return bool(named) and not _REFERENCE.fullmatch(value)


def quoted(text: str) -> str:
    """The text, in quotes where its ends would not be seen: empty, or with blanks around it."""
    return f'"{text}"' if text != text.strip() or not text else text


def shorten(text: str, limit: int) -> str:
    """The text in `limit` characters, its middle left out."""
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 3
    return f"{text[: limit - 1 - tail]}…{text[len(text) - tail :]}"


def excerpts(before: str, after: str, limit: int) -> tuple[str, str]:
    """Both texts in `limit` characters each, so that what differs is seen."""
    if len(before) <= limit and len(after) <= limit:
        return before, after
    head, tail = _common(before, after)
    context = max(limit // 4, 1)
    start, end = max(head - context, 0), max(tail - context, 0)
    return tuple(  # type: ignore[return-value]  # a tuple of two, made by a loop
        shorten(f"{'…' if start else ''}{text[start : len(text) - end]}{'…' if end else ''}", limit)
        for text in (before, after)
    )


def _common(before: str, after: str) -> tuple[int, int]:
    """Lengths of the common beginning and, beyond it, of the common end."""
    most = min(len(before), len(after))
    head = next((index for index in range(most) if before[index] != after[index]), most)
    tail = next((index for index in range(most - head) if before[-1 - index] != after[-1 - index]), most - head)
    return head, tail


def marked(before: str, after: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Both texts in parts, word by word; texts that have little in common are changed as a whole."""
    whole = (Part(before, changed=True),), (Part(after, changed=True),)
    if len(before) + len(after) > _MARKED_AT_MOST:
        return whole
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return whole
    left: list[Part] = []
    right: list[Part] = []
    for operation, a, b, c, d in matcher.get_opcodes():
        changed = operation != "equal"
        left.append(Part("".join(old[a:b]), changed))
        right.append(Part("".join(new[c:d]), changed))
    return tuple(part for part in left if part.text), tuple(part for part in right if part.text)
