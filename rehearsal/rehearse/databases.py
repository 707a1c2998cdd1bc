"""Both databases before the migration: a schema and payments in the data centre's, roles on both sides, the way there.

Everything that people would do by `docs/runbooks/database-users.md` is done by the same commands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rehearsal.rehearse.account import Account
from rehearsal.rehearse.processes import run_command
from rehearsal.rehearse.servers import Server
from rehearsal.schema import load, make_schema

DATA_CENTER, AURORA = "data_center", "aurora"
# Outputs that hold the ARNs of the secrets, by side and role.
_SECRETS = {
    DATA_CENTER: "Database.Source{}SecretArn",
    AURORA: "Database.{}SecretArn",
}
_PARTS = ("Application", "Dms", "Validator", "Cutover")


@dataclass(frozen=True, slots=True)
class Databases:
    """The servers of both sides, and the commands that prepare them."""

    data_center: Server
    aurora: Server
    account: Account
    logs: Path

    def of(self, side: str) -> Server:
        return self.data_center if side == DATA_CENTER else self.aurora

    def fill(self, payments: int, accounts: int) -> None:
        """Make the data centre's database, with so many payments in it."""
        make_schema(self.data_center.dsn())
        load(self.data_center.dsn(), payments, accounts)

    def make_schema(self, section: str) -> None:
        """One section of the source's schema on Aurora: "pre-data" before the full load, "post-data" after it."""
        both = ("--source", self.data_center.dsn(), "--target", self.aurora.dsn())
        programs = ("--bindir", str(self.aurora.programs))
        self._command(f"schema {section}", "schema", *both, "--section", section, "--apply", *programs)

    def make_users(self, side: str) -> None:
        """The roles of a side, with the passwords of their secrets; the data centre's gate is open from then on."""
        server, system = self.of(side), self.account.system
        given = []
        for part in _PARTS:
            given += ["--secret-for", f"{system}_{part.lower()}={self.account[_SECRETS[side].format(part)]}"]
        if side == DATA_CENTER:
            given.append("--open")
        kind = "source" if side == DATA_CENTER else "target"
        place = ("--side", kind, "--dsn", server.dsn(), "--system", system)
        self._command(f"users of {side}", "users", *place, "--apply", *given)

    def hosts(self) -> dict[str, tuple[str, int]]:
        """The host and port of each side, as its secrets name them."""
        secrets = {side: self.account.secret(_SECRETS[side].format("Cutover")) for side in _SECRETS}
        return {side: (str(secret["host"]), int(secret["port"])) for side, secret in secrets.items()}

    def lead_to(self, ports: Mapping[str, int]) -> None:
        """Let the embedded AWS find the hosts of both sides at these ports of this machine."""
        places = {f"{host}:{port}": f"127.0.0.1:{ports[side]}" for side, (host, port) in self.hosts().items()}
        self.account.ask("hosts", places)

    def application_dsn(self, side: str) -> str:
        """As the application signs in, by its secret."""
        secret = self.account.secret(_SECRETS[side].format("Application"))
        return self.of(side).dsn(secret["username"], secret["password"])

    def gates(self) -> dict[str, bool]:
        """Whether the application may write, for each side."""
        system = self.account.system
        asked = "SELECT pg_has_role(%s, %s, 'MEMBER')"
        roles = (f"{system}_application", f"{system}_writer")
        return {side: bool(self.of(side).run(asked, *roles)[0][0]) for side in _SECRETS}

    def _command(self, name: str, *arguments: str) -> None:
        log = self.logs / "cutover-commands.log"
        run_command(name, log, self.account.environment(), "-m", "cutover", *arguments)
