"""One value: what a person wrote, what YAML makes of it, and how the message says what to write instead."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from settings.fields import Between
from settings.model import Database
from settings.problems import Place, Problem, quote
from settings.shape import shape
from settings.values import RefusedError, describe, read_scalar

DAYS = "a whole number from 1 to 35 (days)"
VERSION = "a full version like 17.7, in quotes"
TAG = "1 to 256 letters, digits, spaces and _.:/=+@-"
BLOCK = "an IPv4 block /16 to /24 with no host bits set, like 10.0.0.0/16"
PLAIN = "write it in plain decimal digits"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # versions that YAML takes for numbers
        ("database: {engine_version: 17.7}", f'17.7, without quotes; {VERSION}: write "17.7"'),
        ("database: {engine_version: 17.10}", f'17.10, which YAML reads as the number 17.1; {VERSION}: write "17.10"'),
        ("database: {engine_version: 17}", f"17, without quotes; {VERSION}"),
        ("database: {engine_version: '17'}", f'"17"; {VERSION}'),
        ("database: {engine_version: latest}", f'"latest"; {VERSION}'),
        ("migration: {engine_version: 3.6}", f'3.6, without quotes; {VERSION}: write "3.6"'),
        # units that stand in the key
        ("database: {backup_retention_days: 7d}", f'"7d"; {DAYS}: write 7, the key already says days'),
        ("database: {backup_retention_days: 1 week}", f'"1 week"; {DAYS}: write 7, the key already says days'),
        ("database: {backup_retention_days: 36h}", f'"36h"; {DAYS}: write the number alone, the key already says days'),
        ("database: {backup_retention_days: 7.5d}", f'"7.5d"; {DAYS}: write the number alone, the key already says days'),
        ("database: {backup_retention_days: 7 GiB}", f'"7 GiB"; {DAYS}: write the number alone, the key already says days'),
        ("database: {backup_retention_days: 90d}", f'"90d"; {DAYS}: write the number alone, the key already says days'),
        ("monitoring: {dms_lag_threshold_seconds: 60s}",
         '"60s"; a whole number from 1 to 60 (seconds; never over 60): write 60, the key already says seconds'),
        ("monitoring: {dms_lag_threshold_seconds: 1m}",
         '"1m"; a whole number from 1 to 60 (seconds; never over 60): write 60, the key already says seconds'),
        ("monitoring: {dms_lag_threshold_seconds: 61}", "61; a whole number from 1 to 60 (seconds; never over 60)"),
        ("monitoring: {replica_lag_threshold_ms: 2s}",
         '"2s"; a whole number from 10 to 60000 (ms): write 2000, the key already says milliseconds'),
        ("service: {bake_time_minutes: 1h}",
         '"1h"; a whole number from 0 to 1440 (minutes): write 60, the key already says minutes'),
        ("service: {memory_mib: 2GiB}",
         '"2GiB"; a whole number from 512 to 122880 (MiB): write 2048, the key already says MiB'),
        ("service: {memory_mib: 2GB}",
         '"2GB"; a whole number from 512 to 122880 (MiB): write the number alone, the key already says MiB'),
        ("migration: {max_lob_kib: 1 MiB}",
         '"1 MiB"; a whole number from 1 to 102400 (KiB): write 1024, the key already says KiB'),
        ("monitoring: {dms_free_storage_gib: 1TiB}",
         '"1TiB"; a whole number from 1 to 1000 (GiB): write the number alone, the key already says GiB'),
        ("monitoring: {database_cpu_percent: 70%}",
         '"70%"; a whole number from 1 to 80 (%): write 70, the key already says percent'),
        ("load_balancer: {aws_weight: 50 %}",
         '"50 %"; a whole number from 0 to 100 (%): write 50, the key already says percent'),
        ("service: {min_tasks: 3 tasks}",
         '"3 tasks"; a whole number from 3 to 100 (tasks; one per zone at least): write the number alone'),
        # numbers
        ("service: {min_tasks: 2}", "2; a whole number from 3 to 100 (tasks; one per zone at least)"),
        ("service: {cpu_units: 1000}", "1000; one of 256, 512, 1024, 2048, 4096, 8192, 16384"),
        ('database: {backup_retention_days: "7"}', f'"7"; {DAYS}: write 7, without quotes'),
        ("database: {backup_retention_days: seven}", f'"seven"; {DAYS}'),
        ("database: {backup_retention_days: 7.0}", f"7.0; {DAYS}"),
        ("database: {backup_retention_days: -7}", f"-7; {DAYS}"),
        ("database: {backup_retention_days: .inf}", f".inf, which YAML reads as the number inf; {DAYS}"),
        ("database: {backup_retention_days: true}", f"true; {DAYS}"),
        ("database: {backup_retention_days: on}", f"on, which YAML reads as true; {DAYS}"),
        ("database: {backup_retention_days: No}", f"No, which YAML reads as false; {DAYS}"),
        ("network: {nat_gateways: yes}", "yes, which YAML reads as true; one of 1, 3"),
        ("database: {backup_retention_days: 010}", f"010, which YAML reads as the number 8; {DAYS}: {PLAIN}"),
        ("database: {backup_retention_days: 0x10}", f"0x10, which YAML reads as the number 16; {DAYS}: {PLAIN}"),
        ("database: {backup_retention_days: 1:30}", f"1:30, which YAML reads as the number 90; {DAYS}: {PLAIN}"),
        ("database: {backup_retention_days: 1_0}", f"1_0, which YAML reads as the number 10; {DAYS}: {PLAIN}"),
        ("database: {backup_retention_days: 2026-11-24}", f"2026-11-24, which YAML reads as a date; {DAYS}"),
        ("database: {backup_retention_days: 2026-02-31}", f"2026-02-31; {DAYS}"),
        (f"database: {{backup_retention_days: {'9' * 5000}}}", f"{'9' * 5000}; {DAYS}"),
        ("database: {backup_retention_days: !!int x}", f"x; {DAYS}: {PLAIN}"),
        ("database: {backup_retention_days: !!bool x}", f"x; {DAYS}"),
        ("database: {backup_retention_days: !Ref Days}", f"the tag !Ref; a plain value without a tag: {DAYS}"),
        ("database: {backup_retention_days: null}", f"null; {DAYS}"),
        ("database: {backup_retention_days: }", f"nothing; {DAYS}"),
        ("database: {backup_retention_days: [7]}", f"a list; {DAYS}"),
        ("database: {backup_retention_days: {days: 7}}", f"a mapping; {DAYS}"),
        # flags
        ("migration: {multi_az: yes}", "yes, which YAML reads as true; true or false"),
        ("migration: {multi_az: off}", "off, which YAML reads as false; true or false"),
        ("migration: {multi_az: 'true'}", '"true"; true or false, without quotes'),
        ("migration: {multi_az: 1}", "1; true or false"),
        ("migration: {multi_az: maybe}", '"maybe"; true or false'),
        ("migration: {multi_az: null}", "null; true or false"),
        ("migration: {multi_az: [true]}", "a list; true or false"),
        # text
        ("tags: {author: no}", f'no, which YAML reads as false; {TAG}: write "no"'),
        ("tags: {author: true}", f'true, without quotes; {TAG}: write "true"'),
        ("tags: {pr_number: 123}", f'123, without quotes; {TAG}: write "123"'),
        ("tags: {pr_number: 0123}", f'0123, which YAML reads as the number 83; {TAG}: write "0123"'),
        ("tags: {pr_number: 10:30}", f'10:30, which YAML reads as the number 630; {TAG}: write "10:30"'),
        ("tags: {team: 2026-11-24}", f'2026-11-24, which YAML reads as a date; {TAG}: write "2026-11-24"'),
        ("tags: {team: =}", f'=, without quotes; {TAG}: write "="'),
        ("tags: {team: a;b}", f'"a;b"; {TAG}'),
        ("tags: {team: ''}", f'""; {TAG}'),
        (f"tags: {{team: {'x' * 257}}}", f'"{"x" * 70}…"; {TAG}'),
        ("tags: {team: ١٢}", f'"١٢"; {TAG}'),
        ('tags: {team: "a\\nb"}', f'"a\\nb"; {TAG}'),
        ("tags: {team: [a]}", f"a list; {TAG}"),
        ("protection: permanent", '"permanent"; one of durable, disposable'),
        # blocks and addresses
        ("network: {vpc_cidr: 10.0.5.0/16}",
         f'"10.0.5.0/16"; {BLOCK}: write 10.0.0.0/16 (the block around it) or 10.1.0.0/16 (the next one)'),
        ("network: {vpc_cidr: 255.255.255.0/20}", f'"255.255.255.0/20"; {BLOCK}: write 255.255.240.0/20 (the block around it)'),
        ("network: {vpc_cidr: 10.0.0.0}", f'"10.0.0.0"; {BLOCK}'),
        ("network: {vpc_cidr: 10.0.0.0/8}", f'"10.0.0.0/8"; {BLOCK}'),
        ("network: {vpc_cidr: 10.0.0.0/255.255.0.0}", f'"10.0.0.0/255.255.0.0"; {BLOCK}'),
        ("network: {vpc_cidr: fd00::/16}", f'"fd00::/16"; {BLOCK}'),
        ("network: {public_subnet_cidrs: [10.0.1.0/28, 10.0.2.0/24, 10.0.3.0/24]}",
         '"10.0.1.0/28"; an IPv4 block /16 to /27 with no host bits set, like 10.0.0.0/16'),
        ("network: {vpn: {customer_gateway_ip: vpn.example, bgp_asn: 65010}}",
         '"vpn.example"; an IPv4 address like 203.0.113.10'),
        # windows, names, references
        ("database: {backup_window: 24:00-25:00}", '"24:00-25:00"; a daily window in UTC like 02:00-03:00'),
        ("database: {backup_window: ٠٢:00-03:00}", '"٠٢:00-03:00"; a daily window in UTC like 02:00-03:00'),
        ("database: {maintenance_window: 04:00-05:00}", '"04:00-05:00"; a weekly window in UTC like sun:04:00-sun:05:00'),
        ("migration: {maintenance_window: sun:23:60-mon:00:30}",
         '"sun:23:60-mon:00:30"; a weekly window in UTC like sun:04:00-sun:05:00'),
        ("database: {master_username: postgres}",
         '"postgres"; a user name other than admin, postgres, rdsadmin, master, root'),
        ("migration: {schemas: [pg_catalog]}",
         '"pg_catalog"; a PostgreSQL identifier, of a schema that is neither the server\'s nor DMS\'s nor the cutover\'s own'),
        ("service: {image: payments}",
         '"payments"; an image reference ending in @sha256:<64 hex> or, outside prod, :tag'),
        ("data_center: {database_ca_pem: params/../secret.pem}", '"params/../secret.pem"; a .pem file under params/'),
        ("data_center: {database_ca_pem: '-----BEGIN EC PRIVATE KEY-----'}", "a private key; a .pem file under params/"),
        ("monitoring: {alarm_emails: [nobody]}", '"nobody"; an e-mail address'),
    ],
)  # fmt: skip
def test_a_value_that_its_field_does_not_take(params, text, message):
    params.write(text)
    (problem,) = params.problems()
    place, _key, rest = problem.split(": ", 2)
    assert place == "params/dev.yaml:1"
    assert rest == message


@pytest.mark.parametrize(
    ("text", "section", "name", "value"),
    [
        ("database: {engine_version: '17.10'}", "database", "engine_version", "17.10"),
        ("migration: {engine_version: 3.6.1}", "migration", "engine_version", "3.6.1"),
        ("database: {engine_version: !!str 17.9}", "database", "engine_version", "17.9"),
        ("database: {backup_retention_days: +8}", "database", "backup_retention_days", 8),
        ("service: {bake_time_minutes: 0}", "service", "bake_time_minutes", 0),
        ("migration: {multi_az: TRUE}", "migration", "multi_az", True),
        ("migration: {multi_az: False}", "migration", "multi_az", False),
        ("tags: {author: 'no'}", "tags", "author", "no"),
        ("tags: {team: ~}", "tags", "team", None),
        ("tags: {team: 1.2.3}", "tags", "team", "1.2.3"),
    ],
)
def test_a_value_that_its_field_takes(params, text, section, name, value):
    params.write(text)
    taken = getattr(getattr(params.load(), section), name)
    assert taken == value
    assert type(taken) is type(value)


TIMES = {
    "ms": 1, "s": 1000, "sec": 1000, "second": 1000, "seconds": 1000, "m": 60_000, "min": 60_000, "minute": 60_000,
    "minutes": 60_000, "h": 3_600_000, "hour": 3_600_000, "hours": 3_600_000, "d": 86_400_000, "day": 86_400_000,
    "days": 86_400_000, "w": 604_800_000, "week": 604_800_000, "weeks": 604_800_000,
}  # fmt: skip
SIZES = {"KiB": 1, "MiB": 1024, "GiB": 1024**2, "TiB": 1024**3}


@pytest.mark.parametrize(("key", "units"), [("lag_ms", TIMES), ("storage_kib", SIZES)])
def test_every_unit_is_converted_exactly(key, units):
    field = replace(shape(Database)["port"], name=key, constraints=(Between(0, 10**12),))
    for unit, worth in units.items():
        with pytest.raises(RefusedError) as refused:
            read_scalar(yaml.compose(f"3 {unit}"), field)
        assert f": write {3 * worth}, the key already says " in refused.value.allowed


@pytest.mark.parametrize(
    ("key", "text"),
    [("t_seconds", "3000 ms"), ("t_minutes", "180s"), ("t_days", "72h"), ("s_mib", "3072KiB"), ("s_gib", "3072MiB")],
)
def test_every_key_s_own_unit_is_the_target(key, text):
    field = replace(shape(Database)["port"], name=key, constraints=(Between(0, 10**12),))
    with pytest.raises(RefusedError) as refused:
        read_scalar(yaml.compose(text), field)
    assert ": write 3, the key already says " in refused.value.allowed


def test_a_value_is_read_by_its_field_alone():
    node = yaml.compose("14")
    assert read_scalar(node, shape(Database)["backup_retention_days"]) == 14
    assert describe(node) == "14"


def test_the_form_of_a_message():
    assert str(Problem(Place(1, "params/base.yaml", 7), "a.b", "x", "y")) == "params/base.yaml:7: a.b: x; y"
    assert str(Problem(Place(0, "--suffix"), "", "x", "y")) == "--suffix: x; y"


def test_quotes_are_short_printable_and_hold_no_private_key():
    assert quote("a\tb\x00") == '"a\\tb\\x00"'
    assert quote("é" * 70) == f'"{"é" * 70}"'
    assert quote("é" * 71) == f'"{"é" * 70}…"'
    assert quote("-----BEGIN RSA PRIVATE KEY-----\nMIIE") == "a private key"
