"""The style and the script of the page; as text in a module, so that they ship with the code."""

from __future__ import annotations

STYLE = """
body { max-width: 72rem; }
h1 { margin-top: .25rem; }
h3 { margin: 1.75rem 0 .25rem; display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: center; }
.values td { font-family: var(--mono); font-size: .8125rem; }
ol, main ul { padding-left: 1.25rem; max-width: 52rem; }

/* what a hurried reader reads */
.standing, .badge {
  display: inline-block; border: 1px solid currentColor; font-weight: 600; color: var(--look);
  background: var(--look-ground);
}
.standing { margin: .75rem 0 0; padding: .25rem .75rem; border-radius: 6px; }
.badge { padding: 0 .5rem; border-radius: 999px; font-size: .75rem; line-height: 1.25rem; white-space: nowrap; }
.standing.fail, .badge.fail { color: var(--stop); background: var(--stop-ground); }
.standing.pass, .badge.pass { color: var(--good); background: var(--good-ground); }
.figures {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin: 1.25rem 0 0;
}
.figures div { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; }
.figures dd { font-size: 1.25rem; font-variant-numeric: tabular-nums; line-height: 1.3; }
.figures small { display: block; font-size: .8125rem; color: var(--soft); }
dt, .field label, thead th { color: var(--soft); font-size: .8125rem; font-weight: 500; }

/* tables */
td { vertical-align: top; }
.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.loud { color: var(--stop); font-weight: 600; }
.scroll { overflow-x: auto; background: var(--paper); border: 1px solid var(--line); border-radius: 8px; }
.overview th, .overview td { padding: .375rem .75rem; }
.overview thead th { white-space: nowrap; }
.overview thead th:nth-last-child(n+2):nth-child(n+3) { text-align: right; }
.overview tbody tr > * { border-top: 1px solid var(--line); }
.overview tbody th { min-width: 8rem; max-width: 24rem; overflow-wrap: break-word; }
.zero { color: var(--soft); }
.why { min-width: 10rem; font-size: .875rem; color: var(--soft); }
#sequences .scroll { margin-top: .5rem; }
#sequences .overview thead th:nth-child(n+3) { text-align: right; }
.told, .capped, .note { color: var(--soft); font-size: .875rem; }
.note { margin-top: .25rem; }
.capped { margin-top: .75rem; font-weight: 600; }
.columns { width: auto; min-width: min(100%, 28rem); margin: .75rem 0; }
.columns th, .columns td { padding: .125rem .75rem .125rem 0; vertical-align: middle; }
.columns thead th:nth-child(2) { text-align: right; }
.bar { width: 12rem; }
.bar svg { display: block; width: 100%; height: .5rem; fill: var(--accent); }

/* controls */
#filter { grid-template-columns: 2fr 1fr 1fr; }
.table, .difference { scroll-margin-top: 9rem; }

/* differing rows */
details { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; margin-top: .5rem; }
summary { cursor: pointer; padding: .5rem 1rem; border-radius: 8px; }
summary:hover .key, .keys > summary:hover { text-decoration: underline; text-underline-offset: 3px; }
.keys > ul { padding: 0 1rem .75rem 2rem; columns: 16rem; max-width: none; }
.keys li { break-inside: avoid; }
.difference { border-left-width: 3px; }
.difference.missing { border-left-color: var(--stop); }
.difference.extra { border-left-color: var(--look); }
.difference.changed { border-left-color: var(--accent); }
.difference > :last-child:not(summary) { margin-bottom: .75rem; }
.difference > .note { padding: 0 1rem; }
.kind { display: inline-block; min-width: 4.5rem; font-weight: 600; font-size: .875rem; }
.key .name, .what { color: var(--soft); font-size: .875rem; }
.what { float: right; }
.values { table-layout: fixed; width: calc(100% - 2rem); margin: 0 1rem; }
.values th:first-child { width: 12rem; padding-right: .75rem; }
.values tbody th { padding-block: .25rem; }
.values thead th { padding: 0 .5rem .125rem; }
.values thead th:first-child { padding-left: 0; }
.values td { padding: .25rem .5rem; white-space: pre-wrap; border: 1px solid var(--line); }
.values .old { background: var(--old-ground); }
.values .new { background: var(--new-ground); }
.same { color: var(--soft); font-size: .8125rem; font-weight: 400; display: block; }
.nothing { color: var(--soft); font-style: italic; font-family: system-ui, sans-serif; }
del .nothing, ins .nothing { color: inherit; }
.char {
  border: 1px solid currentColor; border-radius: 3px; padding: 0 .1875rem; margin: 0 .0625rem; font-size: .6875rem;
  font-family: var(--mono); white-space: nowrap;
}
pre {
  background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; margin: .75rem 0 0;
  max-height: 32rem; overflow: auto; overflow-wrap: normal; tab-size: 4;
}
#copy { margin-top: .5rem; }

@media (max-width: 44rem) {
  body { padding: 1.25rem 1rem 3rem; }
  .figures { grid-template-columns: 1fr 1fr; gap: .5rem; }
  .figures div { padding: .5rem .75rem; }
  .figures div:last-child { grid-column: 1 / -1; }
  #filter { position: static; grid-template-columns: 1fr 1fr; margin-inline: -1rem; padding-inline: 1rem; }
  .field.wide { grid-column: 1 / -1; }
  .buttons p { flex-basis: 100%; }
  .table, .difference { scroll-margin-top: 1rem; }
  .overview tbody th { max-width: 9.5rem; overflow-wrap: anywhere; }
  .overview thead th:first-child, .overview tbody th { position: sticky; left: 0; background: var(--paper); }
  .what { float: none; }
  .values { width: calc(100% - 1.5rem); margin-inline: .75rem; }
  .values th:first-child { width: 6rem; }
  summary { padding-inline: .75rem; }
  .bar { width: 6rem; }
}
@media print {
  body { padding: 0; max-width: none; font-size: 10pt; }
  .skip, #filter, button { display: none !important; }
  details::details-content {
    content-visibility: visible !important; block-size: auto !important; opacity: 1 !important;
  }
  .difference { break-inside: avoid; }
  tr, .figures { break-inside: avoid; }
  h2, h3, summary { break-after: avoid; }
  .scroll { overflow: visible; }
  pre { max-height: none; white-space: pre-wrap; overflow-wrap: anywhere; }
  * { print-color-adjust: exact; }
}
"""

