"""The source's schema made on the target by PostgreSQL's own programs, in two parts around the full load.

`pre-data` is everything that rows need and nothing that acts on them: schemas, types, tables, partitions, sequences,
functions, primary keys. `post-data` is the rest: secondary indexes, foreign keys, triggers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cutover import contents
from cutover.contents import Entry
from cutover.database import Session
from cutover.errors import RefusedError
from cutover.names import choose_schemas, quote
from cutover.programs import Programs, find, run
from cutover.readiness import target as target_check
from cutover.readiness.findings import Finding
from validator.endpoint import Endpoint

SECTIONS = ("pre-data", "post-data")
_MAJOR = 10000
# Owners, privileges and tablespaces of the source mean nothing on Aurora: there all is the master user's, and
# `python -m cutover users` grants. A publication or subscription would start to replicate by itself.
_OPTIONS = ("--no-owner", "--no-privileges", "--no-tablespaces", "--no-publications", "--no-subscriptions")
_DUMP_OPTIONS = ("--format=custom", "--schema-only", "--no-password", "--lock-wait-timeout=10s", *_OPTIONS)

_ALL_SCHEMAS = "SELECT nspname::text FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'"
_RELATIONS = """
SELECT format('%s.%s', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND c.relkind IN ('r', 'p', 'S', 'v', 'm', 'f')
    AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
UNION
SELECT format('%s.%s', n.nspname, t.typname)
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c')
    AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
"""
# A partition's are made by its parent's.
_ADDITIONS = """
SELECT format('%s.%s (index)', n.nspname, c.relname)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND i.indexrelid::bigint <> ALL (CAST(:keys AS bigint[]))
    AND n.nspname !~ '^pg_'
UNION
SELECT format('%s.%s.%s (foreign key)', n.nspname, c.relname, k.conname)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND k.contype = 'f'
UNION
SELECT format('%s.%s.%s (trigger)', n.nspname, c.relname, t.tgname)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND NOT t.tgisinternal
"""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Part:
    """One section, ready to be applied: its SQL for psql, and the entries that it is made of."""

    section: str
    sql: str
    entries: tuple[Entry, ...]
    programs: Programs


def lacking(source: Session, target: Session, without_extensions: Sequence[str]) -> list[Finding]:
    """What the target lacks for it; blockers mean that it cannot be made as it is."""
    return list(target_check.lacking(source, target, without_extensions))


def extract(
    source: Session,
    target: Session,
    section: str,
    schemas: Sequence[str],
    *,
    bindir: Path | None = None,
    without_extensions: Sequence[str] = (),
) -> Part:
    """Dump the schemas of the source (all when none is named) and take the section out of it."""
    programs = find(bindir, source.version // _MAJOR, target.version // _MAJOR)
    chosen = choose_schemas(source, schemas)
    # Not --schema: it would leave out extensions and all else that is in no schema.
    others = [f"--exclude-schema={quote(row[0])}" for row in source.query(_ALL_SCHEMAS) if row[0] not in chosen]
    with tempfile.TemporaryDirectory(prefix="cutover-") as folder:
        archive, listing = str(Path(folder, "schema")), Path(folder, "listing")
        run(programs.pg_dump, source.endpoint, *_DUMP_OPTIONS, f"--file={archive}", *others)
        before, after = (
            contents.parse(run(programs.pg_restore, None, "--list", f"--section={name}", *_OPTIONS, archive))
            for name in SECTIONS
        )
        entries = contents.choose(section, before, after, contents.read_keys(source), without_extensions)
        listing.write_text("".join(f"{entry.line}\n" for entry in entries), encoding="utf-8")
        sql = run(programs.pg_restore, None, f"--use-list={listing}", "--file=-", *_OPTIONS, archive)
    return Part(section, sql, tuple(entries), programs)


def already_there(source: Session, target: Session, section: str, schemas: Sequence[str]) -> list[str]:
    """What of the section the target has, by name."""
    chosen = choose_schemas(source, schemas)
    if section == "pre-data":
        ours, theirs = ({row[0] for row in session.query(_RELATIONS, schemas=chosen)} for session in (source, target))
    else:
        ours, theirs = (
            {row[0] for row in session.query(_ADDITIONS, schemas=chosen, keys=sorted(contents.read_keys(session).oids))}
            for session in (source, target)
        )
    return sorted(ours & theirs)


def apply(source: Session, target: Session, part: Part, schemas: Sequence[str]) -> None:
    """Make it, in one transaction. Raises `RefusedError` where some of it is there, `ProgramError` when psql stops."""
    if there := already_there(source, target, part.section, schemas):
        more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
        raise RefusedError(
            f"the target already has {', '.join(there[:_SHOWN])}{more}: nothing of {part.section} was applied",
            hint="it was applied before, or drop there what is in the way",
        )
    with tempfile.TemporaryDirectory(prefix="cutover-") as folder:
        file = Path(folder, "schema.sql")
        file.write_text(part.sql, encoding="utf-8")
        # Terse: the details of an error are values of rows.
        run(
            part.programs.psql,
            target.endpoint,
            *("--no-psqlrc", "--quiet", "--no-password", "--single-transaction"),
            *("--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse", f"--file={file}"),
        )


def describe(endpoint: Endpoint, part: Part) -> str:
    """What was made, for people."""
    return f"{part.section} applied to the {endpoint}: {contents.count(part.entries)}"
