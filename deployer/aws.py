"""Speak with AWS: lazily made clients with bounded patience, and every failure told as an `AwsError`.

botocore is imported when `connect` is called, a client is made when it is first asked for: a run without changes uses
one service, and each service's model takes 10 to 100 ms to load. It is what boto3's clients are made by; boto3 itself
would load its managers of transfers and resources besides, for nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from deployer.aws_failures import describe, failures
from deployer.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dms import DatabaseMigrationServiceClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient

ATTEMPTS = 8
WORKERS = 8
READERS = 16  # of calls that only read: the nested stacks of our tree take one round trip
_FIRST_SERVER_ERROR = 500
_CONNECT_SECONDS = 10
_READ_SECONDS = 60

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Identity(NamedTuple):
    """Who we are to AWS: account number, and ARN of the user or the assumed role."""

    account: str
    arn: str


class Aws:
    """Clients of one region and one set of credentials; safe to use from several threads.

    `make_client` gets a service's name as boto3 spells it. It is called once per service and never by two threads at
    the same time: a session may not be used by several threads, the clients that it made may.
    https://docs.aws.amazon.com/boto3/latest/guide/clients.html#multithreading-or-multiprocessing-with-clients
    """

    def __init__(self, region: str, make_client: Callable[[str], Any]) -> None:
        self.region = region
        self._make_client = make_client
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._identity_lock = threading.Lock()  # apart: a call over the network holds it

    def client(self, service: str) -> Any:
        """The client of a service, one for all threads."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make_client(service)
            return self._clients[service]

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """CloudFormation."""
        return self.client("cloudformation")  # type: ignore[no-any-return]  # boto3 names its classes at run time

    @cached_property
    def s3(self) -> S3Client:
        """S3."""
        return self.client("s3")  # type: ignore[no-any-return]  # as above

    @cached_property
    def sts(self) -> STSClient:
        """STS, which knows who we are."""
        return self.client("sts")  # type: ignore[no-any-return]  # as above

    @cached_property
    def iam(self) -> IAMClient:
        """IAM."""
        return self.client("iam")  # type: ignore[no-any-return]  # as above

    @cached_property
    def ecs(self) -> ECSClient:
        """ECS."""
        return self.client("ecs")  # type: ignore[no-any-return]  # as above

    @cached_property
    def elbv2(self) -> ElasticLoadBalancingv2Client:
        """Elastic Load Balancing v2."""
        return self.client("elbv2")  # type: ignore[no-any-return]  # as above

    @cached_property
    def rds(self) -> RDSClient:
        """RDS."""
        return self.client("rds")  # type: ignore[no-any-return]  # as above

    @cached_property
    def dms(self) -> DatabaseMigrationServiceClient:
        """DMS."""
        return self.client("dms")  # type: ignore[no-any-return]  # as above

    @property
    def identity(self) -> Identity:
        """Account and caller: one GetCallerIdentity, however many threads ask."""
        with self._identity_lock:
            return self._identity

    @cached_property
    def _identity(self) -> Identity:
        with translate("sign in to", "AWS"):
            answer = self.sts.get_caller_identity()
            return Identity(answer["Account"], answer["Arn"])

    @property
    def account_id(self) -> str:
        """The account's twelve digits."""
        return self.identity.account

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn`, `aws-us-gov` …, as the caller's ARN has it."""
        return self.identity.arn.split(":")[1]


def connect(region: str, profile: str | None = None) -> Aws:
    """Clients of the person's own credentials, or of `profile`; `AwsError` where there are none to be had.

    AWS_ENDPOINT_URL, AWS_PROFILE and the like are honoured by botocore itself. Throttling, server errors and dropped
    connections are retried, up to `ATTEMPTS` in all, with exponential backoff and jitter.
    https://docs.aws.amazon.com/boto3/latest/guide/retries.html
    """
    from botocore.config import Config
    from botocore.session import Session

    patience = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        max_pool_connections=READERS,
    )
    with translate("sign in to", "AWS"):
        session = Session()
        session.set_config_variable("profile", profile)
        session.get_scoped_config()  # which knows whether there is such a profile
        session.set_config_variable("region", region)
    # botocore has dateutil guess the form of each time: most of what a page of events costs.
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_read_time)

    def make_client(service: str) -> Any:
        try:
            with translate("use", service):
                client: Any = session.create_client(service, config=patience)
        except ValueError as error:  # an endpoint that is no URL
            raise AwsError(f"cannot use {service}: {error}", hint="correct or unset AWS_ENDPOINT_URL") from None
        client.meta.events.register("before-parse", _blank_foreign_error)
        return client

    return Aws(region, make_client)


def _read_time(value: Any) -> datetime:
    """A time of an answer, in whichever of AWS's forms: ISO 8601 mostly, else a number of seconds or RFC 822."""
    if isinstance(value, str) and "T" in value:
        with suppress(ValueError):
            return datetime.fromisoformat(value)
    from botocore.utils import parse_timestamp

    return parse_timestamp(value)


def _blank_foreign_error(response_dict: dict[str, Any], **_event: Any) -> None:
    """Empty the body of a server error that AWS did not write, so that it is retried like any other 5xx.

    A proxy's HTML page is no answer that botocore can parse. It raises ResponseParserError, which is never retried,
    unless the body is empty or begins with `<html>`:
    https://github.com/boto/botocore/blob/develop/botocore/parsers.py (`_is_generic_error_response`)
    """
    if response_dict["status_code"] >= _FIRST_SERVER_ERROR:
        start = response_dict["body"].lstrip()[:15].lower()
        if not start.startswith((b"{", b"<?xml", b"<error")):
            response_dict["body"] = b""


@contextmanager
def translate(operation: str, subject: str) -> Iterator[None]:
    """Turn what botocore raises inside into "cannot `operation` `subject`: …" with the next step.

    `translate("describe", "stack payments-dev")`. Errors of the project pass as they are; so does everything that is
    no failure of AWS, the network or the credentials.
    """
    try:
        yield
    except failures() as error:
        what, hint = describe(error)
        raise AwsError(f"cannot {operation} {subject}: {what}", hint=hint) from error


def error_code(error: Exception) -> str:
    """AWS's own code of a ClientError ("ValidationError"), "" where it has none."""
    return str(_told(error).get("Code", ""))


def error_text(error: Exception) -> str:
    """AWS's own message of a ClientError, the exception's where it has none."""
    return str(_told(error).get("Message", "")) or str(error)


def _told(error: Exception) -> dict[str, Any]:
    """What AWS says in an error; nothing where it gave no answer: botocore's HTTPClientError has None for one."""
    return (getattr(error, "response", None) or {}).get("Error", {})  # type: ignore[no-any-return]  # botocore's dict


def in_parallel(function: Callable[[Item], Answer], items: Iterable[Item], workers: int = WORKERS) -> list[Answer]:
    """`function` of every item, in threads, answers in the order of the items; the first failure ends the rest."""
    todo = list(items)
    if len(todo) < 2:  # noqa: PLR2004  # one item needs no thread
        return [function(item) for item in todo]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(workers, len(todo))) as pool:
        futures = [pool.submit(function, item) for item in todo]
        try:
            return [future.result() for future in futures]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
