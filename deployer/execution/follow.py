"""Follow: watch an operation of the whole tree to its end, whatever the network does meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from deployer.aws import Aws, error_code, error_text, translate
from deployer.clock import CLOCK, Clock
from deployer.errors import AwsError, ChangeSetError
from deployer.execution.durations import duration
from deployer.execution.events import Event, TreeEvents
from deployer.execution.interruption import watching
from deployer.execution.lookups import ECS_SERVICE, ecs_details, look_closer
from deployer.execution.progress import Reporter
from deployer.execution.result import Result, result_of
from deployer.execution.start import execution_status
from deployer.execution.tally import Tally
from deployer.stacks import StackState, describe_stack

Answer = TypeVar("Answer")

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_TICK = 0.5
_QUIET = 30.0  # after so many seconds without an event the stack itself is asked
_LONGEST_BEGIN = 600.0  # an execution that was accepted and shows nothing for so long is none
_ATTEMPTS = 6  # of a read, each of them after botocore's own; with the pauses between them some five minutes
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 60.0
_THROTTLED = re.compile(r"Throttl|RequestLimitExceeded|TooManyRequests|SlowDown")
_FIRST_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Watch:
    """By what an operation is followed: who is told, the command that resumes watching, and the clock.

    `expected` is the number of resources of each tier, as far as it is known.
    """

    say: Reporter
    resume: str
    clock: Clock = CLOCK
    expected: Mapping[str, int] = field(default_factory=dict)


def follow(aws: Aws, stack: StackState, watch: Watch, since: str | None = None, change_set_arn: str = "") -> Result:
    """Watch until the root stack has ended, clean-up included. There is no limit of time: a database takes its hour.

    `since` is the newest event of the root stack from before the operation; None follows the last operation from its
    begin, be it over or not. `change_set_arn` is what was just executed, to be asked when nothing is heard. Dropped
    connections and throttling are waited for, with a bound; an interruption ends the watching and nothing else.
    """
    follower = _Follower(aws, stack, watch, since, change_set_arn)
    with watching(stack.name, watch.resume):
        try:
            return follower.run()
        finally:
            watch.say.close(follower.tally)


def past_operation(aws: Aws, stack: StackState) -> Result:
    """How the last operation of a stack at rest ended, told from its events."""
    tree = TreeEvents(stack.id)
    with translate("read the events of", f"stack {stack.name}"):
        tree.read(lambda stack_id, token: fetch_page(aws, stack.id, stack_id, token))
    now = max((event.at for event in tree.events), default=0.0)
    tally = Tally(stack.name, {})
    tally.add(tree.events, now)
    return _looked_up(aws, result_of(stack, stack, tree.events, tally, now), tree.events, {})


def fetch_page(aws: Aws, root_id: str, stack_id: str, token: str | None) -> Mapping[str, Any]:
    """One page of a stack's events; an empty one for a nested stack that AWS has forgotten, or does not know yet."""
    from botocore.exceptions import ClientError

    try:
        if token is None:
            return aws.cloudformation.describe_stack_events(StackName=stack_id)
        return aws.cloudformation.describe_stack_events(StackName=stack_id, NextToken=token)
    except ClientError as error:
        if stack_id != root_id and error_code(error) == "ValidationError" and "does not exist" in error_text(error):
            return {"StackEvents": []}
        raise


def _looked_up(aws: Aws, result: Result, events: Sequence[Event], known: Mapping[str, tuple[str, ...]]) -> Result:
    began = events[0].at if events else 0.0
    return replace(
        result,
        failures=look_closer(aws, result.failures, began, known),
        blocked=look_closer(aws, result.blocked, began, known),
    )


