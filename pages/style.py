"""The look that all pages share: colours for light and dark, type, focus, what only a screen reader sees.

As text in a module, so that it ships with the code.
"""

from __future__ import annotations

BASE = """
:root {
  --ground: #f5f6f8; --paper: #fff; --line: #d8dde4; --ink: #1b2430; --soft: #56616f; --accent: #1d5b9e;
  --stop: #a1161a; --stop-ground: #fdecea; --look: #744700; --look-ground: #fff2d4;
  --good: #17623a; --good-ground: #e5f4ea;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1318; --paper: #171c23; --line: #2d3541; --ink: #e2e7ee; --soft: #a0acba; --accent: #83b8f6;
    --stop: #ffa099; --stop-ground: #3a1b1b; --look: #f0c169; --look-ground: #35270e;
    --good: #86d49e; --good-ground: #153020;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { scroll-padding-top: 1rem; }
body {
  margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 68rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere;
}
h1, h2, h3, h4, p, dl, dd, ul, ol, figure { margin: 0; padding: 0; }
h1 { font-size: 1.75rem; line-height: 1.2; letter-spacing: -.01em; }
h2 { font-size: 1.125rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1rem; margin: 1.75rem 0 .5rem; }
code, kbd, pre { font-family: var(--mono); font-size: .8125rem; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.unseen {
  position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap;
}
.skip { position: absolute; left: 1rem; top: -4rem; padding: .5rem 1rem; background: var(--paper); z-index: 3; }
.skip:focus { top: 1rem; }
.place { color: var(--soft); font-size: .875rem; }
"""

# After it, of the pages in which a reader looks for what differs: values before and after, a filter, paper.
DIFFERENCES = """
:root { --old-ground: #fdf1f0; --old-mark: #f7c8c4; --new-ground: #eef8f1; --new-mark: #b9e3c6; }
@media (prefers-color-scheme: dark) {
  :root { --old-ground: #281a1a; --old-mark: #6d2c29; --new-ground: #14251b; --new-mark: #20563a; }
}
.headline { margin: 1rem 0 0; font-size: 1.25rem; line-height: 1.4; max-width: 48rem; text-wrap: pretty; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 500; vertical-align: top; }
del, ins { text-decoration: none; border-radius: 2px; }
del { background: var(--old-mark); }
ins { background: var(--new-mark); }
button, input[type="search"], select {
  font: inherit; font-size: .875rem; color: inherit; background: var(--paper); border: 1px solid var(--soft);
  border-radius: 6px; padding: .3125rem .625rem; min-height: 2.125rem;
}
button { cursor: pointer; }
button:hover { border-color: var(--accent); color: var(--accent); }
#filter {
  position: sticky; top: 0; z-index: 2; display: grid; gap: .5rem .75rem;
  margin: 0 -1.5rem; padding: .75rem 1.5rem; background: var(--ground); border-bottom: 1px solid var(--line);
}
.field { display: grid; gap: .125rem; min-width: 0; }
.field > :last-child { width: 100%; }
.buttons { grid-column: 1 / -1; display: flex; flex-wrap: wrap; align-items: center; gap: .5rem; }
.buttons p { margin-right: auto; font-size: .875rem; font-weight: 600; }
footer { margin-top: 3rem; color: var(--soft); font-size: .875rem; }
@media (prefers-reduced-motion: no-preference) {
  html { scroll-behavior: smooth; }
}
@media (forced-colors: active) {
  del, ins { text-decoration: underline; }
}
@media print {
  :root {
    --ground: #fff; --paper: #fff; --line: #bbb; --ink: #000; --soft: #444; --accent: #000;
    --stop: #8c1014; --stop-ground: #fff; --look: #633c00; --look-ground: #fff; --good: #0f4f2c; --good-ground: #fff;
    --old-ground: #fff; --old-mark: #f7c8c4; --new-ground: #fff; --new-mark: #b9e3c6;
    color-scheme: light;
  }
}
"""
