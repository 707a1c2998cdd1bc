"""Clients: made late and once, patient within bounds."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.exceptions import HTTPClientError

from deployer.aws import ATTEMPTS, Aws, _read_time, connect, error_code, error_text, in_parallel, translate
from deployer.errors import AwsError

IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    "<Arn>arn:aws:sts::123456789012:assumed-role/deploy/ci</Arn><UserId>A</UserId><Account>123456789012</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)
THROTTLED = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
HTML = "<!doctype html><title>502</title><h1>Bad Gateway</h1>"


@pytest.fixture
def endpoint(monkeypatch):
    """A server on loopback that answers the scripted (status, body) in turn, None by hanging up."""
    answers, hits = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers.get("content-length", 0)))
            answer = answers[min(len(hits), len(answers) - 1)]
            hits.append(answer)
            if answer is None:
                self.close_connection = True
                return
            status, body = answer
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    yield answers, hits
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    "trouble", [(502, HTML), (503, ""), (400, THROTTLED), None], ids=["html", "empty", "throttled", "dropped"]
)
def test_trouble_that_passes_is_not_noticed(endpoint, trouble):
    answers, hits = endpoint
    answers += [trouble, trouble, (200, IDENTITY)]
    assert connect("us-east-1").account_id == "123456789012"
    assert len(hits) == 3


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        ((502, HTML), "AWS failed to answer GetCallerIdentity (502)"),
        ((400, THROTTLED), "AWS throttles GetCallerIdentity (Throttling)"),
        (None, "AWS cannot be reached"),
    ],
)
def test_trouble_that_stays_ends_after_bounded_attempts(endpoint, trouble, told):
    answers, hits = endpoint
    answers.append(trouble)
    with pytest.raises(AwsError, match="cannot sign in to AWS: ") as error:
        _ = connect("us-east-1").identity
    assert told in str(error.value)
    assert error.value.hint
    assert len(hits) == ATTEMPTS


def test_a_page_of_a_captive_portal_is_no_answer(endpoint):
    answers, _ = endpoint
    answers.append((200, "<html><p>Please accept the terms<br>"))
    with pytest.raises(AwsError, match="not one of AWS") as error:
        _ = connect("us-east-1").identity
    assert "AWS_ENDPOINT_URL" in error.value.hint


def test_an_error_that_aws_wrote_is_read_whatever_its_status(endpoint):
    answers, _ = endpoint
    answers.append(
        (500, "<ErrorResponse><Error><Code>InternalFailure</Code><Message>sorry</Message></Error></ErrorResponse>")
    )
    with pytest.raises(AwsError, match=r"\(InternalFailure\) at every attempt: sorry"):
        _ = connect("us-east-1").identity


def test_the_account_is_asked_for_once_by_however_many_threads(endpoint):
    answers, hits = endpoint
    answers.append((200, IDENTITY))
    aws = connect("us-east-1")
    assert set(in_parallel(lambda _: aws.account_id, range(8))) == {"123456789012"}
    assert (aws.partition, aws.identity.arn) == ("aws", "arn:aws:sts::123456789012:assumed-role/deploy/ci")
    assert len(hits) == 1


def test_clients_are_made_when_asked_for_and_once():
    made = []
    aws = Aws("us-east-1", lambda name: made.append(name) or object())
    assert made == []
    clients = in_parallel(lambda _: aws.client("ecs"), range(8))
    assert len(set(map(id, clients))) == 1
    assert aws.ecs is clients[0]
    for service in ("cloudformation", "s3", "sts", "iam", "elbv2", "rds", "dms"):
        assert getattr(aws, service) is aws.client(service)
    assert made == ["ecs", "cloudformation", "s3", "sts", "iam", "elbv2", "rds", "dms"]


def test_an_endpoint_that_is_no_url(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "not a url")
    with pytest.raises(AwsError, match="cannot use sts: Invalid endpoint") as error:
        _ = connect("us-east-1").sts
    assert "AWS_ENDPOINT_URL" in error.value.hint


@pytest.mark.parametrize(
    "text",
    ["2026-11-30T20:15:01.250Z", "2026-11-30T20:15:01.250000+00:00", "1796069701.25", "Mon, 30 Nov 2026 20:15:01.25 GMT",
     "Tue Nov 30 2026 20:15:01.250 +0000"],
)  # fmt: skip
def test_times_are_read_in_each_form_of_aws(endpoint, text):
    answers, _ = endpoint
    page = (
        '<DescribeStackEventsResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">'
        f"<DescribeStackEventsResult><StackEvents><member><Timestamp>{text}</Timestamp></member></StackEvents>"
        "</DescribeStackEventsResult></DescribeStackEventsResponse>"
    )
    answers.append((200, page))
    (event,) = connect("us-east-1").cloudformation.describe_stack_events(StackName="x")["StackEvents"]
    assert event["Timestamp"] == datetime(2026, 11, 30, 20, 15, 1, 250000, tzinfo=UTC)


def test_botocore_is_asked_about_any_other_form_and_about_no_more(monkeypatch):
    monkeypatch.setattr("botocore.utils.parse_timestamp", lambda value: f"botocore: {value}")
    assert [_read_time(value) for value in (7, "Tomorrow", "20261130")] == [
        "botocore: 7", "botocore: Tomorrow", "botocore: 20261130",
    ]  # fmt: skip
    assert _read_time("2026-11-30T00:00:00Z") == datetime(2026, 11, 30, tzinfo=UTC)


def test_a_profile_that_does_not_exist():
    with pytest.raises(AwsError, match="cannot sign in to AWS: .*nobody.* could not be found") as error:
        connect("us-east-1", profile="nobody")
    assert "list-profiles" in error.value.hint


def test_boto3_is_not_loaded_at_all(endpoint, root):
    code = "import sys; from deployer.aws import connect; connect('us-east-1').sts; print('boto3' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=root, text=True) == "False\n"


def test_the_module_does_not_load_boto3(root):
    code = "import sys, deployer.aws, deployer.upload, deployer.stacks; print('boto3' in sys.modules or 'botocore' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=root, text=True) == "False\n"


def test_errors_of_the_project_and_bugs_pass_as_they_are():
    with pytest.raises(AwsError, match="^as it is$"), translate("do", "it"):
        raise AwsError("as it is")
    with pytest.raises(ZeroDivisionError), translate("do", "it"):
        _ = 1 / 0


def test_codes_and_texts_of_what_is_no_answer():
    assert (error_code(OSError("gone")), error_text(OSError("gone"))) == ("", "gone")
    cut_off = HTTPClientError(error="cut off")
    assert (error_code(cut_off), error_text(cut_off)) == ("", str(cut_off))


def test_in_parallel_keeps_the_order_and_ends_at_the_first_failure():
    assert in_parallel(lambda number: number * 2, range(50)) == [number * 2 for number in range(50)]
    assert in_parallel(str, []) == []
    gate, started = threading.Event(), []

    def work(number):
        started.append(number)
        if number == 0:
            raise LookupError("first")
        gate.wait(5)

    threading.Timer(0.05, gate.set).start()
    with pytest.raises(LookupError, match="first"):
        in_parallel(work, range(100), workers=2)
    gate.set()
    assert len(started) < 10
