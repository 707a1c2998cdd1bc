"""Containers that are locked up less than before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deployer.review.concerns.case import Case
from deployer.review.concerns.compare import Weaker, fewer, gone, more, off, on, to_root, value_at
from deployer.review.concerns.guard import SSL_MODES
from deployer.review.model import Concern, Finding
from deployer.review.values import arrow, mappings, short, text_of

# path below the container's definition, what a missing value means, when it is weaker, what to say
_LOCKS: tuple[tuple[str, Any, Weaker, str], ...] = (
    ("Privileged", False, on, "runs with the host's rights"),
    ("ReadonlyRootFilesystem", False, off, "can write to its own file system"),
    ("User", None, to_root, "runs as root"),
    ("LinuxParameters/Capabilities/Drop", None, fewer, "keeps capabilities that it dropped"),
    ("LinuxParameters/Capabilities/Add", None, more, "gets further capabilities"),
    ("LogConfiguration/LogDriver", None, gone, "is not logged any more"),
)


def weakened(case: Case) -> Iterator[Finding]:
    """The containers of a task definition, compared by name."""
    before, after = (_containers(side) for side in (case.old(), case.new()))
    gone, come = ([name for name in one if name not in other] for one, other in ((before, after), (after, before)))
    before |= {new: before[old] for old, new in zip(gone, come, strict=False)}  # renamed, as far as one can tell
    for name in after:
        for path, missing, weaker, text in _LOCKS:
            old, new = (value_at(side.get(name, {}), path) for side in (before, after))
            if weaker(missing if old is None else old, missing if new is None else new):
                yield Finding(Concern.PROTECTION, "weaken", f"container {name} {text}")
        if name in before:
            yield from _environment(name, before[name], after[name])
            yield from _image(name, *(str(side[name].get("Image", "")) for side in (before, after)))


def secrets_moved(case: Case) -> Iterator[Finding]:
    """Containers that take a credential from elsewhere: they sign in to another database from then on."""
    before, after = (_containers(side) for side in (case.old(), case.new()))
    for name in before.keys() & after.keys():
        moved = [
            arrow(text_of(old), text_of(new))
            for key, old in _named(before[name], "Secrets", "ValueFrom").items()
            if (new := _named(after[name], "Secrets", "ValueFrom").get(key)) not in (None, old)
        ]
        if moved:
            more = f", and {len(moved) - 1} more" if len(moved) > 1 else ""
            yield Finding(
                Concern.TRAFFIC, "traffic", f"container {name} takes its credentials from elsewhere, {moved[0]}{more}"
            )


def _environment(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Finding]:
    """Variables that say how a connection to a database is protected, and secrets that became plain variables."""
    plain = _named(after, "Environment", "Value")
    for key in _named(before, "Secrets", "ValueFrom").keys() & plain.keys():
        yield Finding(Concern.PROTECTION, "weaken", f"container {name} gets {key} in plain text")
    for key, old in _named(before, "Environment", "Value").items():
        new = plain.get(key)
        if "SSL_MODE" in key.replace("SSLMODE", "SSL_MODE") and SSL_MODES(old, new):
            told = arrow(text_of(old), None if new is None else text_of(new))
            yield Finding(Concern.PROTECTION, "weaken", f"container {name} protects its connection less, {key} {told}")


def _image(name: str, before: str, after: str) -> Iterator[Finding]:
    """An image that is no longer pinned to its digest, or comes from another repository."""
    if "@sha256:" in before and "@sha256:" not in after:
        yield Finding(
            Concern.PROTECTION, "weaken", f"container {name} runs whatever image has the tag ({short(after)})"
        )
    old, new = (image.partition("@")[0].rpartition("/")[0] for image in (before, after))
    if old != new:
        yield Finding(
            Concern.PROTECTION, "weaken", f"container {name} takes its image from elsewhere, {arrow(old, new)}"
        )


def _named(container: Mapping[str, Any], name: str, value: str) -> dict[str, Any]:
    """A list of names and values as a mapping."""
    return {str(pair.get("Name")): pair.get(value) for pair in mappings(container.get(name))}


def _containers(properties: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {str(part.get("Name")): part for part in mappings(properties.get("ContainerDefinitions"))}
