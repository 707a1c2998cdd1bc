"""The Lambda function's door, for the steps of a run as the state machine calls them.

    {"action": "plan", "execution", "input": {…}} → {"run_id", "attempt", "done", "items", "tables", "items_key", "few"}
    {"action": "compare", "run_id", "attempt", "item": {…}} → {"run_id", "attempt", "item", "done"}
    {"action": "abandon", "run_id", "attempt", "item", "error"} → the same, done
    {"action": "conclude", "run_id"} → {"run_id", "verdict", "mismatches", "inconclusive", "tables", "report_key"}

`few` are the items themselves where they are so few that a state may pass them on; else it is empty. What is one item
or none is compared and concluded by the call that has planned it, for a cutover waits for it; then its answer has what
that of `conclude` has.
`plan` and `compare` answer `done: false` when their time is short, and are called again with the same event. `input` is
that of the execution (see validator/order.py); its `run_id` takes up an earlier run, else the execution's name is it.

Environment: SOURCE_SECRET_ARN, TARGET_SECRET_ARN, SOURCE_CA, TARGET_CA (PEM files, relative to the function's code),
SCHEMAS and CARD_COLUMNS (comma separated), REPORT_BUCKET, METRIC_NAMESPACE, SETTLE_SECONDS, DEADLINE_SECONDS, MAX_SHARE
(of its time that a connection may keep the source busy, above 0 up to 1, where a run asks for no other), HASH (auto,
fast, md5), ITEM_ROWS.

What a run cannot do without (settings, a reachable database, a place for the report) raises, so that the state machine
tries again or fails; what goes wrong with one table is that table's INCONCLUSIVE. One line of JSON is logged per call,
without keys or values of rows.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, Protocol

from validator import aws, environment, variables
from validator.behind import Behind
from validator.comparison import Options
from validator.conclusion import conclude_run
from validator.errors import ConnectError, ConnectionLostError, UsageError
from validator.order import Order, read_order, run_id_of
from validator.places import items_key, plan_key, report_key
from validator.planning import Planner, Scope
from validator.sessions import with_sides
from validator.settle import Patience
from validator.store import Bucket, Store
from validator.tables import Tables
from validator.work import Call, Item, least_watch

# Kept from the end of the work to that of the function, to say what happened.
_MARGIN_SECONDS = 15
# A statement may take a third of a call: then one is never cut short by the function's own end, and whatever begins a
# call has the time for a slice.
_SLICES_OF_A_CALL = 3
# What is worth no executions of its own, and fits several times into what a state may pass on (256 KiB).
_FEW, _FEW_BYTES = 8, 32_768
# What the call that plans it compares too.
_AT_ONCE = 1
_LOGGED = ("run_id", "attempt", "item", "done", "verdict", "tables", "items", "mismatches", "inconclusive")


class Context(Protocol):
    """What is read of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int: ...


