"""Parameters of the Aurora PostgreSQL parameter groups, with the reason for each.

Only what differs from the default, or what must not change with it.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Reference.ParameterGroups.html
"""

from __future__ import annotations


def family(engine_version: str) -> str:
    """The parameter group family of a version: `17.7` → `aurora-postgresql17`."""
    return f"aurora-postgresql{major(engine_version)}"


def major(engine_version: str) -> str:
    """The major version: `17.7` → `17`."""
    return engine_version.partition(".")[0]


def cluster_parameters() -> dict[str, str]:
    """Parameters of the whole cluster."""
    return {**_encryption(), **_replication(), **_audit(), **_no_data_in_logs()}


def instance_parameters() -> dict[str, str]:
    """Parameters of each instance: how long reads and writes took, without which a slow one cannot be explained."""
    return {"track_io_timing": "1"}


def _encryption() -> dict[str, str]:
    return {
        # The default depends on the major version: 0 up to 16, 1 from 17 on.
        "rds.force_ssl": "1",
        "ssl_min_protocol_version": "TLSv1.2",
        "password_encryption": "scram-sha-256",
    }


def _replication() -> dict[str, str]:
    """The way back: DMS reads the changes of Aurora as it reads those of the data centre.

    https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Source.PostgreSQL.html#CHAP_Source.PostgreSQL.RDSPostgreSQL.CDC
    """
    return {
        # Static: set later, it would cost a restart in the middle of the cutover.
        "rds.logical_replication": "1",
        # DMS wants it of an Aurora source; and no payment is acknowledged before it is durable.
        "synchronous_commit": "on",
        # Milliseconds. DMS fails below 10 s; over 5 min a failover of its instance is noticed too late.
        "wal_sender_timeout": "30000",
        # DMS transactions idle before they are used again, and must not be ended. A limit for the application
        # belongs to its role (`ALTER ROLE … SET`).
        "idle_in_transaction_session_timeout": "0",
    }


def _audit() -> dict[str, str]:
    """Who connected, and what was done to tables and roles (PCI DSS 10.2.1).

    pgaudit and not `log_statement = ddl`: of `ALTER ROLE … PASSWORD '…'` the latter logs the password, the former
    `<REDACTED>`. https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Appendix.PostgreSQL.CommonDBATasks.pgaudit.html
    """
    return {
        "shared_preload_libraries": "pg_stat_statements,pgaudit",
        "pgaudit.log": "ddl,role",
        "pgaudit.log_parameter": "0",
        # Objects granted to this role are audited one by one: the way to watch a table of card data.
        "pgaudit.role": "rds_pgaudit",
        # Utility statements are kept as written, passwords included.
        "pg_stat_statements.track_utility": "0",
        "log_connections": "1",
        "log_disconnections": "1",
        "log_lock_waits": "1",
    }


def _no_data_in_logs() -> dict[str, str]:
    """Statements, their parameters and the details of errors hold card data, which must not reach the logs.

    Slow statements are found in Database Insights. The detail of a unique violation holds the row's key values.
    """
    return {
        "log_statement": "none",
        "log_min_duration_statement": "-1",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
    }
