"""CA certificates that become part of a template: which files they are, and what is refused of them.

They are inputs of the build like params/: a template holds their text, because DMS takes certificates by value.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from settings.errors import ParamsError

REPOSITORY = Path(__file__).parents[1]
# The roots of the RDS server certificates, one bundle per region; the validator ships the same file.
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html
RDS_BUNDLE = "validator/certificates/rds-{region}.pem"
# Where the validator's package holds the data centre's certificates (params' database_ca_pem), beside those of RDS.
DATA_CENTER_BUNDLE = "validator/certificates/data-center.pem"

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----")


def read_certificates(path: str, setting: str) -> str:
    """The certificates in `path` (relative to the repository), and nothing else that the file holds.

    Comments between certificates are dropped: they would change the template's bytes and mean nothing to DMS. Raises
    `ParamsError`, which names `setting`, for a file that is missing, holds no certificate, or holds a private key.
    """
    file = REPOSITORY / path
    try:
        text = file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ParamsError(
            f"{setting}: {path} cannot be read ({error.__class__.__name__})",
            hint="put the CA certificates there, in PEM form",
        ) from None
    if "PRIVATE KEY-----" in text:
        raise ParamsError(
            f"{setting}: {path} holds a private key, which would become part of a template",
            hint="leave only the CA certificates in the file, and replace the key: it may be in the history",
        )
    certificates = _CERTIFICATE.findall(text)
    if not certificates:
        raise ParamsError(f"{setting}: {path} holds no certificate", hint="put the CA certificates there, in PEM form")
    return "".join(f"{certificate}\n" for certificate in certificates)


def fingerprint(certificates: str) -> str:
    """Eight hexadecimal digits of the text: a name that changes when the certificates do."""
    return hashlib.sha256(certificates.encode("ascii")).hexdigest()[:8]