class _Follower:
    """The loop, and what it remembers from poll to poll."""

    def __init__(self, aws: Aws, stack: StackState, watch: Watch, since: str | None, change_set_arn: str) -> None:
        self.tally = Tally(stack.name, watch.expected)
        self._aws = aws
        self._stack = stack
        self._watch = watch
        self._change_set_arn = change_set_arn
        self._tree = TreeEvents(stack.id, after=since)
        self._services: dict[str, tuple[str, ...]] = {}
        local = urlsplit(aws.cloudformation.meta.endpoint_url).hostname in _LOOPBACK
        self._shortest, self._longest = (0.1, 1.0) if local else (1.0, 5.0)

    def run(self) -> Result:
        """Poll until the end: often while something happens, ever more rarely while nothing does."""
        clock = self._watch.clock
        began = heard = clock.now()
        pause = self._shortest
        while True:
            if self._read():
                pause, heard = self._shortest, clock.now()
            status = self._tree.root.status
            ended = status != "" and not status.endswith("_IN_PROGRESS")
            if ended or clock.now() - heard >= _QUIET:
                heard = clock.now()
                state = self._patiently(lambda: describe_stack(self._aws, self._stack.id))
                if self._is_over(state, heard - began):
                    return self._finish(state)
            self._wait(pause)
            pause = min(pause * 1.5, self._longest)

    def _read(self) -> list[Event]:
        fresh = self._patiently(self._read_tree)
        self.tally.add(fresh, self._watch.clock.epoch())
        self._watch.say.show(fresh, self.tally)
        for event in fresh:
            # At once: a rollback deletes the service, and nobody knows its tasks any more.
            if event.type == ECS_SERVICE and event.failed and event.physical_id:
                self._services[event.physical_id] = ecs_details(self._aws, event.physical_id)
        return fresh

    def _read_tree(self) -> list[Event]:
        with translate("read the events of", f"stack {self._stack.name}"):
            return self._tree.read(self._fetch)

    def _fetch(self, stack_id: str, token: str | None) -> Mapping[str, Any]:
        return fetch_page(self._aws, self._stack.id, stack_id, token)

    def _is_over(self, state: StackState | None, waited: float) -> bool:
        """Whether the operation has ended, by the stack's own word.

        That word is nothing before the first event: a read may still say REVIEW_IN_PROGRESS, or what was before the
        update, when the execution is well under way (aws-cdk-cli PR #1848). The change set is asked then.
        """
        if self._tree.events or not self._change_set_arn:
            stale = state is not None and state.status.is_review and bool(self._tree.events)
            return state is None or (state.status.ended and not stale)
        status, reason = self._patiently(lambda: execution_status(self._aws, self._change_set_arn))
        if status == "EXECUTE_FAILED":
            raise ChangeSetError(
                f"{self._stack.name}: the change set could not be executed: {reason or 'AWS gives no reason'}",
                hint="review again",
            )
        if status != "EXECUTE_COMPLETE" and waited >= _LONGEST_BEGIN:
            raise AwsError(
                f"{self._stack.name}: nothing has happened for {duration(waited)} since its change set was executed; "
                f"that is {status or 'gone'} now",
                hint=f"see: {self._watch.resume}",
            )
        return status == "EXECUTE_COMPLETE"

    def _finish(self, state: StackState | None) -> Result:
        self._tree.sweep()
        self._read()
        now = self._watch.clock.epoch()
        return _looked_up(
            self._aws,
            result_of(self._stack, state, self._tree.events, self.tally, now),
            self._tree.events,
            self._services,
        )

    def _patiently(self, call: Callable[[], Answer]) -> Answer:
        """`call`, repeated where the network or AWS breaks down; what cannot pass by itself ends the watching."""
        pause, attempt = _FIRST_PAUSE, 1
        while True:
            try:
                return call()
            except AwsError as error:
                what = "; ".join(error.problems)
                if attempt == _ATTEMPTS or not _passes(error.__cause__):
                    raise AwsError(
                        [
                            *error.problems,
                            f"{self._stack.name} goes on by itself, but can no longer be watched from here",
                        ],
                        hint="; then ".join(filter(None, (error.hint, f"watch again: {self._watch.resume}"))),
                    ) from error
                self._watch.say.note(f"{what}; the stack goes on, asking again in {duration(pause)}")
            self._wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            attempt += 1

    def _wait(self, seconds: float) -> None:
        while seconds > 0:
            step = min(_TICK, seconds)
            self._watch.clock.sleep(step)
            self._watch.say.tick(self.tally)
            seconds -= step


def _passes(error: BaseException | None) -> bool:
    """Whether a failure may pass by itself: a dropped connection, a damaged answer, throttling, a server error."""
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, IncompleteReadError  # noqa: A004
    from botocore.parsers import ResponseParserError

    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= _FIRST_SERVER_ERROR or bool(_THROTTLED.search(error_code(error)))
    return isinstance(error, ConnectionError | HTTPClientError | IncompleteReadError | ResponseParserError)
