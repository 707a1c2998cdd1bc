"""Services, functions and state machines."""

from __future__ import annotations

from tests.unit.deployer.gate.catalogue.edits import GONE, both, drop, put, wire

SERVICE = "service.Service"
DEFINITION = "service.TaskDefinition"
CONTAINER = "ContainerDefinitions/0/"
FUNCTION = "validation.Function"

# what is edited → the edit, and what the gate asks about, with "?" where it only may happen
CASES = {
    "desired 0": (put(SERVICE, "DesiredCount", 0), ["traffic service.Service"]),
    "desired fewer": (put(SERVICE, "DesiredCount", 3), []),
    "service count gone": (put(SERVICE, "DesiredCount", GONE), []),
    "scaling 0": (
        both(put("service.ScalableTarget", "MinCapacity", 0), put("service.ScalableTarget", "MaxCapacity", 0)),
        ["traffic service.ScalableTarget"],
    ),
    "scaling min 0": (put("service.ScalableTarget", "MinCapacity", 0), ["traffic service.ScalableTarget"]),
    "scaling suspended": (put("service.ScalableTarget", "SuspendedState", {"DynamicScalingOutSuspended": True}), []),
    "service name": (put(SERVICE, "ServiceName", "payments-prod-s2"), ["traffic service.Service"]),
    "service exec": (put(SERVICE, "EnableExecuteCommand", True), ["access service.Service"]),
    "service public ip": (
        put(SERVICE, "NetworkConfiguration/AwsvpcConfiguration/AssignPublicIp", "ENABLED"),
        ["access service.Service"],
    ),
    "service sg": (
        put(SERVICE, "NetworkConfiguration/AwsvpcConfiguration/SecurityGroups/-", "sg-0123456789abcdef0"),
        ["access service.Service"],
    ),
    "service min healthy 0": (put(SERVICE, "DeploymentConfiguration/MinimumHealthyPercent", 0), []),
    "service circuit off": (
        put(SERVICE, "DeploymentConfiguration/DeploymentCircuitBreaker", {"Enable": False, "Rollback": False}),
        ["weaken service.Service"],
    ),
    "service circuit enable off": (
        put(SERVICE, "DeploymentConfiguration/DeploymentCircuitBreaker/Enable", False),
        ["weaken service.Service"],
    ),
    "service alarms off": (put(SERVICE, "DeploymentConfiguration/Alarms/Enable", False), ["weaken service.Service"]),
    "service strategy rolling": (
        put(SERVICE, "DeploymentConfiguration/Strategy", "ROLLING"),
        ["weaken service.Service"],
    ),
    "service lb gone": (put(SERVICE, "LoadBalancers", GONE), ["traffic service.Service"]),
    "service target group swapped": (
        put(SERVICE, "LoadBalancers/0/TargetGroupArn", {"Ref": "GreenTargetGroupArn"}),
        ["traffic service.Service"],
    ),
    "service removed": (
        drop(SERVICE, "service.ScalableTarget", "service.CpuScalingPolicy"),
        ["traffic service.Service"],
    ),
    "service cluster": (put(SERVICE, "Cluster", "other"), ["traffic service.Service"]),
    "image": (
        put(
            DEFINITION,
            CONTAINER + "Image",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/payments@sha256:1111111111111111111111111111111111111111111111111111111111111111",
        ),
        [],
    ),
    "image other account": (
        put(DEFINITION, CONTAINER + "Image", "docker.io/evil/payments:latest"),
        ["weaken service.TaskDefinition"],
    ),
    "image pin lost": (
        put(DEFINITION, CONTAINER + "Image", "123456789012.dkr.ecr.us-east-1.amazonaws.com/payments:latest"),
        ["weaken service.TaskDefinition"],
    ),
    "privileged": (put(DEFINITION, CONTAINER + "Privileged", True), ["weaken service.TaskDefinition"]),
    "root user": (put(DEFINITION, CONTAINER + "User", "0"), ["weaken service.TaskDefinition"]),
    "root user gone": (put(DEFINITION, CONTAINER + "User", GONE), ["weaken service.TaskDefinition"]),
    "caps add": (
        put(DEFINITION, CONTAINER + "LinuxParameters/Capabilities/Add", ["SYS_PTRACE"]),
        ["weaken service.TaskDefinition"],
    ),
    "sslmode": (
        put(DEFINITION, CONTAINER + "Environment/#DATABASE_SSL_MODE/Value", "require"),
        ["weaken service.TaskDefinition"],
    ),
    "one database's secret for the other's": (
        wire("Service", "DataCenterSecretArn", "Database", "ApplicationSecretArn"),
        ["traffic service.TaskDefinition"],
    ),
    "pointer env": (put(DEFINITION, CONTAINER + "Environment/#DATABASE_POINTER/Value", "/payments/dev/other"), []),
    "secret to env": (
        both(
            put(DEFINITION, CONTAINER + "Secrets/#DATABASE_AURORA_PASSWORD", GONE),
            put(DEFINITION, CONTAINER + "Environment/-", {"Name": "DATABASE_AURORA_PASSWORD", "Value": "hunter2"}),
        ),
        ["weaken service.TaskDefinition"],
    ),
    "sidecar added": (
        put(
            DEFINITION,
            "ContainerDefinitions/-",
            {"Name": "side", "Image": "docker.io/x:1", "Privileged": True, "Essential": False},
        ),
        ["weaken service.TaskDefinition"],
    ),
    "container renamed privileged": (
        both(
            put(DEFINITION, CONTAINER + "Name", "app"),
            put(DEFINITION, CONTAINER + "Privileged", True),
            put(SERVICE, "LoadBalancers/0/ContainerName", "app"),
        ),
        ["traffic service.Service", "weaken service.TaskDefinition"],
    ),
    "task role other": (
        put(DEFINITION, "TaskRoleArn", "arn:aws:iam::123456789012:role/admin"),
        ["access service.TaskDefinition"],
    ),
    "log driver gone": (put(DEFINITION, CONTAINER + "LogConfiguration", GONE), ["weaken service.TaskDefinition"]),
    "cpu": (put(DEFINITION, "Cpu", "4096"), []),
    "insights off": (put("service.Cluster", "ClusterSettings/0/Value", "disabled"), ["weaken service.Cluster"]),
    "ecs cluster name": (put("service.Cluster", "ClusterName", "x"), ["traffic service.Service"]),
    "exec config": (
        put("service.Cluster", "Configuration", {"ExecuteCommandConfiguration": {"Logging": "NONE"}}),
        ["weaken service.Cluster"],
    ),
    "fn runtime": (put(FUNCTION, "Runtime", "python3.12"), []),
    "fn env secret": (
        put(FUNCTION, "Environment/Variables/TARGET_SECRET_ARN", {"Ref": "SourceValidatorSecretArn"}),
        ["weaken validation.Function"],
    ),
    "fn vpc gone": (put(FUNCTION, "VpcConfig", GONE), ["access validation.Function"]),
    "fn sg": (put(FUNCTION, "VpcConfig/SecurityGroupIds/-", "sg-0123456789abcdef0"), ["access validation.Function"]),
    "fn key gone": (put(FUNCTION, "KmsKeyArn", GONE), ["weaken validation.Function"]),
    "fn role": (put(FUNCTION, "Role", "arn:aws:iam::123456789012:role/admin"), ["access validation.Function"]),
    "fn code": (put(FUNCTION, "Handler", "validator.handler.other"), []),
    "fn schemas": (put(FUNCTION, "Environment/Variables/SCHEMAS", "other"), ["weaken validation.Function"]),
    "fn concurrency 0": (put(FUNCTION, "ReservedConcurrentExecutions", 0), ["weaken validation.Function"]),
    "fn name": (put(FUNCTION, "FunctionName", "x"), []),
    "sfn definition": (put("validation.StateMachine", "DefinitionString", "{}"), []),
    "sfn logging off": (
        put("validation.StateMachine", "LoggingConfiguration", GONE),
        ["weaken validation.StateMachine"],
    ),
    "sfn data logged": (
        put("validation.StateMachine", "LoggingConfiguration/IncludeExecutionData", True),
        ["weaken validation.StateMachine"],
    ),
    "sfn role": (
        put("validation.StateMachine", "RoleArn", "arn:aws:iam::123456789012:role/admin"),
        ["access validation.StateMachine"],
    ),
}
