"""The naming policy: limits and alphabets per service, and no name shared by two suffixes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import names as rules
from contract.names import Names, every_rule
from settings.errors import NamingError

SUFFIXES = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,4}){0,2}", fullmatch=True)


def test_a_name_carries_system_suffix_and_part():
    names = Names("payments", "pr-123")
    assert names.claim(rules.TARGET_GROUP, "blue") == "payments-pr-123-blue"
    assert names.claim(rules.LOG_GROUP, "flow-logs") == "/payments/pr-123/flow-logs"
    assert names.claim(rules.KMS_ALIAS, "data") == "alias/payments-pr-123-data"
    assert names.claim(rules.BUCKET, "reports") == "payments-pr-123-reports-${AWS::AccountId}"
    assert names.claim(rules.STACK, "") == "payments-pr-123"
    names.check()


def test_the_longest_suffix_that_would_do_is_said():
    names = Names("payments", "a-very-long-feature-branch")
    names.claim(rules.TARGET_GROUP, "green")
    names.claim(rules.LOAD_BALANCER, "alb")
    with pytest.raises(NamingError) as caught:
        names.check()
    assert caught.value.problems == [
        "target group name 'payments-a-very-long-feature-branch-green' has 41 characters, at most 32 are allowed",
        "load balancer name 'payments-a-very-long-feature-branch-alb' has 39 characters, at most 32 are allowed",
    ]
    assert caught.value.hint == "use a suffix of at most 17 characters instead of 'a-very-long-feature-branch' (26)"
    shorter = Names("payments", "a" * 17)
    shorter.claim(rules.TARGET_GROUP, "green")
    shorter.check()


def test_a_bucket_name_counts_the_account_id():
    names = Names("payments", "a" * 37)
    names.claim(rules.BUCKET, "logs")
    with pytest.raises(NamingError, match="has 64 characters"):
        names.check()


@pytest.mark.parametrize(
    ("rule", "part"),
    [
        (rules.TARGET_GROUP, "blue_green"),
        (rules.TARGET_GROUP, "blue-"),
        (rules.DMS_INSTANCE, "a--b"),
        (rules.DB_CLUSTER, "a.b"),
        (rules.ECS_SERVICE, "a.b"),
        (rules.SECRET, "user-abcdef"),
        (rules.BUCKET, "Reports"),
    ],
)
def test_an_alphabet_is_each_service_s_own(rule, part):
    names = Names("payments", "dev")
    name = names.claim(rule, part).replace("${AWS::AccountId}", "0" * 12)
    with pytest.raises(NamingError, match=re.escape(f"{rule.service} name {name!r} does not match")) as caught:
        names.check()
    assert "templates" in caught.value.hint or "tier module" in caught.value.hint


def test_claimed_twice():
    names = Names("payments", "dev")
    names.claim(rules.TOPIC, "alarms")
    names.claim(rules.QUEUE, "alarms")
    names.check()
    names.claim(rules.TOPIC, "alarms")
    with pytest.raises(NamingError, match="SNS topic name 'payments-dev-alarms' is claimed twice"):
        names.check()


def test_a_reference_to_a_name_that_no_tier_creates():
    names = Names("payments", "dev")
    assert names.refer(rules.TOPIC, "alarms", "service") == "payments-dev-alarms"
    with pytest.raises(NamingError, match="service refers to SNS topic 'payments-dev-alarms', which no tier creates"):
        names.check()
    names.claim(rules.TOPIC, "alarms")
    names.check()


def test_parts_that_two_suffixes_could_confuse():
    names = Names("payments", "dev")
    names.claim(rules.IAM_ROLE, "task")
    names.claim(rules.IAM_ROLE, "ecs-task")
    # payments-x-ecs + task and payments-x + ecs-task would both be payments-x-ecs-task
    with pytest.raises(NamingError, match="parts 'ecs-task' and 'task': two suffixes could make the same name"):
        names.check()


@given(
    first=SUFFIXES,
    second=SUFFIXES,
    parts=st.lists(st.from_regex(r"[a-z]{1,4}(-[a-z]{1,4}){0,2}", fullmatch=True), min_size=1, max_size=6, unique=True),
)
def test_two_suffixes_share_no_name_that_the_policy_admits(first, second, parts):
    if first == second:
        return
    made = []
    for suffix in (first, second):
        names = Names("payments", suffix)
        made.append({names.claim(rules.ALARM, part) for part in parts})
    if not list(names.problems()):
        assert not made[0] & made[1]


def test_every_rule_says_where_it_was_read():
    table = every_rule()
    assert len(table) > 30
    for rule in table.values():
        assert rule.source.startswith("https://docs.aws.amazon.com/")
        re.compile(rule.pattern)
        assert 0 < rule.longest <= 1024
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
    assert (table["TARGET_GROUP"].longest, table["LOAD_BALANCER"].longest, table["DMS_RESOURCE_ID"].longest) == (
        32,
        32,
        31,
    )


def test_no_suffix_is_short_enough_for_a_part_that_is_too_long():
    names = Names("payments", "dev")
    names.claim(rules.TARGET_GROUP, "x" * 40)
    with pytest.raises(NamingError) as caught:
        names.check()
    assert caught.value.hint.startswith("mend the part in the tier module")
