"""Buckets and logs."""

from __future__ import annotations

from tests.unit.deployer.gate.catalogue.edits import GONE, attributes, both, drop, put

BUCKET = "validation.ReportBucket"
LOGS = "database.PostgresqlLogGroup"

# what is edited → the edit, and what the gate asks about, with "?" where it only may happen
CASES = {
    "bucket policy statement": (
        put(
            "validation.ReportBucketPolicy",
            "PolicyDocument/Statement/-",
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
                "Action": "s3:GetObject",
                "Resource": "*",
            },
        ),
        ["access validation.ReportBucketPolicy"],
    ),
    "bucket policy deny lifted": (
        put("validation.ReportBucketPolicy", "PolicyDocument/Statement/#DenyPlainHttp/Action", ["s3:PutObject"]),
        ["access validation.ReportBucketPolicy"],
    ),
    "bucket policy removed": (drop("validation.ReportBucketPolicy"), ["access validation.ReportBucketPolicy"]),
    "bucket expiry 30": (
        put(BUCKET, "LifecycleConfiguration/Rules/0/ExpirationInDays", 30),
        ["weaken validation.ReportBucket"],
    ),
    "bucket expiry date": (
        put(
            BUCKET,
            "LifecycleConfiguration/Rules/-",
            {"Id": "d", "Status": "Enabled", "ExpirationDate": "2026-12-01T00:00:00Z"},
        ),
        ["weaken validation.ReportBucket"],
    ),
    "bucket expiry longer": (put(BUCKET, "LifecycleConfiguration/Rules/0/ExpirationInDays", 730), []),
    "bucket expiry gone": (put(BUCKET, "LifecycleConfiguration", GONE), []),
    "bucket new rule 1 day": (
        put(
            BUCKET,
            "LifecycleConfiguration/Rules/-",
            {"Id": "x", "Status": "Enabled", "Prefix": "runs/", "ExpirationInDays": 1},
        ),
        ["weaken validation.ReportBucket"],
    ),
    "bucket new rule legacy noncurrent": (
        put(
            BUCKET,
            "LifecycleConfiguration/Rules/-",
            {"Id": "x", "Status": "Enabled", "NoncurrentVersionExpirationInDays": 1},
        ),
        ["weaken validation.ReportBucket"],
    ),
    "bucket newer noncurrent": (
        put(BUCKET, "LifecycleConfiguration/Rules/0/NoncurrentVersionExpiration/NewerNoncurrentVersions", 1),
        [],
    ),
    "bucket versioning suspended": (
        put(BUCKET, "VersioningConfiguration/Status", "Suspended"),
        ["weaken validation.ReportBucket"],
    ),
    "bucket versioning gone": (put(BUCKET, "VersioningConfiguration", GONE), ["weaken validation.ReportBucket"]),
    "bucket sse AES": (
        put(
            BUCKET,
            "BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault",
            {"SSEAlgorithm": "AES256"},
        ),
        ["weaken validation.ReportBucket"],
    ),
    "bucket encryption gone": (put(BUCKET, "BucketEncryption", GONE), ["weaken validation.ReportBucket"]),
    "bucket public block gone": (
        put(BUCKET, "PublicAccessBlockConfiguration", GONE),
        ["weaken validation.ReportBucket"],
    ),
    "bucket public policy": (
        put(BUCKET, "PublicAccessBlockConfiguration/BlockPublicPolicy", False),
        ["weaken validation.ReportBucket"],
    ),
    "bucket ownership": (
        put(BUCKET, "OwnershipControls/Rules/0/ObjectOwnership", "ObjectWriter"),
        ["access validation.ReportBucket"],
    ),
    "bucket acl public": (put(BUCKET, "AccessControl", "PublicRead"), ["access validation.ReportBucket"]),
    "bucket logging gone": (put(BUCKET, "LoggingConfiguration", GONE), ["weaken validation.ReportBucket"]),
    "bucket name": (put(BUCKET, "BucketName", "payments-prod-reports-x"), ["replace validation.ReportBucket"]),
    "bucket replication out": (
        put(
            BUCKET,
            "ReplicationConfiguration",
            {
                "Role": "arn:aws:iam::123456789012:role/r",
                "Rules": [{"Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::elsewhere"}}],
            },
        ),
        ["access validation.ReportBucket"],
    ),
    "bucket key off": (put(BUCKET, "BucketEncryption/ServerSideEncryptionConfiguration/0/BucketKeyEnabled", False), []),
    "bucket removed retained": (both(drop(BUCKET, "validation.ReportBucketPolicy")), []),
    "bucket dp Delete": (
        attributes(BUCKET, DeletionPolicy="Delete", UpdateReplacePolicy="Delete"),
        ["weaken validation.ReportBucket"],
    ),
    "logs 30 days": (put(LOGS, "RetentionInDays", 30), ["weaken database.PostgresqlLogGroup"]),
    "logs longer": (put(LOGS, "RetentionInDays", 731), []),
    "logs forever": (put(LOGS, "RetentionInDays", GONE), []),
    "logs key gone": (put(LOGS, "KmsKeyId", GONE), ["weaken database.PostgresqlLogGroup"]),
    "logs renamed": (
        put(LOGS, "LogGroupName", "/aws/rds/cluster/x/postgresql"),
        ["replace database.PostgresqlLogGroup"],
    ),
    "logs class": (put(LOGS, "LogGroupClass", "INFREQUENT_ACCESS"), []),
    "logs removed retained": (drop("migration.LogGroup"), []),
    "waf log policy wider": (
        put("load_balancer.WebAclLogGroup", "ResourcePolicyDocument/Statement/0/Condition", GONE),
        ["access load_balancer.WebAclLogGroup"],
    ),
}
