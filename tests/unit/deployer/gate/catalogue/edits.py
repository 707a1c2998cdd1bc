"""Edits of a tree's templates, as an engineer would make them: each is a function that changes the templates it gets."""

from __future__ import annotations

import functools
import json
from pathlib import Path

GOLDEN = Path(__file__).parents[4] / "golden"
GONE = object()


@functools.cache
def _text(environment, tier):
    return (GOLDEN / environment / f"{tier}.template.json").read_text()


@functools.cache
def templates(environment):
    """The templates of an environment by tier, not to be changed."""
    root = json.loads(_text(environment, "root"))
    tiers = [body["Properties"]["TemplateURL"].partition(".")[0] for body in root["Resources"].values()]
    return {"root": root} | {tier: json.loads(_text(environment, tier)) for tier in tiers}


class Edited(dict):
    """The same, to be changed freely: a tier is copied when an edit asks for it."""

    def __init__(self, environment):
        super().__init__(templates(environment))
        self._environment = environment
        self._own = set()

    def __getitem__(self, tier):
        if tier not in self._own:
            self._own.add(tier)
            self[tier] = json.loads(_text(self._environment, tier))
        return super().__getitem__(tier)

    def __setitem__(self, tier, template):
        self._own.add(tier)
        super().__setitem__(tier, template)


def resource(tree, address):
    tier, _, logical_id = address.partition(".")
    return tree[tier]["Resources"][logical_id]


def put(address, path, value):
    """Set a property. `path`: names and indexes by "/", `#key` in a list of named things, "-" appends, `{}` is JSON.

    GONE removes it; a function gets the old value.
    """

    def edit(tree):
        _put(resource(tree, address).setdefault("Properties", {}), path.split("/"), value)

    return edit


def _put(place, names, value):
    name, *rest = names
    if rest[:1] == ["{}"]:
        inner = json.loads(place[name])
        _put(inner, rest[1:], value)
        place[name] = json.dumps(inner, separators=(",", ":"))
    elif name == "-":
        place.append(value)
    elif rest:
        key = _key(place, name)
        _put(place.setdefault(key, {}) if isinstance(place, dict) else place[key], rest, value)
    elif value is GONE:
        del place[_key(place, name)]
    else:
        key = _key(place, name)
        place[key] = value(place[key]) if callable(value) else value


def _key(place, name):
    if name.startswith("#"):
        names = ("Key", "Name", "Sid", "PolicyName")
        return next(i for i, part in enumerate(place) if name[1:] in [part.get(key) for key in names])
    return int(name) if isinstance(place, list) else name


def attributes(address, **values):
    """Set or remove (None) attributes of a resource: its policies, DependsOn, Metadata."""

    def edit(tree):
        body = resource(tree, address)
        body |= values
        for name in [name for name, value in values.items() if value is None]:
            del body[name]

    return edit


def drop(*addresses):
    """Take resources away; what refers to them is left dangling, which AWS would refuse and a forecast judges."""

    def edit(tree):
        for address in addresses:
            tier, _, logical_id = address.partition(".")
            del tree[tier]["Resources"][logical_id]

    return edit


def add(address, kind, **properties):
    def edit(tree):
        tier, _, logical_id = address.partition(".")
        tree[tier]["Resources"][logical_id] = {"Type": kind, "Properties": properties}

    return edit


def both(*edits):
    def edit(tree):
        for one in edits:
            one(tree)

    return edit


def rename(address, new):
    """Give a resource another logical id, in whatever names it."""
    tier, _, old = address.partition(".")

    def edit(tree):
        text = json.dumps(tree[tier])
        for before, after in ((f'"{old}"', f'"{new}"'), (f"${{{old}}}", f"${{{new}}}"), (f"${{{old}.", f"${{{new}.")):
            text = text.replace(before, after)
        tree[tier] = json.loads(text)

    return edit


def wire(stack, parameter, producer, output):
    """Feed a tier's parameter with another output."""

    def edit(tree):
        parameters = tree["root"]["Resources"][stack]["Properties"]["Parameters"]
        parameters[parameter] = {"Fn::GetAtt": [producer, f"Outputs.{output}"]}

    return edit


def drop_tier(stack, tier):
    def edit(tree):
        del tree["root"]["Resources"][stack], tree[tier]
        outputs = tree["root"]["Outputs"]
        tree["root"]["Outputs"] = {name: body for name, body in outputs.items() if f'"{stack}"' not in json.dumps(body)}

    return edit


def rename_tier(stack, new):
    def edit(tree):
        tree["root"] = json.loads(json.dumps(tree["root"]).replace(f'"{stack}"', f'"{new}"'))

    return edit


def retag(key, value):
    def edit(tree):
        for tier, template in list(tree.items()):
            text = json.dumps(template)
            for pair in {json.dumps(tag) for tag in _tags(template) if tag["Key"] == key}:
                text = text.replace(pair, json.dumps({"Key": key, "Value": value}))
            tree[tier] = json.loads(text)
            for body in tree[tier]["Resources"].values():
                if isinstance(tags := body["Properties"].get("Tags"), dict):
                    tags[key] = value

    return edit


def _tags(template):
    for body in template["Resources"].values():
        for name in ("Tags", "HostedZoneTags"):
            tags = body["Properties"].get(name, ())
            yield from tags if isinstance(tags, list) else ()
