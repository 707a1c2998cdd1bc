"""A resource type as a row of a table: which calls make, change, describe and delete it.

Most types differ only in names, so a row says them and `Row` does the rest; what is odd about a type is a small
function in its row. A property that no call of the row takes, and that the row does not ignore with a reason, is
refused: nothing of a template is skipped in silence. A property that no step changes is refused on update: nothing is
pretended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from localaws.providers.base import Clients, Context, Handle, ProviderError
from localaws.providers.shapes import at, observe, place
from localaws.providers.tags import RESERVED, Tags, as_mapping
from localaws.providers.work import Properties, Step, Work, apply_tags, read_tags, unique_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One resource type.

    Made: by `create_operation`, which is sent `sends` (property to parameter) and always `fixed`, or by the function
    `make` where one call is not enough. Its answer has the description at `made`, as good as that of `look` if
    `complete`. The physical id stands at `physical` of the answer, or a function puts it together, or ("") it is the
    name: `named` is the property that names the resource, made up when the template leaves it out (`name_limit`,
    `name_lower`). `exclusive`: the service would overwrite one of the same name, where CloudFormation says that it
    exists. `piecemeal`: `make` makes several calls, and what it did before one failed has to be undone.

    Told: `look` describes it. `attributes`: Fn::GetAtt name to what `Work.name` takes. `reads`: where the description
    has a property, if not under its own or its parameter's name; None: it does not tell. `extend`: more of the
    description, by property, that takes further calls; only drift detection pays for them.

    Changed: by `steps` and `tags`. `ignored`: properties that no call takes, each with the reason. `unchangeable`:
    properties that the service never changes, though the registry does not say that they replace the resource.
    """

    type: str
    service: str
    create_operation: str = ""
    make: Callable[[Work, dict[str, Any]], Mapping[str, Any]] | None = None
    sends: Mapping[str, str]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    made: str = ""
    complete: bool = True
    physical: str | Callable[[Work], str] = ""
    named: str = ""
    name_limit: int = 255
    name_lower: bool = False
    exclusive: bool = False
    piecemeal: bool = False
    look: Callable[[Work], Mapping[str, Any] | None]
    attributes: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    remove: Callable[[Work], None]
    tags: Tags | None = None
    reads: Mapping[str, str | None] = field(default_factory=dict)
    extend: Callable[[Work], Mapping[str, Any]] | None = None
    ignored: Mapping[str, str] = field(default_factory=dict)
    unchangeable: frozenset[str] = frozenset()

    @property
    def known(self) -> frozenset[str]:
        """Every property that the row has an answer to."""
        names = {name.partition("/")[0] for name in self.sends} | set(self.ignored)
        names |= {name for step in self.steps for name in step.properties}
        return frozenset(names | {self.tags.property} if self.tags else names)

    def create(self, clients: Clients, properties: Properties, context: Context) -> Handle:
        self._check(properties)
        work = self._work(clients, "", properties, context)
        values = self._parameters(properties, context)
        if callable(self.physical):
            work.physical_id = self.physical(work)
        elif self.named:
            work.physical_id = str(values[self.sends[self.named]])
        if self.exclusive and self.look(work) is not None:
            raise ProviderError(
                f"Resource of type '{self.type}' with identifier '{work.physical_id}' already exists.", "AlreadyExists"
            )
        there = self.piecemeal
        try:
            answer = self.make(work, values) if self.make else work.call(self.create_operation, values)
            there = True
            self._finish(work, answer)
            return self._handle(work)
        except (ClientError, ProviderError):
            if there:
                # Nobody else knows its id yet, so nobody else could take it away.
                with suppress(ClientError, ProviderError):
                    self.remove(work)
            raise

    def update(
        self, clients: Clients, physical_id: str, before: Properties, after: Properties, context: Context
    ) -> Handle:
        self._check(after)
        work = self._work(clients, physical_id, after, context, before)
        changed = {name for name in {*before, *after} if work.changed(name)}
        changeable = {name for step in self.steps for name in step.properties} | set(self.ignored)
        stuck = sorted(changed - changeable - ({self.tags.property} if self.tags else set()))
        if stuck:
            raise ProviderError(f"{self.type} {physical_id}: {', '.join(stuck)} cannot be changed", "NotUpdatable")
        for step in self.steps:
            if changed & step.properties:
                step.apply(work)
        if self.tags:
            apply_tags(self.tags, work)
        work.found = None
        return self._handle(work)

    def delete(self, clients: Clients, physical_id: str, properties: Properties, context: Context) -> None:
        self.remove(self._work(clients, physical_id, properties, context))

    def read(
        self, clients: Clients, physical_id: str, properties: Properties, context: Context
    ) -> Mapping[str, Any] | None:
        work = self._work(clients, physical_id, properties, context)
        work.found = self.look(work)
        if work.found is None:
            return None
        more = self.extend(work) if self.extend else {}
        told = {
            name: value for name in properties if (value := more.get(name, self._told(work.found, name))) is not None
        }
        actual = {name: observe(properties[name], value) for name, value in told.items()}
        if self.tags and self.tags.property in properties:
            actual[self.tags.property] = self._read_tags(self.tags, work)
        return actual

    def _check(self, properties: Properties) -> None:
        unknown = sorted(set(properties) - self.known)
        if unknown:
            raise ProviderError(
                f"{self.type}: the embedded AWS does nothing with {', '.join(unknown)}, and skips nothing in silence",
                "UnsupportedProperty",
            )

    def _work(
        self,
        clients: Clients,
        physical_id: str,
        after: Properties,
        context: Context,
        before: Properties | None = None,
    ) -> Work:
        return Work(
            clients=clients,
            context=context,
            service=self.service,
            physical_id=physical_id,
            before=before or {},
            after=after,
            look=self.look,
        )

    def _finish(self, work: Work, answer: Mapping[str, Any]) -> None:
        """Learn the id of what was made, and give it what the creating call does not take."""
        if isinstance(self.physical, str) and self.physical:
            work.physical_id = str(at(answer, self.physical))
        if self.complete:
            work.found = at(answer, self.made)
        for step in self.steps:
            if step.creates and any(name in work.after for name in step.properties):
                step.apply(work)
        if self.tags and self.tags.create is None:
            apply_tags(self.tags, work)

    def _parameters(self, properties: Properties, context: Context) -> dict[str, Any]:
        values: dict[str, Any] = dict(self.fixed)
        for name, parameter in self.sends.items():
            value = at(properties, name.replace("/", "."))
            if value is None and name == self.named:
                value = unique_name(context, self.name_limit, lower=self.name_lower)
            if value is not None:
                place(values, parameter, value)
        if self.tags:
            values |= self.tags.at_creation(self.tags.wanted(properties, context))
        return values

    def _handle(self, work: Work) -> Handle:
        told = {name: work.name(path) for name, path in self.attributes.items()}
        return Handle(work.physical_id, {name: value for name, value in told.items() if value is not None})

    def _told(self, entity: Mapping[str, Any], name: str) -> Any:
        """What a description has under the name of a property, or of the parameter that took it."""
        if name in self.reads:
            path = self.reads[name]
            return None if path is None else at(entity, path)
        parameter = self.sends.get(name, name).partition(".")[0].removesuffix("[]").lower()
        return next((value for key, value in entity.items() if key.lower() in (name.lower(), parameter)), None)

    @staticmethod
    def _read_tags(form: Tags, work: Work) -> Any:
        """The tags as the template would write them, without those that it does not hold but the stack gives."""
        given = work.after[form.property]
        own = as_mapping(given)
        actual = {
            key: value
            for key, value in read_tags(form, work).items()
            if key in own or not (key.startswith(RESERVED) or key in work.context.tags)
        }
        if isinstance(given, Mapping):
            return observe(given, actual)
        return observe(given, [{"Key": key, "Value": value} for key, value in actual.items()])
