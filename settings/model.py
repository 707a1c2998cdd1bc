"""Settings: every value that params/*.yaml may set, typed, with its unit in its name.

Field annotations carry the constraint and the sentence that editors show. A plain string inside `Annotated` is
that sentence. No default lives here: `params/base.yaml` holds them all, so a person reads the values in one place.
Optional fields (`X | None`) may be null.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from settings.fields import Between, Cidr, Count, Ipv4, Matches, OneOf
from settings.forms import HOST_NAME, IDENTIFIER, RETENTION_DAYS, TAG_VALUE, URL_PATH, VERSION, WINDOW_DAY, WINDOW_HOUR
from settings.moving import Cutover, Migration, Monitoring, Validation


@dataclass(frozen=True, slots=True)
class Tags:
    """Tags that every taggable resource carries; the optional ones only when known."""

    cost_center: Annotated[str, TAG_VALUE, "CostCenter"]
    migration_phase: Annotated[str, TAG_VALUE, "MigrationPhase: where the migration stands"]
    repository: Annotated[str | None, TAG_VALUE, "Repository that this stack was built from"]
    author: Annotated[str | None, TAG_VALUE, "Author of the change"]
    pr_number: Annotated[str | None, TAG_VALUE, "Number of the pull request that this copy serves"]
    team: Annotated[str | None, TAG_VALUE, "Team that owns the environment"]


@dataclass(frozen=True, slots=True)
class Vpn:
    """Site-to-site VPN to the data centre; without it the data centre is reached some other way (Direct Connect)."""

    customer_gateway_ip: Annotated[str, Ipv4(), "Public address of the data centre's VPN device"]
    bgp_asn: Annotated[int, Between(1, 2147483647), "The data centre's BGP autonomous system number"]


@dataclass(frozen=True, slots=True)
class Network:
    """The VPC: three zones, a public and a private subnet in each."""

    vpc_cidr: Annotated[str, Cidr(16, 24), "Block of the VPC"]
    availability_zone_ids: Annotated[
        tuple[str, ...],
        Count(3, 3),
        Matches(
            r"[a-z]{2,4}\d-az\d", "a zone id like use1-az1 (ids mean the same zone in every account; names do not)"
        ),
        "The three zones, by id",
    ]
    # A load balancer wants /27 or larger, and eight free addresses in each.
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
    public_subnet_cidrs: Annotated[tuple[str, ...], Count(3, 3), Cidr(16, 27), "One block per zone, inside vpc_cidr"]
    private_subnet_cidrs: Annotated[tuple[str, ...], Count(3, 3), Cidr(16, 28), "One block per zone, inside vpc_cidr"]
    nat_gateways: Annotated[int, OneOf((1, 3)), "3: one per zone; 1: cheap, for environments that may lose a zone"]
    s3_prefix_list_id: Annotated[
        str,
        Matches(r"pl-[0-9a-f]{8,17}", "a prefix list id like pl-63a5400a"),
        "The region's managed prefix list of S3, which the gateway endpoint serves",
    ]
    vpn: Annotated[Vpn | None, "Site-to-site VPN to the data centre"]


@dataclass(frozen=True, slots=True)
class DataCenter:
    """What the AWS side must know of the data centre that the payments come from."""

    cidrs: Annotated[tuple[str, ...], Count(1, 8), Cidr(8, 32), "Blocks of the data centre; may not overlap vpc_cidr"]
    database_host: Annotated[
        str, HOST_NAME, "Host of the source PostgreSQL, as its TLS certificate names it; no other environment's"
    ]
    database_address: Annotated[
        str, Ipv4(), "Address of the source PostgreSQL, inside cidrs; inside the VPC, database_host resolves to it"
    ]
    database_port: Annotated[int, Between(1024, 65535), "Port of the source PostgreSQL"]
    database_name: Annotated[str, IDENTIFIER, "Database that holds the payments"]
    database_ca_pem: Annotated[
        str,
        Matches(r"params(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+\.pem", "a .pem file under params/"),
        "CA certificates that the source database's TLS certificate is verified against",
    ]
    application_ips: Annotated[
        tuple[str, ...],
        Count(1, 10),
        Ipv4(),
        "Addresses of the Java application, targets of the weighted path (RFC 1918)",
    ]
    application_port: Annotated[int, Between(1, 65535), "HTTPS port of the Java application in the data centre"]

    @property
    def database_is_named(self) -> bool:
        """Whether the database is known by a name, which has to resolve inside the VPC; else by its address alone."""
        return self.database_host != self.database_address

    health_check_path: Annotated[str, URL_PATH, "What the load balancer asks the application in the data centre"]


@dataclass(frozen=True, slots=True)
class Security:
    """Keys and who may knock at the front door."""

    key_deletion_window_days: Annotated[
        int, Between(7, 30, "days"), "Days between asking to delete a KMS key and losing it"
    ]
    ingress_cidrs: Annotated[tuple[str, ...], Count(1, 20), Cidr(0, 32), "Clients that may reach the load balancer"]


@dataclass(frozen=True, slots=True)
class Database:
    """Aurora PostgreSQL: one writer, two readers, three zones."""

    engine_version: Annotated[str, VERSION, "Aurora PostgreSQL version; checked against params/lifecycle.yaml"]
    instance_class: Annotated[
        str,
        Matches(r"db\.[a-z0-9]+\.[a-z0-9]+", "an instance class like db.r7g.large"),
        "Class of the writer and the readers",
    ]
    ca_certificate: Annotated[
        str, Matches(r"rds-ca-[a-z0-9-]+", "an RDS CA like rds-ca-rsa2048-g1"), "RDS CA of the server certificates"
    ]
    name: Annotated[str, IDENTIFIER, "Initial database"]
    port: Annotated[int, Between(1150, 65535), "Port of the cluster"]
    master_username: Annotated[
        str,
        Matches(
            r"(?!(admin|postgres|rdsadmin|master|root)$)[a-z][a-z0-9_]{0,62}",
            "a user name other than admin, postgres, rdsadmin, master, root",
        ),
        "Master user; its password is made and rotated by RDS",
    ]
    backup_retention_days: Annotated[
        int, Between(1, 35, "days"), "Days of automated backups and point-in-time recovery"
    ]
    backup_window: Annotated[str, WINDOW_HOUR, "Daily backup window, UTC"]
    maintenance_window: Annotated[str, WINDOW_DAY, "Weekly maintenance window, UTC"]
    auto_minor_version_upgrade: Annotated[bool, "Let RDS install minor versions in the maintenance window"]
    monitoring_interval_seconds: Annotated[int, OneOf((1, 5, 10, 15, 30, 60)), "Granularity of enhanced monitoring"]
    insights_retention_days: Annotated[int, OneOf((7, 465)), "Retention of Database Insights: 7 standard, 465 advanced"]


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """The front door: ALB, its listener rules and their weights, WAF."""

    certificate_arn: Annotated[
        str,
        Matches(r"arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[0-9a-f-]{36}", "the ARN of an ACM certificate"),
        "Certificate of the HTTPS listeners",
    ]
    ssl_policy: Annotated[
        str,
        Matches(r"ELBSecurityPolicy-[A-Za-z0-9-]+", "an ELB security policy name"),
        "TLS policy; checked against params/lifecycle.yaml",
    ]
    aws_weight: Annotated[
        int, Between(0, 100, "%"), "Share of requests that the service on AWS takes; the data centre takes the rest"
    ]
    live_target_group: Annotated[
        str,
        OneOf(("blue", "green")),
        "Target group that the production rule sends to at present: ECS swaps the two with every deployment. The "
        "weighted path to the data centre names it while aws_weight is below 100",
    ]
    idle_timeout_seconds: Annotated[int, Between(1, 4000, "seconds"), "Idle timeout of connections"]
    test_port: Annotated[
        int, Between(1, 65535), "Port of the test listener, that reaches the next version before its clients do"
    ]
    waf_mode: Annotated[
        str,
        OneOf(("count", "block")),
        "What WAF does with a request that a rule matches: let it pass and count it, or refuse it. Count until its log "
        "shows that it would refuse no payment",
    ]
    waf_rate_limit: Annotated[
        int, Between(10, 2000000000), "Requests of one address in five minutes above which WAF refuses more"
    ]
    access_log_retention_days: Annotated[int, Between(365, 3650, "days"), "Days that access logs are kept"]

    @property
    def data_center_weight(self) -> int:
        """Share of requests that the data centre takes, in percent."""
        return 100 - self.aws_weight


@dataclass(frozen=True, slots=True)
class Service:
    """The Java application on ECS Fargate."""

    started: Annotated[
        bool, "false only for the first deployment, before the database users have their passwords: no task runs"
    ]
    image: Annotated[
        str,
        Matches(
            r"[a-z0-9][a-z0-9._:/-]*(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_.-]+)",
            "an image reference ending in @sha256:<64 hex> or, outside prod, :tag",
        ),
        "Image of the Java application, by digest, in ECR of the region",
    ]
    database: Annotated[
        str,
        OneOf(("data_center", "aurora")),
        "Database that the pointer names, which the service on AWS follows. The cutover moves the pointer itself; "
        "params follow it afterwards",
    ]
    architecture: Annotated[str, OneOf(("X86_64", "ARM64")), "CPU architecture of the tasks"]
    platform_version: Annotated[str, VERSION, "Fargate platform version; checked against params/lifecycle.yaml"]
    cpu_units: Annotated[
        int, OneOf((256, 512, 1024, 2048, 4096, 8192, 16384)), "CPU of a task; 1024 units are one vCPU"
    ]
    memory_mib: Annotated[
        int, Between(512, 122880, "MiB"), "Memory of a task; must be one that Fargate offers for cpu_units"
    ]
    port: Annotated[int, Between(1024, 65535), "HTTPS port of the container"]
    liveness_path: Annotated[str, URL_PATH, "What the container asks itself: whether a restart would help"]
    readiness_path: Annotated[str, URL_PATH, "What the load balancer asks a task: whether it can take requests now"]
    min_tasks: Annotated[int, Between(3, 100, "tasks; one per zone at least"), "Fewest tasks that run"]
    max_tasks: Annotated[int, Between(3, 500, "tasks"), "Most tasks that autoscaling starts"]
    cpu_target_percent: Annotated[int, Between(10, 90, "%"), "Average CPU that autoscaling keeps"]
    bake_time_minutes: Annotated[int, Between(0, 1440, "minutes"), "How long both versions run after the traffic moved"]

    @property
    def fewest_tasks(self) -> int:
        """Tasks that run at least: none before the service is started."""
        return self.min_tasks if self.started else 0


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides what is built, but the code.

    `env` and `suffix` come from the command line and the environment, the rest from params/.
    """

    env: str
    suffix: str
    region: Annotated[
        str, Matches(r"[a-z]{2}(-[a-z]+)+-\d", "an AWS region like us-east-1"), "Region of the whole system"
    ]
    system: Annotated[
        str,
        Matches(r"[a-z][a-z0-9]{1,11}", "2 to 12 lower-case letters and digits"),
        "First part of every physical name",
    ]
    protection: Annotated[
        str,
        OneOf(("durable", "disposable")),
        "durable: hard to destroy (deletion protection, snapshots, retained keys); disposable: destroyed without trace",
    ]
    log_retention_days: Annotated[int, RETENTION_DAYS, "Days that logs are kept"]
    tags: Tags
    network: Network
    data_center: DataCenter
    security: Security
    database: Database
    load_balancer: LoadBalancer
    service: Service
    migration: Migration
    validation: Validation
    cutover: Cutover
    monitoring: Monitoring

    @property
    def durable(self) -> bool:
        """Whether this environment must be hard to destroy."""
        return self.protection == "durable"
