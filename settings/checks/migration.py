"""Rules of the migration: what moves, and what is left out."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.rule import Fault, Where, rule
from settings.model import Settings


@rule("migration.schemas", "migration.excluded_tables")
def exclusions_exclude_something(settings: Settings, where: Where) -> Iterator[Fault]:
    """A misspelt schema would leave the table in, and its rows would be loaded after all."""
    schemas = settings.migration.schemas
    for index, table in enumerate(settings.migration.excluded_tables):
        if table.partition(".")[0] not in schemas:
            yield Fault(
                f"migration.excluded_tables[{index}]",
                f"{table} is in no schema that moves",
                f"a table of {where('migration.schemas')}: {', '.join(schemas)}",
            )
