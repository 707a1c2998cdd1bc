"""E9151: a topic that answers over plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules.transit._tls_only import refuses_plain_text


class TopicWithoutTls(HouseRule):
    """The policy is looked for in the same template as the topic."""

    id = "E9151"
    shortdesc = "SNS topic that admits plain HTTP"
    description = "A topic policy denies publishing when aws:SecureTransport is false (PCI DSS 4.2.1)"
    source_url = (
        "https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html#enforce-encryption-data-in-transit"
    )
    tags = ["house", "tls"]
    fix = "add an AWS::SNS::TopicPolicy that denies sns:Publish to * if aws:SecureTransport is false"
    types = ("AWS::SNS::Topic",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        actions = {"*", "sns:*", "sns:publish"}
        if not refuses_plain_text(
            resource.template, "AWS::SNS::TopicPolicy", ("Topics",), resource, "TopicName", actions
        ):
            yield resource.finding("no policy refuses plain HTTP")
