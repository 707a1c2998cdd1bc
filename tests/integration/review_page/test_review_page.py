"""The review's page as a reviewer uses it, in a real browser."""

from __future__ import annotations

from itertools import pairwise

import pytest
from playwright.sync_api import expect

from tests.integration.pages import TRESPASS
from tests.unit.deployer.render.reviews import HOSTILE, big, upgrade


def _shown(page):
    return page.evaluate("[...document.querySelectorAll('.item')].filter(e => e.checkVisibility()).map(e => e.id)")


def _open(page):
    return page.evaluate("[...document.querySelectorAll('.item[open]')].map(e => e.id)")


def _focused(page):
    return page.evaluate("(document.activeElement.closest('.item, .fold, [id]') ?? document.body).id")


def _status(page):
    return page.locator("#shown").inner_text()


def _choose(page, label, option):
    page.get_by_label(label, exact=True).select_option(label=option)


def test_the_verdict_and_the_headline_come_first(open_page):
    page = open_page("upgrade").page
    assert page.title() == "payments-prod refused: 1 change must be acknowledged by name, 1 can never be"
    words = page.locator("body").inner_text()
    order = ["Refused: 1 change", "Restarts the database", "20 % of the requests", "Params changed", "database.Cluster"]
    places = [words.index(word) for word in order]
    assert places == sorted(places)
    assert page.get_by_text("Refused: 1 change").bounding_box()["y"] < 200


def test_what_must_be_looked_at_stands_open_the_rest_is_folded(open_page):
    page = open_page("upgrade").page
    loud = {item.address for item in upgrade().items() if item.severity in ("stop", "warn")}
    assert set(_open(page)) == loud
    shown = _shown(page)
    assert "service.TaskDefinition" in shown
    assert "monitoring.AlbErrors" not in shown
    assert page.get_by_text("5 resources in 1 tier are noise: monitoring 5").is_visible()


def test_many_loud_changes_start_closed_but_for_those_that_stop(open_page):
    page = open_page("big").page
    assert set(_open(page)) == {item.address for item in big().items() if item.severity == "stop"}


@pytest.mark.parametrize(
    ("label", "option", "expected"),
    [
        ("Tier", "load_balancer", {"load_balancer.MigrationRule"}),
        ("Severity", "stop", {"database.ApplicationSecret", "load_balancer.MigrationRule"}),
        (
            "Action",
            "replace",
            {"database.ApplicationSecret", "database.ApplicationSecretAttachment", "service.TaskDefinition"},
        ),
        ("Certainty", "possible", {"migration.AuroraTarget"}),
        ("Severity", "noise", {f"monitoring.{name}" for name in (
            "AlbErrors", "AlbHealthyTargets", "AlbTargetErrors", "AlbUnhealthyBlue", "AlbUnhealthyGreen"
        )}),
    ],
)  # fmt: skip
def test_a_filter_shows_what_fits_and_says_how_many(open_page, label, option, expected):
    page = open_page("upgrade").page
    assert _status(page) == "16 changes"
    _choose(page, label, option)
    assert set(_shown(page)) == expected
    assert _status(page) == f"{len(expected)} of 16 changes shown"
    page.get_by_role("button", name="Reset").click()
    assert _status(page) == "16 changes"
    assert len(_shown(page)) == 11
    assert _focused(page) == "search"


def test_filters_narrow_each_other_and_empty_tiers_go(open_page):
    page = open_page("upgrade").page
    _choose(page, "Severity", "stop or look")
    _choose(page, "Tier", "database")
    assert len(_shown(page)) == 6
    assert page.get_by_role("heading", level=3).all_inner_texts() == ["database changed: 2 replace, 4 modify"]
    _choose(page, "Action", "modify")
    page.get_by_label("Search").fill("Reader")
    assert _shown(page) == ["database.Reader1", "database.Reader2"]
    page.get_by_label("Search").fill("nowhere")
    assert _status(page) == "0 of 16 changes shown"


def test_the_search_finds_names_types_values_and_causes_in_any_case(open_page):
    page = open_page("upgrade").page
    for words, found in (
        ("rds::dbcluster", ["database.Cluster"]),
        ("JAVA-APPLICATION", ["identity.TaskExecutionRole", "database.ApplicationSecret"]),
        ("aws_weight", ["load_balancer.MigrationRule"]),
        ("alberrors quiet noise", []),
        ("alberrors cloudwatch", ["monitoring.AlbErrors"]),
        ("9683b2d02a6cabee", ["load_balancer.MigrationRule"]),
    ):
        page.get_by_label("Search").fill(words)
        assert _shown(page) == found, words


def test_a_search_opens_the_folds_it_finds_something_in_and_closes_them_again(open_page):
    page = open_page("first").page
    assert "monitoring.Alarm7" not in _shown(page)
    page.locator(".fold").first.locator("> summary").click()
    assert "network.VPC1" in _shown(page)
    page.get_by_label("Search").fill("alarm7")
    assert _shown(page) == ["monitoring.Alarm7"]
    page.get_by_label("Search").fill("")
    assert "monitoring.Alarm7" not in _shown(page)
    assert "network.VPC1" in _shown(page)