SCRIPT = """
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const rows = [...document.querySelectorAll(".difference")];
  const tables = [...document.querySelectorAll(".table")];
  const copy = byId("copy");

  if (copy) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(byId("sql").textContent);
      } catch { // no clipboard for this page: select the text, so that Ctrl-C does it
        getSelection().selectAllChildren(byId("sql"));
        byId("told").textContent = "Selected: copy it with Ctrl-C";
        return;
      }
      byId("told").textContent = "Copied the SQL";
    });
  }

  // On paper everything stands open, and afterwards as it did before.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of closed) details.open = false; });

  if (!byId("filter")) return;
  const search = byId("search");
  const table = byId("table");
  const kind = byId("kind");
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const all = byId("shown").textContent;
  byId("filter").hidden = false;

  function apply() {
    const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
    const active = words.length > 0 || Boolean(table.value || kind.value);
    let shown = 0;
    for (const row of rows) {
      const fits = (!kind.value || row.dataset.kind === kind.value)
        && (!table.value || row.parentElement.id === table.value)
        && words.every((word) => texts.get(row).includes(word));
      row.hidden = !fits;
      shown += fits;
    }
    for (const section of tables) section.hidden = active && !section.querySelector(".difference:not([hidden])");
    byId("shown").textContent = active ? `${shown.toLocaleString("en")} of ${all} shown` : all;
  }

  function reset() {
    search.value = table.value = kind.value = "";
    apply();
  }

  // A link to a table shows it, whatever is filtered.
  function show() {
    const section = tables.find((one) => `#${one.id}` === location.hash);
    if (section?.hidden) {
      reset();
      section.scrollIntoView();
    }
  }

  search.addEventListener("input", apply);
  for (const select of [table, kind]) select.addEventListener("change", apply);
  byId("reset").addEventListener("click", () => { reset(); search.focus(); });
  byId("expand").addEventListener("click", () => { for (const row of rows) row.open = true; });
  byId("collapse").addEventListener("click", () => { for (const row of rows) row.open = false; });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) show(); // a hash that stays the same is no event
  });
  addEventListener("hashchange", show);
  apply(); // a browser may remember what was chosen before a reload
})();
"""
