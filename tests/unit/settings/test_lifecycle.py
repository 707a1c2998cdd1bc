"""What params may choose on which day, and what a table may say."""

from __future__ import annotations

import dataclasses
import json
from datetime import date, timedelta
from functools import reduce
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from settings.errors import LifecycleError
from settings.lifecycle import Status, Verdict, assess, judge, judge_version, load_table
from settings.lifecycle_table import PRODUCTS, Entry, Table, parse_table
from settings.load import load
from settings.model import Settings

PARAMS = Path(__file__).parents[3] / "params"
TODAY = date(2026, 11, 24)
RECOMMENDED = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"


@pytest.fixture(scope="module")
def table() -> Table:
    return load_table(PARAMS)


def choose(**versions: str) -> Settings:
    """Settings of dev with other versions, by key: choose(**{"database.engine_version": "13.7"})."""

    def put(settings: Any, key: str, value: str) -> Any:
        section, _, field = key.partition(".")
        return dataclasses.replace(
            settings, **{section: dataclasses.replace(getattr(settings, section), **{field: value})}
        )

    return reduce(lambda settings, item: put(settings, *item), versions.items(), load(PARAMS, "dev"))


def edited(old: str, new: str) -> Table:
    """The real table with one thing said otherwise."""
    text = (PARAMS / "lifecycle.yaml").read_text()
    assert text.count(old) == 1
    return parse_table(text.replace(old, new), "params/lifecycle.yaml")


def aurora(table: Table, version: str, today: date = TODAY) -> Verdict:
    return judge_version(table, "aurora-postgresql", version, today)


# --- the choices of our environments ---------------------------------------------------------------------------------
@pytest.mark.parametrize("env", ["dev", "staging", "prod"])
def test_what_our_environments_choose_is_well_on_the_day_the_table_was_checked(table: Table, env: str) -> None:
    judgement = judge(load(PARAMS, env), table, TODAY)
    assert {verdict.key: verdict.status for verdict in judgement.verdicts} == dict.fromkeys(
        PRODUCTS.values(), Status.OK
    )
    assert judgement.warnings == ()


def test_every_choice_is_judged_by_the_version_that_params_set(table: Table) -> None:
    judgement = assess(load(PARAMS, "staging"), table, TODAY)
    assert [(verdict.key, verdict.version) for verdict in judgement.verdicts] == [
        ("database.engine_version", "17.7"),
        ("migration.engine_version", "3.6.1"),
        ("validation.runtime", "python3.13"),
        ("service.platform_version", "1.4.0"),
        ("database.ca_certificate", "rds-ca-rsa2048-g1"),
        ("load_balancer.ssl_policy", RECOMMENDED),
    ]


def test_all_dead_choices_are_named_at_once_with_their_keys_and_what_to_move_to(table: Table) -> None:
    settings = choose(
        **{
            "database.engine_version": "13.7",
            "migration.engine_version": "3.4.7",
            "validation.runtime": "python3.9",
            "load_balancer.ssl_policy": "ELBSecurityPolicy-2016-08",
            "database.ca_certificate": "rds-ca-2019",
            "service.platform_version": "1.3.0",
        }
    )
    with pytest.raises(LifecycleError) as caught:
        judge(settings, table, TODAY)
    assert caught.value.problems == [
        (
            "database.engine_version: aurora-postgresql 13.7: AWS no longer offers it, and its support ended with all of 13 "
            "on 2026-02-28; move to 17.7, 17.11, 18.6, 16.8"
        ),
        (
            "migration.engine_version: dms 3.4.7: AWS has not offered it since 2024-09-30, and its support ended on "
            "2024-10-31; move to 3.6.1"
        ),
        "validation.runtime: lambda python3.9: its support ended on 2025-12-15; move to python3.13, python3.14, python3.12",
        (
            "service.platform_version: fargate 1.3.0: AWS no longer offers it, and its support ended on 2026-06-15; "
            "move to 1.4.0"
        ),
        (
            "database.ca_certificate: rds-ca rds-ca-2019: AWS no longer offers it, and its support ended on 2024-08-22; "
            "move to rds-ca-rsa2048-g1, rds-ca-rsa4096-g1, rds-ca-ecc384-g1"
        ),
        (
            "load_balancer.ssl_policy: elb-tls ELBSecurityPolicy-2016-08: it accepts TLS 1.0; move to "
            "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09, ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09, "
            "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09"
        ),
    ]
    assert "params/dev.yaml" in caught.value.hint
    assert "versions --live" in caught.value.hint
    assert caught.value.exit_code == 1


