"""The gate's rules: what may not happen to a resource without being named."""

from __future__ import annotations

# rule → what a flag of it acknowledges
RULES: dict[str, str] = {
    "replace": "replacement of what holds data, or of the value in it",
    "delete": "deletion of what holds data",
    "weaken": "weaker protection",
    "access": "wider access",
    "traffic": "an effect on live traffic",
}


def flag(rule: str, address: str) -> str:
    """The flag that acknowledges one rule for one resource."""
    return f"--allow-{rule} {address}"
