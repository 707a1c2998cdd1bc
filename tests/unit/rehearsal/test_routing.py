"""Rules as DescribeRules answers them, and the share of requests that each target group gets."""

from __future__ import annotations

from collections import Counter

import pytest

from rehearsal.errors import RehearsalError
from rehearsal.routing import Fixed, Forward, Split, choose_route, group_name, read_rules

DC, BLUE, GREEN = (
    f"arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/{name}/1" for name in ("dc", "blue", "green")
)


def _forward(*weights):
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


def _rule(priority, action, *paths, **more):
    conditions = [{"Field": "path-pattern", "PathPatternConfig": {"Values": list(paths)}}] if paths else []
    return {"RuleArn": f"rule {priority}", "Priority": priority, "Conditions": conditions, "Actions": [action], **more}


def test_the_migration_rule_comes_before_production_and_the_default_last():
    default = _rule(
        "default", {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503", "MessageBody": "No."}}
    )
    production, migration = (
        _rule("100", _forward((BLUE, 100), (GREEN, 0)), "/*"),
        _rule("10", _forward((DC, 90), (BLUE, 10)), "/*"),
    )
    routes = read_rules([default, production, migration])
    assert choose_route(routes, "/payments").action == Forward(((DC, 90), (BLUE, 10)))
    assert choose_route(read_rules([default, production]), "/payments").action == Forward(((BLUE, 100), (GREEN, 0)))
    assert choose_route(read_rules([default]), "/payments").action == Fixed(503, "text/plain", "No.")
    assert choose_route((), "/payments") is None


@pytest.mark.parametrize(
    ("pattern", "path", "taken"),
    [("/*", "/a/b", True), ("/pay", "/pay", True), ("/pay", "/payments", False), ("/p?y", "/pay", True), ("/p?y", "/py", False),
     ("/a.b", "/aXb", False), ("/Pay", "/pay", False)],
)  # fmt: skip
def test_a_path_pattern_takes_a_path(pattern, path, taken):
    routes = read_rules([_rule("1", _forward((DC, 1)), "/never", pattern)])
    assert (choose_route(routes, path) is not None) == taken


def test_the_older_forms_of_rules_are_read_too():
    old = {
        **_rule("1", {"Type": "forward", "TargetGroupArn": DC}),
        "Conditions": [{"Field": "path-pattern", "Values": ["/a"]}],
    }
    (route,) = read_rules([old])
    assert route.action == Forward(((DC, 1),))
    assert choose_route([route], "/a") is route
    assert choose_route([route], "/b") is None


def test_what_it_does_not_know_is_refused_rather_than_guessed():
    by_header = {**_rule("7", _forward((DC, 1))), "Conditions": [{"Field": "http-header"}]}
    with pytest.raises(RehearsalError, match=r"no condition http-header \(rule 7\)"):
        read_rules([by_header])
    with pytest.raises(RehearsalError, match=r"no action redirect \(rule 8\)"):
        read_rules([_rule("8", {"Type": "redirect"})])


def test_requests_are_shared_exactly_by_weight_and_evenly_spread():
    split, forward = Split(), Forward(((DC, 90), (BLUE, 10), (GREEN, 0)))
    chosen = [split.choose(forward) for _ in range(1000)]
    assert Counter(chosen) == {DC: 900, BLUE: 100}
    for start in range(0, 1000, 10):
        assert chosen[start : start + 10].count(BLUE) == 1


def test_new_weights_hold_from_the_next_request_on():
    split = Split()
    for _ in range(7):
        split.choose(Forward(((DC, 100), (BLUE, 0))))
    assert {split.choose(Forward(((DC, 0), (BLUE, 100)))) for _ in range(50)} == {BLUE}
    assert split.choose(Forward(((DC, 0), (BLUE, 0)))) is None


def test_a_group_is_called_by_its_name():
    assert group_name(DC) == "dc"
    assert group_name("anything") == "anything"
