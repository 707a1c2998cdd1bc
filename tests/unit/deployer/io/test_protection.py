"""Protection: set once, lifted for what was approved and for as long as that takes, restored after a kill."""

from __future__ import annotations

import json

import pytest

from deployer.changes import ChangeSet, Outcome, ResourceChange
from deployer.package_dir import Package
from deployer.protection import OPEN, is_protected, lifted, protect, shares_traffic, stack_policy, touched
from deployer.stacks import describe_stack

NESTED = "AWS::CloudFormation::Stack"
RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
TWO = [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"Weight": 0}, {"Weight": 100}]}}]
ONE = [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"Weight": 1}]}}]

TEMPLATES = {
    "root": {
        "Resources": {
            "Database": {"Type": NESTED, "Properties": {"TemplateURL": "database.template.json"}},
            "LoadBalancer": {"Type": NESTED, "Properties": {"TemplateURL": "load_balancer.template.json"}},
        }
    },
    "database": {
        "Resources": {"Cluster": {"Type": "AWS::RDS::DBCluster"}, "Alarm": {"Type": "AWS::CloudWatch::Alarm"}}
    },
    "load_balancer": {
        "Resources": {
            "ProductionRule": {"Type": RULE, "Properties": {"Actions": TWO}},
            "TestRule": {"Type": RULE, "Properties": {"Actions": ONE}},
            "Logs": {"Type": "AWS::S3::Bucket"},
        }
    },
}
ROOT_POLICY = {
    "Statement": [
        *OPEN["Statement"],
        {
            "Effect": "Deny",
            "Action": ["Update:Replace", "Update:Delete"],
            "Principal": "*",
            "Resource": ["LogicalResourceId/Database", "LogicalResourceId/LoadBalancer"],
        },
    ]
}


def package(tmp_path, *, durable=True):
    manifest = {"stack": "payments-prod", "suffix": "prod", "protection": "durable" if durable else "disposable"}
    return Package(tmp_path, manifest, TEMPLATES, {}, {})


@pytest.fixture
def state(script, stack):
    def make(**more):
        script("describe_stacks", {"Stacks": [stack(**more)]}, StackName="payments-dev")
        return describe_stack(script.aws, "payments-dev")

    return make


@pytest.fixture
def tree(script, resource, stack_arn):
    def tell():
        nested = [
            resource("Database", NESTED, physical_id="db-id"),
            resource("LoadBalancer", NESTED, physical_id="lb-id"),
        ]
        nested += [resource("Removed", NESTED, physical_id="old-id")]
        script("list_stack_resources", {"StackResourceSummaries": nested}, StackName=stack_arn("payments-dev"))

    return tell


@pytest.fixture
def has(script, stack_arn):
    """Script the policy that a stack has."""

    def tell(stack_id, policy=None):
        stack_id = stack_arn("payments-dev") if stack_id == "root" else stack_id
        script("get_stack_policy", {"StackPolicyBody": json.dumps(policy)} if policy else {}, StackName=stack_id)

    return tell


@pytest.fixture
def gets(script, stack_arn):
    """Expect a stack to get a policy."""

    def tell(stack_id, policy):
        stack_id = stack_arn("payments-dev") if stack_id == "root" else stack_id
        script("set_stack_policy", {}, StackName=stack_id, StackPolicyBody=json.dumps(policy))

    return tell


# --- the policy -------------------------------------------------------------------------------------------------------
def test_what_is_stateful_is_neither_replaced_nor_deleted_and_live_weights_are_not_touched():
    assert stack_policy(TEMPLATES["root"]) == ROOT_POLICY
    assert stack_policy(TEMPLATES["load_balancer"])["Statement"][1:] == [
        {
            "Effect": "Deny",
            "Action": ["Update:Replace", "Update:Delete"],
            "Principal": "*",
            "Resource": ["LogicalResourceId/Logs"],
        },
        {"Effect": "Deny", "Action": ["Update:*"], "Principal": "*", "Resource": ["LogicalResourceId/ProductionRule"]},
    ]
    assert stack_policy({"Resources": {"Alarm": {"Type": "AWS::CloudWatch::Alarm"}}}) == OPEN


