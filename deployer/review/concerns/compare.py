"""Which of two values protects less: the comparisons of the rule tables, and paths into properties."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from deployer.review.concerns.case import UNKNOWN, parsed
from deployer.review.values import text_of

# Whether the second value protects less than the first.
Weaker = Callable[[Any, Any], bool]
_NONE: tuple[Any, ...] = (None, "", [], {})
_NO_LIMIT = float("inf")


def value_at(properties: Any, path: str) -> Any:
    """The value at a path: names and indexes by "/", `#key` for the entry of a list of keys and values, `{}` for JSON.

    "LoadBalancerAttributes/#deletion_protection.enabled", "ReplicationTaskSettings/{}/Logging/EnableLogging".
    UNKNOWN where a value on the way is not known.
    """
    found = properties
    for name in path.split("/"):
        if found == UNKNOWN:
            return UNKNOWN
        if name == "{}":
            found = parsed(found)
        elif name.startswith("#"):
            found = _entry(found, name[1:])
        elif isinstance(found, Mapping):
            found = found.get(name)
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found


def _entry(pairs: Any, key: str) -> Any:
    for pair in pairs if isinstance(pairs, list) else ():
        if isinstance(pair, Mapping) and key in (pair.get("Key"), pair.get("Name")):
            return pair.get("Value")
    return None


def truth(value: Any) -> bool:
    """A flag as templates write it: true, "true", "1", "Enabled"."""
    return str(value).lower() in ("true", "1", "on", "enabled")


def number(value: Any) -> float | None:
    """A number as templates write it, None where it is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def items(value: Any) -> frozenset[str]:
    """The members of a list, or of a text with commas."""
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else ()
    return frozenset(text_of(part).strip() for part in parts)


def off(before: Any, after: Any) -> bool:
    """A flag is switched off."""
    return truth(before) and not truth(after)


def on(before: Any, after: Any) -> bool:
    """A flag that had better be off is switched on."""
    return truth(after) and not truth(before)


def lower(before: Any, after: Any) -> bool:
    """A number gets smaller, or goes."""
    was, will = number(before), number(after)
    return was is not None and (will is None or will < was)


def higher(before: Any, after: Any) -> bool:
    """A number that had better be small gets larger, or goes."""
    was, will = number(before), number(after)
    return (was is not None and will is None) or (was is not None and will is not None and will > was)


def kept_shorter(before: Any, after: Any) -> bool:
    """A number of days gets smaller, where none at all means for ever."""
    was, will = number(before), number(after)
    return will is not None and (was is None or will < was)


def gone(before: Any, after: Any) -> bool:
    """What was set is set no more."""
    return before not in _NONE and after in _NONE


def other(before: Any, after: Any) -> bool:
    """What was set is set no more, or to something else."""
    return before not in _NONE and before != after


def changed(before: Any, after: Any) -> bool:
    """What had better not be set is set, or set to something else."""
    return after not in _NONE and before != after


def becomes(value: str) -> Weaker:
    """The value turns into this one."""
    return lambda before, after: before != after and str(after) == value


def other_than(value: str) -> Weaker:
    """The value is no longer this one, the only one that protects."""
    return lambda before, after: str(before) == value and str(after) != value


def shorter(before: Any, after: Any) -> bool:
    """A length gets smaller, where 0 or none at all means no limit."""
    return lower(number(before) or _NO_LIMIT, number(after) or _NO_LIMIT)


def fewer_names(before: Any, after: Any) -> bool:
    """A text has lost names, which stand in quotes or in brackets."""
    old, new = (set(re.findall(r"[\w.:${}-]+", str(text))) for text in (before or "", after or ""))
    return bool(old - new)


def to_root(before: Any, after: Any) -> bool:
    """A user gives way to root, who is also the one that nobody names."""
    old, new = (str(value or "root").partition(":")[0] in ("0", "root") for value in (before, after))
    return new and not old


def less_hsts(before: Any, after: Any) -> bool:
    """Browsers are told to keep to HTTPS for less time, or for fewer names."""
    ages = [re.search(r"max-age=(\d+)", str(value)) for value in (before, after)]
    seconds = [int(age[1]) if age else 0 for age in ages]
    words = [set(re.findall(r"includeSubDomains|preload", str(value))) for value in (before, after)]
    return seconds[1] < seconds[0] or bool(words[0] - words[1])


def fewer(before: Any, after: Any) -> bool:
    """A list has lost members."""
    return bool(items(before) - items(after))


def fewer_in_number(before: Any, after: Any) -> bool:
    """A list has become shorter; one whose members have other names has not."""
    return len(items(after)) < len(items(before))


def more(before: Any, after: Any) -> bool:
    """A list that had better be short has members that it had not."""
    return bool(items(after) - items(before))


def below(*ladder: str) -> Weaker:
    """The value goes down a ladder, lowest first; a value that is not on it is below, as what it means is not known."""
    steps = [step.lower() for step in ladder]

    def step(value: Any) -> int:
        name = str(value).lower()
        return steps.index(name) if name in steps else -1

    return lambda before, after: before != after and step(after) < max(step(before), 0)


def weaker_tls(before: Any, after: Any) -> bool:
    """A listener's policy allows older versions or weaker ciphers than before.

    Names read as `ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09`: lowest version 1.2, restricted ciphers, post-quantum.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
    """
    if before == after or before is None:
        return False
    return any(will < was for was, will in zip(_tls(before), _tls(after), strict=True))


def _tls(policy: Any) -> tuple[int, int, bool, bool]:
    """Lowest version, grade of ciphers, forward secrecy, post-quantum; the year's first policies allow TLS 1.0."""
    name = str(policy)
    version = re.search(r"-1-([0-3])(?=-|$)", name)
    ciphers = 2 if "-Res" in name or "-1-3-" in f"{name}-" else 0 if "-Ext" in name else 1
    modern = "TLS13" in name or "-FS-" in name
    return int(version[1]) if version else 0, ciphers, modern, "-PQ-" in name
