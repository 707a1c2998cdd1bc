"""The embedded AWS of a rehearsal: an account of its own, built and deployed by the project's own doors."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from localaws import process
from localaws.loopback import without_account
from localaws.record import STATE_VARIABLE
from rehearsal.errors import RehearsalError
from rehearsal.rehearse.processes import ROOT, run_command
from settings.errors import UserError

_END_SECONDS = 20.0
_PAUSE_SECONDS = 0.1


class Account:
    """One account; its state, what was built for it and its log are in `folder`."""

    def __init__(self, folder: Path, env: str, suffix: str | None) -> None:
        self.folder = folder
        self._env = env
        self._suffix = suffix
        self._state = folder / "localaws" / "state.json"
        self._clients: dict[str, Any] = {}
        self._begun = False
        self.url = ""

    # --- its life -----------------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Start the server; raises UserError with the last lines of its log."""
        self._begun = True
        self.url = process.up(ROOT, self._state).url

    def build(self) -> None:
        """Compile the environment."""
        run_command("the build", self.folder / "build.log", self._surroundings(), "build.py", *self._where())

    def deploy(self) -> None:
        """Review, gate and execute, without asking."""
        command = ("deploy.py", *self._where(), "--local", "--yes")
        run_command("the deployment", self.folder / "deploy.log", self._surroundings(), *command)

    def preserve(self, folder: Path) -> None:
        """Keep a copy of what was built and of the account as it is now, for another rehearsal to begin with."""
        until = time.monotonic() + _END_SECONDS
        while not self._is_saved():
            if time.monotonic() > until:
                raise RehearsalError(
                    "the account of the embedded AWS cannot be saved",
                    hint=f"its log is {self._state.with_suffix('.log')}",
                )
            time.sleep(_PAUSE_SECONDS)
        shutil.copytree(self.folder / "out", folder / "out")
        kept = self._state.with_suffix(".account")
        (folder / "localaws").mkdir()
        shutil.copyfile(kept, folder / "localaws" / kept.name)

    def _is_saved(self) -> bool:
        """Have it saved: not while requests leave no moment of quiet."""
        try:
            return self.ask("save", {})["bytes"] is not None
        except UserError:
            return False

    def close(self) -> None:
        """End the server, and with it every function that runs; the account is of no use to anybody else."""
        if not self._begun:
            return
        with suppress(UserError):  # whoever interrupted its start finds it started
            pid = process.up(ROOT, self._state).pid
            os.kill(pid, signal.SIGTERM)
            until = time.monotonic() + _END_SECONDS
            while process.find(ROOT, self._state) is not None:
                if time.monotonic() >= until:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                    break
                time.sleep(_PAUSE_SECONDS)
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
        self._begun = False

    # --- what is in it ------------------------------------------------------------------------------------------------
    @property
    def package(self) -> Path:
        """What was built."""
        return self.folder / "out" / (self._suffix or self._env)

    @property
    def outputs_file(self) -> Path:
        return self.package / "flat-outputs.json"

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of the deployed tree."""
        found: dict[str, str] = json.loads(self.outputs_file.read_text(encoding="utf-8"))
        return found

    def __getitem__(self, output: str) -> str:
        """An output; RehearsalError where the tree has none of that name."""
        try:
            return self.outputs[output]
        except KeyError:
            raise RehearsalError(
                f"the deployed tree has no output {output}", hint=f"compare {self.outputs_file} with templates/"
            ) from None

    @property
    def region(self) -> str:
        return self["Cutover.StateMachineArn"].split(":")[3]

    @property
    def system(self) -> str:
        """What the roles of the databases are called after: /payments/dev/database is of `payments`."""
        return self["Database.PointerName"].split("/")[1]

    def client(self, service: str) -> Any:
        """A client of boto3's for this account and no other."""
        if service not in self._clients:
            import boto3

            keys = process.environment(self.url)
            session = boto3.Session(
                aws_access_key_id=keys["AWS_ACCESS_KEY_ID"], aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"]
            )
            make: Any = session.client  # typed for literal service names only
            self._clients[service] = make(service, region_name=self.region, endpoint_url=self.url)
        return self._clients[service]

    def ask(self, path: str, document: object) -> Any:
        """A request to what only the embedded AWS has."""
        return process.ask(self.url, "POST", f"/localaws/{path}", document)

    def secret(self, output: str) -> dict[str, Any]:
        """What the secret with this ARN as its output holds."""
        text = self.client("secretsmanager").get_secret_value(SecretId=self[output])["SecretString"]
        found: dict[str, Any] = json.loads(text)
        return found

    def environment(self) -> dict[str, str]:
        """The variables of a process that speaks to this account."""
        return {**process.isolated(os.environ, self.url), "AWS_DEFAULT_REGION": self.region, "AWS_REGION": self.region}

    # --- how ----------------------------------------------------------------------------------------------------------
    def _where(self) -> tuple[str, ...]:
        suffix = ("--suffix", self._suffix) if self._suffix else ()
        return ("--env", self._env, *suffix, "--out", str(self.folder / "out"))

    def _surroundings(self) -> dict[str, str]:
        """Without what would lead the doors to another place than this."""
        kept = without_account(os.environ)
        kept.pop("ENVIRONMENT_SUFFIX", None)
        return {**kept, STATE_VARIABLE: str(self._state), "NO_COLOR": "1"}
