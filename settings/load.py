"""params/base.yaml, overridden by params/<env>.yaml → Settings, or every problem of both files at once.

Mappings merge, lists and single values replace. Nothing but the params folder is read: the environment's name, the
suffix and tags known at run time only are arguments. The other environments' files are read for what none may share.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from settings.checks import faults
from settings.document import FROM_COMMAND_LINE, Entries, Entry, Mark, read_document
from settings.errors import ParamsError, did_you_mean
from settings.model import Settings, Tags
from settings.neighbours import shared
from settings.pem import certificate_fault
from settings.problems import Place, Problem, quote
from settings.shape import shape

_BASE = "base"
# Files of params/ that are no environment: the defaults, and the dated version table.
_NOT_ENVIRONMENTS = (_BASE, "lifecycle")
# The account stack (what exists once per account) is built under this name.
_RESERVED_SUFFIX = "account"
_SUFFIX = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
# No longer name fits a load balancer (32 characters), whatever else is in it; contract/names.py knows the exact limits.
_LONGEST_SUFFIX = 28
_COMMAND_LINE = 0


def load(
    params_dir: Path,
    env: str,
    suffix: str | None = None,
    overrides: Mapping[str, str] | None = None,
    *,
    environment_suffix: str | None = None,
) -> Settings:
    """The settings of environment `env`; raises `ParamsError` with everything that is wrong.

    The suffix is `suffix`, else `environment_suffix` (the caller's ENVIRONMENT_SUFFIX; empty counts as unset), else
    `env`. `overrides` sets tags that only the run knows: {"tags.pr_number": "123"}.
    """
    problems: list[Problem] = []
    known = environments(params_dir)
    chosen = _choose_suffix(env, suffix, environment_suffix, known, problems)
    base = _read(params_dir, _BASE, 1, problems)
    changes = _read(params_dir, env, 2, problems) if _is_environment(env, params_dir, known, problems) else None
    extra = _read_overrides(overrides or {}, problems)
    if base is not None:
        missing = {problem.key: problem for problem in _missing(base, Settings, "")}
        problems += missing.values()
        if changes is not None:
            merged = _merge(_merge(base, changes), extra)
            gaps = {problem.key: problem for problem in _missing(merged, Settings, "")}
            problems += (problem for key, problem in gaps.items() if key not in missing)
            settings: Settings = _build(Settings, "", merged, env=env, suffix=chosen)
            invalid = {key for key, entry in merged.items() if entry.value is Mark.INVALID}
            problems += _faults(settings, merged, invalid | gaps.keys())
            problems += _certificate_problems(params_dir, merged)
            problems += shared(merged, _neighbours(params_dir, [name for name in known if name != env], base))
            if not problems:
                return settings
    problems.sort(key=lambda problem: (problem.place.rank, problem.place.line))
    raise ParamsError([str(problem) for problem in problems], hint=_hint(problems))


def _hint(problems: list[Problem]) -> str:
    if all(problem.place.rank == _COMMAND_LINE for problem in problems):
        return "mend the arguments: --env ENV [--suffix SUFFIX] [--set tags.KEY=VALUE]"
    return "mend the lines named above; editors complete and check params with params/schema.json"


# --- environments and suffixes ---------------------------------------------------------------------------------------
def environments(params_dir: Path) -> list[str]:
    """The names that `env` may have, by the files that exist."""
    return sorted(path.stem for path in params_dir.glob("*.yaml") if path.stem not in _NOT_ENVIRONMENTS)


def _is_environment(env: str, params_dir: Path, known: list[str], problems: list[Problem]) -> bool:
    if env in known:
        return True
    exist = f"environments are {', '.join(known)}" if known else "there is no environment yet"
    place = Place(_COMMAND_LINE, "--env")
    if env in _NOT_ENVIRONMENTS:
        problems.append(Problem(place, "", f"{quote(env)} is no environment", exist))
    elif (params_dir / f"{env}.yml").is_file():
        source = f"{params_dir.name}/{env}"
        problems.append(Problem(place, "", f"{source}.yaml does not exist", f"rename {source}.yml to it"))
    else:
        guess = did_you_mean(env, known)
        allowed = f"{exist}; {guess}" if guess else exist
        problems.append(Problem(place, "", f"{quote(env)}: there is no {params_dir.name}/{env}.yaml", allowed))
    return False


def _choose_suffix(
    env: str, suffix: str | None, environment_suffix: str | None, environments: list[str], problems: list[Problem]
) -> str:
    if suffix is not None:
        chosen, source = suffix, "--suffix"
    elif environment_suffix:
        chosen, source = environment_suffix, "ENVIRONMENT_SUFFIX"
    else:
        chosen, source = env, "--env"
    if chosen == env and env not in environments:  # one message about the environment is enough
        return chosen
    place = Place(_COMMAND_LINE, source)
    if chosen == _RESERVED_SUFFIX:
        allowed = "another name: the stack that exists once per account has this one"
        problems.append(Problem(place, "", quote(chosen), allowed))
    elif len(chosen) > _LONGEST_SUFFIX or not re.fullmatch(_SUFFIX, chosen):
        problems.append(Problem(place, "", quote(chosen), _suffix_rule(chosen)))
    elif chosen != env and chosen in environments:
        allowed = f"another name: this build of {env} would overwrite the environment {chosen}"
        problems.append(Problem(place, "", quote(chosen), allowed))
    return chosen


def _suffix_rule(chosen: str) -> str:
    rule = f"at most {_LONGEST_SUFFIX} lower-case letters, digits and single hyphens, a letter first and no hyphen last"
    guess = re.sub(r"[^a-z0-9]+", "-", chosen.lower()).strip("-")[:_LONGEST_SUFFIX].rstrip("-")
    return rule + (f": {guess}, say" if re.fullmatch(_SUFFIX, guess) else "")


# --- files and arguments → entries -----------------------------------------------------------------------------------
def _read(params_dir: Path, name: str, rank: int, problems: list[Problem]) -> Entries | None:
    path = params_dir / f"{name}.yaml"
    return read_document(path, f"{params_dir.name}/{path.name}", rank, problems)


def _neighbours(params_dir: Path, names: list[str], base: Entries) -> dict[str, Entries]:
    """The merged entries of other environments, of those that can be read; their problems are not this build's."""
    read = {name: _read(params_dir, name, 2, []) for name in names}
    return {name: _merge(base, changes) for name, changes in read.items() if changes is not None}


def _read_overrides(overrides: Mapping[str, str], problems: list[Problem]) -> Entries:
    entries: Entries = {}
    fields = shape(Tags)
    for key, value in overrides.items():
        section, _, name = key.partition(".")
        place = Place(_COMMAND_LINE, f"--set {key}")
        if section != "tags":
            allowed = f"only tags are: {', '.join(f'tags.{known}' for known in fields)}; the rest stands in params"
            problems.append(Problem(place, "", "is not set here", allowed))
        elif name not in fields:
            known = f"known here: {', '.join(fields)}"
            problems.append(Problem(place, "", "unknown key", did_you_mean(name, fields) or known))
        elif not fields[name].accepts(value):
            problems.append(Problem(place, "", quote(value), fields[name].allowed))
        else:
            entries[key] = Entry(value, place)
    return entries


def _merge(below: Entries, above: Entries) -> Entries:
    merged = dict(below)
    for key, entry in above.items():
        if entry.value is not Mark.SECTION:  # null or a refused value: what was below it is gone
            merged = {other: kept for other, kept in merged.items() if not other.startswith(f"{key}.")}
        merged[key] = entry
    return merged


def _missing(entries: Entries, section: type, key: str) -> Iterator[Problem]:
    """Keys that a section should have; base.yaml has them all, so that every value is read in one place."""
    for name, field in shape(section).items():
        dotted = f"{key}.{name}" if key else name
        entry = entries.get(dotted)
        if dotted in FROM_COMMAND_LINE:
            continue
        if entry is None:
            what = "its keys" if field.is_section else field.allowed_list if field.many else field.allowed
            yield Problem(entries[key].place, dotted, "missing", what + (", or null" if field.optional else ""))
        elif entry.value is Mark.SECTION:
            yield from _missing(entries, field.kind, dotted)


# --- entries → settings ----------------------------------------------------------------------------------------------
def _build(section: type, key: str, entries: Entries, **given: Any) -> Any:
    """A section's dataclass; what is missing or was refused stands in it as `Mark.INVALID`."""
    values = dict(given)
    for name, field in shape(section).items():
        dotted = f"{key}.{name}" if key else name
        entry = entries.get(dotted)
        if name in given:
            continue
        if field.is_section and (entry is None or entry.value is not None):
            values[name] = _build(field.kind, dotted, entries)
        else:
            values[name] = entry.value if entry else Mark.INVALID
    return section(**values)


def _faults(settings: Settings, entries: Entries, invalid: set[str]) -> Iterator[Problem]:
    def place(key: str) -> Place:
        name, _, index = key.partition("[")
        entry = entries[name]
        return entry.items[int(index.rstrip("]"))] if index else entry.place

    for fault in faults(settings, invalid, lambda key: f"{key} ({place(key)})"):
        yield Problem(place(fault.key), fault.key, fault.found, fault.allowed)


def _certificate_problems(params_dir: Path, entries: Entries) -> Iterator[Problem]:
    key = "data_center.database_ca_pem"
    entry = entries.get(key)
    if entry is not None and isinstance(entry.value, str):
        fault = certificate_fault(params_dir / entry.value.removeprefix("params/"))
        if fault:
            yield Problem(entry.place, key, f"{entry.value} {fault[0]}", fault[1])