def test_the_manifest_records_the_choices_but_nothing_that_changes_from_day_to_day(table: Table) -> None:
    settings = load(PARAMS, "staging")
    today, later = (assess(settings, table, day).to_json() for day in (TODAY, TODAY + timedelta(days=900)))
    assert today == later
    assert today[0] == {
        "key": "database.engine_version",
        "product": "aurora-postgresql",
        "version": "17.7",
        "until": "2030-02-28",
        "event": "last day of support",
        "basis": "own",
        "source": table.products["aurora-postgresql"].source,
        "checked_on": "2026-11-24",
    }
    assert today[1]["until"] is None
    assert json.loads(json.dumps(today)) == today


def test_the_summary_has_a_line_per_choice_and_one_per_warning(table: Table) -> None:
    lines = assess(choose(**{"database.engine_version": "17.4"}), table, TODAY).lines()
    assert lines[0] == "database.engine_version   17.4  ends soon, until 2026-11-30 (last day of support)"
    assert lines[1] == "migration.engine_version  3.6.1  ok, no end announced"
    assert lines[6:] == [
        (
            "warning: database.engine_version: aurora-postgresql 17.4: its support ends on 2026-11-30, in 6 days; "
            "move to 17.7, 17.11, 18.6"
        )
    ]


# --- one version, judged ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("version", ["13.7", "13.21", "13.8", "16.6"])
def test_aurora_minors_that_aws_no_longer_creates(table: Table, version: str) -> None:
    verdict = aurora(table, version)
    assert verdict.status is Status.NOT_CREATABLE
    assert verdict.dead
    assert verdict.move_to[0] == "17.7"
    assert verdict.source == table.products["aurora-postgresql"].gone_source


@pytest.mark.parametrize("version", ["3.4.7", "3.4.6", "3.4.3", "3.5.1", "3.5.2", "3.5.3", "3.6.0"])
def test_dms_engines_that_aws_no_longer_creates(table: Table, version: str) -> None:
    assert judge_version(table, "dms", version, TODAY).status is Status.NOT_CREATABLE


def test_a_minor_is_supported_until_the_end_of_its_last_day(table: Table) -> None:
    on_the_day = date(2026, 11, 30)
    assert [(aurora(table, "17.4", day).status, aurora(table, "17.4", day).days_left) for day in (
        TODAY, on_the_day, on_the_day + timedelta(days=1)
    )] == [(Status.ENDS_SOON, 6), (Status.ENDS_SOON, 0), (Status.ENDED, -1)]  # fmt: skip
    with pytest.raises(LifecycleError, match=r"17\.4: its support ended on 2026-11-30; move to 17\.7, 17\.11, 18\.6"):
        judge(choose(**{"database.engine_version": "17.4"}), table, date(2026, 12, 1))


def test_a_version_warns_from_the_180th_day_before_its_end(table: Table) -> None:
    end = date(2027, 9, 30)
    assert aurora(table, "17.9", end - timedelta(days=181)).status is Status.OK
    assert aurora(table, "17.9", end - timedelta(days=180)).status is Status.ENDS_SOON


def test_a_minor_without_a_date_of_its_own_has_its_majors(table: Table) -> None:
    verdict = aurora(table, "17.11")
    assert (verdict.until, verdict.basis, verdict.status) == (date(2030, 2, 28), "major", Status.OK)
    assert aurora(table, "14.24").reason == "its support ends with all of 14 on 2027-02-28, in 96 days"


