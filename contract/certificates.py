"""CA certificates that become part of a build: where the files are, and what of them is taken.

They are inputs like params: DMS takes certificates by value, so a template holds their text, and the validator's
package holds the same files.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from settings.errors import ParamsError
from settings.pem import certificate_fault, certificates_in

REPOSITORY = Path(__file__).parents[1]
# The roots of the RDS server certificates, one bundle per region; the validator ships the same file.
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html
RDS_BUNDLE = "validator/certificates/rds-{region}.pem"
# Where the validator's package holds the data centre's certificates (params' database_ca_pem), beside those of RDS.
DATA_CENTER_BUNDLE = "validator/certificates/data-center.pem"


def read_certificates(path: str, setting: str, repository: Path | None = None) -> str:
    """The certificates in `path` (relative to the repository), and nothing else that the file holds.

    Comments between certificates are dropped: they would change a template's bytes and mean nothing to DMS. Raises
    `ParamsError`, which names `setting`, for a file that is missing or holds anything but certificates.
    """
    file = (repository or REPOSITORY) / path
    if fault := certificate_fault(file):
        found, advice = fault
        raise ParamsError(f"{setting}: {path} {found}", hint=advice)
    return "".join(certificates_in(file))


def fingerprint(certificates: str) -> str:
    """Eight hexadecimal digits of the text: a name that changes when the certificates do."""
    return hashlib.sha256(certificates.encode("ascii")).hexdigest()[:8]
