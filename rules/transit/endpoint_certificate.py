"""E9153: a replication endpoint that has nothing to verify by."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import equals


class EndpointWithoutCertificate(HouseRule):
    """DMS knows no authority by itself, not even that of RDS."""

    id = "E9153"
    shortdesc = "DMS endpoint verifies TLS without a certificate"
    description = "verify-ca and verify-full need CertificateArn: the creation of the endpoint fails without"
    source_url = "https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Security.SSL.html"
    tags = ["house", "tls", "dms"]
    fix = "refer to an AWS::DMS::Certificate with the CA bundle of that side"
    types = ("AWS::DMS::Endpoint",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        if equals(resource.at("SslMode"), "verify-full", "verify-ca") and not resource.at("CertificateArn"):
            yield resource.finding("CertificateArn is missing", "CertificateArn")
