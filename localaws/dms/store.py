"""What DMS remembers, and how it finds, filters and pages it."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from localaws.dms.runs import Run

Json = dict[str, Any]
_ALPHABET = string.ascii_uppercase + string.digits
_PAGE = 100
# Filter → member of the description; https://docs.aws.amazon.com/dms/latest/APIReference/API_Filter.html
_FILTERS = {
    "certificate-arn": "CertificateArn",
    "certificate-id": "CertificateIdentifier",
    "endpoint-arn": "EndpointArn",
    "endpoint-id": "EndpointIdentifier",
    "endpoint-type": "EndpointType",
    "engine-name": "EngineName",
    "engine-version": "EngineVersion",
    "migration-type": "MigrationType",
    "replication-instance-arn": "ReplicationInstanceArn",
    "replication-instance-class": "ReplicationInstanceClass",
    "replication-instance-id": "ReplicationInstanceIdentifier",
    "replication-subnet-group-id": "ReplicationSubnetGroupIdentifier",
    "replication-task-arn": "ReplicationTaskArn",
    "replication-task-id": "ReplicationTaskIdentifier",
}


class DmsError(Exception):
    """A refusal, by the name of DMS's own fault."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(slots=True)
class Item:
    """A resource: `document` is what Describe… tells, `secret` what was given and is never told (a password)."""

    arn: str
    document: Json
    secret: Json = field(default_factory=dict)


@dataclass(slots=True)
class Store:
    """Everything of one region, by ARN; connections by instance and endpoint; `runs` of tasks that were started.

    It can be pickled.
    """

    certificates: dict[str, Item] = field(default_factory=dict)
    connections: dict[tuple[str, str], Json] = field(default_factory=dict)
    endpoints: dict[str, Item] = field(default_factory=dict)
    instances: dict[str, Item] = field(default_factory=dict)
    subnet_groups: dict[str, Item] = field(default_factory=dict)
    tasks: dict[str, Item] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)

    def tag(self, arn: str, request: Json) -> None:
        """Keep the tags of the request that makes a resource."""
        self.tags[arn] = {tag["Key"]: tag.get("Value", "") for tag in request.get("Tags", ())}

    def forget(self, items: dict[str, Item], arn: str) -> None:
        """A resource, with its tags."""
        del items[arn]
        del self.tags[arn]


def find(items: Mapping[str, Item], arn: str, what: str) -> Item:
    """The resource of this ARN; ResourceNotFoundFault where there is none."""
    if arn not in items:
        raise DmsError("ResourceNotFoundFault", f"{what} {arn} could not be found.")
    return items[arn]


def refuse_second(items: Mapping[str, Item], member: str, value: str, own: str = "") -> None:
    """Identifiers are unique, whatever their case; `own` is the ARN of the one that may have it."""
    for item in items.values():
        if item.arn != own and str(item.document[member]).lower() == value.lower():
            raise DmsError("ResourceAlreadyExistsFault", f"The resource {value} already exists.")


def refuse_now(message: str) -> NoReturn:
    """What is asked cannot be done as things are."""
    raise DmsError("InvalidResourceStateFault", message)


def page(documents: Iterable[Json], request: Json, member: str) -> Json:
    """The answer of a Describe… operation: filtered, and cut to a page.

    A filter that leaves nothing is an error in DMS, as describing one by its name would be elsewhere.
    """
    found = list(documents)
    filters = request.get("Filters", ())
    for one in filters:
        name = one["Name"]
        if name not in _FILTERS:
            raise DmsError("InvalidParameterValueException", f"The filter name {name} is not valid.")
        found = [document for document in found if str(_value(document, name)) in one["Values"]]
    if filters and not found:
        raise DmsError("ResourceNotFoundFault", f"No {member} match the filters.")
    start, size = int(request.get("Marker") or 0), int(request.get("MaxRecords") or _PAGE)
    more = {"Marker": str(start + size)} if len(found) > start + size else {}
    return {member: found[start : start + size], **more}


def _value(document: Json, name: str) -> Any:
    return document.get(_FILTERS[name])


def random_identifier() -> str:
    """What DMS calls a resource in its ARN when nobody says: 26 letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(26))


def taken(request: Json, members: Iterable[str]) -> Json:
    """Those of the request's members that a description has too."""
    return {name: request[name] for name in members if name in request}
