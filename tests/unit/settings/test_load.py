"""The door: which files make an environment, how they merge, which suffixes may be, and all problems at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from settings.errors import ParamsError
from settings.load import load
from settings.model import Network, Settings, Tags, Vpn

ROOT = Path(__file__).parents[3]
RULE = "at most 28 lower-case letters, digits and single hyphens, a letter first and no hyphen last"


@pytest.mark.parametrize("env", ["dev", "staging", "prod"])
def test_every_environment_of_the_repository_loads(env):
    settings = load(ROOT / "params", env)
    assert isinstance(settings, Settings)
    assert (settings.env, settings.suffix) == (env, env)
    assert settings.durable is (env == "prod")
    assert settings == load(ROOT / "params", env)


def test_every_value_of_base_arrives(params):
    def plain(value):
        if hasattr(value, "__dataclass_fields__"):
            return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
        return list(value) if isinstance(value, tuple) else value

    written = yaml.safe_load((params.folder / "base.yaml").read_text())
    assert plain(params.load()) == {"env": "dev", "suffix": "dev", **written}


def test_mappings_merge_while_lists_and_values_replace(params):
    params.write("network: {availability_zone_ids: [use1-az6, use1-az5, use1-az4]}\nservice: {max_tasks: 9}\n")
    before, after = params.load("staging"), params.load("dev")
    assert after.network.availability_zone_ids == ("use1-az6", "use1-az5", "use1-az4")
    assert after.network.vpc_cidr == before.network.vpc_cidr
    assert (after.service.max_tasks, after.service.min_tasks) == (9, before.service.min_tasks)


def test_an_optional_section_is_given_over_null_and_taken_away_by_null(params):
    vpn = "network:\n  vpn:\n    customer_gateway_ip: 203.0.113.9\n    bgp_asn: 65010\n"
    params.write(vpn)
    settings = params.load()
    assert settings.network.vpn == Vpn("203.0.113.9", 65010)
    assert isinstance(settings.network, Network)
    params.edit_base("  vpn: null\n", vpn.removeprefix("network:\n"))
    params.write("network: {vpn: {bgp_asn: 65011}}\n")
    assert params.load().network.vpn == Vpn("203.0.113.9", 65011)
    params.write("network: {vpn: null}\n")
    assert params.load().network.vpn is None


def test_a_section_given_over_null_must_be_whole(params):
    params.write("network:\n  vpn:\n    customer_gateway_ip: 203.0.113.9\n")
    assert params.problems() == ["params/dev.yaml:2: network.vpn.bgp_asn: missing; a whole number from 1 to 2147483647"]


def test_null_is_taken_where_the_field_is_optional_only(params):
    params.write("tags: {team: null, cost_center: null}\n")
    assert params.problems() == [
        "params/dev.yaml:1: tags.cost_center: null; 1 to 256 letters, digits, spaces and _.:/=+@-"
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n# nothing\n", "{}\n"])
def test_an_environment_may_override_nothing(params, text):
    params.write(text)
    assert params.load().network == params.load("staging").network


# --- what base.yaml must have ----------------------------------------------------------------------------------------
def test_base_holds_every_key_even_the_optional_ones(params):
    params.edit_base("  nat_gateways: 3\n", "")
    params.edit_base("  team: null\n", "")
    params.write("network: {nat_gateways: 3}\ntags: {team: payments}\n")
    text = "1 to 256 letters, digits, spaces and _.:/=+@-"
    assert params.problems() == [
        f"{params.line('tags:')}: tags.team: missing; {text}, or null",
        f"{params.line('network:')}: network.nat_gateways: missing; one of 1, 3",
    ]


def test_a_missing_section_or_list_is_one_problem(params):
    base = (params.folder / "base.yaml").read_text()
    start, end = base.index("tags:"), base.index("network:")
    params.write(base[:start] + base[end:], "base.yaml")
    params.edit_base("  schemas: [public]\n", "")
    first, second = params.problems()
    assert first == f"{params.line('region:')}: tags: missing; its keys"
    assert second.startswith(f"{params.line('migration:')}: migration.schemas: missing; a list of 1 to 20 items, each ")


def test_an_empty_base_misses_each_top_level_key(params):
    params.write("# nothing\n", "base.yaml")
    problems = params.problems()
    assert [problem.split(": ")[1] for problem in problems[:4]] == [
        "region",
        "system",
        "protection",
        "log_retention_days",
    ]
    assert all(problem.startswith("params/base.yaml: ") for problem in problems)


# --- environments ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("env", "problem"),
    [
        ("stagnig", "there is no params/stagnig.yaml; environments are dev, staging; did you mean staging?"),
        ("qa", "there is no params/qa.yaml; environments are dev, staging"),
        ("../params/dev", "there is no params/../params/dev.yaml; environments are dev, staging"),
    ],
)
def test_an_unknown_environment_names_those_that_exist(params, env, problem):
    error = params.error(env)
    assert error.problems == [f'--env: "{env}": {problem}']
    assert error.hint == "mend the arguments: --env ENV [--suffix SUFFIX] [--set tags.KEY=VALUE]"


@pytest.mark.parametrize("name", ["base", "lifecycle"])
def test_other_files_of_params_are_no_environments(params, name):
    params.write("products: {}\n", "lifecycle.yaml")
    assert params.problems(name) == [f'--env: "{name}" is no environment; environments are dev, staging']


def test_a_file_of_the_other_extension_is_said_to_be_renamed(params):
    params.write("tags: {team: x}\n", "qa.yml")
    assert params.problems("qa") == ["--env: params/qa.yaml does not exist; rename params/qa.yml to it"]


def test_a_folder_without_anything(tmp_path):
    with pytest.raises(ParamsError) as caught:
        load(tmp_path / "params", "dev")
    assert caught.value.problems == [
        '--env: "dev": there is no params/dev.yaml; there is no environment yet',
        "params/base.yaml: cannot be read: No such file or directory; a readable file is wanted",
    ]


# --- suffixes --------------------------------------------------------------------------------------------------------
def test_the_suffix_is_the_argument_else_the_environments_else_the_environment_itself(params):
    assert params.load("dev", "pr-1", environment_suffix="ci-7").suffix == "pr-1"
    assert params.load("dev", None, environment_suffix="ci-7").suffix == "ci-7"
    assert params.load("dev", None, environment_suffix="").suffix == "dev"
    assert params.load("dev").suffix == "dev"


@pytest.mark.parametrize(
    ("suffix", "guess"),
    [
        ("PR_123", "pr-123"),
        ("pr-123-", "pr-123"),
        ("pr--1", "pr-1"),
        ("feature/Über", "feature-ber"),
        ("a" * 29, "a" * 28),
        ("a-" * 20, "a-" * 13 + "a"),
    ],
)
def test_a_suffix_of_the_wrong_alphabet_gets_the_rule_and_a_guess(params, suffix, guess):
    assert params.problems("dev", suffix) == [f'--suffix: "{suffix}"; {RULE}: {guess}, say']


@pytest.mark.parametrize("suffix", ["", "-", "1-pr", "123"])
def test_a_suffix_that_no_guess_can_mend_gets_the_rule(params, suffix):
    assert params.problems("dev", suffix) == [f'--suffix: "{suffix}"; {RULE}']


def test_the_longest_suffix_is_taken(params):
    assert params.load("dev", "a" * 28).suffix == "a" * 28


def test_a_suffix_from_the_environment_is_named_so(params):
    assert params.problems("dev", environment_suffix="CI") == [f'ENVIRONMENT_SUFFIX: "CI"; {RULE}: ci, say']


def test_the_name_of_another_environment_is_no_suffix(params):
    assert params.problems("dev", "staging") == [
        '--suffix: "staging"; another name: this build of dev would overwrite the environment staging'
    ]
    assert params.load("dev", "dev").suffix == "dev"


def test_the_account_stacks_name_is_taken(params):
    problem = '"account"; another name: the stack that exists once per account has this one'
    assert params.problems("dev", "account") == [f"--suffix: {problem}"]
    params.write("", "account.yaml")
    assert params.problems("account") == [f"--env: {problem}"]


def test_an_environment_whose_name_makes_no_suffix(params):
    params.write("", "Dev_EU.yaml")
    assert params.problems("Dev_EU") == [f'--env: "Dev_EU"; {RULE}: dev-eu, say']
    assert params.load("Dev_EU", "dev-eu").env == "Dev_EU"


@given(st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,4}){0,4}", fullmatch=True).filter(lambda s: s != "account"))
def test_every_suffix_of_the_alphabet_is_taken(suffix):
    if suffix not in ("prod", "staging"):
        assert load(ROOT / "params", "dev", suffix).suffix == suffix


# --- tags that the run knows -----------------------------------------------------------------------------------------
def test_tags_are_set_over_both_files(params):
    params.write("tags: {team: payments, author: someone}\n")
    tags = params.load("dev", None, {"tags.pr_number": "123", "tags.author": "a.b@c.example"}).tags
    assert tags == Tags("finance", "active", None, "a.b@c.example", "123", "payments")


def test_overrides_are_checked_like_params(params):
    error = params.error(
        "dev",
        "pr-1",
        {
            "tags.pr_nmuber": "1",
            "tags.zzz": "1",
            "tags.team": "a;b",
            "tags.author": "",
            "database.port": "1",
            "tags": "1",
        },
    )
    names = "cost_center, migration_phase, repository, author, pr_number, team"
    text = "1 to 256 letters, digits, spaces and _.:/=+@-"
    tags = ", ".join(f"tags.{name}" for name in names.split(", "))
    assert error.problems == [
        "--set tags.pr_nmuber: unknown key; did you mean pr_number?",
        f"--set tags.zzz: unknown key; known here: {names}",
        f'--set tags.team: "a;b"; {text}',
        f'--set tags.author: ""; {text}',
        f"--set database.port: is not set here; only tags are: {tags}; the rest stands in params",
        f"--set tags: unknown key; known here: {names}",
    ]
    assert error.hint.startswith("mend the arguments")


def test_a_good_override_does_not_hide_a_bad_value(params):
    params.write("tags: {team: 'a;b'}\n")
    assert len(params.problems("dev", None, {"tags.team": "x"})) == 1


# --- everything at once ----------------------------------------------------------------------------------------------
def test_every_problem_of_everything_at_once_in_order(params):
    params.edit_base("  nat_gateways: 3\n", "  nat_gateways: 2\n")
    params.edit_base("  engine_version: 3.6.1\n", "  engine_version: 3.6\n")
    params.write(
        "service:\n  min_tasks: 2\n  max_tasks: 5\ndatabse: {}\nmonitoring:\n  dms_lag_threshold_seconds: 90s\n"
    )
    error = params.error("dev", "prod_1", {"tags.x": "1"})
    assert [problem.split("; ")[0] for problem in error.problems] == [
        '--suffix: "prod_1"',
        "--set tags.x: unknown key",
        f"{params.line('  nat_gateways:')}: network.nat_gateways: 2",
        f"{params.line('  engine_version: 3')}: migration.engine_version: 3.6, without quotes",
        "params/dev.yaml:2: service.min_tasks: 2",
        "params/dev.yaml:4: databse: unknown key",
        'params/dev.yaml:6: monitoring.dms_lag_threshold_seconds: "90s"',
    ]
    assert error.hint == "mend the lines named above; editors complete and check params with params/schema.json"
    assert (error.code, error.exit_code) == ("P001", 2)
    assert str(error) == "\n".join(error.problems)


def test_a_bad_value_in_base_is_reported_though_overridden(params):
    params.edit_base("  nat_gateways: 3\n", "  nat_gateways: 2\n")
    params.write("network: {nat_gateways: 1}\n")
    assert params.problems() == [f"{params.line('  nat_gateways:')}: network.nat_gateways: 2; one of 1, 3"]


def test_a_broken_overrides_file_still_lets_base_be_judged_but_not_the_rules(params):
    params.write("protection: durable\n- a\n")  # base alone would break the rules of durable environments
    params.edit_base("  nat_gateways: 3\n", "  nat_gateways: 2\n")
    assert [problem.split("; ")[0] for problem in params.problems()] == [
        f"{params.line('  nat_gateways:')}: network.nat_gateways: 2",
        "params/dev.yaml:2: not YAML: while parsing a block mapping, did not find expected key",
    ]


def test_rules_are_judged_next_to_bad_values_of_other_fields(params):
    params.write("service: {min_tasks: 9, max_tasks: 6}\ndatabase: {port: 5}\n")
    assert params.problems() == [
        "params/dev.yaml:1: service.max_tasks: 6; at least service.min_tasks (params/dev.yaml:1), 9",
        "params/dev.yaml:2: database.port: 5; a whole number from 1150 to 65535",
    ]


@pytest.mark.parametrize(
    "broken", ["service: {min_tasks: 9, max_tasks: six}", "service: 5", "service: {max_tasks: [6]}"]
)
def test_rules_are_skipped_where_a_value_that_they_need_is_bad(params, broken):
    params.write(f"{broken}\n")
    assert len(params.problems()) == 1


def test_a_rule_is_not_skipped_for_a_value_that_it_can_do_without(params):
    params.write(
        "network:\n  vpc_cidr: 10.0.5.0/16\n  public_subnet_cidrs: [10.0.1.0/24, 10.0.2.0/24, 10.0.3.0/24]\n"
        "  private_subnet_cidrs: [10.0.3.0/24, 10.9.12.0/24, 10.0.13.0/24]\n"
    )
    assert [problem.split("; ")[0] for problem in params.problems()] == [
        'params/dev.yaml:2: network.vpc_cidr: "10.0.5.0/16"',
        "params/dev.yaml:4: network.private_subnet_cidrs[0]: 10.0.3.0/24 overlaps 10.0.3.0/24 of "
        "network.public_subnet_cidrs[2] (params/dev.yaml:3)",
    ]


# --- start-up --------------------------------------------------------------------------------------------------------
def test_importing_the_loader_loads_nothing_heavy():
    script = "import sys, settings.load; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    names = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"settings", "yaml"} <= set(names)
    heavy = {
        "cfnlint",
        "boto3",
        "botocore",
        "jsonschema",
        "troposphere",
        "awacs",
        "argparse",
        "json",
        "difflib",
        "pydantic",
    }
    assert not heavy & set(names)
    assert not {"contract", "templates", "compiler", "rules", "validator"} & set(names)
