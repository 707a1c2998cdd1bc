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
            r"(?!pg_|awsdms|(information_schema|cutover)$)[a-z_][a-z0-9_]{0,62}",
            "a PostgreSQL identifier, of a schema that is neither the server's nor DMS's nor the cutover's own",
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
    memory_mib: Annotated[int, Between(256, 10240, "MiB"), "Memory of a call"]
    timeout_seconds: Annotated[
        int, Between(60, 900, "seconds"), "Longest call; what takes longer is gone on with by the next one"
    ]
    max_concurrency: Annotated[
        int,
        Between(1, 40),
        "Connections to each side at once; with max_share_percent, the load that the source is given",
    ]
    max_share_percent: Annotated[
        int, Between(5, 100, "%"), "Share of its time for which a connection may keep the source busy"
    ]
    item_rows: Annotated[
        int, Between(10_000, 1_000_000_000, "rows"), "Rows that one execution of the Map compares, about"
    ]
    hash: Annotated[
        str,
        Matches("auto|fast|md5", "auto, fast or md5"),
        "Hash of rows: fast (64 bits, from PostgreSQL 11 on), md5 (128 bits, slower), or auto: fast where both can",
    ]
    settle_seconds: Annotated[
        int,
        Between(0, 600, "seconds"),
        "What replication may take at most: a row that differs for longer is a defect. 0 when nothing is in flight",
    ]
    deadline_seconds: Annotated[
        int, Between(0, 840, "seconds"), "How long rows in flight are watched before a table is inconclusive"
    ]
    card_columns: Annotated[
        tuple[str, ...],
        Count(0, 100),
        Matches(r"[^,]+", "column, or schema.table.column"),
        "Columns with card numbers: reports show six digits and four of them at most",
    ]
    report_retention_days: Annotated[int, Between(365, 3650, "days"), "Days that reports are kept"]


@dataclass(frozen=True, slots=True)
class Cutover:
    """The state machine that moves the payments: how long writes may be refused, and how long people are waited for."""

    freeze_seconds: Annotated[
        int,
        Between(10, 600, "seconds"),
        "How long writes may be refused; past that the cutover rolls back by itself",
    ]
    writer_seconds: Annotated[
        int,
        Between(0, 30, "seconds"),
        "How long transactions that began before the freeze are waited for, before they are ended",
    ]
    max_lag_seconds: Annotated[
        int, Between(1, 60, "seconds"), "What a marker may take to the other side for a cutover to begin"
    ]
    validation_hours: Annotated[
        int, Between(1, 168, "hours"), "How old the last clean validation of all tables may be for a cutover to begin"
    ]
    sequence_margin: Annotated[
        int, Between(1, 1_000_000), "Numbers that sequences skip on the other side: room for what was handed out unseen"
    ]
    approval_hours: Annotated[
        int, Between(1, 72, "hours"), "How long a person is waited for; then a cutover that has not begun never does"
    ]
    approve_switch: Annotated[
        bool, "Ask a person once more before the switch, while writes are refused: it costs what the answer takes"
    ]
    watch_minutes: Annotated[
        int, Between(0, 1440, "minutes"), "How long alarms and the way back are watched before the cutover is done"
    ]
    smoke_url: Annotated[
        str | None,
        Matches(
            r"https?://[a-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z0-9/_.?=&-]*",
            "a URL like https://payments.example.com/actuator/health",
        ),
        "What the smoke test asks by the front door, a read; null: it looks at the database alone",
    ]


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
