"""E9152: a replication endpoint that does not verify who it talks to."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import equals, may_be
from rules.transit._endpoints import DATABASE_ENGINES


class EndpointWithoutVerification(HouseRule):
    """`require` encrypts, but to anyone who answers; nothing is the default."""

    id = "E9152"
    shortdesc = "DMS endpoint without verified TLS"
    description = "SslMode is verify-full or verify-ca (PCI DSS 4.2.1); no linter checks it"
    source_url = "https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Security.SSL.html"
    tags = ["house", "tls", "dms"]
    fix = "set SslMode to verify-full, or verify-ca where the host name is not in the certificate"
    types = ("AWS::DMS::Endpoint",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        mode = resource.at("SslMode")
        speaks_tls = equals(resource.at("EngineName"), *DATABASE_ENGINES)
        if speaks_tls and not may_be(mode, "verify-full", "verify-ca"):
            yield resource.finding(f"SslMode is {mode or 'none'}", "SslMode")
