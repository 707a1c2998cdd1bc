"""Settings of what moves the payments and watches over it: DMS, the validator, alarms. See `settings.model`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from settings.fields import Between, Count, Matches
from settings.forms import VERSION, WINDOW_DAY


@dataclass(frozen=True, slots=True)
class Migration:
    """DMS: full load and change data capture, forward and back."""

    engine_version: Annotated[str, VERSION, "DMS engine version; checked against params/lifecycle.yaml"]
    instance_class: Annotated[
        str,
        Matches(r"dms\.[a-z0-9]+\.[a-z0-9]+", "a replication instance class like dms.r6i.large"),
        "Class of the replication instance",
    ]
    allocated_storage_gib: Annotated[int, Between(20, 6144, "GiB"), "Storage of the replication instance"]
    multi_az: Annotated[bool, "Standby replication instance in another zone"]
    maintenance_window: Annotated[str, WINDOW_DAY, "Weekly maintenance window, UTC"]
    schemas: Annotated[
        tuple[str, ...],
        Count(1, 20),
        Matches(
            r"(?!pg_|awsdms|information_schema$)[a-z_][a-z0-9_]{0,62}",
            "a PostgreSQL identifier, of a schema that is neither the server's nor DMS's own",
        ),
        "Schemas that move",
    ]
    excluded_tables: Annotated[
        tuple[str, ...],
        Count(0, 100),
        Matches(
            r"[a-z_][a-z0-9_]{0,62}\.(?!%+$)[a-z_%][a-z0-9_%]{0,62}",
            "schema.table or schema.pattern%, in lower case (not all of a schema: take it out of schemas instead)",
        ),
        "Tables of the schemas that DMS leaves alone. Here belong partitioned tables, whose partitions move by "
        "themselves (with both, their rows would be loaded twice; changes come under the partitions' names), and "
        "tables without a primary key that are moved otherwise. The validator compares them all the same",
    ]
    max_lob_kib: Annotated[
        int, Between(1, 102400, "KiB"), "Largest json, text or bytea value; a larger one stops the task"
    ]
    heartbeat_minutes: Annotated[
        int, Between(1, 60, "minutes"), "How often DMS writes to the source so that its slot advances when idle"
    ]


@dataclass(frozen=True, slots=True)
class Validation:
    """The Lambda function that compares both sides, and the state machine that fans it out."""

    runtime: Annotated[
        str,
        Matches(r"python3\.\d+", "a Lambda runtime like python3.13"),
        "Lambda runtime; checked against params/lifecycle.yaml",
    ]
    memory_mib: Annotated[int, Between(256, 10240, "MiB"), "Memory of a run"]
    timeout_seconds: Annotated[int, Between(60, 900, "seconds"), "Longest run"]
    # An inline Map of Step Functions runs at most 40 iterations at once.
    max_concurrency: Annotated[int, Between(1, 40), "Tables compared at once: the load that the source is given"]
    report_retention_days: Annotated[int, Between(365, 3650, "days"), "Days that reports are kept"]


@dataclass(frozen=True, slots=True)
class Monitoring:
    """Alarms and who is told."""

    alarm_emails: Annotated[
        tuple[str, ...],
        Count(0, 10),
        Matches(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address"),
        "Who is told of alarms",
    ]
    dms_lag_threshold_seconds: Annotated[
        int, Between(1, 60, "seconds; never over 60"), "Replication lag that raises the alarm"
    ]
    database_cpu_percent: Annotated[int, Between(1, 80, "%"), "Aurora CPU that raises the alarm"]
    database_connections: Annotated[int, Between(1, 16000), "Connections that raise the alarm"]
    database_free_local_storage_gib: Annotated[
        int, Between(1, 1000, "GiB"), "Free local storage below which the alarm is raised"
    ]
    replica_lag_threshold_ms: Annotated[int, Between(10, 60000, "ms"), "Aurora replica lag that raises the alarm"]
    http_5xx_threshold: Annotated[int, Between(1, 100000, "responses a minute"), "5xx responses that raise the alarm"]
    waf_blocked_threshold: Annotated[
        int,
        Between(1, 100000, "requests a minute"),
        "Requests that WAF refuses, or counts where it only counts, that raise the alarm",
    ]
    dms_free_storage_gib: Annotated[int, Between(1, 1000, "GiB"), "Free DMS storage below which the alarm is raised"]
    dms_freeable_memory_mib: Annotated[
        int, Between(64, 65536, "MiB"), "Free DMS memory below which the alarm is raised"
    ]
