"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const changes = byId("changes");
  const items = [...changes.querySelectorAll(".item")];
  const folds = [...changes.querySelectorAll(".fold")];
  const tiers = [...changes.querySelectorAll(".tier")];
  const search = byId("search");
  const selects = ["tier", "severity", "action", "certainty"].map(byId);
  const help = byId("help");
  const LOUD = 12; // as many changes may stand open at the start

  // Without this script everything stands open; with it only what must be looked at.
  const texts = new Map(items.map((item) => [item, item.textContent.toLowerCase()]));
  const loud = items.filter((item) => item.matches(".stop, .warn"));
  const opened = new Set(loud.length > LOUD ? loud.filter((item) => item.matches(".stop")) : loud);
  for (const item of items) item.open = opened.has(item);
  for (const fold of changes.querySelectorAll(".fold, .quiet-edits")) fold.open = false;
  byId("filter").hidden = false;
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;

  let filtered = false;
  let before = []; // the folds that stood open before a filter opened its own

  function apply() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const active = words.length > 0 || selects.some((select) => select.value);
    if (active && !filtered) before = folds.filter((fold) => fold.open);
    let shown = 0;
    for (const item of items) {
      const fits = selects.every((select) => !select.value || select.value.split(" ").includes(item.dataset[select.id]))
        && words.every((word) => texts.get(item).includes(word));
      item.hidden = !fits;
      shown += fits;
    }
    for (const fold of folds) {
      fold.hidden = !fold.querySelector(".item:not([hidden])");
      if (active) fold.open = true;
      else if (filtered) fold.open = before.includes(fold);
    }
    for (const tier of tiers) tier.hidden = active && !tier.querySelector(".item:not([hidden])");
    filtered = active;
    const all = `${items.length} ${items.length === 1 ? "change" : "changes"}`;
    byId("shown").textContent = active ? `${shown} of ${all} shown` : all;
  }

  function reset() {
    search.value = "";
    for (const select of selects) select.value = "";
    apply();
  }

  function unfold(open) {
    for (const details of changes.querySelectorAll("details")) if (!details.hidden) details.open = open;
  }

  const seen = (summary) => !summary.closest("[hidden]") && !summary.parentElement.parentElement.closest("details:not([open])");

  function move(step) {
    const stops = [...changes.querySelectorAll(".item > summary, .fold > summary")].filter(seen);
    const at = stops.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : stops.length - 1) : Math.min(Math.max(at + step, 0), stops.length - 1);
    if (stops[next]) {
      stops[next].focus({ preventScroll: true });
      stops[next].parentElement.scrollIntoView({ block: "nearest" });
    }
  }

  // A link to a change shows it, whatever is filtered and folded.
  function show() {
    let name;
    try { name = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const item = byId(name);
    if (!items.includes(item)) return;
    if (item.hidden) reset();
    for (let details = item; details; details = details.parentElement.closest("details")) details.open = true;
    item.scrollIntoView({ block: "start" });
    item.querySelector("summary").focus({ preventScroll: true });
  }

  async function copy(button) {
    const text = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch { // no clipboard for this page: select the text, so that Ctrl-C does it
      getSelection().selectAllChildren(button.parentElement.querySelector("code"));
      byId("told").textContent = "Selected: copy it with Ctrl-C";
      return;
    }
    button.textContent = "Copied";
    byId("told").textContent = `Copied ${text}`;
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  }

  search.addEventListener("input", apply);
  for (const select of selects) select.addEventListener("change", apply);
  byId("reset").addEventListener("click", () => { reset(); search.focus(); });
  byId("expand").addEventListener("click", () => unfold(true));
  byId("collapse").addEventListener("click", () => unfold(false));
  byId("keys").addEventListener("click", () => help.showModal());
  byId("close").addEventListener("click", () => help.close());
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) show(); // a hash that stays the same is no event
  });
  addEventListener("hashchange", show);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || help.open) return;
    const field = event.target.closest("input, select, textarea");
    if (event.key === "Escape") {
      if (event.target === search && !search.value) {
        search.blur();
        move(1);
      } else {
        reset();
      }
      event.preventDefault();
    }
    if (field || !byId("single").checked) return;
    const acts = { "/": () => { search.focus(); search.select(); }, j: () => move(1), k: () => move(-1), "?": () => help.showModal() };
    if (Object.hasOwn(acts, event.key)) {
      event.preventDefault();
      acts[event.key]();
    }
  });

  // On paper everything stands open, and afterwards as it did before.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...changes.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of closed) details.open = false; });

  apply();
  show();
})();
