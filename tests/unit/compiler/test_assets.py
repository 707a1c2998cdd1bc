"""The zips of validator and cutover: the same bytes wherever they are made, whole, nothing but what is locked."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from compiler.assets import package_cutover, package_validator, require_handlers
from contract.certificates import DATA_CENTER_BUNDLE, read_certificates
from settings.errors import AssetError, ParamsError
from settings.load import load

ROOT = Path(__file__).parents[3]
SETTINGS = load(ROOT / "params", "dev")
STEMS = ("asn1crypto", "pg8000", "python_dateutil", "scramp", "six")


SITE = next(Path(folder) for folder in sys.path if list(Path(folder).glob("pg8000-*.dist-info")))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository in another place, with only its own copy of the driver on the path."""
    root = tmp_path / "repository"
    for package in ("cutover", "validator", "pages"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "params", root / "params")
    shutil.copy(ROOT / "requirements.txt", root)
    site = tmp_path / "site"
    site.mkdir()
    for stem in STEMS:
        information = next(SITE.glob(f"{stem}-*.dist-info"))
        shutil.copytree(information, site / information.name)
    for package in ("asn1crypto", "pg8000", "dateutil", "scramp"):
        shutil.copytree(SITE / package, site / package)
    shutil.copy(SITE / "six.py", site)
    monkeypatch.setattr(sys, "path", ["", str(tmp_path / "nowhere"), str(site)])
    return root


