"""The workflow is run here by a small interpreter of the states it is made of, on a function that answers as told."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from templates.validation_workflow import workflow

PLAN = {
    "run_id": "run-1",
    "attempt": "run-1",
    "done": True,
    "items": 2,
    "tables": 2,
    "items_key": "work/run-1/items.json",
}
ITEMS = {"work/run-1/items.json": [{"item": 0, "lots": [[0, 0, 4]]}, {"item": 1, "lots": [[1, 0, 1]]}]}
PASS = {"run_id": "run-1", "verdict": "PASS", "mismatches": 0}
FEW: list[bool] = []
CONTEXT = {"Execution": {"Name": "run-1", "Input": {"settle_seconds": 0}}}


class CallFailed(Exception):
    pass


@pytest.fixture(autouse=True, params=["few", "many"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever holds of a run holds however many items it has: few are passed on by the states, many by S3."""
    if request.param == "few":
        monkeypatch.setattr(sys.modules[__name__], "FEW", [True])


class Function:
    """The function: `calls` are how often an item is called until it is done, `errors` what its calls end with."""

    def __init__(self, answer: Any = PASS, calls: Any = (), errors: Any = (), plans: Any = (PLAN,)) -> None:
        self.answer, self.calls, self.errors, self.plans = answer, dict(calls), dict(errors), list(plans)
        self.events: list[dict[str, Any]] = []

    def __call__(self, event: dict[str, Any]) -> Any:
        self.events.append(event)
        if event["action"] == "plan":
            assert event == {"action": "plan", "execution": "run-1", "input": {"settle_seconds": 0}}
            plan = self.plans.pop(0)
            return {**plan, "few": ITEMS[plan["items_key"]] if FEW and plan["items"] else []}
        assert event["run_id"] == "run-1"
        if event["action"] == "conclude":
            return self.answer
        assert event["attempt"] == "run-1"
        item = event["item"]["item"]
        if event["action"] == "abandon":
            return {"done": True}
        assert event["item"] in ITEMS["work/run-1/items.json"]
        if item in self.errors:
            raise CallFailed(self.errors[item])
        self.calls[item] = self.calls.get(item, 1) - 1
        return {"done": self.calls[item] <= 0, "large": "x" * 1000}

    def of(self, action: str) -> list[int]:
        return [event.get("item", {}).get("item") for event in self.events if event["action"] == action]


def run(function: Any) -> Any:
    """The name of the state that the execution ends in, and its output."""
    return run_states(workflow(900, 4), {}, function)


def run_states(machine: Any, data: Any, function: Any) -> Any:
    name = machine["StartAt"]
    while True:
        state = machine["States"][name]
        try:
            output = STATES[state["Type"]](state, data, function)
        except CallFailed as error:
            catch = next((c for c in state.get("Catch", []) if "States.ALL" in c["ErrorEquals"]), None)
            if catch is None:
                raise
            output = put(data, catch.get("ResultPath", "$"), {"Error": str(error), "Cause": "detail"})
            state = catch
        if state.get("End") or state.get("Type") in ("Succeed", "Fail"):
            return name, output
        name = output if state.get("Type") == "Choice" else state["Next"]
        data = data if state.get("Type") == "Choice" else output


def task(state: Any, data: Any, function: Any) -> Any:
    parameters = fill(state["Parameters"], data)
    assert parameters["FunctionName"] == "${FunctionArn}"
    result = {"Payload": function(parameters["Payload"])}
    if "ResultSelector" in state:
        result = fill(state["ResultSelector"], result)
    return look(put(data, state.get("ResultPath", "$"), result), state["OutputPath"])


def map_items(state: Any, data: Any, function: Any) -> Any:
    mode = state["ItemProcessor"]["ProcessorConfig"]["Mode"]
    assert mode == ("INLINE" if FEW else "DISTRIBUTED")
    if mode == "INLINE":
        items = look(data, state["ItemsPath"])
    else:
        assert state["ItemReader"]["Resource"] == "arn:aws:states:::s3:getObject"
        assert state["ItemReader"]["ReaderConfig"] == {"InputType": "JSON"}
        where = fill(state["ItemReader"]["Parameters"], data)
        assert where["Bucket"] == "${ReportBucket}"
        items = ITEMS[where["Key"]]
    results = []
    for item in items:
        given = fill(state["ItemSelector"], data, item)
        results.append(run_states(state["ItemProcessor"], given, function)[1])
    assert results == [{}] * len(results), "what all items give out must stay small"
    return put(data, state["ResultPath"], results)


def choose(state: Any, data: Any, function: Any) -> Any:
    for rule in state["Choices"]:
        if all(holds(part, data) for part in rule.get("And", [rule])):
            return rule["Next"]
    return state["Default"]


def holds(rule: Any, data: Any) -> Any:
    if rule == {**rule, "Variable": "$.few[0]", "IsPresent": True}:
        return bool(data["few"])
    if rule == {**rule, "Variable": "$.verdict", "IsPresent": True}:
        return "verdict" in data
    value = look(data, rule["Variable"])
    ((kind, wanted),) = [(key, rule[key]) for key in rule if key.endswith("Equals")]
    types = {"StringEquals": str, "NumericEquals": int, "BooleanEquals": bool}
    return type(value) is types[kind] and value == wanted


STATES: dict[str, Any] = {
    "Task": task,
    "Map": map_items,
    "Choice": choose,
    "Pass": lambda state, data, function: state["Result"],
    "Succeed": lambda state, data, function: data,
    "Fail": lambda state, data, function: {"Error": state["Error"], "Cause": state["Cause"]},
}


def fill(template: Any, data: Any, item: Any = None) -> Any:
    if not isinstance(template, dict):
        return template
    filled = {}
    for key, value in template.items():
        if not key.endswith(".$"):
            filled[key] = fill(value, data, item)
        elif value == "$$.Map.Item.Value":
            filled[key[:-2]] = item
        elif value.startswith("$$."):
            filled[key[:-2]] = look(CONTEXT, value[1:])
        else:
            filled[key[:-2]] = look(data, value)
    return filled


def look(data: Any, path: Any) -> Any:
    assert path.partition(".")[0] == "$"
    for part in path.split(".")[1:]:
        data = data[part]
    return data


def put(data: Any, path: Any, value: Any) -> Any:
    if path is None:
        return data
    return value if path == "$" else {**data, path.removeprefix("$."): value}


def test_ends_well_when_every_table_is_equal() -> None:
    function = Function()
    assert run(function)[0] == "Equal"
    assert [event["action"] for event in function.events] == ["plan", "compare", "compare", "conclude"]
    assert function.events[1]["item"] == {"item": 0, "lots": [[0, 0, 4]]}


def test_an_item_is_called_until_it_is_done() -> None:
    function = Function(calls={0: 3})
    assert run(function)[0] == "Equal"
    assert function.of("compare") == [0, 0, 0, 1]


def test_a_plan_is_called_until_it_is_done() -> None:
    function = Function(plans=[{**PLAN, "done": False, "items": 0}] * 2 + [PLAN])
    assert run(function)[0] == "Equal"
    assert len(function.of("plan")) == 3


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"verdict": "FAIL", "mismatches": 1}, "Mismatch"),
        ({"verdict": "INCONCLUSIVE", "mismatches": 0}, "Inconclusive"),
        ({"verdict": "PASS", "mismatches": 1}, "Mismatch"),
        ({"verdict": "pass", "mismatches": 0}, "Mismatch"),
        ({"verdict": "FAIL", "mismatches": 0}, "Mismatch"),
    ],
)
def test_no_answer_but_pass_without_mismatches_is_a_proof(answer: Any, state: str) -> None:
    ended, output = run(Function(answer))
    assert ended == state
    assert output["Error"] == state


def test_an_item_that_fails_hides_no_other_and_its_message_is_left_out() -> None:
    function = Function(errors={0: "Sandbox.Timedout"})
    assert run(function)[0] == "Equal", "that the report denies it is the function's part"
    assert function.of("compare") == [0, 1]
    (given_up,) = [event for event in function.events if event["action"] == "abandon"]
    assert given_up == {
        "action": "abandon",
        "run_id": "run-1",
        "attempt": "run-1",
        "item": ITEMS["work/run-1/items.json"][0],
        "error": "Sandbox.Timedout",
    }
    assert "detail" not in str(function.events)


def test_an_item_that_cannot_even_be_given_up_hides_no_other() -> None:
    class Broken(Function):
        def __call__(self, event: dict[str, Any]) -> Any:
            if event["action"] == "abandon":
                raise CallFailed("Lambda.Unknown")
            return super().__call__(event)

    function = Broken(errors={0: "Sandbox.Timedout"})
    assert run(function)[0] == "Equal"
    assert function.of("compare") == [0, 1]


def test_a_run_without_items_is_concluded_without_a_map() -> None:
    function = Function({"verdict": "INCONCLUSIVE", "mismatches": 0}, plans=[{**PLAN, "items": 0}])
    assert run(function)[0] == "Inconclusive"
    assert function.of("compare") == []


@pytest.mark.parametrize(
    ("verdict", "mismatches", "state"),
    [("PASS", 0, "Equal"), ("PASS", 1, "Mismatch"), ("INCONCLUSIVE", 0, "Inconclusive")],
)
def test_a_run_that_was_concluded_by_its_plan_is_judged_at_once(verdict: str, mismatches: int, state: str) -> None:
    function = Function(plans=[{**PLAN, "items": 1, "verdict": verdict, "mismatches": mismatches}])
    assert run(function)[0] == state
    assert [event["action"] for event in function.events] == ["plan"]


def test_a_plan_that_fails_fails_the_execution() -> None:
    def broken(event: Any) -> None:
        raise CallFailed("UsageError")

    with pytest.raises(CallFailed):
        run(broken)


RUN = workflow(900, 4)
ITEM = RUN["States"]["CompareItems"]["ItemProcessor"]
ITEM_OF_FEW = RUN["States"]["CompareFew"]["ItemProcessor"]


@pytest.mark.parametrize("machine", [RUN, ITEM, ITEM_OF_FEW], ids=["run", "item", "item of few"])
def test_every_state_that_is_named_exists_and_every_state_is_reached(machine: Any) -> None:
    reached, waiting = set(), [machine["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        state = machine["States"][name]
        waiting += [state[key] for key in ("Next", "Default") if key in state]
        waiting += [rule["Next"] for rule in (*state.get("Choices", ()), *state.get("Catch", ()))]
    assert reached == set(machine["States"])


def test_no_two_states_have_one_name_and_few_items_are_compared_as_many_are() -> None:
    names = [*RUN["States"], *ITEM["States"], *ITEM_OF_FEW["States"]]
    assert len(names) == len(set(names))
    told = json.dumps(ITEM_OF_FEW).replace("OneOfFew", "")
    assert json.loads(told) == {**ITEM, "ProcessorConfig": {"Mode": "INLINE"}}


def test_faults_of_lambda_itself_are_retried_everywhere_and_lost_comparisons_for_minutes() -> None:
    compare = ITEM["States"]["Compare"]
    for state in (RUN["States"]["Plan"], RUN["States"]["Conclude"], compare, ITEM["States"]["Abandon"]):
        assert state["Resource"] == "arn:aws:states:::lambda:invoke"
        faults = state["Retry"][0]
        assert set(faults["ErrorEquals"]) == {
            "Lambda.AWSLambdaException",
            "Lambda.ClientExecutionTimeoutException",
            "Lambda.SdkClientException",
            "Lambda.ServiceException",
            "Lambda.TooManyRequestsException",
        }
        for retry in state["Retry"]:
            assert set(retry) <= {
                "BackoffRate", "ErrorEquals", "IntervalSeconds", "JitterStrategy", "MaxAttempts", "MaxDelaySeconds",
            }  # fmt: skip
        assert faults["MaxAttempts"] >= 3
        assert faults["BackoffRate"] > 1
    last = compare["Retry"][-1]
    assert last["ErrorEquals"] == ["States.ALL"]
    waits = [min(last["IntervalSeconds"] * 2**n, last["MaxDelaySeconds"]) for n in range(last["MaxAttempts"])]
    assert 180 <= sum(waits) <= 600, "a failover of Aurora, or a restart of the source"
    assert all("States.ALL" not in retry["ErrorEquals"] for retry in RUN["States"]["Conclude"]["Retry"])
    assert "ConnectError" in RUN["States"]["Plan"]["Retry"][-1]["ErrorEquals"]
    assert "UsageError" not in str(RUN["States"]["Plan"]["Retry"])


def test_a_run_ends_within_a_day_and_items_are_compared_a_few_at_once() -> None:
    assert RUN["TimeoutSeconds"] == 86400
    assert [RUN["States"][name]["MaxConcurrency"] for name in ("CompareItems", "CompareFew")] == [4, 4]
    assert ITEM["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert RUN["States"]["CompareItems"]["Label"] == "Items"
    # One item that fails must fail nothing else: none of them is tolerated, because none fails.
    assert not {key for key in RUN["States"]["CompareItems"] if key.startswith("Tolerated")}
