"""Corrections to moto's load balancers."""

from __future__ import annotations

import re
from typing import Any

from localaws.shims.patch import around

_CERTIFICATE = re.compile(r"arn:aws:acm:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):certificate/[0-9a-f-]{36}")


def have_the_certificates_of_the_account() -> None:
    """An account has its certificates before anything is deployed; an empty one refuses every HTTPS listener.

    A listener may name any certificate of this account and region, and ACM then has it.
    """
    from moto.elbv2 import models

    @around(models, "register_certificate")
    def register(original: Any, account_id: str, region: str, arn_certificate: str, *rest: Any, **named: Any) -> Any:
        _seed(account_id, region, arn_certificate)
        return original(account_id, region, arn_certificate, *rest, **named)

    @around(models.ELBv2Backend, "_certificate_exists")
    def exists(original: Any, self: Any, certificate_arn: str) -> bool:
        _seed(self.account_id, self.region_name, certificate_arn)
        return bool(original(self, certificate_arn))


def _seed(account_id: str, region: str, arn: str) -> None:
    from moto.acm.models import CertBundle, acm_backends

    match = _CERTIFICATE.fullmatch(arn)
    certificates = acm_backends[account_id][region]._certificates  # noqa: SLF001 - ACM lets nobody choose an ARN
    if match and (match["region"], match["account"]) == (region, account_id) and arn not in certificates:
        bundle = CertBundle.generate_cert("example.com", account_id=account_id, region=region)
        bundle.arn, bundle.status = arn, "ISSUED"
        certificates[arn] = bundle


def keep_the_zone_of_a_target() -> None:
    """RegisterTargets with AvailabilityZone "all" (a target outside of the VPC): moto forgets it.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html
    """
    from moto.elbv2.models import FakeHealthStatus, FakeTargetGroup

    @around(FakeTargetGroup, "register")
    def register(original: Any, self: Any, targets: list[dict[str, Any]]) -> None:
        original(self, targets)
        for target in targets:
            if zone := target.get("AvailabilityZone"):
                self.targets[target["Id"]]["AvailabilityZone"] = zone

    @around(FakeTargetGroup, "health_for")
    def health_for(original: Any, self: Any, target: dict[str, Any], ec2_backend: Any) -> Any:
        health = original(self, target, ec2_backend)
        health.availability_zone = self.targets.get(target["Id"], {}).get("AvailabilityZone")
        return health

    told = FakeHealthStatus.target

    def tell(self: Any) -> dict[str, Any]:
        zone = getattr(self, "availability_zone", None)
        return {**told.fget(self), **({"AvailabilityZone": zone} if zone else {})}

    FakeHealthStatus.target = property(tell)


def protect_load_balancers_from_deletion() -> None:
    """DeleteLoadBalancer of one whose deletion_protection.enabled is true is refused; moto deletes it.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html
    """
    from moto.elbv2.exceptions import ELBClientError
    from moto.elbv2.models import ELBv2Backend

    @around(ELBv2Backend, "delete_load_balancer")
    def delete_load_balancer(original: Any, self: Any, arn: str) -> None:
        balancer = self.load_balancers.get(arn)
        if balancer is not None and balancer.attrs.get("deletion_protection.enabled") == "true":
            raise ELBClientError(
                "OperationNotPermitted",
                f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
            )
        original(self, arn)
