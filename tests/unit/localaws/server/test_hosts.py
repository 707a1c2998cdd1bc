"""Where made-up hosts listen: for DMS, and for the functions of the account."""

from __future__ import annotations

import http.client
import json
import socket
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from localaws import function_process
from localaws.hosts import Hosts
from localaws.process import ask


@pytest.fixture(autouse=True)
def forgotten(endpoint: str) -> Iterator[None]:
    yield
    ask(endpoint, "POST", "/localaws/hosts", dict.fromkeys(ask(endpoint, "GET", "/localaws/hosts")))


class TestHosts:
    def test_a_host_and_a_port_win_over_the_host_alone(self) -> None:
        hosts = Hosts()
        hosts.change({"DB.example": "127.0.0.1:1", "db.example:5432": "127.0.0.1:2"})
        assert hosts.find("db.EXAMPLE", 5432) == ("127.0.0.1", 2)
        assert hosts.find("db.example", 5433) == ("127.0.0.1", 1)
        assert hosts.change({"db.example": None, "absent": None}) == {"db.example:5432": "127.0.0.1:2"}
        assert hosts.find("db.example", 5433) is None

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
    def test_this_machine_is_where_it_is(self, host: str) -> None:
        assert Hosts().find(host, 5) == (host, 5)

    @pytest.mark.parametrize("host", ["db.example", "10.0.0.5", "169.254.169.254"])
    def test_nothing_else_is_reached(self, host: str) -> None:
        assert Hosts().find(host, 5432) is None

    @pytest.mark.parametrize("place", ["10.0.0.5:5432", "db.example:5432", "127.0.0.1", "127.0.0.1:x", ""])
    def test_nobody_is_sent_off_this_machine(self, endpoint: str, place: str) -> None:
        connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=30)
        connection.request("POST", "/localaws/hosts", json.dumps({"db.example": place}))
        answer = connection.getresponse()
        assert (answer.status, "127.0.0.1:port" in json.loads(answer.read())["message"]) == (400, True)
        connection.close()
        assert ask(endpoint, "GET", "/localaws/hosts") == {}

    def test_a_name_is_not_empty(self) -> None:
        with pytest.raises(ValueError, match="a host is mapped to"):
            Hosts().change({"": "127.0.0.1:1"})


_CODE = """
import socket
def handle(event, context):
    with socket.create_connection(("db.example", 5432), 10) as found:
        return list(found.getpeername())
"""


class TestFunctions:
    def test_reach_a_made_up_host(self, endpoint: str, remote: Any) -> None:
        import io
        import zipfile

        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("code.py", _CODE)
        remote("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")
        name = f"function-{uuid.uuid4().hex[:8]}"
        remote("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role="arn:aws:iam::123456789012:role/role",
            Handler="code.handle",
            Code={"ZipFile": buffer.getvalue()},
            Timeout=30,
        )
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            ask(endpoint, "POST", "/localaws/hosts", {"db.example:5432": f"127.0.0.1:{port}"})
            answer = remote("lambda").invoke(FunctionName=name)
            assert json.loads(answer["Payload"].read()) == ["127.0.0.1", port]

    def test_are_led_by_host_and_port(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[Any] = []
        monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **named: asked.append((given, named)))
        function_process._map_hosts({"db.example:5432": "127.0.0.1:1", "other.example": "127.0.0.1:2"})
        for host, port in (("DB.example", 5432), ("db.example", 1), ("other.example", 9), ("127.0.0.1", 80)):
            socket.getaddrinfo(host, port, 0, type=1)
        assert asked == [
            (("127.0.0.1", "1", 0), {"type": 1}),
            (("db.example", 1, 0), {"type": 1}),
            (("127.0.0.1", "2", 0), {"type": 1}),
            (("127.0.0.1", 80, 0), {"type": 1}),
        ]
