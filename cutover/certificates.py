"""Which roots a server is verified against where the DSN names none: an RDS host by those that ship with the code."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from validator import endpoint as shipped
from validator.endpoint import Endpoint
from validator.errors import UsageError

# The validator's package has them, in the repository and in Lambda alike.
FOLDER = Path(shipped.__file__).parent / "certificates"
# payments.cluster-abc123.us-east-1.rds.amazonaws.com
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Endpoints.Cluster.html
_RDS_HOST = re.compile(r".+\.([a-z]{2}(?:-[a-z]+)+-[0-9]+)\.rds\.amazonaws\.com(?:\.cn)?", re.IGNORECASE)


def with_roots(endpoint: Endpoint) -> Endpoint:
    """The endpoint with the RDS roots of its region where its host is RDS's and it names no others.

    Raises `UsageError` where the DSN asks for less than full verification of RDS, or no roots of the region ship.
    """
    match = _RDS_HOST.fullmatch(endpoint.host)
    if match is None:
        return endpoint
    if endpoint.tls != "verify-full":
        raise UsageError(
            f"sslmode {endpoint.tls} would not prove that the {endpoint} is RDS",
            hint="leave sslmode out: verify-full is the default, against the roots that ship with the code",
        )
    if endpoint.ca is not None:
        return endpoint
    roots = FOLDER / f"rds-{match[1].lower()}.pem"
    if not roots.is_file():
        raise UsageError(
            f"the RDS root certificates of {match[1]} do not ship with the code",
            hint=f"add them as {roots.name} beside the others, or name a file by sslrootcert in the DSN",
        )
    return replace(endpoint, ca=roots)
