"""A small system, written as build.py writes one: a root and three cheap tiers with wires between them, to be edited."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

NESTED = "AWS::CloudFormation::Stack"
SYSTEM = "shop"


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def roles() -> dict[str, Any]:
    """The account's template: what all environments share."""
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
             "Principal": {"Service": "dms.amazonaws.com"}}]}  # fmt: skip
    return {
        "Resources": {"VpcRole": resource("AWS::IAM::Role", RoleName="dms-vpc-role", AssumeRolePolicyDocument=trust)}
    }


def alarms(suffix: str) -> dict[str, Any]:
    return {
        "Resources": {"Alarm": resource("AWS::SNS::Topic", TopicName=f"{SYSTEM}-{suffix}-alarm")},
        "Outputs": {"AlarmArn": {"Value": {"Ref": "Alarm"}}},
    }


def topics(suffix: str) -> dict[str, Any]:
    tag = {"Key": "Alarm", "Value": {"Ref": "AlarmArn"}}
    return {
        "Parameters": {"AlarmArn": {"Type": "String"}},
        "Resources": {"Orders": resource("AWS::SNS::Topic", TopicName=f"{SYSTEM}-{suffix}-orders", Tags=[tag])},
        "Outputs": {"OrdersArn": {"Value": {"Ref": "Orders"}}},
    }


def logs(suffix: str) -> dict[str, Any]:
    return {
        "Parameters": {"OrdersArn": {"Type": "String"}},
        "Resources": {
            "Requests": resource(
                "AWS::Logs::LogGroup", LogGroupName=f"/{SYSTEM}/{suffix}/requests", RetentionInDays=30
            ),
            "Token": resource(
                "AWS::SecretsManager::Secret",
                Name=f"{SYSTEM}/{suffix}/token",
                Description={"Fn::Sub": "token of ${OrdersArn}"},
                GenerateSecretString={"PasswordLength": 20},
            ),
        },
        "Outputs": {"RequestsName": {"Value": {"Ref": "Requests"}}},
    }


class Build:
    """out/<suffix>/ of the small system. Edit `tiers`, `root`, `tags` or `files`, then `write()`."""

    def __init__(self, out: Path, env: str = "dev", suffix: str | None = None) -> None:
        self.env = env
        self.suffix = suffix or env
        self.out = out
        self.folder = out / self.suffix
        self.stack = f"{SYSTEM}-{self.suffix}"
        self.protection = "disposable"
        self.tags = {
            "CostCenter": "finance",
            "Environment": env,
            "EnvironmentSuffix": self.suffix,
            "MigrationPhase": "active",
        }
        self.tiers = {"alarms": alarms(self.suffix), "topics": topics(self.suffix), "logs": logs(self.suffix)}
        self.account = roles()
        self.root: dict[str, Any] = {
            "Resources": {
                "Alarms": self.nest("alarms"),
                "Topics": self.nest("topics", AlarmArn=self.wire("Alarms", "AlarmArn")),
                "Logs": self.nest("logs", OrdersArn=self.wire("Topics", "OrdersArn")),
            },
            "Outputs": {"OrdersArn": {"Value": self.wire("Topics", "OrdersArn")}},
        }

    @staticmethod
    def wire(logical_id: str, output: str) -> dict[str, Any]:
        return {"Fn::GetAtt": [logical_id, f"Outputs.{output}"]}

    @staticmethod
    def nest(tier: str, **parameters: Any) -> dict[str, Any]:
        given = {"Parameters": parameters} if parameters else {}
        return resource(NESTED, TemplateURL=f"{tier}.template.json", **given)

    def properties(self, address: str) -> dict[str, Any]:
        """The properties of `logs.Requests`, to be changed."""
        tier, _, logical_id = address.partition(".")
        return self.tiers[tier]["Resources"][logical_id]["Properties"]

    def add_tier(self, logical_id: str, tier: str, template: dict[str, Any], **parameters: Any) -> None:
        self.tiers[tier] = template
        self.root["Resources"][logical_id] = self.nest(tier, **parameters)

    def remove_tier(self, logical_id: str, tier: str) -> None:
        del self.tiers[tier], self.root["Resources"][logical_id]

    def write(self) -> Build:
        """As the compiler does it: every file, then the manifest with their digests."""
        templates = {"root": self.root, "account": self.account, **self.tiers}
        files = {f"{name}.template.json": self._text(template) for name, template in templates.items()}
        files["parameters.json"] = self._text({"Parameters": {}, "Tags": self.tags})
        manifest = {
            "environment": self.env, "suffix": self.suffix, "region": "us-east-1", "protection": self.protection,
            "stack": self.stack, "root": "root.template.json", "lifecycle": [], "tiers": {}, "exceptions": [],
            "files": {name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()},
        }  # fmt: skip
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in self.folder.glob("*.template.json"):
            old.unlink()
        for name, data in {**files, "manifest.json": self._text(manifest)}.items():
            (self.folder / name).write_bytes(data)
        return self

    def _text(self, document: Any) -> bytes:
        return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()

    def copy(self) -> Build:
        return copy.deepcopy(self)
