"""Root: nests every tier and runs the wires between them. The only module that knows more than one tier."""

from __future__ import annotations

from typing import Any

from contract.stack import Nested, System
from settings.model import Settings
from templates import (
    account,
    cutover,
    database,
    encryption,
    identity,
    load_balancer,
    migration,
    monitoring,
    network,
    security,
    service,
    validation,
)


def system(settings: Settings) -> System:
    """The tree of an environment, in the order in which a reader meets the tiers."""
    keys, roles, net, groups = encryption.Outputs, identity.Outputs, network.Outputs, security.Outputs
    data, front, app = database.Outputs, load_balancer.Outputs, service.Outputs
    dms, proof, moves = migration.Outputs, validation.Outputs, cutover.Outputs
    return System(
        description=f"Payment processing: everything of environment {settings.suffix}",
        nested=(
            Nested(encryption.TIER, encryption.Inputs()),
            Nested(
                identity.TIER,
                identity.Inputs(data_key_arn=keys.data_key_arn, logs_key_arn=keys.logs_key_arn),
            ),
            Nested(
                network.TIER,
                network.Inputs(logs_key_arn=keys.logs_key_arn, flow_logs_role_arn=roles.flow_logs_role_arn),
            ),
            Nested(
                security.TIER,
                security.Inputs(vpc_id=net.vpc_id, endpoint_security_group_id=net.endpoint_security_group_id),
            ),
            Nested(
                database.TIER,
                database.Inputs(
                    private_subnet_1_id=net.private_subnet_1_id,
                    private_subnet_2_id=net.private_subnet_2_id,
                    private_subnet_3_id=net.private_subnet_3_id,
                    availability_zone_1=net.availability_zone_1,
                    availability_zone_2=net.availability_zone_2,
                    availability_zone_3=net.availability_zone_3,
                    database_security_group_id=groups.database_security_group_id,
                    data_key_arn=keys.data_key_arn,
                    logs_key_arn=keys.logs_key_arn,
                    monitoring_role_arn=roles.monitoring_role_arn,
                    task_role_name=roles.task_role_name,
                    validator_role_name=roles.validator_role_name,
                ),
            ),
            Nested(
                load_balancer.TIER,
                load_balancer.Inputs(
                    vpc_id=net.vpc_id,
                    public_subnet_1_id=net.public_subnet_1_id,
                    public_subnet_2_id=net.public_subnet_2_id,
                    public_subnet_3_id=net.public_subnet_3_id,
                    load_balancer_security_group_id=groups.load_balancer_security_group_id,
                    logs_key_arn=keys.logs_key_arn,
                ),
            ),
            Nested(
                service.TIER,
                service.Inputs(
                    private_subnet_1_id=net.private_subnet_1_id,
                    private_subnet_2_id=net.private_subnet_2_id,
                    private_subnet_3_id=net.private_subnet_3_id,
                    service_security_group_id=groups.service_security_group_id,
                    blue_target_group_arn=front.blue_target_group_arn,
                    green_target_group_arn=front.green_target_group_arn,
                    production_rule_arn=front.production_rule_arn,
                    test_rule_arn=front.test_rule_arn,
                    task_execution_role_arn=roles.task_execution_role_arn,
                    task_role_arn=roles.task_role_arn,
                    infrastructure_role_arn=roles.infrastructure_role_arn,
                    aurora_secret_arn=data.application_secret_arn,
                    data_center_secret_arn=data.source_application_secret_arn,
                    pointer_name=data.pointer_name,
                    logs_key_arn=keys.logs_key_arn,
                    load_balancer_name=front.load_balancer_name,
                    blue_target_group_name=front.blue_target_group_name,
                    green_target_group_name=front.green_target_group_name,
                ),
            ),
            Nested(
                migration.TIER,
                migration.Inputs(
                    private_subnet_1_id=net.private_subnet_1_id,
                    private_subnet_2_id=net.private_subnet_2_id,
                    private_subnet_3_id=net.private_subnet_3_id,
                    dms_security_group_id=groups.dms_security_group_id,
                    data_key_arn=keys.data_key_arn,
                    logs_key_arn=keys.logs_key_arn,
                    dms_secrets_role_arn=roles.dms_secrets_role_arn,
                    dms_secret_arn=data.dms_secret_arn,
                    source_dms_secret_arn=data.source_dms_secret_arn,
                ),
            ),
            Nested(
                validation.TIER,
                validation.Inputs(
                    private_subnet_1_id=net.private_subnet_1_id,
                    private_subnet_2_id=net.private_subnet_2_id,
                    private_subnet_3_id=net.private_subnet_3_id,
                    validator_security_group_id=groups.validator_security_group_id,
                    validator_role_arn=roles.validator_role_arn,
                    state_machine_role_arn=roles.state_machine_role_arn,
                    data_key_arn=keys.data_key_arn,
                    logs_key_arn=keys.logs_key_arn,
                    validator_secret_arn=data.validator_secret_arn,
                    source_validator_secret_arn=data.source_validator_secret_arn,
                ),
            ),
            _cutover(settings),
            Nested(
                monitoring.TIER,
                monitoring.Inputs(
                    data_key_arn=keys.data_key_arn,
                    cluster_id=data.cluster_id,
                    writer_instance_id=data.writer_instance_id,
                    reader_1_instance_id=data.reader_1_instance_id,
                    reader_2_instance_id=data.reader_2_instance_id,
                    load_balancer_name=front.load_balancer_name,
                    blue_target_group_name=front.blue_target_group_name,
                    green_target_group_name=front.green_target_group_name,
                    data_center_target_group_name=front.data_center_target_group_name,
                    web_acl_metric_name=front.web_acl_metric_name,
                    cluster_name=app.cluster_name,
                    service_name=app.service_name,
                    replication_instance_arn=dms.replication_instance_arn,
                    replication_instance_id=dms.replication_instance_id,
                    forward_task_id=dms.forward_task_id,
                    reverse_task_id=dms.reverse_task_id,
                    function_name=proof.function_name,
                    state_machine_arn=proof.state_machine_arn,
                    metric_namespace=proof.metric_namespace,
                    cutover_machine_arn=moves.state_machine_arn,
                    cutover_namespace=moves.metric_namespace,
                ),
            ),
        ),
        exposes={
            "DMSReplicationTaskArn": dms.forward_task_arn,
            "LoadBalancerDNS": front.load_balancer_dns,
            "RDSClusterEndpoint": data.cluster_endpoint,
            "RDSClusterReaderEndpoint": data.reader_endpoint,
            "VPCId": net.vpc_id,
        },
        beside=(account.TIER,),
    )


