"""The container of the Java application: what it may do, what it is told, and what it is given as secrets.

What the image must bring: an HTTPS listener on `service.port` (a self-signed certificate will do: load balancers do not
verify the certificates of their targets), `service.liveness_path` and `service.readiness_path` on it, `curl` for the
health check, and no need to write anywhere but /tmp, nor to load native libraries from there.

It follows the pointer (`DATABASE_POINTER`, a parameter in Parameter Store: `data_center` or `aurora`), which it reads
every second, and at once when a write is refused (SQLSTATE 42501) or a connection breaks. Such a write is answered 503
with Retry-After, and reads go on.
"""

from __future__ import annotations

from collections.abc import Mapping

from troposphere import Ref, Region, Sub, ecs, logs

from settings.model import Settings

CONTAINER = "application"
# No user of the image or the host has this number, and nothing in the image belongs to it.
_USER = "10001:10001"
# In the task's memory, so the JVM must leave room for it. Fargate has tmpfs since January 2026.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LinuxParameters.html
_TMP_MIB = 64
_HEAP_PERCENT = 70
# Aurora's endpoints change their address in a failover: a JVM that remembers the old one keeps writing to a reader.
# https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.BestPractices.FastFailover.html
_DNS_SECONDS = 5
# Between SIGTERM and SIGKILL: at most this long on Fargate.
_STOP_SECONDS = 120
_OPEN_FILES = 65536
# What the container is given of the secret of each side: end of the environment variable → key of the secret's JSON.
_SECRETS = {
    "HOST": "host",
    "NAME": "dbname",
    "PASSWORD": "password",
    "PORT": "port",
    "USERNAME": "username",
}


def container(
    settings: Settings, secret_parameters: Mapping[str, str], pointer: Ref, log_group: logs.LogGroup
) -> ecs.ContainerDefinition:
    """The definition; `secret_parameters`: side → the template parameter that holds the ARN of its secret.

    Nothing in it depends on which side is in use, so no deployment of the service is needed when that changes.
    """
    service = settings.service
    return ecs.ContainerDefinition(
        Name=CONTAINER,
        Image=service.image,
        Essential=True,
        User=_USER,
        Privileged=False,
        ReadonlyRootFilesystem=True,
        LinuxParameters=ecs.LinuxParameters(
            Capabilities=ecs.KernelCapabilities(Drop=["ALL"]),
            InitProcessEnabled=True,
            Tmpfs=[ecs.Tmpfs(ContainerPath="/tmp", Size=_TMP_MIB, MountOptions=["nodev", "noexec", "nosuid"])],  # noqa: S108 - a mount of the container's own
        ),
        Ulimits=[ecs.Ulimit(Name="nofile", SoftLimit=_OPEN_FILES, HardLimit=_OPEN_FILES)],
        StopTimeout=_STOP_SECONDS,
        PortMappings=[ecs.PortMapping(Name="https", ContainerPort=service.port, Protocol="tcp")],
        HealthCheck=_health_check(settings),
        Environment=[
            ecs.Environment(Name=name, Value=value) for name, value in sorted(_environment(settings, pointer).items())
        ],
        Secrets=[
            ecs.Secret(Name=f"DATABASE_{side}_{name}", ValueFrom=Sub(f"${{{parameter}}}:{key}::"))
            for side, parameter in sorted(secret_parameters.items())
            for name, key in _SECRETS.items()
        ],
        LogConfiguration=ecs.LogConfiguration(
            LogDriver="awslogs",
            Options={
                "awslogs-group": Ref(log_group),
                "awslogs-region": Region,
                "awslogs-stream-prefix": "ecs",
                # A payment never waits for its log line. The audit trail is in the database, not here.
                "mode": "non-blocking",
                "max-buffer-size": "25m",
            },
        ),
    )


def _environment(settings: Settings, pointer: Ref) -> dict[str, str | Ref]:
    """Nothing here is secret: it stands in the template, and in every description of the task."""
    return {
        "DATABASE_POINTER": pointer,
        # Against RDS's CA on the one side, the data centre's on the other.
        "DATABASE_SSL_MODE": "verify-full",
        "JAVA_TOOL_OPTIONS": f"-XX:MaxRAMPercentage={_HEAP_PERCENT} -Dsun.net.inetaddr.ttl={_DNS_SECONDS}",
        # Spring Boot has the two paths of base.yaml in Kubernetes only, unless it is told.
        # https://docs.spring.io/spring-boot/reference/actuator/endpoints.html#actuator.endpoints.kubernetes-probes
        "MANAGEMENT_ENDPOINT_HEALTH_PROBES_ENABLED": "true",
        "SERVER_PORT": str(settings.service.port),
    }


def _health_check(settings: Settings) -> ecs.HealthCheck:
    """The container asks itself, so its certificate proves nothing to it.

    Whether it is alive, not whether its database answers: ECS would replace every task at once in a failover.
    """
    url = f"https://localhost:{settings.service.port}{settings.service.liveness_path}"
    return ecs.HealthCheck(
        Command=["CMD-SHELL", f"curl --fail --silent --show-error --insecure --max-time 4 {url} || exit 1"],
        Interval=10,
        Timeout=5,
        Retries=3,
        StartPeriod=60,
    )
