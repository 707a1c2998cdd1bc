"""What environments of different protection never share, each with the line of both sides."""

from __future__ import annotations

import pytest

DATA_CENTER = "data_center:\n  database_host: {host}\n  database_address: {address}\n  application_ips:\n  - {first}\n  - {second}\n"
OURS = {"host": "db.one.example", "address": "192.168.17.1", "first": "192.168.17.2", "second": "192.168.17.3"}
THEIRS = {"host": "db.two.example", "address": "192.168.18.1", "first": "192.168.18.2", "second": "192.168.18.3"}
DURABLE = """network: {nat_gateways: 3}
security: {key_deletion_window_days: 30}
database: {instance_class: db.r7g.large, backup_retention_days: 35}
migration: {instance_class: dms.r6i.large, multi_az: true}
service: {bake_time_minutes: 5}
monitoring: {alarm_emails: [on-call@example.com]}
protection: durable
"""


@pytest.fixture
def both(params):
    """Write `dev`, disposable, and `live`, durable, with these data centres, and see what each of the two says."""
    (params.folder / "staging.yaml").unlink()

    def write(ours, theirs):
        params.write(DATA_CENTER.format(**ours))
        params.write(DATA_CENTER.format(**theirs) + DURABLE, "live.yaml")
        return params

    return write


def test_environments_with_data_centres_of_their_own_load(both):
    params = both(OURS, THEIRS)
    assert not params.load("dev").durable
    assert params.load("live").durable


@pytest.mark.parametrize(
    ("field", "key", "line"),
    [
        ("host", "data_center.database_host", 2),
        ("address", "data_center.database_address", 3),
        ("second", "data_center.application_ips", 6),
    ],
)
def test_what_is_shared_is_said_on_both_sides(both, field, key, line):
    params = both(OURS, THEIRS | {field: OURS[field]})
    for ours, protection, theirs, other in (
        ("dev", "disposable", "live", "durable"),
        ("live", "durable", "dev", "disposable"),
    ):
        assert params.problems(ours) == [
            f"params/{ours}.yaml:{line}: {key}: {OURS[field]} is also that of {theirs} (params/{theirs}.yaml:{line}), "
            f"which is {other}; one of its own: this environment is {protection}"
        ]


def test_an_application_is_found_wherever_it_stands_in_the_list(both):
    params = both(OURS, THEIRS | {"first": OURS["second"]})
    (problem,) = params.problems()
    assert problem.startswith(
        "params/dev.yaml:6: data_center.application_ips: 192.168.17.3 is also that of live (params/live.yaml:5)"
    )


def test_a_default_that_both_keep_is_shared_too(params):
    params.write(DURABLE, "live.yaml")
    problems = params.problems()
    assert [problem.split(": ")[1] for problem in problems] == [
        "data_center.database_host",
        "data_center.database_address",
        "data_center.application_ips",
        "data_center.application_ips",
    ]
    place = params.line("  database_host:")
    assert problems[0].startswith(f"{place}: ")
    assert f"is also that of live ({place})" in problems[0]


def test_environments_of_one_protection_may_share(both):
    params = both(OURS, THEIRS)
    params.write(DATA_CENTER.format(**OURS), "rehearsal.yaml")
    params.write(DATA_CENTER.format(**THEIRS) + DURABLE, "standby.yaml")
    for env in ("dev", "live", "rehearsal", "standby"):
        assert params.load(env).env == env


def test_copies_of_an_environment_share_its_data_centre(both):
    params = both(OURS, THEIRS)
    assert params.load("dev", "pr-12").data_center == params.load("dev").data_center


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "data_center: [db.one.example]\nprotection: durable\n",
        "data_center: {database_host: Db.One.Example}\nprotection: durable\n",
        "data_center: {database_address: 192.168.17.1}\nprotection: eternal\n",
    ],
)
def test_a_neighbours_own_mistakes_are_for_its_own_build(both, text):
    params = both(OURS, THEIRS)
    params.write(text, "live.yaml")
    assert params.load("dev").data_center.database_host == "db.one.example"
    assert params.problems("live")
