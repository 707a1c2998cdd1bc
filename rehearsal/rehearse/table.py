"""The table of a series of rehearsals: as it is printed, and as the page that docs keep. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rehearsal.rehearse.arguments import Options
from rehearsal.rehearse.faults import KINDS

Documents = Sequence[dict[str, Any]]
_COLUMNS = ("fault", "end", "accepted", "lost", "doubled", "write pause", "read outage", "took", "verdict")

_PAGE = """\
# Faults of the cutover

Written by `python rehearse.py --env {env} --faults … --markdown FILE`: a rehearsal for each fault, at {rate:g} payments
and {reads:g} reads a second, on {payments:,} payments{patience}. **{verdict}.**

A fault happens as its state of the state machine begins. All ends `switched` (payments on AWS) or `back` (in the data
centre), with writes open there and nowhere else; anything between has failed. The write pause is the longest time in
which no payment was accepted; a read outage beside a server that was killed is that server's own.

{table}

{kinds}
"""


def tell_table(documents: Documents) -> Iterator[str]:
    """A line for each rehearsal of a series, as Markdown."""
    rows = [_COLUMNS, *(_row(document) for document in documents)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    for number, row in enumerate(rows):
        yield f"| {' | '.join(text.ljust(width) for text, width in zip(row, widths, strict=True))} |"
        if not number:
            yield f"|{'|'.join('-' * (width + 2) for width in widths)}|"


def render_markdown(options: Options, verdict: str, documents: Documents) -> str:
    """The table, with what was done and what its words mean."""
    broken = {str(document["fault"]).partition("@")[0] for document in documents}
    kinds = "\n".join(f"- `{name}`: {kind.purpose}" for name, kind in KINDS.items() if name in broken)
    patience = f", with {options.patience} times the budget of the freeze" if options.patience > 1 else ""
    text = _PAGE.format(
        env=options.env, rate=options.rate, reads=options.reads, payments=options.payments, patience=patience,
        verdict=verdict[0].upper() + verdict[1:], table="\n".join(tell_table(documents)), kinds=kinds,
    )  # fmt: skip
    return text.rstrip() + "\n"


def _row(document: dict[str, Any]) -> tuple[str, ...]:
    def number(name: str, unit: str = "") -> str:
        return f"{document[name]}{unit}" if name in document else "?"

    return (
        document["fault"] or "none", document["end"], number("accepted"), number("lost"), number("doubled"),
        number("write_pause_s", " s"), number("read_outage_s", " s"), number("rehearsal_s", " s"),
        "passed" if document["passed"] else document["verdict"],
    )  # fmt: skip
