"""What a cutover has moved outside of CloudFormation stays moved, whatever is deployed before and after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.deploying.small import resource

ELB = "AWS::ElasticLoadBalancingV2::"
GOLDEN = Path(__file__).parents[2] / "golden/dev"
WEIGHTS = {"DcTargetGroup": 100, "BlueTargetGroup": 0}


def front(suffix, weights):
    """A load balancer with ECS's rule, and before it the migration's, unless `weights` is None."""
    zones = {
        f"Subnet{zone}": resource(
            "AWS::EC2::Subnet",
            VpcId={"Ref": "Vpc"},
            CidrBlock=f"10.0.{number}.0/24",
            AvailabilityZone=f"us-east-1{zone.lower()}",
        )
        for number, zone in enumerate("AB")
    }
    groups = {
        f"{name}TargetGroup": resource(
            f"{ELB}TargetGroup",
            Name=f"shop-{suffix}-{name.lower()}",
            VpcId={"Ref": "Vpc"},
            TargetType="ip",
            Protocol="HTTP",
            Port=80,
        )
        for name in ("Blue", "Green", "Dc")
    }
    resources = {
        "Vpc": resource("AWS::EC2::VPC", CidrBlock="10.0.0.0/16"),
        **zones,
        **groups,
        "LoadBalancer": resource(
            f"{ELB}LoadBalancer",
            Name=f"shop-{suffix}",
            Scheme="internal",
            Type="application",
            Subnets=[{"Ref": name} for name in zones],
        ),
        "Listener": resource(
            f"{ELB}Listener",
            LoadBalancerArn={"Ref": "LoadBalancer"},
            Port=80,
            Protocol="HTTP",
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}],
        ),
        "ProductionRule": rule(100, {"BlueTargetGroup": 100, "GreenTargetGroup": 0}),
    }
    if weights is not None:
        resources["MigrationRule"] = rule(10, weights)
    return {"Resources": resources}


def rule(priority, weights):
    groups = [{"TargetGroupArn": {"Ref": name}, "Weight": weight} for name, weight in weights.items()]
    return resource(
        f"{ELB}ListenerRule",
        ListenerArn={"Ref": "Listener"},
        Priority=priority,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}],
        Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}],
    )


class System:
    """The small system with what a cutover moves, and hands that move it as the state machine does."""

    def __init__(self, world):
        self.world = world
        self.suffix = suffix = world.build.suffix
        pointer = json.loads((GOLDEN / "database.template.json").read_text())["Resources"]["Pointer"]["Properties"]
        self.pointer, self.phase = f"/shop/{suffix}/database", f"/shop/{suffix}/cutover/phase"
        database = {
            "Resources": {"Pointer": resource("AWS::SSM::Parameter", **{**pointer, "Name": self.pointer})},
            "Outputs": {"PointerName": {"Value": {"Ref": "Pointer"}}},
        }
        phase = {
            "Resources": {"Topic": resource("AWS::SNS::Topic", TopicName=f"shop-{suffix}-cutover")},
            "Outputs": {"PhaseName": {"Value": self.phase}},
        }
        tasks = {
            "Resources": {
                "TaskDefinition": resource(
                    "AWS::ECS::TaskDefinition",
                    Family=f"shop-{suffix}",
                    ContainerDefinitions=[{"Name": "application", "Image": "shop:1", "Memory": 128}],
                )
            }
        }
        world.build.add_tier("Database", "database", database)
        world.build.add_tier("LoadBalancer", "load_balancer", front(suffix, WEIGHTS))
        world.build.add_tier("Service", "service", tasks)
        world.build.add_tier("Cutover", "cutover", phase)
        world.build.write()

    def follow(self):
        """Params after a cutover: service.database: aurora, load_balancer.aws_weight: 100."""
        self.world.build.properties("database.Pointer")["Value"] = "aurora"
        self.world.build.tiers["load_balancer"] = front(self.suffix, None)
        self.world.build.write()

    def ssm(self, name):
        found = self.world.client("ssm").get_parameters(Names=[name])["Parameters"]
        return found[0]["Value"] if found else None

    def put(self, name, value):
        self.world.client("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    def resources(self):
        (stack,) = [
            one["PhysicalResourceId"]
            for one in self.world.cloudformation.describe_stack_resources(StackName=self.world.stack)["StackResources"]
            if one["LogicalResourceId"] == "LoadBalancer"
        ]
        found = self.world.cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        return {one["LogicalResourceId"]: one.get("PhysicalResourceId") for one in found}

    def weights(self, name="MigrationRule"):
        ids = self.resources()
        if name not in ids:
            return None
        (found,) = self.world.client("elbv2").describe_rules(RuleArns=[ids[name]])["Rules"]
        names = {arn: logical_id for logical_id, arn in ids.items()}
        groups = found["Actions"][0]["ForwardConfig"]["TargetGroups"]
        return {names[group["TargetGroupArn"]]: group["Weight"] for group in groups}

    def shift(self, weights):
        ids = self.resources()
        groups = [{"TargetGroupArn": ids[name], "Weight": weight} for name, weight in weights.items()]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
        self.world.client("elbv2").modify_rule(RuleArn=ids["MigrationRule"], Actions=[action])

    def cut_over(self, phase="done"):
        """All requests to AWS, the pointer to Aurora, as cutover/steps/switch.py does."""
        self.shift({"DcTargetGroup": 0, "BlueTargetGroup": 100})
        self.put(self.pointer, "aurora")
        self.put(self.phase, phase)

    def state(self):
        return self.ssm(self.pointer), self.weights(), self.weights("ProductionRule")


ON_AWS = {"DcTargetGroup": 0, "BlueTargetGroup": 100}
ECS = {"BlueTargetGroup": 100, "GreenTargetGroup": 0}


@pytest.fixture
def system(world):
    system = System(world)
    done = world.run("--yes")
    assert done.code == 0, done.err
    assert system.state() == ("data_center", WEIGHTS, ECS)
    return system


def test_no_deployment_takes_back_what_a_cutover_did_and_params_that_follow_it_change_nothing(system):
    world = system.world
    system.cut_over()
    # Unchanged params: nothing to do, and nothing is done.
    done = world.run("--yes")
    assert (done.code, done.out) == (0, "")
    assert "nothing to change" in done.err
    assert system.state() == ("aurora", ON_AWS, ECS)
    # Something else is to change, even the tags of everything: refused, before there is a change set.
    world.title("other")
    for verb in ((), ("review",)):
        refused = world.run(*verb, *(["--yes"] if not verb else []))
        assert refused.code == 1
        assert "params say service.database: data_center, and the pointer says aurora" in refused.err
        assert "the migration rule has DcTargetGroup 0, BlueTargetGroup 100 by now" in refused.err
        assert "let params follow: service.database: aurora, load_balancer.aws_weight: 100" not in refused.err
        assert "service.database: aurora, load_balancer.aws_weight: 100" in refused.err
        assert "CreateChangeSet" not in refused.calls
        assert world.leftovers() == []
    assert system.state() == ("aurora", ON_AWS, ECS)
    # Params follow: the same pointer is written, the rule goes, and requests go on to where they went.
    system.follow()
    done = world.run("--yes", "--allow-traffic", "load_balancer.MigrationRule")
    assert done.code == 0, done.err
    assert system.state() == ("aurora", None, ECS)
    assert world.titled() == "other"
    # From here on it is a deployment like any other.
    world.title("another")
    assert world.run("--yes").code == 0
    assert system.state() == ("aurora", None, ECS)


def test_tags_alone_would_reset_it_all_and_are_refused(system):
    world = system.world
    system.cut_over()
    world.build.tags["MigrationPhase"] = "done"
    world.build.write()
    refused = world.run("--yes")
    assert refused.code == 1
    assert system.state() == ("aurora", ON_AWS, ECS)


def test_new_tasks_wait_until_the_rule_that_does_not_know_them_is_gone(system):
    world = system.world
    system.cut_over()
    system.follow()
    world.build.properties("service.TaskDefinition")["ContainerDefinitions"][0]["Image"] = "shop:2"
    world.build.write()
    refused = world.run("--yes", "--allow-traffic", "load_balancer.MigrationRule")
    assert refused.code == 1
    assert "changes service.TaskDefinition: the new tasks would stand in the other target group" in refused.err
    assert "in a deployment of its own" in refused.err
    assert system.state() == ("aurora", ON_AWS, ECS)


def test_params_alone_never_move_the_application_to_another_database(system):
    world = system.world
    world.build.properties("database.Pointer")["Value"] = "aurora"
    world.build.write()
    refused = world.run("--yes")
    assert refused.code == 1
    assert "params say service.database: aurora, and the pointer says data_center" in refused.err
    assert system.ssm(system.pointer) == "data_center"


def test_weights_that_params_move_are_theirs_to_move(system):
    world = system.world
    world.build.tiers["load_balancer"] = front(system.suffix, {"DcTargetGroup": 90, "BlueTargetGroup": 10})
    world.build.write()
    done = world.run("--yes", "--allow-traffic", "load_balancer.MigrationRule")
    assert done.code == 0, done.err
    assert system.weights() == {"DcTargetGroup": 90, "BlueTargetGroup": 10}
    # Somebody moves them further, and params name something else.
    system.shift({"DcTargetGroup": 50, "BlueTargetGroup": 50})
    world.build.tiers["load_balancer"] = front(system.suffix, {"DcTargetGroup": 80, "BlueTargetGroup": 20})
    world.build.write()
    refused = world.run("--yes", "--allow-traffic", "load_balancer.MigrationRule")
    assert refused.code == 1
    assert "params say weights of DcTargetGroup 80, BlueTargetGroup 20" in refused.err
    assert system.weights() == {"DcTargetGroup": 50, "BlueTargetGroup": 50}
    # Params follow.
    world.build.tiers["load_balancer"] = front(system.suffix, {"DcTargetGroup": 50, "BlueTargetGroup": 50})
    world.build.write()
    assert world.run("--yes", "--allow-traffic", "load_balancer.MigrationRule").code == 0
    assert system.weights() == {"DcTargetGroup": 50, "BlueTargetGroup": 50}


def test_while_a_cutover_is_under_way_a_deployment_must_name_its_phase(system):
    world = system.world
    reviewed = world.title("reviewed").run("review")
    assert reviewed.code == 0, reviewed.err
    system.put(system.phase, "frozen")
    for verb in ("review", "execute"):
        refused = world.run(verb)
        assert refused.code == 1
        assert "a cutover is under way (phase frozen)" in refused.err
        assert f"python deploy.py {verb} {world.where} --local --during-cutover frozen" in refused.err
        assert "CreateChangeSet" not in refused.calls
    wrong = world.run("execute", "--during-cutover", "drained")
    assert wrong.code == 1
    assert "(phase frozen, not drained)" in wrong.err
    status = world.run("status")
    assert "  cutover                 frozen\n" in status.out
    assert "  database in use         data_center\n" in status.out
    told = json.loads(world.run("status", "--json").out)
    assert (told["cutover_phase"], told["database_in_use"]) == ("frozen", "data_center")
    done = world.run("execute", "--during-cutover", "frozen")
    assert done.code == 0, done.err
    assert world.titled() == "reviewed"


@pytest.mark.parametrize("phase", ["replicating", "done", "rolled_back"])
def test_at_rest_it_is_no_matter(system, phase):
    world = system.world
    system.put(system.phase, phase)
    assert world.title(phase).run("--yes").code == 0
    wrong = world.title("more").run("--yes", "--during-cutover", phase)
    assert wrong.code == 1
    assert f"no cutover is under way (phase {phase})" in wrong.err


def test_nothing_of_it_stays_after_a_destruction(system):
    world = system.world
    system.put(system.phase, "done")
    assert world.run("destroy", "--yes").code == 0
    assert system.ssm(system.phase) is None
    assert system.ssm(system.pointer) is None
    # What ended before it came to that is made up for.
    system.put(system.phase, "done")
    assert world.run("destroy", "--yes").code == 0
    assert system.ssm(system.phase) is None


def test_a_rule_that_somebody_has_deleted_is_no_contradiction(system):
    world = system.world
    world.client("elbv2").delete_rule(RuleArn=system.resources()["MigrationRule"])
    assert world.title("without").run("--yes").code == 0
    assert world.titled() == "without"


def test_a_tree_with_less_in_it_has_less_to_ask_for(world):
    world.build.add_tier(
        "Cutover", "cutover", {"Resources": {"Topic": resource("AWS::SNS::Topic", DisplayName="alone")}}
    )
    world.build.write()
    assert world.run("--yes").code == 0
    done = world.title("less").run("--yes")
    assert done.code == 0, done.err
    assert "GetParameters" not in done.calls
    assert world.run("destroy", "--yes").code == 0
