"""One build, from params to out/<suffix>/: each stage takes the frozen result of the one before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compiler.bundle import Bundle, file_name
from compiler.canonical import MANIFEST, PARAMETERS, canonical_json
from compiler.linking import faulty_line, link
from compiler.lint.cache import FindingsCache, clock_day, linter_fingerprint
from compiler.lint.findings import Finding
from compiler.lint.worker import LintServer
from compiler.manifest import (
    Changes,
    compare,
    manifest_document,
    parameters_document,
    read_manifest,
    template_texts,
)
from compiler.quotas import check_quotas
from compiler.request import Request
from contract.stack import System
from settings.errors import TierError, UserError
from settings.lifecycle import Judgement, judge, load_table
from settings.load import load
from settings.model import Settings

Design = Callable[[Settings], System]
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A linked tree with everything that will be written, not yet linted: `files` by path relative to out/<suffix>/."""

    settings: Settings
    judgement: Judgement
    bundle: Bundle
    texts: Mapping[str, str]
    files: Mapping[str, bytes]
    manifest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Built:
    """A finished build: `linted` counts the templates that were not in the cache; findings keep it from `folder`."""

    compiled: Compiled
    findings: tuple[Finding, ...]
    linted: int
    changes: Changes
    folder: Path


def compile_tree(request: Request, design: Design) -> Compiled:
    """Params → settings → lifecycle verdicts → linked bundle → files. Nothing is written."""
    params = request.root / "params"
    settings = load(
        params, request.env, request.suffix, request.overrides, environment_suffix=request.environment_suffix
    )
    judgement = judge(settings, load_table(params), dt.date.fromisoformat(request.today))
    bundle = link(_designed(design, settings), settings)
    texts = template_texts(bundle)
    check_quotas(bundle.templates, texts)
    files = {file_name(tier): text.encode() for tier, text in texts.items()}
    files |= _assets(settings, request.root, bundle)
    files[PARAMETERS] = canonical_json(parameters_document(settings)).encode()
    if request.diagram:
        files |= _pictures(bundle)
    manifest = manifest_document(settings, bundle, files, judgement.to_json())
    files[MANIFEST] = canonical_json(manifest).encode()
    return Compiled(settings, judgement, bundle, texts, files, manifest)


def _designed(design: Design, settings: Settings) -> System:
    """The tree, or an error that names the line of the module under templates/ that cannot be imported."""
    try:
        return design(settings)
    except UserError:
        raise
    except Exception as error:
        where = faulty_line(error) or "templates/root.py"
        raise TierError(f"{where}: {type(error).__name__}: {error}", hint="mend the module") from error


def build(request: Request, design: Design) -> Built:
    """Compile, lint, and publish what has no findings; raises `UserError` for anything that a person can mend."""
    cache = _cache(request)
    known = cache is not None and cache.expects(request.family)
    with LintServer(request.root, request.jobs, today=request.today, eager=not known) as server:
        from compiler.output import publish, staging, write_files  # after the linter has been given its head start

        compiled = compile_tree(request, design)
        target = request.out / compiled.settings.suffix
        with staging(request.out, compiled.settings.suffix) as folder:
            previous = read_manifest(target)
            changes = compare(target, previous, compiled.bundle, compiled.manifest)
            write_files(folder, compiled.files)
            findings, unknown = _known_findings(compiled, cache)
            if unknown:
                findings |= _lint(server, folder, unknown, cache)
            if cache:
                cache.remember(request.family)
            found = tuple(sorted(finding for tier in findings.values() for finding in tier))
            if not found:
                publish(folder, target, frozenset({MANIFEST, *previous.get("files", {})}))
    return Built(compiled, found, len(unknown), changes, target)


# --- linting, through the cache --------------------------------------------------------------------------------------
def _cache(request: Request) -> FindingsCache | None:
    if not request.cached:
        return None
    fingerprint = linter_fingerprint(request.root, request.today)
    folder = request.root / ".cache/lint" / clock_day()
    return FindingsCache(folder, fingerprint, request.env, request.chosen_suffix, request.overrides.values())


def _known_findings(compiled: Compiled, cache: FindingsCache | None) -> tuple[dict[str, list[Finding]], dict[str, Key]]:
    """What the cache knows by tier, and for the other tiers the key to keep it under (none without a cache)."""
    known: dict[str, list[Finding]] = {}
    unknown: dict[str, Key] = {}
    for tier, text in compiled.texts.items():
        # The root's findings depend on its children too: E1010 and E3043 read them.
        texts = [text, *(compiled.texts[t] for t in sorted(compiled.texts) if tier == "root" and t != tier)]
        key = cache.key(texts) if cache else ("", "")
        findings = cache.read(key) if cache else None
        if findings is None:
            unknown[tier] = key
        else:
            known[tier] = findings
    return known, unknown


def _lint(
    server: LintServer, folder: Path, unknown: Mapping[str, Key], cache: FindingsCache | None
) -> dict[str, list[Finding]]:
    # The dearest first, so that no worker is left alone with a large template at the end.
    paths = {tier: str(folder / file_name(tier)) for tier in unknown}
    order = sorted(paths, key=lambda tier: (tier != "root", -(folder / file_name(tier)).stat().st_size))
    checked = server.check([paths[tier] for tier in order])
    findings = {tier: checked[path] for tier, path in paths.items()}
    if cache:
        for tier, key in unknown.items():
            cache.write(key, findings[tier])
    return findings


# --- what is loaded only where it is needed --------------------------------------------------------------------------
def _assets(settings: Settings, root: Path, bundle: Bundle) -> dict[str, bytes]:
    # zipfile and the driver's metadata cost start-up
    from compiler.assets import package_cutover, package_validator, require_handlers

    assets = (package_validator(settings, root), package_cutover(settings, root))
    require_handlers(bundle.templates, assets)
    return {asset.path: asset.data for asset in assets}


def _pictures(bundle: Bundle) -> dict[str, bytes]:
    from compiler.diagram.architecture import draw_architecture  # only with --diagram
    from compiler.diagram.dependencies import draw_dependencies

    return {
        "architecture.svg": draw_architecture(bundle).encode(),
        "dependencies.svg": draw_dependencies(bundle).encode(),
    }
