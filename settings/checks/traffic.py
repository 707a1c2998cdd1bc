"""Rules of the way that requests take: front door, weights, tasks and the database that they write to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from settings.checks.rule import Fault, Where, rule
from settings.model import Settings
from settings.regions import ZONE_PREFIXES, partition_of

_LISTENER_PORTS = (80, 443)
# CPU units → smallest, largest memory and its step, in MiB.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
FARGATE_SIZES = {
    256: (512, 2048, 512),
    512: (1024, 4096, 1024),
    1024: (2048, 8192, 1024),
    2048: (4096, 16384, 1024),
    4096: (8192, 30720, 1024),
    8192: (16384, 61440, 4096),
    16384: (32768, 122880, 8192),
}
_NO_SIZE = (256, 1536)  # the one step that the smallest size leaves out


@rule("service.database", "load_balancer.aws_weight")
def one_database_is_written(settings: Settings, where: Where) -> Iterator[Fault]:
    """The application in the data centre writes to its own database; two writers on two databases cannot be merged."""
    share = settings.load_balancer.data_center_weight
    if settings.service.database == "aurora" and share > 0:
        yield Fault(
            "service.database",
            f"aurora, while {where('load_balancer.aws_weight')} leaves {share} % of the requests to "
            "the data centre and its database: payments would be written to two",
            "aurora with aws_weight 100, or data_center with any weight",
        )


@rule("service.started", "load_balancer.aws_weight")
def requests_find_a_task(settings: Settings, where: Where) -> Iterator[Fault]:
    """Before the service is started, each request that goes to AWS is lost."""
    share = settings.load_balancer.aws_weight
    if not settings.service.started and share > 0:
        yield Fault(
            "service.started",
            f"false, while {where('load_balancer.aws_weight')} sends {share} % of the requests to tasks on AWS",
            "true, or aws_weight 0",
        )


@rule("region", "load_balancer.certificate_arn")
def certificate_is_the_regions(settings: Settings, where: Where) -> Iterator[Fault]:
    """A listener takes certificates of its own region only."""
    _, partition, _, region, _ = settings.load_balancer.certificate_arn.split(":", 4)
    if settings.region not in ZONE_PREFIXES:  # a fault of its own
        return
    if region != settings.region:
        yield Fault(
            "load_balancer.certificate_arn",
            f"a certificate of {region}",
            f"one of {where('region')}, {settings.region}: request or import it there too",
        )
    elif partition != partition_of(region):
        allowed = f"ARNs there begin with arn:{partition_of(region)}:"
        yield Fault("load_balancer.certificate_arn", f"arn:{partition}: in {region}", allowed)


@rule("load_balancer.test_port")
def testing_has_its_own_port(settings: Settings, _where: Where) -> Iterator[Fault]:
    """Two listeners of one load balancer cannot share a port."""
    if settings.load_balancer.test_port in _LISTENER_PORTS:
        found = f"{settings.load_balancer.test_port} is the port of a production listener"
        yield Fault("load_balancer.test_port", found, "any port but 80 and 443, like 9443")


@rule("service.min_tasks", "service.max_tasks")
def tasks_have_a_range(settings: Settings, where: Where) -> Iterator[Fault]:
    """Autoscaling refuses a smallest capacity above the largest."""
    fewest, most = settings.service.min_tasks, settings.service.max_tasks
    if fewest > most:
        yield Fault("service.max_tasks", str(most), f"at least {where('service.min_tasks')}, {fewest}")


@rule("service.cpu_units", "service.memory_mib")
def task_size_exists(settings: Settings, where: Where) -> Iterator[Fault]:
    """Fargate sells CPU and memory in certain pairs only."""
    cpu, memory = settings.service.cpu_units, settings.service.memory_mib
    low, high, step = FARGATE_SIZES[cpu]
    if not low <= memory <= high or memory % step or (cpu, memory) == _NO_SIZE:
        sizes = "512, 1024 or 2048" if cpu == _NO_SIZE[0] else f"{low} to {high} in steps of {step}"
        allowed = f"Fargate offers {sizes} with {where('service.cpu_units')}, {cpu}"
        yield Fault("service.memory_mib", f"{memory} MiB", allowed)


@rule("protection", "service.image")
def image_is_pinned(settings: Settings, where: Where) -> Iterator[Fault]:
    """A tag can be moved: what runs after the next task start would be what nobody reviewed."""
    if (settings.durable or settings.env == "prod") and "@sha256:" not in settings.service.image:
        reason = "in prod" if settings.env == "prod" else f"where {where('protection')} is durable"
        yield Fault("service.image", "an image by tag", f"by digest, …@sha256:<64 hex digits>, {reason}")


@rule("region", "service.image")
def image_can_be_pulled(settings: Settings, where: Where) -> Iterator[Fault]:
    """Tasks have no way to the internet, only to the endpoints of their region's ECR: others time out."""
    if settings.region not in ZONE_PREFIXES:  # a fault of its own
        return
    domain = "amazonaws.com.cn" if partition_of(settings.region) == "aws-cn" else "amazonaws.com"
    if not re.match(rf"\d{{12}}\.dkr\.ecr\.{settings.region}\.{re.escape(domain)}/", settings.service.image):
        registry = f"<account>.dkr.ecr.{settings.region}.{domain}"
        yield Fault(
            "service.image",
            f"{settings.service.image.partition('@')[0]} is out of reach for the tasks",
            f"an image in ECR of {where('region')}, {settings.region}: {registry}/…, which a pull-through cache fills",
        )
