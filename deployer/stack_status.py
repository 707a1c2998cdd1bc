"""What the status of a stack means.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from __future__ import annotations

from dataclasses import dataclass

_REVIEW = "REVIEW_IN_PROGRESS"
_GOOD = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
# An update may follow a failed creation or update too, when it was told not to roll back.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html
_UPDATABLE = _GOOD | {"UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE", "CREATE_FAILED", "UPDATE_FAILED"}
_OPERATIONS = {
    "CREATE_IN_PROGRESS": "its creation",
    "DELETE_IN_PROGRESS": "its deletion",
    "IMPORT_IN_PROGRESS": "an import",
    "IMPORT_ROLLBACK_IN_PROGRESS": "the rollback of an import",
    "ROLLBACK_IN_PROGRESS": "the rollback of its creation",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "the cleanup after an update",
    "UPDATE_IN_PROGRESS": "an update",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "the cleanup after the rollback of an update",
    "UPDATE_ROLLBACK_IN_PROGRESS": "the rollback of an update",
}


@dataclass(frozen=True, slots=True)
class StackStatus:
    """A status as AWS spells it ("UPDATE_COMPLETE")."""

    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def is_review(self) -> bool:
        """A shell: change sets of its creation wait, nothing has been created. In progress by name only."""
        return self.text == _REVIEW

    @property
    def is_in_progress(self) -> bool:
        """Something works on the stack; cleanups count, for no change set can be executed meanwhile."""
        return self.text.endswith("_IN_PROGRESS") and not self.is_review

    @property
    def ended(self) -> bool:
        """Nothing works on the stack."""
        return not self.is_in_progress

    @property
    def is_good(self) -> bool:
        """The last operation did what was asked for, and the stack is what its template says."""
        return self.text in _GOOD

    @property
    def is_failed(self) -> bool:
        """The last operation has ended, and did not do what was asked for."""
        return self.ended and ("ROLLBACK" in self.text or self.text.endswith("_FAILED"))

    @property
    def is_deleted(self) -> bool:
        """The stack is gone; AWS tells this of ids for 90 days, of names never."""
        return self.text == "DELETE_COMPLETE"

    @property
    def can_update(self) -> bool:
        """A change set of the type UPDATE can be created and executed."""
        return self.text in _UPDATABLE

    @property
    def is_failed_creation(self) -> bool:
        """A creation that was rolled back: it can only be deleted."""
        return self.text == "ROLLBACK_COMPLETE"

    @property
    def needs_continue_rollback(self) -> bool:
        """The rollback of an update failed: it must be continued before anything else."""
        return self.text == "UPDATE_ROLLBACK_FAILED"

    @property
    def operation(self) -> str:
        """What is in progress, as a person says it: "the rollback of an update"."""
        return _OPERATIONS.get(self.text, f"an operation ({self.text})")
