"""The definition of the cutover's state machine, as it is deployed, and how a rehearsal may change it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.rehearse.account import Account

_LONGEST_FUNCTION_SECONDS = 900
# What the first states give all others: the budget of the freeze, and what is waited for at most without one.
_LIMITS = {"freeze_seconds", "most_seconds"}


def read_definition(account: Account) -> dict[str, Any]:
    """As it stands in the account."""
    machine = account["Cutover.StateMachineArn"]
    told = account.client("stepfunctions").describe_state_machine(stateMachineArn=machine)
    found: dict[str, Any] = json.loads(told["definition"])
    return found


def write_definition(account: Account, definition: Mapping[str, Any]) -> None:
    """For executions that begin from now on."""
    account.client("stepfunctions").update_state_machine(
        stateMachineArn=account["Cutover.StateMachineArn"], definition=json.dumps(definition)
    )


def called(machine: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each state of a machine, of its branches too, with the ARN of the function that it calls."""
    for name, state in _states(machine):
        if arn := state.get("Parameters", {}).get("FunctionName"):
            yield name, str(arn)


def stretch(account: Account, factor: int) -> None:
    """Give everything so many times the time that params say: the budget of the freeze, each state, each function.

    A rehearsal on a machine that does much else at once would else roll back for that alone.
    """
    if factor == 1:
        return
    definition = read_definition(account)
    for _, state in _states(definition):
        if "TimeoutSeconds" in state:
            state["TimeoutSeconds"] *= factor
        given = state.get("Parameters", {})
        for name in _LIMITS & set(given):
            given[name] *= factor
    write_definition(account, definition)
    functions = account.client("lambda")
    for name in {arn.rpartition(":")[2] for _, arn in called(definition)}:
        seconds = functions.get_function_configuration(FunctionName=name)["Timeout"]
        longer = min(seconds * factor, _LONGEST_FUNCTION_SECONDS)
        functions.update_function_configuration(FunctionName=name, Timeout=longer)


def _states(machine: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in machine["States"].items():
        yield name, state
        for branch in state.get("Branches", ()):
            yield from _states(branch)
