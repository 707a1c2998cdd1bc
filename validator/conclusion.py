"""What all items of a run found → its report, and what later runs start from.

Fails closed: a table is judged only when every slice of it was compared exactly once, by what was kept and not by what
a call has said.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from validator.catalog import Table
from validator.compare import conclude
from validator.comparison import Comparison, Progress
from validator.errors import UsageError
from validator.incremental import Baseline, Horizon, form_of
from validator.lots import Lot, State
from validator.markdown import render_markdown
from validator.masking import Mask
from validator.model import Slice, covers
from validator.page import render_page
from validator.places import part_key, plan_key, repair_key, report_key
from validator.repair import repair_sql
from validator.report import summarise
from validator.run import baseline_key
from validator.storable import comparison_of
from validator.store import Store, read_all
from validator.tables import Tables


def conclude_run(
    store: Store, run_id: str, cards: Mask, *, plan: Mapping[str, Any] | None = None, now: float | None = None
) -> dict[str, Any]:
    """Read every part, judge every table, keep the report; returns the report's document. `plan` is the run's.

    Raises `UsageError` when the run has no plan, `StoreError`.
    """
    plan = plan or store.read(plan_key(run_id))
    if plan is None:
        raise UsageError(f"run {run_id} has no plan: nothing can be said of it", hint="start a new run")
    lots = _lots(store, plan)
    results, baselines = [], {}
    documents = Tables(store, run_id, plan).all()
    for number, (name, document) in enumerate(zip(plan["tables"], documents, strict=True)):
        if document is None:
            continue  # the report says that the table has no result
        if "result" in document:
            results.append(cards.document(document["result"]))
            continue
        comparison = comparison_of(document["comparison"])
        result = _judge(comparison, document, lots.get(number, []))
        results.append(cards.document(result))
        if result["verdict"] == "PASS" and plan["order"]["baseline"]:
            baselines[baseline_key(Table(name["schema"], name["table"]))] = _baseline(comparison, plan)
    report = summarise(
        run_id,
        results,
        planned=plan["tables"],
        skipped=plan["skipped"],
        problem=plan["problem"],
        sequences=plan["sequences"],
        source=plan["source"],
        target=plan["target"],
        marker=plan["marker"],
        mode="incremental" if plan["order"]["incremental"] else "full",
        started_at=plan["started_at"],
        seconds=round((time.time() if now is None else now) - plan["began"], 3),
    )
    _keep(store, report)
    for key, baseline in baselines.items():
        store.write(key, baseline)
    return report


def _keep(store: Store, report: Mapping[str, Any]) -> None:
    run_id = report["run_id"]
    text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    repair = repair_sql(report) or "-- This run found nothing that could be mended by itself.\n"
    forms = (
        (report_key(run_id, "md"), render_markdown(report), "text/markdown; charset=utf-8"),
        (report_key(run_id, "html"), render_page(report), "text/html; charset=utf-8"),
        (repair_key(run_id), repair, "application/sql; charset=utf-8"),
        (report_key(run_id, "json"), text, "application/json"),
    )
    with ThreadPoolExecutor(len(forms)) as writers:
        for written in [writers.submit(store.write_text, *form) for form in forms]:
            written.result()


def _lots(store: Store, plan: Mapping[str, Any]) -> dict[int, list[tuple[Lot | None, str]]]:
    """By table: each lot of it that was dealt out, as it was kept, and what is wrong with that, "" for nothing."""
    found: dict[int, list[tuple[Lot | None, str]]] = {}
    parts = read_all(store, [part_key(plan["run_id"], entry["item"]) for entry in plan["items"]])
    for entry, kept in zip(plan["items"], parts, strict=True):
        state = None if kept is None else State.of(kept)
        same = state is not None and [lot.table for lot in state.lots] == [table for table, _, _ in entry["lots"]]
        for place, (table, _, _) in enumerate(entry["lots"]):
            lot = state.lots[place] if state is not None and same else None
            found.setdefault(table, []).append((lot, _fault(lot, state, entry["item"])))
    return found


def _fault(lot: Lot | None, state: State | None, item: int) -> str:
    if lot is None or state is None:
        return f"item {item} of the run was never begun"
    if lot.problem:
        return lot.problem
    if not lot.finished:
        return f"item {item} of the run was not finished{f': {state.problem}' if state.problem else ''}"
    return ""


def _judge(comparison: Comparison, document: Mapping[str, Any], lots: list[tuple[Lot | None, str]]) -> dict[str, Any]:
    total = Progress()
    if document["full"]:
        total.notes.append(f"compared in full: {document['full']}")
    problems = list(dict.fromkeys(fault for _, fault in lots if fault))
    kept = [lot for lot, _ in lots if lot is not None]
    for lot in kept:
        total.add(lot.progress)
    modes = {lot.mode for lot in kept}
    if not problems and not _whole(kept, modes):
        problems.append("the slices that were compared do not make up the table")
    # In flight when the work ended: nobody has looked at them again.
    total.findings.counts["pending"] += len(total.waiting)
    mode = "incremental" if modes == {"incremental"} else "full"
    seconds = round(sum(lot.seconds for lot in kept), 3)
    return conclude(comparison, total, "; ".join(problems), mode=mode, seconds=seconds).document()


def _whole(lots: list[Lot], modes: set[str]) -> bool:
    """Whether the lots are the table, each row of it once."""
    if "incremental" in modes:
        return len(lots) == 1 and not lots[0].done
    return covers(_done(lots))


def _done(lots: list[Lot]) -> Iterator[Slice]:
    for lot in lots:
        yield from lot.done


def _baseline(comparison: Comparison, plan: Mapping[str, Any]) -> dict[str, Any]:
    source, target = (Horizon(xmin, server) for xmin, server in plan["horizons"])
    return Baseline((source, target), comparison.fingerprints, form_of(comparison.matched), plan["run_id"]).document()
