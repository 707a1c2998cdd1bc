"""Database users: a secret for each consumer, on Aurora and in the data centre.

The template makes the passwords, so no person or file ever holds one; the users themselves are made by whoever runs
`docs/runbooks/database-users.md`, from the secrets.

Changing the template of a secret's JSON makes Secrets Manager generate a new password. So moving the data centre's
database to another host (params) means setting the passwords of its users again, by the same runbook.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from troposphere import Ref, secretsmanager

from contract import names
from contract.stack import Stack
from contract.wiring import camel_case
from templates.documents import canonical_json

# DMS refuses `; : + { } % * & , .` and backslash in passwords; quotes, @, /, # and ? break connection strings, $ and `
# the shells of people. https://docs.aws.amazon.com/dms/latest/userguide/security_iam_secretsmanager.html
_UNUSABLE = ";:+{}%*&,.\\\"'`@/#?$"
_LENGTH = 40

NO_ROTATION = (
    "Rotated by hand, docs/runbooks/database-users.md: a password that changes while a replication task runs stops "
    "the task, and the users in the data centre are out of reach of AWS. The master user's password is rotated by RDS."
)


@dataclass(frozen=True, slots=True)
class Consumer:
    """Who connects to the databases, as the names of its secrets and users say it."""

    part: str
    purpose: str

    def user(self, system: str) -> str:
        """Its PostgreSQL user, the same on both sides."""
        return f"{system}_{self.part}"


APPLICATION = Consumer("application", "the Java application")
DMS = Consumer("dms", "replication")
VALIDATOR = Consumer("validator", "the comparison of both sides; reads only")
CUTOVER = Consumer("cutover", "the cutover: it opens and closes the gate for writes")
CONSUMERS = (APPLICATION, DMS, VALIDATOR, CUTOVER)


def writer_role(system: str) -> str:
    """The role that nobody signs in as: whoever is a member of it may write."""
    return f"{system}_writer"


def add_aurora_secret(stack: Stack, consumer: Consumer, key_arn: Ref, cluster: Ref) -> secretsmanager.Secret:
    """The secret of a user on Aurora; the attachment adds engine, host and port, which DMS cannot do without.

    The database's name is ours to write: the attachment is documented to add "connection information" only.
    """
    where = {"dbname": stack.settings.database.name}
    secret = _secret(stack, consumer.part, f"Aurora user of {consumer.purpose}", key_arn, where, consumer)
    stack.add(
        secretsmanager.SecretTargetAttachment(
            f"{secret.title}Attachment",
            SecretId=Ref(secret),
            TargetId=cluster,
            TargetType="AWS::RDS::DBCluster",
        )
    )
    return secret


def add_source_secret(stack: Stack, consumer: Consumer, key_arn: Ref) -> secretsmanager.Secret:
    """The secret of a user in the data centre's database, in the same JSON form as those of Aurora."""
    place = stack.settings.data_center
    where = {
        "dbname": place.database_name,
        "engine": "postgres",
        "host": place.database_host,
        "port": place.database_port,
    }
    description = f"Data centre user of {consumer.purpose}"
    return _secret(stack, f"source-{consumer.part}", description, key_arn, where, consumer)


def _secret(
    stack: Stack, part: str, description: str, key_arn: Ref, where: dict[str, Any], consumer: Consumer
) -> secretsmanager.Secret:
    return stack.add_stateful(
        secretsmanager.Secret(
            f"{camel_case(part.replace('-', '_'))}Secret",
            Name=stack.name(names.SECRET, part),
            Description=description,
            KmsKeyId=key_arn,
            GenerateSecretString=secretsmanager.GenerateSecretString(
                SecretStringTemplate=canonical_json({"username": consumer.user(stack.settings.system), **where}),
                GenerateStringKey="password",
                PasswordLength=_LENGTH,
                ExcludeCharacters=_UNUSABLE,
                RequireEachIncludedType=True,
            ),
        ),
        excepted={"E9116": NO_ROTATION},
    )
