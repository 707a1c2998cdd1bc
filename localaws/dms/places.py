"""From an endpoint to the database that it stands for: its credentials, and where on this machine its host listens."""

from __future__ import annotations

import json
from typing import Any

from localaws.dms.postgres import Place
from localaws.dms.store import Item
from localaws.hosts import Hosts

_SECRET = ("username", "password", "host", "port")
_MEMBERS = {"username": "Username", "password": "Password", "host": "ServerName", "port": "Port"}


class UnresolvedError(Exception):
    """The endpoint says too little, or names a host that is nowhere on this machine; the text says what is missing."""


class Places:
    """`clients` are those of the account's other services."""

    def __init__(self, clients: Any, hosts: Hosts) -> None:
        self._clients = clients
        self._hosts = hosts

    def find(self, endpoint: Item) -> Place:
        """The database of an endpoint; UnresolvedError where there is none.

        SslMode is not followed: the way to a server on this machine is its loopback, and no host beyond it is reached.
        """
        document = endpoint.document
        given = self._credentials(endpoint)
        host, port = str(given["host"]), str(given["port"])
        if not (port.isascii() and port.isdigit()):
            raise UnresolvedError(f"the port {port!r} is no number")
        found = self._hosts.find(host, int(port))
        if found is None:
            raise UnresolvedError(
                f"the embedded AWS does not know where on this machine {host}:{port} listens:"
                f' POST {{"{host}:{port}": "127.0.0.1:…"}} to /localaws/hosts'
            )
        if not document.get("DatabaseName"):
            raise UnresolvedError("DatabaseName not given")
        return Place(
            side=document["EndpointType"],
            host=found[0],
            port=found[1],
            database=document["DatabaseName"],
            user=str(given["username"]),
            password=str(given["password"]),
            script=document.get("PostgreSQLSettings", {}).get("AfterConnectScript", ""),
        )

    def _credentials(self, endpoint: Item) -> dict[str, Any]:
        from botocore.exceptions import ClientError

        name = endpoint.document.get("PostgreSQLSettings", {}).get("SecretsManagerSecretId")
        if not name:
            held = {**endpoint.document, **endpoint.secret}
            missing = [member for member in _MEMBERS.values() if not held.get(member)]
            if missing:
                raise UnresolvedError(f"{', '.join(missing)} not given")
            return {key: held[member] for key, member in _MEMBERS.items()}
        try:
            given = json.loads(self._clients("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
            missing = sorted(key for key in _SECRET if not given.get(key))
        except (ClientError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise UnresolvedError(f"the secret cannot be read ({type(error).__name__})") from None
        if missing:
            raise UnresolvedError(f"the secret has no {', '.join(missing)}")
        return given  # type: ignore[no-any-return]  # a JSON object, for it has those keys
