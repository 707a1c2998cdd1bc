"""Any valid params compile, to a tree with no two resources of one name, that the linter finds nothing wrong with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.bundle import file_name
from compiler.linking import link
from compiler.lint.worker import Linter
from compiler.manifest import template_texts
from compiler.quotas import check_quotas
from settings.load import load
from settings.model import Settings
from settings.regions import RESERVED_ASNS
from templates.root import system
from tests.integration.test_build import physical_names_of

ROOT = Path(__file__).parents[2]

SUFFIXES = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,4}){0,2}", fullmatch=True).filter(
    lambda text: text not in ("dev", "staging", "prod", "base", "account", "root", "lifecycle")
)
# All but Amazon's own number and the reserved ones.
ASNS = st.integers(1, 2147483647).filter(lambda number: number not in (64512, *RESERVED_ASNS[""]))


@st.composite
def overrides(draw: st.DrawFn) -> dict[str, object]:
    """Overrides of base.yaml that the checks admit, over every section."""
    durable = draw(st.booleans())
    side = draw(st.sampled_from(["data_center", "aurora"]))
    network = draw(st.sampled_from(["10.0", "10.20", "172.16", "100.64"]))
    address = draw(st.ip_addresses(v=4, network="192.168.0.0/16").map(str))
    schemas = draw(
        st.lists(st.from_regex(r"[a-z_][a-z0-9_]{0,20}", fullmatch=True), min_size=1, max_size=5, unique=True)
    )
    weight = 100 if side == "aurora" else draw(st.integers(0, 100))
    tasks = draw(st.integers(3, 40))
    vpn = draw(st.none() | st.fixed_dictionaries({"customer_gateway_ip": st.just("203.0.113.9"), "bgp_asn": ASNS}))
    return {
        "protection": "durable" if durable else "disposable",
        "log_retention_days": draw(st.sampled_from([365, 731, 3653])),
        "tags": {"team": draw(st.none() | st.from_regex(r"[A-Za-z0-9 _.:/=+@-]{1,40}", fullmatch=True))},
        "network": {
            "vpc_cidr": f"{network}.0.0/16",
            "public_subnet_cidrs": [f"{network}.{n}.0/24" for n in (1, 2, 3)],
            "private_subnet_cidrs": [f"{network}.{n}.0/24" for n in (11, 12, 13)],
            "nat_gateways": 3 if durable else draw(st.sampled_from([1, 3])),
            "vpn": vpn,
        },
        "data_center": {
            "cidrs": ["192.168.0.0/16"],
            "database_host": draw(st.sampled_from(["db.example", "a-1.b.c.example", address])),
            "database_address": address,
        },
        "security": {"key_deletion_window_days": 30 if durable else draw(st.integers(7, 30))},
        "database": {
            "backup_retention_days": 35 if durable else draw(st.integers(7, 35)),
            "insights_retention_days": 465 if durable else draw(st.sampled_from([7, 465])),
            "port": draw(st.integers(1150, 65535)),
        },
        "load_balancer": {
            "aws_weight": weight,
            "waf_mode": draw(st.sampled_from(["count", "block"])),
            "idle_timeout_seconds": draw(st.integers(1, 4000)),
        },
        "service": {
            "database": side,
            "min_tasks": tasks,
            "max_tasks": tasks + draw(st.integers(0, 100)),
            "bake_time_minutes": draw(st.integers(5 if durable else 0, 1440)),
            "started": draw(st.booleans()) if weight == 0 else True,
            "liveness_path": draw(st.sampled_from(["/", "/live", "/actuator/health/liveness"])),
            "readiness_path": draw(st.sampled_from(["/", "/ready", "/actuator/health/readiness"])),
        },
        "migration": {
            "multi_az": durable or draw(st.booleans()),
            "schemas": schemas,
            "excluded_tables": draw(st.lists(st.sampled_from(schemas).map("{}.entry".format) | st.just(f"{schemas[0]}.old_%"), max_size=3, unique=True)),
        },
        "monitoring": {
            "alarm_emails": draw(st.lists(st.just("a@example.com") | st.just("b@example.com"), min_size=int(durable), max_size=2, unique=True)),
            "dms_lag_threshold_seconds": draw(st.integers(1, 60)),
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def params(tmp_path_factory) -> Path:
    """A params folder whose `random.yaml` each example writes."""
    folder = tmp_path_factory.mktemp("repository") / "params"
    folder.mkdir()
    for name in ("base.yaml", "data-center-ca.pem", "lifecycle.yaml"):
        (folder / name).write_bytes((ROOT / "params" / name).read_bytes())
    return folder


def settings_of(params: Path, chosen: dict[str, object], suffix: str) -> Settings:
    (params / "random.yaml").write_text(yaml.safe_dump(chosen))
    return load(params, "random", suffix, {})


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(chosen=overrides(), suffix=SUFFIXES)
def test_valid_params_compile_and_no_two_resources_share_a_name(params, chosen, suffix):
    bundle = link(system(made := settings_of(params, chosen, suffix)), made)
    check_quotas(bundle.templates, template_texts(bundle))
    names = list(physical_names_of(bundle))
    assert len(names) == len(set(names))
    assert {"LoadBalancerDNS", "RDSClusterEndpoint", "VPCId"} <= set(bundle.templates["root"]["Outputs"])
    assert json.dumps(bundle.templates)  # plain data, nothing of troposphere left in it


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(chosen=overrides(), suffix=SUFFIXES)
def test_valid_params_lint_clean(params, tmp_path_factory, monkeypatch, chosen, suffix):
    monkeypatch.chdir(ROOT)  # the linter goes to its configuration; the test comes back
    made = settings_of(params, chosen, suffix)
    folder = tmp_path_factory.mktemp("templates")
    texts = template_texts(link(system(made), made))
    for tier, text in texts.items():
        (folder / file_name(tier)).write_text(text)
    linter = Linter(ROOT)
    assert [finding for tier in texts for finding in linter.check(str(folder / file_name(tier)))] == []
