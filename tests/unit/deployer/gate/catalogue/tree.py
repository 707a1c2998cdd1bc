"""Tiers, wires, tags and whole changes."""

from __future__ import annotations

from tests.unit.deployer.gate.catalogue.edits import attributes, both, drop_tier, put, rename_tier, retag, wire

CLUSTER = "database.Cluster"
SERVICE = "service.Service"
SECRET = "database.ApplicationSecret"

# what is edited → the edit, and what the gate asks about, with "?" where it only may happen
CASES = {
    "monitoring removed": (drop_tier("Monitoring", "monitoring"), []),
    "migration tier renamed": (rename_tier("Migration", "Replication"), ["replace root.Migration"]),
    "database tier renamed": (rename_tier("Database", "Data"), ["replace root.Database"]),
    "tier policy delete": (attributes("root.Database", DeletionPolicy="Delete"), ["weaken root.Database"]),
    "tier policy absent": (
        attributes("root.Migration", DeletionPolicy=None, UpdateReplacePolicy=None),
        ["weaken root.Migration"],
    ),
    "phase tag": (
        retag("MigrationPhase", "complete"),
        [
            "traffic load_balancer.MigrationRule",
            "traffic load_balancer.ProductionRule",
            "traffic load_balancer.TestRule",
        ],
    ),
    "cost tag": (
        retag("CostCenter", "other"),
        [
            "traffic load_balancer.MigrationRule",
            "traffic load_balancer.ProductionRule",
            "traffic load_balancer.TestRule",
        ],
    ),
    "wire dms secret": (
        wire("Migration", "DmsSecretArn", "Database", "SourceDmsSecretArn"),
        ["traffic migration.AuroraSource", "traffic migration.AuroraTarget"],
    ),
    "wire data key": (
        wire("Database", "DataKeyArn", "Encryption", "LogsKeyArn"),
        [
            "weaken database.ApplicationSecret",
            "replace database.Cluster",
            "weaken database.Cluster",
            "weaken database.CutoverSecret",
            "weaken database.DmsSecret",
            "replace database.Reader1",
            "replace database.Reader2",
            "weaken database.SourceApplicationSecret",
            "weaken database.SourceCutoverSecret",
            "weaken database.SourceDmsSecret",
            "weaken database.SourceValidatorSecret",
            "weaken database.ValidatorSecret",
            "replace database.Writer",
        ],
    ),
    "wire log key of network": (
        wire("Network", "LogsKeyArn", "Encryption", "DataKeyArn"),
        ["weaken network.FlowLogGroup", "weaken network.VpnLogGroup"],
    ),
    "wire task role": (
        wire("Service", "TaskRoleArn", "Identity", "TaskExecutionRoleArn"),
        ["access service.TaskDefinition"],
    ),
    "wire security group": (
        wire("Database", "DatabaseSecurityGroupId", "Security", "ServiceSecurityGroupId"),
        ["access database.Cluster"],
    ),
    "wire target groups": (
        both(
            wire("Service", "BlueTargetGroupArn", "LoadBalancer", "GreenTargetGroupArn"),
            wire("Service", "GreenTargetGroupArn", "LoadBalancer", "BlueTargetGroupArn"),
        ),
        ["traffic service.Service"],
    ),
    "nothing": (both(), []),
    "metadata": (attributes(SERVICE, Metadata={"a": "b"}), []),
    "depends": (attributes(SERVICE, DependsOn=["LogGroup"]), []),
    "upgrade": (
        both(
            put(CLUSTER, "EngineVersion", "17.10"),
            put(
                "load_balancer.MigrationRule",
                "Actions/0/ForwardConfig/TargetGroups",
                lambda g: [{**g[0], "Weight": 80}, {**g[1], "Weight": 20}],
            ),
            put(SECRET, "Name", "payments/prod/app-2"),
        ),
        # The task has that secret, so ECS deploys while requests are split.
        ["replace database.ApplicationSecret", "traffic load_balancer.MigrationRule", "traffic service.Service"],
    ),
}