def handle(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Do one step of a run; raises `ValidatorError` with a sentence that says what is wrong."""
    actions: dict[str, Callable[[dict[str, Any], Context], dict[str, Any]]] = {
        "plan": _plan,
        "compare": _compare,
        "abandon": _abandon,
        "conclude": _conclude,
    }
    action = event.get("action")
    if action not in actions:
        raise UsageError(f"action {action!r} is not known", hint="known are " + ", ".join(actions))
    began = time.monotonic()
    answer = actions[action](event, context)
    told = {key: answer[key] for key in _LOGGED if key in answer}
    if isinstance(told.get("item"), dict):
        told["item"] = told["item"]["item"]
    print(json.dumps({"action": action, "seconds": round(time.monotonic() - began, 3), **told}))
    return answer


def _plan(event: dict[str, Any], context: Context) -> dict[str, Any]:
    order = read_order(
        event["input"],
        variables.number("SETTLE_SECONDS"),
        variables.number("DEADLINE_SECONDS"),
        environment.share() * 100,
    )
    run_id, attempt = run_id_of(event["input"], event["execution"]), event["execution"]
    store, clock = _store(), _Clock(context, order)
    if run_id != attempt and store.read(plan_key(run_id)) is None:
        raise UsageError(f"there is no run {run_id} to take up", hint="its work expires: start a new one")
    patience = Patience(order.settle_seconds, order.deadline_seconds)
    longest = max(least_watch(patience), patience.deadline_seconds)
    if longest > clock.seconds():
        raise UsageError(
            f"rows are to be watched for {longest:g} s, and a call of the function has {clock.seconds():g}",
            hint="lower deadline_seconds and settle_seconds, or raise validation.timeout_seconds",
        )
    scope = Scope(
        environment.schemas(), environment.options(order), environment.cards(), int(variables.number("ITEM_ROWS"))
    )
    with Behind(store) as behind:
        plan = with_sides(
            clock.statement_seconds, lambda sides: Planner(sides, behind, run_id, order, scope).plan(clock.seconds)
        )
        # Planned by an earlier call, it may have been too much for that one.
        fresh = plan if behind.wrote(plan_key(run_id)) else None
        concluding = fresh is not None and _compare_at_once(behind, fresh, attempt, scope.options, clock)
    answer = {"run_id": run_id, "attempt": attempt, "done": plan is not None, "items": 0, "tables": 0, "few": []}
    if plan is not None:
        answer |= {"items": len(plan["items"]), "tables": len(plan["tables"]), "few": _few(plan["items"])}
    return {**answer, "items_key": items_key(run_id), **(_concluded(store, run_id, plan) if concluding else {})}


def _compare_at_once(store: Store, plan: dict[str, Any], attempt: str, options: Options, clock: _Clock) -> bool:
    """Compare what is small; what a database that goes away cuts short the state machine tries again, patiently."""
    if len(plan["items"]) > _AT_ONCE or clock.seconds() < clock.slice_seconds:
        return False
    try:
        return all(_advance(store, plan, entry, attempt, options, clock) for entry in plan["items"])
    except (ConnectError, ConnectionLostError):
        return False


def _advance(
    store: Store, plan: dict[str, Any], entry: dict[str, Any], attempt: str, options: Options, clock: _Clock
) -> bool:
    item = Item(store, plan["run_id"], entry, Tables(store, plan["run_id"], plan))
    call = Call(clock.seconds, clock.slice_seconds)
    return with_sides(clock.statement_seconds, lambda sides: item.advance(sides, attempt, options, call))


def _few(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return items if len(items) <= _FEW and len(json.dumps(items)) <= _FEW_BYTES else []


def _compare(event: dict[str, Any], context: Context) -> dict[str, Any]:
    store = _store()
    plan = store.read(plan_key(event["run_id"]))
    if plan is None:
        raise UsageError(f"run {event['run_id']} has no plan", hint="start a new run")
    order = Order.of(plan["order"])
    done = _advance(store, plan, event["item"], event["attempt"], environment.options(order), _Clock(context, order))
    return {**_passed_on(event), "done": done}


def _abandon(event: dict[str, Any], _context: Context) -> dict[str, Any]:
    """The error's name is kept and its message left out: what is not ours may hold values of rows."""
    error = f"the comparison ended with {event['error']}"
    Item(_store(), event["run_id"], event["item"]).abandon(event["attempt"], error)
    return {**_passed_on(event), "done": True}


def _passed_on(event: dict[str, Any]) -> dict[str, Any]:
    return {name: event[name] for name in ("run_id", "attempt", "item")}


def _conclude(event: dict[str, Any], _context: Context) -> dict[str, Any]:
    return _concluded(_store(), event["run_id"])


def _concluded(store: Store, run_id: str, plan: dict[str, Any] | None = None) -> dict[str, Any]:
    report = conclude_run(store, run_id, environment.cards(), plan=plan)
    aws.put_metrics(aws.client("cloudwatch"), variables.text("METRIC_NAMESPACE"), report)
    return {
        "run_id": report["run_id"],
        "verdict": report["verdict"],
        "mismatches": report["mismatches"],
        "inconclusive": report["inconclusive"],
        "tables": report["compared"],
        "report_key": report_key(report["run_id"], "json"),
    }


class _Clock:
    """What a call has left, in seconds."""

    def __init__(self, context: Context, order: Order) -> None:
        self._context = context
        budget = self.seconds()
        self.slice_seconds = max(budget / _SLICES_OF_A_CALL, 1.0)
        # Beside the statement, the source is left alone for its share of the time.
        self.statement_seconds = max(int(self.slice_seconds * order.max_share_percent / 100), 1)

    def seconds(self) -> float:
        return max(self._context.get_remaining_time_in_millis() / 1000 - _MARGIN_SECONDS, 0.0)


def _store() -> Bucket:
    return Bucket(aws.client("s3"), variables.text("REPORT_BUCKET"))
