"""One file: what is no YAML, keys that nobody knows, sections and lists of the wrong form."""

from __future__ import annotations

import pytest

from settings.model import Settings
from settings.shape import shape

MEND = "mend it; an editor with YAML support shows where it breaks"
TAG = "1 to 256 letters, digits, spaces and _.:/=+@-"
ZONE = "a zone id like use1-az1 (ids mean the same zone in every account; names do not)"
TOP = ", ".join(name for name in shape(Settings) if name not in ("env", "suffix"))


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"tags:\n\tteam: x\n", ("2: not YAML: while scanning for the next token, found character that cannot start any "
         "token; indent with spaces, not tabs")),
        (b"tags: {team: x\nservice: {}\n", f"2: not YAML: while parsing a flow mapping, did not find expected ',' or '}}'; {MEND}"),
        (b"tags:\n  team: [\n", f"3: not YAML: while parsing a flow node, did not find expected node content; {MEND}"),
        (b"tags: b: c\n", f"1: not YAML: mapping values are not allowed in this context; {MEND}"),
        (b"tags: *t\n", f"1: not YAML: found undefined alias; {MEND}"),
        (b"tags: {}\n---\ntags: {}\n", ("2: not YAML: expected a single document in the stream, but found another document; "
         f"{MEND}")),
        (b'tags:\n  team: "\x07"\n', f"2: not YAML: the character U+0007 is not allowed; {MEND}"),
        (b"[" * 2000, f"1: not YAML: while increasing flow level, exceeded maximum nesting depth; {MEND}"),
        (b"tags:\n  team: caf\xe9\n", "2: is not UTF-8 (byte 0xe9); save it as UTF-8"),
        ("tags: {}".encode("utf-16"), "1: is not UTF-8 (byte 0xff); save it as UTF-8"),
        (b"- a\n- b\n", "1: a list at the top; a mapping of keys is wanted"),
        (b"\njust text\n", '2: "just text" at the top; a mapping of keys is wanted'),
        (b"17.7\n", "1: 17.7 at the top; a mapping of keys is wanted"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_mapping_in_yaml(params, raw, problem):
    (params.folder / "dev.yaml").write_bytes(raw)
    assert params.problems() == [f"params/dev.yaml:{problem}"]


def test_a_byte_order_mark_is_no_key(params):
    (params.folder / "dev.yaml").write_bytes(b"\xef\xbb\xbftags:\r\n  team: payments\r\n")
    assert params.load().tags.team == "payments"


def test_a_file_that_cannot_be_read(params):
    (params.folder / "dev.yaml").unlink()
    (params.folder / "dev.yaml").mkdir()
    assert params.problems() == ["params/dev.yaml: cannot be read: Is a directory; a readable file is wanted"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("databse: {}", "databse: unknown key; did you mean database?"),
        ("database: {enigne_version: '17.7'}", "database.enigne_version: unknown key; did you mean engine_version?"),
        ("network: {vpcCidr: 10.0.0.0/16}", "network.vpcCidr: unknown key; did you mean vpc_cidr?"),
        ("network: {cpu_units: 1024}", "network.cpu_units: unknown key; it belongs in service"),
        ("network: {instance_class: x}", "network.instance_class: unknown key; it belongs in database or in migration"),
        ("network: {bgp_asn: 65010}", "network.bgp_asn: unknown key; it belongs in network.vpn"),
        ("network: {region: us-east-1}", "network.region: unknown key; it belongs at the top of the file"),
        ("min_tasks: 3", "min_tasks: unknown key; it belongs in service"),
        ("network: {zzz: 1}", ("network.zzz: unknown key; known here: vpc_cidr, availability_zone_ids, "
         "public_subnet_cidrs, private_subnet_cidrs, nat_gateways, s3_prefix_list_id, vpn")),
        ("zzz: 1", f"zzz: unknown key; known here: {TOP}"),
        ("env: dev", "env: unknown key; it comes from the command line: --env"),
        ("tags: {suffix: pr-1}", "tags.suffix: unknown key; it comes from the command line: --suffix"),
        ("database: {master_password: hunter2}", ("database.master_password: unknown key; credentials never stand in "
         "params: Secrets Manager makes and keeps them")),
        ("on: 1", f"on: unknown key; known here: {TOP}"),
        ("1: 2", f"1: unknown key; known here: {TOP}"),
        ("'': 2", f"unknown key; known here: {TOP}"),
        ("? [a, b]\n: 1", "a list as a key; a key is one word"),
        ("tags: {? {a: b} : 1}", "tags: a mapping as a key; a key is one word"),
        ("<<: {region: us-east-1}", "<<: a merge key; write the values out: YAML 1.2 has no merge keys"),
    ],
)  # fmt: skip
def test_a_key_that_nobody_knows(params, text, problem):
    params.write(text)
    assert params.problems() == [f"params/dev.yaml:1: {problem}"]


