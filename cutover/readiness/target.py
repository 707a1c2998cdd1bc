"""What the target must have before anything is made on it: version, encoding, collations, extensions, a way back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cutover.database import Session
from cutover.readiness.findings import Finding

_MAJOR = 10000
# As JSON, for the columns have other names in 15 and 17, and before are not there.
_LOCALE = """
SELECT pg_encoding_to_char(encoding)::text, concat_ws(', ', datcollate, datctype,
    CASE to_jsonb(d) ->> 'datlocprovider' WHEN 'i' THEN 'ICU' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
    to_jsonb(d) ->> 'daticulocale', to_jsonb(d) ->> 'datlocale')
FROM pg_database d
WHERE datname = current_database()
"""
_EXTENSIONS = "SELECT extname::text, extversion FROM pg_extension ORDER BY 1"
_AVAILABLE = "SELECT name::text, version FROM pg_available_extension_versions"
# Of PostgreSQL's own and of the schemas' making; the latter are made by the schema itself.
_COLLATIONS = """
SELECT DISTINCT c.collname::text
FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid JOIN pg_collation c ON c.oid = a.attcollation
    JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND a.attnum > 0 AND NOT a.attisdropped
    AND c.collnamespace = 'pg_catalog'::regnamespace AND c.collname <> 'default'
ORDER BY 1
"""
_KNOWN_COLLATIONS = """
SELECT collname::text FROM pg_collation
WHERE collnamespace = 'pg_catalog'::regnamespace
    AND collencoding IN (-1, (SELECT encoding FROM pg_database WHERE datname = current_database()))
"""


def check(source: Session, target: Session) -> Iterator[Finding]:
    """All of it."""
    yield from lacking(source, target)
    if (level := target.value("SHOW wal_level")) != "logical":
        yield Finding(
            "blocker",
            "target-wal-level",
            "wal_level",
            f"wal_level of the target is {level}: there would be no way back",
            "rds.logical_replication = 1 in the cluster's parameter group, and reboot",
        )


def lacking(source: Session, target: Session, without_extensions: Iterable[str] = ()) -> Iterator[Finding]:
    """What keeps the source's schema from being made there as it is."""
    if source.version // _MAJOR > target.version // _MAJOR:
        yield Finding(
            "blocker",
            "target-older",
            "",
            f"the target is PostgreSQL {target.version // _MAJOR}, the source {source.version // _MAJOR}",
            "choose a target of the same or a later major version (params database.engine_version)",
        )
    yield from _locale(source, target)
    yield from _extensions(source, target, set(without_extensions))
    known = {row[0] for row in target.query(_KNOWN_COLLATIONS)}
    for (name,) in source.query(_COLLATIONS):
        if name not in known:
            yield Finding(
                "blocker",
                "collation-missing",
                name,
                "columns of the source use this collation, and the target has none of the name",
                f'CREATE COLLATION pg_catalog."{name}" there, or ALTER the columns',
            )


def _locale(source: Session, target: Session) -> Iterator[Finding]:
    encoding, collation = source.query(_LOCALE)[0]
    theirs, their_collation = target.query(_LOCALE)[0]
    if encoding != theirs:
        yield Finding(
            "blocker",
            "encoding-differs",
            "",
            f"the source's encoding is {encoding}, the target's {theirs}: texts may have no form there",
            f"CREATE DATABASE … ENCODING '{encoding}' TEMPLATE template0 on the target",
        )
    if collation != their_collation:
        yield Finding(
            "warning",
            "collation-differs",
            "",
            f"text is ordered by {collation} on the source, by {their_collation} on the target: "
            "ORDER BY, LIKE, upper() and ranges of text answer differently",
            "CREATE DATABASE … LC_COLLATE … LC_CTYPE … TEMPLATE template0 there, or see that nothing depends on it",
        )


def _extensions(source: Session, target: Session, without: set[str]) -> Iterator[Finding]:
    available: dict[str, set[str]] = {}
    for name, version in target.query(_AVAILABLE):
        available.setdefault(name, set()).add(version)
    for name, version in source.query(_EXTENSIONS):
        if name in without:
            continue
        if name not in available:
            yield Finding(
                "blocker",
                "extension-missing",
                name,
                "the source uses the extension, and the target has none of the name",
                f"do without it on the source, or --without-extension {name} where no table needs it",
            )
        elif version not in available[name]:
            yield Finding(
                "note",
                "extension-version",
                name,
                f"the source has version {version}, the target {', '.join(sorted(available[name]))}",
                "read its release notes for what differs",
            )
