"""E9118: a credential written into the template."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import embedded, text
from rules.secrets._words import is_credential

_CREDENTIALS = {
    "AWS::DMS::Endpoint": ("Password", "PostgreSqlSettings.Password"),
    "AWS::IAM::User": ("LoginProfile.Password",),
    "AWS::RDS::DBCluster": ("MasterUserPassword",),
    "AWS::RDS::DBInstance": ("MasterUserPassword",),
    "AWS::SecretsManager::Secret": ("SecretString",),
}


class CredentialInTemplate(HouseRule):
    """A dynamic reference is no literal: it is resolved while the resource is created and shown nowhere."""

    id = "E9118"
    shortdesc = "Credential written into the template"
    description = "Templates are stored in buckets, repositories and stack histories (PCI DSS 8.6.2)"
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/security-best-practices.html#creds"
    tags = ["house", "secrets"]
    fix = "let the service make it: GenerateSecretString, ManageMasterUserPassword, SecretsManagerSecretId"

    def findings(self, template: Template) -> Iterator[Finding]:
        for kind, paths in _CREDENTIALS.items():
            for resource in template.of(kind):
                for path in paths:
                    keys = path.split(".")
                    value = text(resource.raw(*keys))
                    if value and "{{resolve:" not in value:
                        yield resource.finding(f"{path} is written in the template", *keys)
        for secret in template.of("AWS::SecretsManager::Secret"):
            form = embedded(secret.raw("GenerateSecretString", "SecretStringTemplate"))
            for key, value in form.items() if isinstance(form, dict) else ():
                if is_credential(key) and isinstance(value, str) and value:
                    yield secret.finding(
                        f"SecretStringTemplate gives {key}", "GenerateSecretString", "SecretStringTemplate"
                    )
