"""Rules over several fields: each broken once, each at its edge, and each honest about the keys that it needs."""

from __future__ import annotations

import shutil
from dataclasses import is_dataclass
from pathlib import Path

import pytest

from settings.checks import RULES, faults
from settings.checks.traffic import FARGATE_SIZES
from settings.load import load
from settings.model import Settings

PARAMS = Path(__file__).parents[3] / "params"
# A base of the tests' own for what their messages repeat, so that defaults may change.
VPC = "vpc_cidr: 10.0.0.0/16"
PUBLIC = "public_subnet_cidrs: [10.0.1.0/24, 10.0.2.0/24, 10.0.3.0/24]"
PRIVATE = "private_subnet_cidrs: [10.0.11.0/24, 10.0.12.0/24, 10.0.13.0/24]"
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
DIGEST = f"{REGISTRY}/payments@sha256:" + "a" * 64
CERTIFICATE = "arn:{}:acm:{}:123456789012:certificate/12345678-1234-1234-1234-123456789012"
DURABLE = """protection: durable
network: {nat_gateways: 3}
security: {key_deletion_window_days: 30}
database: {instance_class: db.r7g.large, backup_retention_days: 35}
migration: {instance_class: dms.r6i.large, multi_az: true}
service: {bake_time_minutes: 5}
monitoring: {alarm_emails: [on-call@example.com]}
cutover: {watch_minutes: 15, smoke_url: 'https://payments.example/health'}
data_center: {database_host: db.own.example, database_address: 192.168.17.1, application_ips: [192.168.17.2]}
"""
SAVED = f"""protection: durable
network: {{nat_gateways: 1}}
security: {{key_deletion_window_days: 7}}
database: {{instance_class: db.t4g.medium, backup_retention_days: 7}}
migration: {{instance_class: dms.t3.medium, multi_az: false}}
service: {{bake_time_minutes: 0, image: '{REGISTRY}/payments:1.2.3'}}
monitoring: {{alarm_emails: []}}
cutover: {{watch_minutes: 14, smoke_url: 'http://payments.example/health'}}
data_center: {{database_host: db.own.example, database_address: 192.168.17.1, application_ips: [192.168.17.2]}}
"""
WHERE_DURABLE = "where protection (params/{env}.yaml:1) is durable"


def network(*lines):
    return "\n  ".join(("network:", *lines)) + "\n"


