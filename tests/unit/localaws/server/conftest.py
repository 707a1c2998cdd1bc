"""A server of the embedded AWS in this process, and clients of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from localaws.server import running
from localaws.transport import Clients


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with running() as url:
        yield url


@pytest.fixture(scope="module")
def remote(endpoint: str) -> Callable[[str], Any]:
    """Ordinary boto3 clients over HTTP."""
    import boto3

    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = boto3.client(
                service,
                region_name="us-east-1",
                endpoint_url=endpoint,
                aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
                aws_secret_access_key="example",
            )
        return made[service]

    return client


@pytest.fixture
def in_process() -> Callable[[Any], Clients]:
    return lambda application: Clients(application, "us-east-1")
