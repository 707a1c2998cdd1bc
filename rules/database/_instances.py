"""What owns the data: clusters, and instances that belong to none."""

from __future__ import annotations

from rules._template import Resource


def owns_data(resource: Resource) -> bool:
    """Aurora's encryption, backups and log exports belong to the cluster, not to its instances."""
    return resource.type == "AWS::RDS::DBCluster" or resource.at("DBClusterIdentifier") is None
