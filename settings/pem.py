"""Certificate files: PEM certificates to verify a server against, and nothing that must stay secret."""

from __future__ import annotations

import binascii
import re
from pathlib import Path

_BLOCK = re.compile(r"^-----BEGIN ([A-Z0-9 ]+)-----\s*$(.*?)^-----END \1-----\s*?$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"^#.*$", re.MULTILINE)
_DER_SEQUENCE = b"\x30"


def certificate_fault(path: Path) -> tuple[str, str] | None:
    """What keeps a file from being PEM certificates only, and what to do; None for a good one."""
    try:
        text = path.read_text("ascii")
    except OSError as error:
        return f"cannot be read: {error.strerror}", "a file of PEM certificates that exists"
    except UnicodeDecodeError:
        return "is not PEM", "convert it: openssl x509 -inform der -in FILE -out FILE.pem"
    if "PRIVATE KEY" in text:
        line = _line(text, text.index("PRIVATE KEY"))
        return f"has a private key on line {line}", "take it out and replace that key: whoever saw the file has it"
    blocks = list(_BLOCK.finditer(text))
    for block in blocks:
        if block[1] != "CERTIFICATE":
            return f"has a {block[1]} on line {_line(text, block.start())}", "only CERTIFICATE blocks belong in it"
        if not _is_der(block[2]):
            found = f"has a broken certificate on line {_line(text, block.start())}"
            return found, "copy it anew: its Base64 is cut or garbled"
    # Blank out what is understood, keeping the positions.
    rest = _COMMENT.sub(_blank, _BLOCK.sub(_blank, text))
    if stray := re.search(r"\S", rest):
        found = f"has text outside of a whole certificate on line {_line(text, stray.start())}"
        return found, "only CERTIFICATE blocks and # comments belong in it"
    return None if blocks else ("holds no certificate", "the CA certificates of the data centre's database, as PEM")


def certificates_in(path: Path) -> list[str]:
    """The certificates of a file without a fault, in their order: each one's lines, a final newline, nothing around."""
    blocks = [block[0].splitlines() for block in _BLOCK.finditer(path.read_text("ascii"))]
    return ["".join(f"{line.strip()}\n" for line in lines if line.strip()) for lines in blocks]


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _is_der(body: str) -> bool:
    """Whether a block's Base64 is one DER sequence of just the length that it says: what any certificate is."""
    try:
        data = binascii.a2b_base64("".join(body.split()), strict_mode=True)
    except binascii.Error:
        return False
    # From 128 bytes on, a first byte says in how many more the length stands: 0x81 one, 0x82 two.
    width = {b"\x81": 1, b"\x82": 2}.get(data[1:2], 0)
    length = 2 + width + int.from_bytes(data[2 : 2 + width], "big")
    return data[:1] == _DER_SEQUENCE and width > 0 and len(data) == length
