"""DMS's certificates and endpoints.

https://docs.aws.amazon.com/dms/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import time
from collections.abc import Callable

from localaws.dms.runs import BUSY
from localaws.dms.store import (
    DmsError,
    Item,
    Json,
    Store,
    find,
    page,
    random_identifier,
    refuse_now,
    refuse_second,
    taken,
)

_ENDPOINT = (
    "EndpointIdentifier", "EndpointType", "EngineName", "Username", "ServerName", "Port", "DatabaseName",
    "ExtraConnectionAttributes", "KmsKeyId", "CertificateArn", "SslMode", "ServiceAccessRoleArn",
    "ExternalTableDefinition", "DynamoDbSettings", "S3Settings", "DmsTransferSettings", "MongoDbSettings",
    "KinesisSettings", "KafkaSettings", "ElasticsearchSettings", "NeptuneSettings", "RedshiftSettings",
    "PostgreSQLSettings", "MySQLSettings", "OracleSettings", "SybaseSettings", "MicrosoftSQLServerSettings",
    "IBMDb2Settings", "DocDbSettings", "RedisSettings", "GcpMySQLSettings", "TimestreamSettings",
)  # fmt: skip


class Endpoints:
    """The operations; `arn` makes one of a kind and a name."""

    def __init__(self, store: Store, arn: Callable[[str, str], str]) -> None:
        self._store = store
        self._arn = arn

    # --- certificates -------------------------------------------------------------------------------------------------
    def import_certificate(self, request: Json) -> Json:
        """A certificate authority's certificate that endpoints are verified by."""
        store, name = self._store, request["CertificateIdentifier"]
        refuse_second(store.certificates, "CertificateIdentifier", name)
        arn = self._arn("cert", random_identifier())
        document = {
            "CertificateArn": arn,
            "CertificateCreationDate": time.time(),
            **taken(request, ("CertificateIdentifier", "CertificatePem", "CertificateWallet", "KmsKeyId")),
            **_read_certificate(request.get("CertificatePem")),
        }
        store.certificates[arn] = Item(arn, document)
        self._store.tag(arn, request)
        return {"Certificate": document}

    def describe_certificates(self, request: Json) -> Json:
        """Filters certificate-arn and certificate-id."""
        return page((item.document for item in self._store.certificates.values()), request, "Certificates")

    def delete_certificate(self, request: Json) -> Json:
        """Refused while an endpoint uses it."""
        arn = request["CertificateArn"]
        item = find(self._store.certificates, arn, "Certificate")
        for endpoint in self._store.endpoints.values():
            if endpoint.document.get("CertificateArn") == arn:
                refuse_now(f"The certificate is in use by endpoint {endpoint.arn}.")
        self._store.forget(self._store.certificates, arn)
        return {"Certificate": item.document}

    # --- endpoints ----------------------------------------------------------------------------------------------------
    def create_endpoint(self, request: Json) -> Json:
        """A database to read or to write; its password is kept and never told."""
        name = request["EndpointIdentifier"]
        refuse_second(self._store.endpoints, "EndpointIdentifier", name)
        self._check_certificate(request)
        arn = self._arn("endpoint", request.get("ResourceIdentifier") or random_identifier())
        document = {
            "SslMode": "none",
            **taken(request, _ENDPOINT),
            "EndpointArn": arn,
            "EngineDisplayName": request["EngineName"],
            "Status": "active",
        }
        self._store.endpoints[arn] = Item(arn, document, taken(request, ("Password",)))
        self._store.tag(arn, request)
        return {"Endpoint": document}

    def modify_endpoint(self, request: Json) -> Json:
        """Settings are merged into those that are there, unless ExactSettings says that they are all.

        https://docs.aws.amazon.com/dms/latest/APIReference/API_ModifyEndpoint.html
        """
        item = find(self._store.endpoints, request["EndpointArn"], "Endpoint")
        self._check_certificate(request)
        for task in self._store.tasks.values():
            ends = (task.document["SourceEndpointArn"], task.document["TargetEndpointArn"])
            if item.arn in ends and (status := task.document["Status"]) in BUSY:
                refuse_now(f"Endpoint {item.arn} is in use by task {task.arn}, which is {status}.")
        changes = taken(request, _ENDPOINT)
        if name := changes.get("EndpointIdentifier"):
            refuse_second(self._store.endpoints, "EndpointIdentifier", name, item.arn)
        for member, value in changes.items():
            if isinstance(value, dict) and not request.get("ExactSettings"):
                changes[member] = {**item.document.get(member, {}), **value}
        item.document.update(changes)
        item.secret.update(taken(request, ("Password",)))
        return {"Endpoint": item.document}

    def describe_endpoints(self, request: Json) -> Json:
        """Filters endpoint-arn, -id and -type, engine-name."""
        return page((item.document for item in self._store.endpoints.values()), request, "Endpoints")

    def delete_endpoint(self, request: Json) -> Json:
        """Refused while a task uses it."""
        item = find(self._store.endpoints, request["EndpointArn"], "Endpoint")
        for task in self._store.tasks.values():
            if item.arn in (task.document["SourceEndpointArn"], task.document["TargetEndpointArn"]):
                refuse_now(f"Endpoint {item.arn} is in use by task {task.arn}.")
        self._store.forget(self._store.endpoints, item.arn)
        for pair in [pair for pair in self._store.connections if pair[1] == item.arn]:
            del self._store.connections[pair]
        return {"Endpoint": {**item.document, "Status": "deleting"}}

    def _check_certificate(self, request: Json) -> None:
        if arn := request.get("CertificateArn"):
            find(self._store.certificates, arn, "Certificate")


def _read_certificate(pem: str | None) -> Json:
    """What DMS tells of a certificate; InvalidCertificateFault for what is none."""
    if not pem:
        return {}
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise DmsError("InvalidCertificateFault", f"The certificate is not valid: {error}") from error
    return {
        "CertificateOwner": found.subject.rfc4514_string(),
        "ValidFromDate": found.not_valid_before_utc.timestamp(),
        "ValidToDate": found.not_valid_after_utc.timestamp(),
        "SigningAlgorithm": found.signature_algorithm_oid._name,  # noqa: SLF001 - the library has no other word for it
        "KeyLength": getattr(found.public_key(), "key_size", 0),
    }
