"""Where templates hold IAM policy documents: type → paths, their parts joined by dots, "*" for each item of a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Documents = Mapping[str, tuple[str, ...]]

# What an identity may do.
IDENTITY: Final[Documents] = {
    "AWS::IAM::Group": ("Policies.*.PolicyDocument",),
    "AWS::IAM::GroupPolicy": ("PolicyDocument",),
    "AWS::IAM::ManagedPolicy": ("PolicyDocument",),
    "AWS::IAM::Policy": ("PolicyDocument",),
    "AWS::IAM::Role": ("Policies.*.PolicyDocument",),
    "AWS::IAM::RolePolicy": ("PolicyDocument",),
    "AWS::IAM::User": ("Policies.*.PolicyDocument",),
    "AWS::IAM::UserPolicy": ("PolicyDocument",),
}
# Who may become a role.
TRUST: Final[Documents] = {"AWS::IAM::Role": ("AssumeRolePolicyDocument",)}
# Who may do what to a resource. Endpoint policies are no part of it: they only narrow what other policies grant.
RESOURCE: Final[Documents] = {
    "AWS::Backup::BackupVault": ("AccessPolicy",),
    "AWS::ECR::Repository": ("RepositoryPolicyText",),
    "AWS::KMS::Key": ("KeyPolicy",),
    "AWS::Logs::ResourcePolicy": ("PolicyDocument",),
    "AWS::S3::BucketPolicy": ("PolicyDocument",),
    "AWS::SNS::TopicPolicy": ("PolicyDocument",),
    "AWS::SQS::QueuePolicy": ("PolicyDocument",),
    "AWS::SecretsManager::ResourcePolicy": ("ResourcePolicy",),
}

# Services that set aws:SourceAccount and aws:SourceArn when they assume a role, by their own documentation. Lambda, ECS
# (for infrastructure roles) and the regional principals of DMS do not say so: a condition could lock them out.
SOURCE_AWARE_SERVICES: Final[Mapping[str, str]] = {
    "dms.amazonaws.com": "dms/latest/userguide/cross-service-confused-deputy-prevention.html",
    "ecs-tasks.amazonaws.com": "AmazonECS/latest/developerguide/task-iam-roles.html",
    "events.amazonaws.com": "eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html",
    "monitoring.rds.amazonaws.com": "AmazonRDS/latest/AuroraUserGuide/cross-service-confused-deputy-prevention.html",
    "scheduler.amazonaws.com": "scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html",
    "states.amazonaws.com": "step-functions/latest/dg/procedure-create-iam-role.html",
    "vpc-flow-logs.amazonaws.com": "vpc/latest/userguide/flow-logs-iam-role.html",
}

# Condition keys that hold a role to the account (or resource) that a service works for.
SOURCE_KEYS: Final = frozenset({"aws:sourceaccount", "aws:sourcearn"})

# Condition keys that hold a grant to "*" inside an account or organisation.
ACCOUNT_KEYS: Final = frozenset({
    "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths",
    "aws:sourceaccount", "aws:sourcearn", "aws:sourceowner", "kms:calleraccount",
})  # fmt: skip
