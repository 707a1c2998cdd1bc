"""Hints: what to do about the reasons that AWS gives most often."""

from __future__ import annotations

import re

# The first row that matches wins, so what is special stands above what is general.
_HINTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), hint)
    for pattern, hint in (
        (
            r"circuit breaker was triggered|tasks? failed (container|ELB) health|essential container"
            r"|CannotPullContainer",
            "the tasks do not stay up: read their log group, check the image, its port and its health check path",
        ),
        (
            r"unable to assume the service linked role|service.linked role",
            "the account lacks a service-linked role: create it once (aws iam create-service-linked-role)",
        ),
        (
            r"dms-(vpc|cloudwatch-logs)-role|IAM Role arn:\S+dms-\S+ is not configured properly",
            "DMS needs its account-wide roles: python deploy.py account",
        ),
        (
            r"KMS|kms:|AWS KMS key|CMK",
            "check the key's policy, that the key is enabled, and that it lies in the same region",
        ),
        (
            r"LimitExceeded|QuotaExceeded|quota|limit (has been )?(exceeded|reached)|maximum number of|too many",
            "raise the quota (Service Quotas console) or delete what is no longer needed, then deploy again",
        ),
        (
            r"InsufficientInstanceCapacity|InsufficientDBInstanceCapacity|Insufficient\w*Capacity|insufficient capacity"
            r"|does not have (enough|sufficient) capacity|Capacity is unavailable",
            "the availability zone has no room for it: try later, or another instance class or zone in params/",
        ),
        (
            r"scheduled for deletion",
            "a secret of this name waits for its deletion: restore it (aws secretsmanager restore-secret) or delete it "
            "for good (delete-secret --force-delete-without-recovery), then deploy again",
        ),
        (
            r"already exists|AlreadyExists|EntityAlreadyExists|BucketAlreadyOwnedByYou|is already in use|Duplicate",
            "something of this name exists outside the stack: delete or import it, or deploy with another --suffix",
        ),
        (
            r"CIDR|overlaps|invalid range|conflicts with another subnet",
            "check network.* in params/: the ranges overlap or lie outside of the VPC",
        ),
        (
            r"at least two Availability Zones|AvailabilityZone|Availability Zone|subnet",
            "check subnets and zones: not every zone offers everything, and each subnet needs free addresses",
        ),
        (
            r"engine version|Cannot find version|DB engine|InvalidParameterCombination",
            "AWS no longer offers the combination: python build.py versions --live",
        ),
        (
            r"Rate exceeded|Throttl|RequestLimitExceeded",
            "AWS throttled the request: deploy again, a little later",
        ),
        (
            r"ExpiredToken|security token.*expired|InvalidClientTokenId",
            "sign in again, then deploy again",
        ),
        (
            r"certificate",
            "check the certificate: it must be issued, in this region, and name the host",
        ),
        (
            r"AccessDenied|Access Denied|not authorized|UnauthorizedOperation|NotAuthorized|is not permitted|denied"
            r"|HandlerErrorCode: (AccessDenied|InvalidCredentials)",
            "the deploying role may not do this: allow it, or find the boundary or organization policy that denies it",
        ),
        (
            r"has dependencies|dependency violation|DependencyViolation|has a dependent object|still in use"
            r"|BucketNotEmpty|not empty",
            "something outside of the stack still uses it: remove that first",
        ),
        (
            r"deletion protection|DeletionProtection|cannot be deleted|termination protection",
            "it is protected against deletion: switch the protection off in params/ and deploy that first",
        ),
        (
            r"hook",
            "a hook of the account refused it: mend what it names, or ask who owns the hook",
        ),
        (
            r"did not stabilize|NotStabilized|Exceeded attempts to wait|timed out|timeout",
            "it did not get ready in time: look at it in its service's console, then deploy again",
        ),
        (
            r"InvalidRequest|ValidationError|ValidationException|Invalid\w*Parameter|Encountered unsupported property",
            "the service refuses a value: mend it in params/ or in the tier's module, build, review, deploy again",
        ),
    )
)


def hint_for(reason: str) -> str:
    """The next step that a reason suggests; "" where it is none of the well-known ones."""
    return next((hint for pattern, hint in _HINTS if pattern.search(reason)), "")