def test_a_key_given_again(params):
    params.write("service:\n  min_tasks: 3\n  max_tasks: 6\n  min_tasks: 4\nservice: {}\n")
    assert params.problems() == [
        "params/dev.yaml:4: service.min_tasks: given again; keep one; the first is on line 2",
        "params/dev.yaml:5: service: given again; keep one; the first is on line 1",
    ]


def test_both_values_of_a_key_given_again_are_judged(params):
    params.write("service:\n  min_tasks: 1\n  min_tasks: 2\n")
    assert [problem.split(";")[0] for problem in params.problems()] == [
        "params/dev.yaml:2: service.min_tasks: 1",
        "params/dev.yaml:3: service.min_tasks: given again",
        "params/dev.yaml:3: service.min_tasks: 2",
    ]


VPN = "network.vpn: {found}; its keys, indented below it: customer_gateway_ip, bgp_asn"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tags:\n", ("tags: nothing; its keys, indented below it: cost_center, migration_phase, repository, author, "
         "pr_number, team")),
        ("tags: ~\n", ("tags: ~; its keys, indented below it: cost_center, migration_phase, repository, author, "
         "pr_number, team")),
        ("network: {vpn: 5}", VPN.format(found="5")),
        ("network: {vpn: no}", VPN.format(found="no")),
        ("network: {vpn: []}", VPN.format(found="a list")),
        ("network: {vpn: none}", VPN.format(found='"none"')),
    ],
)  # fmt: skip
def test_a_section_that_is_no_mapping(params, text, problem):
    params.write(text)
    assert params.problems() == [f"params/dev.yaml:1: {problem}"]


def test_an_empty_value_is_placed_on_the_line_of_its_key(params):
    params.write("tags:\n  cost_center:\n\n\nservice: {}\n")
    assert params.problems() == [f"params/dev.yaml:2: tags.cost_center: nothing; {TAG}"]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("availability_zone_ids: use1-az1", [f'1: K: "use1-az1"; a list of exactly 3 items, each {ZONE}: write [use1-az1]']),
        ("availability_zone_ids: us-east-1a", [f'1: K: "us-east-1a"; a list of exactly 3 items, each {ZONE}']),
        ("availability_zone_ids: {a: b}", [f"1: K: a mapping; a list of exactly 3 items, each {ZONE}"]),
        ("availability_zone_ids:", [f"1: K: nothing; a list of exactly 3 items, each {ZONE}"]),
        ("availability_zone_ids: [use1-az1]", ["1: K: 1 item; exactly 3 items"]),
        ("availability_zone_ids: []", ["1: K: 0 items; exactly 3 items"]),
        (
            "availability_zone_ids:\n    - use1-az1\n    - us-east-1a\n    - 7",
            [f'3: K[1]: "us-east-1a"; {ZONE}', f"4: K[2]: 7, without quotes; {ZONE}"],
        ),
        (
            "availability_zone_ids:\n    - use1-az1\n    - use1-az2\n    - use1-az1",
            ['4: K[2]: "use1-az1" again; each only once: K[0] is the same'],
        ),
        ("availability_zone_ids: [x, x]", ["1: K: 2 items; exactly 3 items", f'1: K[0]: "x"; {ZONE}', f'1: K[1]: "x"; {ZONE}']),
        ("availability_zone_ids: [[use1-az1], use1-az2, ~]", [f"1: K[0]: a list; {ZONE}", f"1: K[2]: ~; {ZONE}"]),
    ],
)  # fmt: skip
def test_a_list_of_the_wrong_form(params, text, problems):
    params.write(f"network: \n  {text}\n")
    wanted = []
    for problem in problems:
        number, rest = problem.split(": ", 1)
        wanted.append(f"params/dev.yaml:{int(number) + 1}: {rest.replace('K', 'network.availability_zone_ids')}")
    assert sorted(params.problems()) == sorted(wanted)


def test_an_empty_list_is_written_with_brackets(params):
    params.write("monitoring:\n  alarm_emails:\n")
    assert params.problems() == [
        (
            "params/dev.yaml:2: monitoring.alarm_emails: nothing; a list of 0 to 10 items, each an e-mail address: "
            "write [] for none"
        )
    ]


def test_anchors_are_followed_and_reported_where_they_are_used(params):
    params.write("tags:\n  team: &name payments\n  author: *name\n")
    assert params.load().tags.author == "payments"
    params.write("tags:\n  team: &name a;b\n  author: *name\n")
    assert params.problems() == [
        f'params/dev.yaml:2: tags.team: "a;b"; {TAG}',
        f'params/dev.yaml:3: tags.author: "a;b"; {TAG}',
    ]


@pytest.mark.parametrize("text", ["tags: &t\n  author: *t\n", "&t\ntags: {author: *t}\n", "network: &n\n  vpn: *n\n"])
def test_a_recursive_alias_ends(params, text):
    params.write(text)
    assert params.problems()[0].startswith("params/dev.yaml:2: ")
