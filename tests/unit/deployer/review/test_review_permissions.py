"""IAM: statement against statement, and who holds what."""

from __future__ import annotations

import copy
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.review.concerns.statements import Statement, statements, uncovered
from deployer.review.model import Concern, Severity

ROLE = "identity.TaskExecutionRole"


def allow(action="s3:GetObject", resource="arn:b/*", **more):
    return Statement(True, {"Effect": "Allow", "Action": action, "Resource": resource, **more})


def deny(action="s3:*", resource="*", **more):
    return Statement(False, {"Effect": "Deny", "Action": action, "Resource": resource, **more})


def is_covered(statement, others):
    return not uncovered(statement, others)


def when(operator, key, *values):
    return {"Condition": {operator: {key: list(values)}}}


# --- statement against statement -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("today", "wanted", "covered"),
    [
        (allow(), allow(), True),
        (allow("s3:*"), allow("s3:GetObject"), True),
        (allow("S3:getobject"), allow("s3:GetObject"), True),
        (allow("s3:Get*"), allow("s3:PutObject"), False),
        (allow("s3:GetObject"), allow("s3:Get*"), False),
        (allow("s3:Get?"), allow("s3:Get*"), False),  # one character is not any number of them
        (allow("s3:Get*"), allow("s3:Get?"), True),
        (allow(["s3:GetObject", "s3:PutObject"]), allow(["s3:PutObject", "s3:GetObject"]), True),
        (allow(["s3:GetObject"]), allow(["s3:GetObject", "s3:PutObject"]), False),
        (allow(resource="*"), allow(resource="arn:b/x"), True),
        (allow(resource="arn:b/*"), allow(resource="arn:c/x"), False),
        (allow(resource="arn:B/x"), allow(resource="arn:b/x"), False),  # ARNs mind the case
        (allow(resource={"Fn::If": []}), allow(resource={"Fn::If": []}), True),
        (deny(), allow(), False),
        (deny("s3:*"), deny("s3:GetObject"), True),
        # conditions
        (allow(), allow(**when("StringEquals", "aws:SourceAccount", "1")), True),
        (allow(**when("StringEquals", "aws:SourceAccount", "1")), allow(), False),
        (allow(**when("StringEquals", "k", "1", "2")), allow(**when("StringEquals", "k", "1")), True),
        (allow(**when("StringEquals", "k", "1")), allow(**when("StringEquals", "k", "1", "2")), False),
        (allow(**when("StringNotEquals", "k", "1")), allow(**when("StringNotEquals", "k", "1", "2")), True),
        (allow(**when("StringNotEquals", "k", "1", "2")), allow(**when("StringNotEquals", "k", "1")), False),
        (allow(**when("NumericLessThan", "k", "9", "5")), allow(**when("NumericLessThan", "k", "5")), False),
        (allow(**when("NumericLessThan", "k", "5")), allow(**when("NumericLessThan", "k", "5")), True),
        (allow(**when("Bool", "aws:SecureTransport", True)), allow(**when("Bool", "aws:SecureTransport", "true")), True),
        (allow(**when("StringEqualsIfExists", "k", "1", "2")), allow(**when("StringEqualsIfExists", "k", "2")), True),
        (allow(**when("StringEquals", "k", "1")), allow(**when("StringLike", "k", "1")), False),
        # principals
        (allow(Principal="*"), allow(Principal={"Service": "dms"}), True),
        (allow(Principal={"AWS": "*"}), allow(Principal={"AWS": "arn:x"}), True),
        (allow(Principal={"AWS": ["a", "b"]}), allow(Principal={"AWS": "a"}), True),
        (allow(Principal={"AWS": "a"}), allow(Principal={"AWS": ["a", "b"]}), False),
        (allow(Principal={"AWS": "a"}), allow(Principal={"Service": "a"}), False),
        (allow(Principal={"Service": "*"}), allow(Principal={"Service": "a"}), True),
        (allow(Principal={"AWS": "a"}), allow(Principal="*"), False),
        (allow(Principal={"AWS": "a"}), allow(), False),
        # everything but
        (Statement(True, {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}), allow(), False),
        (allow("*", "*"), Statement(True, {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}), False),
        (Statement(True, {"NotAction": "iam:*", "Resource": "*"}), Statement(True, {"NotAction": "iam:*", "Resource": "*"}), True),
        # a trust policy names no resource
        (Statement(True, {"Action": "sts:AssumeRole"}), Statement(True, {"Action": ["sts:AssumeRole"]}), True),
    ],
)  # fmt: skip
def test_a_statement_covers_what_it_allows_already(today, wanted, covered):
    assert is_covered(wanted, [today]) is covered


