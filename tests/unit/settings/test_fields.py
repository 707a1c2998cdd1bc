"""The constraints one by one: the loader's answer and the schema's agree, and the words are theirs."""

from __future__ import annotations

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from settings.errors import did_you_mean
from settings.fields import Between, Cidr, Count, Ipv4, Matches, OneOf
from settings.model import Database, Network, Settings, Tags, Vpn
from settings.regions import RESERVED_ASNS, S3_PREFIX_LISTS, ZONE_PREFIXES, partition_of, region_of_zone
from settings.shape import shape

WORD = Matches(r"[a-z]+\d", "a word and a digit")


@pytest.mark.parametrize(
    ("constraint", "good", "bad"),
    [
        (Between(1, 3), [1, 3], [0, 4, True, "2", 2.0, None]),
        (OneOf((1, 3)), [1, 3], [2, True, "1", 1.0, None]),
        (OneOf(("a", "b")), ["a"], ["c", "", 1, None]),
        (WORD, ["ab1"], ["ab", "AB1", "ab1 ", "ab1\n", "ab\u0661", 1, None]),
        (Ipv4(), ["203.0.113.10", "0.0.0.0", "255.255.255.255"], ["1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4/32", "::1", "", 1, None]),
        (Cidr(16, 24), ["10.0.0.0/16", "10.0.255.0/24"],
         ["10.0.0.0/15", "10.0.0.0/25", "10.0.1.0/16", "10.0.0.0", "10.0.0.0/016", "10.0.0.0/255.255.0.0", "a/16", "", 5, True, None]),
        (Count(1, 2), [[1], [1, 2]], [[], [1, 2, 3]]),
    ],
)  # fmt: skip
def test_loader_and_schema_agree(constraint, good, bad):
    types = {"Between": "integer", "OneOf": ["string", "integer"], "Count": "array"}
    schema = {"type": types.get(type(constraint).__name__, "string"), **constraint.schema()}
    validator = jsonschema.Draft7Validator(schema)
    for value in good:
        assert constraint.accepts(value)
        assert validator.is_valid(value)
    for value in bad:
        assert not constraint.accepts(value)


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        (Between(1, 3), "a whole number from 1 to 3"),
        (Between(1, 3, "days"), "a whole number from 1 to 3 (days)"),
        (OneOf((1, "b")), "one of 1, b"),
        (WORD, "a word and a digit"),
        (Ipv4(), "an IPv4 address like 203.0.113.10"),
        (Cidr(16, 24), "an IPv4 block /16 to /24 with no host bits set, like 10.0.0.0/16"),
        (Count(3, 3), "exactly 3 items"),
        (Count(0, 10), "0 to 10 items"),
    ],
)
def test_words(constraint, words):
    assert constraint.allowed == words


@given(st.integers(0, 2**32 - 1), st.integers(16, 24))
def test_the_nearest_blocks_are_blocks(address, prefix):
    text = f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}/{prefix}"
    words = Cidr(16, 24).nearest(text).split(" ")
    assert words[0] == "write"
    blocks = [word for word in words if "/" in word]
    assert 1 <= len(blocks) <= 2
    assert all(Cidr(16, 24).accepts(block) for block in blocks)


@pytest.mark.parametrize(("block", "valid"), [("/15", False), ("/16", True), ("/24", True), ("/25", False)])
def test_the_schema_of_a_block_knows_its_sizes(block, valid):
    schema = {"type": "string", **Cidr(16, 24).schema()}
    assert jsonschema.Draft7Validator(schema).is_valid(f"10.0.0.0{block}") is valid


def test_no_block_is_near_what_is_none():
    assert Cidr(16, 24).nearest("10.0.0.0/8") == ""
    assert Cidr(16, 24).nearest("ten") == ""


# --- what annotations say --------------------------------------------------------------------------------------------
def test_a_field_is_described_by_its_annotation():
    field = shape(Network)["public_subnet_cidrs"]
    assert (field.kind, field.many, field.optional, field.is_section) == (str, True, False, False)
    assert (field.count, field.constraints) == (Count(3, 3), (Cidr(16, 27),))
    assert field.sentence == "One block per zone, inside vpc_cidr"
    assert field.allowed_list == f"a list of exactly 3 items, each {Cidr(16, 27).allowed}"


def test_optional_fields_and_sections():
    assert shape(Tags)["team"].optional
    assert not shape(Tags)["cost_center"].optional
    vpn = shape(Network)["vpn"]
    assert (vpn.kind, vpn.optional, vpn.is_section, vpn.sentence) == (
        Vpn,
        True,
        True,
        "Site-to-site VPN to the data centre",
    )
    assert shape(Settings)["database"].kind is Database
    assert shape(Settings) is shape(Settings)


def test_words_of_fields_without_constraints():
    assert shape(Database)["auto_minor_version_upgrade"].allowed == "true or false"
    assert shape(Settings)["env"].allowed == "text"


def test_every_list_of_the_model_says_how_many():
    sections = [field.kind for field in shape(Settings).values() if field.is_section] + [Vpn]
    lists = [field for section in sections for field in shape(section).values() if field.many]
    assert len(lists) >= 8
    assert all(field.count and field.kind is str for field in lists)


# --- regions ---------------------------------------------------------------------------------------------------------
def test_a_zone_prefix_belongs_to_one_region():
    assert len(set(ZONE_PREFIXES.values())) == len(ZONE_PREFIXES)
    assert region_of_zone("use1-az6") == "us-east-1"
    assert region_of_zone("apse2-az1") == "ap-southeast-2"
    assert region_of_zone("zz9-az1") == ""
    assert set(S3_PREFIX_LISTS) <= set(ZONE_PREFIXES)
    assert set(RESERVED_ASNS) - {""} <= set(ZONE_PREFIXES)


@pytest.mark.parametrize(
    ("region", "partition"),
    [("us-east-1", "aws"), ("us-gov-west-1", "aws-us-gov"), ("cn-northwest-1", "aws-cn"), ("ap-southeast-1", "aws")],
)
def test_partitions(region, partition):
    assert partition_of(region) == partition


def test_the_zones_of_a_region_have_the_letters_of_its_name():
    """A slip in the table would refuse good zones: all but one are made by the same rule."""
    short = {"north": "n", "south": "s", "east": "e", "west": "w", "central": "c", "northeast": "ne", "southeast": "se"}
    short["northwest"] = "nw"
    for region, prefix in ZONE_PREFIXES.items():
        *area, side, number = region.split("-")
        letters = "".join("g" if word == "gov" else word for word in area)
        assert prefix == f"{letters}{short[side]}{number}"


# --- guesses ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "guess"),
    [("us-eats-1", "us-east-1"), ("us-west-11", "us-west-1"), ("zzz", None)],
)
def test_guesses_prefer_letters_in_the_wrong_order(name, guess):
    assert did_you_mean(name, iter(["us-west-1", "us-east-1"])) == (f"did you mean {guess}?" if guess else "")
