"""The way to a server: socket, TLS as the endpoint asks, sign-in; what fails on it becomes a sentence.

The validator's sessions and the cutover's go this way alike, and differ in what they may do once they are there.
"""

from __future__ import annotations

import socket
import ssl

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection as Driver
from scramp import ScramException

from validator.endpoint import Endpoint
from validator.errors import AuthenticationError, ConnectError

_AUTHENTICATION_CLASS = "28"
_NETWORK_GRACE_SECONDS = 30


def dial(endpoint: Endpoint, timeout_seconds: int, name: str) -> Driver:
    """Connect as the endpoint's user; `name` is what pg_stat_activity calls the connection.

    Raises `AuthenticationError` when the server refuses the user, `ConnectError` for everything else on the way.
    """
    try:
        return _dial(endpoint, _tls_context(endpoint), timeout_seconds, name)
    except _TlsRefusedError:
        if endpoint.tls != "prefer":
            raise ConnectError(
                f"the {endpoint} does not speak TLS",
                hint="turn on ssl there, or add sslmode=disable to the DSN where plain text is meant",
            ) from None
        return _dial(endpoint, None, timeout_seconds, name)


def set_silence(driver: Driver, timeout_seconds: int) -> None:
    """A peer that falls silent mid-statement is noticed a little after the server's own timeout should have struck."""
    silence = timeout_seconds + _NETWORK_GRACE_SECONDS if timeout_seconds else None
    driver._usock.settimeout(silence)  # noqa: SLF001 - the driver has one timeout for connecting and for reading


def expect_answer(driver: Driver, endpoint: Endpoint) -> None:
    """For the next statement the server has no longer than it has to take a connection; `set_silence` ends that.

    For what was idle: a firewall or a NAT gateway forgets it after some minutes, and then nobody ever answers.
    """
    driver._usock.settimeout(endpoint.connect_timeout_seconds)  # noqa: SLF001


class _TlsRefusedError(Exception):
    """The server answered that it does not speak TLS."""


def _dial(endpoint: Endpoint, context: ssl.SSLContext | None, timeout_seconds: int, name: str) -> Driver:
    wire: socket.socket | None = None
    try:
        wire = wire_to(endpoint)
        driver = Driver(
            endpoint.user,
            host=endpoint.host,
            database=endpoint.database,
            password=endpoint.password or "",
            sock=wire,
            ssl_context=context or False,
            application_name=name,
        )
    except (DatabaseError, InterfaceError, ScramException, OSError) as error:
        if wire is not None:
            wire.close()
        raise refused(endpoint, error) from None
    set_silence(driver, timeout_seconds)
    return driver


def refused(endpoint: Endpoint, error: Exception) -> Exception:
    """What the driver raised while it connected, in words."""
    if isinstance(error, DatabaseError):
        report = error.args[0]
        text = f"{report.get('M')} ({report.get('C')})"
        if report.get("C", "").startswith(_AUTHENTICATION_CLASS):
            hint = "" if endpoint.password else "no password was given: set PGPASSWORD or write it into the DSN"
            return AuthenticationError(f"the {endpoint} refuses user {endpoint.user!r}: {text}", hint)
        return ConnectError(f"the {endpoint} refuses the connection: {text}")
    if isinstance(error, ssl.SSLCertVerificationError):
        return ConnectError(
            f"the certificate of the {endpoint} is not to be trusted: {error.verify_message}",
            hint=f"verified against {endpoint.ca or 'the certificates of this machine'}, by sslmode {endpoint.tls}",
        )
    if isinstance(error, ScramException):
        return AuthenticationError(f"the {endpoint} fails to prove that it knows the password: {error}")
    if "refuses SSL" in str(error):
        return _TlsRefusedError()
    return ConnectError(
        f"cannot reach the {endpoint}: {reason(error)}", hint="check host, port, security group and that it runs"
    )


def wire_to(endpoint: Endpoint) -> socket.socket:
    """A connected socket, without TLS yet."""
    if endpoint.host.startswith("/"):
        wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        wire.settimeout(endpoint.connect_timeout_seconds)
        try:
            wire.connect(f"{endpoint.host}/.s.PGSQL.{endpoint.port}")
        except OSError:
            wire.close()
            raise
        return wire
    wire = socket.create_connection((endpoint.host, endpoint.port), endpoint.connect_timeout_seconds)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # As libpq does: a small packet shall not wait for the acknowledgement of the one before.
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return wire


def _tls_context(endpoint: Endpoint) -> ssl.SSLContext | None:
    if endpoint.tls == "disable" or endpoint.host.startswith("/"):
        return None
    # Not create_default_context: from Python 3.13 it also turns on VERIFY_X509_STRICT, which refuses many private CAs.
    # https://docs.python.org/3/whatsnew/3.13.html#ssl
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if endpoint.tls in ("prefer", "require"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    context.check_hostname = endpoint.tls == "verify-full"
    try:
        if endpoint.ca is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(cafile=endpoint.ca)
    except (OSError, ssl.SSLError) as error:
        raise ConnectError(
            f"cannot read the CA certificates of the {endpoint.side} in {endpoint.ca}: {reason(error)}"
        ) from None
    return context


def reason(error: BaseException) -> str:
    """What the innermost error says: the driver hides the network's own words behind its own."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
