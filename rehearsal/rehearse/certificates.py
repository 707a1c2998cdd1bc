"""Certificates for one rehearsal: a CA, and one certificate that it signed for the hosts of both databases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_DAYS = 2


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files; whoever trusts `ca` trusts what holds `key`."""

    ca: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path, hosts: Iterable[str]) -> Certificates:
    """Make them anew; the CA's own key is not kept, so nothing else can ever be signed."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = dt.datetime.now(dt.UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = named("rehearsal CA")

    def begin(subject: x509.Name, of: ec.EllipticCurvePrivateKey, *, is_ca: bool) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(of.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=_DAYS))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        )

    ca = begin(issuer, ca_key, is_ca=True).sign(ca_key, hashes.SHA256())
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    leaf = begin(named("rehearsal"), key, is_ca=False).add_extension(names, critical=False)
    made = Certificates(folder / "ca.pem", folder / "databases.pem", folder / "databases.key")
    made.ca.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    made.certificate.write_bytes(leaf.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    made.key.touch(mode=0o600)
    made.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made