def _cutover(settings: Settings) -> Nested:
    """The cutover moves the weights of the migration rule, where there is one: at `aws_weight` 100 there is none."""
    net, groups, data = network.Outputs, security.Outputs, database.Outputs
    keys, front, dms, proof = encryption.Outputs, load_balancer.Outputs, migration.Outputs, validation.Outputs
    needs: dict[str, Any] = {
        "private_subnet_1_id": net.private_subnet_1_id,
        "private_subnet_2_id": net.private_subnet_2_id,
        "private_subnet_3_id": net.private_subnet_3_id,
        "cutover_security_group_id": groups.cutover_security_group_id,
        "data_key_arn": keys.data_key_arn,
        "logs_key_arn": keys.logs_key_arn,
        "cutover_secret_arn": data.cutover_secret_arn,
        "source_cutover_secret_arn": data.source_cutover_secret_arn,
        "pointer_name": data.pointer_name,
        "forward_task_arn": dms.forward_task_arn,
        "reverse_task_arn": dms.reverse_task_arn,
        "production_rule_arn": front.production_rule_arn,
        "report_bucket_name": proof.report_bucket_name,
        "validation_machine_arn": proof.state_machine_arn,
    }
    if not settings.load_balancer.data_center_weight:
        return Nested(cutover.TIER, cutover.Inputs(**needs))
    return Nested(cutover.SPLIT_TIER, cutover.SplitInputs(migration_rule_arn=front.migration_rule_arn, **needs))
