"""DMS endpoints that speak to a database."""

from __future__ import annotations

from typing import Final

# Engines with an SslMode, from the DMS table of TLS support; S3, Kinesis and the like have none.
# https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Security.SSL.html
DATABASE_ENGINES: Final = (
    "aurora", "aurora-postgresql", "azuredb", "azure-sql-managed-instance", "babelfish", "db2", "db2-zos", "docdb",
    "mariadb", "mongodb", "mysql", "oracle", "postgres", "sqlserver", "sybase",
)  # fmt: skip
