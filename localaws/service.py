"""What the operations of the API work with, and the small things that they share."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from localaws.api_errors import ApiError, invalid
from localaws.changesets import Builder
from localaws.core import Core
from localaws.executor import Executor
from localaws.stacks import Json

Entry = TypeVar("Entry")
PAGE = 100


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of the control plane."""

    core: Core
    executor: Executor
    builder: Builder


Operation = Callable[[Service, str, Json], Json]
"""An operation of the API: the parts, the region, the request's members → the answer's."""


def page(entries: Sequence[Entry], token: str | None, size: int = PAGE) -> tuple[list[Entry], str | None]:
    """One page of a list, and the token of the next."""
    start = _position(token) if token else 0
    end = start + size
    return list(entries[start:end]), _token(end) if end < len(entries) else None


def page_back(entries: Sequence[Entry], token: str | None, size: int = PAGE) -> tuple[list[Entry], str | None]:
    """One page of a history, newest first: the token holds a place counted from its beginning, which never moves."""
    end = _position(token) if token else len(entries)
    start = max(0, end - size)
    return list(reversed(entries[start:end])), _token(start) if start else None


def _token(position: int) -> str:
    return base64.urlsafe_b64encode(f"at {position}".encode()).decode()


def _position(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("at "))
    except (ValueError, binascii.Error):
        raise invalid("The NextToken is not valid") from None


def once(service: Service, region: str, token: str, action: str, subject: str, answer: Callable[[], Json]) -> Json:
    """The answer of an action; a second request with its token gets the first one's, or a refusal where it is another.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html (ClientRequestToken)
    """
    if not token:
        return answer()
    state = service.core.state
    if (region, token) in state.tokens:
        known_action, known_subject, known_answer = state.tokens[region, token]
        if (known_action, known_subject) == (action, subject):
            return known_answer
        raise ApiError("TokenAlreadyExistsException", f"ClientRequestToken [{token}] was used by another operation")
    made = answer()
    state.tokens[region, token] = (action, subject, made)
    return made


def present(**members: Any) -> Json:
    """An answer without the members that are empty."""
    return {name: value for name, value in members.items() if value not in (None, "", {})}


def tags_of(given: Json) -> dict[str, str]:
    """The tags of a request by key."""
    return {entry["Key"]: entry["Value"] for entry in given.get("Tags", ())}


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Tags as the API shows them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
