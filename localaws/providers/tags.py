"""Tags: a resource's own over those of its stack, in the form that each service takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localaws.providers.base import Context
from localaws.providers.shapes import at

RESERVED = "aws:"


def as_mapping(tags: Any) -> dict[str, str]:
    """Tags as name to value, of any form: an object, or a list of Key and Value, key and value, TagKey and TagValue."""
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    plain = {}
    for tag in tags or ():
        parts = {name.lower().removeprefix("tag"): value for name, value in tag.items()}
        plain[str(parts["key"])] = str(parts.get("value", ""))
    return plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """How a service takes, changes and tells the tags of one type.

    `property`: what the template calls them. `create`: the parameter of the creating call, None if it takes none, with
    EC2's name of the type in `specification`. `tag` and `untag`: the operations; `key`: their parameter for the
    resource, `of`: what it wants, see `Work.name`; `tags` and `keys`: their parameters for tags and for names of tags;
    `fixed` is sent along. `names`: what the two halves of a tag are called, None where tags are an object.
    `keys_are_tags`: removal wants [{"Key"}], not names. `whole`: the operations know only all tags at once. `read`:
    where the description has the tags, or with `lists` where the answer of that operation has them. `takes_reserved`:
    whether it takes the tags that AWS reserves to itself.
    """

    property: str = "Tags"
    create: str | None = "Tags"
    specification: str = ""
    tag: str
    untag: str
    key: str
    of: str = ""
    tags: str = "Tags"
    keys: str = "TagKeys"
    names: tuple[str, str] | None = ("Key", "Value")
    keys_are_tags: bool = False
    fixed: Mapping[str, Any] = field(default_factory=dict)
    whole: bool = False
    lists: str = ""
    read: str = "Tags"
    takes_reserved: bool = True

    def wanted(self, properties: Mapping[str, Any], context: Context) -> dict[str, str]:
        """All tags that the resource has to have: the stack's, CloudFormation's own, and above them the template's."""
        tags = {**context.tags, **as_mapping(properties.get(self.property))}
        if self.takes_reserved:
            return tags
        return {key: value for key, value in tags.items() if not key.startswith(RESERVED)}

    def form(self, tags: Mapping[str, str]) -> Any:
        """These tags as the service writes them."""
        if self.names is None:
            return dict(tags)
        key, value = self.names
        return [{key: name, value: text} for name, text in tags.items()]

    def at_creation(self, tags: Mapping[str, str]) -> dict[str, Any]:
        """The parameters that give tags to the creating call."""
        if not tags or self.create is None:
            return {}
        if self.specification:
            return {self.create: [{"ResourceType": self.specification, "Tags": self.form(tags)}]}
        return {self.create: self.form(tags)}

    def taking_away(self, keys: list[str]) -> Any:
        """The names of tags to remove, as the service writes them."""
        return [{"Key": key} for key in keys] if self.keys_are_tags else keys

    def actual(self, answer: Any) -> dict[str, str]:
        """The tags that a description tells."""
        return as_mapping(at(answer, self.read))
