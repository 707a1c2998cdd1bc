"""What a verb works with: the repository, the build, the account."""

from __future__ import annotations

import argparse
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from compiler.stamp import Stamp, contents_digest
from deployer.dialog import say
from deployer.errors import PackageError
from deployer.package_dir import Package, read_package
from settings.errors import UsageError

if TYPE_CHECKING:
    from deployer.aws import Aws


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a verb. `folder` is out/<suffix>/; the others are as the command line has them, `out` "" for none."""

    root: Path
    folder: Path
    environment: str
    suffix: str
    local: bool
    out: str = ""

    def package(self) -> Package:
        """The build in `folder`, which must be one of this environment; says so when its inputs have changed since."""
        try:
            package = read_package(self.folder)
        except PackageError as error:
            raise PackageError(error.problems, hint=f"build it: {self._build_command()}") from error
        if (package.environment, package.suffix) != (self.environment, self.suffix):
            raise PackageError(
                f"{self.folder}: a build of {package.environment} (suffix {package.suffix}), not of {self.environment}",
                hint=f"build it: {self._build_command()}",
            )
        stamp = Stamp(str(self.folder.parent / f".stamp-{self.folder.name}"), str(self.folder))
        if stamp.made_of(contents_digest(str(self.root))) is False:
            say(
                f"note: params or code have changed since {self.path()} was built; what is used here is that build; "
                f"to build anew: {self._build_command()}"
            )
        return package

    def connect(self, region: str) -> Aws:
        """Clients of the account: the embedded one's where the command line says so, which is started when needed."""
        from deployer.aws import connect

        if self.local:
            use_local(self.root)
        return connect(region)

    def command(self, verb: str) -> str:
        """How a person calls another verb, "" for none, on the same thing."""
        words = ["python deploy.py", *([verb] if verb else []), *self._where()]
        return " ".join([*words, *(["--local"] if self.local else [])])

    def path(self, name: str = "") -> str:
        """A file of the build's folder, or the folder itself, as a person would write it: relative where it can be."""
        path = self.folder / name
        try:
            return str(path.relative_to(Path.cwd()))
        except ValueError:
            return str(path)

    def _build_command(self) -> str:
        return " ".join(["python build.py", *self._where()])

    def _where(self) -> list[str]:
        suffix = [] if self.suffix == self.environment else ["--suffix", self.suffix]
        out = ["--out", shlex.quote(self.out)] if self.out else []
        return ["--env", self.environment, *suffix, *out]


def open_session(options: argparse.Namespace, root: str) -> Session:
    """The session that a command line asks for."""
    suffix = options.suffix
    if suffix is None:
        suffix = os.environ.get("ENVIRONMENT_SUFFIX") or options.env
    if not suffix or "/" in suffix or suffix.startswith("."):
        raise UsageError(f"--suffix {suffix!r}: no suffix of a build", hint="give the one that build.py was given")
    if options.out == "":
        raise UsageError("--out names no folder", hint="leave it out, or name one")
    out = Path(root, "out") if options.out is None else Path(options.out).absolute()
    return Session(Path(root), out / suffix, options.env, suffix, options.local, options.out or "")


def use_local(root: Path) -> None:
    """Make every client of this process speak to the embedded AWS, which is started where it does not run.

    An endpoint that the environment names already is used instead, if it is a loopback address: anything else is
    refused, so that --local can never reach a real account.
    """
    from localaws import process

    given = os.environ.get("AWS_ENDPOINT_URL")
    if given:
        process.require_loopback(given)
        url = given
    else:
        endpoint = process.up(root)
        url = endpoint.url
        if endpoint.started:
            say(f"embedded AWS started at {url} (stop it: python deploy.py local stop)")
    process.adopt(os.environ, url)
