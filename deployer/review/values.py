"""Property values as texts: canonical, short enough for a line, and cut into tokens that can be compared."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from deployer.changes import PropertyChange

_LONGEST = 60
_TOKEN = re.compile(r"\d+(?:\.\d+)*|[^\W\d_]+")
_SENSITIVE = re.compile(r"password$|secretstring$|authtoken$|privatekey$|presharedkey$", re.IGNORECASE)
HIDDEN = "(not shown)"
LATER = "(known only when applied)"


def text_of(value: Any) -> str:
    """A value as AWS writes it in a change set: texts bare, "true" and "false", JSON for what is no scalar."""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def value_of(text: str | None) -> Any:
    """The value that `text_of` wrote; lists and objects only, since "17.10" is no number to be rounded."""
    if text is None or text[:1] not in ("{", "["):
        return text
    try:
        return json.loads(text)
    except ValueError:  # a dynamic reference, {{resolve:…}}
        return text


def mapping(value: Any) -> Mapping[str, Any]:
    """A value that is to be a mapping; an empty one where a template says something else, which AWS will refuse."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """A list that is to hold mappings, or a single one; what is something else, or a function, is left out."""
    given = value if isinstance(value, list | tuple) else [value]
    return [part for part in given if isinstance(part, Mapping) and not any(key.startswith("Fn::") for key in part)]


def short(text: str | None) -> str:
    """A value for a line of text: one line, cut where it is long; "(none)" where there is none."""
    if text is None:
        return "(none)"
    line = " ".join(text.split())
    if not line:
        return '""'
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def arrow(before: str | None, after: str | None) -> str:
    """`before → after`, what both begin with cut where the values are too long for a line."""
    if before is not None and after is not None and max(len(before), len(after)) > _LONGEST:
        return f"{_around(before, after)} → {_around(after, before)}"
    return f"{short(before)} → {short(after)}"


def _around(text: str, other: str) -> str:
    """The part of a long text in which it differs from another."""
    same = next((n for n, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other)))
    start = max(0, same - _LONGEST // 3)
    return short(("…" if start else "") + text[start:])


def name_of(edit: PropertyChange) -> str:
    """An edit's place below its resource: "EngineVersion", "VpcConfig.SubnetIds.0", "Tags.Environment", "Metadata"."""
    attribute = "" if edit.attribute == "Properties" and edit.path else edit.attribute
    return ".".join(part for part in (attribute, *edit.path.split("/")) if part)


def is_sensitive(path: str) -> bool:
    """Whether a property holds a credential, by the last name of its path."""
    return bool(_SENSITIVE.search(path))


def tokens(text: str | None) -> Counter[str]:
    """The words and numbers of a text: "aurora-postgresql17" → aurora, postgresql, 17; "17.10" is one."""
    return Counter(token.lower() for token in _TOKEN.findall(text or ""))


def plain(name: str) -> str:
    """A name without case and separators: `multi_az` and `MultiAZ` are the same word."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
