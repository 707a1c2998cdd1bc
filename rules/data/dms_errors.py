"""What DMS may do with a row that it cannot replicate: the policies that lose none.

https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TaskSettings.ErrorHandling.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_HALT: Final = ("SUSPEND_TABLE", "STOP_TASK")

# Setting → what keeps every row. An absent one defaults to skipping it (LOG_ERROR, IGNORE_RECORD), but for the latter.
SAFE_POLICIES: Final[Mapping[str, tuple[str, ...]]] = {
    "ApplyErrorDeletePolicy": _HALT,
    "ApplyErrorEscalationPolicy": _HALT,
    "ApplyErrorInsertPolicy": (*_HALT, "INSERT_RECORD"),
    # UPDATE_RECORD keeps the row but drops its LOB columns: DMS then has no LOB support for the whole task.
    "ApplyErrorUpdatePolicy": _HALT,
    "DataErrorEscalationPolicy": _HALT,
    "DataErrorPolicy": _HALT,
    "DataMaskingErrorPolicy": _HALT,
    "DataTruncationErrorPolicy": _HALT,
    "TableErrorPolicy": _HALT,
}
SAFE_BY_DEFAULT: Final = frozenset({"DataErrorEscalationPolicy", "DataMaskingErrorPolicy", "TableErrorPolicy"})