def test_the_pointer_that_a_cutover_moves_is_not_written_either():
    pointer = {"Resources": {"Pointer": {"Type": "AWS::SSM::Parameter"}}}
    assert stack_policy(pointer)["Statement"][1:] == [
        {"Effect": "Deny", "Action": ["Update:*"], "Principal": "*", "Resource": ["LogicalResourceId/Pointer"]}
    ]


@pytest.mark.parametrize(
    ("resource", "shares"),
    [
        ({"Type": RULE, "Properties": {"Actions": TWO}}, True),
        ({"Type": RULE, "Properties": {"Actions": ONE}}, False),
        ({"Type": LISTENER, "Properties": {"DefaultActions": TWO}}, True),
        ({"Type": LISTENER, "Properties": {"DefaultActions": [{"Type": "redirect"}]}}, False),
        ({"Type": RULE}, False),
        ({"Type": "AWS::SNS::Topic", "Properties": {"Actions": TWO}}, False),
    ],
)
def test_shares_traffic(resource, shares):
    assert shares_traffic(resource) is shares


# --- protect ----------------------------------------------------------------------------------------------------------
def test_a_disposable_environment_costs_no_call(script, state, tmp_path):
    it = state()
    assert is_protected(script.aws, it, package(tmp_path, durable=False))
    assert protect(script.aws, it, package(tmp_path, durable=False)) == 0
    with lifted(script.aws, it, package(tmp_path, durable=False), ["database.Cluster"], print):
        pass
    assert len(script.calls) == 1


def test_a_durable_one_is_protected_from_its_first_deployment_on_and_the_root_last(
    script, state, tree, has, gets, tmp_path
):
    it = state()
    script("update_termination_protection", {}, EnableTerminationProtection=True, StackName="payments-dev")
    tree()
    for stack_id, tier in (("db-id", "database"), ("lb-id", "load_balancer"), ("root", "root")):
        has(stack_id)
        gets(stack_id, stack_policy(TEMPLATES[tier]))
    assert protect(script.aws, it, package(tmp_path)) == 4
    assert script.arguments("set_stack_policy")[-1]["StackName"] == it.id


def test_what_is_protected_stays_untouched(script, state, tree, has, tmp_path):
    it = state(EnableTerminationProtection=True)
    tree()
    for stack_id, tier in (("db-id", "database"), ("lb-id", "load_balancer"), ("root", "root")):
        has(stack_id, stack_policy(TEMPLATES[tier]))
    assert protect(script.aws, it, package(tmp_path)) == 0


@pytest.mark.parametrize(
    ("termination", "policy", "protected"),
    [(True, ROOT_POLICY, True), (True, OPEN, False), (True, None, False), (False, ROOT_POLICY, False)],
)
def test_one_call_tells_whether_a_run_was_killed_while_something_was_lifted(
    script, state, has, tmp_path, termination, policy, protected
):
    it = state(EnableTerminationProtection=termination)
    if termination:
        has("root", policy)
    assert is_protected(script.aws, it, package(tmp_path)) is protected


def test_a_stack_without_a_policy_needs_no_open_one(script, state, tmp_path, has):
    it = state(EnableTerminationProtection=True)
    script("list_stack_resources", {"StackResourceSummaries": []})
    has("root")
    bare = Package(tmp_path, {"protection": "durable"}, {"root": {"Resources": {}}}, {}, {})
    assert protect(script.aws, it, bare) == 0


# --- what a change set touches ----------------------------------------------------------------------------------------
def change(logical_id, kind="AWS::SNS::Topic", action="Modify", replacement="False", tier="database"):
    return ResourceChange(tier, logical_id, "", kind, action, "", replacement, (), ())


