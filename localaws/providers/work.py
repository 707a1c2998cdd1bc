"""What a row of the table is made of: the calls that change and describe a resource, and the resource at work."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from botocore.exceptions import ClientError

from localaws.providers.base import Clients, Context, ProviderError
from localaws.providers.shapes import at, call, place
from localaws.providers.tags import RESERVED, Tags

Properties = Mapping[str, Any]
NOTHING: Properties = {}

# How the services say that something is not there: InvalidVpcID.NotFound, DBClusterNotFoundFault, NoSuchEntity,
# ResourceNotFoundException, StateMachineDoesNotExist, WAFNonexistentItemException, Gateway.NotAttached, 404.
_GONE = re.compile(r"NotFound|NoSuch|DoesNotExist|Nonexistent|NotAttached|^404$")


def same(names: str, **renamed: str) -> dict[str, str]:
    """Property to parameter: the `names` are called alike on both sides, the rest are given as property="parameter"."""
    return {name: name for name in names.split()} | renamed


def code_of(error: ClientError) -> str:
    """The service's own word for a refusal."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_gone(error: ClientError) -> bool:
    """Whether a refusal says that the resource is not there."""
    return bool(_GONE.search(code_of(error)))


def unique_name(context: Context, limit: int = 255, *, lower: bool = False) -> str:
    """What a resource is called that the template leaves unnamed: CloudFormation's name, cut to the service's limit.

    Its random end is kept, it is what makes the name unique.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html
    """
    name = context.unique_name
    if len(name) > limit:
        end = name[-13:]
        name = name[: limit - len(end)].rstrip("-") + end
    return name.lower() if lower else name


@dataclass(slots=True)
class Work:
    """One resource while it is made, changed or looked at; `before` is empty while it is made."""

    clients: Clients
    context: Context
    service: str
    physical_id: str
    before: Properties
    after: Properties
    look: Callable[[Work], Mapping[str, Any] | None]
    found: Mapping[str, Any] | None = None

    @property
    def client(self) -> Any:
        """The client of the type's own service."""
        return self.clients(self.service)

    @property
    def entity(self) -> Mapping[str, Any]:
        """What the service says of the resource, asked once."""
        if self.found is None:
            self.found = self.look(self)
        if self.found is None:
            raise ProviderError(f"{self.physical_id} does not exist", "NotFound")
        return self.found

    def name(self, path: str) -> Any:
        """What a call wants as the resource's name.

        "": the physical id; "arn:…{region}:{account}:…{id}": an ARN put together; else what stands at this path of the
        description.
        """
        if path.startswith("arn:"):
            context = self.context
            return path.format(region=context.region, account=context.account_id, id=self.physical_id)
        return at(self.entity, path) if path else self.physical_id

    def call(self, operation: str, values: Properties | None = None, **more: Any) -> dict[str, Any]:
        """Call an operation of the type's service with values in CloudFormation's form."""
        return call(self.client, operation, {**(values or {}), **more})

    def at(self, physical_id: str) -> Work:
        """The same work on another resource, one that this one hangs on."""
        return replace(self, physical_id=physical_id, found=None)

    def changed(self, *names: str) -> bool:
        """Whether one of these properties is not what it was."""
        return any(self.before.get(name) != self.after.get(name) for name in names)


class Step(Protocol):
    """Something that applies properties to a resource that exists."""

    @property
    def properties(self) -> frozenset[str]:
        """The properties that it applies, without what lies below them."""
        ...

    @property
    def calls(self) -> Mapping[str, tuple[str, ...]]:
        """Each operation that it may call, and the parameters it is known to send; for the table's own test."""
        ...

    @property
    def creates(self) -> bool:
        """Whether it is made after creation too, because the creating call does not take its properties."""
        ...

    def apply(self, work: Work) -> None:
        """Make the calls that `work` needs."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A step of one call.

    `sends`: property to parameter. `key`: the parameter that names the resource, `of`: see `Work.name`. `whole`: sends
    all its properties, not only those that changed, because the operation replaces what was there. `defaults`: what a
    property becomes once the template leaves it out; without one it stays what it is, as in AWS, whose handlers send
    what the template gives and nothing else.
    """

    operation: str
    sends: Mapping[str, str]
    key: str
    of: str = ""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    creates: bool = False
    whole: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def properties(self) -> frozenset[str]:
        return frozenset(name.partition("/")[0] for name in self.sends)

    @property
    def calls(self) -> Mapping[str, tuple[str, ...]]:
        return {self.operation: (self.key, *self.sends.values(), *self.fixed)}

    def apply(self, work: Work) -> None:
        values: dict[str, Any] = {}
        for name, parameter in self.sends.items():
            old, new = (at(side, name.replace("/", ".")) for side in (work.before, work.after))
            if new is None and old is not None:
                new = self.defaults.get(name)
            if new is not None and (self.whole or new != old):
                place(values, parameter, new)
        if values:
            place(values, self.key, work.name(self.of))
            work.call(self.operation, {**self.fixed, **values})


