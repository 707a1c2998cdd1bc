from __future__ import annotations

from pathlib import Path

import pytest

from rules.keeping._lifecycle import TODAY_VARIABLE


@pytest.fixture
def root() -> Path:
    return Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setenv(TODAY_VARIABLE, "2026-11-24")
