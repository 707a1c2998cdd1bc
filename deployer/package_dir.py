"""Read out/<suffix>/, the contract between the compiler and the deployer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compiler.bundle import TEMPLATE_SUFFIX
from compiler.canonical import MANIFEST, PARAMETERS
from deployer.changes import NESTED_STACK, ROOT
from deployer.errors import PackageError


@dataclass(frozen=True, slots=True)
class Package:
    """A build, verified against its manifest.

    `templates` by tier, the root under "root", the stack beside the tree under "account"; `files` holds the bytes of
    every file that the manifest lists, by relative path; `tags` are the root stack's.
    """

    folder: Path
    manifest: Mapping[str, Any]
    templates: Mapping[str, Mapping[str, Any]]
    files: Mapping[str, bytes]
    tags: Mapping[str, str]

    @property
    def stack(self) -> str:
        """Name of the root stack."""
        return str(self.manifest["stack"])

    @property
    def environment(self) -> str:
        """Name of the environment, that of its params file."""
        return str(self.manifest["environment"])

    @property
    def suffix(self) -> str:
        """Suffix of every name."""
        return str(self.manifest["suffix"])

    @property
    def region(self) -> str:
        """AWS region."""
        return str(self.manifest["region"])

    @property
    def durable(self) -> bool:
        """Whether the environment holds what must not be lost."""
        return bool(self.manifest["protection"] == "durable")

    @property
    def digests(self) -> dict[str, str]:
        """sha256 of every file, by relative path."""
        return {name: entry["sha256"] for name, entry in self.manifest["files"].items()}

    def nested(self) -> dict[str, str]:
        """Tier name by the nested stack's logical id in the root."""
        return {
            logical_id: str(resource["Properties"]["TemplateURL"]).removesuffix(TEMPLATE_SUFFIX)
            for logical_id, resource in self.templates[ROOT]["Resources"].items()
            if resource["Type"] == NESTED_STACK
        }


def read_package(folder: Path) -> Package:
    """The build in `folder`; a `PackageError` where it is missing, incomplete or edited by hand."""
    again = f"build it: python build.py --env {folder.name}"
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        entries = dict(manifest["files"])
    except FileNotFoundError:
        raise PackageError(f"{folder}: there is no build", hint=again) from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise PackageError(f"{folder / MANIFEST}: {error}", hint=again) from error
    files, faults = {}, []
    for name, entry in entries.items():
        try:
            data = (folder / name).read_bytes()
        except OSError as error:
            faults.append(f"{folder / name}: {error.strerror}")
            continue
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            faults.append(f"{folder / name}: not what the build wrote (its digest is another)")
        files[name] = data
    if faults:
        raise PackageError(faults, hint=again)
    templates = {
        name.removesuffix(TEMPLATE_SUFFIX): json.loads(data)
        for name, data in files.items()
        if name.endswith(TEMPLATE_SUFFIX)
    }
    return Package(folder, manifest, templates, files, json.loads(files[PARAMETERS])["Tags"])
