"""What can be asked for, and what is refused with the next step."""

from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal.rehearse.arguments import parse
from rehearsal.rehearse.faults import KINDS, STATES, Fault, every_fault, read_fault
from settings.errors import UsageError


def test_one_word_is_enough():
    options = parse(["--env", "dev"])
    assert options is not None
    assert (options.env, options.suffix, options.rate, options.reads, options.seconds) == ("dev", None, 200, 50, 10)
    assert (options.payments, options.accounts, options.faults, options.patience) == (20_000, 1000, (), 1)
    assert (options.json, options.html, options.markdown, options.keep) == (None, None, None, None)
    assert not options.is_series


def test_everything_can_be_said(tmp_path):
    given = [
        "--env",
        "staging",
        "--suffix",
        "pr-1",
        "--rate",
        "2.5",
        "--reads",
        "1",
        "--seconds",
        "3",
        "--payments",
        "9",
        "--accounts",
        "4",
        "--patience",
        "3",
    ]
    files = ["--json", str(tmp_path / "a.json"), "--html", str(tmp_path / "a.html"), "--keep", str(tmp_path / "kept")]
    files += ["--markdown", str(tmp_path / "a.md")]
    options = parse([*given, "--fault", "machine-stopped@Drain", *files])
    assert options is not None
    assert (options.env, options.suffix, options.rate, options.reads, options.seconds) == ("staging", "pr-1", 2.5, 1, 3)
    assert (options.payments, options.accounts, options.patience) == (9, 4, 3)
    assert options.faults == (Fault("machine-stopped", "Drain"),)
    assert (options.json, options.html) == (tmp_path / "a.json", tmp_path / "a.html")
    assert options.markdown == tmp_path / "a.md"
    assert (options.keep, options.is_series) == (tmp_path / "kept", False)


def test_a_series_is_all_faults_or_a_kind_or_some():
    def faults(text):
        options = parse(["--env", "dev", "--faults", text])
        assert options is not None
        return [str(fault) for fault in options.faults]

    assert faults("all") == [str(fault) for fault in every_fault()]
    assert faults("replication-stalled") == ["replication-stalled@Approve", "replication-stalled@Warm"]
    assert faults("operator-away,connection-cut@Switch+0.5") == ["operator-away@Approve", "connection-cut@Switch+0.5"]


def test_help_tells_of_every_fault(capsys):
    assert parse(["--help"]) is None
    told = capsys.readouterr().out
    assert all(f"  {name} " in told for name in KINDS)
    assert "exit codes: 0" in told


@pytest.mark.parametrize(
    ("arguments", "problem", "hint"),
    [
        ([], "--env is missing", "python rehearse.py --env dev"),
        (["--env", "dve"], "--env dve: there is no params/dve.yaml", "did you mean dev?"),
        (["--env", "base"], "--env base: there is no params/base.yaml", "one of dev, prod, staging"),
        (["--env", "dev", "--rate", "0"], "0: a number a second above 0", "--help"),
        (["--env", "dev", "--rate", "many"], "many: a number a second", "--help"),
        (["--env", "dev", "--rate", "nan"], "nan: a number a second", "--help"),
        (["--env", "dev", "--seconds", "9999"], "9999: a number of seconds above 0, up to 3600", "--help"),
        (["--env", "dev", "--payments", "0"], "0: a whole number from 1 to", "--help"),
        (["--env", "dev", "--payments", "²"], "²: a whole number", "--help"),
        (["--env", "dev", "--payments", "1.5"], "1.5: a whole number", "--help"),
        (["--env", "dev", "--patience", "11"], "11: a whole number from 1 to 10", "--help"),
        (["--env", "dev", "--json", "/nowhere/at/all.json"], "/nowhere/at/all.json: its folder is not there", "make it"),
        (["--env", "dev", "--html", "/nowhere/at/all.html"], "/nowhere/at/all.html: its folder", "name another file"),
        (["--env", "dev", "--markdown", "/nowhere/at/all.md"], "/nowhere/at/all.md: its folder", "name another file"),
        (["--env", "dev", "--keep", "/"], "--keep /: it is there already", "name a folder that is not"),
        (["--env", "dev", "--fault", "target-kiled"], "--fault target-kiled: not KIND@STATE", "did you mean target-killed?"),
        (["--env", "dev", "--fault", "@Drain"], "--fault @Drain: not KIND@STATE", "as target-killed@Drain"),
        (["--env", "dev", "--fault", "target-kiled@Drain"], "no such kind", "did you mean target-killed?"),
        (["--env", "dev", "--fault", "xyz@Drain"], "no such kind", "one of source-killed, target-killed"),
        (["--env", "dev", "--fault", "target-killed@Drian"], "target-killed cannot happen at Drian", "did you mean Drain?"),
        (["--env", "dev", "--fault", "operator-away@Smoke"], "operator-away cannot happen at Smoke", "one of Approve"),
        (["--env", "dev", "--faults", "everything"], "--fault everything: not KIND@STATE", "see --help"),
        (["--env", "dev", "--faults", "all", "--html", "a.html"], "--html is of one rehearsal", "--json has them all"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(arguments, problem, hint):
    with pytest.raises(UsageError) as refused:
        parse(arguments)
    assert problem in str(refused.value)
    assert hint in refused.value.hint
    assert refused.value.exit_code == 2


def test_every_fault_can_be_named_and_read_again():
    faults = every_fault()
    assert len(set(faults)) == len(faults) > 50
    assert [read_fault(str(fault)) for fault in faults] == list(faults)
    assert read_fault("source-killed@Drain+1.25") == Fault("source-killed", "Drain", 1.25)
    assert {fault.state for fault in faults} == set(STATES)


def test_states_are_those_of_the_state_machine():
    from settings.load import load
    from templates.cutover_workflow import workflow

    machine = workflow(load(Path(__file__).parents[4] / "params", "dev", None, {}).cutover)

    def names(part):
        for name, state in part["States"].items():
            yield name
            for branch in state.get("Branches", ()):
                yield from names(branch)

    assert set(STATES) <= set(names(machine))
