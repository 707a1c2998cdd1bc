"""Alarms of what serves the clients: load balancer, service, database.

Dimensions are those under which the services publish their metrics: with any other, an alarm has no data for ever, and
nothing says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from settings.model import Settings
from templates.alarms import DAY, GIB, Group, Metric, NoData, Place, Watch

if TYPE_CHECKING:
    from templates.monitoring import Inputs

# The alarm of the migration rule, which exists only while that rule does.
WEIGHTED_PATH = "alb-weighted-path"

_ALB, _ECS, _RDS, _WAF = "AWS/ApplicationELB", "ECS/ContainerInsights", "AWS/RDS", "AWS/WAFV2"
# A slot that nobody reads keeps WAL until storage is full of it: the way back has stopped.
_SLOT_LAG_GIB = 10
_CERTIFICATE_DAYS = 30


def front_door(settings: Settings, needs: Inputs) -> Group:
    """The load balancer: what clients see of either side."""
    balancer: Place = {"LoadBalancer": needs.load_balancer_name}
    groups: dict[str, Place] = {
        "blue": {**balancer, "TargetGroup": needs.blue_target_group_name},
        "green": {**balancer, "TargetGroup": needs.green_target_group_name},
        "dc": {**balancer, "TargetGroup": needs.data_center_target_group_name},
    }
    healthy = {part: Metric(_ALB, "HealthyHostCount", place, "Minimum") for part, place in groups.items()}
    errors = settings.monitoring.http_5xx_threshold
    watches = [
        *(
            Watch(
                f"alb-unhealthy-{part}",
                (Metric(_ALB, "UnHealthyHostCount", place, "Minimum"),),
                ">",
                0,
                3,
                # Reported while the group is in use and has targets.
                NoData.NOTHING_HAPPENED,
                f"Targets in group {part} fail their health check.",
                "Find them in the target group; read the application's log on that side.",
            )
            for part, place in groups.items()
        ),
        Watch(
            "alb-errors",
            (Metric(_ALB, "HTTPCode_ELB_5XX_Count", balancer, "Sum"),),
            ">",
            errors,
            2,
            NoData.NOTHING_HAPPENED,
            "The load balancer itself answers with 5xx: no target took the request, or none answered in time.",
            "Look at target health and at the weights of the listener rules; a rule may name an empty target group.",
        ),
        Watch(
            "alb-target-errors",
            (Metric(_ALB, "HTTPCode_Target_5XX_Count", balancer, "Sum"),),
            ">",
            errors,
            2,
            NoData.NOTHING_HAPPENED,
            "The application answers with 5xx.",
            "The dashboard shows which side; read that application's log. Set aws_weight back if it is AWS.",
        ),
        _firewall(settings, needs),
        Watch(
            "alb-certificate",
            (
                Metric(
                    "AWS/CertificateManager",
                    "DaysToExpiry",
                    {"CertificateArn": settings.load_balancer.certificate_arn},
                    "Minimum",
                    DAY,
                ),
            ),
            "<",
            _CERTIFICATE_DAYS,
            1,
            # ACM reports once or twice a day.
            NoData.LAST_WORD_STANDS,
            f"The certificate of the HTTPS listeners ends in less than {_CERTIFICATE_DAYS} days.",
            "ACM renews what it made itself, if the DNS records of its validation still exist; else import a new one.",
        ),
    ]
    if settings.service.started:
        watches.append(
            Watch(
                "alb-healthy-targets",
                (healthy["blue"], healthy["green"]),
                "<",
                1,
                2,
                NoData.NOBODY_REPORTS,
                "No task on AWS is fit to take a request.",
                "Look at the service's events and log; while aws_weight is above 0, set it back to 0.",
                expression="FILL(m1, 0) + FILL(m2, 0)",
            )
        )
    if settings.load_balancer.data_center_weight:
        live = settings.load_balancer.live_target_group
        watches.append(
            Watch(
                WEIGHTED_PATH,
                (healthy[live],),
                "<",
                1,
                2,
                _without_tasks(settings),
                f"The migration rule sends the share of AWS to target group {live}, where no task is healthy.",
                "Set live_target_group to the group of weight 100 in the production rule; only then raise aws_weight.",
            )
        )
    context = [Metric(_ALB, "RequestCount", place, "Sum") for place in groups.values()]
    context += [Metric(_ALB, "TargetResponseTime", place, "p99") for place in groups.values()]
    return Group("Front door", tuple(watches), tuple(context))


def _firewall(settings: Settings, needs: Inputs) -> Watch:
    """What WAF refuses, of all rules together; where it only counts, what it would have refused.

    https://docs.aws.amazon.com/waf/latest/developerguide/waf-metrics.html
    """
    place: Place = {"Region": settings.region, "Rule": "ALL", "WebACL": needs.web_acl_metric_name}
    blocks = settings.load_balancer.waf_mode == "block"
    return Watch(
        "waf-surge",
        (Metric(_WAF, "BlockedRequests" if blocks else "CountedRequests", place, "Sum"),),
        ">",
        settings.monitoring.waf_blocked_threshold,
        # A scan is over sooner; a merchant whose payments are refused goes on.
        5,
        NoData.NOTHING_HAPPENED,
        f"The firewall {'refuses' if blocks else 'would refuse'} many requests: an attack, or valid payments.",
        "Its log names rule and address. Set waf_mode to count while it refuses payments, and raise what they exceed.",
    )


def _without_tasks(settings: Settings) -> NoData:
    """Before the service is started, metrics of its tasks have no data: their alarms keep quiet, and are not OK."""
    return NoData.NOBODY_REPORTS if settings.service.started else NoData.NOT_RUNNING


def tasks(settings: Settings, needs: Inputs) -> Group:
    """The service: whether all of its tasks run."""
    place: Place = {"ClusterName": needs.cluster_name, "ServiceName": needs.service_name}
    counts = (Metric(_ECS, "DesiredTaskCount", place, "Average"), Metric(_ECS, "RunningTaskCount", place, "Average"))
    return Group(
        "Service",
        (
            Watch(
                "ecs-tasks",
                counts,
                ">",
                0,
                3,
                # Container Insights counts as long as the service exists.
                _without_tasks(settings),
                "Fewer tasks run than should.",
                "Read the service's events: image, secret, health check, or no capacity in a zone.",
                expression="m1 - m2",
            ),
        ),
        (
            Metric("AWS/ECS", "CPUUtilization", place, "Average"),
            Metric("AWS/ECS", "MemoryUtilization", place, "Average"),
        ),
    )


def aurora(settings: Settings, needs: Inputs) -> Group:
    """The database, instance by instance: the roles of writer and readers change with a failover."""
    limits = settings.monitoring
    instances = {
        "writer": needs.writer_instance_id,
        "reader-1": needs.reader_1_instance_id,
        "reader-2": needs.reader_2_instance_id,
    }
    places: dict[str, Place] = {role: {"DBInstanceIdentifier": instance} for role, instance in instances.items()}
    watches = []
    for role, place in places.items():
        watches += [
            Watch(
                f"aurora-cpu-{role}",
                (Metric(_RDS, "CPUUtilization", place, "Average"),),
                ">",
                limits.database_cpu_percent,
                5,
                NoData.NOBODY_REPORTS,
                f"Aurora instance {role}: CPU over {limits.database_cpu_percent} %.",
                "Find the statement in Database Insights; take a larger instance class if there is none to blame.",
            ),
            # Of all three: a failover makes a reader of the writer. The one that writes has no lag to report.
            Watch(
                f"aurora-replica-lag-{role}",
                (Metric(_RDS, "AuroraReplicaLag", place, "Average"),),
                ">",
                limits.replica_lag_threshold_ms,
                3,
                NoData.NOTHING_HAPPENED,
                f"Aurora instance {role} is behind the writer by more than {limits.replica_lag_threshold_ms} ms.",
                "Reads there are stale: look for long transactions and for load on this instance.",
            ),
            Watch(
                f"aurora-local-storage-{role}",
                (Metric(_RDS, "FreeLocalStorage", place, "Minimum"),),
                "<",
                limits.database_free_local_storage_gib * GIB,
                3,
                NoData.NOBODY_REPORTS,
                f"Aurora instance {role}: local storage (temporary files, logs) is nearly full.",
                "Find the sorts and indexes that spill to disk; a larger instance class has more.",
            ),
            Watch(
                f"aurora-connections-{role}",
                (Metric(_RDS, "DatabaseConnections", place, "Maximum"),),
                ">",
                limits.database_connections,
                3,
                NoData.NOBODY_REPORTS,
                f"Aurora instance {role}: more than {limits.database_connections} connections.",
                "Look for connections that are not given back, and at the pools of the tasks times their number.",
            ),
        ]
    writer = places["writer"]
    watches += [
        Watch(
            "aurora-deadlocks",
            (Metric(_RDS, "Deadlocks", writer, "Average"),),
            ">",
            0,
            1,
            NoData.NOTHING_HAPPENED,
            "Transactions block each other, and PostgreSQL ended one of them.",
            "The statements stand in the PostgreSQL log; the application must have tried again.",
        ),
        Watch(
            "aurora-slot-lag",
            (Metric(_RDS, "OldestReplicationSlotLag", writer, "Maximum"),),
            ">",
            _SLOT_LAG_GIB * GIB,
            3,
            # No slot before the reverse task has started.
            NoData.NOTHING_HAPPENED,
            f"The oldest replication slot holds back more than {_SLOT_LAG_GIB} GiB of WAL: the way back has stopped.",
            "Start the reverse task again, or drop its slot when going back is no longer wanted.",
        ),
    ]
    cluster: Place = {"DBClusterIdentifier": needs.cluster_id}
    context = (
        Metric(_RDS, "CommitLatency", writer, "Average"),
        Metric(_RDS, "VolumeBytesUsed", cluster, "Maximum", 300),
    )
    return Group("Aurora", tuple(watches), context)