def test_one_statement_must_cover_a_pair_but_not_all_pairs():
    read, write = allow("s3:Get*"), allow("s3:Put*")
    assert is_covered(allow(["s3:GetObject", "s3:PutObject"]), [read, write])
    assert not is_covered(allow("s3:*"), [read, write])


S, R, P = "Action", "Resource", "Principal"


@pytest.mark.parametrize(
    ("wanted", "today", "parts"),
    [
        (allow(["a", "b"], ["x", "y"]), [], [{S: ["a", "b"], R: ["x", "y"]}]),
        (allow(["a", "b"], ["x", "y"]), [allow(["a", "b"], "x")], [{S: ["a", "b"], R: ["y"]}]),
        (allow(["a", "b"], ["x", "y"]), [allow("a", ["x", "y"])], [{S: ["b"], R: ["x", "y"]}]),
        (allow(["a", "b"], ["x", "y"]), [allow("a", "x")], [{S: ["a"], R: ["y"]}, {S: ["b"], R: ["x", "y"]}]),
        (allow("a", "x", Principal={"AWS": ["p", "q"]}), [allow("a", "x", Principal={"AWS": "p"})], [{P: {"AWS": ["q"]}}]),
        (allow("a", "x", Principal={"AWS": "p", "Service": ["s", "t"]}), [allow("a", "x", Principal={"Service": "s"})],
         [{P: {"AWS": ["p"], "Service": ["t"]}}]),
        (allow(["a", "b"], "x", Principal={"AWS": ["p", "q"]}), [allow("a", "x", Principal={"AWS": "p"})],
         [{S: ["b"], P: {"AWS": ["p"]}}, {S: ["a", "b"], P: {"AWS": ["q"]}}]),
        (allow("a", "x", Principal="*"), [allow("a", "x", Principal={"AWS": "p"})], [{P: "*"}]),
        (allow("a", "x", Principal={"AWS": []}), [], [{P: {"AWS": [[]]}}]),
        (allow("a", "x", NotPrincipal="z"), [allow("b", "x")], [{"NotPrincipal": "z"}]),
    ],
)  # fmt: skip
def test_only_what_is_new_is_told(wanted, today, parts):
    found = [part.body for part in uncovered(wanted, today)]
    assert [{name: body[name] for name in part} for body, part in zip(found, parts, strict=True)] == parts


NAMES = st.text(alphabet="ab*?", min_size=1, max_size=4)


@given(NAMES, NAMES, st.text(alphabet="ab", max_size=5))
def test_a_covered_pattern_matches_nothing_that_the_wider_one_does_not(wider, narrower, name):
    """The comparison never says "covered" of what would let more through."""

    def matches(pattern):
        return re.fullmatch(pattern.replace("*", ".*").replace("?", "."), name) is not None

    if is_covered(allow(narrower), [allow(wider)]) and matches(narrower):
        assert matches(wider)


@given(st.lists(NAMES, min_size=1, max_size=3), st.lists(NAMES, min_size=1, max_size=3))
def test_whatever_is_added_to_today_covers_no_less(actions, more):
    wanted = allow(actions)
    assert is_covered(wanted, [wanted])
    assert is_covered(wanted, [allow(more), wanted])
    assert is_covered(wanted, [allow([*actions, *more])])


def test_documents_hold_one_statement_or_many():
    assert statements({"Statement": {"Effect": "Allow"}}) == [Statement(True, {"Effect": "Allow"})]
    assert statements({"Statement": [{"Effect": "Deny"}, "odd"]}) == [Statement(False, {"Effect": "Deny"})]
    assert statements(None) == []
    assert statements({}) == []


def test_a_statement_reads_as_a_sentence():
    assert str(allow()) == "s3:GetObject on arn:b/*"
    assert str(allow(["a", "b", "c", "d", "e"])) == "a, b, c and 2 more on arn:b/*"
    assert str(Statement(True, {"NotAction": "iam:*", "NotResource": "x"})) == "everything but iam:* on x"
    assert str(Statement(True, {"Action": "a", "Principal": "*"})) == "a by everyone"
    assert str(Statement(True, {"Action": "a", "Principal": {"AWS": ["x"], "Service": "y"}})) == "a by x, y"
    assert str(Statement(True, {"Action": "a", "NotPrincipal": "z"})) == "a by z"