def _archive(data: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(BytesIO(data))


def test_the_same_bytes_from_another_place_time_and_hand(elsewhere: Path) -> None:
    for file in elsewhere.rglob("*"):
        os.utime(file, (86400 * 365 * 30, 86400 * 365 * 30))
        file.chmod(0o700)
    (elsewhere / "validator" / "__pycache__").mkdir()
    for name in ("__pycache__/x.py", "x.pyc", ".hidden.py", "notes.txt"):
        (elsewhere / "validator" / name).write_text("left behind")
    (elsewhere / "validator" / ".cache").mkdir()
    (elsewhere / "validator" / ".cache" / "x.py").write_text("left behind")
    (elsewhere.parent / "site" / "pg8000" / "extra.py").write_text("not recorded")
    moved = package_validator(SETTINGS, elsewhere)
    sys.path[:] = [str(SITE)]
    here = package_validator(SETTINGS, ROOT)
    assert moved == here
    assert here.sha256 == hashlib.sha256(here.data).hexdigest()


def test_entries_are_sorted_stored_and_dated_alike() -> None:
    asset = package_validator(SETTINGS, ROOT)
    assert asset.path == "assets/validator.zip"
    entries = _archive(asset.data).infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert {entry.external_attr for entry in entries} == {0o100644 << 16}
    assert {entry.create_system for entry in entries} == {3}


def test_the_manifest_is_what_is_inside() -> None:
    asset = package_validator(SETTINGS, ROOT)
    with _archive(asset.data) as archive:
        inside = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
    assert asset.contents == inside
    assert list(asset.contents) == list(inside)


def test_it_holds_the_validator_the_driver_and_its_licences_and_nothing_else() -> None:
    names = set(package_validator(SETTINGS, ROOT).contents)
    own = {name for name in names if name.startswith(("validator/", "pages/"))}
    sources = {f"{package}/{file.name}" for package in ("validator", "pages") for file in (ROOT / package).glob("*.py")}
    assert own == sources | {
        "validator/certificates/rds-us-east-1.pem",
        "validator/certificates/data-center.pem",
    }
    rest = names - own
    licences = [name for name in rest if "LICENSE" in name]
    assert sorted(name.split("-")[0] for name in licences) == sorted(STEMS)
    metadata = [name for name in rest if name.endswith("/METADATA")]
    assert sorted(name.split("-")[0] for name in metadata) == sorted(STEMS)
    modules = rest - set(licences) - set(metadata)
    assert {name.split("/")[0] for name in modules} == {"asn1crypto", "dateutil", "pg8000", "scramp", "six.py"}
    assert all(name.endswith(".py") for name in modules)


def test_the_function_finds_its_certificates_where_the_template_says() -> None:
    with _archive(package_validator(SETTINGS, ROOT).data) as archive:
        inside = archive.read(DATA_CENTER_BUNDLE).decode()
    assert inside == read_certificates(SETTINGS.data_center.database_ca_pem, "x")


def test_only_certificates_of_the_file_are_shipped(elsewhere: Path) -> None:
    file = elsewhere / SETTINGS.data_center.database_ca_pem
    block = file.read_text()
    file.write_text(f"# someone's\n{block}# between\n{block}# after")
    with _archive(package_validator(SETTINGS, elsewhere).data) as archive:
        inside = archive.read(DATA_CENTER_BUNDLE).decode()
    assert inside == block * 2


def test_it_runs_alone(tmp_path: Path) -> None:
    with _archive(package_validator(SETTINGS, ROOT).data) as archive:
        archive.extractall(tmp_path)
    program = f"""
import sys
standard = set(sys.path)
sys.path.insert(0, {str(tmp_path)!r})
import validator.handler, validator.__main__
folders = tuple(standard | {{{str(tmp_path)!r}}})
strangers = [m.__name__ for m in list(sys.modules.values()) if getattr(m, "__file__", None) and not m.__file__.startswith(folders)]
assert not strangers, strangers
assert validator.handler.__file__.startswith({str(tmp_path)!r})
assert "boto3" not in sys.modules
from validator.endpoint import Endpoint
from pathlib import Path
from validator.dialling import _tls_context
for name in ("rds-us-east-1", "data-center"):
    ca = validator.sessions.CODE / f"validator/certificates/{{name}}.pem"
    assert _tls_context(Endpoint("source", "h", 1, "d", "u", ca=ca)).cert_store_stats()["x509_ca"] >= 1
print("alone")
"""
    # -I and -S: no site-packages, no environment, no current directory.
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("alone\n", "")


# --- the cutover's ------------------------------------------------------------------------------------------------------
def test_the_cutovers_has_its_steps_and_all_that_the_validators_has(elsewhere: Path) -> None:
    moved = package_cutover(SETTINGS, elsewhere)
    sys.path[:] = [str(SITE)]
    here, validator = package_cutover(SETTINGS, ROOT), package_validator(SETTINGS, ROOT)
    assert moved == here
    assert here.path == "assets/cutover.zip"
    own = {file.relative_to(ROOT).as_posix() for file in (ROOT / "cutover").rglob("*.py")}
    assert here.contents.keys() == own | validator.contents.keys()
    assert validator.contents.items() <= here.contents.items()


def test_every_step_is_found_and_imports_nothing_else(tmp_path: Path) -> None:
    with _archive(package_cutover(SETTINGS, ROOT).data) as archive:
        archive.extractall(tmp_path)
    steps = sorted(file.stem for file in (ROOT / "cutover/steps").glob("*.py") if file.stem != "__init__")
    program = f"""
import sys
standard = set(sys.path)
sys.path.insert(0, {str(tmp_path)!r})
from importlib import import_module
for step in {steps!r}:
    assert callable(import_module("cutover.steps." + step).handle), step
folders = tuple(standard | {{{str(tmp_path)!r}}})
strangers = [m.__name__ for m in list(sys.modules.values()) if getattr(m, "__file__", None) and not m.__file__.startswith(folders)]
assert not strangers, strangers
assert "boto3" not in sys.modules
from cutover.steps.common.databases import _CODE
for name in ("rds-us-east-1", "data-center"):
    assert (_CODE / f"validator/certificates/{{name}}.pem").is_file()
print("alone")
"""
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("alone\n", "")


# --- what is refused -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("package", "asset"),
    [("validator", "validator"), ("cutover", "cutover"), ("validator", "cutover"), ("pages", "validator")],
)
def test_a_package_that_is_not_there_is_no_empty_one(elsewhere: Path, package: str, asset: str) -> None:
    shutil.rmtree(elsewhere / package)
    with pytest.raises(AssetError) as caught:
        {"validator": package_validator, "cutover": package_cutover}[asset](SETTINGS, elsewhere)
    told = f"assets/{asset}.zip: its code cannot be read: {elsewhere / package}: No such file or directory"
    assert (str(caught.value), caught.value.hint) == (told, f"restore the folder: git checkout -- {package}")


