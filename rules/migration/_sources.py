"""PostgreSQL source endpoints and their settings, in either of the two places that take them."""

from __future__ import annotations

from collections.abc import Iterator

from rules._template import Resource, Template
from rules._values import equals, filled, may_be


def postgres_sources(template: Template) -> Iterator[Resource]:
    """The endpoints that DMS reads PostgreSQL from."""
    for endpoint in template.of("AWS::DMS::Endpoint"):
        reads = equals(endpoint.at("EndpointType"), "source")
        if reads and equals(endpoint.at("EngineName"), "postgres", "aurora-postgresql"):
            yield endpoint


def may_be_on(endpoint: Resource, setting: str) -> bool:
    """Whether a setting is on, or may be given at deployment: in PostgreSqlSettings or ExtraConnectionAttributes."""
    text = (filled(endpoint.raw("ExtraConnectionAttributes")) or "").lower().replace(" ", "")
    # "0" is a text of which nothing is known.
    given = text == "0" or f"{setting.lower()}=true" in text.split(";")
    return given or may_be(endpoint.at("PostgreSqlSettings", setting), "true")
