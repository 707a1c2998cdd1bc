"""The verifier that PostgreSQL keeps is made here, so that the password itself is never sent in a statement."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode

import pytest

from cutover.passwords import parse_secret_for, verifier
from validator.errors import UsageError


def test_it_is_what_the_standard_says() -> None:
    """RFC 5802, section 3, computed the other way: from the salt that the verifier names."""
    text = verifier("correct-horse")
    match = re.fullmatch(r"SCRAM-SHA-256\$4096:([^$]+)\$([^:]+):(.+)", text)
    assert match is not None
    salt, stored, server = (b64decode(word) for word in match.groups())
    salted = hashlib.pbkdf2_hmac("sha256", b"correct-horse", salt, 4096)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    assert stored == hashlib.sha256(client_key).digest()
    assert server == hmac.digest(salted, b"Server Key", "sha256")
    assert len(salt) >= 16
    assert verifier("correct-horse") != text


def test_secret_for() -> None:
    assert parse_secret_for("payments_dms=arn:aws:x=y") == ("payments_dms", "arn:aws:x=y")
    for wrong in ("", "=", "x=", "=x", "x"):
        with pytest.raises(UsageError, match="is not ROLE=SECRET"):
            parse_secret_for(wrong)