def test_the_earlier_of_a_minors_and_its_majors_date_counts() -> None:
    early = edited('"17": {ends: 2030-02-28', '"17": {ends: 2029-01-31')
    assert (aurora(early, "17.7").until, aurora(early, "17.7").basis) == (date(2029, 1, 31), "major")
    assert (aurora(early, "17.4").until, aurora(early, "17.4").basis) == (date(2026, 11, 30), "own")


def test_extended_support_is_refused_and_the_message_says_what_it_would_be(table: Table) -> None:
    verdict = aurora(table, "13.9")
    assert verdict.status is Status.ENDED
    assert verdict.reason == (
        "its support ended on 2026-02-28; until 2029-02-28 AWS would run it on extended support, which costs extra"
    )
    assert "extended" not in aurora(table, "13.9", date(2029, 3, 1)).reason  # that is over too
    assert "extended" not in aurora(table, "17.4", date(2026, 12, 1)).reason  # the major is in standard support


def test_the_last_day_for_new_ones_counts_before_the_end_of_support(table: Table) -> None:
    def dms(day: date) -> Verdict:
        return judge_version(table, "dms", "3.5.4", day)

    assert dms(TODAY).status is Status.ENDS_SOON
    assert (dms(TODAY).until, dms(TODAY).event, dms(TODAY).days_left) == (
        date(2027, 1, 31),
        "last day for new ones",
        68,
    )
    assert dms(TODAY).reason == (
        "AWS will not offer it after 2027-01-31, in 68 days, and its support ends on 2027-03-31"
    )
    assert dms(date(2027, 1, 31)).status is Status.ENDS_SOON
    assert dms(date(2027, 2, 1)).status is Status.NOT_CREATABLE
    assert dms(date(2027, 2, 1)).reason == "AWS has not offered it since 2027-01-31"
    assert (
        dms(date(2027, 4, 1)).reason == "AWS has not offered it since 2027-01-31, and its support ended on 2027-03-31"
    )


def test_a_last_day_for_new_ones_needs_no_end_of_support() -> None:
    verdict = judge_version(edited('"3.6.1": {}', '"3.6.1": {no_new_after: 2026-12-31}'), "dms", "3.6.1", TODAY)
    assert verdict.reason == "AWS will not offer it after 2026-12-31, in 37 days"


def test_where_both_dates_are_the_same_it_is_the_end_of_support() -> None:
    table = edited('"3.6.1": {}', '"3.6.1": {no_new_after: 2026-12-31, ends: 2026-12-31}')
    assert judge_version(table, "dms", "3.6.1", TODAY).event == "last day of support"


def test_a_runtime_counts_by_its_end_of_support_though_aws_would_create_it_longer(table: Table) -> None:
    verdict = judge_version(table, "lambda", "python3.10", TODAY)
    assert (verdict.status, verdict.until) == (Status.ENDED, date(2026, 10, 31))
    assert judge_version(table, "lambda", "python3.11", date(2027, 6, 30)).event == "last day of support"


@pytest.mark.parametrize(
    ("product", "version"),
    [("aurora-postgresql", "99.1"), ("aurora-postgresql", "17"), ("lambda", "python3.15"), ("elb-tls", "bogus")],
)
def test_a_version_that_the_table_does_not_know_is_refused(table: Table, product: str, version: str) -> None:
    verdict = judge_version(table, product, version, TODAY)
    assert (verdict.status, verdict.until, verdict.days_left) == (Status.UNKNOWN, None, None)
    assert verdict.reason == "params/lifecycle.yaml does not know it"
    assert verdict.move_to == table.products[product].move_to


