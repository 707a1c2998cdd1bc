"""What all tests share: the repository's root, the switch that rewrites golden files, and what botocore reads once."""

from __future__ import annotations

import copy
import functools
import signal
from pathlib import Path

import botocore.handlers
import botocore.session
import pytest
from botocore.session import Session

ROOT = Path(__file__).parents[1]


# A shell starts what runs in the background deaf to Ctrl-C, and so would be every command that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--stack", help="test this stack of a real account instead of deploying to the embedded AWS")
    parser.addoption("--update-golden", action="store_true", help="rewrite tests/golden/ from the code")


def pytest_configure() -> None:
    """Let all sessions of a process share the models of services, and the list of handlers that each begins with.

    To read EC2's model takes longer than most tests, and each session would read it for itself.
    """
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
    register = Session._register_builtin_handlers
    registered: dict = {}

    def copied(session, events) -> None:
        number = len(botocore.handlers.BUILTIN_HANDLERS)  # moto adds its own when a test uses it
        if number not in registered:
            register(session, events)
            registered[number] = copy.copy(events._emitter)
        events._emitter = session._original_handler = copy.copy(registered[number])

    Session._register_builtin_handlers = copied


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT
