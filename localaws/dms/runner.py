"""The tasks that are at work: a worker for each, and who removes what a deleted one has left on the servers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from localaws.dms import objects
from localaws.dms.metrics import Metrics
from localaws.dms.places import Places, UnresolvedError
from localaws.dms.postgres import Link, Place
from localaws.dms.runs import BUSY, Run, object_name
from localaws.dms.store import Item, Json, Store, find
from localaws.dms.worker import Surroundings, Worker

_OBEY_SECONDS = 15.0
_REMOVE_TRIES = 3
_REMOVE_PAUSE_SECONDS = 0.2
_STATEMENT_SECONDS = 15.0
log = logging.getLogger("localaws")


class Runner:
    """Starts and ends workers; every method but `close`, `resume` and `fault` is called with `lock` held."""

    def __init__(
        self, store: Store, lock: threading.RLock, places: Places, metrics: Any, changed: Callable[[], None]
    ) -> None:
        self._store = store
        self._lock = lock
        self._places = places
        self._metrics = metrics
        self._changed = changed
        self._workers: dict[str, Worker] = {}
        self._removals: dict[str, threading.Thread] = {}

    def start(self, task: Item, *, anew: bool) -> None:
        """A worker for the task, from its beginning or from where it was."""
        now = time.time()
        run = self._store.runs.get(task.arn)
        if run is None:
            run = self._store.runs[task.arn] = Run(object_name(task.arn), "", now, now)
        run.kind, run.began, run.ended, run.counted = task.document["MigrationType"], now, None, None
        if anew:
            run.fresh = now
        self._work(task, run, anew=anew)

    def stop(self, task: Item) -> None:
        """Ask its worker to stop it."""
        self._workers[task.arn].stop()

    def delete(self, task: Item) -> None:
        """Forget the task; where it may have left something on a server, only once that is removed."""
        run = self._store.runs.get(task.arn)
        if run is None or not run.may_have_objects:
            self._forget(task)
            return
        task.document["Status"] = "deleting"
        thread = threading.Thread(target=self._remove, args=(task, run), name=f"remove {run.name}", daemon=True)
        self._removals[task.arn] = thread
        thread.start()

    def resume(self) -> None:
        """Go on with what was at work when the account was saved."""
        with self._lock:
            for task in list(self._store.tasks.values()):
                run, status = self._store.runs.get(task.arn), task.document["Status"]
                if run is None or status not in BUSY:
                    continue
                if status == "deleting":
                    self.delete(task)
                    continue
                self._work(task, run, anew=False)
                if status == "stopping":
                    self.stop(task)

    def close(self, *, remove: bool = False) -> None:
        """End every worker, and leave its task as it is; with `remove`, leave nothing on the servers."""
        with self._lock:
            workers, removals = list(self._workers.values()), list(self._removals.values())
        for worker in workers:
            worker.close()
        for removal in removals:
            removal.join()
        if remove:
            for task in self._store.tasks.values():
                run = self._store.runs.get(task.arn)
                if run and run.may_have_objects:
                    self._remove_objects(task, run, tries=1)

    def fault(self, request: Json) -> Json:
        """{"task": ARN or identifier, "stall": bool, "corrupt": {"table": "schema.name", "column": "…" or none}}.

        Both are in place when this answers; it tells of both. ValueError or LookupError for what makes no sense.
        """
        with self._lock:
            arn = self._find(str(request["task"]))
            worker = self._workers.get(arn)
            if worker is None or self._store.tasks[arn].document["Status"] != "running":
                raise ValueError(f"the task {arn} is not running: only what runs can be disturbed")
            table = column = None
            if given := request.get("corrupt"):
                table, column = worker.run.tables.get(given["table"]), given.get("column")
                if table is None or not table.key:
                    known = ", ".join(table.full_name for table in worker.run.tables.values() if table.key)
                    raise ValueError(f"{given['table']} is no table of the task that has a primary key: {known}")
            worker.disturbances.ask(stall=request.get("stall"), table=table, column=column)
        if not worker.disturbances.wait(_OBEY_SECONDS):
            raise ValueError(f"the task {arn} did not obey within {_OBEY_SECONDS:g} s")
        return {"task": arn, **worker.disturbances.tell()}

    # --- how ----------------------------------------------------------------------------------------------------------
    def _find(self, name: str) -> str:
        for arn, task in self._store.tasks.items():
            if name in (arn, arn.rpartition(":")[2], task.document["ReplicationTaskIdentifier"]):
                return arn
        raise ValueError(f"there is no replication task {name}")

    def _work(self, task: Item, run: Run, *, anew: bool) -> None:
        instance = find(self._store.instances, task.document["ReplicationInstanceArn"], "Replication instance")
        around = Surroundings(
            self._lock,
            partial(self._both, task),
            Metrics(self._metrics, instance.document["ReplicationInstanceIdentifier"], task.arn.rpartition(":")[2]),
            self._changed,
        )
        worker = self._workers[task.arn] = Worker(task, run, around, anew=anew)
        worker.start()

    def _both(self, task: Item) -> tuple[Place, Place]:
        ends = (task.document[end] for end in ("SourceEndpointArn", "TargetEndpointArn"))
        source, target = (self._places.find(find(self._store.endpoints, end, "Endpoint")) for end in ends)
        return source, target

    def _remove(self, task: Item, run: Run) -> None:
        self._remove_objects(task, run, tries=_REMOVE_TRIES)
        with self._lock:
            self._forget(task)
            del self._removals[task.arn]
        self._changed()

    def _remove_objects(self, task: Item, run: Run, *, tries: int) -> None:
        """What cannot be reached is left behind, and the log says so, as DMS leaves a slot on a source that is away."""
        problems: list[str] = []
        for number in range(tries):
            if number:
                time.sleep(_REMOVE_PAUSE_SECONDS)
            try:
                source, target = self._both(task)
            except UnresolvedError as problem:
                problems = [str(problem)]
                continue
            sides = Link(source, _STATEMENT_SECONDS), Link(target, _STATEMENT_SECONDS)
            problems = objects.remove(*sides, run.name)
            for side in sides:
                side.close()
            if not problems:
                return
        log.warning("the task %s has left %s behind: %s", task.arn, run.name, "; ".join(problems))

    def _forget(self, task: Item) -> None:
        self._workers.pop(task.arn, None)
        self._store.runs.pop(task.arn, None)
        self._store.forget(self._store.tasks, task.arn)
