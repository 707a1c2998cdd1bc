"""What the gate asks about for hundreds of edits of prod, told offline: nothing is missed, and nothing is asked in vain."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

import pytest

from deployer.changes import NESTED_STACK
from deployer.forecast.plan import forecast
from deployer.gate.judge import judge
from deployer.gate.policy import Policy
from deployer.review.build import build_review
from deployer.review.concerns.stateful import is_stateful
from deployer.review.model import Certainty
from tests.unit.deployer.gate.catalogue import (
    access,
    data,
    front_door,
    network,
    replication,
    running,
    stores,
    tree,
    waf,
    watching,
)
from tests.unit.deployer.gate.catalogue.edits import Edited, both, templates

CATALOGUE = {
    f"{module.__name__.rpartition('.')[2]}: {name}": case
    for module in (data, stores, replication, front_door, waf, running, access, watching, network, tree)
    for name, case in module.CASES.items()
}
# Edits of form only, and of what no change set speaks of.
NOTHING = ("key policy reordered", "settings reordered", "depends", "tree: nothing")


def reviewed(after, environment="prod"):
    before, after = templates(environment), dict(after)
    change_set, unknowns = forecast(before, after, stack_name=f"payments-{environment}", region="us-east-1")
    return change_set, build_review(
        change_set, before, after, stack=f"payments-{environment}", environment=environment, suffix=environment,
        region="us-east-1", durable=environment == "prod", forecast=True, unknowns=unknowns,
    )  # fmt: skip


def asked(review):
    """What the gate asks about; "?" where it only may happen."""
    return [
        f"{refusal.rule} {refusal.address}{'?' if refusal.reason.startswith(('possibly ', 'may be ')) else ''}"
        for refusal in judge(review, frozenset(), Policy()).refusals
    ]


def touched(after):
    """Addresses of the resources that differ between prod and `after`."""
    before, after = templates("prod"), dict(after)
    for tier in before.keys() & after.keys():
        old, new = before[tier]["Resources"], after[tier]["Resources"]
        yield from (f"{tier}.{name}" for name in old.keys() | new.keys() if old.get(name) != new.get(name))


@dataclass
class Batch:
    """Cases that are told in one go, as they meet in no tier: `names` by the tiers that they touch."""

    names: dict = field(default_factory=dict)
    edits: list = field(default_factory=list)
    touched: set = field(default_factory=set)

    @property
    def expected(self):
        return {rule for _, rules in self.edits for rule in rules}


def batches():
    found = []
    for name, (edit, rules) in CATALOGUE.items():
        after = Edited("prod")
        edit(after)
        addresses = set(touched(after))
        tiers = {address.partition(".")[0] for address in (*addresses, *(rule.split()[1] for rule in rules))}
        # What refers to a resource that is gone changes in another way than the edit says.
        gone = any(
            address.partition(".")[2] not in after[address.partition(".")[0]]["Resources"] for address in addresses
        )
        alone = gone or "root" in tiers or name.endswith(NOTHING)
        batch = next((one for one in found if not alone and not one.names.keys() & (tiers | {"root"})), None)
        if batch is None:
            batch = Batch()
            found.append(batch)
        batch.names |= dict.fromkeys(tiers | ({"root"} if alone else set()), name)
        batch.edits.append((edit, rules))
        batch.touched |= addresses
    return found


@pytest.mark.parametrize("batch", batches(), ids=lambda batch: "; ".join(dict.fromkeys(batch.names.values())))
def test_the_gate_asks_about_what_an_edit_may_harm_and_about_nothing_else(batch):
    after = Edited("prod")
    both(*(edit for edit, _ in batch.edits))(after)
    _, review = reviewed(after)
    assert set(asked(review)) == batch.expected
    for refusal in judge(review, frozenset(), Policy()).refusals:  # "database.Cluster (replace): …", one colon in all
        assert not re.search(r"\w: ", refusal.reason), refusal
        assert not refusal.reason.startswith(f"{refusal.address} ")
    # What is edited is certain to change, and an edit of form only is never called certain.
    items = {item.address: item for item in review.items() if item.type != NESTED_STACK}
    certain = {address for address, item in items.items() if item.certainty is Certainty.CERTAIN}
    if all(name.endswith(NOTHING) for name in batch.names.values()):
        assert not certain
    elif not any(rule.endswith("?") for rule in batch.expected):
        assert {address for address in batch.touched if not address.startswith("root.")} <= certain


# --- any edit --------------------------------------------------------------------------------------------------------
ODD = (None, True, False, 0, -1, 10**9, "", "x", "*", [], {}, ["x"], {"x": "y"}, [None], {"Ref": "AWS::AccountId"})


def disturb(rng, properties):
    """Change, remove or add one value somewhere in a resource's properties."""
    place = properties
    while True:
        key = rng.choice(range(len(place)) if isinstance(place, list) else sorted(place))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or _is_function(inner) or rng.random() < 0.3:
            break
        place = inner
    kind = rng.random()
    if kind < 0.25:
        del place[key]
    elif kind < 0.35 and isinstance(place, dict):
        place[f"{key}X"] = rng.choice(ODD)
    else:
        place[key] = rng.choice(ODD)


def _is_function(value):
    return isinstance(value, dict) and any(key == "Ref" or key.startswith("Fn::") for key in value)


def disturbed(seed):
    rng = random.Random(seed)
    environment = rng.choice(("dev", "staging", "prod"))
    after = Edited(environment)
    tier = rng.choice(sorted(set(templates(environment)) - {"root"}))
    name = rng.choice([name for name, body in after[tier]["Resources"].items() if body.get("Properties")])
    disturb(rng, after[tier]["Resources"][name]["Properties"])
    return environment, after


@pytest.mark.parametrize("seed", range(60))
def test_no_edit_whatever_breaks_the_review_or_replaces_what_holds_data_unseen(seed):
    environment, after = disturbed(seed)
    change_set, review = reviewed(after, environment)
    lost = [c.address for c in change_set.resource_changes() if c.replacement == "True" and is_stateful(c.type)]
    assert {f"replace {address}" for address in lost} <= {rule.rstrip("?") for rule in asked(review)}
