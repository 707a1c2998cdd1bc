"""Two deployments at once: one wins, the other says so, and the state is the winner's."""

from __future__ import annotations

import threading


def meet_before(faulty, step):
    """Nobody gets past `step` before both have come to it."""
    barrier = threading.Barrier(2)
    waited = set()

    def plan(call):
        if call.name == step and len(waited) < 2:
            waited.add(call.number)
            barrier.wait(120)

    faulty.proxy.clear()
    faulty.proxy.plan = plan


def both(faulty, step, *arguments):
    meet_before(faulty, step)
    children = [faulty.start(*arguments), faulty.start(*arguments)]
    for child in children:
        child.end()
    faulty.proxy.clear()
    for child in children:
        assert "Traceback" not in child.err
    return sorted(children, key=lambda child: child.code)


def test_both_want_to_execute_a_change(world, faulty):
    world.deployed().title("new")
    winner, loser = both(faulty, "ExecuteChangeSet")
    assert (winner.code, loser.code) == (0, 1), loser.err
    assert "error: " in loser.err
    assert "\nnext: " in loser.err
    done = faulty.run("--yes", "--wait", "30")
    assert done.code == 0, done.err
    faulty.is_right("new")


def test_both_want_to_make_the_first(world, faulty):
    world.run("account", "--yes")
    winner, loser = both(faulty, "ExecuteChangeSet")
    assert (winner.code, loser.code) == (0, 1), loser.err
    done = faulty.run("--yes", "--wait", "30")
    assert done.code == 0, done.err
    assert world.status() == "CREATE_COMPLETE"


def test_both_begin_with_nothing_at_all(empty, faulty):
    """Even the account's stack and the bucket: whoever loses anywhere says so, and a re-run ends well."""
    codes = [child.code for child in both(faulty, "DescribeStacks")]
    assert set(codes) <= {0, 1}
    done = faulty.run("--yes", "--wait", "30")
    assert done.code == 0, done.err
    assert (empty.status(), empty.status("shop-account")) == ("CREATE_COMPLETE", "CREATE_COMPLETE")
    assert set(empty.outputs()) == {"OrdersArn", "Alarms.AlarmArn", "Topics.OrdersArn", "Logs.RequestsName"}
