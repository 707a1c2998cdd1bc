"""Why a property changes: from the edited params key or template, through resources and wires, to the property."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from compiler.resolve import Target
from deployer.changes import PropertyChange
from deployer.review.grading import Graded, GradedEdit, Grader, rank
from deployer.review.model import Action, Certainty, Link
from deployer.review.values import LATER, arrow, name_of, plain, text_of, tokens

Param = tuple[str, str, str]
# Longer chains exist only where templates refer in circles.
_LONGEST = 12
# How a params value reads that is empty, or not there.
_NOTHING = frozenset(("(none)", "(not set)"))
_FLAGS = frozenset(("true", "false"))


def _times(factor: int) -> Callable[[str], str]:
    return lambda token: str(int(token) * factor) if token.isdecimal() else ""


# How a template writes a params value: as it is, its major version, in a smaller unit, the rest to a hundred.
_FORMS: tuple[Callable[[str], str], ...] = (
    lambda token: token,
    lambda token: token.partition(".")[0] if "." in token else "",
    *(_times(factor) for factor in (60, 1024, 3600, 86400, 1024**2, 1024**3)),
    lambda token: str(100 - int(token)) if token.isdecimal() else "",
)


class Causes:
    """Cause chains of a tree's edits; `params` are the changed params keys with their values before and after."""

    def __init__(self, grader: Grader, params: tuple[Param, ...]) -> None:
        self._grader = grader
        self._params = params

    def chain(self, graded: Graded, edit: GradedEdit) -> tuple[Link, ...]:
        """The links from the first cause to the edited property."""
        return tuple(self._chain(graded, edit, _LONGEST))

    def _chain(self, graded: Graded, edit: GradedEdit, left: int) -> Iterator[Link]:
        address, told = graded.change.address, edit.property
        source = max(edit.sources, key=lambda found: rank(found.grade), default=None)
        if source is not None and source.grade is not Certainty.NOISE:
            yield from self._behind(source.target, left)
        elif source is not None and edit.certainty is Certainty.NOISE:
            yield Link("resource", source.target.resource.address, "stays as it is")
            yield from _wires(source.target)
        else:
            yield self._first_cause(address, told.path or told.attribute, *self._values(address, told))
        known = told.before is not None or told.after is not None
        detail = arrow(told.before, told.after if told.after_known else LATER) if known else ""
        yield Link("property", f"{address}.{name_of(told)}", detail)

    def _behind(self, target: Target, left: int) -> Iterator[Link]:
        """What makes the resource behind a value give another one, and the way from there."""
        address = target.resource.address
        graded = self._grader.graded(address)
        if graded is None:
            yield Link("resource", address, "may change: what changes in its tier is not known")
        else:
            forcing = [edit for edit in graded.edits if edit.replaces] or [
                edit for edit in graded.edits if edit.certainty is not Certainty.NOISE
            ]
            if forcing and left:
                yield from self._chain(graded, forcing[0], left - 1)
            elif not forcing:
                yield self._first_cause(address, "", None, None)
            yield Link("resource", address, _fate(graded))
        yield from _wires(target)

    def _values(self, address: str, told: PropertyChange) -> tuple[str | None, str | None]:
        """The property's values as AWS tells them, else as the templates do."""
        if told.before is not None or told.after is not None or not told.name:
            return told.before, told.after
        bodies = (self._grader.trees.before_body(address), self._grader.trees.after_body(address))
        old, new = (None if body is None else text_of(body.properties.get(told.name)) for body in bodies)
        return old, new

    def _first_cause(self, address: str, path: str, before: str | None, after: str | None) -> Link:
        found = max(
            (param for param in self._params if _explains(param, path, before, after)),
            key=lambda param: _affinity(param[0], address, path),
            default=None,
        )
        if found is not None:
            return Link("param", found[0], arrow(found[1], found[2]))
        return Link("template", address, "edited; no changed param explains it" if self._params else "edited")


def _wires(target: Target) -> Iterator[Link]:
    """The outputs and parameters between a resource and the one that takes its value, the producer's end first."""
    for wire in reversed(target.wires):
        yield Link("output", f"{wire.producer}.{wire.output}")
        yield Link("parameter", f"{wire.consumer}.{wire.parameter}")


def _fate(graded: Graded) -> str:
    if graded.action is Action.REPLACE:
        return "replaced" if graded.certainty is Certainty.CERTAIN else "may be replaced"
    return {Action.CREATE: "created", Action.IMPORT: "imported"}.get(graded.action, "modified")


def _explains(param: Param, path: str, before: str | None, after: str | None) -> bool:
    """Whether what changes in the property's text is what changes in the param's, in some form of it."""
    key, old, new = param
    gone, come = _difference(*(tokens("" if value in _NOTHING else value) for value in (old, new)))
    lost, won = _difference(tokens(before), tokens(after))
    if not gone and not come:
        return False
    if (gone.keys() | come.keys()) <= _FLAGS and not _same_word(key, path):
        return False  # every flag that is switched says the same
    if not _is_list(old, new) and gone <= lost and come <= won:
        # A word in which a longer value differs is in many names: the whole value must be there.
        return tokens(old) <= tokens(before) and tokens(new) <= tokens(after)
    return any(_written(form, gone) <= lost.keys() and _written(form, come) <= won.keys() for form in _FORMS)


def _is_list(*values: str) -> bool:
    """Whether a params value is a list, as `[…]` or "a, b": its items may stand in several properties."""
    return any(value[:1] == "[" or ", " in value or value in _NOTHING for value in values)


def _difference(before: Counter[str], after: Counter[str]) -> tuple[Counter[str], Counter[str]]:
    return before - after, after - before


def _written(form: Callable[[str], str], counted: Counter[str]) -> set[str]:
    return {form(token) for token in counted}


def _affinity(key: str, address: str, path: str) -> int:
    """How much a params key sounds like the property: the same section as the tier, the same word as the property."""
    section = key.partition(".")[0]
    return 2 * _same_word(key, path) + (section == address.partition(".")[0])


def _same_word(key: str, path: str) -> bool:
    word = plain(key.rpartition(".")[2])
    return any(word in plain(part) or plain(part) in word for part in path.split("/") if plain(part))
