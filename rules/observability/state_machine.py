"""E9204: a state machine that leaves no trace."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import may_be


class StateMachineWithoutLog(HouseRule):
    """OFF is the default. Without a destination no level logs anything."""

    id = "E9204"
    shortdesc = "State machine does not log"
    description = "LoggingConfiguration has a level other than OFF and a destination (PCI DSS 10.4.2)"
    source_url = "https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html"
    tags = ["house", "logs"]
    fix = "set LoggingConfiguration.Level to ALL, ERROR or FATAL, with a log group as destination"
    types = ("AWS::StepFunctions::StateMachine",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        level = resource.at("LoggingConfiguration", "Level")
        if not may_be(level, "ALL", "ERROR", "FATAL"):
            yield resource.finding(f"log level is {level or 'OFF'}", "LoggingConfiguration", "Level")
        elif not resource.at("LoggingConfiguration", "Destinations"):
            yield resource.finding("the log has no destination", "LoggingConfiguration", "Destinations")
