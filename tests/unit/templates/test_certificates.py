from __future__ import annotations

from typing import Any

import pytest

from settings.errors import ParamsError
from templates import certificates
from templates.certificates import fingerprint, read_certificates

PEM = "-----BEGIN CERTIFICATE-----\nTUlJ\nQg==\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nTUlJ\n-----END PRIVATE KEY-----\n"


@pytest.fixture
def write(tmp_path: Any, monkeypatch: Any) -> Any:
    monkeypatch.setattr(certificates, "REPOSITORY", tmp_path)

    def write(text: Any) -> Any:
        (tmp_path / "ca.pem").write_bytes(text.encode())
        return "ca.pem"

    return write


def test_keeps_the_certificates_in_their_order_and_drops_what_surrounds_them(write: Any) -> None:
    other = PEM.replace("TUlJ", "WFla")
    assert read_certificates(write(f"# root\n{PEM}\nsubject=…\n".replace("…", "x") + other), "ca") == PEM + other


@pytest.mark.parametrize(
    "text", [PEM.replace("\n", "\r\n"), PEM.rstrip("\n")], ids=["windows", "no newline at the end"]
)
def test_line_ends_make_no_difference(write: Any, text: Any) -> None:
    assert read_certificates(write(text), "ca") == PEM


def test_a_missing_file_is_named_with_its_setting(write: Any) -> None:
    with pytest.raises(ParamsError) as caught:
        read_certificates("params/none.pem", "data_center.database_ca_pem")
    assert caught.value.problems == ["data_center.database_ca_pem: params/none.pem cannot be read (FileNotFoundError)"]
    assert "PEM" in caught.value.hint


def test_a_file_of_another_kind_is_refused(write: Any) -> None:
    with pytest.raises(ParamsError, match=r"ca: ca\.pem cannot be read \(UnicodeDecodeError\)"):
        read_certificates(write("zertifikat für alle"), "ca")


@pytest.mark.parametrize("text", ["", "nothing here\n", "-----BEGIN CERTIFICATE-----\nTUlJ\n"])
def test_a_file_without_a_certificate_is_refused(write: Any, text: Any) -> None:
    with pytest.raises(ParamsError, match=r"ca: ca\.pem holds no certificate"):
        read_certificates(write(text), "ca")


@pytest.mark.parametrize(
    "key", [KEY, KEY.replace("PRIVATE", "RSA PRIVATE"), KEY.replace("PRIVATE", "ENCRYPTED PRIVATE")]
)
def test_a_private_key_never_reaches_a_template(write: Any, key: Any) -> None:
    with pytest.raises(ParamsError, match="holds a private key") as caught:
        read_certificates(write(PEM + key), "ca")
    assert "TUlJ" not in str(caught.value)
    assert "replace the key" in caught.value.hint


def test_a_fingerprint_is_of_the_text() -> None:
    assert fingerprint(PEM) == fingerprint(PEM)
    assert fingerprint(PEM) != fingerprint(PEM + PEM)
    assert len(fingerprint(PEM)) == 8
