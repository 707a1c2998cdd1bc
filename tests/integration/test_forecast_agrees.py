"""The offline forecast against the change sets of the embedded AWS, edit by edit: two programs, the same verdicts.

dev is deployed once; each edit is foretold, and put into a real change set of the tree, which is read and deleted.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import time

import boto3
import pytest

from compiler.canonical import canonical_json
from compiler.linking import link
from compiler.pipeline import compile_tree
from compiler.request import Request
from deployer.aws import Aws
from deployer.bucket import bucket_of
from deployer.change_set import create, delete
from deployer.change_set_tree import read_tree
from deployer.changes import NESTED_STACK, ChangeSet, Outcome
from deployer.clock import Clock
from deployer.execution.execute import execute
from deployer.execution.tally import expected_resources
from deployer.forecast.plan import forecast
from deployer.forecast.sources import after_of, from_aws
from deployer.gate.judge import judge
from deployer.gate.policy import Policy
from deployer.package_dir import Package, read_package
from deployer.review.build import build_review
from deployer.review.model import Certainty
from deployer.stacks import describe_stack
from deployer.standing import deployed_tree, look
from deployer.upload import package_tree, upload
from settings.load import load
from templates.root import system

CLOCK = Clock(sleep=lambda seconds: time.sleep(min(seconds, 0.02)))


class Silent:
    def show(self, events, tally):
        pass

    def tick(self, tally):
        pass

    def note(self, text):
        pass

    def close(self, tally):
        pass


class Deployed:
    """dev as it is deployed: `package` and the templates that AWS has."""

    def __init__(self, aws, package):
        self.aws, self.package = aws, package
        arn, tree = self.change_set(package, "CREATE")
        stack = describe_stack(aws, package.stack)
        result = execute(aws, stack, arn, expected=expected_resources(tree), say=Silent(), resume="status", clock=CLOCK)
        assert result.succeeded, result.failures
        self.templates = deployed_tree(aws, look(aws, package, 0))

    def change_set(self, package, kind="UPDATE"):
        bucket = bucket_of(package, self.aws.account_id)
        packaged = package_tree(package, bucket.name, "us-east-1")
        upload(self.aws, bucket, packaged, {}, CLOCK)
        arn = create(self.aws, package.stack, packaged, package.tags, kind, clock=CLOCK)
        return arn, read_tree(self.aws, arn, package.nested(), kind=kind, clock=CLOCK)

    def told_by_aws(self, package):
        """The change set of an edited package, as AWS tells it, and its review."""
        arn, tree = self.change_set(package)
        delete(self.aws, arn, CLOCK)
        assert not [found.cause for found in tree.walk() if found.outcome is Outcome.FAILED]
        packaged = package_tree(package, bucket_of(package, self.aws.account_id).name, "us-east-1")
        return tree, self._review(tree, self.templates, packaged.templates)

    def foretold(self, package):
        """The same, without asking."""
        before = from_aws(self.templates, "").templates
        after = after_of(package)
        tree, unknowns = forecast(before, after, stack_name=package.stack, region="us-east-1")
        assert all("renamed?" in sentence for sentence in unknowns)
        return tree, self._review(tree, before, after)

    def _review(self, tree, before, after):
        return build_review(
            tree, before, after, stack=self.package.stack, environment="dev", suffix="dev", region="us-east-1",
            durable=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def deployed(tmp_path_factory, root):
    from localaws import process
    from localaws.server import running

    folder = tmp_path_factory.mktemp("agrees") / "dev"
    compiled = compile_tree(Request(root, "dev", None, "2026-11-24", folder.parent), system)
    for name, data in compiled.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    with running() as endpoint, pytest.MonkeyPatch.context() as patch:
        for name, value in process.environment(endpoint).items():
            patch.setenv(name, value)
        patch.delenv("AWS_PROFILE", raising=False)
        session = boto3.Session(region_name="us-east-1")
        yield Deployed(Aws("us-east-1", session.client), read_package(folder))


# --- edits -----------------------------------------------------------------------------------------------------------
def setting(section, **values):
    """An edit of params."""

    def edit(settings, _templates):
        inner = getattr(settings, section)
        return dataclasses.replace(settings, **{section: dataclasses.replace(inner, **values)})

    return edit


def template(tier, logical_id, **properties):
    """An edit of a tier's module."""

    def edit(_settings, templates):
        templates[tier]["Resources"][logical_id]["Properties"] |= properties

    return edit


def attributes(tier, logical_id, **values):
    def edit(_settings, templates):
        templates[tier]["Resources"][logical_id] |= values

    return edit


def without_monitoring(_settings, templates):
    del templates["root"]["Resources"]["Monitoring"], templates["monitoring"]


def renamed(_settings, templates):
    resources = templates["security"]["Resources"]
    name = next(name for name, body in resources.items() if body["Type"].endswith("SecurityGroupIngress"))
    resources[f"{name}Again"] = resources.pop(name)


def renamed_tier(_settings, templates):
    templates["root"] = json.loads(json.dumps(templates["root"]).replace('"Migration"', '"Replication"'))


def other_wire(_settings, templates):
    parameters = templates["root"]["Resources"]["Migration"]["Properties"]["Parameters"]
    parameters["DmsSecretArn"] = parameters["SourceDmsSecretArn"]


def removed(_settings, templates):
    del templates["monitoring"]["Resources"]["DbParameterGroupEvents"]


def wider_role(_settings, templates):
    templates["identity"]["Resources"]["TaskRole"]["Properties"]["MaxSessionDuration"] = 7200


