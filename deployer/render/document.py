"""A review as a JSON document, and back: what `review.json` holds of it."""

from __future__ import annotations

import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from typing import Any

from deployer.errors import StaleReviewError
from deployer.review.model import Review, Verdict

FORMAT = 1
_HINT = "review again: python deploy.py review --env ENV"


def review_document(review: Review) -> dict[str, Any]:
    """The review as plain JSON values, keys in the order of the model, the format's version first."""
    return {"format": FORMAT, **_encode(review)}


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """The verdict as plain JSON values; `allowed` stands there for readers that are no program of ours."""
    return {"format": FORMAT, "allowed": verdict.allowed, **_encode(verdict)}


def read_review(document: object) -> Review:
    """The review that `review_document` wrote.

    Raises StaleReviewError for a document of another format, or a damaged one; it names the place.
    """
    review: Review = _decode(Review, _opened(document, "review"), "review")
    return review


def read_verdict(document: object) -> Verdict:
    """The verdict that `verdict_document` wrote; raises like `read_review`."""
    members = _opened(document, "verdict")
    allowed = members.pop("allowed", None)
    verdict: Verdict = _decode(Verdict, members, "verdict")
    if allowed is not verdict.allowed:
        raise _damaged("verdict.allowed", "does not agree with verdict.refusals")
    return verdict


def _opened(document: object, name: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise _damaged(name, "is no JSON object")
    found = document.get("format")
    if found != FORMAT or isinstance(found, bool):
        raise StaleReviewError(
            f"{name}: its format is {found!r}, and this version of deploy.py reads format {FORMAT}", hint=_HINT
        )
    return {key: value for key, value in document.items() if key != "format"}


def _encode(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _encode(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [_encode(part) for part in value]
    if isinstance(value, dict):
        return {str(key): _encode(part) for key, part in value.items()}
    return value


def _decode(kind: Any, value: object, where: str) -> Any:
    """`value` as the annotated type; the model uses dataclasses, enumerations, tuples, one dict, scalars and None."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:  # always `X | None`
        return None if value is None else _decode(inner[0], value, where)
    if origin is tuple:
        return _decode_tuple(inner, value, where)
    if origin is dict:
        if not isinstance(value, dict):
            raise _damaged(where, "is no JSON object")
        return {str(key): _decode(inner[1], part, f"{where}.{key}") for key, part in value.items()}
    if is_dataclass(kind):
        return _decode_object(kind, value, where)
    if issubclass(kind, StrEnum):
        known = [member.value for member in kind]
        if value not in known:
            raise _damaged(where, f"is {value!r}, none of {', '.join(known)}")
        return kind(value)
    if type(value) is not kind:  # bool is an int to isinstance
        raise _damaged(where, f"is {type(value).__name__}, not {kind.__name__}")
    return value


def _decode_tuple(inner: tuple[Any, ...], value: object, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _damaged(where, "is no JSON array")
    kinds = inner[:1] * len(value) if inner[-1] is Ellipsis else inner
    if len(kinds) != len(value):
        raise _damaged(where, f"has {len(value)} values, not {len(kinds)}")
    return tuple(
        _decode(kind, part, f"{where}[{index}]") for index, (kind, part) in enumerate(zip(kinds, value, strict=True))
    )


def _decode_object(kind: Any, value: object, where: str) -> Any:
    if not isinstance(value, dict):
        raise _damaged(where, "is no JSON object")
    hints = typing.get_type_hints(kind)
    unknown = sorted(str(key) for key in value if key not in hints)
    if unknown:
        raise _damaged(f"{where}.{unknown[0]}", "is not known")
    given: dict[str, Any] = {}
    for field in fields(kind):
        if field.name in value:
            given[field.name] = _decode(hints[field.name], value[field.name], f"{where}.{field.name}")
        elif field.default is MISSING:
            raise _damaged(f"{where}.{field.name}", "is missing")
    return kind(**given)


def _damaged(where: str, what: str) -> StaleReviewError:
    return StaleReviewError(f"the review's document is damaged: {where} {what}", hint=_HINT)
