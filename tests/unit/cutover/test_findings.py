"""A report: the worst first, the exit code, texts for people that no name can break."""

from __future__ import annotations

import json

from cutover.readiness.findings import Finding, as_json, exit_code, lines


def _finding(severity: str, code: str = "code", name: str = "public.t") -> Finding:
    given: dict[str, object] = {"severity": severity}
    return Finding(given["severity"], code, name, "It is so.", "Do this.")  # type: ignore[arg-type]


def test_exit_codes() -> None:
    note, warning, blocker, unread = map(_finding, ("note", "warning", "blocker", "unread"))
    assert exit_code([]) == 0
    assert exit_code([note, warning]) == 0
    assert exit_code([note, blocker]) == 1
    assert exit_code([unread, warning]) == 4
    assert exit_code([blocker, unread]) == 4


def test_the_worst_comes_first_and_equal_ones_together() -> None:
    found = [_finding("note", "a"), *(_finding("blocker", "b", f"t{n}") for n in range(7)), _finding("unread", "c", "")]
    assert lines(found) == [
        "blocker  b: t0, t1, t2, t3, t4 and 2 more (--all shows them)",
        "         It is so.",
        "         → Do this.",
        "unread   c",
        "         It is so.",
        "         → Do this.",
        "note     a: public.t",
        "         It is so.",
        "         → Do this.",
        "not known to be ready: 7 blocker, 1 unread, 0 warning, 1 note",
    ]
    assert lines(found, everything=True)[0] == "blocker  b: t0, t1, t2, t3, t4, t5, t6"
    assert lines([_finding("blocker")])[-1] == "not ready: 1 blocker, 0 unread, 0 warning, 0 note"
    assert lines([])[-1] == "ready: 0 blocker, 0 unread, 0 warning, 0 note"


def test_a_name_cannot_move_the_cursor() -> None:
    assert lines([_finding("note", name="public.\x1b[2Jx\nready")])[0] == "note     code: public.\\x1b[2Jx\\x0aready"


def test_json_has_every_finding_whole() -> None:
    report = json.loads(as_json([_finding("note"), _finding("blocker", name="é\n")], {"source": "here"}))
    assert report["ready"] is False
    assert report["source"] == "here"
    assert report["counts"] == {"blocker": 1, "unread": 0, "warning": 0, "note": 1}
    assert report["findings"][0] == {
        "severity": "blocker",
        "code": "code",
        "object": "é\n",
        "text": "It is so.",
        "remedy": "Do this.",
    }
