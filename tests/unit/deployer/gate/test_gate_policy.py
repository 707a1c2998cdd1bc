"""Policy files: read strictly, every problem with its line; and the one of prod."""

from __future__ import annotations

import hashlib
import json

import pytest

from deployer.gate.policy import Policy, PolicyError, load_policy

GOOD = """\
# a comment
never:
  - rule: delete
    resources: ["database.*", encryption.DataKey]
    reason: the only copy
  - {rule: access, resources: [database.Writer], reason: "no: public address"}
"""


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "policies" / "test.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def problems(path):
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    assert caught.value.hint
    assert caught.value.exit_code == 2
    return caught.value.problems


def test_without_a_file_everything_can_be_acknowledged():
    assert load_policy(None) == Policy((), "")
    assert Policy().forbids("delete", "database.Cluster") is None


def test_an_entry_forbids_its_rule_for_its_resources(write):
    policy = load_policy(write(GOOD))
    assert policy.digest == hashlib.sha256(GOOD.encode()).hexdigest()
    assert policy.forbids("delete", "database.Cluster") == "never here, see policies/test.yaml:3; the only copy"
    assert policy.forbids("delete", "encryption.DataKey") is not None
    assert policy.forbids("delete", "encryption.DataKeyAlias") is None
    assert policy.forbids("delete", "encryption.datakey") is None
    assert policy.forbids("replace", "database.Cluster") is None
    assert policy.forbids("access", "database.Writer").endswith("see policies/test.yaml:6; no: public address")


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}\n"])
def test_an_empty_file_forbids_nothing(write, text):
    assert load_policy(write(text)).never == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- a\n", ["policies/test.yaml:1: no mapping; a mapping of never is wanted"]),
        ("nevr: []\n", ['policies/test.yaml:1: unknown key "nevr"; did you mean never?']),
        ("xyz: []\n", ['policies/test.yaml:1: unknown key "xyz"; known here: never']),
        ("never: []\n", ["policies/test.yaml:1: never: no list, or an empty one; a list is wanted"]),
        ("never: all\n", ["policies/test.yaml:1: never: no list, or an empty one; a list is wanted"]),
        (
            "never:\n  - all\n",
            ["policies/test.yaml:2: never[0]: no mapping; a mapping of rule, resources, reason is wanted"],
        ),
        (
            "never:\n  - rule: delete\n",
            ["policies/test.yaml:2: never[0]: resources, reason missing; rule, resources and reason are all wanted"],
        ),
        (
            "never:\n  - rule: delte\n    resources: [a.B]\n    reason: x\n",
            ['policies/test.yaml:2: never[0].rule: "delte"; did you mean delete?'],
        ),
        (
            "never:\n  - rule: zzzzz\n    resources: [a.B]\n    reason: x\n",
            ['policies/test.yaml:2: never[0].rule: "zzzzz"; one of replace, delete, weaken, access, traffic'],
        ),
        (
            "never:\n  - rule: delete\n    resources: [Cluster, a.B, [x]]\n    reason: ' '\n",
            [
                "policies/test.yaml:3: never[0].resources: no text; a text is wanted",
                'policies/test.yaml:3: never[0].resources: "Cluster"; an address is wanted, like database.Cluster',
                "policies/test.yaml:4: never[0].reason: no text; a text is wanted",
            ],
        ),
        (
            "never:\n  - rule: delete\n    rule: replace\n    resources: [a.B]\n    reason: x\n",
            ["policies/test.yaml:3: never[0]: rule again; each key stands once"],
        ),
    ],
)
def test_a_policy_that_is_misread_would_protect_nothing(write, text, expected):
    assert problems(write(text)) == expected


def test_what_is_no_yaml_names_its_line(write):
    assert problems(write("never:\n  - [\n"))[0].startswith("policies/test.yaml:3: not YAML: ")
    assert problems(write("never: \x01\n"))[0].startswith("policies/test.yaml: not YAML: ")
    assert problems(write(b"\xff\xfe"))[0].startswith("policies/test.yaml: not YAML: ")


def test_a_file_that_cannot_be_read_is_no_policy(tmp_path):
    assert problems(tmp_path / "policies" / "gone.yaml") == [
        "policies/gone.yaml: cannot be read: No such file or directory"
    ]


# --- prod ------------------------------------------------------------------------------------------------------------
def test_every_entry_of_prod_names_a_resource_of_prod(root):
    """A pattern that matches nothing guards nothing."""
    policy = load_policy(root / "policies" / "prod.yaml")
    golden = root / "tests" / "golden" / "prod"
    addresses = [
        f"{path.name.partition('.')[0]}.{logical_id}"
        for path in golden.glob("*.template.json")
        for logical_id in json.loads(path.read_text())["Resources"]
    ]
    for entry in policy.never:
        for pattern in entry.resources:
            single = Policy((type(entry)(entry.rule, (pattern,), "", ""),))
            assert any(single.forbids(entry.rule, address) for address in addresses), pattern


@pytest.mark.parametrize(
    ("rule", "address"),
    [
        ("replace", "database.Cluster"), ("delete", "database.Cluster"), ("delete", "root.Database"),
        ("delete", "encryption.DataKey"), ("weaken", "database.Cluster"), ("access", "database.Writer"),
        ("delete", "load_balancer.AccessLogBucket"), ("delete", "network.FlowLogGroup"), ("delete", "service.LogGroup"),
    ],
)  # fmt: skip
def test_prod_never_lets_go_of_what_cannot_be_brought_back(root, rule, address):
    assert load_policy(root / "policies" / "prod.yaml").forbids(rule, address)


@pytest.mark.parametrize(
    ("rule", "address"),
    [
        ("replace", "database.ApplicationSecret"),
        ("traffic", "load_balancer.MigrationRule"),
        ("delete", "database.Reader2"),
    ],
)
def test_prod_can_still_be_worked_on(root, rule, address):
    assert load_policy(root / "policies" / "prod.yaml").forbids(rule, address) is None
