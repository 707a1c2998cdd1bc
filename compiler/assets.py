"""The code that the templates ship: the zips of validator and cutover, made of the same bytes on any machine.

Everything in them is text that the repository or a locked distribution holds, so nothing depends on the platform.
Entries are sorted, dated 1980-01-01 and stored, not deflated: two builds of zlib may deflate the same bytes in two
ways, and Lambda takes 50 MB where these need two each. The driver is taken from where pip installed it, and only if
every file still has the digest that its distribution recorded.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from contract.certificates import DATA_CENTER_BUNDLE, RDS_BUNDLE, read_certificates
from settings.errors import AssetError
from settings.model import Settings

VALIDATOR = "assets/validator.zip"
CUTOVER = "assets/cutover.zip"
# Path → the packages of the repository in it: the steps of the cutover connect by the validator's code.
_PACKAGES = {VALIDATOR: ("validator", "pages"), CUTOVER: ("cutover", "validator", "pages")}

# The driver and all that it imports. What the Lambda runtime has of its own (boto3, also dateutil and six) may not be
# newer than what boto3 allows: the function's code comes first on the path. requirements.txt locks them together.
_DRIVER = ("asn1crypto", "pg8000", "python-dateutil", "scramp", "six")
_LOCK = "requirements.txt"
_LICENSE = re.compile(r"(licenses/.+|(LICEN[CS]E|COPYING|NOTICE)[^/]*)")
_REINSTALL = "run: python -m pip install --force-reinstall --require-hashes -r requirements.txt"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file for out/ that is no template; `contents` maps what is inside it to its sha256."""

    path: str
    data: bytes
    sha256: str
    contents: Mapping[str, str]


def package(path: str, settings: Settings, root: Path) -> Asset:
    """One of the zips, its code with the driver and the CA certificates of both databases, as Lambda takes it.

    `root` is the repository. Raises `AssetError` when its code is not there or the driver is not installed as locked,
    `ParamsError` when the data centre's certificates are none.
    """
    files = {name: data for package in _PACKAGES[path] for name, data in _sources(path, root, package)}
    certificates = RDS_BUNDLE.format(region=settings.region)
    if certificates not in files:
        raise AssetError(
            f"{certificates} does not exist: Aurora in {settings.region} could not be verified",
            hint=f"add the RDS root certificates of {settings.region}, as rds-us-east-1.pem does",
        )
    pem = settings.data_center.database_ca_pem
    files[DATA_CENTER_BUNDLE] = read_certificates(pem, "data_center.database_ca_pem", root).encode()
    files.update(_driver(root))
    data = _zipped(files)
    contents = {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}
    return Asset(path, data, hashlib.sha256(data).hexdigest(), contents)


def package_validator(settings: Settings, root: Path) -> Asset:
    """The zip of the validator; see `package`."""
    return package(VALIDATOR, settings, root)


def package_cutover(settings: Settings, root: Path) -> Asset:
    """The zip of the steps of the cutover; see `package`."""
    return package(CUTOVER, settings, root)


def require_handlers(templates: Mapping[str, Mapping[str, Any]], assets: Iterable[Asset]) -> None:
    """Raise `AssetError` where a function of the templates, by tier, starts a module that its zip does not hold.

    Lambda would find out at the first call.
    """
    zips = {asset.path: asset for asset in assets}
    for tier, template in templates.items():
        for logical_id, resource in template["Resources"].items():
            properties = resource.get("Properties", {})
            asset = zips.get(str(properties.get("Code")))
            module = properties["Handler"].rpartition(".")[0].replace(".", "/") + ".py" if asset else ""
            if asset and module not in asset.contents:
                raise AssetError(
                    f"{asset.path}: {tier}.{logical_id} starts {module}, which does not exist",
                    hint=_restore(os.path.dirname(module)),
                )


def _sources(asset: str, root: Path, package: str) -> Iterator[tuple[str, bytes]]:
    """The files of a package, by their place in the zip."""

    def refuse(error: OSError) -> None:  # os.walk takes a folder that it cannot read for an empty one
        raise AssetError(
            f"{asset}: its code cannot be read: {error.filename}: {error.strerror}", hint=_restore(package)
        ) from None

    for folder, folders, names in os.walk(root / package, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith((".", "__pycache__"))]
        for name in names:
            if name.endswith((".py", ".pem")) and not name.startswith("."):
                file = Path(folder, name)
                yield file.relative_to(root).as_posix(), file.read_bytes()


def _restore(folder: str) -> str:
    return f"restore the folder: git checkout -- {folder}"


# --- the driver, as locked and as installed --------------------------------------------------------------------------
def _driver(root: Path) -> dict[str, bytes]:
    """Its files by their place in the zip."""
    versions = _locked_versions(root)
    return {path: data for name in _DRIVER for path, data in _distribution(name, versions.get(name))}


def _locked_versions(root: Path) -> dict[str, str]:
    try:
        text = (root / _LOCK).read_text(encoding="utf-8")
    except OSError as error:
        raise AssetError(
            f"{_LOCK} cannot be read: {error.strerror}", hint="it locks what the functions ship; restore it from git"
        ) from None
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


def _distribution(name: str, version: str | None) -> Iterator[tuple[str, bytes]]:
    """The modules, metadata and licences of an installed distribution.

    Metadata, because pg8000 and scramp ask importlib.metadata for their own version when they are imported.
    """
    if version is None:
        raise AssetError(f"{_LOCK} does not lock {name}, which the functions ship", hint="run: make lock")
    folder, information = _find(name, version)
    with (folder / information / "RECORD").open(encoding="utf-8", newline="") as record:
        for path, digest, _ in csv.reader(record):
            if _is_shipped(path, information):
                yield path, _verified(folder / path, digest, f"{name} {version}")


def _find(name: str, version: str) -> tuple[Path, str]:
    stem = name.replace("-", "_")
    for folder in sys.path:
        if os.path.isfile(os.path.join(folder, f"{stem}-{version}.dist-info", "RECORD")):
            return Path(folder), f"{stem}-{version}.dist-info"
    raise AssetError(f"{name} {version} is not installed, and the functions ship it", hint=_REINSTALL)


def _is_shipped(path: str, information: str) -> bool:
    if path.startswith((f"{information}/METADATA", "../")):
        return not path.startswith("../")
    if path.startswith(f"{information}/"):
        return _LICENSE.fullmatch(path.removeprefix(f"{information}/")) is not None
    return path.endswith(".py")


def _verified(file: Path, digest: str, owner: str) -> bytes:
    algorithm, _, expected = digest.partition("=")
    try:
        data = file.read_bytes()
    except OSError:
        raise AssetError(f"{owner}: {file} is gone", hint=_REINSTALL) from None
    actual = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    if algorithm != "sha256" or actual != expected:
        raise AssetError(f"{owner}: {file} is not what was installed", hint=_REINSTALL)
    return data


# --- the archive -----------------------------------------------------------------------------------------------------
def _zipped(files: Mapping[str, bytes]) -> bytes:
    import zipfile  # costs more than the rest of this module

    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, whatever this machine is: the next line is its permissions
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()
