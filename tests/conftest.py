"""What all tests share: the repository's root, and the switch that rewrites golden files."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stack", help="test this stack of a real account instead of deploying to the embedded AWS")
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden/ from the code")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT
