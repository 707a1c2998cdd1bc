"""The workflow is run here by a small interpreter of the states it is made of, with the function's own summary."""

from __future__ import annotations

import re
from typing import Any

import pytest

from templates.validation_workflow import workflow
from validator import aws
from validator.catalog import Table
from validator.compare import TableResult
from validator.handler import handle
from validator.report import lines

NO_CONTEXT: Any = None

PLAN = {
    "run_id": "run-1",
    "tables": [{"schema": "public", "table": "payments"}, {"schema": "public", "table": "ledger"}],
    "skipped": [{"schema": "public", "name": "totals", "kind": "view"}],
}


class CallFailed(Exception):
    pass


class Function:
    """The validator with made-up tables: every one PASS, but for the verdicts and errors given; its summary is real."""

    def __init__(self, verdicts: Any = (), errors: Any = (), plan: Any = PLAN, answer: Any = None) -> None:
        self.verdicts, self.errors, self.plan, self.answer = dict(verdicts), dict(errors), plan, answer or {}
        self.report: dict[str, Any] = {}

    def __call__(self, event: dict[str, Any]) -> Any:
        if event["action"] == "plan":
            return self.plan
        if event["action"] == "compare":
            table = Table(event["table"]["schema"], event["table"]["table"])
            if table.name in self.errors:
                raise CallFailed(self.errors[table.name])
            verdict = self.verdicts.get(table.name, "PASS")
            return {"run_id": event["run_id"], **TableResult(table, verdict).document()}
        assert set(event) == {"action", "run_id", "tables", "skipped", "results"}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("REPORT_BUCKET", "reports")
            patch.setenv("METRIC_NAMESPACE", "validation")
            patch.setattr(aws, "client", lambda service: None)
            patch.setattr(aws, "write_report", lambda storage, bucket, report: self.report.update(report))
            patch.setattr(aws, "put_metrics", lambda metrics, namespace, report: None)
            return {**handle(event, NO_CONTEXT), **self.answer}


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
            output, state = put(data, catch["ResultPath"], {"Error": str(error), "Cause": "detail"}), catch
        if state.get("End") or state.get("Type") in ("Succeed", "Fail"):
            return name, output
        name = output if state.get("Type") == "Choice" else state["Next"]
        data = data if state.get("Type") == "Choice" else output


def task(state: Any, data: Any, function: Any) -> Any:
    parameters = fill(state["Parameters"], data)
    assert parameters["FunctionName"] == "${FunctionArn}"
    return look({"Payload": function(parameters["Payload"])}, state["OutputPath"])


def map_items(state: Any, data: Any, function: Any) -> Any:
    results = []
    for item in look(data, state["ItemsPath"]):
        given = fill(state["ItemSelector"], data, item)
        results.append(run_states(state["ItemProcessor"], given, function)[1])
    return put(data, state["ResultPath"], results)


def choose(state: Any, data: Any, function: Any) -> Any:
    for rule in state["Choices"]:
        if all(holds(part, data) for part in rule.get("And", [rule])):
            return rule["Next"]
    return state["Default"]


def holds(rule: Any, data: Any) -> Any:
    value = look(data, rule["Variable"])
    return value == (rule["StringEquals"] if "StringEquals" in rule else rule["NumericEquals"])


STATES: dict[str, Any] = {
    "Task": task,
    "Map": map_items,
    "Choice": choose,
    "Pass": lambda state, data, function: fill(state["Parameters"], data),
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
        elif match := re.fullmatch(r"States\.Format\('([^']*)', (\$[^)]*)\)", value):
            filled[key[:-2]] = match[1].replace("{}", look(data, match[2]))
        else:
            filled[key[:-2]] = look(data, value)
    return filled


def look(data: Any, path: Any) -> Any:
    assert path.partition(".")[0] == "$"
    for part in path.split(".")[1:]:
        data = data[part]
    return data


def put(data: Any, path: Any, value: Any) -> Any:
    return {**data, path.removeprefix("$."): value}


def test_ends_well_when_every_table_is_equal() -> None:
    function = Function()
    assert run(function)[0] == "Equal"
    assert function.report["compared"] == 2
    assert function.report["skipped"] == PLAN["skipped"]


def test_fails_after_the_report_when_a_table_differs() -> None:
    function = Function(verdicts={"ledger": "FAIL"})
    state, output = run(function)
    assert state == "Mismatch"
    assert output["Error"] == "Mismatch"
    assert function.report["mismatches"] == 1


def test_fails_otherwise_when_a_table_could_not_be_compared() -> None:
    function = Function(verdicts={"ledger": "INCONCLUSIVE"})
    assert run(function)[0] == "Inconclusive"


def test_a_table_that_fails_hides_no_other_and_its_message_is_left_out() -> None:
    function = Function(verdicts={"payments": "FAIL"}, errors={"ledger": "Sandbox.Timedout"})
    assert run(function)[0] == "Mismatch"
    assert function.report["problems"] == []
    (ledger,) = [table for table in function.report["tables"] if table["table"] == "ledger"]
    assert ledger["verdict"] == "INCONCLUSIVE"
    assert ledger["reason"] == "the comparison ended with Sandbox.Timedout"
    assert "detail" not in str(function.report)
    assert any("the comparison ended with Sandbox.Timedout" in line for line in lines(function.report))


def test_a_table_that_was_not_compared_has_a_result_of_the_same_form() -> None:
    function = Function(errors={"ledger": "Sandbox.Timedout"})
    run(function)
    payments, ledger = sorted(function.report["tables"], key=lambda table: table["verdict"], reverse=True)
    assert (payments["verdict"], ledger["verdict"]) == ("PASS", "INCONCLUSIVE")
    assert set(ledger) == set(payments)
    assert set(ledger["rows"]) == set(payments["rows"])
    assert set(ledger["checksum"]) == set(payments["checksum"])


def test_fails_when_there_is_nothing_to_compare() -> None:
    assert run(Function(plan={**PLAN, "tables": []}))[0] == "Inconclusive"


@pytest.mark.parametrize("answer", [{"mismatches": 1}, {"verdict": "pass"}, {"verdict": "FAIL", "mismatches": 0}])
def test_no_answer_but_pass_without_mismatches_is_a_proof(answer: Any) -> None:
    assert run(Function(answer=answer))[0] == "Mismatch"


def test_a_plan_that_fails_fails_the_execution() -> None:
    def broken(event: Any) -> None:
        raise CallFailed("UsageError")

    with pytest.raises(CallFailed):
        run(broken)


RUN = workflow(900, 4)
TABLE = RUN["States"]["CompareTables"]["ItemProcessor"]


@pytest.mark.parametrize("machine", [RUN, TABLE], ids=["run", "table"])
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


def test_faults_of_lambda_itself_are_retried_everywhere_and_lost_comparisons_too() -> None:
    machine = workflow(900, 4)
    compare = machine["States"]["CompareTables"]["ItemProcessor"]["States"]["Compare"]
    for state in (machine["States"]["Plan"], machine["States"]["Summarise"], compare):
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
    assert compare["Retry"][-1]["ErrorEquals"] == ["States.ALL"]
    assert all("States.ALL" not in retry["ErrorEquals"] for retry in machine["States"]["Summarise"]["Retry"])


def test_a_run_ends_within_a_day_and_tables_are_compared_a_few_at_once() -> None:
    machine = workflow(900, 4)
    assert machine["TimeoutSeconds"] == 86400
    assert machine["States"]["CompareTables"]["MaxConcurrency"] == 4
    assert machine["States"]["CompareTables"]["ItemProcessor"]["ProcessorConfig"] == {"Mode": "INLINE"}