# --- who holds what --------------------------------------------------------------------------------------------------
def texts(item):
    return [finding.text for finding in item.findings if finding.concern is Concern.ACCESS]


def policy(*found):
    return {"Version": "2012-10-17", "Statement": [dict(statement.body) for statement in found]}


def test_the_golden_roles_are_covered_by_themselves(dev, tools):
    for address in dev.after["identity"]["Resources"]:
        dev.change(f"identity.{address}", tools.detail("Description", "a", "b"), replacement="False")
    assert not any(item.findings for item in dev.review().items())


def test_a_role_that_may_do_more_is_wider(dev, tools):
    policies = copy.deepcopy(dev.properties(ROLE)["Policies"])
    policies[0]["PolicyDocument"]["Statement"].append(dict(allow("s3:*", "*").body))
    dev.edit(ROLE, Policies=policies)
    item = dev.item(ROLE)
    assert tools.rules(item) == ["access"]
    assert texts(item) == [f"{ROLE} may s3:* on *"]


def test_a_role_that_may_do_less_is_not(dev, tools):
    dev.edit(ROLE, Policies=dev.properties(ROLE)["Policies"][:1])
    item = dev.item(ROLE)
    assert (tools.rules(item), item.severity) == ([], Severity.WARN)
    assert all(text.startswith(f"{ROLE} no longer may ") for text in texts(item))


def test_a_policy_that_moves_between_resources_of_a_role_is_not_wider(dev, tools):
    moved = dev.properties(ROLE)["Policies"][-1]
    dev.edit(ROLE, Policies=dev.properties(ROLE)["Policies"][:-1])
    dev.add(
        "identity.LogPolicy", "AWS::IAM::Policy", PolicyName="log", PolicyDocument=moved["PolicyDocument"],
        Roles=[{"Ref": "TaskExecutionRole"}],
    )  # fmt: skip
    assert texts(dev.item("identity.LogPolicy")) == []


def test_a_policy_of_another_tier_counts_for_the_role(dev):
    """database.ApplicationTokenPolicy belongs to identity.TaskRole."""
    document = copy.deepcopy(dev.properties("database.ApplicationTokenPolicy")["PolicyDocument"])
    document["Statement"][0]["Resource"] = ["*"]
    dev.edit("database.ApplicationTokenPolicy", PolicyDocument=document)
    assert texts(dev.item("database.ApplicationTokenPolicy")) == ["identity.TaskRole may rds-db:connect on *"]


def test_a_role_that_may_do_more_says_only_what_it_could_not(dev):
    policies = copy.deepcopy(dev.properties("identity.DmsSecretsRole")["Policies"])
    statement = next(part for part in policies[0]["PolicyDocument"]["Statement"] if len(part["Resource"]) > 1)
    statement["Resource"][0] = "arn:aws:secretsmanager:us-east-1:123456789012:secret:another"
    dev.edit("identity.DmsSecretsRole", Policies=policies)
    told, lost = texts(dev.item("identity.DmsSecretsRole"))
    assert told.startswith("identity.DmsSecretsRole may secretsmanager:")
    assert told.endswith(" on arn:aws:secretsmanager:us-east-1:123456789012:secret:another")
    assert lost.startswith("identity.DmsSecretsRole no longer may secretsmanager:")
    assert lost.count("secret:") == 1


def test_many_statements_are_one_finding(dev):
    more = [dict(allow(f"s3:{name}").body) for name in ("A", "B", "C", "D", "E")]
    dev.edit("identity.TaskRole", Policies=[{"PolicyName": "x", "PolicyDocument": {"Statement": more}}])
    assert texts(dev.item("identity.TaskRole")) == [
        "identity.TaskRole may s3:A on arn:b/*; s3:B on arn:b/*; s3:C on arn:b/*; and 2 more",
        "identity.TaskRole no longer may ssm:GetParameter on parameter/payments/dev/database",
    ]


def test_trust_is_compared_for_itself(dev):
    trust = copy.deepcopy(dev.properties("identity.TaskRole")["AssumeRolePolicyDocument"])
    trust["Statement"][0].pop("Condition")
    dev.edit("identity.TaskRole", AssumeRolePolicyDocument=trust)
    assert texts(dev.item("identity.TaskRole")) == [
        "trust of identity.TaskRole allows sts:AssumeRole by ecs-tasks.amazonaws.com"
    ]


