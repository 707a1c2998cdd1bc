"""Run cfn-lint over template files in forked workers.

Importing cfn-lint and its rules is a quarter of a lint, so it starts in a child process while the parent compiles, and
that child forks the other workers afterwards: the import is paid once. The garbage collector is off in the workers;
they are short-lived. Measured in `benchmarks/`.
"""

from __future__ import annotations

import gc
import json
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn, Self

from compiler.lint.findings import Finding
from settings.errors import UserError
from settings.lifecycle import TODAY_VARIABLE

CONFIGURATION = ".cfnlintrc"
_MOST_JOBS = 64  # a tree has a dozen templates, and each worker costs two of this process's open files
_JOB_BYTES = 2  # a job in the queue pipe: the file's number, read whole by one worker


class LintError(UserError):
    """The linter itself could not run."""

    code = "F002"


class Linter:
    """cfn-lint, loaded: `check` is what its command line does for one file."""

    def __init__(self, root: Path) -> None:
        os.chdir(root)  # the configuration names the folder of the house rules relative to it
        if not os.path.exists(CONFIGURATION):  # cfn-lint would go on without it, and so without the house rules
            raise FileNotFoundError(f"{CONFIGURATION} is missing in {root}")
        from cfnlint.config import ConfigMixIn  # half a second, so only where it is used
        from cfnlint.runner import Runner
        from cfnlint.runner.template import run_template_by_file_path
        from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

        self._runner = Runner(ConfigMixIn(["--config-file", CONFIGURATION, "--template", os.devnull]))
        self._run = run_template_by_file_path
        # The first look-up reads the index of a region's schemas: once, before the workers fork.
        PROVIDER_SCHEMA_MANAGER.get_resource_schema(self._runner.config.regions[0], "AWS::EC2::VPC")

    def check(self, file: str) -> list[Finding]:
        """All findings of every level in one template file, in the order of their lines."""
        matches = self._run(file, self._runner.config, self._runner.rules, ignore_bad_template=False)
        name = os.path.basename(file)
        return sorted(
            Finding(
                file=name,
                line=match.linenumber,
                column=match.columnnumber,
                rule=match.rule.id,
                severity=match.rule.severity,
                message=match.message,
                path=tuple(str(part) for part in getattr(match, "path", None) or ()),
                url=match.rule.source_url or "",
            )
            for match in matches
        )


