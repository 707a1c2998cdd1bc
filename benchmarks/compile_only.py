"""Compile one environment without linting or writing: what G4 times. Usage: compile_only.py ENV [SUFFIX ...]."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

gc.disable()  # as the command does
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from build import design  # noqa: E402 - the repository must be on the path first
from compiler.pipeline import compile_tree  # noqa: E402
from compiler.request import Request  # noqa: E402

env, *suffixes = sys.argv[1:]
for suffix in suffixes or [env]:
    compile_tree(Request(ROOT, env, suffix, "2026-11-24", ROOT / "out"), design)
