from __future__ import annotations

from typing import Any

import pytest

from templates.task_settings import forward_settings, reverse_settings, table_mappings

# The names that DMS documents, section by section: it may ignore what it does not know.
# https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TaskSettings.html
DOCUMENTED = {
    "ChangeProcessingDdlHandlingPolicy": {
        "HandleSourceTableAltered", "HandleSourceTableDropped", "HandleSourceTableTruncated",
    },
    "ControlTablesSettings": {
        "ControlSchema", "FullLoadExceptionTableEnabled", "HistoryTableEnabled", "HistoryTimeslotInMinutes",
        "StatusTableEnabled", "SuspendedTablesTableEnabled",
    },
    "ErrorBehavior": {
        "ApplyErrorDeletePolicy", "ApplyErrorEscalationCount", "ApplyErrorEscalationPolicy",
        "ApplyErrorFailOnTruncationDdl", "ApplyErrorInsertPolicy", "ApplyErrorUpdatePolicy",
        "DataErrorEscalationCount", "DataErrorEscalationPolicy", "DataErrorPolicy", "DataMaskingErrorPolicy",
        "DataTruncationErrorPolicy", "EventErrorPolicy", "FailOnNoTablesCaptured",
        "FailOnTransactionConsistencyBreached", "FullLoadIgnoreConflicts", "RecoverableErrorCount",
        "RecoverableErrorInterval", "RecoverableErrorStopRetryAfterThrottlingMax", "RecoverableErrorThrottling",
        "RecoverableErrorThrottlingMax", "TableErrorEscalationCount", "TableErrorEscalationPolicy",
        "TableErrorPolicy",
    },
    "FullLoadSettings": {
        "CommitRate", "CreatePkAfterFullLoad", "MaxFullLoadSubTasks", "StopTaskCachedChangesApplied",
        "StopTaskCachedChangesNotApplied", "TargetTablePrepMode", "TransactionConsistencyTimeout",
    },
    "Logging": {"EnableLogging", "LogComponents"},
    "TargetMetadata": {
        "BatchApplyEnabled", "FullLobMode", "InlineLobMaxSize", "LimitedSizeLobMode", "LobChunkSize", "LobMaxSize",
        "SupportLobs", "TargetSchema", "TaskRecoveryTableEnabled",
    },
    "ValidationSettings": {
        "EnableValidation", "FailureMaxCount", "HandleCollationDiff", "MaxKeyColumnSize", "PartitionSize",
        "RecordFailureDelayInMinutes", "RecordFailureDelayLimitInMinutes", "RecordSuspendDelayInMinutes",
        "SkipLobColumns", "TableFailureMaxCount", "ThreadCount", "ValidationMode", "ValidationOnly",
        "ValidationPartialLobSize", "ValidationQueryCdcDelaySeconds",
    },
}  # fmt: skip
COMPONENTS = {
    "FILE_FACTORY", "METADATA_MANAGER", "SORTER", "SOURCE_CAPTURE", "SOURCE_UNLOAD", "TABLES_MANAGER", "TARGET_APPLY",
    "TARGET_LOAD", "TASK_MANAGER", "TRANSFORMATION", "VALIDATOR",
}  # fmt: skip

BOTH = pytest.mark.parametrize("settings", [forward_settings(1024), reverse_settings(1024)], ids=["forward", "reverse"])


@BOTH
def test_every_name_is_one_that_dms_documents(settings: Any) -> None:
    assert set(settings) <= set(DOCUMENTED)
    for section, values in settings.items():
        assert set(values) <= DOCUMENTED[section], section
    assert {component["Id"] for component in settings["Logging"]["LogComponents"]} <= COMPONENTS
    assert settings["ValidationSettings"]["ValidationMode"] in {"ROW_LEVEL", "GROUP_LEVEL"}


@BOTH
def test_every_error_of_a_row_or_table_stops_the_task(settings: Any) -> None:
    policies = {name: value for name, value in settings["ErrorBehavior"].items() if name.endswith("Policy")}
    assert set(policies.values()) == {"STOP_TASK"}
    assert set(policies) >= {
        "ApplyErrorDeletePolicy", "ApplyErrorInsertPolicy", "ApplyErrorUpdatePolicy", "ApplyErrorEscalationPolicy",
        "DataErrorPolicy", "DataTruncationErrorPolicy", "DataErrorEscalationPolicy", "TableErrorPolicy",
        "TableErrorEscalationPolicy",
    }  # fmt: skip


@BOTH
def test_the_first_error_is_one_too_many(settings: Any) -> None:
    counts = {name: value for name, value in settings["ErrorBehavior"].items() if name.endswith("EscalationCount")}
    assert counts == {"ApplyErrorEscalationCount": 0, "DataErrorEscalationCount": 0, "TableErrorEscalationCount": 0}


@BOTH
def test_a_task_without_tables_or_with_a_broken_transaction_fails(settings: Any) -> None:
    assert settings["ErrorBehavior"]["FailOnNoTablesCaptured"] is True
    assert settings["ErrorBehavior"]["FailOnTransactionConsistencyBreached"] is True


