"""Properties that hold a JSON document as text: type → paths, parts joined by dots, "*" for each item of a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

JSON_PROPERTIES: Final[Mapping[str, tuple[str, ...]]] = {
    "AWS::CloudWatch::Dashboard": ("DashboardBody",),
    "AWS::DMS::ReplicationTask": ("ReplicationTaskSettings", "TableMappings", "TaskData"),
    "AWS::ECS::Service": ("DeploymentConfiguration.LifecycleHooks.*.HookDetails",),
    "AWS::Events::Rule": ("Targets.*.Input",),
    "AWS::Logs::ResourcePolicy": ("PolicyDocument",),
    "AWS::SNS::Subscription": ("FilterPolicy",),
    "AWS::SecretsManager::Secret": ("GenerateSecretString.SecretStringTemplate",),
    "AWS::StepFunctions::StateMachine": ("DefinitionString",),
}
