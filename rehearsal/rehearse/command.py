"""The command: arguments → rehearsals → what is printed and written → exit code."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rehearsal.rehearse.arguments import Options, parse
from rehearsal.rehearse.faults import Fault
from rehearsal.rehearse.outcome import Outcome
from rehearsal.rehearse.screen import Screen
from rehearsal.rehearse.stage import Stage
from rehearsal.rehearse.story import Rehearsal
from rehearsal.rehearse.table import render_markdown, tell_table
from rehearsal.report import render_html
from settings.door import answer, interrupt
from settings.errors import UserError

_INTERRUPTED = "interrupted; everything that the rehearsal had started is ended"


def main(arguments: list[str]) -> int:
    """Run the command; the exit code."""
    return answer(lambda: _run(arguments), _INTERRUPTED)


def _run(arguments: list[str]) -> int:
    if (options := parse(arguments)) is None:
        return 0
    signal.signal(signal.SIGTERM, interrupt)
    screen = Screen(sys.stderr)
    try:
        with _folder(options) as folder:
            if options.is_series:
                return _rehearse_all(options, folder, screen)
            return _rehearse_once(options, folder, screen)
    finally:
        screen.close()


def _rehearse_once(options: Options, folder: Path, screen: Screen) -> int:
    outcome = _rehearse(options, options.faults[0] if options.faults else None, folder, screen, None)
    if options.json:
        _write(options.json, outcome.document())
    if options.markdown:
        _write_table(options, options.markdown, [outcome.document()])
    if options.html:
        options.html.write_text(render_html(outcome.run), encoding="utf-8")
    for line in tell_figures(outcome):
        print(line)
    screen.end(f"{outcome.end.name}; {outcome.run.tally.verdict}", passed=outcome.passed)
    return 0 if outcome.passed else 1


def _rehearse_all(options: Options, folder: Path, screen: Screen) -> int:
    """One after the other on a stage of its own each; one that cannot come to its end has failed."""
    documents: list[dict[str, Any]] = []
    for number, fault in enumerate(options.faults, 1):
        screen.say(f"rehearsal {number} of {len(options.faults)}: {fault}", strong=True)
        try:
            outcome = _rehearse(options, fault, folder / f"{number:02}-{fault}", screen, folder / "prepared")
        except UserError as error:
            documents.append({"verdict": f"failed: {error}", "passed": False, "fault": str(fault), "end": "unknown"})
        else:
            documents.append(outcome.document())
        screen.end(f"{fault}: {documents[-1]['end']}; {documents[-1]['verdict']}", passed=documents[-1]["passed"])
        if options.json:
            _write(options.json, _series(documents, len(options.faults)))
        if options.markdown:
            _write_table(options, options.markdown, documents)
    for line in tell_table(documents):
        print(line)
    return 0 if all(document["passed"] for document in documents) else 1


def _rehearse(options: Options, fault: Fault | None, folder: Path, screen: Screen, prepared: Path | None) -> Outcome:
    stage = Stage(folder, options, prepared)
    try:
        return Rehearsal(options, fault, stage, screen).run()
    finally:
        screen.close()
        stage.close()


@contextmanager
def _folder(options: Options) -> Iterator[Path]:
    """Where it all is: gone in the end, but where it was asked for or something went wrong."""
    if options.keep:
        options.keep.mkdir(parents=True)
        yield options.keep.absolute()
        return
    folder = Path(tempfile.mkdtemp(prefix="rehearsal-"))
    try:
        yield folder
    except UserError:
        print(f"logs: {folder}", file=sys.stderr)
        raise
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


# --- what is told ----------------------------------------------------------------------------------------------------
def tell_figures(outcome: Outcome) -> Iterator[str]:
    """The figures of one rehearsal, for people."""
    document = outcome.document()
    names = ("accepted", "present", "lost", "doubled", "write_pause_s", "read_outage_s", "refused", "given_up", "end")
    for name in names:
        yield f"{name:<16} {document[name]}"
    for state, seconds in outcome.breakdown.items():
        code = f", of which its own code {seconds['code_seconds']:.2f}" if "code_seconds" in seconds else ""
        yield f"  {state:<14} {seconds['seconds']:6.2f} s{code}"
    yield f"{'verdict':<16} {document['verdict']}"


def _series(documents: Sequence[dict[str, Any]], wanted: int) -> dict[str, Any]:
    failed = sum(not document["passed"] for document in documents)
    ended = len(documents) == wanted
    verdict = f"failed: {failed} of {len(documents)}" if failed else f"passed: {len(documents)}"
    return {
        "verdict": verdict if ended else f"{verdict}, {wanted - len(documents)} to come",
        "passed": ended and not failed,
        "rehearsals": list(documents),
    }


def _write_table(options: Options, path: Path, documents: Sequence[dict[str, Any]]) -> None:
    verdict = _series(documents, max(len(options.faults), 1))["verdict"]
    path.write_text(render_markdown(options, verdict, documents), encoding="utf-8")


def _write(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
