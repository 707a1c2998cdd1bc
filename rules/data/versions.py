"""Properties that choose a version of something with an end: type → property, product of params/lifecycle.yaml.

`engine` is what the resource's Engine must be for the product to be meant. TLS policies are E9156's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class VersionProperty:
    """Where a resource type chooses a version, and of what; `required` where leaving it out lets AWS choose."""

    type: str
    key: str
    product: str
    engine: str = ""
    required: bool = False


VERSION_PROPERTIES: Final = (
    VersionProperty("AWS::RDS::DBCluster", "EngineVersion", "aurora-postgresql", "aurora-postgresql", required=True),
    VersionProperty("AWS::RDS::DBInstance", "EngineVersion", "aurora-postgresql", "aurora-postgresql"),
    VersionProperty("AWS::RDS::DBInstance", "CACertificateIdentifier", "rds-ca"),
    VersionProperty("AWS::DMS::ReplicationInstance", "EngineVersion", "dms", required=True),
    VersionProperty("AWS::Lambda::Function", "Runtime", "lambda"),
    VersionProperty("AWS::ECS::Service", "PlatformVersion", "fargate"),
)
# Fargate's word for its newest platform version, which is what a service gets that names none.
NEWEST: Final = "LATEST"