def test_a_handler_that_is_not_in_the_zip(elsewhere: Path) -> None:
    shutil.rmtree(elsewhere / "cutover" / "steps")
    assets = (package_validator(SETTINGS, elsewhere), package_cutover(SETTINGS, elsewhere))
    freeze = {"Type": "x", "Properties": {"Code": "assets/cutover.zip", "Handler": "cutover.steps.freeze.handle"}}
    validate = {"Type": "x", "Properties": {"Code": "assets/validator.zip", "Handler": "validator.handler.handle"}}
    other = {"Type": "x"}
    with pytest.raises(AssetError) as caught:
        require_handlers({"cutover": {"Resources": {"A": other, "B": validate, "Freeze": freeze}}}, assets)
    told = "assets/cutover.zip: cutover.Freeze starts cutover/steps/freeze.py, which does not exist"
    assert (str(caught.value), caught.value.hint) == (told, "restore the folder: git checkout -- cutover/steps")


def test_a_region_whose_roots_are_not_here() -> None:
    settings = dataclasses.replace(SETTINGS, region="eu-west-1")
    with pytest.raises(AssetError, match=r"rds-eu-west-1\.pem does not exist") as caught:
        package_validator(settings, ROOT)
    assert caught.value.hint == "add the RDS root certificates of eu-west-1, as rds-us-east-1.pem does"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\xff\xfe", "is not PEM"),
        (b"", "holds no certificate"),
        (b"-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n", "has a broken certificate on line 1"),
        (b"-----BEGIN PRIVATE KEY-----\nMIIx\n-----END PRIVATE KEY-----\n", "has a private key on line 1"),
    ],
)
def test_data_center_certificates_that_are_none(elsewhere: Path, content: bytes | None, message: str) -> None:
    file = elsewhere / SETTINGS.data_center.database_ca_pem
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ParamsError, match=message) as caught:
        package_validator(SETTINGS, elsewhere)
    assert str(caught.value).startswith(f"data_center.database_ca_pem: {SETTINGS.data_center.database_ca_pem} ")
    assert caught.value.hint


def test_a_repository_without_a_lock(elsewhere: Path) -> None:
    (elsewhere / "requirements.txt").unlink()
    with pytest.raises(AssetError, match=r"requirements\.txt cannot be read: No such file"):
        package_validator(SETTINGS, elsewhere)


def test_a_lock_without_the_driver(elsewhere: Path) -> None:
    lock = elsewhere / "requirements.txt"
    lock.write_text(lock.read_text().replace("scramp==", "cramp=="))
    with pytest.raises(AssetError, match=r"does not lock scramp, which the functions ship"):
        package_validator(SETTINGS, elsewhere)


def test_a_driver_of_another_version_than_locked(elsewhere: Path) -> None:
    lock = elsewhere / "requirements.txt"
    lock.write_text(lock.read_text().replace("pg8000==", "pg8000==9"))
    with pytest.raises(AssetError, match=r"pg8000 9\S+ is not installed, and the functions ship it") as caught:
        package_validator(SETTINGS, elsewhere)
    assert "pip install --force-reinstall --require-hashes -r requirements.txt" in caught.value.hint


def test_a_driver_that_was_altered(elsewhere: Path) -> None:
    file = elsewhere.parent / "site" / "pg8000" / "core.py"
    file.write_text(file.read_text() + "# altered\n")
    with pytest.raises(AssetError, match=r"pg8000 \S+: .*core\.py is not what was installed"):
        package_validator(SETTINGS, elsewhere)


def test_a_driver_file_that_is_gone(elsewhere: Path) -> None:
    (elsewhere.parent / "site" / "six.py").unlink()
    with pytest.raises(AssetError, match=r"six \S+: .*six\.py is gone"):
        package_validator(SETTINGS, elsewhere)


def test_a_record_without_digests_proves_nothing(elsewhere: Path) -> None:
    record = next((elsewhere.parent / "site").glob("six-*.dist-info")) / "RECORD"
    record.write_text("../../bin/six,,\nsix.py,,\n")
    with pytest.raises(AssetError, match=r"six\.py is not what was installed"):
        package_validator(SETTINGS, elsewhere)
