"""What all pages share: markup that is made of text, a policy that lets nothing in, colours that can be read."""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape
from pathlib import Path

import pytest

from pages.document import document
from pages.markup import Markup, joined, tag
from pages.style import BASE, DIFFERENCES
from validator.page_assets import STYLE

ROOT = Path(__file__).parents[3]
HOSTILE = "</script><img src=x onerror=alert(1)> & \"'"
DARK = re.compile(r"@media \(prefers-color-scheme: dark\) \{\n(.*?)\n\}\n", re.DOTALL)
STYLES = {
    "review": DIFFERENCES + (ROOT / "deployer/render/assets/page.css").read_text(),
    "comparison": DIFFERENCES + STYLE,
    "rehearsal": (ROOT / "rehearsal/page.css").read_text(),
}


def test_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "<b>", tag("i", "&"), class_="a\"b'", hidden=True, id=None, open=False, data_x=1) == (
        '<p class="a&quot;b&#x27;" hidden data-x="1">&lt;b&gt;<i>&amp;</i></p>'
    )
    assert tag("input", aria_label="a", type="search") == '<input aria-label="a" type="search">'
    assert joined("<", Markup("<br>")) == "&lt;<br>"
    assert unescape(joined(HOSTILE)) == HOSTILE


def _policy(page: str) -> str:
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    return unescape(policy)


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_nothing_but_the_page_s_own_style_and_script_is_let_in() -> None:
    page = document(HOSTILE, tag("p", HOSTILE), style="p { top: 0 }", script="run()")
    assert _policy(page) == (
        f"default-src 'none'; style-src {_digest(BASE + 'p { top: 0 }')}; script-src {_digest('run()')}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert page.startswith("<!DOCTYPE html>\n<html ")
    assert page.endswith("</p><script>run()</script></body></html>\n")
    assert page.count("<script") == 1
    assert "<img" not in page


def test_a_page_without_a_script_may_run_none() -> None:
    page = document("title", "text", style="")
    assert "script" not in page
    assert _policy(page).startswith("default-src 'none'; style-src ")


def _colours(text: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})[ ;]", text))


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(char * 2 for char in colour[1:])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("page", STYLES)
def test_every_text_is_readable_in_every_scheme(page: str) -> None:
    """https://www.w3.org/TR/WCAG22/#contrast-minimum"""
    style = BASE + STYLES[page]
    screen, _, print_ = style.partition("@media print")
    light = _colours(DARK.sub("", screen))
    dark = {**light, **_colours("".join(DARK.findall(screen)))}
    assert dark["paper"] != light["paper"]
    paper = {**light, **_colours(print_)}
    pairs = [
        *((ink, ground) for ink in ("ink", "soft", "accent", "stop", "look", "good") for ground in ("ground", "paper")),
        ("stop", "stop-ground"), ("look", "look-ground"), ("good", "good-ground"),
    ]  # fmt: skip
    if page != "rehearsal":
        grounds = ("old-ground", "old-mark", "new-ground", "new-mark")
        pairs += [*(("ink", ground) for ground in grounds), ("soft", "old-ground"), ("soft", "new-ground")]
    for colours in (light, dark, paper):
        for ink, ground in pairs:
            brighter, darker = sorted((_luminance(colours[ink]), _luminance(colours[ground])), reverse=True)
            assert (brighter + 0.05) / (darker + 0.05) >= 4.5, (ink, ground, colours[ink], colours[ground])
