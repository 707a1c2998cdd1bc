"""Corrections to moto: what it lacks or does differently from AWS, each named, each with a test that it still needs.

A correction is a function without arguments that changes moto's classes for good. It is applied when its service is
first used, because importing all of moto takes longer than a test may.
"""

from __future__ import annotations

import os
import threading
from importlib import import_module

# moto's name of a service → the room and the functions that correct it.
CORRECTIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "applicationautoscaling": (
        ("small", "tag_scalable_targets"),
        ("small", "keep_the_arn_of_scaling_policies"),
    ),
    "awslambda": (
        ("functions", "run_functions_as_processes"),
        ("functions", "keep_what_functions_are_configured_with"),
    ),
    "cloudwatch": (
        ("cloudwatch", "have_composite_alarms"),
        ("cloudwatch", "tag_dashboards"),
        ("cloudwatch", "forget_the_tags_of_what_is_deleted"),
    ),
    "ec2": (
        ("ec2", "know_the_prefix_lists_of_gateways"),
        ("ec2", "change_endpoints"),
        ("ec2", "name_interface_endpoints"),
        ("ec2", "take_interfaces_of_nat_gateways_along"),
        ("ec2", "propagate_routes_of_vpn_gateways"),
        ("ec2", "keep_the_names_of_customer_devices"),
        ("ec2", "keep_the_options_of_vpn_connections"),
        ("security_groups", "describe_rules_of_every_peer"),
        ("security_groups", "change_descriptions_of_rules"),
        ("security_groups", "tell_rules_apart_by_their_peers"),
    ),
    "ecs": (
        ("ecs", "run_the_tasks_of_services"),
        ("ecs", "keep_the_settings_of_services"),
    ),
    "elbv2": (
        ("elbv2", "have_the_certificates_of_the_account"),
        ("elbv2", "keep_the_zone_of_a_target"),
        ("elbv2", "protect_load_balancers_from_deletion"),
    ),
    "iam": (("small", "load_managed_policies_of_one_partition"),),
    "logs": (
        ("logs", "have_policies_of_log_groups"),
        ("logs", "change_keys_of_log_groups"),
    ),
    "rds": (
        ("rds", "take_the_storage_type_aurora"),
        ("rds", "replace_automated_snapshots_of_the_same_minute"),
        ("rds", "keep_what_is_observed_of_databases"),
        ("rds", "switch_the_log_exports_of_clusters"),
        ("rds", "change_subnet_groups_in_place"),
        ("rds", "tell_the_subnets_of_cluster_instances"),
        ("rds", "refuse_to_delete_groups_in_use"),
        ("rds", "change_event_subscriptions"),
        ("rds", "reset_parameter_groups"),
    ),
    "s3": (
        ("s3", "honour_conditions_of_bucket_policies"),
        ("s3", "take_any_principal_in_logging_policies"),
        ("s3", "deliver_no_access_logs"),
    ),
    "sns": (("small", "tell_the_signature_version_of_topics"),),
    "stepfunctions": (
        ("small", "name_executions"),
        ("states", "start_executions_from_executions"),
        ("states", "let_branches_fail_by_errors_of_the_service"),
        ("states", "keep_what_was_stopped_stopped"),
        ("states", "end_branches_that_were_stopped_as_they_began"),
    ),
    "wafv2": (("small", "keep_data_protection_of_web_acls"),),
}
# One endpoint is both generations of load balancers; moto gives it to the first.
_TOGETHER = {"elb": "elbv2"}
_applied: set[str] = set()
_lock = threading.RLock()


def settings() -> None:
    """Make moto's own public settings: before it is imported, and in place of corrections wherever they suffice."""
    os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"  # no web page speaks to this account
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # 600 of them, that nothing here uses
    from moto.core.config import default_user_config

    default_user_config["iam"]["load_aws_managed_policies"] = True
    default_user_config["stepfunctions"]["execute_state_machine"] = True


def apply(service: str) -> None:
    """Correct a service of moto, once."""
    with _lock:
        if service in _applied:
            return
        _applied.add(service)
        for room, name in CORRECTIONS.get(service, ()):
            getattr(import_module(f"localaws.shims.{room}"), name)()
        if service in _TOGETHER:
            apply(_TOGETHER[service])
