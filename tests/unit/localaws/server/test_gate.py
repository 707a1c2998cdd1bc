from __future__ import annotations

import threading
import time

from localaws.gate import Gate, carried, outside


def _in_thread(work: object) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_requests_pass_side_by_side() -> None:
    gate, both = Gate(), threading.Barrier(2, timeout=10)

    def request() -> None:
        with gate.passing():
            both.wait()

    threads = [_in_thread(request), _in_thread(request)]
    for thread in threads:
        thread.join(10)
    assert not both.broken


def test_nobody_passes_while_it_is_quiet() -> None:
    gate, order = Gate(), []
    with gate.quiet(10) as alone:
        assert alone
        thread = _in_thread(lambda: _pass(gate, order))
        thread.join(0.05)
        order.append("quiet")
    thread.join(10)
    assert order == ["quiet", "passed"]


def _pass(gate: Gate, order: list[str]) -> None:
    with gate.passing():
        order.append("passed")


def test_it_is_not_quiet_while_a_request_is_inside() -> None:
    gate, order = Gate(), []
    with gate.passing():
        done = _in_thread(lambda: order.append(_try_quiet(gate)))
        done.join(10)
        assert order == [False]
        # and whoever comes now is let in again
        _in_thread(lambda: _pass(gate, order)).join(10)
    assert order == [False, "passed"]
    with gate.quiet(10) as alone:
        assert alone


def _try_quiet(gate: Gate) -> bool:
    with gate.quiet(0) as alone:
        return alone


def test_a_request_within_a_request_does_not_wait() -> None:
    gate = Gate()
    with gate.passing(), gate.passing():
        pass
    with gate.quiet(10) as alone:
        assert alone


def test_a_request_that_waits_outside_keeps_nobody_from_quiet() -> None:
    gate, quiet = Gate(), []
    with gate.passing():
        with outside(), gate.quiet(0) as alone:
            quiet.append(alone)
        quiet.append(_in_thread_quiet(gate))
    assert quiet == [True, False]


def _in_thread_quiet(gate: Gate) -> bool:
    found: list[bool] = []
    _in_thread(lambda: found.append(_try_quiet(gate))).join(10)
    return found[0]


def test_what_is_no_request_is_outside_already() -> None:
    with outside():
        pass


def test_remembers_when_somebody_passed_last() -> None:
    gate = Gate()
    before = time.monotonic()
    with gate.passing():
        pass
    assert before <= gate.last_passed <= time.monotonic()


def test_a_thread_that_a_request_leaves_behind_passes_for_itself() -> None:
    gate, order = Gate(), []
    with gate.passing():
        work = carried(order.append)
    with gate.quiet(10) as alone:
        assert alone
        thread = _in_thread(lambda: work("left behind"))
        thread.join(0.05)
        order.append("quiet")
    thread.join(10)
    assert order == ["quiet", "left behind"]


def test_a_thread_of_no_request_is_kept_from_nothing() -> None:
    order: list[str] = []
    carried(order.append)("free")
    assert order == ["free"]


def test_two_who_want_quiet_have_it_one_after_the_other() -> None:
    gate, order = Gate(), []

    def second() -> None:
        with gate.quiet(10) as alone:
            order.append(alone)

    with gate.quiet(10) as alone:
        assert alone
        with gate.quiet(0) as other:
            assert not other
        assert gate._closed
        thread = _in_thread(second)
        thread.join(0.05)
        order.append("first")
    thread.join(10)
    assert order == ["first", True]
    assert not gate._closed
