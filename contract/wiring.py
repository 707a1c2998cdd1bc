"""Wires: what a tier needs (`Inputs`) and what it gives (`Outputs`), each value of a declared kind.

A tier module declares both as classes with annotated fields; `templates/root.py` connects them:

    class Outputs(BaseOutputs):
        vpc_id: Output[VpcId]

    security.Inputs(vpc_id=network.Outputs.vpc_id)

mypy refuses an output of another kind, a misspelt name and a missing argument; the linker (`compiler.linking`) refuses
the same at build time, for whoever does not run mypy, and names both tiers. The tier's own `build` receives an
`Inputs` whose fields are references to its nested stack's parameters.
"""

from __future__ import annotations

import inspect
import re
import sys
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, dataclass_transform

from troposphere import Ref

from contract.kinds import Kind
from settings.errors import LinkError, did_you_mean

K = TypeVar("K", bound=Kind)


def camel_case(name: str) -> str:
    """`private_subnet_1_id` → `PrivateSubnet1Id`, the form of logical ids, parameters and outputs."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


class Wire(Generic[K]):
    """One end of a wire: a value of kind K that belongs to `tier` under `name` (snake case)."""

    __slots__ = ("kind", "name", "tier")

    def __init__(self, tier: str, name: str, kind: type[Kind]) -> None:
        self.tier = tier
        self.name = name
        self.kind = kind

    @property
    def label(self) -> str:
        """The name that the template gives this end: parameter or output, in CamelCase."""
        return camel_case(self.name)

    @property
    def ref(self) -> Ref:
        """The reference to write into a property; only the consuming end has one."""
        raise LinkError(
            f"{self!r} is an output; a template cannot reference another tier's output",
            hint="declare it as an input of this tier and wire it in templates/root.py",
        )

    def __repr__(self) -> str:
        return f"{self.tier}.{self.name} ({self.kind.__name__})"


class Parameter(Wire[K]):
    """The consuming end, inside the tier: a parameter of its nested stack."""

    __slots__ = ()

    @property
    def ref(self) -> Ref:
        return Ref(self.label)


class Output(Wire[K]):
    """The producing end: an output of the tier's nested stack that another tier or the root takes."""

    __slots__ = ()


class Report(Output[K]):
    """An output for people and tests, who read it in flat-outputs.json: no tier need take it.

    It may be left out where params leave out the resource (a VPN, say).
    """

    __slots__ = ()


_ANNOTATION = re.compile(r"(?:\w+\.)*(?P<end>\w+)\[(?:\w+\.)*(?P<kind>\w+)\]")


def _declared(cls: type, ends: tuple[str, ...]) -> dict[str, tuple[str, type[Kind]]]:
    """The annotated fields of a declaration: name → (end, kind)."""
    scope = vars(sys.modules[cls.__module__])
    fields: dict[str, tuple[str, type[Kind]]] = {}
    for name, text in inspect.get_annotations(cls).items():
        match = _ANNOTATION.fullmatch(str(text))
        kind = scope.get(match["kind"]) if match else None
        if match is None or match["end"] not in ends or not (isinstance(kind, type) and issubclass(kind, Kind)):
            raise LinkError(
                f"{cls.__module__}.{cls.__name__}.{name}: {text!r} is not {' or '.join(f'{e}[Kind]' for e in ends)}",
                hint="declare it with a kind from contract/kinds.py, imported into the module",
            )
        fields[name] = (match["end"], kind)
    return fields


def tier_name(cls: type) -> str:
    """A tier is named by its module: `templates.load_balancer` → `load_balancer`."""
    return cls.__module__.rpartition(".")[2]


class _Declaration(type):
    """Reports a misspelt output with the tier's name and a guess, instead of an AttributeError."""

    if not TYPE_CHECKING:  # mypy must go on refusing unknown names itself

        def __getattr__(cls, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            raise LinkError(
                f"tier {tier_name(cls)} gives no output {name}",
                hint=did_you_mean(name, cls._fields) or f"declare it in class Outputs of templates/{tier_name(cls)}.py",
            )


class Outputs(metaclass=_Declaration):
    """Base of a tier's `Outputs`: every annotated field becomes an `Output` (or `Report`) on the class."""

    _fields: ClassVar[dict[str, Output[Any]]] = {}

    def __init_subclass__(cls) -> None:
        ends: dict[str, type[Output[Any]]] = {"Output": Output, "Report": Report}
        tier = tier_name(cls)
        cls._fields = {name: ends[end](tier, name, kind) for name, (end, kind) in _declared(cls, tuple(ends)).items()}
        for name, output in cls._fields.items():
            setattr(cls, name, output)

    @classmethod
    def fields(cls) -> dict[str, Output[Any]]:
        """Every declared output by name."""
        return dict(cls._fields)


@dataclass_transform(kw_only_default=True)
class _Wired(type):
    """Tells mypy that the constructor takes one keyword argument for each annotated field."""


class Inputs(metaclass=_Wired):
    """Base of a tier's `Inputs`: a field per wire, given by name.

    The constructor only keeps what it is given; the linker judges all tiers at once and reports every fault.
    """

    _kinds: ClassVar[dict[str, type[Kind]]] = {}

    def __init_subclass__(cls) -> None:
        # A subclass needs what its base needs, and more.
        cls._kinds = {**cls._kinds, **{name: kind for name, (_, kind) in _declared(cls, ("Wire",)).items()}}

    if not TYPE_CHECKING:  # mypy makes the constructor from the fields

        def __init__(self, **wires: Any) -> None:
            self.__dict__.update(wires)

    @property
    def wires(self) -> dict[str, Any]:
        """What the root gave, by input name; judged by the linker, so anything may stand here."""
        return dict(self.__dict__)

    @classmethod
    def kinds(cls) -> dict[str, type[Kind]]:
        """Every declared input by name, with its kind."""
        return dict(cls._kinds)

    @classmethod
    def parameters(cls) -> dict[str, Parameter[Any]]:
        """The same fields seen from inside the tier: references to its parameters."""
        return {name: Parameter(tier_name(cls), name, kind) for name, kind in cls._kinds.items()}
