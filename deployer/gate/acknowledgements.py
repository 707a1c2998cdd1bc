"""What a person names on the command line, and whether it names anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from deployer.gate.rules import RULES, flag
from settings.errors import UsageError, did_you_mean

# (rule, address): what `--allow-replace database.Cluster` says.
Acknowledgements = frozenset[tuple[str, str]]


def acknowledgements(allowed: Mapping[str, Iterable[str]]) -> Acknowledgements:
    """The acknowledgements of the flags, by rule: {"replace": ["database.Cluster"]}."""
    return frozenset((rule, address) for rule in RULES for address in allowed.get(rule, ()))


def check_that_each_names_something(given: Acknowledgements, refusable: Iterable[tuple[str, str]]) -> None:
    """Raises UsageError where one names what the gate does not ask about.

    A flag that acknowledges nothing is a slip of the pen, or was meant for another change: neither may pass in silence.
    """
    known = list(refusable)
    unmatched = sorted(given - set(known))
    if unmatched:
        problems = [f"{flag(rule, address)}: the gate asks no such thing of this change" for rule, address in unmatched]
        raise UsageError(problems, hint=_hint(*unmatched[0], known))


def _hint(rule: str, address: str, known: list[tuple[str, str]]) -> str:
    others = [flag(other, address) for other, named in known if named == address]
    if others:
        return f"it asks for {', '.join(others)}"
    guess = did_you_mean(address, [named for other, named in known if other == rule])
    return guess or f"it asks for {', '.join(flag(*one) for one in known)}" if known else "leave the flag out"