def test_a_new_role_is_new_access(dev, tools):
    dev.add("identity.Guest", "AWS::IAM::Role", AssumeRolePolicyDocument=policy(allow("sts:AssumeRole", Principal="*")))
    item = dev.item("identity.Guest")
    assert texts(item) == ["trust of identity.Guest allows sts:AssumeRole on arn:b/* by everyone"]
    assert tools.rules(item) == ["access"]


def test_a_first_creation_allows_only_what_it_creates(dev, tools):
    dev.kind = "CREATE"
    dev.change("identity.TaskRole", action="Add")
    item = dev.item("identity.TaskRole")
    assert texts(item)
    assert tools.rules(item) == []


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("encryption.DataKey", "KeyPolicy"),
        ("monitoring.TopicPolicy", "PolicyDocument"),
        ("validation.ReportBucketPolicy", "PolicyDocument"),
        ("load_balancer.WebAclLogGroup", "ResourcePolicyDocument"),
        ("network.LogsEndpoint", "PolicyDocument"),
    ],
)
def test_a_resources_own_policy_that_lets_others_in_is_wider(dev, tools, address, name):
    document = copy.deepcopy(dev.properties(address)[name])
    document["Statement"].append(
        dict(allow("kms:Decrypt", "*", Principal={"AWS": "arn:aws:iam::123456789012:role/x"}).body)
    )
    dev.edit(address, **{name: document})
    found = texts(dev.item(address))
    assert len(found) == 1
    assert found[0].endswith("allows kms:Decrypt on * by arn:aws:iam::123456789012:role/x")
    dev.changes.clear()
    dev.before, dev.after = dev.after, dev.before
    dev.edit(address, Tags=[{"Key": "a", "Value": "b"}])
    item = dev.item(address)
    assert [" no longer allows " in finding.text for finding in item.findings] == [True]
    assert tools.rules(item) == (["weaken"] if address == "monitoring.TopicPolicy" else [])  # nobody is told any more


def test_a_deny_that_ends_is_wider(dev, tools):
    document = copy.deepcopy(dev.properties("validation.ReportBucketPolicy")["PolicyDocument"])
    document["Statement"] = [part for part in document["Statement"] if part["Effect"] != "Deny"]
    dev.edit("validation.ReportBucketPolicy", PolicyDocument=document)
    found = texts(dev.item("validation.ReportBucketPolicy"))
    assert found[0].startswith("policy of validation.ReportBucket no longer denies s3:* on")


def test_a_deny_that_goes_with_its_policy_is_wider_and_with_its_bucket_it_is_not(dev, tools):
    dev.drop("validation.ReportBucketPolicy")
    assert tools.rules(dev.item("validation.ReportBucketPolicy")) == ["access"]
    dev.drop("validation.ReportBucket")
    assert texts(dev.item("validation.ReportBucketPolicy")) == []


def test_a_policy_that_stays_in_the_account_ends_nothing(dev):
    dev.drop("validation.ReportBucketPolicy", "Retain")
    assert dev.item("validation.ReportBucketPolicy").findings == ()


def test_an_endpoint_without_a_policy_lets_everything_through(dev):
    dev.edit("network.LogsEndpoint", PolicyDocument=None)
    assert texts(dev.item("network.LogsEndpoint")) == ["policy of network.LogsEndpoint allows * on * by everyone"]


def test_a_permission_to_call_a_function_is_access(dev):
    dev.add(
        "validation.Caller", "AWS::Lambda::Permission", Action="lambda:InvokeFunction", FunctionName={"Ref": "Function"},
        Principal="events.amazonaws.com", SourceArn="arn:rule",
    )  # fmt: skip
    assert texts(dev.item("validation.Caller")) == [
        "policy of validation.Function allows lambda:InvokeFunction on * by events.amazonaws.com"
    ]
    dev.before["validation"]["Resources"]["Caller"] = copy.deepcopy(dev.resource("validation.Caller"))
    dev.changes.clear()
    dev.replace("validation.Caller", SourceArn=None)
    assert len(texts(dev.item("validation.Caller"))) == 1
    dev.changes.clear()
    dev.before["validation"]["Resources"]["Caller"]["Properties"].pop("SourceArn")
    dev.replace("validation.Caller", SourceArn="arn:rule", SourceAccount="1")
    assert all(" no longer allows " in text for text in texts(dev.item("validation.Caller")))


def test_a_document_may_be_written_as_text(dev):
    dev.edit(
        "validation.ReportBucketPolicy",
        PolicyDocument='{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"}]}',
    )
    assert "policy of validation.ReportBucket allows s3:* on * by everyone" in texts(
        dev.item("validation.ReportBucketPolicy")
    )