# (what is broken in dev.yaml, what is said; every problem of a case, in the order of lines)
BROKEN = {
    "a subnet outside of the VPC": (
        network(VPC, "public_subnet_cidrs: [10.0.1.0/24, 10.1.2.0/24, 10.0.3.0/24]", PRIVATE),
        [("3: network.public_subnet_cidrs[1]: 10.1.2.0/24 lies outside of the VPC; "
         "a block inside network.vpc_cidr (params/dev.yaml:2), 10.0.0.0/16")],
    ),
    "overlaps between and within the kinds of subnets": (
        network(VPC, PUBLIC, "private_subnet_cidrs:", "- 10.0.3.0/24", "- 10.0.12.0/24", "- 10.0.12.128/25"),
        [("5: network.private_subnet_cidrs[0]: 10.0.3.0/24 overlaps 10.0.3.0/24 of network.public_subnet_cidrs[2] "
         "(params/dev.yaml:3); blocks of a VPC share no address"),
         ("7: network.private_subnet_cidrs[2]: 10.0.12.128/25 overlaps 10.0.12.0/24 of network.private_subnet_cidrs[1] "
         "(params/dev.yaml:6); blocks of a VPC share no address")],
    ),
    "private subnets too small for a blue/green deployment": (
        network(VPC, PUBLIC, "private_subnet_cidrs: [10.0.11.0/27, 10.0.12.0/26, 10.0.13.0/24]")
        + "service:\n  max_tasks: 12\n",
        [("4: network.private_subnet_cidrs[0]: 10.0.11.0/27 has 27 addresses; at least 28: twice service.max_tasks "
         "(params/dev.yaml:6), 12, over the zones, and 20 for endpoints, database, DMS and Lambda")],
    ),
    "a data centre inside the VPC": (
        network(VPC, PUBLIC, PRIVATE) + "data_center:\n  cidrs: [192.168.0.0/16, 10.0.0.0/8]\n",
        [("6: data_center.cidrs[1]: 10.0.0.0/8 overlaps network.vpc_cidr (params/dev.yaml:2), 10.0.0.0/16; "
         "a block outside of the VPC, which never routes its own addresses elsewhere")],
    ),
    "rows that no call of the validator could watch": (
        "validation:\n  timeout_seconds: 300\n  settle_seconds: 241\n  deadline_seconds: 240\n",
        [("3: validation.settle_seconds: 241 is longer than a call of the function can watch; "
         "at most 240: validation.timeout_seconds (params/dev.yaml:2) less 60")],
    ),
    "a region that does not exist": (
        "region: us-eats-1\n",
        ["1: region: us-eats-1 is no region that is known here; did you mean us-east-1?"],
    ),
    "a region like no other": (
        "region: zz-nowhere-9\n",
        [("1: region: zz-nowhere-9 is no region that is known here; "
         "one of settings/regions.py; a new region of AWS is added there, with its zones' prefix")],
    ),
    "zones of other regions": (
        "region: us-east-1\n" + network("availability_zone_ids:", "- use1-az1", "- euw1-az2", "- zz9-az1"),
        [("5: network.availability_zone_ids[1]: euw1-az2 is a zone of eu-west-1; "
         "zones of region (params/dev.yaml:1), us-east-1, begin with use1-az"),
         ("6: network.availability_zone_ids[2]: zz9-az1 is a zone of no region that is known here; "
         "zones of region (params/dev.yaml:1), us-east-1, begin with use1-az")],
    ),
    "the prefix list of another region": (
        "region: us-east-1\n" + network("s3_prefix_list_id: pl-6da54004"),
        [("3: network.s3_prefix_list_id: pl-6da54004 is not the list of S3 in region (params/dev.yaml:1), us-east-1; "
         "write pl-63a5400a")],
    ),
    "the prefix list of another region, where the right one is not known": (
        ("region: eu-north-1\nnetwork:\n  s3_prefix_list_id: pl-63a5400a\n  availability_zone_ids: [eun1-az1, eun1-az2, eun1-az3]\n"
        f"load_balancer: {{certificate_arn: '{CERTIFICATE.format('aws', 'eu-north-1')}'}}\n"
        "service: {image: '123456789012.dkr.ecr.eu-north-1.amazonaws.com/payments:1'}\n"),
        [("3: network.s3_prefix_list_id: pl-63a5400a is the list of S3 in us-east-1, not in region (params/dev.yaml:1), "
         "eu-north-1; ask: aws ec2 describe-managed-prefix-lists --region eu-north-1")],
    ),
    "a VPN device that nobody can reach, with Amazon's own number": (
        network("vpn:", "  customer_gateway_ip: 192.168.1.1", "  bgp_asn: 64512"),
        [("3: network.vpn.customer_gateway_ip: 192.168.1.1 is not reachable from the internet; "
         "the public address of the VPN device, or of the NAT before it"),
         "4: network.vpn.bgp_asn: 64512 is the Amazon side's own number; another private number: 64513 to 65534"],
    ),
    "a reserved number": (
        "region: us-east-1\n" + network("vpn:", "  customer_gateway_ip: 203.0.113.9", "  bgp_asn: 7224"),
        ["5: network.vpn.bgp_asn: 7224 is reserved in region (params/dev.yaml:1), us-east-1; a private number: 64513 to 65534"],
    ),
    "targets that are public, or not routed": (
        "data_center:\n  cidrs: [192.168.0.0/16]\n  application_ips:\n  - 192.168.0.9\n  - 8.8.8.8\n  - 172.16.0.9\n",
        [("5: data_center.application_ips[1]: 8.8.8.8 is no private address; a load balancer takes targets in 10.0.0.0/8, "
         "100.64.0.0/10, 172.16.0.0/12, 192.168.0.0/16 only"),
         ("6: data_center.application_ips[2]: 172.16.0.9 is not in the data centre; "
         "an address inside data_center.cidrs (params/dev.yaml:2): only those are routed there")],
    ),
    "a database that is not routed": (
        "data_center:\n  cidrs: [192.168.0.0/16]\n  database_address: 10.9.8.7\n",
        [("3: data_center.database_address: 10.9.8.7 is not in the data centre; "
         "an address inside data_center.cidrs (params/dev.yaml:2): only those are routed there")],
    ),
    "a database at two addresses": (
        "data_center:\n  cidrs: [192.168.0.0/16]\n  database_address: 192.168.0.1\n  database_host: 192.168.0.2\n",
        [("4: data_center.database_host: 192.168.0.2 is not data_center.database_address (params/dev.yaml:3), 192.168.0.1; "
         "the same address, or the host's name")],
    ),
    "a database host without a domain": (
        "data_center:\n  database_host: db\n",
        ["2: data_center.database_host: db is a name without a domain; the full name, like db.example.com"],
    ),
    "exclusions that exclude nothing": (
        "migration:\n  schemas: [cards, ledger]\n  excluded_tables:\n  - cards.entry\n  - card.entry\n  - public.entry_2%\n",
        [("5: migration.excluded_tables[1]: card.entry is in no schema that moves; "
         "a table of migration.schemas (params/dev.yaml:2): cards, ledger"),
         ("6: migration.excluded_tables[2]: public.entry_2% is in no schema that moves; "
         "a table of migration.schemas (params/dev.yaml:2): cards, ledger")],
    ),
    "two databases that are written": (
        "service:\n  database: aurora\nload_balancer:\n  aws_weight: 99\n",
        [("2: service.database: aurora, while load_balancer.aws_weight (params/dev.yaml:4) leaves 1 % of the requests to "
         "the data centre and its database: payments would be written to two; "
         "aurora with aws_weight 100, or data_center with any weight")],
    ),
    "writers that are waited for as long as the freeze may last": (
        "cutover:\n  freeze_seconds: 10\n  writer_seconds: 6\n",
        ["3: cutover.writer_seconds: 6; at most 5, half of cutover.freeze_seconds (params/dev.yaml:2)"],
    ),
    "a share of the requests before the service is started": (
        "service:\n  started: false\nload_balancer:\n  aws_weight: 1\n",
        [("2: service.started: false, while load_balancer.aws_weight (params/dev.yaml:4) sends 1 % of the requests to "
         "tasks on AWS; true, or aws_weight 0")],
    ),
    "an image of another registry": (
        "region: us-east-1\nservice:\n  image: payments:1.2.3\n",
        [("3: service.image: payments:1.2.3 is out of reach for the tasks; an image in ECR of region (params/dev.yaml:1), "
         "us-east-1: <account>.dkr.ecr.us-east-1.amazonaws.com/…, which a pull-through cache fills")],
    ),
    "an image of a registry that looks like ECR": (
        "region: us-east-1\nservice:\n  image: 123456789012.dkr.ecr.us-east-1.amazonaws.com.cn/payments@sha256:" + "a" * 64,
        [("3: service.image: 123456789012.dkr.ecr.us-east-1.amazonaws.com.cn/payments is out of reach for the tasks; "
         "an image in ECR of region (params/dev.yaml:1), us-east-1: <account>.dkr.ecr.us-east-1.amazonaws.com/…, "
         "which a pull-through cache fills")],
    ),
    "an image of ECR in another region": (
        "region: us-east-1\nservice:\n  image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/payments:1\n",
        [("3: service.image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/payments:1 is out of reach for the tasks; "
         "an image in ECR of region (params/dev.yaml:1), us-east-1: <account>.dkr.ecr.us-east-1.amazonaws.com/…, "
         "which a pull-through cache fills")],
    ),
    "a certificate of another region": (
        f"region: us-east-1\nload_balancer:\n  certificate_arn: {CERTIFICATE.format('aws', 'eu-west-1')}\n",
        [("3: load_balancer.certificate_arn: a certificate of eu-west-1; "
         "one of region (params/dev.yaml:1), us-east-1: request or import it there too")],
    ),
    "a certificate of another partition": (
        f"region: us-east-1\nload_balancer:\n  certificate_arn: {CERTIFICATE.format('aws-cn', 'us-east-1')}\n",
        ["3: load_balancer.certificate_arn: arn:aws-cn: in us-east-1; ARNs there begin with arn:aws:"],
    ),
    "a test port that is taken": (
        "load_balancer: {test_port: 443}\n",
        ["1: load_balancer.test_port: 443 is the port of a production listener; any port but 80 and 443, like 9443"],
    ),
    "a test port that redirects": (
        "load_balancer: {test_port: 80}\n",
        ["1: load_balancer.test_port: 80 is the port of a production listener; any port but 80 and 443, like 9443"],
    ),
    "more tasks at least than at most": (
        "service:\n  min_tasks: 9\n  max_tasks: 8\n",
        ["3: service.max_tasks: 8; at least service.min_tasks (params/dev.yaml:2), 9"],
    ),
    "a task size that Fargate does not offer": (
        "service:\n  cpu_units: 1024\n  memory_mib: 1024\n",
        [("3: service.memory_mib: 1024 MiB; Fargate offers 2048 to 8192 in steps of 1024 with service.cpu_units "
         "(params/dev.yaml:2), 1024")],
    ),
    "the smallest task with the size left out": (
        "service:\n  cpu_units: 256\n  memory_mib: 1536\n",
        ["3: service.memory_mib: 1536 MiB; Fargate offers 512, 1024 or 2048 with service.cpu_units (params/dev.yaml:2), 256"],
    ),
    "windows that overlap": (
        "database:\n  backup_window: 03:45-04:15\n  maintenance_window: sun:04:00-sun:05:00\n",
        [("3: database.maintenance_window: sun:04:00-sun:05:00 overlaps database.backup_window (params/dev.yaml:2), "
         "03:45-04:15; a window apart from it: Aurora refuses others")],
    ),
    "windows that are too short or too long": (
        ("database:\n  backup_window: 23:45-00:00\n  maintenance_window: sun:04:00-sun:04:29\n"
        "migration:\n  maintenance_window: sun:05:00-sat:06:00\n"),
        ["2: database.backup_window: 23:45-00:00 is 15 minutes long; 30 minutes to 24 hours",
         "3: database.maintenance_window: sun:04:00-sun:04:29 is 29 minutes long; 30 minutes to 24 hours",
         "5: migration.maintenance_window: sun:05:00-sat:06:00 is 8700 minutes long; 30 minutes to 24 hours"],
    ),
    "an alarm that is never quiet": (
        "migration:\n  allocated_storage_gib: 20\nmonitoring:\n  dms_free_storage_gib: 20\n",
        [("4: monitoring.dms_free_storage_gib: 20; less than migration.allocated_storage_gib (params/dev.yaml:2), 20: "
         "else the alarm is never quiet")],
    ),
    "a certificate file that does not exist": (
        "data_center: {database_ca_pem: params/nothing.pem}\n",
        [("1: data_center.database_ca_pem: params/nothing.pem cannot be read: No such file or directory; "
         "a file of PEM certificates that exists")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_conflict_is_said_at_its_line(params, case):
    text, wanted = BROKEN[case]
    params.write(text)
    problems = params.problems()
    # Where the region itself is replaced, what base.yaml says for its own region is wrong too: not this case's matter.
    assert [problem for problem in problems if problem.startswith("params/dev.yaml")] == [
        f"params/dev.yaml:{problem}" for problem in wanted
    ]


def test_a_region_that_does_not_exist_has_no_consequences(params):
    params.write("region: us-eats-1\n")
    assert len(params.problems()) == 1


def test_another_region_shows_everything_that_has_to_follow(params):
    params.write("region: eu-west-1\n")
    assert [problem.split(": ")[1] for problem in params.problems()] == [
        "network.availability_zone_ids[0]",
        "network.availability_zone_ids[1]",
        "network.availability_zone_ids[2]",
        "network.s3_prefix_list_id",
        "load_balancer.certificate_arn",
        "service.image",
    ]


@pytest.mark.parametrize(
    "text",
    [
        network(VPC, PUBLIC, PRIVATE) + "service: {max_tasks: 300}\n",
        network(VPC, PUBLIC, "private_subnet_cidrs: [10.0.11.0/27, 10.0.12.0/27, 10.0.13.0/27]") + "service: {max_tasks: 10}\n",
        network("vpn: {customer_gateway_ip: 203.0.113.9, bgp_asn: 64513}"),
        network("vpn: {customer_gateway_ip: 8.8.8.8, bgp_asn: 9059}"),  # reserved in eu-west-1 only
        "data_center: {cidrs: [100.64.0.0/10, 192.168.0.0/16], application_ips: [100.64.0.1], database_address: 192.168.0.1}\n",
        "data_center: {cidrs: [192.168.16.0/20], database_host: 192.168.16.1, database_address: 192.168.16.1}\n",
        "data_center: {database_host: db.example}\n",
        "migration: {schemas: [cards], excluded_tables: [cards.entry, cards.entry_2%, 'cards.%_old']}\n",
        "service: {database: aurora}\nload_balancer: {aws_weight: 100}\n",
        "service: {database: data_center}\nload_balancer: {aws_weight: 100}\n",
        "service: {database: data_center}\nload_balancer: {aws_weight: 50}\n",
        "service: {min_tasks: 6, max_tasks: 6}\n",
        f"service: {{image: '{REGISTRY}/team/payments:1.2.3'}}\n",  # a tag will do where nothing has to last
        "region: cn-north-1\n" + network("availability_zone_ids: [cnn1-az1, cnn1-az2, cnn1-az3]", "s3_prefix_list_id: pl-00000000")
        + f"load_balancer: {{certificate_arn: '{CERTIFICATE.format('aws-cn', 'cn-north-1')}'}}\n"
        + "service: {image: '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/payments:1'}\n",
        "service: {started: false}\nload_balancer: {aws_weight: 0}\n",
        "service: {started: true}\nload_balancer: {aws_weight: 1}\n",
        "database: {backup_window: 03:00-04:00, maintenance_window: sun:04:00-sun:05:00}\n",
        "database: {backup_window: 05:00-05:30, maintenance_window: sun:04:00-sun:05:00}\n",
        "database: {backup_window: 23:30-00:30, maintenance_window: sun:22:30-sun:23:30}\n",
        "migration: {allocated_storage_gib: 20}\nmonitoring: {dms_free_storage_gib: 19}\n",
        "load_balancer: {test_port: 8443}\n",
        "cutover: {freeze_seconds: 10, writer_seconds: 5}\n",
        "cutover: {smoke_url: 'http://127.0.0.1:8080/health', watch_minutes: 0}\n",  # where nothing has to last
    ],
)  # fmt: skip
def test_what_is_just_inside_a_rule(params, text):
    params.write(text)
    assert isinstance(params.load(), Settings)


@pytest.mark.parametrize(
    ("backup", "maintenance"),
    [
        ("02:00-03:00", "mon:02:30-mon:03:30"),
        ("02:00-03:00", "wed:01:30-wed:02:01"),
        ("02:00-05:00", "sat:03:00-sat:04:00"),
        ("02:00-02:30", "fri:01:00-fri:04:00"),
        ("23:30-00:30", "sun:00:00-sun:00:30"),
        ("23:30-00:30", "thu:23:00-thu:23:45"),
        ("00:15-01:00", "sun:23:45-mon:00:30"),
        ("02:00-03:00", "mon:02:00-mon:03:00"),
        ("12:00-13:00", "mon:14:00-tue:13:30"),
    ],
)
def test_windows_overlap_on_any_day_and_over_midnight(params, backup, maintenance):
    params.write(f"database:\n  backup_window: {backup}\n  maintenance_window: {maintenance}\n")
    (problem,) = params.problems()
    assert problem.startswith(f"params/dev.yaml:3: database.maintenance_window: {maintenance} overlaps ")


@pytest.mark.parametrize("cpu", FARGATE_SIZES)
def test_fargate_sizes_from_the_smallest_to_the_largest(params, cpu):
    low, high, step = FARGATE_SIZES[cpu]
    for memory in (low, low + 2 * step if cpu != 256 else 1024, high):
        params.write(f"service: {{cpu_units: {cpu}, memory_mib: {memory}}}\n")
        assert params.load().service.memory_mib == memory
    for memory in {low - step, high + step, low + step // 2} & set(range(512, 122881)):
        params.write(f"service: {{cpu_units: {cpu}, memory_mib: {memory}}}\n")
        (problem,) = params.problems()
        assert problem.startswith(f"params/dev.yaml:1: service.memory_mib: {memory} MiB; Fargate offers ")


# --- durable environments --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("nat_gateways: 3", "nat_gateways: 1", "network.nat_gateways: 1; 3 {where}"),
        ("key_deletion_window_days: 30", "key_deletion_window_days: 29", "security.key_deletion_window_days: 29; 30 {where}"),
        ("backup_retention_days: 35", "backup_retention_days: 34", "database.backup_retention_days: 34; 35 {where}"),
        ("multi_az: true", "multi_az: false", "migration.multi_az: false; true {where}"),
        ("bake_time_minutes: 5", "bake_time_minutes: 4", "service.bake_time_minutes: 4; at least 5 {where}"),
        ("[on-call@example.com]", "[]", "monitoring.alarm_emails: nobody is told of alarms; an address {where}"),
        ("db.r7g.large", "db.t4g.medium",
         "database.instance_class: db.t4g.medium is a burstable class; a class of steady CPU, like r6i or r7g, {where}"),
        ("dms.r6i.large", "dms.t3.large",
         "migration.instance_class: dms.t3.large is a burstable class; a class of steady CPU, like r6i or r7g, {where}"),
        ("watch_minutes: 15", "watch_minutes: 14", "cutover.watch_minutes: 14; at least 15 {where}"),
        ("'https://payments.example/health'", "'http://payments.example/health'",
         "cutover.smoke_url: http://payments.example/health; https://… {where}"),
        ("bake_time_minutes: 5", f"bake_time_minutes: 5, image: '{REGISTRY}/payments:1.2.3'",
         "service.image: an image by tag; by digest, …@sha256:<64 hex digits>, {where}"),
    ],
)  # fmt: skip
def test_what_a_durable_environment_must_not_save(params, good, bad, said):
    assert DURABLE.count(good) == 1
    params.write(DURABLE)
    assert params.load().durable
    params.write(DURABLE.replace(good, bad))
    (problem,) = params.problems()
    assert problem.split(": ", 1)[1] == said.format(where=WHERE_DURABLE.format(env="dev"))
    params.write(DURABLE.replace(good, bad).replace("durable", "disposable"))
    assert not params.load().durable


def test_all_that_is_saved_is_said_at_once(params):
    params.write(SAVED)
    assert len(params.problems()) == 11
    params.write(SAVED.replace("durable", "disposable"))
    assert not params.load().durable


def test_prod_is_durable_and_runs_a_digest(params):
    params.write(f"protection: disposable\nservice:\n  image: {REGISTRY}/payments:1.2.3\n", "prod.yaml")
    assert params.problems("prod") == [
        "params/prod.yaml:1: protection: disposable; durable, in environment prod",
        "params/prod.yaml:3: service.image: an image by tag; by digest, …@sha256:<64 hex digits>, in prod",
    ]
    params.write(DURABLE.replace("service: {", f"service: {{image: '{DIGEST}', "), "prod.yaml")
    assert params.load("prod").service.image == DIGEST


# --- the rules themselves --------------------------------------------------------------------------------------------
class Recorder:
    """Settings that remember which leaves were looked at."""

    def __init__(self, subject, path, seen):
        self._subject, self._path, self._seen = subject, path, seen

    def __getattr__(self, name):
        derived = getattr(type(self._subject), name)
        if isinstance(derived, property):  # looks at fields in its turn
            return derived.fget(self)
        value = getattr(self._subject, name)
        key = f"{self._path}.{name}" if self._path else name
        if is_dataclass(value):
            return Recorder(value, key, self._seen)
        if key != "env":
            self._seen.add(key)
        return value


@pytest.fixture(scope="module")
def unjudged(tmp_path_factory):
    """What all the params of this file say, good and broken, as no rule has judged it."""
    folder = tmp_path_factory.mktemp("unjudged") / "params"
    shutil.copytree(PARAMS, folder)
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("settings.load.faults", lambda *_: ())
        patch.setattr("settings.load.shared", lambda *_: ())
        patch.setattr("settings.load.certificate_fault", lambda _: None)
        for text in (DURABLE, SAVED, SAVED.replace("durable", "disposable"), *(text for text, _ in BROKEN.values())):
            for name in ("dev", "prod"):
                (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
                found.append(load(folder, name))
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.check.__name__)
def test_a_rule_needs_the_keys_that_it_looks_at_and_no_others(unjudged, rule):
    """Otherwise it would judge a value that was refused, or keep silent about one that is good."""
    seen, said, broken = set(), set(), False
    for settings in unjudged:
        found = list(rule.check(Recorder(settings, "", seen), lambda key: said.add(key.partition("[")[0]) or key))
        broken = broken or bool(found)
    needs = set(rule.needs)
    assert broken
    assert said <= needs
    assert all(any(key == need or key.startswith(f"{need}.") for need in needs) for key in seen)
    assert all(any(key == need or key.startswith(f"{need}.") for key in seen) for need in needs)


def test_rules_are_skipped_by_what_is_unknown_above_or_below_their_keys(params):
    params.write("service: {min_tasks: 9, max_tasks: 8}\n")
    (problem,) = params.problems()
    assert "service.max_tasks" in problem
    settings = params.load("staging")
    broken = Settings(**{name: getattr(settings, name) for name in settings.__slots__} | {"region": "us-eats-1"})
    assert [fault.key for fault in faults(broken, (), str)] == ["region"]
    assert list(faults(broken, {"region"}, str)) == []
    assert [fault.key for fault in faults(broken, {"regions", "tags.team"}, str)] == ["region"]
