"""What a build made, as data: `manifest.json` with digests, the parameters file, what changed since the last one."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compiler.bundle import TEMPLATE_SUFFIX, Bundle, file_name
from compiler.canonical import MANIFEST, canonical_json
from contract import names
from contract.names import Names
from contract.tags import tag_values
from settings.model import Settings


def template_texts(bundle: Bundle) -> dict[str, str]:
    """The text of each template by tier."""
    return {tier: canonical_json(template) for tier, template in bundle.templates.items()}


def exceptions(bundle: Bundle) -> list[tuple[str, str, str]]:
    """Every deliberate exception of the tree: (tier.LogicalId, rule id, reason)."""
    return [
        (address, rule, reason)
        for address, resource in sorted(bundle.resources().items())
        for rule, reason in sorted(resource.get("Metadata", {}).get("Exceptions", {}).items())
    ]


def parameters_document(settings: Settings) -> dict[str, Any]:
    """The stack's parameters and tags, as a CloudFormation template configuration file.

    The root takes no parameters: every value is a literal in the templates, where linters can judge it.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html
    """
    return {"Parameters": {}, "Tags": tag_values(settings)}


def manifest_document(
    settings: Settings, bundle: Bundle, files: Mapping[str, bytes], lifecycle: list[dict[str, Any]]
) -> dict[str, Any]:
    """Everything a deployer or an auditor asks of a build. Holds no time: same inputs, same bytes."""
    stack = Names(settings.system, settings.suffix).claim(names.STACK, "")
    return {
        "environment": settings.env,
        "suffix": settings.suffix,
        "region": settings.region,
        "protection": settings.protection,
        "stack": stack,
        "root": file_name("root"),
        "lifecycle": lifecycle,
        "tiers": {
            tier: {
                "template": file_name(tier),
                "resources": dict(sorted(Counter(r["Type"] for r in template["Resources"].values()).items())),
            }
            for tier, template in bundle.templates.items()
        },
        "exceptions": [
            {"resource": address, "rule": rule, "reason": reason} for address, rule, reason in exceptions(bundle)
        ],
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in sorted(files.items())
        },
    }


@dataclass(frozen=True, slots=True)
class Changes:
    """How a build differs from the last one in the same folder: addresses "tier.LogicalId", and other files.

    A template is among the files where it differs in something else than resources: its parameters, say, or outputs.
    """

    first: bool
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of the previous build; empty where there is none that can be read."""
    try:
        data = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) and isinstance(data.get("files"), dict) else {}


def compare(folder: Path, previous: Mapping[str, Any], bundle: Bundle, manifest: Mapping[str, Any]) -> Changes:
    """What changed since the build whose manifest is `previous` and whose files lie in `folder`."""
    if not previous:
        return Changes(first=True)
    before, after = _previous_resources(folder, previous), bundle.resources()
    added, removed = after.keys() - before.keys(), before.keys() - after.keys()
    changed = {name for name in after.keys() & before.keys() if after[name] != before[name]}
    # A template whose resources tell of its change is not told of once more.
    told = {
        file_name(tier) for tier in bundle.templates.keys() & {n.partition(".")[0] for n in added | removed | changed}
    }
    old, new = previous["files"], manifest["files"]
    files = {name for name in (old.keys() | new.keys()) - told if old.get(name) != new.get(name)}
    return Changes(
        first=False,
        added=tuple(sorted(added)),
        removed=tuple(sorted(removed)),
        changed=tuple(sorted(changed)),
        files=tuple(sorted(files)),
    )


def _previous_resources(folder: Path, previous: Mapping[str, Any]) -> dict[str, Any]:
    resources: dict[str, Any] = {}
    for name in previous["files"]:
        tier, is_template, _ = name.partition(TEMPLATE_SUFFIX)
        try:
            made = json.loads((folder / name).read_text(encoding="utf-8"))["Resources"] if is_template else {}
            resources |= {f"{tier}.{logical_id}": resource for logical_id, resource in made.items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            continue  # removed or mangled by hand: its resources count as new
    return resources
