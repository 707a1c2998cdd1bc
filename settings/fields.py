"""The vocabulary of constraints that `model.py` annotates its fields with.

One declaration serves three readers: the loader (checks a value), the JSON Schema (editors complete and check),
and the error message (says what is allowed). A schema may accept more than `accepts` does, never less.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Protocol

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_ADDRESS = rf"{_OCTET}(?:\.{_OCTET}){{3}}"


class Constraint(Protocol):
    """A check on one value: `allowed` says in words what passes, `schema` the same as JSON Schema keywords."""

    @property
    def allowed(self) -> str: ...
    def accepts(self, value: Any) -> bool: ...
    def schema(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Between:
    """An integer from `low` to `high`, both included; `unit` is said in the message ("days", "MiB", "%")."""

    low: int
    high: int
    unit: str = ""

    @property
    def allowed(self) -> str:
        return f"a whole number from {self.low} to {self.high}" + (f" ({self.unit})" if self.unit else "")

    def accepts(self, value: Any) -> bool:
        # bool is a subclass of int: `true` is no number here.
        return type(value) is int and self.low <= value <= self.high

    def schema(self) -> dict[str, Any]:
        return {"minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a closed list of strings or integers."""

    values: tuple[str | int, ...]

    @property
    def allowed(self) -> str:
        return "one of " + ", ".join(str(value) for value in self.values)

    def accepts(self, value: Any) -> bool:
        # True == 1, so the type has to agree as well.
        return any(type(value) is type(one) and value == one for one in self.values)

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.values)}


@dataclass(frozen=True, slots=True)
class Matches:
    """A string that matches `pattern` as a whole; `meaning` is what the message says is allowed."""

    pattern: str
    meaning: str

    @property
    def allowed(self) -> str:
        return self.meaning

    def accepts(self, value: Any) -> bool:
        # ASCII: \d would take every script's digits, which no AWS service does.
        return isinstance(value, str) and re.fullmatch(self.pattern, value, re.ASCII) is not None

    def schema(self) -> dict[str, Any]:
        return {"pattern": f"^(?:{self.pattern})$", "patternErrorMessage": self.meaning}


@dataclass(frozen=True, slots=True)
class Cidr:
    """An IPv4 block in CIDR notation with no host bits set, its prefix between `shortest` and `longest`."""

    shortest: int = 0
    longest: int = 32

    @property
    def allowed(self) -> str:
        return f"an IPv4 block /{self.shortest} to /{self.longest} with no host bits set, like 10.0.0.0/16"

    def accepts(self, value: Any) -> bool:
        block = self._read(value)
        return block is not None and value == str(block)

    def nearest(self, value: str) -> str:
        """What to write instead of a block whose host bits are set: the one around it and the one after; else ""."""
        block = self._read(value)
        if block is None:
            return ""
        around = f"write {block} (the block around it)"
        after = int(block.network_address) + block.num_addresses
        return around if after >= 2**32 else f"{around} or {IPv4Address(after)}/{block.prefixlen} (the next one)"

    def _read(self, value: Any) -> IPv4Network | None:
        """The block that holds `value`, host bits cut off; None where it is no block of an allowed size.

        IPv4Network also takes numbers, netmasks and no prefix at all; CloudFormation does not.
        """
        if not isinstance(value, str):
            return None
        try:
            block = IPv4Network(value, strict=False)
        except ValueError:
            return None
        plain = value.partition("/")[2] == str(block.prefixlen)
        return block if plain and self.shortest <= block.prefixlen <= self.longest else None

    def schema(self) -> dict[str, Any]:
        prefixes = "|".join(map(str, range(self.shortest, self.longest + 1)))
        return {"pattern": f"^{_ADDRESS}/(?:{prefixes})$", "patternErrorMessage": self.allowed}


@dataclass(frozen=True, slots=True)
class Ipv4:
    """One IPv4 address."""

    @property
    def allowed(self) -> str:
        return "an IPv4 address like 203.0.113.10"

    def accepts(self, value: Any) -> bool:
        try:
            return isinstance(value, str) and str(IPv4Address(value)) == value
        except ValueError:
            return False

    def schema(self) -> dict[str, Any]:
        return {"format": "ipv4", "pattern": f"^{_ADDRESS}$", "patternErrorMessage": self.allowed}


@dataclass(frozen=True, slots=True)
class Count:
    """How many items a list must hold."""

    low: int
    high: int

    @property
    def allowed(self) -> str:
        if self.low == self.high:
            return f"exactly {self.low} items"
        return f"{self.low} to {self.high} items"

    def accepts(self, value: Any) -> bool:
        return self.low <= len(value) <= self.high

    def schema(self) -> dict[str, Any]:
        return {"minItems": self.low, "maxItems": self.high}
