"""Read the text of a deployed template, which need not be one that we wrote."""

from __future__ import annotations

import json
from typing import Any

from deployer.errors import StackStateError


def read_template(body: Any, subject: str) -> dict[str, Any]:
    """A template as data: boto3 has decoded JSON already, YAML it leaves as text. `subject` is for the message."""
    data = body if isinstance(body, dict) else _decode(str(body), subject)
    if not isinstance(data, dict):
        raise StackStateError(f"{subject}: its template is no mapping", hint="see: aws cloudformation get-template")
    return json.loads(json.dumps(data))  # type: ignore[no-any-return]  # plain dicts, where boto3 made OrderedDicts


def _decode(text: str, subject: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        pass
    import yaml  # a stack that another tool deployed; ours are JSON

    from contract.short_tags import Loader

    try:
        return yaml.load(text, Loader)  # noqa: S506  # a SafeLoader with more tags
    except yaml.YAMLError as error:
        raise StackStateError(f"{subject}: its template cannot be read: {error}") from error
