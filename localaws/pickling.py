"""Turn moto's memory into bytes and back: every service at once, so that what refers to another still does.

moto keeps each service in a `BackendDict` (account, region, backend). Backends are pickled by their attributes, and
references to them by name, so a restored load balancer stands in the restored VPC and not in a copy. What cannot be
pickled as it is (locks, private keys, threads of state machines, weak dictionaries) is written as what it is made from.
"""

from __future__ import annotations

import io
import pickle
import sys
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from typing import Any

# Where a backend is: module and name of its BackendDict, account, region.
Place = tuple[str, str, str, str]
_LOCK_TYPES = (type(threading.Lock()), type(threading.RLock()))
_PLAIN = (dict, list, set)


class UnsavableError(Exception):
    """moto holds something that cannot be written; the text says where."""


def dump(extra: dict[str, Any]) -> tuple[bytes, list[str]]:
    """All services as bytes, and their names; `extra` is pickled with them, and may refer to what they hold."""
    backends = dict(_in_use())
    buffer = io.BytesIO()
    pickler = _Pickler(buffer, {id(backend): place for place, backend in backends.items()})
    try:
        pickler.dump((extra, {place: backend.__dict__ for place, backend in backends.items()}))
    except (TypeError, AttributeError, pickle.PicklingError) as problem:
        raise UnsavableError(f"{', '.join(_culprits(backends))}: {problem}") from problem
    return buffer.getvalue(), sorted({place[0] for place in backends})


def load(data: bytes) -> dict[str, Any]:
    """Put every service back as `dump` saw it; the answer is its `extra`."""
    extra, found = _Unpickler(io.BytesIO(data)).load()
    for place, attributes in found.items():
        backend = _backend(place)
        backend.__dict__.clear()
        backend.__dict__.update(attributes)
        _end_executions(backend)
    return extra  # type: ignore[no-any-return]  # as it was given to dump


class _Pickler(pickle.Pickler):
    def __init__(self, buffer: io.BytesIO, places: dict[int, Place]) -> None:
        super().__init__(buffer, protocol=5)
        self._places = places

    def persistent_id(self, obj: Any) -> Any:
        """A backend by its place; a policy of AWS's own, which are thousands, by its name unless it is in use."""
        if (place := self._places.get(id(obj))) is not None:
            return ("backend", place)
        if type(obj).__name__ == "AWSManagedPolicy" and not obj.attachment_count:
            return ("policy", obj.account_id, obj.partition, obj.arn)
        return None

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, _LOCK_TYPES):
            return _lock, (isinstance(obj, _LOCK_TYPES[1]),)
        if isinstance(obj, weakref.WeakValueDictionary):
            return _weak, (dict(obj),)
        if type(obj) is defaultdict and "<lambda>" in getattr(obj.default_factory, "__qualname__", ""):
            made = obj.default_factory()  # type: ignore[misc]  # a lambda, as its name says
            if (factory := _factory(made)) is not None:
                return defaultdict, (factory,), None, None, iter(obj.items())
        if (
            isinstance(obj, dict)
            and (type(obj).__setitem__ is not dict.__setitem__ or isinstance(obj, defaultdict))
            and type(obj).__module__[:5] == "moto."
        ):
            # It is filled as it is, not by a method that would count, append or load AWS's own parameters.
            attributes = dict(vars(obj))
            if isinstance(obj, defaultdict):
                attributes["default_factory"] = obj.default_factory
            return _empty, (type(obj),), (dict(dict.items(obj)), attributes), None, None, _fill
        if hasattr(obj, "private_bytes"):
            return _private_key, (_as_der(obj),)
        if type(obj).__name__ == "Certificate" and hasattr(obj, "public_bytes"):
            return _certificate, (_as_pem(obj),)
        if type(obj).__name__ in ("ExecutionWorker", "SyncExecutionWorker"):
            return Rested, (obj.env.event_manager.get_event_history() if obj.env else [],)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: Any) -> Any:
        kind, *rest = pid
        if kind == "backend":
            return _backend(rest[0])
        account, partition, arn = rest
        return _backend(("moto.iam.models", "iam_backends", account, partition)).managed_policies[arn]


