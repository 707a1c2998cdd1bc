"""Each correction is still needed (plain moto misbehaves), and works (the embedded AWS does not)."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from localaws import shims

_SCRIPT = Path(__file__).with_name("probes.py")
_ROOT = Path(__file__).parents[4]


def _load() -> Any:
    spec = importlib.util.spec_from_file_location("probes_of_moto", _SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


probes = _load()
_NAMES = {name for corrections in shims.CORRECTIONS.values() for _, name in corrections}


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    """What plain moto answers: in a process of its own, because corrections are for good."""
    environ = {**os.environ, "PYTHONPATH": str(_ROOT)}
    done = subprocess.run(
        [sys.executable, str(_SCRIPT)], capture_output=True, check=True, cwd=_ROOT, env=environ, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_every_correction_has_a_question() -> None:
    assert set(probes.PROBES) == _NAMES | {"dms_of_our_own"}


@pytest.mark.parametrize("name", probes.PROBES)
def test_moto_still_needs_it(plain: dict[str, Any], name: str) -> None:
    assert plain[name] is True, f"moto no longer needs the correction {name}: remove it"


@pytest.mark.parametrize("name", probes.PROBES)
def test_it_works(remote: Any, name: str) -> None:
    assert probes.PROBES[name](remote) is False


def test_a_service_is_corrected_once() -> None:
    from moto.rds.models import RDSBackend

    shims.apply("rds")
    before = RDSBackend.delete_subnet_group
    shims.apply("rds")
    assert RDSBackend.delete_subnet_group is before


def test_a_branch_that_was_stopped_as_it_began_says_that_it_has_ended() -> None:
    """The question above meets the moment nearly always; this one always."""
    from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branch_worker import BranchWorker

    class Stopped:
        def eval(self, env: Any) -> None:
            raise RuntimeError("Could not set NextState value when in state ProgramStopped")

    class Pool:
        def on_terminated(self, env: Any) -> None:
            ended.append(env)

    ended: list[Any] = []
    shims.apply("stepfunctions")
    worker = BranchWorker(Pool(), Stopped(), "the branch's")
    worker.start()
    worker._worker_thread.join(60)
    assert ended == ["the branch's"]
