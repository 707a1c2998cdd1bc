"""The options of each verb."""

from __future__ import annotations

import argparse

from settings.door import Help, Parser
from settings.errors import UsageError, did_you_mean

# verb → what it does, and the names of its options below
VERBS: dict[str, tuple[str, tuple[str, ...]]] = {
    "up": ("review, ask, execute", ("where", "local", "allow", "cutover", "wait", "yes", "all")),
    "plan": (
        "forecast offline what would change and what would be replaced; no credentials",
        ("where", "against", "allow", "all", "json"),
    ),
    "review": (
        "upload what is new, create the change set of the whole tree, print and write its review, stop",
        ("where", "local", "allow", "cutover", "wait", "all", "json"),
    ),
    "execute": (
        "execute the reviewed change set and no other, follow it, write flat-outputs.json",
        ("where", "local", "allow", "cutover", "wait"),
    ),
    "outputs": ("write and print every output of the tree", ("where", "local", "format")),
    "status": (
        "show where the stack stands; follow what is going on, mend what got stuck",
        ("where", "local", "mend", "json"),
    ),
    "drift": ("compare what is deployed with its templates, in the whole tree", ("where", "local", "json")),
    "destroy": ("delete a disposable environment, and leave nothing", ("where", "local", "wait", "yes")),
    "account": ("review, ask, execute for the roles that all environments share", ("where", "local", "yes", "wait")),
    "local": ("the embedded AWS: start, stop, status, reset", ("action", "json")),
}

ALLOWED = {
    "replace": "replacement of this resource",
    "delete": "deletion of this resource",
    "weaken": "weaker protection of this resource",
    "access": "wider access by this resource",
    "traffic": "effect of this resource on live traffic",
}

EPILOG = """\
examples:
  python deploy.py --env dev --local                    review, ask, execute on the embedded AWS
  python deploy.py plan --env prod --against main       what would the build in out/prod change, judged offline?
  python deploy.py review --env prod                    out/prod/review.html, .md, .json
  python deploy.py execute --env prod                   what was reviewed, and nothing else
  python deploy.py outputs --env dev --format github >> "$GITHUB_OUTPUT"

AWS_PROFILE, AWS_ENDPOINT_URL and the like are honoured as everywhere.
exit codes: 0 done (also nothing to change), 1 found something (refused by the gate, failed deployment, drift),
2 wrong usage or params, 3 declined by the person"""


def usage() -> str:
    """What `deploy.py --help` prints."""
    verbs = "\n".join(f"  {verb:<9} {purpose}" for verb, (purpose, _) in VERBS.items())
    return (
        "usage: deploy.py [VERB] --env ENV [options]\n\n"
        "Deploy what build.py compiled: out/<suffix>/ → change set → review → gate → execution → flat-outputs.json.\n\n"
        f"verbs (without one: up; `deploy.py VERB --help` lists its options):\n{verbs}\n\n{EPILOG}"
    )


def parse(verb: str, arguments: list[str]) -> argparse.Namespace | None:
    """The options of `verb`; None where they asked for help, which is printed then."""
    purpose, groups = VERBS[verb]
    parser = Parser(
        prog=f"deploy.py {verb}", description=purpose, formatter_class=Help, allow_abbrev=False, add_help=True
    )
    for group in groups:
        _GROUPS[group](parser)
    try:
        options = parser.parse_args(_without_misplaced_verb(verb, arguments))
    except SystemExit:
        return None
    if "where" in groups and not options.env:
        raise UsageError("--env is missing", hint=f"python deploy.py {'' if verb == 'up' else verb + ' '}--env dev")
    return options


def _without_misplaced_verb(verb: str, arguments: list[str]) -> list[str]:
    """`arguments`, unless a word in the verb's place is none, or a verb comes after the options: then a usage error."""
    if verb != "up":
        return arguments
    if arguments and not arguments[0].startswith("-"):
        raise UsageError(
            f"{arguments[0]}: no such verb",
            hint=did_you_mean(arguments[0], VERBS) or f"one of {', '.join(VERBS)}; see: python deploy.py --help",
        )
    for place, word in enumerate(arguments):
        if word in VERBS and not arguments[place - 1].startswith("--"):
            rest = " ".join(argument for argument in arguments if argument != word)
            raise UsageError(f"{word}: the verb comes first", hint=f"python deploy.py {word} {rest}")
    return arguments


def _where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--env", metavar="ENV", help="environment: params/ENV.yaml over params/base.yaml")
    parser.add_argument("--suffix", metavar="S", help="suffix of every name (default: $ENVIRONMENT_SUFFIX, then ENV)")
    parser.add_argument("--out", metavar="DIR", help="folder of builds (default: out/ beside deploy.py)")


def _local(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--local", action="store_true", help="the embedded AWS instead of a real account")


def _allow(parser: argparse.ArgumentParser) -> None:
    for rule, what in ALLOWED.items():
        parser.add_argument(
            f"--allow-{rule}",
            metavar="ADDRESS",
            action="append",
            default=[],
            help=f"acknowledge the {what}, in this change set only (database.Cluster)",
        )


def _cutover(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--during-cutover", metavar="PHASE", help="deploy although a cutover is under way, and in this phase"
    )


def _wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait", metavar="SECONDS", type=_seconds, default=0, help="wait so long for a stack that is busy (default: 0)"
    )


def _seconds(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text}: a whole number of seconds is wanted")
    return int(text)


def _yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do not ask; the gate still refuses what it refuses")


def _all(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="show noise too")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def _against(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--against",
        metavar="WHAT",
        help="compare with a folder of a build, a git revision, or `deployed` (asks AWS); default: last deployment",
    )
    parser.add_argument("--local", action="store_true", help="with --against deployed: the embedded AWS")


def _format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", choices=("json", "env", "yaml", "github"), default="json", help="form of what is printed"
    )


def _mend(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-follow", action="store_true", help="do not follow an operation that is going on")
    parser.add_argument("--cancel", action="store_true", help="cancel the update that is going on: it rolls back")
    parser.add_argument(
        "--continue-rollback", action="store_true", help="continue a rollback that failed (UPDATE_ROLLBACK_FAILED)"
    )
    parser.add_argument(
        "--skip",
        metavar="ADDRESS",
        action="append",
        default=[],
        help="with --continue-rollback: leave this resource as it is, out of step with its template",
    )


def _action(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("start", "stop", "status", "reset"), help="reset forgets all state")


_GROUPS = {
    "where": _where,
    "local": _local,
    "allow": _allow,
    "cutover": _cutover,
    "wait": _wait,
    "yes": _yes,
    "all": _all,
    "json": _json,
    "against": _against,
    "format": _format,
    "mend": _mend,
    "action": _action,
}
