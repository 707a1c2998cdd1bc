"""local: start, stop, look at and empty the embedded AWS."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from localaws import process

_TOLD = ("running", "endpoint", "pid", "started", "calls", "busy")


def run(options: argparse.Namespace, root: str) -> int:
    """Print where the embedded AWS is, or that there is none."""
    text, document = _ACTIONS[options.action](Path(root))
    print(json.dumps(document, indent=1) if options.json else text)
    return 0


def _start(root: Path) -> tuple[str, dict[str, object]]:
    endpoint = process.up(root)
    what = "is started" if endpoint.started else "runs already"
    text = f"the embedded AWS {what}: {endpoint.url}, process {endpoint.pid}"
    return text, {"endpoint": endpoint.url, "pid": endpoint.pid, "started": endpoint.started}


def _stop(root: Path) -> tuple[str, dict[str, object]]:
    stopped = process.stop(root)
    return "stopped; the next start finds what is deployed" if stopped else "it does not run", {"stopped": stopped}


def _reset(root: Path) -> tuple[str, dict[str, object]]:
    process.reset(root)
    return "reset: the account is empty", {"reset": True}


def _status(root: Path) -> tuple[str, dict[str, object]]:
    found = process.status(root)
    if found is None:
        return "it does not run; start it: python deploy.py local start", {"running": False}
    document = {name: value for name, value in {"running": True, **found}.items() if name in _TOLD}
    state = "at work" if found["busy"] else "at rest"
    text = (
        f"the embedded AWS runs at {found['endpoint']}, process {found['pid']}, since {found['started']}; "
        f"{found['calls']} calls, {state}"
    )
    return text, document


_ACTIONS = {"start": _start, "stop": _stop, "reset": _reset, "status": _status}
