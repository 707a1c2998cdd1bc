"""Corrections to moto's Step Functions: executions that start others or are stopped, and branches that fail."""

from __future__ import annotations

from typing import Any

from localaws.shims.patch import added, around

# How often the end of a nested execution is looked for; Step Functions is told of it.
_LOOK_SECONDS = 0.05


def start_executions_from_executions() -> None:
    """Tasks like states:startExecution.sync:2 write parameters and answers with capitals; moto's own API takes neither.

    https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
    """
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
        state_task_service_callback as callback,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import (
        StateTaskServiceSfn,
    )

    vars(callback)["_DELAY_SECONDS_SYNC_CONDITION_CHECK"] = _LOOK_SECONDS

    @around(StateTaskServiceSfn, "_normalise_parameters")
    def normalise_parameters(original: Any, self: Any, parameters: dict[str, Any], *rest: Any, **named: Any) -> None:
        original(self, parameters, *rest, **named)
        _rename(parameters, str.lower)

    @around(StateTaskServiceSfn, "_eval_service_task")
    def eval_service_task(original: Any, self: Any, env: Any, *rest: Any, **named: Any) -> None:
        original(self, env, *rest, **named)
        _rename(env.stack[-1], str.upper)

    @around(StateTaskServiceSfn, "_eval_sync")
    def eval_sync(original: Any, self: Any, **named: Any) -> Any:
        # Nobody has a token of it; the thread that waits for one dies of its execution's end.
        return original(self, **{**named, "callback_endpoint": None})

    @around(StateTaskServiceSfn, "_build_sync2_resolver")
    def build_sync2_resolver(original: Any, self: Any, **named: Any) -> Any:
        # It asks over HTTP whether the other execution has ended, which keeps this server from anything else.
        arn = named["env"].stack[-1]["ExecutionArn"]
        resolve = original(self, **named)
        return lambda: resolve() if _has_ended(arn) else None

    @added(StateTaskServiceSfn)
    def _normalise_response(_self: Any, response: Any, **_: Any) -> None:
        _rename(response, str.upper)


def _has_ended(arn: str) -> bool:
    """Whether an execution runs no more, by moto's own record of it."""
    from moto.stepfunctions.parser.models import stepfunctions_parser_backends as backends

    _, _, _, region, account, *_ = arn.split(":")
    return str(backends[account][region].describe_execution(arn).status) != "RUNNING"


def _rename(document: dict[str, Any], first: Any) -> None:
    """Write the first letter of every key another way, in place."""
    renamed = {first(key[0]) + key[1:]: value for key, value in document.items()}
    document.clear()
    document.update(renamed)


def let_branches_fail_by_errors_of_the_service() -> None:
    """A branch of a Parallel may fail by States.TaskFailed or States.Timeout as well, and what catches that goes on.

    moto takes the name for one that a state machine had made up, and ends the execution.
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
    from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branches_decl

    class AnyErrorName(ErrorName):  # type: ignore[misc]  # moto has no types
        """A name as the branch has told it."""

    vars(branches_decl)["CustomErrorName"] = AnyErrorName


def keep_what_was_stopped_stopped() -> None:
    """An execution that is stopped is ABORTED, whatever its states meet afterwards.

    moto stumbles over the end of the iterations of an inline Map, and says FAILED.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html
    """
    from moto.stepfunctions.parser.asl.eval.environment import Environment
    from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped

    @around(Environment, "set_error")
    def set_error(original: Any, self: Any, *given: Any, **named: Any) -> None:
        if not isinstance(self.program_state(), ProgramStopped):
            original(self, *given, **named)


def end_branches_that_were_stopped_as_they_began() -> None:
    """An execution that is stopped while a Parallel begins ends as well.

    In moto such a branch dies of it without a word, and the execution waits for it, RUNNING, for good.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html
    """
    from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branch_worker import BranchWorker

    @around(BranchWorker, "_thread_routine")
    def thread_routine(original: Any, self: Any) -> None:
        try:
            original(self)
        except RuntimeError:  # no state can follow in what was stopped
            self._branch_worker_comm.on_terminated(env=self.env)