def test_touched():
    changes = (
        change("Plain"),
        change("New", action="Add", replacement=""),
        change("Replaced", replacement="True"),
        change("Perhaps", replacement="Conditional"),
        change("Removed", action="Remove", replacement=""),
        change("Unknown", action="Dynamic", replacement=""),
        change("Drifted", action="SyncWithActual"),
        change("ProductionRule", RULE, tier="load_balancer"),
        change("Pointer", "AWS::SSM::Parameter"),
    )
    found = touched(ChangeSet("root", "", "", "", "UPDATE", Outcome.CHANGED, "", changes))
    names = {"Replaced", "Perhaps", "Removed", "Unknown", "Drifted", "Pointer"}
    assert found == {f"database.{name}" for name in names} | {"load_balancer.ProductionRule"}


# --- lifted -----------------------------------------------------------------------------------------------------------
def test_only_what_was_approved_is_let_through_and_restored_afterwards(
    script, stack, state, tree, has, gets, tmp_path, stack_arn
):
    it = state(EnableTerminationProtection=True)
    policies = {tier: stack_policy(template) for tier, template in TEMPLATES.items()}
    tree()
    has("lb-id", policies["load_balancer"])
    has("db-id", policies["database"])
    without_rule = {"Statement": policies["load_balancer"]["Statement"][:2]}
    gets("root", OPEN)
    gets("lb-id", without_rule)
    said = []
    with lifted(
        script.aws, it, package(tmp_path), ["load_balancer.ProductionRule", "database.Alarm", "gone.Topic"], said.append
    ):
        assert script.arguments("set_stack_policy")[0]["StackName"] == stack_arn("payments-dev")
        assert script.count("set_stack_policy") == 2
        script("describe_stacks", {"Stacks": [stack(EnableTerminationProtection=True)]}, StackName=it.id)
        tree()
        has("db-id", policies["database"])
        has("lb-id", without_rule)
        gets("lb-id", policies["load_balancer"])
        has("root", OPEN)
        gets("root", ROOT_POLICY)
    assert said == ["stack policies lifted for database.Alarm, gone.Topic, load_balancer.ProductionRule"]


def test_the_root_is_opened_whole_and_a_stack_that_is_gone_gets_no_policy_back(
    script, stack, state, tree, has, gets, tmp_path
):
    it = state(EnableTerminationProtection=True)
    tree()
    has("root", ROOT_POLICY)
    gets("root", OPEN)
    with lifted(script.aws, it, package(tmp_path), ["root.Database"], lambda _: None):
        script.fail("describe_stacks", "ValidationError", "Stack with id x does not exist")
    assert script.count("set_stack_policy") == 1


@pytest.mark.parametrize("addresses", [[], ["database.Alarm"], ["load_balancer.Other"]])
def test_what_no_policy_denies_lifts_nothing(script, state, tree, has, tmp_path, addresses):
    it = state()
    if addresses:
        tree()
        has("db-id" if "database" in addresses[0] else "lb-id")
    with lifted(script.aws, it, package(tmp_path), addresses, print):
        pass
    assert script.count("set_stack_policy") == 0


def test_a_watcher_that_is_interrupted_leaves_the_policies_lifted_for_the_change_that_goes_on(
    script, stack, state, tree, has, gets, tmp_path
):
    it = state(EnableTerminationProtection=True)
    tree()
    has("db-id", stack_policy(TEMPLATES["database"]))
    gets("root", OPEN)
    gets("db-id", OPEN)
    said = []
    with pytest.raises(KeyboardInterrupt), lifted(script.aws, it, package(tmp_path), ["database.Cluster"], said.append):
        script("describe_stacks", {"Stacks": [stack("UPDATE_IN_PROGRESS")]}, StackName=it.id)
        raise KeyboardInterrupt
    assert (
        said[-1] == "stack payments-dev is still UPDATE_IN_PROGRESS: its stack policies stay lifted until the next run"
    )
