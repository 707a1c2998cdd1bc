"""The review on a terminal."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

import pytest

from deployer.changes import PropertyChange
from deployer.render.summary import summarize
from deployer.render.terminal import Span, Terminal, columns
from deployer.render.text import render_text
from deployer.review.model import Action, Certainty, Concern, Edit, Refusal, Severity, Verdict
from tests.unit.deployer.render import reviews
from tests.unit.deployer.render.reviews import ALLOWED, CASES, edit, item, review, tier

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def _text(given, verdict=ALLOWED, width=100, **more):
    return render_text(given, verdict, width=width, color=False, **more)


def _one(*edits, **more):
    return _text(review(tier("database", item("database.Cluster", "RDS::DBCluster", Action.MODIFY, *edits, **more))))


def _block(text, begin):
    return next(block for block in text.split("\n\n") if block.startswith(begin))


@pytest.mark.parametrize("name", [*CASES, "hostile"])
@pytest.mark.parametrize("width", [40, 72, 100, 200])
def test_no_line_is_wider_than_the_terminal(name, width):
    made, verdict = CASES.get(name, (reviews.hostile, reviews.hostile_verdict))
    copied = {f for refusal in verdict().refusals for f in [refusal.flag]}
    for line in _text(made(), verdict(), width=width, show_noise=True).splitlines():
        to_copy = line.strip().removesuffix(" \\") in copied or "deploy.py" in line or "--allow" in line
        assert columns(line) <= width or to_copy, line


@pytest.mark.parametrize("name", CASES)
def test_colour_only_repeats_what_the_text_says(name):
    made, verdict = CASES[name]
    plain = _text(made(), verdict())
    coloured = render_text(made(), verdict(), width=100, color=True)
    assert ESCAPES.sub("", coloured) == plain
    assert ESCAPES.search(coloured)
    assert "\x1b" not in plain


def test_what_it_does_comes_first_and_what_is_refused_last():
    text = _text(reviews.upgrade(), reviews.refused_verdict())
    lines = text.splitlines()
    assert lines[0] == "payments-prod  environment prod, us-east-1, durable"
    assert lines[1] == "refused: 2 changes must be acknowledged by name"
    assert lines[3].strip().startswith("Restarts the database")
    assert text.index("params changed") < text.index("\nidentity  changed") < text.index("\nrefused\n")
    assert shlex.split("\n".join(lines[-3:]).replace("\\\n", " ")) == [
        "python", "deploy.py", "execute", "--env", "prod",
        "--allow-replace", "database.ApplicationSecret", "--allow-traffic", "load_balancer.MigrationRule",
    ]  # fmt: skip


def test_the_caller_says_what_runs_next():
    text = _text(reviews.upgrade(), reviews.refused_verdict(), next_command="python deploy.py --env prod --local")
    assert text.endswith(
        "next\n  python deploy.py --env prod --local \\\n    --allow-replace database.ApplicationSecret \\\n"
        "    --allow-traffic load_balancer.MigrationRule\n"
    )


def test_what_can_never_be_acknowledged_offers_no_flag():
    text = _text(reviews.upgrade(), reviews.upgrade_verdict())
    refused = _block(text, "refused\n")
    assert "--allow-traffic load_balancer.MigrationRule" in refused
    assert "policies/prod.yaml:12" in refused
    assert "no flag acknowledges it" in refused
    assert _block(text, "next").splitlines()[1:] == [
        "  change what is never acknowledged here, build, and review again:",
        "  python deploy.py review --env prod",
    ]
    assert _block(text, "acknowledged") == "acknowledged\n  access  identity.TaskExecutionRole"


def test_the_chain_of_causes_is_indented():
    block = _block(_text(reviews.upgrade()), "service")
    at = block.index("because template")
    assert block[at:].splitlines()[:5] == [
        "because template database.ApplicationSecret",
        "          → resource database.ApplicationSecret: replaced",
        "            → output database.ApplicationSecretArn",
        "              → parameter service.DatabaseSecretArn",
        "                → resource service.TaskDefinition: replaced",
    ]


def test_of_a_document_only_the_changed_lines_are_shown():
    block = _block(_text(reviews.upgrade(), width=140), "load_balancer")
    assert "~ [forward].ForwardConfig.TargetGroups[targetgroup/payments-prod-blue].Weight: 0 → 20" in block
    assert "payments-prod-green" not in block


def test_noise_is_one_line_unless_all_is_wanted():
    text = _text(reviews.upgrade(), width=200)
    assert (
        "\n\n5 resources in 1 tier are noise: monitoring 5; what feeds them does not change (--all shows them)\n\n"
        in text
    )
    assert "\nmonitoring  changed" not in text
    assert "AlbErrors" not in text
    everything = _text(reviews.upgrade(), show_noise=True)
    assert "~ modify?  monitoring.AlbErrors" in everything
    assert "left out" not in everything


def test_a_single_noise_and_noise_among_the_edits():
    quiet = edit("Threshold", "1", "2", certainty=Certainty.NOISE)
    alone = item(
        "a.B", "X::Y", Action.MODIFY, quiet, certainty=Certainty.NOISE, severity=Severity.QUIET, summary="noise"
    )
    assert "\n1 resource in 1 tier is noise: a 1; what feeds it does not change (--all" in _text(
        review(tier("a", alone)), width=200
    )
    two = _text(review(tier("a", alone, alone), tier("b", alone), tier("c", alone, outcome="created")), width=200)
    assert "\n3 resources in 2 tiers are noise: a 2, b 1; " in two
    assert "\nc  created\n  ? 1 change left out as noise: " in two  # that a tier is created is no noise
    assert "(--all shows it)" in two
    mixed = _one(edit("Port", "1", "2"), quiet)
    assert "Port: 1 → 2" in mixed
    assert "? 1 more property change left out as noise" in mixed
    assert "Threshold" not in mixed


def test_what_changes_alike_is_told_once():
    block = _block(_text(reviews.big(), reviews.big_verdict()), "network")
    assert block.count("Tags.CostCenter: finance → payments") == 1
    assert "~ modify  50 resources  EC2::Subnet" in block
    assert "Thing0, Thing1" in block
    kinds = [item(f"a.B{number}", f"X::K{number % 2}", Action.MODIFY, edit("T", "1", "2")) for number in range(3)]
    told = _text(review(tier("a", *kinds)))
    assert "~ modify  3 resources\n      2 X::K0, 1 X::K1\n      B0, B1, B2" in told
    database = _block(_text(reviews.upgrade()), "database")
    assert "~ modify  3 resources  RDS::DBInstance  [look: data]\n      Writer, Reader1, Reader2" in database


def test_what_the_gate_must_be_told_of_stands_alone():
    loud = [
        item(f"a.B{number}", "X::Y", Action.DELETE, severity=Severity.STOP, concerns=(Concern.DATA,))
        for number in range(4)
    ]
    text = _text(review(tier("a", *loud)))
    assert text.count("[stop: data]") == 4


def test_a_first_deployment_is_no_wall():
    text = _text(reviews.first(), width=200)
    assert len(text.splitlines()) < 45
    assert "+ create  routine: 46 CloudWatch::Alarm, 1 SNS::Topic" in text
    for concern in ("database.DBCluster1", "SecurityGroupIngress8", "Role8"):
        assert concern in text
    assert text.endswith("next\n  python deploy.py execute --env dev --suffix pr-12\n")


def test_a_creation_tells_its_properties_only_when_they_matter():
    edits = (edit("CidrIp", None, "0.0.0.0/0"),)
    quiet = item("a.B", "X::Y", Action.CREATE, *edits, concerns=(Concern.ACCESS,), summary="lets everybody in")
    loud = replace(quiet, severity=Severity.WARN)
    assert "CidrIp" not in _text(review(tier("a", quiet)))
    assert "lets everybody in" in _text(review(tier("a", quiet)))
    assert "CidrIp: 0.0.0.0/0 added" in _text(review(tier("a", loud)))
    assert "CidrIp" in _text(review(tier("a", quiet)), show_noise=True)


@pytest.mark.parametrize(
    ("action", "summary", "told"),
    [
        (Action.CREATE, "created", False),
        (Action.CREATE, "will be created.", False),
        (Action.REPLACE, "replaced", False),
        (Action.CREATE, "created empty", True),
        (Action.DELETE, "its data is lost when deleted", True),
    ],
)
def test_a_summary_that_says_only_the_action_is_left_out(action, summary, told):
    assert (summary in _text(review(tier("a", item("a.B", "X::Y", action, summary=summary))))) is told


def test_a_forecast_says_will_and_may_and_what_is_unknown():
    text = _text(reviews.forecast(), reviews.forecast_verdict())
    assert "± will replace  database.Cluster" in text
    assert "± may replace  database.Writer" in text
    assert "forecast: would be refused, as 1 change must be acknowledged by name" in text
    assert "unknown\n  ? What has been changed outside of CloudFormation" in text
    assert "would be refused\n" in text
    assert "python deploy.py review --env prod \\\n    --allow-replace database.Cluster" in text
    created = review(tier("a", *(item(f"a.B{number}", "X::Y", Action.CREATE) for number in range(4))), forecast=True)
    allowed = _text(created)
    assert "+ will create  routine: 4 X::Y" in allowed
    assert "forecast: nothing that it can tell would be refused; only a change set tells all" in allowed
    assert allowed.endswith("next\n  python deploy.py review --env prod\n")
    assert "safe" not in f"{text}{allowed}".lower()


def test_a_failed_change_set_tells_its_cause_and_offers_no_execution():
    text = _text(reviews.failed())
    assert "cannot be executed: the change set of service failed" in text
    assert "cause: Template error: Fn::Select cannot select nonexistent value" in text
    assert "warning: the quota of target groups" in text
    assert "execute --env" not in text
    both = review(tier("a", outcome="failed"), tier("b", outcome="failed"))
    assert "the change sets of a, b failed" in _text(both)


def test_nothing_to_do_is_said_in_a_few_lines():
    text = _text(reviews.unchanged())
    assert "allowed: nothing changes" in text
    assert text.endswith("unchanged  network, database\n")


def test_a_forecast_of_nothing_says_so_and_names_no_next_step():
    text = _text(replace(reviews.unchanged(), forecast=True))
    assert "forecast: nothing changes\n" in text
    assert "next" not in text
    unknown = replace(reviews.unchanged(), forecast=True, unknowns=("whether AWS still has it",))
    assert "forecast: nothing that it can tell changes\n" in _text(unknown)
    outputs = replace(review(tier("network", outcome="changed")), forecast=True)
    assert "forecast: no resource changes\n" in _text(outputs)


def test_tiers_without_resources_say_so_or_nothing():
    made = review(
        tier("root", outcome="changed"), tier("network", outcome="created"), tier("service", outcome="changed"),
        tier("database"),
    )  # fmt: skip
    text = _text(made)
    assert "service  changed: no resource\n" in text
    assert "unchanged  database\n" in text
    assert "root" not in text
    assert "network" not in text
    warned = _text(review(tier("root", outcome="changed", warnings=("w",)), tier("a", cause="c")))
    assert "root  changed: no resource\n  warning: w" in warned
    assert "a  unchanged\n  cause: c" in warned


def test_used_acknowledgements_are_counted():
    text = _text(reviews.failed(), replace(ALLOWED, acknowledged=(("replace", "a.B"),)))
    assert "acknowledged\n  replace  a.B" in text
    allowed = review(tier("a", item("a.B", "X::Y", Action.REPLACE)))
    assert "allowed: 1 acknowledgement used" in _text(allowed, replace(ALLOWED, acknowledged=(("replace", "a.B"),)))
    assert "allowed: nothing needs an acknowledgement" in _text(allowed)


def test_only_what_can_never_be_is_refused():
    verdict = Verdict((Refusal("database.Cluster", "delete", "", ""), Refusal("a.B", "delete", "", "")), ())
    text = _text(reviews.upgrade(), verdict)
    assert "refused: 2 changes can never be acknowledged here" in text
    assert "  database.Cluster  delete\n" in text


def test_values_that_say_nothing_are_said_to():
    same = _one(edit("Policy", '{"a":1}', '{"a": 1}'))
    assert "Policy: the same content, written differently" in same
    unknown = PropertyChange("Properties", "Policy", "Modify", None, None, "Never", "Static", "", "")
    assert "Policy: its values are not told" in _one(Edit(unknown, Certainty.CERTAIN, False, ()))
    assert "Policy: (known only when applied) added" in _one(edit("Policy", None, None, known=False))
    assert "Policy: a removed" in _one(edit("Policy", "a", None))


def test_many_lines_that_change_are_counted():
    before = {f"k{number}": 1 for number in range(20)}
    after = {f"k{number}": 2 for number in range(20)}
    made = edit("Settings", str(before).replace("'", '"'), str(after).replace("'", '"'))
    text = _one(made)
    assert "k11: 1 → 2" in text
    assert "k12: 1 → 2" not in text
    assert "… 8 more lines that change (--all, or review.html)" in text
    one = review(tier("database", item("database.Cluster", "X::Y", Action.MODIFY, made)))
    assert "k19: 1 → 2" in _text(one, show_noise=True)


def test_a_possible_change_is_told_as_such():
    possible = {"certainty": Certainty.POSSIBLE}
    text = _one(edit("A", "1", "2", replaces=True, **possible), edit("B", "1", "2", **possible), **possible)
    assert "~ may modify  database.Cluster" in text
    assert "A: 1 → 2  (may replace it)" in text
    assert "B: 1 → 2  (possible)" in text


def test_secrets_in_params_and_causes_are_hidden():
    link = ("param", "database.master_password", "hunter2 → hunter3")
    made = review(
        tier("a", item("a.B", "X::Y", Action.MODIFY, edit("Port", "1", "2", link))),
        params=(("database.master_password", "hunter2", "hunter3"), ("tags.team", "", "payments")),
    )
    text = _text(made)
    assert "hunter" not in text
    assert "database.master_password  (hidden) → (hidden)" in text
    assert 'tags.team                 "" → payments' in text
    assert "because params key database.master_password: (hidden)" in text


def test_the_item_itself_is_no_link_of_its_chain():
    text = _one(edit("Port", "1", "2", ("resource", "database.Cluster", ""), ("property", "Port", "")))
    assert "because" not in text


def test_values_cannot_speak_to_the_terminal():
    text = _text(reviews.hostile(), reviews.hostile_verdict())
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "hunter2" not in text


def test_a_summary_is_one_line():
    assert summarize(reviews.upgrade(), reviews.refused_verdict()) == (
        "payments-prod refused: 2 changes must be acknowledged by name (3 replace, 8 modify; 5 noise)"
    )
    assert summarize(reviews.unchanged(), ALLOWED) == "payments-prod allowed: nothing changes (none)"


def test_words_are_filled_and_hang():
    terminal = Terminal(40, color=False)
    assert terminal.fill("one two", indent=2) == ["  one two"]
    assert terminal.fill("x" * 30, "   ", "y" * 20, indent=2, hanging=2) == ["  " + "x" * 30, "    " + "y" * 20]
    assert terminal.fill("a", Span("--flag value" * 5, whole=True)) == ["a", "--flag value" * 5]
    assert terminal.fill("") == [""]
    assert terminal.fill("東" * 25) == ["東" * 20, "東" * 5]
    assert columns("e\u0301") == 1


def test_a_word_longer_than_a_line_is_cut_after_punctuation():
    terminal = Terminal(40, color=False)
    assert terminal.fill("arn:aws:secretsmanager:us-east-1/payments/application") == [
        "arn:aws:secretsmanager:us-east-1/",
        "payments/application",
    ]
    assert terminal.fill("x" * 100) == ["x" * 40, "x" * 40, "x" * 20]
    assert terminal.fill("y" * 40, "z" * 41) == ["y" * 40, "z" * 40, "z"]


def test_styles_that_follow_each_other_are_one_sequence():
    terminal = Terminal(80, color=True)
    assert terminal.fill(Span("a b", "strong"), Span(" c ", "strong")) == ["\x1b[1ma b c\x1b[0m"]
