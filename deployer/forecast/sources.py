"""Where the "before" of a plan comes from: a build's folder, a git revision, AWS, or the last deployment from here."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compiler.bundle import file_name
from compiler.canonical import MANIFEST, canonical_json
from deployer.changes import NESTED_STACK, ROOT
from deployer.code_locations import LOCATIONS, Location
from deployer.errors import PackageError
from deployer.files import write_text
from deployer.package_dir import Package, read_package
from deployer.template_shape import require_deployed_shape, require_shape

RECORD = "deployed.json"
DEPLOYED = "deployed"

Template = Mapping[str, Any]
# `validator.<sha256>.zip`: how the deployer names what it uploads.
_NAMED = re.compile(r"[^/]+\.[0-9a-f]{64}(\.[^/]*)?")


@dataclass(frozen=True, slots=True)
class Before:
    """What a plan compares with: templates by tier, named by content, and what they are, for the reader of the plan."""

    templates: Mapping[str, Template]
    what: str


def read_before(against: str | None, *, root: Path, folder: Path, environment: str, suffix: str, region: str) -> Before:
    """What `--against` names, "deployed" excepted: AWS tells that, see `from_aws`.

    `root` is the repository, `folder` out/<suffix>/ and `region` where its build would be deployed. Without `against`
    it is what was deployed last from this folder. `PackageError` where there is no such thing.
    """
    if against is None:
        return from_record(folder, region)
    if (Path(against) / MANIFEST).is_file():
        return from_package(read_package(Path(against)))
    from deployer.forecast.revision import build_revision, knows_revision

    if against and Path(against).is_dir() and not knows_revision(root, against):
        raise PackageError(
            f"--against {against}: a folder without {MANIFEST}, so no build", hint="name a folder that build.py wrote"
        )
    with build_revision(root, against, environment, suffix) as built:
        before = from_package(read_package(built.folder))
    return Before(before.templates, built.what)


def from_package(package: Package) -> Before:
    """A build."""
    return Before(after_of(package), f"the build in {package.folder}")


def after_of(package: Package) -> dict[str, Template]:
    """The templates of the tree that a build would deploy, named by content."""
    require_shape(package.templates, lambda tier: str(package.folder / file_name(tier)))
    missing = [tier for tier in package.nested().values() if tier not in package.templates]
    if missing:
        raise PackageError(
            [f"{package.folder}: its root names {file_name(tier)}, which is no file of the build" for tier in missing],
            hint="build it again",
        )
    templates = {tier: package.templates[tier] for tier in (ROOT, *package.nested().values())}
    return by_content(templates, package.digests)


def from_aws(templates: Mapping[str, Template], what: str) -> Before:
    """Templates as AWS has them, by tier; none where nothing is deployed yet."""
    require_deployed_shape(templates)
    return Before(by_content(templates, {}), what)


# --- the record of the last deployment -------------------------------------------------------------------------------
def record_deployed(folder: Path, package: Package, account: str) -> None:
    """Keep what has just been deployed beside the build, and where, for the next plan; whole or not at all."""
    place = {"stack": package.stack, "account": account, "region": package.region}
    document = {**place, "templates": after_of(package)}
    write_text(folder / RECORD, canonical_json(document))


def from_record(folder: Path, region: str) -> Before:
    """What was deployed last from this folder, and to which account; `PackageError` where it was another region."""
    path = folder / RECORD
    choices = (
        "name what to compare with: --against DIR (a folder of a build), --against REVISION (git), "
        "or --against deployed (asks AWS)"
    )
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        before, where = dict(document["templates"]), str(document["region"])
        account = document.get("account") or "that it does not name"  # as earlier versions left it
    except FileNotFoundError:
        raise PackageError(f"{folder}: nothing has been deployed from here yet", hint=choices) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PackageError(f"{path}: {error}", hint=f"remove it, and {choices}") from error
    require_shape(before, lambda tier: f"{path}, {tier}", hint=f"remove it, and {choices}")
    if where != region:
        raise PackageError(f"{folder}: what was last deployed from here went to {where}, not to {region}", hint=choices)
    return Before(before, f"what was last deployed from {folder} (account {account}, {where})")


def forget_deployed(folder: Path) -> None:
    """Remove the record, where there is one: what it tells of is gone."""
    (folder / RECORD).unlink(missing_ok=True)


# --- names by content ------------------------------------------------------------------------------------------------
def by_content(templates: Mapping[str, Template], digests: Mapping[str, str]) -> dict[str, Template]:
    """The templates, code in them named `validator.<sha256>.zip` wherever it lies.

    A build names a file beside it, a deployed template an object in S3: both become the same name if they are the same
    bytes. `digests` are sha256 by relative path. Nested templates keep their addresses, they are compared themselves.
    """
    return {tier: _named_by_content(template, digests) for tier, template in templates.items()}


def _named_by_content(template: Template, digests: Mapping[str, str]) -> Template:
    resources = dict(template.get("Resources", {}))
    for logical_id, body in resources.items():
        for location in LOCATIONS.get(body.get("Type", ""), ()):
            if body["Type"] != NESTED_STACK:
                resources[logical_id] = {**body, "Properties": _replaced(body.get("Properties", {}), location, digests)}
    return {**template, "Resources": resources}


def _replaced(properties: Mapping[str, Any], location: Location, digests: Mapping[str, str]) -> Mapping[str, Any]:
    first, *rest = location.path
    if first not in properties:
        return properties
    inner = properties[first]
    if rest:
        inside = Location(tuple(rest), location.form)
        return {**properties, first: _replaced(inner, inside, digests)} if isinstance(inner, Mapping) else properties
    return {**properties, first: _name(inner, digests)}


def _name(place: Any, digests: Mapping[str, str]) -> Any:
    """`validator.<sha256>.zip` for a path that the build has, or a key that the deployer gave; else as it is."""
    if isinstance(place, str) and posixpath.normpath(place) in digests:
        stem, dot, ending = posixpath.basename(place).partition(".")
        return f"{stem}.{digests[posixpath.normpath(place)]}{dot}{ending}"
    key = place.get("S3Key", place.get("Key", "")) if isinstance(place, Mapping) else place
    name = posixpath.basename(key) if isinstance(key, str) else ""
    return name if _NAMED.fullmatch(name) else place
