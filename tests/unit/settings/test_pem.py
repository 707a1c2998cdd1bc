"""Certificate files: what is taken, and what is refused with its line."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from settings.pem import certificate_fault

GOOD = (Path(__file__).parents[3] / "params/data-center-ca.pem").read_text()
LINES = len(GOOD.splitlines())
ONLY = "only CERTIFICATE blocks and # comments belong in it"
BROKEN = "copy it anew: its Base64 is cut or garbled"
KEY = "-----BEGIN {0}PRIVATE KEY-----\nMIIE\n-----END {0}PRIVATE KEY-----\n"
REPLACE = "take it out and replace that key: whoever saw the file has it"
NONE = ("holds no certificate", "the CA certificates of the data centre's database, as PEM")


def block(data, label="CERTIFICATE"):
    return f"-----BEGIN {label}-----\n{base64.encodebytes(data).decode()}-----END {label}-----\n"


def fault(tmp_path, text):
    path = tmp_path / "ca.pem"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return certificate_fault(path)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD + GOOD,
        f"# subject: Example\n\n{GOOD}\n# the next\n{GOOD}\n",
        GOOD.replace("\n", "\r\n"),
        GOOD.rstrip("\n"),
        block(b"\x30\x81\xc8" + b"\x00" * 200),
        block(b"\x30\x82\x01\x2c" + b"\x00" * 300),
    ],
)
def test_certificates_are_taken(tmp_path, text):
    assert fault(tmp_path, text) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (GOOD + KEY.format(""), (f"has a private key on line {LINES + 1}", REPLACE)),
        (KEY.format("RSA ") + GOOD, ("has a private key on line 1", REPLACE)),
        (GOOD + "# PRIVATE KEY\n", (f"has a private key on line {LINES + 1}", REPLACE)),
        (GOOD + block(b"x", "CERTIFICATE REQUEST"),
         (f"has a CERTIFICATE REQUEST on line {LINES + 1}", "only CERTIFICATE blocks belong in it")),
        ("", NONE),
        ("# none yet\n", NONE),
        ("subject: Example\n" + GOOD, ("has text outside of a whole certificate on line 1", ONLY)),
        (GOOD + "\nstray\n", (f"has text outside of a whole certificate on line {LINES + 2}", ONLY)),
        (GOOD.replace("-----END CERTIFICATE-----\n", ""), ("has text outside of a whole certificate on line 1", ONLY)),
        (GOOD.replace("-----BEGIN CERTIFICATE-----\n", ""), ("has text outside of a whole certificate on line 1", ONLY)),
        (GOOD + "\n".join(GOOD.split("\n")[:-4]),
         (f"has text outside of a whole certificate on line {LINES + 1}", ONLY)),
        (GOOD.replace("MII", "M!I", 1), ("has a broken certificate on line 1", BROKEN)),
        (GOOD + GOOD.replace("\n" + GOOD.split("\n")[3], "", 1), (f"has a broken certificate on line {LINES + 1}", BROKEN)),
        (block(b""), ("has a broken certificate on line 1", BROKEN)),
        (block(b"\x31\x81\xc8" + b"\x00" * 200), ("has a broken certificate on line 1", BROKEN)),
        (block(b"\x30\x10\x0f" + b"\x00" * 15), ("has a broken certificate on line 1", BROKEN)),
        (block(b"\x30\x81\xc8" + b"\x00" * 199), ("has a broken certificate on line 1", BROKEN)),
        (b"\x30\x82\x03\xff" + b"\x00" * 20, ("is not PEM", "convert it: openssl x509 -inform der -in FILE -out FILE.pem")),
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_its_line(tmp_path, text, wanted):
    assert fault(tmp_path, text) == wanted


def test_a_file_that_cannot_be_read(tmp_path):
    assert certificate_fault(tmp_path) == (
        "cannot be read: Is a directory",
        "a file of PEM certificates that exists",
    )


def test_the_loader_names_the_setting_and_the_file(params):
    (params.folder / "ca").mkdir()
    (params.folder / "ca" / "db.pem").write_text(GOOD + KEY.format("EC "))
    params.write("data_center:\n  database_ca_pem: params/ca/db.pem\n")
    assert params.problems() == [
        f"params/dev.yaml:2: data_center.database_ca_pem: params/ca/db.pem has a private key on line {LINES + 1}; {REPLACE}"
    ]


def test_no_file_is_looked_for_where_the_setting_itself_is_wrong(params):
    params.write("data_center: {database_ca_pem: /etc/ssl/ca.pem}\n")
    assert len(params.problems()) == 1
    params.edit_base("  database_ca_pem: params/data-center-ca.pem\n", "")
    params.write("")
    (problem,) = params.problems()
    assert problem.endswith("data_center.database_ca_pem: missing; a .pem file under params/")