def all_at_once(settings, templates):
    """Aurora is upgraded, the traffic shifted, a secret renamed."""
    templates["database"]["Resources"]["ApplicationSecret"]["Properties"]["Name"] += "-2"
    shifted = setting("load_balancer", aws_weight=10)(settings, templates)
    return setting("database", engine_version="17.10")(shifted, templates)


EDITS = {
    "nothing": lambda _settings, _templates: None,
    "engine version": setting("database", engine_version="17.10"),
    "instance class": setting("database", instance_class="db.r7g.large"),
    "backups": setting("database", backup_retention_days=1),
    "database name": setting("database", name="ledger"),
    "master user": setting("database", master_username="somebody"),
    "weights": setting("load_balancer", aws_weight=10),
    "image": setting("service", image="123456789012.dkr.ecr.us-east-1.amazonaws.com/payments:2"),
    "tasks": setting("service", min_tasks=6),
    "idle timeout": setting("load_balancer", idle_timeout_seconds=90),
    "VPC block": setting(
        "network",
        vpc_cidr="10.64.0.0/16",
        public_subnet_cidrs=("10.64.0.0/24", "10.64.1.0/24", "10.64.2.0/24"),
        private_subnet_cidrs=("10.64.16.0/20", "10.64.32.0/20", "10.64.48.0/20"),
    ),
    "DMS class": setting("migration", instance_class="dms.r6i.large"),
    "DMS settings": setting("migration", max_lob_kib=2048),
    "validation": setting("validation", timeout_seconds=600, memory_mib=1024),
    "threshold": setting("monitoring", database_cpu_percent=60),
    "log retention": lambda settings, _: dataclasses.replace(settings, log_retention_days=400),
    "a tag": setting("tags", cost_center="ledger"),
    "a role": wider_role,
    "a key policy": template("encryption", "DataKey", Description="another"),
    "a replaced group": template("security", "DatabaseSecurityGroup", GroupDescription="another"),
    "a replaced subnet": template("network", "PrivateSubnet1", CidrBlock="10.16.200.0/24"),
    "policies": attributes("database", "Cluster", DeletionPolicy="Retain", UpdateReplacePolicy="Retain"),
    "metadata": attributes("service", "Service", Metadata={"a": "b"}),
    "a removed tier": without_monitoring,
    "a renamed tier": renamed_tier,
    "a tier that is kept": attributes("root", "Database", DeletionPolicy="Retain", UpdateReplacePolicy="Retain"),
    "another wire": other_wire,
    "a removed resource": removed,
    "a renamed resource": renamed,
    "all at once": all_at_once,
}  # fmt: skip


def edited(package, edit):
    """A package built after an edit; its code stays as it is."""
    settings = load(package_root(), "dev", None, {})
    templates = copy.deepcopy(dict(package.templates))
    changed = edit(settings, templates)
    if changed is not None:
        fresh = copy.deepcopy(dict(link(system(changed), changed).templates))
        for tier, before in link(system(settings), settings).templates.items():
            if fresh[tier] != before:
                templates[tier] = fresh[tier]
        edit(settings, templates)
    templates = {tier: dict(found) for tier, found in templates.items()}
    files = dict(package.files)
    for tier, found in templates.items():
        files[f"{tier}.template.json"] = canonical_json(found).encode()
    tags = {**package.tags, **({"CostCenter": changed.tags.cost_center} if changed is not None else {})}
    return Package(package.folder, package.manifest, templates, files, tags)


def package_root():
    from pathlib import Path

    return Path(__file__).parents[2] / "params"


# --- the comparison --------------------------------------------------------------------------------------------------
def verdicts(review, *certainties):
    """What happens to each resource, for certain or perhaps; nested stacks are told by what is in them."""
    return {
        (item.address, item.action)
        for item in review.items()
        if item.certainty in certainties and item.type != NESTED_STACK
    }


def asked(review):
    """What the gate asks about."""
    return {(refusal.rule, refusal.address) for refusal in judge(review, frozenset(), Policy()).refusals}


def by_address(tree: ChangeSet):
    return {change.address: change for change in tree.resource_changes() if change.type != NESTED_STACK}


def gone(tree: ChangeSet):
    """Tiers that leave the tree: AWS says no more of them than that."""
    return {change.logical_id.lower() for change in tree.changes if change.action == "Remove"}


# A subnet that is made anew stays in its zone. AWS takes its zone for unknown, and may replace what depends on it.
ZONES = ("VPC block", "a replaced subnet")


@pytest.mark.parametrize("name", EDITS)
def test_the_forecast_says_what_aws_says(deployed, name):
    package = edited(deployed.package, EDITS[name])
    told_tree, told = deployed.told_by_aws(package)
    foretold_tree, foretold = deployed.foretold(package)
    certain, foretold_certain = (verdicts(review, Certainty.CERTAIN) for review in (told, foretold))
    known = certain | verdicts(told, Certainty.POSSIBLE)
    # The forecast may be surer than AWS, which does not know a text as long as one of its parts may change.
    assert certain <= foretold_certain <= known
    assert asked(told) == asked(foretold)
    said, foresaid = by_address(told_tree), by_address(foretold_tree)
    if name not in ZONES:
        # What the forecast leaves out is what nothing comes of.
        assert {address for address, _ in known} <= foresaid.keys()
    for address, change in foresaid.items():
        if change.tier not in gone(told_tree):
            assert (address, change.action) == (address, said[address].action)
        if change.replacement == "True":
            assert (address, change.policy_action) == (address, said[address].policy_action)
            assert (address, said[address].replacement) == (address, "True")
    for address, change in said.items():
        if change.replacement == "True":
            assert (address, foresaid[address].replacement) == (address, "True")
