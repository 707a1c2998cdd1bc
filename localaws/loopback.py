"""Keep `--local` on this machine: which endpoints are loopback, and the environment in which boto3 reaches no other.

A wrong answer here would let a rehearsal change a real account, so the endpoint is matched against the few forms that
mean this machine, rather than parsed and judged: there is nothing to trick.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping

from localaws.errors import LoopbackError

ACCOUNT_ID = "123456789012"
# Exactly what may follow the scheme: a name that resolves locally everywhere (RFC 6761) or the address itself, in the
# one spelling of each. Not "localhost.": resolvers differ. Not 127.1, 0x7f.1, 2130706433 or 0.0.0.0: libraries differ.
_ENDPOINT = re.compile(r"http://(?:127\.0\.0\.1|localhost|\[::1\]):(?P<port>[1-9][0-9]{0,4})/?", re.ASCII)
_HIGHEST_PORT = 65535
# Whatever else begins with these would steer boto3: a profile, an endpoint of one service, a role, a region.
_STEERING = ("AWS_", "BOTO_")
_NO_PROXY = "127.0.0.1,localhost,::1"


def require_loopback(endpoint: str) -> str:
    """`endpoint` without a trailing slash, if it is http to a port of this machine; raises LoopbackError otherwise."""
    match = _ENDPOINT.fullmatch(endpoint)
    if not match or int(match["port"]) > _HIGHEST_PORT:
        raise LoopbackError(
            f"{endpoint!r} is not an endpoint of this machine, so the embedded AWS is not there",
            hint="leave AWS_ENDPOINT_URL out with --local, or leave --local out to reach a real account",
        )
    return endpoint.rstrip("/")


def environment(endpoint: str) -> dict[str, str]:
    """The variables with which boto3, the AWS command line or any SDK reaches `endpoint` and nothing else.

    The keys are the ones of AWS's documentation, of no account. The region is left to the caller. Configuration files
    are named away, because a profile in them could name an endpoint or a role of its own. A proxy is not asked for
    loopback: botocore would (https://github.com/boto/botocore/blob/develop/botocore/utils.py, should_bypass_proxies).
    """
    return {
        "AWS_ENDPOINT_URL": require_loopback(endpoint),
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": _NO_PROXY,
        "no_proxy": _NO_PROXY,
    }


def isolated(variables: Mapping[str, str], endpoint: str) -> dict[str, str]:
    """`variables` (of a process) without anything that steers boto3 elsewhere, and with what reaches `endpoint`.

    The region stays: it is the deployment's, not the account's.
    """
    kept = without_account(variables)
    ours = environment(endpoint)
    for name in ("NO_PROXY", "no_proxy"):
        if kept.get(name):
            ours[name] = f"{kept[name]},{_NO_PROXY}"
    return kept | ours


def without_account(variables: Mapping[str, str]) -> dict[str, str]:
    """`variables` without anything that names an account, a profile, an endpoint or a role."""
    return {
        name: value
        for name, value in variables.items()
        if not name.upper().startswith(_STEERING) or name in ("AWS_REGION", "AWS_DEFAULT_REGION")
    }


def adopt(variables: MutableMapping[str, str], endpoint: str) -> None:
    """Make `variables` (os.environ) such that this process reaches `endpoint` and no account beyond it."""
    wanted = isolated(variables, endpoint)
    for name in set(variables) - set(wanted):
        del variables[name]
    variables.update(wanted)
