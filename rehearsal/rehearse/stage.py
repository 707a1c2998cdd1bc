"""All that a rehearsal runs on: embedded AWS, servers, the way between them, applications, load balancer, clients."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from rehearsal.ports import free_port
from rehearsal.postgres import find_programs
from rehearsal.rehearse.account import Account
from rehearsal.rehearse.arguments import Options
from rehearsal.rehearse.certificates import make_certificates
from rehearsal.rehearse.databases import AURORA, DATA_CENTER, Databases
from rehearsal.rehearse.migration import adapt_functions
from rehearsal.rehearse.processes import Part, Processes
from rehearsal.rehearse.servers import Server, make_server
from rehearsal.rehearse.traffic import GROUPS, register_targets

_DEADLINE_SECONDS = 180  # of a payment's tries: longer than any freeze with its way back
_DRAIN_SECONDS = _DEADLINE_SECONDS + 30.0


class Stage:
    """Started in order by `set_up`; `close` ends in reverse order whatever was started."""

    account: Account
    databases: Databases
    processes: Processes
    gateway: Part
    clients: Part

    def __init__(self, folder: Path, options: Options, prepared: Path | None = None) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self._options = options
        self._prepared = prepared
        self._stack = ExitStack()
        self.records = (folder / "clients.jsonl", folder / "load-balancer.jsonl")

    # --- from nothing to payments -------------------------------------------------------------------------------------
    def set_up(self, tell: Callable[[str], object]) -> None:
        """Everything, up to clients that pay in the data centre; `tell` is called with what is done next."""
        for place in (self.folder, self.logs):
            place.mkdir(exist_ok=True)
        programs = find_programs()
        self.account = Account(self.folder, self._options.env, self._options.suffix)
        self._stack.callback(self.account.close)
        self._deploy(tell)
        tell("two PostgreSQL servers, and payments in the data centre's")
        servers = [self._make_server(name, programs) for name in ("data center", "aurora")]
        self.databases = Databases(servers[0], servers[1], self.account, self.logs)
        # Replication tasks have to end while the servers that they hold connections to still live.
        self._stack.callback(self.account.close)
        self.databases.fill(self._options.payments, self._options.accounts)
        tell("the schema and the users")
        self.databases.make_schema("pre-data")
        for side in (DATA_CENTER, AURORA):
            self.databases.make_users(side)
        tell("applications, load balancer and clients")
        self._start_parts()

    def _deploy(self, tell: Callable[[str], object]) -> None:
        """Build and deploy, or take what a rehearsal before this one has deployed."""
        if self._prepared and self._prepared.is_dir():
            tell("the embedded AWS, as it was deployed before")
            shutil.copytree(self._prepared, self.folder, dirs_exist_ok=True)
            self.account.start()
            return
        tell("the embedded AWS")
        self.account.start()
        tell(f"build {self._options.env}")
        self.account.build()
        tell(f"deploy {self._options.env} to it")
        self.account.deploy()
        if self._prepared:
            self.account.preserve(self._prepared)

    def _make_server(self, name: str, programs: Path) -> Server:
        server = make_server(name, programs)
        self._stack.callback(self._remove, server)
        return server

    def _remove(self, server: Server) -> None:
        if server.log.is_file():
            shutil.copyfile(server.log, self.logs / f"postgres-{server.name.replace(' ', '-')}.log")
        server.remove()

    def _start_parts(self) -> None:
        account, databases, options = self.account, self.databases, self._options
        self.processes = Processes(self.logs, account.environment())
        self._stack.callback(self.processes.close)
        start = self.processes.start
        certificates = make_certificates(self.folder, [host for host, _ in databases.hosts().values()])
        files = ("--certificate", str(certificates.certificate), "--key", str(certificates.key))
        places = [f"--to={side}=127.0.0.1:{databases.of(side).port}" for side in (DATA_CENTER, AURORA)]
        self.gateway = start("gateway", "rehearsal.rehearse.gateway", *files, *places, listens=len(places))
        databases.lead_to(self.gateway.ports)
        front = free_port()
        adapt_functions(account, certificates.ca, f"http://127.0.0.1:{front}/actuator/health")
        register_targets(account)
        secrets = {
            "DATABASE_DATA_CENTER": databases.application_dsn(DATA_CENTER),
            "DATABASE_AURORA": databases.application_dsn(AURORA),
        }
        follow = ("--pointer", account["Database.PointerName"], "--region", account.region)
        groups = []
        for name, output in GROUPS.items():
            # The one in the data centre knows no other database than its own.
            known = dict(list(secrets.items())[:1]) if name == "data-center" else secrets
            part = start(name, "rehearsal.application", "--name", name, *follow, listens=1, **known)
            groups.append(f"--group={account[output]}=127.0.0.1:{part.ports[name]}")
        listener = f"--listener={account['LoadBalancer.HttpsListenerArn']}={front}"
        records = [str(path) for path in self.records]
        start(
            "load-balancer", "rehearsal.load_balancer", listener, *groups, "--record", records[1],
            "--region", account.region, listens=1,
        )  # fmt: skip
        load = ("--rate", str(options.rate), "--reads", str(options.reads), "--accounts", str(options.accounts))
        patience = ("--deadline", str(_DEADLINE_SECONDS))
        self.clients = start(
            "clients", "rehearsal.clients", "--url", f"http://127.0.0.1:{front}", *load, *patience,
            "--record", records[0],
        )  # fmt: skip

    # --- while it runs ------------------------------------------------------------------------------------------------
    def check(self) -> None:
        """Raise RehearsalError when a part of it has ended by itself."""
        self.processes.check()

    def cut(self) -> None:
        """Break every connection to the databases, but those of the owner."""
        self.gateway.process.send_signal(signal.SIGUSR1)
        application = f"{self.account.system}_application"
        for side in (DATA_CENTER, AURORA):
            sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = %s"
            self.databases.of(side).run(sql, application)

    def stop_clients(self) -> None:
        """Let no new payment be due, and wait until the last one is accepted or given up."""
        self.processes.forget(self.clients)
        self.clients.end(_DRAIN_SECONDS)

    def close(self) -> None:
        """End everything; a second Ctrl-C does not keep it from doing so."""
        held = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._stack.close()
        finally:
            for number, handler in held.items():
                signal.signal(number, handler)
