"""What a rehearsal is told on its command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from rehearsal.rehearse.faults import KINDS, Fault, every_fault, read_fault
from rehearsal.rehearse.processes import ROOT
from settings.door import Help, Parser
from settings.errors import UsageError, did_you_mean

DESCRIPTION = """\
Rehearse the whole migration on this machine: an embedded AWS with the compiled stacks, two real PostgreSQL servers,
replication, payments of concurrent clients, both movements of the cutover. Nothing beyond this machine is reached."""

EPILOG = f"""\
examples:
  python rehearse.py --env dev                               one rehearsal, at 200 payments a second
  python rehearse.py --env dev --rate 50 --json result.json --html result.html
  python rehearse.py --env dev --fault target-killed@Drain   with something that breaks in the middle of it
  python rehearse.py --env dev --faults all --markdown docs/cutover-faults.md
                                                             one rehearsal for each of them, and a table

faults, as KIND@STATE or KIND@STATE+SECONDS (from when that state of the state machine begins):
{chr(10).join(f"  {name:<20} {kind.purpose}" for name, kind in KINDS.items())}

exit codes: 0 nothing lost or doubled, and fully switched (with a fault: fully switched or fully back), 1 otherwise,
2 wrong usage"""

_TIMES = tuple(map(str, range(1, 11)))
_MOST_RATE, _MOST_PAYMENTS, _MOST_SECONDS = 5000.0, 50_000_000, 3600.0


@dataclass(frozen=True, slots=True)
class Options:
    """One command: the environment, the load, what breaks (none: nothing does), where results go."""

    env: str
    suffix: str | None
    rate: float
    reads: float
    seconds: float
    payments: int
    accounts: int
    patience: int
    faults: tuple[Fault, ...]
    json: Path | None
    html: Path | None
    markdown: Path | None
    keep: Path | None

    @property
    def is_series(self) -> bool:
        """Whether several rehearsals were asked for."""
        return len(self.faults) > 1


def parse(arguments: list[str]) -> Options | None:
    """The options; None where they asked for help, which is printed then. Raises UsageError."""
    try:
        given = _parser().parse_args(arguments)
    except SystemExit:
        return None
    if not given.env:
        raise UsageError("--env is missing", hint="python rehearse.py --env dev")
    if given.env not in (known := _environments()):
        hint = did_you_mean(given.env, known) or f"one of {', '.join(known)}"
        raise UsageError(f"--env {given.env}: there is no params/{given.env}.yaml", hint=hint)
    for path in (given.json, given.html, given.markdown):
        if path is not None and not path.absolute().parent.is_dir():
            raise UsageError(f"{path}: its folder is not there", hint="make it, or name another file")
    if given.keep is not None and given.keep.exists():
        raise UsageError(f"--keep {given.keep}: it is there already", hint="name a folder that is not")
    faults = tuple(map(read_fault, given.fault)) + _series(given.faults)
    if given.html and len(faults) > 1:
        raise UsageError("--html is of one rehearsal", hint="leave it out with --faults; --json has them all")
    return Options(
        given.env, given.suffix, given.rate, given.reads, given.seconds, given.payments, given.accounts,
        given.patience, faults, given.json, given.html, given.markdown, given.keep,
    )  # fmt: skip


def _environments() -> list[str]:
    """Every file of params that overrides the base."""
    names = (path.stem for path in (ROOT / "params").glob("*.yaml"))
    return sorted(name for name in names if name not in ("base", "lifecycle"))


def _series(text: str | None) -> tuple[Fault, ...]:
    if text is None:
        return ()
    if text == "all":
        return every_fault()
    return tuple(fault for name in text.split(",") for fault in _of_kind(name))


def _of_kind(name: str) -> tuple[Fault, ...]:
    """All faults of a kind, or the one that is named with its state."""
    if "@" in name or name not in KINDS:
        return (read_fault(name),)
    return tuple(fault for fault in every_fault() if fault.kind == name)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="rehearse.py", description=DESCRIPTION, epilog=EPILOG, formatter_class=Help, allow_abbrev=False
    )
    parser.add_argument("--env", metavar="ENV", help="environment: params/ENV.yaml over params/base.yaml")
    parser.add_argument("--suffix", metavar="S", help="suffix of every name (default: ENV)")
    parser.add_argument("--rate", metavar="N", type=_rate, default=200.0, help="payments a second (default: 200)")
    parser.add_argument("--reads", metavar="N", type=_rate, default=50.0, help="reads a second (default: 50)")
    parser.add_argument(
        "--seconds", metavar="N", type=_seconds, default=10.0,
        help="how long payments go on before, between and after the movements (default: 10)",
    )  # fmt: skip
    parser.add_argument(
        "--payments", metavar="N", type=_count, default=20_000, help="payments that there are before (default: 20000)"
    )
    parser.add_argument(
        "--accounts", metavar="N", type=_count, default=1000, help="accounts that they are of (default: 1000)"
    )
    parser.add_argument(
        "--patience",
        metavar="N",
        type=_times,
        default=1,
        help="how many times what params say a freeze may take, on a machine that does much else (default: 1)",
    )
    parser.add_argument("--fault", metavar="NAME", action="append", default=[], help="what is to break; see below")
    parser.add_argument("--faults", metavar="NAMES", help="a rehearsal for each: all, a kind, or names with commas")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the result as JSON")
    parser.add_argument("--html", metavar="FILE", type=Path, help="write the result as a page with the timeline")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="write the table of the faults as Markdown")
    parser.add_argument(
        "--keep", metavar="DIR", type=Path, help="keep logs and records of events in this folder, which must not exist"
    )
    return parser


def _rate(text: str) -> float:
    return _number(text, 0.0, _MOST_RATE, "a number a second")


def _seconds(text: str) -> float:
    return _number(text, 0.0, _MOST_SECONDS, "a number of seconds")


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 0 < int(text) <= _MOST_PAYMENTS:
        raise argparse.ArgumentTypeError(f"{text}: a whole number from 1 to {_MOST_PAYMENTS} is wanted")
    return int(text)


def _times(text: str) -> int:
    if text not in _TIMES:
        raise argparse.ArgumentTypeError(f"{text}: a whole number from 1 to {len(_TIMES)} is wanted")
    return int(text)


def _number(text: str, low: float, high: float, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not low < value <= high:
        raise argparse.ArgumentTypeError(f"{text}: {what} above {low:g}, up to {high:g}, is wanted")
    return value
