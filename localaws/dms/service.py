"""DMS as a WSGI application: JSON in, JSON out, checked by botocore's own model of the service.

https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

from __future__ import annotations

import copy
import json
import re
import threading
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from localaws.dms.endpoints import Endpoints
from localaws.dms.instances import Instances
from localaws.dms.places import Places
from localaws.dms.runner import Runner
from localaws.dms.store import DmsError, Json, Store
from localaws.dms.tasks import Tasks
from localaws.hosts import Hosts

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Dms:
    """DMS in one region; `store` is all of its state.

    `unnoticed` are clients whose calls, of tasks at work, do not count as a change; `changed` is called when a task has
    changed by itself.
    """

    def __init__(
        self,
        region: str,
        account_id: str,
        clients: Any,
        *,
        hosts: Hosts | None = None,
        unnoticed: Any = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._prefix = f"arn:aws:dms:{region}:{account_id}"
        self._clients = clients
        self._unnoticed = unnoticed or clients
        self._changed = changed
        self._places = Places(self._unnoticed, hosts or Hosts())
        self._lock = threading.RLock()
        self.load(Store())

    def load(self, store: Store) -> None:
        """Take over a state."""
        self.store = store
        self.runner = Runner(store, self._lock, self._places, self._unnoticed, self._changed)
        self._rooms: tuple[object, ...] = (
            Endpoints(store, self._arn),
            Instances(store, self._clients, self._arn),
            Tasks(store, self.runner, self._places, self._arn),
            self,
        )

    def dump(self) -> Store:
        """The state as it is now."""
        with self._lock:
            return copy.deepcopy(self.store)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        name = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            status, document = "200 OK", self._answer(name, json.loads(body or b"{}"))
        except DmsError as refused:
            status, document = "400 Bad Request", {"__type": refused.code, "message": str(refused)}
        answer = json.dumps(document).encode()
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(answer)))]
        start_response(status, headers)
        return [answer]

    def _answer(self, name: str, request: Json) -> Json:
        method = _WORD.sub("_", name).lower()
        for room in self._rooms:
            if (operation := getattr(room, method, None)) and name in _model().operation_names:
                _check(name, request)
                with self._lock:
                    # A copy: a task that runs goes on changing what it tells.
                    return copy.deepcopy(operation(request))
        raise DmsError("UnknownOperationException", f"the embedded AWS has no operation {name} of DMS")

    def _arn(self, kind: str, name: str) -> str:
        return f"{self._prefix}:{kind}:{name}"

    # --- tags ---------------------------------------------------------------------------------------------------------
    def add_tags_to_resource(self, request: Json) -> Json:
        """Tags by ARN, whatever the kind."""
        self._tags(request["ResourceArn"]).update({tag["Key"]: tag.get("Value", "") for tag in request["Tags"]})
        return {}

    def remove_tags_from_resource(self, request: Json) -> Json:
        """Those named; one that is not there is no error."""
        tags = self._tags(request["ResourceArn"])
        for key in request["TagKeys"]:
            tags.pop(key, None)
        return {}

    def list_tags_for_resource(self, request: Json) -> Json:
        """Of one ARN, or of several; each tag says whose it is."""
        arns = request.get("ResourceArnList") or [request.get("ResourceArn", "")]
        return {
            "TagList": [
                {"Key": key, "Value": value, "ResourceArn": arn}
                for arn in arns
                for key, value in self._tags(arn).items()
            ]
        }

    def _tags(self, arn: str) -> dict[str, str]:
        if arn not in self.store.tags:
            raise DmsError("ResourceNotFoundFault", f"Resource {arn} could not be found.")
        return self.store.tags[arn]


@cache
def _model() -> Any:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model("dms", "service-2"), "dms")


def _check(name: str, request: Json) -> None:
    from botocore.validate import ParamValidator

    report = ParamValidator().validate(request, _model().operation_model(name).input_shape)
    if report.has_errors():
        raise DmsError("InvalidParameterValueException", report.generate_report())
