"""Dynamic references: values that are read at the moment a resource is made, and stored nowhere.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from localaws.api_errors import invalid

_REFERENCE = re.compile(r"\{\{resolve:([^:}]+):([^}]*)\}\}")
_ARN_PARTS = 7


def resolve(value: Any, clients: Any) -> Any:
    """`value` with every `{{resolve:…}}` below it replaced by what it stands for."""
    if isinstance(value, dict):
        return {key: resolve(entry, clients) for key, entry in value.items()}
    if isinstance(value, list):
        return [resolve(entry, clients) for entry in value]
    if isinstance(value, str) and "{{resolve:" in value:
        return _REFERENCE.sub(lambda match: _read(match[1], match[2], clients), value)
    return value


def is_dynamic(value: Any) -> bool:
    """Whether a part of a value is read only when it is used."""
    return "{{resolve:" in json.dumps(value, default=str)


def _read(service: str, rest: str, clients: Any) -> str:
    if service in ("ssm", "ssm-secure"):
        name = rest
        found: str = clients("ssm").get_parameter(Name=name, WithDecryption=service == "ssm-secure")["Parameter"][
            "Value"
        ]
        return found
    if service == "secretsmanager":
        return _secret(rest, clients)
    raise invalid(f"Template error: dynamic reference to an unknown service: {service}")


def _secret(rest: str, clients: Any) -> str:
    """`secret-id:SecretString:json-key:version-stage:version-id`, where the id may be an ARN with colons of its own."""
    parts = rest.split(":")
    taken = _ARN_PARTS if parts[0] == "arn" else 1
    name = ":".join(parts[:taken])
    kind, key, stage, version = [*parts[taken:], "", "", "", ""][:4]
    if kind not in ("", "SecretString"):
        raise invalid(f"Template error: a dynamic reference to a secret reads SecretString, not {kind}")
    asked = {"SecretId": name}
    if stage:
        asked["VersionStage"] = stage
    if version:
        asked["VersionId"] = version
    found: str = clients("secretsmanager").get_secret_value(**asked)["SecretString"]
    if not key:
        return found
    try:
        return str(json.loads(found)[key])
    except (ValueError, KeyError, TypeError):
        raise invalid(f"Could not find a value associated with JSONKey in SecretString: {key}") from None