def test_nobody_is_sent_to_an_older_version_or_to_one_that_ends_soon_itself(table: Table) -> None:
    assert aurora(table, "18.3").move_to == ("18.6",)
    assert aurora(table, "16.9").move_to == ("17.7", "17.11", "18.6")
    assert aurora(table, "13.7", date(2029, 12, 1)).move_to == ("18.6",)  # 17 ends within 180 days, 16 has ended
    assert judge_version(table, "rds-ca", "rds-ca-ecc384-g1", TODAY).move_to == (
        "rds-ca-rsa2048-g1",
        "rds-ca-rsa4096-g1",
    )


def test_a_message_says_so_when_there_is_nothing_to_move_to(table: Table) -> None:
    verdict = judge_version(table, "lambda", "python3.13", date(2029, 7, 1))
    assert verdict.message == (
        "validation.runtime: lambda python3.13: its support ended on 2029-06-30; the table names none to move to"
    )


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        (RECOMMENDED, Status.OK),
        ("ELBSecurityPolicy-TLS13-1-3-2021-06", Status.OK),
        ("ELBSecurityPolicy-TLS13-1-0-PQ-2025-09", Status.REFUSED),
        ("ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", Status.REFUSED),
        ("ELBSecurityPolicy-FS-1-2-Res-2020-10", Status.REFUSED),
        ("ELBSecurityPolicy-TLS-1-2-2017-01", Status.REFUSED),
    ],
)
def test_weak_tls_policies_are_refused(table: Table, policy: str, status: Status) -> None:
    assert judge_version(table, "elb-tls", policy, TODAY).status is status


def test_a_table_checked_too_long_ago_warns_and_says_how_to_check_it(table: Table) -> None:
    settings = load(PARAMS, "dev")
    assert assess(settings, table, TODAY + timedelta(days=180)).stale == ()
    stale = assess(settings, table, TODAY + timedelta(days=181)).warnings
    assert len(stale) == 6
    assert stale[0] == (
        "params/lifecycle.yaml: aurora-postgresql was last checked on 2026-11-24, 181 days ago; "
        "run python build.py versions --live"
    )
    assert stale[2].endswith(f"compare it with {table.products['lambda'].source} and set checked_on")


# --- the table and the linter ----------------------------------------------------------------------------------------
def _cfn_lint(path: str) -> Any:
    return json.loads((files("cfnlint") / "data" / path).read_text())


@pytest.mark.parametrize("resource", ["aws_rds_dbcluster", "aws_rds_dbinstance"])
def test_the_table_knows_the_aurora_versions_that_cfn_lint_knows(table: Table, resource: str) -> None:
    """Fails on an upgrade of cfn-lint that has news: bring them into params/lifecycle.yaml."""

    def aurora_minors(file: str) -> set[str]:
        [part] = [
            part
            for part in _cfn_lint(f"schemas/extensions/{resource}/{file}")["allOf"]
            if part["if"]["properties"]["Engine"].get("const") == "aurora-postgresql"
        ]
        versions = (part["then"] or part["if"])["properties"]["EngineVersion"]["enum"]
        return {version for version in versions if "." in version and not version.endswith("-limitless")}

    known, deprecated = aurora_minors("engine_version.json"), aurora_minors("engine_version_deprecated.json")
    entries = table.products["aurora-postgresql"].versions
    assert set(entries) == known
    assert {version for version, entry in entries.items() if entry.gone} == deprecated


def test_the_table_has_the_runtime_dates_that_cfn_lint_has(table: Table) -> None:
    """Fails on an upgrade of cfn-lint that has news: bring them into params/lifecycle.yaml."""
    theirs = {
        runtime: Entry(
            ends=date.fromisoformat(dates["deprecated"]),
            no_new_after=date.fromisoformat(dates["create-block"]) - timedelta(days=1),
        )
        for runtime, dates in _cfn_lint("AdditionalSpecs/LmbdRuntimeLifecycle.json").items()
        if runtime.startswith("python")
    }
    assert table.products["lambda"].versions == theirs


def test_every_product_says_where_and_when_it_was_checked(table: Table) -> None:
    assert set(table.products) == set(PRODUCTS)
    for product in table.products.values():
        assert product.source.startswith("https://")
        assert product.checked_on >= TODAY
