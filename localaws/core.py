"""What every part of the control plane shares: the state, its lock, the time, and who makes resources."""

from __future__ import annotations

import logging
import re
import secrets
import string
import threading
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from localaws import quotas
from localaws.api_errors import ApiError, invalid
from localaws.clock import Clock
from localaws.faults import Faults
from localaws.language import Scope
from localaws.parameters import typed
from localaws.providers.base import Provider, ProviderError
from localaws.stacks import ChangeSet, Stack, State, Wanted
from localaws.template import Template, load
from localaws.template_checks import known_type

_VIRTUAL_HOST = re.compile(r"(?P<bucket>.+)\.s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?")
_PATH_STYLE = re.compile(r"s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?|s3\.amazonaws\.com")
_LOOPBACK = re.compile(r"127\.0\.0\.1|localhost|\[?::1\]?")
_RANDOM = string.ascii_uppercase + string.digits
GONE = "DELETE_COMPLETE"


class Core:
    """State under one lock; who changes or reads it for an answer holds the lock, who calls a service does not."""

    def __init__(
        self,
        find_provider: Callable[[str], Provider | None],
        clients: Any,
        *,
        account_id: str,
        read_object: Callable[[str, str], bytes],
        clock: Clock,
        delay: float,
    ) -> None:
        self.find_provider = find_provider
        self.known_type = known_type(find_provider)
        self.clients = clients
        self.account_id = account_id
        self.clock = clock
        self.delay = delay
        self.state = State()
        self.lock = threading.RLock()
        self.faults = Faults()
        self._read_object = read_object
        self._zones: dict[str, list[str]] = {}
        self._running: list[threading.Thread] = []

    # --- work in the background ---------------------------------------------------------------------------------------
    def start(self, work: Callable[[], None]) -> None:
        """Do `work` in a thread of its own."""
        thread = threading.Thread(target=work, name="cloudformation", daemon=True)
        with self.lock:
            self._running = [other for other in self._running if other.is_alive()]
            self._running.append(thread)
            thread.start()

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until nothing is under way; False where that took longer than `timeout` seconds."""
        while True:
            with self.lock:
                running = [thread for thread in self._running if thread.is_alive()]
            if not running:
                return True
            running[0].join(timeout)
            if running[0].is_alive():
                return False

    # --- names --------------------------------------------------------------------------------------------------------
    def stack_id(self, region: str, name: str) -> str:
        """A new stack's ARN."""
        return f"arn:aws:cloudformation:{region}:{self.account_id}:stack/{name}/{uuid.uuid4()}"

    def change_set_id(self, region: str, name: str) -> str:
        """A new change set's ARN."""
        return f"arn:aws:cloudformation:{region}:{self.account_id}:changeSet/{name}/{uuid.uuid4()}"

    @staticmethod
    def unique_name(stack_name: str, logical_id: str) -> str:
        """`<stack>-<LogicalId>-<12 random characters>`, as CloudFormation calls what a template leaves unnamed."""
        ending = "".join(secrets.choice(_RANDOM) for _ in range(12))
        head = f"{stack_name}-{logical_id}"[: quotas.STACK_NAME - len(ending) - 1]
        return f"{head}-{ending}"

    # --- stacks -------------------------------------------------------------------------------------------------------
    def stacks(self) -> list[Stack]:
        """All stacks, deleted ones too, oldest first: a copy, as operations in other threads make more meanwhile."""
        with self.lock:
            return list(self.state.stacks.values())

    def change_sets(self, stack: Stack) -> list[ChangeSet]:
        """All change sets of a stack, deleted ones too, oldest first: a copy, for the same reason."""
        with self.lock:
            return [one for one in self.state.change_sets.values() if one.stack_id == stack.id]

    def find(self, region: str, name: str) -> Stack | None:
        """The stack of this name or ARN; by name only one that is not deleted."""
        if name.startswith("arn:"):
            return self.state.stacks.get(name)
        for stack in reversed(self.stacks()):
            if stack.name == name and stack.region == region and stack.status != GONE:
                return stack
        return None

    def stack(self, region: str, name: str) -> Stack:
        """The same; ValidationError where there is none."""
        found = self.find(region, name)
        if found is None:
            raise invalid(f"Stack with id {name} does not exist")
        return found

    def root(self, stack: Stack) -> Stack:
        """The stack at the head of the tree that `stack` is in."""
        return self.state.stacks[stack.root_id] if stack.root_id else stack

    def children(self, stack: Stack) -> list[Stack]:
        """The nested stacks of a stack that are not deleted."""
        return [other for other in self.stacks() if other.parent_id == stack.id and other.status != GONE]

    def path(self, stack: Stack, logical_id: str) -> tuple[str, ...]:
        """The root's name, the logical ids of nested stacks down to `stack`, the resource's."""
        path = [logical_id]
        while stack.parent_id:
            path.insert(0, stack.parent_logical_id)
            stack = self.state.stacks[stack.parent_id]
        return (stack.name, *path)

    def change_set(self, region: str, name: str, stack_name: str = "") -> ChangeSet:
        """The change set of this ARN, or of this name and stack; ChangeSetNotFound where there is none."""
        found = None
        if name.startswith("arn:"):
            found = self.state.change_sets.get(name)
        elif not stack_name:
            raise invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
        else:
            stack = self.find(region, stack_name)
            for other in reversed(self.change_sets(stack) if stack is not None else []):
                if other.name == name and not other.deleted:
                    found = other
                    break
        if found is None or found.deleted:
            raise ApiError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)
        return found

    # --- templates ----------------------------------------------------------------------------------------------------
    def fetch(self, url: str) -> str:
        """The template behind a TemplateURL.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
        """
        from botocore.exceptions import ClientError

        parts = urlsplit(url)
        host, path = parts.hostname or "", unquote(parts.path.lstrip("/"))
        if _PATH_STYLE.fullmatch(host) or _LOOPBACK.fullmatch(host):
            bucket, _, key = path.partition("/")
        elif match := _VIRTUAL_HOST.fullmatch(host):
            bucket, key = match["bucket"], path
        else:
            raise invalid("TemplateURL must be a supported URL.")
        try:
            body = self._read_object(bucket, key).decode()
        except (KeyError, ProviderError, ClientError):
            raise invalid(
                "S3 error: The specified key does not exist.\nFor more information check "
                "http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
            ) from None
        except UnicodeDecodeError:
            raise invalid("Template format error: the template is not UTF-8 text.") from None
        quotas.check_body(body, quotas.OBJECT_BYTES)
        return body

    def scope(
        self, stack: Stack, template: Template, parameters: dict[str, str], resource: Callable[[str, str], Any]
    ) -> Scope:
        """What names mean in a template of this stack."""
        return self.scope_of(stack.region, stack.name, stack.id, stack.wanted, template, parameters, resource)

    def scope_of(
        self,
        region: str,
        name: str,
        stack_id: str,
        wanted: Wanted,
        template: Template,
        parameters: dict[str, str],
        resource: Callable[[str, str], Any],
    ) -> Scope:
        """The same for a stack that need not exist yet."""
        from localaws.language import NO_VALUE

        pseudo = {
            "AWS::AccountId": self.account_id,
            "AWS::NoValue": NO_VALUE,
            "AWS::NotificationARNs": list(wanted.notification_arns),
            "AWS::Partition": "aws",
            "AWS::Region": region,
            "AWS::StackId": stack_id,
            "AWS::StackName": name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        values = typed(template, parameters, self.clients)
        return Scope(template, values, pseudo, resource, lambda: self.zones(region))

    def zones(self, region: str) -> list[str]:
        """The availability zones that the emulated EC2 knows."""
        if region not in self._zones:
            found = self.clients("ec2").describe_availability_zones()["AvailabilityZones"]
            self._zones[region] = sorted(zone["ZoneName"] for zone in found)
        return self._zones[region]

    @staticmethod
    def template(stack: Stack) -> Template:
        """The template that a stack has or is getting."""
        return load(stack.wanted.body)


log = logging.getLogger("localaws")
