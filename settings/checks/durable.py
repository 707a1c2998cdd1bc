"""Rules of durable environments: what makes them hard to destroy and keeps them standing. Disposable ones may save."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.rule import Fault, Where, rule
from settings.model import Settings

_BACKUP_DAYS = 35
_KEY_WINDOW_DAYS = 30
_ZONES = 3
# Alarms look at whole minutes, several of them: a shorter bake ends before any of them could roll a bad version back.
_BAKE_MINUTES = 5


@rule("protection")
def prod_is_durable(settings: Settings, _where: Where) -> Iterator[Fault]:
    """A disposable production could be deleted with all its payments by one command."""
    if settings.env == "prod" and not settings.durable:
        yield Fault("protection", "disposable", "durable, in environment prod")


@rule("protection", "database.backup_retention_days")
def backups_are_kept(settings: Settings, where: Where) -> Iterator[Fault]:
    """As long as Aurora can keep them."""
    days = settings.database.backup_retention_days
    if settings.durable and days < _BACKUP_DAYS:
        yield Fault("database.backup_retention_days", str(days), f"{_BACKUP_DAYS} {_durable(where)}")


@rule("protection", "security.key_deletion_window_days")
def key_deletion_can_be_noticed(settings: Settings, where: Where) -> Iterator[Fault]:
    """With its key, all of an environment's data and backups are gone at once; time to notice is the last defence."""
    days = settings.security.key_deletion_window_days
    if settings.durable and days < _KEY_WINDOW_DAYS:
        yield Fault("security.key_deletion_window_days", str(days), f"{_KEY_WINDOW_DAYS} {_durable(where)}")


@rule("protection", "network.nat_gateways")
def every_zone_has_a_way_out(settings: Settings, where: Where) -> Iterator[Fault]:
    """With one NAT gateway, the loss of its zone is the loss of all three."""
    if settings.durable and settings.network.nat_gateways < _ZONES:
        yield Fault("network.nat_gateways", str(settings.network.nat_gateways), f"{_ZONES} {_durable(where)}")


@rule("protection", "migration.multi_az")
def replication_survives_a_zone(settings: Settings, where: Where) -> Iterator[Fault]:
    """A replication instance that is lost is a full load again."""
    if settings.durable and not settings.migration.multi_az:
        yield Fault("migration.multi_az", "false", f"true {_durable(where)}")


@rule("protection", "database.instance_class", "migration.instance_class")
def instances_do_not_burst(settings: Settings, where: Where) -> Iterator[Fault]:
    """T classes slow down when their CPU credits are spent; AWS recommends them for development and tests only.

    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Concepts.DBInstanceClass.Types.html
    """
    for key, name in (
        ("database.instance_class", settings.database.instance_class),
        ("migration.instance_class", settings.migration.instance_class),
    ):
        if settings.durable and name.partition(".")[2].startswith("t"):
            allowed = f"a class of steady CPU, like r6i or r7g, {_durable(where)}"
            yield Fault(key, f"{name} is a burstable class", allowed)


@rule("protection", "service.bake_time_minutes")
def deployments_bake(settings: Settings, where: Where) -> Iterator[Fault]:
    """While both versions run, an alarm moves the traffic back at once; afterwards only a new deployment does."""
    minutes = settings.service.bake_time_minutes
    if settings.durable and minutes < _BAKE_MINUTES:
        yield Fault("service.bake_time_minutes", str(minutes), f"at least {_BAKE_MINUTES} {_durable(where)}")


@rule("protection", "monitoring.alarm_emails")
def someone_is_told(settings: Settings, where: Where) -> Iterator[Fault]:
    """Alarms that reach nobody are none."""
    if settings.durable and not settings.monitoring.alarm_emails:
        yield Fault("monitoring.alarm_emails", "nobody is told of alarms", f"an address {_durable(where)}")


def _durable(where: Where) -> str:
    return f"where {where('protection')} is durable"