class LintServer:
    """A child process that loads cfn-lint while its parent goes on, and checks what it is then given.

    A context manager: `check(files)` once inside it, or not at all. Leaving it ends the child and its helpers, whatever
    they are at. `jobs` is the number of processes that check. `today` (ISO date) is the day that dated house rules
    judge by; cfn-lint's own go by the clock. Not `eager`, the child starts with `check`, which spares the loading where
    the cache will probably know everything.
    """

    def __init__(self, root: Path, jobs: int, *, today: str = "", eager: bool = True) -> None:
        self._root = root
        self._today = today
        self._jobs = min(max(1, jobs), _MOST_JOBS)
        self._running = False
        self._streams: list[IO[str]] = []
        if eager:
            self._start()

    def _start(self) -> None:
        request_read, request_write = os.pipe()
        answers = [os.pipe() for _ in range(self._jobs)]
        ours = [request_write, *(read for read, _ in answers)]
        self._pid = os.fork() or _run_child(
            self._root, self._today, request_read, [write for _, write in answers], ours
        )
        with suppress(PermissionError):  # the child was quicker
            os.setpgid(self._pid, self._pid)
        os.close(request_read)
        for _, write in answers:
            os.close(write)
        self._streams = [os.fdopen(request_write, "w"), *(os.fdopen(read) for read, _ in answers)]
        self._running = True

    def check(self, files: Sequence[str]) -> dict[str, list[Finding]]:
        """The findings of each file, by the path given; raises `LintError` when the linter could not finish."""
        if not self._running:
            self._start()
        request, *answers = self._streams
        # A child that ended early takes no request; its answer, or the lack of one, says why.
        with suppress(BrokenPipeError):
            request.write(json.dumps(list(files)))
            request.close()
        findings: dict[str, list[Finding]] = {}
        errors = []
        for lines in answers:
            for line in lines:
                answer = json.loads(line)
                if "error" in answer:
                    errors.append(answer["error"])
                else:
                    findings[answer["file"]] = [Finding.from_json(item) for item in answer["findings"]]
        status = os.waitpid(self._pid, 0)[1]
        self._running = False
        missing = [os.path.basename(file) for file in files if file not in findings]
        if errors or status or missing:
            unchecked = ", ".join(missing) if len(missing) < len(files) else "any template"
            reason = "; ".join(errors) or f"a worker ended with wait status {status}"
            raise LintError(
                f"cfn-lint did not check {unchecked}: {reason}" if missing else f"cfn-lint did not end well: {reason}",
                hint=f"mend what is named ({CONFIGURATION}, rules/); if memory is short, build with --jobs 1",
            )
        return findings

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._running:
            os.killpg(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        for stream in self._streams:
            with suppress(BrokenPipeError):
                stream.close()


def _run_child(root: Path, today: str, request: int, answers: list[int], parents: list[int]) -> NoReturn:
    """The child's whole life, in a process group of its own; `parents` are the parent's ends of the pipes.

    Ctrl-C goes to the parent's group: the parent alone decides what it means, and ends this group with its helpers.
    """
    status = 1
    try:
        os.setpgid(0, 0)
        for descriptor in parents:
            os.close(descriptor)
        gc.disable()
        if today:
            os.environ[TODAY_VARIABLE] = today
        status = _serve(Linter(root), request, answers)
    except BaseException as error:  # noqa: BLE001 - whatever went wrong here is the parent's to report
        _send(answers[0], {"error": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(status)  # the parent's exit handlers and buffers are not ours to run


def _serve(linter: Linter, request: int, answers: list[int]) -> int:
    with os.fdopen(request) as stream:
        text = stream.read()
    if not text:
        return 0
    files: list[str] = json.loads(text)
    queue_read, queue_write = os.pipe()
    os.write(queue_write, b"".join(number.to_bytes(_JOB_BYTES, "big") for number in range(len(files))))
    os.close(queue_write)
    gc.freeze()
    # A pipe's end is closed wherever it is not written to: the parent reads one answer to its end after the other, and
    # a forgotten copy would keep it waiting for that end while a full pipe keeps its writer waiting for the parent.
    helpers = [os.fork() or _help(linter, files, queue_read, own, answers) for own in answers[1 : len(files)]]
    for answer in answers[1:]:
        os.close(answer)
    _work(linter, files, queue_read, answers[0])
    os.close(answers[0])
    statuses = [os.waitpid(pid, 0)[1] for pid in helpers]
    return int(any(statuses))


def _help(linter: Linter, files: list[str], queue: int, own: int, answers: list[int]) -> NoReturn:
    for answer in answers:
        if answer != own:
            os.close(answer)
    _work(linter, files, queue, own)
    os._exit(0)


def _work(linter: Linter, files: list[str], queue: int, answer: int) -> None:
    """Check files until the queue is empty; a fault in one is an answer too."""
    while job := os.read(queue, _JOB_BYTES):
        file = files[int.from_bytes(job, "big")]
        try:
            _send(answer, {"file": file, "findings": [finding.to_json() for finding in linter.check(file)]})
        except Exception as error:  # noqa: BLE001 - a rule that raises must be named, not end the build with a traceback
            _send(answer, {"error": f"{os.path.basename(file)}: {type(error).__name__}: {error}"})


def _send(descriptor: int, answer: dict[str, Any]) -> None:
    data = json.dumps(answer).encode() + b"\n"
    while data:
        data = data[os.write(descriptor, data) :]
