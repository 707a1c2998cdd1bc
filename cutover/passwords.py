r"""A user's password, from its secret to the database, so that no log can hold it.

What the server is sent is the SCRAM verifier, as psql's \password sends it: it proves the password and does not
contain it. https://www.postgresql.org/docs/current/libpq-misc.html#LIBPQ-PQCHANGEPASSWORD
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from scramp import ScramMechanism

from validator.errors import UsageError

# PostgreSQL's own number; a password of 40 random characters needs no more.
_ITERATIONS = 4096


def verifier(password: str) -> str:
    """The SCRAM-SHA-256 verifier, with a new salt each time.

    https://www.postgresql.org/docs/current/catalog-pg-authid.html
    """
    mechanism = ScramMechanism("SCRAM-SHA-256")
    salt, stored_key, server_key, iterations = mechanism.make_auth_info(password, iteration_count=_ITERATIONS)
    words = [b64encode(part).decode("ascii") for part in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${iterations}:{words[0]}${words[1]}:{words[2]}"


def read_password(secrets: Any, arn: str, user: str) -> str:
    """The password that the secret keeps for `user`; raises `UsageError`, whose text never holds it."""
    from botocore.exceptions import BotoCoreError, ClientError  # the command line without secrets does without it

    try:
        text = secrets.get_secret_value(SecretId=arn)["SecretString"]
    except (BotoCoreError, ClientError) as error:
        raise UsageError(
            f"the secret of {user} cannot be read: {error}", hint="check its name and your AWS credentials"
        ) from None
    try:
        secret = json.loads(text)
    except ValueError:
        secret = None
    if not isinstance(secret, Mapping) or not isinstance(secret.get("password"), str) or not secret["password"]:
        raise UsageError(f"the secret {arn} holds no password", hint="it is JSON with username, password, host, port")
    if secret.get("username") != user:
        raise UsageError(f"the secret {arn} is of another user than {user}", hint="compare with deploy.py outputs")
    password: str = secret["password"]
    return password


def parse_secret_for(text: str) -> tuple[str, str]:
    """ROLE=ARN, or ROLE=name of the secret; raises `UsageError`."""
    role, equals, arn = text.partition("=")
    if not (role and equals and arn):
        raise UsageError(f"--secret-for: {text!r} is not ROLE=SECRET")
    return role, arn


def secrets_client() -> Any:
    """A client of Secrets Manager, in the region and with the credentials of the process."""
    import boto3
    from botocore.exceptions import BotoCoreError

    make: Any = boto3.client  # typed for literal service names only
    try:
        return make("secretsmanager")
    except BotoCoreError as error:
        raise UsageError(f"Secrets Manager cannot be asked: {error}", hint="set AWS_REGION and credentials") from None
