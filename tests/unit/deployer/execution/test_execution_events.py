"""Events: the whole tree's, each once, oldest first."""

from __future__ import annotations

import pytest

from deployer.execution.events import Tail, TreeEvents, plain
from deployer.tiers import tier_name


def ids(events):
    return [event.id for event in events]


def fetcher(world):
    return lambda stack_id, token: world._DescribeStackEvents(
        {"StackName": stack_id} | ({} if token is None else {"NextToken": token})
    )


def test_only_new_events_come_and_those_of_one_time_are_all_told(world, time, names):
    world.tell(0, "CREATE_IN_PROGRESS")
    tail = Tail(names.root, "root")
    assert ids(tail.read(fetcher(world))) == ["event-1"]
    # The first of the three is seen in one poll, the others in the next: their times are the same.
    world.tell(3, "CREATE_IN_PROGRESS", "A", seen=3)
    world.tell(3, "CREATE_IN_PROGRESS", "B", seen=4)
    world.tell(3, "CREATE_IN_PROGRESS", "C", seen=4)
    time.sleep(3)
    assert ids(tail.read(fetcher(world))) == ["event-2"]
    time.sleep(1)
    assert ids(tail.read(fetcher(world))) == ["event-3", "event-4"]
    assert tail.read(fetcher(world)) == []


def test_pages_are_followed_until_a_known_event(world, time, names):
    world.page_size = 2
    world.tell(0, "UPDATE_IN_PROGRESS")
    tail = Tail(names.root, "root", after="event-1")
    for number in range(5):
        world.tell(1, "CREATE_COMPLETE", f"R{number}")
    time.sleep(1)
    calls = []

    def fetch(stack_id, token):
        calls.append(token)
        return fetcher(world)(stack_id, token)

    assert ids(tail.read(fetch)) == [f"event-{n}" for n in range(2, 7)]
    assert calls == [None, "2", "4"]
    calls.clear()
    assert tail.read(fetch) == []
    assert calls == [None]


def test_a_page_that_repeats_an_event_tells_it_once(world, names):
    first = world.tell(0, "UPDATE_IN_PROGRESS", "A")
    second = world.tell(0, "UPDATE_IN_PROGRESS", "B")
    third = world.tell(0, "UPDATE_IN_PROGRESS", "C")
    pages = {None: {"StackEvents": [third, second], "NextToken": "x"}, "x": {"StackEvents": [second, first]}}
    assert ids(Tail(names.root, "root").read(lambda _, token: pages[token])) == ["event-1", "event-2", "event-3"]


def test_a_page_that_fails_loses_nothing(world, names):
    world.page_size = 1
    world.tell(0, "UPDATE_IN_PROGRESS")
    world.tell(0, "UPDATE_IN_PROGRESS", "A")
    tail = Tail(names.root, "root")

    def breaks(stack_id, token):
        if token:
            raise ConnectionResetError
        return fetcher(world)(stack_id, token)

    with pytest.raises(ConnectionResetError):
        tail.read(breaks)
    assert ids(tail.read(fetcher(world))) == ["event-1", "event-2"]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["CREATE_IN_PROGRESS", "CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"], 2),
        # A rollback belongs to what it rolls back, and so does a deletion that nobody asked for.
        (["UPDATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"], 3),
        (["REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS"], 1),
        (["UPDATE_COMPLETE", "REVIEW_IN_PROGRESS"], 0),
        (["CREATE_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"], 2),
    ],
)
def test_without_a_mark_the_last_operation_is_read(world, names, statuses, expected):
    for status in statuses:
        world.tell(0, status)
    assert len(Tail(names.root, "root").read(fetcher(world))) == expected


def test_a_deletion_after_a_failed_creation_belongs_to_it(world, names):
    world.tell(0, "CREATE_IN_PROGRESS", reason="User Initiated")
    world.tell(0, "DELETE_IN_PROGRESS", reason="The following resource(s) failed to create: [Vpc].")
    assert len(Tail(names.root, "root").read(fetcher(world))) == 2
    world.tell(0, "DELETE_IN_PROGRESS", reason="User Initiated")
    assert len(Tail(names.root, "root").read(fetcher(world))) == 1


def test_after_the_first_read_another_beginning_is_no_end(world, names):
    world.tell(0, "UPDATE_IN_PROGRESS")
    tail = Tail(names.root, "root")
    tail.read(fetcher(world))
    world.tell(0, "UPDATE_ROLLBACK_IN_PROGRESS")
    world.tell(0, "UPDATE_IN_PROGRESS")
    world.tell(0, "UPDATE_COMPLETE")
    assert len(tail.read(fetcher(world))) == 3
    assert tail.status == "UPDATE_COMPLETE"