def test_the_number_shown_is_announced(open_page):
    page = open_page("upgrade").page
    status = page.get_by_role("search").get_by_role("status")
    assert status.inner_text() == "16 changes"
    page.get_by_label("Search").fill("secret")
    assert "of 16 changes shown" in status.inner_text()


def test_a_change_opens_and_closes_by_mouse_and_key(open_page):
    page = open_page("upgrade").page
    task = page.locator("[id='service.TaskDefinition']")
    body = task.locator(".body")
    assert not body.is_visible()
    task.locator("summary").first.click()
    assert body.is_visible()
    page.keyboard.press("Enter")
    assert not body.is_visible()
    page.get_by_role("button", name="Expand all").click()
    assert page.locator("#changes details:not([open])").count() == 0
    page.get_by_role("button", name="Collapse all").click()
    assert page.locator("#changes details[open]").count() == 0


def test_before_and_after_stand_side_by_side_with_what_differs_marked(open_page):
    page = open_page("upgrade").page
    table = page.get_by_role("table", name="EngineVersion, before and after").first
    assert [cell.inner_text() for cell in table.get_by_role("cell").all()] == ["17.7", "17.10"]
    assert table.locator("del").inner_text() == "7"
    assert table.locator("ins").inner_text() == "10"
    old, new = (table.locator(side).bounding_box() for side in (".old", ".new"))
    assert old["y"] == new["y"]
    assert old["x"] + old["width"] <= new["x"] + 1


def test_the_causes_are_a_list_in_order(open_page):
    page = open_page("upgrade").page
    chain = page.locator("[id='service.Service'] .chain")
    assert chain.get_attribute("aria-label") == "Why TaskDefinition changes"
    assert [" ".join(link.split()) for link in chain.get_by_role("listitem").all_inner_texts()] == [
        "template database.ApplicationSecret",
        "resource database.ApplicationSecret replaced",
        "output database.ApplicationSecretArn",
        "parameter service.DatabaseSecretArn",
        "resource service.TaskDefinition replaced",
        "property TaskDefinition",
    ]


def test_keys_walk_open_search_and_leave(open_page):
    page = open_page("upgrade").page
    page.keyboard.press("j")
    assert _focused(page) == "identity.TaskExecutionRole"
    page.keyboard.press("j")
    assert _focused(page) == "database.ApplicationSecret"
    page.keyboard.press("k")
    page.keyboard.press("k")
    assert _focused(page) == "identity.TaskExecutionRole"
    page.keyboard.press("Enter")
    assert "identity.TaskExecutionRole" not in _open(page)
    page.keyboard.press("/")
    assert _focused(page) == "search"
    page.keyboard.type("weight/j?k")
    assert page.get_by_label("Search").input_value() == "weight/j?k"
    page.keyboard.press("Escape")
    assert page.get_by_label("Search").input_value() == ""
    page.keyboard.press("Escape")
    assert _focused(page) == "identity.TaskExecutionRole"
    _choose(page, "Tier", "service")
    page.locator("h1").click()
    page.keyboard.press("k")
    assert _focused(page) == "service.TaskDefinition"
    page.keyboard.press("Escape")
    assert _status(page) == "16 changes"


def test_the_focus_is_seen_and_not_under_the_filter(open_page):
    page = open_page("big").page
    for key in "j" * 25 + "k" * 15:  # upwards it would go under the bar
        page.keyboard.press(key)
    box, bar = page.evaluate(
        "[document.activeElement.getBoundingClientRect().top, document.getElementById('filter').getBoundingClientRect().bottom]"
    )
    assert box >= bar
    style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert style == "solid"


def test_the_help_tells_the_keys_and_switches_them_off(open_page):
    page = open_page("upgrade").page
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    assert dialog.is_visible()
    page.keyboard.press("j")
    assert _focused(page) != "identity.TaskExecutionRole"
    dialog.get_by_label("Keys without Ctrl or Alt").uncheck()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    page.keyboard.press("j")
    assert _focused(page) != "identity.TaskExecutionRole"
    page.get_by_role("button", name="Keys").click()
    dialog.get_by_role("button", name="Close").click()
    assert not dialog.is_visible()


def test_flags_are_copied_and_it_is_said(open_page):
    opened = open_page("two_flags", permissions=["clipboard-read", "clipboard-write"])
    page = opened.page
    flags = "--allow-replace database.ApplicationSecret --allow-traffic load_balancer.MigrationRule"
    button = page.get_by_role("button", name=f"Copy {flags}")
    button.click()
    page.wait_for_function("document.getElementById('told').textContent.startsWith('Copied')")
    assert page.evaluate("navigator.clipboard.readText()") == flags
    assert button.inner_text() == "Copied"


def test_without_a_clipboard_the_flag_is_selected(open_page):
    page = open_page("two_flags").page
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    page.get_by_role("button", name="Copy --allow-traffic load_balancer.MigrationRule").first.click()
    page.wait_for_function("document.getElementById('told').textContent.startsWith('Selected')")
    assert page.evaluate("getSelection().toString()") == "--allow-traffic load_balancer.MigrationRule"


