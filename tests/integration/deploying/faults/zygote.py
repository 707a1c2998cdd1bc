"""Processes that deploy, born warm: this one loads everything once, and forks a child for each command line it is given.

Reads lines of JSON, answers with one line each: {"start": …} with the child's number, {"wait": number} with its exit code
(negative: the signal that ended it).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

_SHORT = 0.02
_kept: dict = {}


def main() -> None:
    warm(sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork() or deploy(request["start"])
        print(answer, flush=True)


def warm(endpoint: str) -> None:
    """Load what a deployment loads, and make its clients: to read the models of the services takes longer than all else."""
    from botocore.session import Session

    import deployer.deployment
    import deployer.verbs.execute
    import deployer.verbs.up  # noqa: F401
    from deployer.aws import connect
    from localaws.process import adopt

    adopt(os.environ, endpoint)
    aws = connect("us-east-1")
    clients = {service: aws.client(service) for service in ("cloudformation", "s3", "sts", "iam")}
    _kept["make"] = Session.create_client
    Session.create_client = lambda session, service, **named: clients[service]


def deploy(request: dict) -> int:
    """In the child: `main(arguments)`, as a process of its own would."""
    from unittest import mock

    from botocore.session import Session

    from deployer import aws
    from deployer.clock import CLOCK
    from deployer.command import main as command

    os.environ |= request["environ"]
    for name, number in (("stdin", 0), ("out", 1), ("err", 2)):
        path = os.devnull if name == "stdin" else request[name]
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), number)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    object.__setattr__(CLOCK, "sleep", lambda seconds: time.sleep(min(seconds, _SHORT)))
    mock.patch("botocore.endpoint.time", mock.Mock(wraps=time, sleep=lambda seconds: None)).start()
    if "read_seconds" in request:  # clients of its own, for theirs is set when they are made
        aws._READ_SECONDS = request["read_seconds"]
        Session.create_client = _kept["make"]
    if request.get("die_at_rename"):
        die_at(request["die_at_rename"])
    code = command(request["arguments"], request["root"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def die_at(number: int) -> None:
    """Be killed in the middle of the n-th file: its draft is written, its name is still the old one's."""
    real, seen = os.replace, []

    def replace(*arguments: object) -> None:
        seen.append(arguments)
        if len(seen) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        real(*arguments)

    os.replace = replace


if __name__ == "__main__":
    main()
