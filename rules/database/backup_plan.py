"""E9164: a backup plan that backs up nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import names


class BackupOfNothing(HouseRule):
    """The system relies on Aurora's own backups; this holds for whoever adds AWS Backup to it."""

    id = "E9164"
    shortdesc = "Backup plan without a selection, or selection of nothing"
    description = "A plan backs up what a selection assigns to it, by ARN or tag"
    source_url = "https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html"
    tags = ["house", "backup"]
    fix = "assign resources: an AWS::Backup::BackupSelection with Resources, ListOfTags or Conditions"

    def findings(self, template: Template) -> Iterator[Finding]:
        selections = list(template.of("AWS::Backup::BackupSelection"))
        for plan in template.of("AWS::Backup::BackupPlan"):
            if not any(names(selection.properties.get("BackupPlanId"), plan.logical_id) for selection in selections):
                yield plan.finding("no selection uses the plan")
        for selection in selections:
            ways = ("Resources", "ListOfTags", "Conditions")
            if not any(selection.at("BackupSelection", way) for way in ways):
                yield selection.finding("nothing is selected", "BackupSelection")