def test_a_link_to_a_change_shows_it_whatever_is_filtered(open_page):
    page = open_page("upgrade").page
    _choose(page, "Tier", "service")
    page.get_by_role("link", name="load_balancer.MigrationRule").click()
    expect(page.locator("#shown")).to_have_text("16 changes")  # the browser tells the page of its new address later
    assert _focused(page) == "load_balancer.MigrationRule"
    page.get_by_role("button", name="Collapse all").click()
    page.get_by_role("link", name="load_balancer.MigrationRule").click()
    assert _open(page) == ["load_balancer.MigrationRule"]


def test_an_address_with_a_fragment_opens_the_change_in_its_fold(open_page):
    page = open_page("upgrade", "#monitoring.AlbErrors").page
    assert "monitoring.AlbErrors" in _shown(page)
    assert "monitoring.AlbErrors" in _open(page)
    broken = open_page("upgrade", "#%E0%A4%A")
    assert broken.complaints == []


@pytest.mark.parametrize("name", ["upgrade", "first", "forecast", "failed", "hostile", "unchanged"])
def test_nothing_is_requested_and_nothing_complains(open_page, name):
    opened = open_page(name)
    opened.page.get_by_role("button", name="Expand all").click()
    assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in opened.requests if url.startswith("file:")]) == 1
    assert opened.complaints == []


def test_the_policy_forbids_the_network_and_foreign_scripts(open_page):
    page = open_page("upgrade", locale="en-GB").page
    failures = {}
    page.on("requestfailed", lambda request: failures.update({request.url: request.failure}))
    page.evaluate(TRESPASS)
    page.wait_for_function("window.refused.length >= 4")
    assert set(page.evaluate("window.refused")) >= {"connect-src", "img-src", "script-src-elem", "script-src-attr"}
    assert not page.evaluate("window.ran")
    assert failures == {"https://example.com/x.png": "csp"}  # nothing left the browser


def test_hostile_values_stay_text(open_page):
    opened = open_page("hostile")
    page = opened.page
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 1
    escaped = HOSTILE.replace("\n", r"\n").replace("\x1b", r"\x1b").replace("\u202e", r"\u202e")
    assert page.locator("h4").inner_text() == f"network.{escaped}"
    assert page.locator(".headline").inner_text() == escaped
    assert "hunter2" not in page.content()
    assert opened.complaints == []


def test_without_script_everything_is_seen_and_no_control_is(open_page):
    page = open_page("upgrade", java_script_enabled=False).page
    items = page.locator(".item")
    assert items.count() == 16
    for address in ("database.Cluster", "monitoring.AlbUnhealthyGreen", "service.TaskDefinition"):
        assert page.locator(f"[id='{address}'] .body").is_visible()
    for control in page.locator("button, select, input").all():
        assert not control.is_visible()


def test_on_paper_everything_is_open_and_no_control_is_there(open_page):
    page = open_page("upgrade").page
    page.get_by_role("button", name="Collapse all").click()
    page.emulate_media(media="print")
    for control in page.locator("button, select, input, .skip, dialog").all():
        assert not control.is_visible()
    # Rendered without the event: the style alone opens what is closed.
    assert page.locator("[id='service.TaskDefinition'] .chain").bounding_box()["height"] > 50
    assert page.locator("[id='database.Cluster']").evaluate("e => getComputedStyle(e).breakInside") == "avoid"
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#changes details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("#changes details[open]").count() == 0


@pytest.mark.parametrize("name", ["upgrade", "hostile", "first"])
def test_no_width_scrolls_sideways(open_page, name):
    page = open_page(name).page
    page.get_by_role("button", name="Expand all").click()
    for width in (320, 390, 768, 1200):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_motion_is_reduced_where_that_is_wanted(open_page):
    behaviour = "getComputedStyle(document.documentElement).scrollBehavior"
    page = open_page("failed").page
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(behaviour) == "auto"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(behaviour) == "smooth"


def test_the_page_is_told_to_a_screen_reader(open_page):
    page = open_page("upgrade").page
    for landmark in ("banner", "main", "contentinfo", "search"):
        assert page.get_by_role(landmark).count() == 1, landmark
    levels = [int(tag[1]) for tag in page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(e => e.tagName)")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    for role, names in {
        "searchbox": ["Search"],
        "combobox": ["Tier", "Severity", "Action", "Certainty"],
        "region": ["Refused", "Params changed", "database changed: 2 replace, 4 modify"],
    }.items():
        for name in names:
            assert page.get_by_role(role, name=name, exact=True).count() == 1, name
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the changes"
    assert page.locator(".skip").bounding_box()["y"] >= 0


@pytest.mark.parametrize("name", ["upgrade", "forecast", "failed"])
def test_axe_finds_nothing(open_page, name):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed").Axe()
    page = open_page(name).page
    page.get_by_role("button", name="Expand all").click()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = axe.run(page).response["violations"]
        told = [(one["id"], node["html"][:200], node["failureSummary"]) for one in found for node in one["nodes"]]
        assert told == [], scheme
