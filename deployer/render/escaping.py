"""Text as it must stand in a comment on GitHub, whatever it holds: nothing of it becomes markup, a link or a mention.

GitHub reads Markdown, then some HTML, then mentions, issue numbers, emoji and formulas; text in code is safe from the
last four. https://github.github.com/gfm/
"""

from __future__ import annotations

import re

from deployer.render.values import visible

_ZERO_WIDTH_SPACE = "&#8203;"
_MARKUP = r"[\\`*\[\]|~$<>&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=//)|(?<=www)\."
_PULLS = r"@|#(?=\d)|:(?=\w+:)"  # mentions, numbers of issues, names of emoji
_IN_CODE = re.compile(_MARKUP, re.IGNORECASE)
_IN_PROSE = re.compile(f"(?P<markup>{_MARKUP})|{_PULLS}", re.IGNORECASE)
_OPENING = re.compile(r"^(?:[-+#=]|\d+[.)])")  # what begins a list, a heading, a rule
_PLAIN_CODE = re.compile(r"[^`|\\<>&]+")
_FENCE = re.compile(r"`+")


def prose(text: str) -> str:
    """The text as words of a sentence, fit for a table's cell."""
    escaped = _IN_PROSE.sub(
        lambda match: _entity(match) if match["markup"] else f"{match[0]}{_ZERO_WIDTH_SPACE}", visible(text).strip()
    )
    return _OPENING.sub(lambda match: f"{_ZERO_WIDTH_SPACE}{match[0]}", escaped)


def code(text: str) -> str:
    """The text as code, fit for a table's cell."""
    shown = visible(text)
    if _PLAIN_CODE.fullmatch(shown) and shown == shown.strip():
        return f"`{shown}`"
    return f"<code>{_IN_CODE.sub(_entity, shown)}</code>"


def fenced(lines: tuple[str, ...]) -> list[str]:
    """The lines as a block of code, which GitHub gives a button to copy it."""
    longest = max((len(run) for line in lines for run in _FENCE.findall(line)), default=0)
    fence = "`" * max(longest + 1, 3)
    return [f"{fence}text", *map(visible, lines), fence]


def hidden(text: str) -> str:
    """The text inside a comment that is not shown."""
    return re.sub(r"[^\w./ -]", "?", visible(text))


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"