def test_nested_stacks_are_found_by_their_ids_and_merged_by_time(world, time, names):
    world.inside(-50, "CREATE_COMPLETE", "Network")  # of an earlier operation
    world.tell(0, "UPDATE_IN_PROGRESS")
    world.tell(1, "UPDATE_IN_PROGRESS", "LoadBalancer", type="AWS::CloudFormation::Stack", physical_id="")
    world.nested(1, "UPDATE_IN_PROGRESS", "Network")
    world.inside(2, "UPDATE_IN_PROGRESS", "Network")
    world.tell(3, "UPDATE_COMPLETE", "Alarm")
    world.inside(3, "UPDATE_IN_PROGRESS", "Network", "Vpc")
    time.sleep(3)
    tree = TreeEvents(names.root)
    events = tree.read(fetcher(world))
    assert [(event.tier, event.at - names.epoch) for event in events] == [
        ("root", 0), ("root", 1), ("root", 1), ("network", 2), ("network", 3), ("root", 3)
    ]  # fmt: skip
    assert [event.address for event in events][-2] == "network.Vpc"
    assert list(tree.nested) == [names.arn("payments-dev-Network")]
    assert tree.events == events


def test_stacks_of_nested_stacks_are_found_too(world, time, names):
    world.tell(0, "UPDATE_IN_PROGRESS")
    world.nested(1, "UPDATE_IN_PROGRESS", "Network")
    world.inside(
        2, "UPDATE_IN_PROGRESS", "Network", "DnsZone", type="AWS::CloudFormation::Stack", physical_id=names.arn("deep")
    )
    world.tell(3, "CREATE_COMPLETE", "Zone", stack="deep")
    time.sleep(3)
    assert TreeEvents(names.root).read(fetcher(world))[-1].address == "network.dns_zone.Zone"


def test_a_stack_at_rest_is_read_no_more_until_the_root_cleans_up(world, time, names):
    world.tell(0, "UPDATE_IN_PROGRESS")
    world.nested(1, "UPDATE_IN_PROGRESS", "Network")
    world.nested(1, "UPDATE_COMPLETE", "Network")
    time.sleep(1)
    asked = []

    def fetch(stack_id, token):
        asked.append(stack_id)
        return fetcher(world)(stack_id, token)

    tree = TreeEvents(names.root)
    tree.read(fetch)
    child = names.arn("payments-dev-Network")
    assert asked == [names.root, child]
    tree.read(fetch)
    assert asked == [names.root, child, names.root]
    asked.clear()
    world.tell(1, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    tree.read(fetch)
    assert asked == [names.root, child]
    world.tell(1, "UPDATE_COMPLETE")
    asked.clear()
    tree.read(fetch)
    assert asked == [names.root]
    tree.sweep()
    tree.read(fetch)
    tree.read(fetch)
    assert asked == [names.root, names.root, child, names.root]


def test_a_nested_stack_that_is_still_at_work_by_its_own_word_is_read_on(world, time, names):
    world.tell(0, "CREATE_IN_PROGRESS")
    world.nested(1, "CREATE_IN_PROGRESS", "Network")
    world.nested(1, "CREATE_FAILED", "Network")
    world.inside(1, "ROLLBACK_IN_PROGRESS", "Network")
    time.sleep(1)
    tree = TreeEvents(names.root)
    tree.read(fetcher(world))
    world.inside(1, "ROLLBACK_COMPLETE", "Network")
    assert [event.status for event in tree.read(fetcher(world))] == ["ROLLBACK_COMPLETE"]


def test_what_was_read_before_a_call_failed_comes_with_the_next_read(world, time, names):
    world.tell(0, "UPDATE_IN_PROGRESS")
    world.nested(1, "UPDATE_IN_PROGRESS", "Network")
    time.sleep(1)
    tree = TreeEvents(names.root)

    def breaks(stack_id, token):
        if stack_id != names.root:
            raise ConnectionResetError
        return fetcher(world)(stack_id, token)

    with pytest.raises(ConnectionResetError):
        tree.read(breaks)
    time.sleep(1)
    world.inside(2, "UPDATE_IN_PROGRESS", "Network")
    assert ids(tree.read(fetcher(world))) == ["event-1", "event-2", "event-3"]


def test_hooks_that_failed_are_told_in_their_own_words(world):
    world.tell(0, "CREATE_IN_PROGRESS", "Bucket", HookType="Guard::Hook", HookStatus="HOOK_COMPLETE_FAILED",
               HookStatusReason="no\nencryption")  # fmt: skip
    world.tell(0, "CREATE_IN_PROGRESS", "Bucket", HookType="Guard::Hook", HookStatus="HOOK_COMPLETE_SUCCEEDED")
    assert [event.hook_failure for event in world.parsed()] == ["Guard::Hook: no encryption", ""]


def test_reasons_are_one_line_and_carry_no_control_characters():
    assert plain("quota\n reached\x1b[31m \x07now") == "quota reached[31m now"


@pytest.mark.parametrize(
    ("logical_id", "tier"),
    [("LoadBalancer", "load_balancer"), ("Network", "network"), ("Tier2Web", "tier2_web"), ("DNSZone", "dns_zone")],
)
def test_a_tier_is_named_after_its_nested_stack(logical_id, tier):
    assert tier_name(logical_id) == tier
