"""What a build takes of certificate files; what it refuses of them is in settings/test_pem.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract import certificates
from contract.certificates import fingerprint, read_certificates
from settings.errors import ParamsError

GOOD = (Path(__file__).parents[3] / "params/data-center-ca.pem").read_text()
PEM = GOOD[GOOD.index("-----BEGIN") :]


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setattr(certificates, "REPOSITORY", tmp_path)

    def write(text: str) -> str:
        (tmp_path / "ca.pem").write_bytes(text.encode())
        return "ca.pem"

    return write


def test_keeps_the_certificates_in_their_order_and_drops_what_surrounds_them(write):
    roots = (Path(__file__).parents[3] / certificates.RDS_BUNDLE.format(region="us-east-1")).read_text()
    end = "-----END CERTIFICATE-----\n"
    other = roots[roots.index("-----BEGIN") : roots.index(end)] + end
    assert read_certificates(write(f"# root\n\n{PEM}\n# the next\n{other}# end"), "ca") == PEM + other


@pytest.mark.parametrize(
    "text",
    [PEM.replace("\n", "\r\n"), PEM.rstrip("\n"), PEM.replace("\n", "  \n"), PEM.replace("\n", "\n\n", 1)],
    ids=["windows", "no newline at the end", "spaces at line ends", "an empty line inside"],
)
def test_line_ends_make_no_difference(write, text):
    assert read_certificates(write(text), "ca") == PEM


def test_the_repository_may_be_another(write, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other/ca.pem").write_text(PEM)
    assert read_certificates("ca.pem", "ca", tmp_path / "other") == PEM


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, "cannot be read: No such file or directory"),
        ("zertifikat für alle", "is not PEM"),
        ("", "holds no certificate"),
        (PEM + PEM.replace("CERTIFICATE", "RSA PRIVATE KEY"), "has a private key on line "),
    ],
)
def test_what_is_refused_is_named_with_its_setting(write, text, found):
    if text is not None:
        write(text)
    with pytest.raises(ParamsError) as caught:
        read_certificates("ca.pem", "data_center.database_ca_pem")
    assert caught.value.problems[0].startswith(f"data_center.database_ca_pem: ca.pem {found}")
    assert caught.value.hint
    assert "MII" not in str(caught.value)  # a private key is not repeated


def test_a_fingerprint_is_of_the_text():
    assert fingerprint(PEM) == fingerprint(PEM)
    assert fingerprint(PEM) != fingerprint(PEM + PEM)
    assert len(fingerprint(PEM)) == 8
