"""A comparison as JSON and back: what one process has planned, another one carries out to the letter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass, replace
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from validator.comparison import Comparison, Progress
from validator.model import Findings, Slice
from validator.rows import Candidate

T = TypeVar("T")


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """The comparison as JSON."""
    slices = [part.document() for part in comparison.slices]
    return {**asdict(replace(comparison, slices=())), "slices": slices}


def comparison_of(document: Mapping[str, Any]) -> Comparison:
    """The comparison that `document` was made of."""
    slices = tuple(Slice.of(part) for part in document["slices"])
    return replace(built(Comparison, {**document, "slices": []}), slices=slices)


def progress_document(progress: Progress) -> dict[str, Any]:
    """What was found so far, as JSON."""
    return {
        "result": progress.findings.document(),
        "waiting": [candidate.document() for candidate in progress.waiting],
        "unwatched": progress.unwatched,
        "notes": list(progress.notes),
    }


def progress_of(document: Mapping[str, Any]) -> Progress:
    """The progress that `document` was made of."""
    return Progress(
        findings=Findings.of(document["result"]),
        waiting=[Candidate.of(candidate) for candidate in document["waiting"]],
        unwatched=document["unwatched"],
        notes=list(document["notes"]),
    )


def built(kind: type[T], value: Any) -> T:
    """The value of a type, tuples and dataclasses within dataclasses, that `asdict` and JSON have made plain."""
    made: T = _build(kind, value)
    return made


def _build(kind: Any, value: Any) -> Any:
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _build(hints[name], item) for name, item in value.items()})
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple:
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else inner
        return tuple(_build(item_kind, item) for item_kind, item in zip(kinds, value, strict=True))
    if origin in (Union, UnionType):
        return None if value is None else _build(next(item for item in inner if item is not type(None)), value)
    return value


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)
