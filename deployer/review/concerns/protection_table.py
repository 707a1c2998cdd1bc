"""What protects, property by property, and when a change of it protects less."""

from __future__ import annotations

from deployer.review.concerns.guard import Guard
from deployer.review.concerns.guards_of_data import DATA
from deployer.review.concerns.guards_of_replication import REPLICATION
from deployer.review.concerns.guards_of_serving import SERVING

_GUARDS = (*DATA, *REPLICATION, *SERVING)


def guards(resource_type: str) -> tuple[Guard, ...]:
    """The rows of a type."""
    return _BY_TYPE.get(resource_type, ())


def all_guards() -> tuple[Guard, ...]:
    """The whole table."""
    return _GUARDS


_BY_TYPE: dict[str, tuple[Guard, ...]] = {
    kind: tuple(guard for guard in _GUARDS if guard.type == kind) for kind in dict.fromkeys(g.type for g in _GUARDS)
}
