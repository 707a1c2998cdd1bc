"""HTML that is safe by construction: whatever is no Markup is text, and is escaped."""

from __future__ import annotations

from html import escape

_VOID = frozenset({"meta", "link", "input", "br", "wbr"})


class Markup(str):
    """Text that is HTML already; only `tag` and `joined` make it, and the page for its own style and script."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: str | bool | int | None) -> Markup:
    """An element. `class_="x"` and `aria_label="x"` become class and aria-label; False and None are left out."""
    written = ""
    for key, value in attributes.items():
        attribute = key.rstrip("_").replace("_", "-")
        if value is True:
            written += f" {attribute}"
        elif value is not False and value is not None:
            written += f' {attribute}="{escape(str(value))}"'
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(*children)}</{name}>")


def joined(*children: str) -> Markup:
    """Elements and text in a row."""
    return Markup("".join(child if isinstance(child, Markup) else escape(child, quote=False) for child in children))