@dataclass(frozen=True, slots=True, kw_only=True)
class Custom:
    """A step that a function makes, for what names alone cannot say."""

    properties: frozenset[str]
    calls: Mapping[str, tuple[str, ...]]
    function: Callable[[Work], object]
    creates: bool = False

    def apply(self, work: Work) -> None:
        self.function(work)


def custom(properties: str, operations: str, function: Callable[[Work], object], *, creates: bool = False) -> Custom:
    """A `Custom` from names with blanks between."""
    return Custom(
        properties=frozenset(properties.split()),
        calls=dict.fromkeys(operations.split(), ()),
        function=function,
        creates=creates,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a resource is described: `key` (or else a `filter`) takes the physical id, `path` is where the answer has it.

    `dead`: a field of the description and the values of it with which a resource that is still told of counts as gone.
    """

    operation: str
    key: str = ""
    filter: str = ""
    path: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    dead: tuple[str, frozenset[str]] | None = None

    def __call__(self, work: Work) -> Mapping[str, Any] | None:
        """The description; None where the resource is gone."""
        values = dict(self.fixed)
        if self.filter:
            values["Filters"] = [{"Name": self.filter, "Values": [work.physical_id]}]
        else:
            place(values, self.key, work.physical_id)
        try:
            found = at(work.call(self.operation, values), self.path)
        except ClientError as error:
            if is_gone(error):
                return None
            raise
        if found is None or (self.dead and found.get(self.dead[0]) in self.dead[1]):
            return None
        return dict(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """How a resource is deleted: `key` takes its name (`of`: see `Work.name`).

    `first` is done before, to let go of it. `asks`: looks whether it is there, for services that never say "not found".
    """

    operation: str
    key: str
    of: str = ""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    first: Callable[[Work], None] | None = None
    asks: bool = False

    def __call__(self, work: Work) -> None:
        """Delete it; what is gone already is fine."""
        if (self.asks or self.of) and work.found is None:
            work.found = work.look(work)
            if work.found is None:
                return
        try:
            if self.first:
                self.first(work)
            values = dict(self.fixed)
            place(values, self.key, work.name(self.of))
            work.call(self.operation, values)
        except ClientError as error:
            if not is_gone(error):
                raise


def apply_tags(form: Tags, work: Work) -> None:
    """Bring the tags of an existing resource to what template and stack want.

    What is there is asked for, because nobody tells which tags the stack had before. So a tag that somebody else put on
    goes as well; AWS would leave it, as it compares with the previous template.
    """
    wanted = form.wanted(work.after, work.context)
    actual = read_tags(form, work)
    gone = sorted(key for key in actual if key not in wanted and not key.startswith(RESERVED))
    fresh = {key: value for key, value in wanted.items() if actual.get(key) != value}
    if form.whole:
        if gone or fresh:
            _tag(form, work, form.tag if wanted else form.untag, form.tags if wanted else "", form.form(wanted))
        return
    if gone:
        _tag(form, work, form.untag, form.keys, form.taking_away(gone))
    if fresh:
        _tag(form, work, form.tag, form.tags, form.form(fresh))


def _tag(form: Tags, work: Work, operation: str, parameter: str, value: Any) -> None:
    values: dict[str, Any] = dict(form.fixed)
    place(values, form.key, work.name(form.of))
    if parameter:
        place(values, parameter, value)
    work.call(operation, values)


def read_tags(form: Tags, work: Work) -> dict[str, str]:
    """The tags that the resource has; S3 says NoSuchTagSet where it has none."""
    if not form.lists:
        return form.actual(work.entity)
    values: dict[str, Any] = dict(form.fixed)
    place(values, form.key, work.name(form.of))
    try:
        return form.actual(work.call(form.lists, values))
    except ClientError as error:
        if is_gone(error):
            return {}
        raise
