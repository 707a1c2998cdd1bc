"""A whole page in one file, which asks nothing of anybody."""

from __future__ import annotations

import base64
import hashlib

from pages.markup import Markup, tag
from pages.style import BASE


def document(title: str, *body: str, style: str, script: str = "") -> str:
    """The page. Its policy forbids every request, and every style and script but its own: no value can become one.

    `style` comes after the look that all pages share; `script` runs when the body is there.
    """
    style = f"{BASE}{style}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        tag("style", Markup(style)),
    )
    scripts = (tag("script", Markup(script)),) if script else ()
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', *body, *scripts), lang='en')}\n"


def _policy(style: str, script: str) -> str:
    """Only these two texts may style and run.

    https://www.w3.org/TR/CSP3/#csp-hash-source
    """
    runs = f"script-src {_hash(script)}; " if script else ""
    return f"default-src 'none'; style-src {_hash(style)}; {runs}img-src data:; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
