"""The dependency picture: every nested stack and wire, and what stands beside the tree."""

from __future__ import annotations

from collections import Counter

from compiler.bundle import Bundle, Connection
from compiler.diagram.dependencies import draw_dependencies


def test_real_trees_show_every_stack_and_wire(real, read):
    picture = read(draw_dependencies(real))
    stacks = {group["tier"]: int(group["resources"]) for group in picture.groups["stack"]}
    assert stacks == {
        tier: len(template["Resources"]) for tier, template in real.templates.items() if tier not in ("root", "account")
    }
    edges = {(group["source"], group["target"]): int(group["wires"]) for group in picture.groups["edge"]}
    assert edges == Counter((wire.producer, wire.consumer) for wire in real.connections)
    labels = Counter(text for text, _ in picture.texts)
    assert all(labels[str(count)] >= 1 for count in edges.values())
    assert [group["tier"] for group in picture.groups["beside"]] == ["account"]
    assert picture.title == f"Stacks of environment {real.suffix}"


def test_real_trees_can_be_read(real, read, look_for_faults):
    assert look_for_faults(read(draw_dependencies(real))) == []


def test_each_stack_stands_right_of_all_that_feed_it(real, read):
    picture = read(draw_dependencies(real))
    names = {text: extent[0] for text, extent in picture.texts}
    for wire in real.connections:
        producer, consumer = (tier.replace("_", " ").capitalize() for tier in (wire.producer, wire.consumer))
        assert names[producer] < names[consumer]


def test_every_line_starts_at_a_stack_or_goes_on_from_another_line(real, read):
    picture = read(draw_dependencies(real))
    starts = {points[0] for _, points in picture.lines}
    ends = {points[-1] for _, points in picture.lines}
    boxes = picture.rectangles["box"]
    for x, y in starts - ends:
        assert any(right == x and top < y < bottom for _, top, right, bottom in boxes)


def test_the_wires_are_listed_with_their_kinds(small, read):
    picture = read(draw_dependencies(small()))
    (edge,) = [group for group in picture.groups["edge"] if group["source"] == "security"]
    lines = edge["title"].splitlines()
    assert lines[0] == "Security → Application: 6 wires"
    assert "ServiceGroupId → ServiceGroupId (SecurityGroupId)" in lines
    assert len(lines) == 7


def test_a_stack_names_its_most_frequent_types(small, read):
    picture = read(draw_dependencies(small()))
    words = picture.words().splitlines()
    at = words.index("Security")
    assert words[at : at + 7] == [
        "Security",
        "20 resources",
        "Security group egr…",
        "9",
        "Security group",
        "6",
        "Security group ing…",
    ]
    (stack,) = [group for group in picture.groups["stack"] if group["tier"] == "security"]
    assert stack["title"].splitlines() == [
        "AWS::EC2::SecurityGroupEgress: 9",
        "AWS::EC2::SecurityGroup: 6",
        "AWS::EC2::SecurityGroupIngress: 5",
    ]


def test_the_roots_outputs_are_named_with_where_they_come_from(small, read):
    words = read(draw_dependencies(small())).words()
    assert "VPCId\nfrom network" in words


def test_the_description_says_it_in_words(small, read):
    picture = read(draw_dependencies(small()))
    assert (
        "Network feeds application by 9 wires. Network feeds security by 1 wire. Security feeds application by 6 wires."
        in picture.description
    )


def test_same_bundle_same_bytes_in_any_order_of_wires(small):
    bundle = small()
    shuffled = Bundle(bundle.suffix, bundle.templates, tuple(reversed(bundle.connections)))
    assert draw_dependencies(bundle) == draw_dependencies(small()) == draw_dependencies(shuffled)


def test_more_wires_than_colours_and_a_tree_without_root_outputs(read, look_for_faults):
    stack = {"Type": "AWS::CloudFormation::Stack"}
    tiers = [f"tier{number}" for number in range(13)]
    templates = {tier: {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}} for tier in tiers}
    templates["root"] = {
        "Resources": {
            tier.capitalize(): {**stack, "Properties": {"TemplateURL": f"{tier}.template.json"}} for tier in tiers
        }
    }
    wires = tuple(
        Connection(producer, "Out", consumer, f"In{producer}", "TopicArn")
        for index, producer in enumerate(tiers)
        for consumer in (tiers[index + 1 : index + 2] + tiers[index + 3 : index + 4])
    )
    picture = read(draw_dependencies(Bundle("dev", templates, wires)))
    assert len(picture.groups["edge"]) == len(wires)
    assert "beside" not in picture.groups
    assert "Its outputs:" not in picture.words()
    assert look_for_faults(picture) == []
