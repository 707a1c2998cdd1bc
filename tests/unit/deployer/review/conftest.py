"""Change sets as AWS writes them, on the templates that are committed as goldens."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest

from deployer.changes import NESTED_STACK, ChangeSet, Outcome, PropertyChange, ResourceChange
from deployer.review.build import build_review

GOLDEN = Path(__file__).parents[3] / "golden"
ARN = "arn:aws:cloudformation:us-east-1:123456789012"


@functools.cache
def _text(environment, tier):
    return (GOLDEN / environment / f"{tier}.template.json").read_text()


def _golden(environment):
    root = json.loads(_text(environment, "root"))
    tiers = [body["Properties"]["TemplateURL"].partition(".")[0] for body in root["Resources"].values()]
    return {"root": root} | {tier: json.loads(_text(environment, tier)) for tier in tiers}


def detail(path, before=None, after=None, *, attribute="Properties", recreate="Never", known=True, **rest):
    """One entry of Details; a value fed by another resource is `known=False`."""
    kind = "Add" if before is None and after is not None else "Remove" if after is None and before else "Modify"
    told = {"evaluation": "Static", "source": "DirectModification", "causing_entity": ""} | rest
    return PropertyChange(
        attribute=attribute, path=path, change=kind if known else "Modify", before=before, after=after,
        requires_recreation=recreate, after_known=known, **told,
    )  # fmt: skip


def fed(path, entity, before=None, *, recreate="Never", evaluation="Dynamic"):
    """A property fed by a parameter or resource, as AWS reports it: known after the change is applied."""
    source = "ResourceAttribute" if "." in entity else "ParameterReference"
    return detail(
        path, before, recreate=recreate, evaluation=evaluation, source=source, causing_entity=entity, known=False
    )


class Scene:
    """Templates before and after, and the changes that AWS names."""

    def __init__(self, environment):
        self.before = _golden(environment)
        self.after = _golden(environment)
        self.environment = environment
        self.changes = {}
        self.stack_changes = []
        self.outcomes = {}
        self.kind = "UPDATE"
        self.fetched = None

    def resource(self, address, side="after"):
        tier, _, logical_id = address.partition(".")
        return getattr(self, side)[tier]["Resources"][logical_id]

    def properties(self, address, side="after"):
        return self.resource(address, side).setdefault("Properties", {})

    def set(self, address, **values):
        """Edit properties of the new template; None removes one."""
        properties = self.properties(address)
        for name, value in values.items():
            properties.pop(name, None)
            if value is not None:
                properties[name] = value

    def add(self, address, type_, **properties):
        tier, _, logical_id = address.partition(".")
        self.after[tier]["Resources"][logical_id] = {"Type": type_, "Properties": properties}
        return self.change(address, action="Add", type_=type_)

    def drop(self, address, policy="Delete"):
        tier, _, logical_id = address.partition(".")
        body = self.after[tier]["Resources"].pop(logical_id)
        return self.change(address, action="Remove", type_=body["Type"], policy=policy)

    def edit(self, address, recreate="Never", replacement="False", policy="", **values):
        """Edit properties, and let AWS report each of them."""
        old = dict(self.properties(address))
        self.set(address, **values)
        new = self.properties(address)
        texts = [(name, *(None if name not in side else _aws(side[name]) for side in (old, new))) for name in values]
        details = [detail(name, before, after, recreate=recreate) for name, before, after in texts]
        return self.change(address, *details, replacement=replacement, policy=policy)

    def replace(self, address, **values):
        return self.edit(address, recreate="Always", replacement="True", policy="ReplaceAndDelete", **values)

    def change(
        self, address, *details, action="Modify", replacement="", policy="", type_=None, scope=("Properties",), **rest
    ):
        tier, _, logical_id = address.partition(".")
        found = type_ or self.resource(address)["Type"]
        change = ResourceChange(
            tier,
            logical_id,
            f"physical-{logical_id}",
            found,
            action,
            policy,
            replacement,
            tuple(scope),
            details,
            **rest,
        )
        self.changes.setdefault(tier, []).append(change)
        return change

    def stack(self, logical_id, *details, action="Modify", policy="", replacement="False", child=None, scope=()):
        """What AWS says of a nested stack itself."""
        self.stack_changes.append(
            ResourceChange(
                "root", logical_id, f"{ARN}:stack/{logical_id}/1", NESTED_STACK, action, policy,
                replacement, scope, details, child=child,
            )
        )  # fmt: skip

    def change_set(self):
        stacks = {body["Properties"]["TemplateURL"].partition(".")[0]: name for name, body in self._stacks().items()}
        nested = []
        for tier, name in stacks.items():
            own = [change for change in self.stack_changes if change.logical_id == name]
            if tier in self.changes or tier in self.outcomes:
                outcome = self.outcomes.get(tier, Outcome.CHANGED)
                child = ChangeSet(
                    tier, f"{ARN}:changeSet/{tier}/1", f"{ARN}:stack/{tier}/1", tier, self.kind, outcome, "",
                    tuple(self.changes.get(tier, ())),
                )  # fmt: skip
                wiring = detail("TemplateURL", evaluation="Static", source="DirectModification")
                details = (wiring, *(edit for change in own for edit in change.details))
                action = "Add" if self.kind == "CREATE" else "Modify"
                nested.append(
                    ResourceChange(
                        "root", name, f"{ARN}:stack/{tier}/1", NESTED_STACK, action, "", "False", ("Properties",),
                        details, child=child,
                    )
                )  # fmt: skip
            else:
                nested += own
        nested += [change for change in self.stack_changes if change.logical_id not in stacks.values()]
        return ChangeSet(
            "root", f"{ARN}:changeSet/root/1", f"{ARN}:stack/root/1", "payments-dev", self.kind, Outcome.CHANGED, "",
            (*nested, *self.changes.get("root", ())),
        )  # fmt: skip

    def _stacks(self):
        return {name: body for name, body in self.after["root"]["Resources"].items() if body["Type"] == NESTED_STACK}

    def review(self, params=(), **rest):
        before = {} if self.kind == "CREATE" else self.before
        if self.fetched is not None:
            before = {tier: template for tier, template in before.items() if tier in self.fetched}
        return build_review(
            self.change_set(), before, self.after, stack="payments-dev", environment=self.environment,
            suffix=self.environment, region="us-east-1", durable=self.environment == "prod", params=params, **rest,
        )  # fmt: skip

    def item(self, address, **rest):
        return find(self.review(**rest), address)


def _aws(value):
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)


def find(review, address):
    return next(item for item in review.items() if item.address == address)


def rules(item):
    """The gate's rules that an item needs acknowledged."""
    return sorted({finding.rule for finding in item.findings if finding.rule})


def chain(edit):
    return [(link.kind, link.name, link.detail) for link in edit.chain]


class Tools:
    """What the tests of this folder share, as no module of it can be imported."""

    detail = staticmethod(detail)
    fed = staticmethod(fed)
    find = staticmethod(find)
    rules = staticmethod(rules)
    chain = staticmethod(chain)


@pytest.fixture
def tools():
    return Tools


@pytest.fixture
def dev():
    """Both sides as they are in dev: nothing changes yet."""
    return Scene("dev")


@pytest.fixture
def prod():
    return Scene("prod")