class Rested:
    """The worker of a state machine's execution that is over: its history, in the place where moto looks for it."""

    def __init__(self, history: list[Any]) -> None:
        self._history = history

    @property
    def env(self) -> Rested:
        """The environment, its event manager and its waiting tasks in one."""
        return self

    event_manager = callback_pool_manager = env

    def get_event_history(self) -> list[Any]:
        """The events as they were."""
        return self._history

    def notify(self, **_: Any) -> bool:
        """Whether it waits for the answer; none of its tokens is of use any more."""
        return False

    def stop(self, **_: Any) -> None:
        """It has."""

    def __reduce__(self) -> Any:
        return Rested, (self._history,)


def _in_use() -> Iterator[tuple[Place, Any]]:
    from moto.core.base_backend import BackendDict

    for backends in list(BackendDict._instances):  # noqa: SLF001 - moto's only list of what is in use
        module, name = _home(backends)
        for account, region, backend in list(backends.iter_backends()):
            yield (module, name, account, region), backend


def _home(backends: Any) -> tuple[str, str]:
    """The module and the name under which moto defines these backends.

    Several modules import them from each other; the one that defines the class of the backend is the one.
    """
    for kind in backends.backend.__mro__:
        found = vars(sys.modules[kind.__module__])
        for name, value in found.items():
            if value is backends:
                return kind.__module__, name
    raise UnsavableError(f"moto's {backends.service_name} is defined in no module of its own")


def _backend(place: Place) -> Any:
    module, name, account, region = place
    return getattr(import_module(module), name)[account][region]


def _culprits(backends: dict[Place, Any]) -> Iterator[str]:
    """The attributes that cannot be pickled."""
    places = {id(backend): place for place, backend in backends.items()}
    for place, backend in backends.items():
        for name, value in backend.__dict__.items():
            try:
                _Pickler(io.BytesIO(), places).dump(value)
            except (TypeError, AttributeError, pickle.PicklingError):
                yield f"{place[0]} {name}"


def _end_executions(backend: Any) -> None:
    """A state machine's execution that ran when the server ended runs no longer."""
    for machine in getattr(backend, "state_machines", ()):
        for execution in machine.executions:
            if execution.status == "RUNNING":
                from moto.stepfunctions.parser.api import ExecutionStatus

                execution.exec_status = ExecutionStatus.ABORTED
                execution.stop_date = datetime.now(UTC)
                execution.cause = "the embedded AWS was restarted"


def _factory(made: Any) -> Callable[[], Any] | None:
    """What makes an empty collection like `made`, and can be pickled; None where there is no such thing.

    SSM keeps tags in a defaultdict of defaultdicts:
    https://github.com/getmoto/moto/blob/master/moto/ssm/models.py
    """
    if made:
        return None
    if type(made) is defaultdict and made.default_factory in _PLAIN:
        return partial(defaultdict, made.default_factory)
    return type(made) if type(made) in _PLAIN else None


def _lock(reentrant: bool) -> Any:  # noqa: FBT001 - called by pickle
    return threading.RLock() if reentrant else threading.Lock()


def _empty(kind: type[dict[Any, Any]]) -> dict[Any, Any]:
    return kind.__new__(kind)


def _fill(made: dict[Any, Any], state: tuple[dict[Any, Any], dict[str, Any]]) -> None:
    items, attributes = state
    dict.update(made, items)
    for name, value in attributes.items():
        setattr(made, name, value)


def _weak(items: dict[Any, Any]) -> Any:
    return weakref.WeakValueDictionary(items)


def _as_der(key: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return bytes(
        key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _as_pem(certificate: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return bytes(certificate.public_bytes(Encoding.PEM))


def _certificate(pem: bytes) -> Any:
    from cryptography.x509 import load_pem_x509_certificate

    return load_pem_x509_certificate(pem)


def _private_key(der: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    return load_der_private_key(der, password=None)