@BOTH
def test_a_lost_connection_is_retried_for_about_two_days(settings: Any) -> None:
    behavior = settings["ErrorBehavior"]
    assert behavior["RecoverableErrorThrottling"] is True
    assert behavior["RecoverableErrorStopRetryAfterThrottlingMax"] is False
    wait, total = behavior["RecoverableErrorInterval"], 0
    for _ in range(behavior["RecoverableErrorCount"]):
        total += wait
        wait = min(wait * 2, behavior["RecoverableErrorThrottlingMax"])
    assert 40 * 3600 < total < 50 * 3600


def test_conflicts_are_ignored_only_where_a_full_load_repeats_rows() -> None:
    assert forward_settings(1)["ErrorBehavior"]["FullLoadIgnoreConflicts"] is True
    assert reverse_settings(1)["ErrorBehavior"]["FullLoadIgnoreConflicts"] is False


@BOTH
def test_every_row_is_validated(settings: Any) -> None:
    validation = settings["ValidationSettings"]
    assert validation["EnableValidation"] is True
    assert validation["ValidationOnly"] is False
    assert validation["SkipLobColumns"] is False
    assert validation["ValidationPartialLobSize"] == 0
    assert validation["HandleCollationDiff"] is True
    assert validation["ThreadCount"] > 0


@BOTH
def test_logging_is_on_but_never_so_loud_that_rows_are_logged(settings: Any) -> None:
    logging = settings["Logging"]
    assert logging["EnableLogging"] is True
    components = {component["Id"]: component["Severity"] for component in logging["LogComponents"]}
    assert set(components) >= {"SOURCE_CAPTURE", "SOURCE_UNLOAD", "TARGET_APPLY", "TARGET_LOAD", "VALIDATOR"}
    assert set(components.values()) == {"LOGGER_SEVERITY_DEFAULT"}


@BOTH
def test_all_control_tables_are_kept_apart_from_the_payments(settings: Any) -> None:
    tables = settings["ControlTablesSettings"]
    assert tables["ControlSchema"] == "awsdms"
    assert {name for name, value in tables.items() if value is True} == {
        "FullLoadExceptionTableEnabled",
        "HistoryTableEnabled",
        "StatusTableEnabled",
        "SuspendedTablesTableEnabled",
    }


@BOTH
def test_transactions_are_applied_one_by_one_and_restarts_are_exact(settings: Any) -> None:
    assert settings["TargetMetadata"]["BatchApplyEnabled"] is False
    assert settings["TargetMetadata"]["TaskRecoveryTableEnabled"] is True


@BOTH
def test_lobs_move_up_to_the_limit(settings: Any) -> None:
    target = settings["TargetMetadata"]
    assert target["SupportLobs"] is True
    assert (target["LimitedSizeLobMode"], target["FullLobMode"]) == (True, False)
    assert target["LobMaxSize"] == 1024


@BOTH
def test_the_target_follows_changes_of_tables_but_drops_none(settings: Any) -> None:
    assert settings["ChangeProcessingDdlHandlingPolicy"] == {
        "HandleSourceTableAltered": True,
        "HandleSourceTableDropped": False,
        "HandleSourceTableTruncated": True,
    }


def test_the_full_load_keeps_the_tables_and_stops_for_the_indexes() -> None:
    load = forward_settings(1)["FullLoadSettings"]
    assert load["TargetTablePrepMode"] == "DO_NOTHING"
    assert load["StopTaskCachedChangesApplied"] is True
    assert load["StopTaskCachedChangesNotApplied"] is False
    assert load["CreatePkAfterFullLoad"] is False
    assert "FullLoadSettings" not in reverse_settings(1)


def test_mappings_take_every_table_of_the_schemas_and_none_of_dms() -> None:
    rules = table_mappings(("public", "ledger"), ())["rules"]
    assert [
        (r["rule-action"], r["object-locator"]["schema-name"], r["object-locator"]["table-name"]) for r in rules
    ] == [
        ("include", "public", "%"),
        ("include", "ledger", "%"),
        ("include", "cutover", "marker"),
        ("exclude", "%", "awsdms%"),
    ]
    assert {rule["rule-type"] for rule in rules} == {"selection"}


def test_excluded_tables_are_taken_out_of_their_own_schema_only() -> None:
    rules = table_mappings(("public", "ledger"), ("ledger.entry", "public.entry_2%"))["rules"]
    assert rules[:-2] == table_mappings(("public", "ledger"), ())["rules"]
    assert [(r["rule-type"], r["rule-action"], r["object-locator"]) for r in rules[-2:]] == [
        ("selection", "exclude", {"schema-name": "ledger", "table-name": "entry"}),
        ("selection", "exclude", {"schema-name": "public", "table-name": "entry_2%"}),
    ]


def test_rules_have_ids_and_names_of_their_own() -> None:
    rules = table_mappings((f"s{number}" for number in range(20)), ("s1.a", "s2.b"))["rules"]
    assert len({rule["rule-id"] for rule in rules}) == len({rule["rule-name"] for rule in rules}) == len(rules) == 24
