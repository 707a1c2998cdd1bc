from __future__ import annotations

import io
import threading
from collections.abc import Callable
from typing import Any

import pytest

from localaws.transport import Clients, Raw, make_environ


class Application:
    """Answers what a test says, and remembers what it was asked."""

    def __init__(self, body: bytes = b"", status: str = "200 OK", headers: dict[str, str] | None = None) -> None:
        self.body, self.status, self.headers = body, status, headers or {}
        self.asked: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.closed = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        self.asked.append(environ)
        self.bodies.append(environ["wsgi.input"].read())
        write = start_response(self.status, [("Content-Length", str(len(self.body))), *self.headers.items()])
        write(self.body[:1])
        return Chunks(self)


class Chunks:
    def __init__(self, application: Application) -> None:
        self._application = application

    def __iter__(self) -> Any:
        yield self._application.body[1:]

    def close(self) -> None:
        self._application.closed += 1


def test_an_object_goes_there_and_comes_back(in_process: Any) -> None:
    application = Application(b"abc" * 1000, headers={"ETag": '"1"', "x-amz-meta-under_score": "v"})
    s3 = in_process(application)("s3")
    answer = s3.get_object(Bucket="bucket", Key="a b/ü+c")
    assert answer["Body"].read(4) == b"abca"
    assert answer["Body"].read() == (b"abc" * 1000)[4:]
    assert answer["Metadata"] == {"under_score": "v"}
    assert answer["ETag"] == '"1"'
    (asked,) = application.asked
    assert asked["REQUEST_METHOD"] == "GET"
    assert asked["PATH_INFO"].encode("latin-1").decode() == "/bucket/a b/ü+c"
    assert asked["RAW_URI"] == "/bucket/a%20b/%C3%BC%2Bc"
    assert asked["HTTP_HOST"] == "127.0.0.1:1"
    assert "/s3/aws4_request" in asked["HTTP_AUTHORIZATION"]
    assert application.closed == 1


@pytest.mark.parametrize("body", [b"bytes", io.BytesIO(b"bytes"), bytearray(b"bytes")])
def test_bodies_arrive_whole(in_process: Any, body: Any) -> None:
    application = Application()
    in_process(application)("s3").put_object(Bucket="bucket", Key="k", Body=body, Metadata={"a_b": "1"})
    (asked,) = application.asked
    assert b"bytes" in application.bodies[0]
    assert asked["CONTENT_LENGTH"] == str(len(application.bodies[0]))
    assert asked["moto.preserved_header_names"] == {"HTTP_X_AMZ_META_A_B": "x-amz-meta-a_b"}
    assert "HTTP_TRANSFER_ENCODING" not in asked


def test_a_large_body_comes_in_pieces() -> None:
    raw = Raw(b"x" * 200_000)
    assert [len(piece) for piece in raw.stream()] == [65536, 65536, 65536, 3392]
    assert list(Raw(b"abc").stream(2, decode_content=True)) == [b"ab", b"c"]


def test_query_and_json_services_are_asked_in_their_protocol(in_process: Any) -> None:
    application = Application(b"{}", headers={"Content-Type": "application/x-amz-json-1.1"})
    in_process(application)("logs").describe_log_groups(limit=1)
    assert application.asked[0]["HTTP_X_AMZ_TARGET"] == "Logs_20140328.DescribeLogGroups"
    assert application.bodies[0] == b'{"limit": 1}'
    query = Application(b"<R><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult></R>")
    assert in_process(query)("sts").get_caller_identity()["Account"] == "1"
    assert b"Action=GetCallerIdentity" in query.bodies[0]
    assert query.asked[0]["CONTENT_TYPE"].startswith("application/x-www-form-urlencoded")
    assert query.asked[0]["PATH_INFO"] == "/"


@pytest.mark.parametrize(("body", "expected"), [(None, b""), ("ü", "ü".encode()), (io.BytesIO(b"rest"), b"rest")])
def test_the_environment_of_any_request(body: Any, expected: bytes) -> None:
    from botocore.awsrequest import AWSPreparedRequest, HeadersDict

    headers = HeadersDict({"Transfer-Encoding": "chunked", "Content-Type": b"text/plain", "X-Amz-Date": "now"})
    environ = make_environ(AWSPreparedRequest("PUT", "http://127.0.0.1:1?a=b", headers, body, False))
    assert environ["wsgi.input"].read() == expected
    assert environ["CONTENT_LENGTH"] == str(len(expected))
    assert environ["CONTENT_TYPE"] == "text/plain"
    assert environ["HTTP_X_AMZ_DATE"] == "now"
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/", "a=b")
    assert "HTTP_TRANSFER_ENCODING" not in environ


def test_a_text_body_is_sent_as_utf8(in_process: Any) -> None:
    application = Application(b"{}")
    in_process(application)("lambda").invoke(FunctionName="f", Payload="ü")
    assert application.bodies[0] == "ü".encode()


def test_an_error_is_raised_once(in_process: Any) -> None:
    from botocore.exceptions import ClientError

    application = Application(b"<Error><Code>Slow</Code></Error>", "503 Slow Down")
    with pytest.raises(ClientError, match="Slow"):
        in_process(application)("s3").list_buckets()
    assert len(application.asked) == 1


def test_head_has_no_body(in_process: Any) -> None:
    application = Application(b"never", headers={"ETag": '"1"'})
    assert in_process(application)("s3").head_object(Bucket="bucket", Key="k")["ContentLength"] == 5


def test_an_answer_without_close_is_fine(in_process: Any) -> None:
    def application(_: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [])
        return [b"<R><GetCallerIdentityResult><Account>2</Account></GetCallerIdentityResult></R>"]

    assert in_process(application)("sts").get_caller_identity()["Account"] == "2"


def test_a_client_is_made_once_for_all_threads(in_process: Any) -> None:
    clients = in_process(Application())
    made: list[Any] = []
    gate = threading.Barrier(8)

    def make() -> None:
        gate.wait()
        made.append(clients("sts"))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, made))) == 1
    assert clients("ec2") is not clients("sts")


def test_no_profile_of_the_user_steers_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "absent")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "https://evil.example")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "other")
    client = Clients(Application(), "eu-west-1")("sts")
    assert client.meta.region_name == "eu-west-1"
    assert client.meta.endpoint_url == "http://127.0.0.1:1"
    assert client._request_signer._credentials.access_key == "AKIAIOSFODNN7EXAMPLE"
