/* What pages do by themselves where a browser lets them. Everything works without it. No eval, nothing inline. */
(() => {
  "use strict";
  const root = document.documentElement;
  const THEME = "maintenworks-theme";
  const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* private windows */ } };
  const kept = (name) => { try { return localStorage.getItem(name); } catch { return null; } };

  // Before anything is painted.
  if (["light", "dark"].includes(kept(THEME))) root.dataset.theme = kept(THEME);
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

  const turn = () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    keep(THEME, root.dataset.theme);
    charts();
  };

  /* A figure of class `series` holds a table: a column of moments (data-x, seconds) and columns of numbers (data-y).
     uPlot draws it; the table stays below, folded. */
  const drawn = new Map();
  const resolved = (name) => {
    const probe = document.createElement("i");
    probe.className = name;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };

  function charts() {
    if (!window.uPlot) return;
    for (const [figure, plot] of drawn) if (!figure.isConnected) { plot.destroy(); drawn.delete(figure); }
    for (const figure of document.querySelectorAll("figure.series")) draw(figure);
  }

  function draw(figure) {
    const table = figure.querySelector("details table"); // uPlot's own legend is a table, too
    const rows = [...table.tBodies[0].rows];
    const heads = [...table.tHead.rows[0].cells].slice(1);
    const value = (cell) => (cell.dataset.y === undefined || cell.dataset.y === "" ? null : Number(cell.dataset.y));
    if (rows.length < 2) return; // no line has one point, and an axis of one moment would mislead
    const data = [rows.map((row) => Number(row.cells[0].dataset.x))];
    heads.forEach((_, place) => data.push(rows.map((row) => value(row.cells[place + 1]))));
    drawn.get(figure)?.destroy();
    const target = figure.querySelector(".plot");
    const lines = ["info", "warn", "ok", "bad"].map(resolved);
    const axis = { stroke: resolved("muted"), grid: { stroke: "rgb(128 128 128 / 25%)", width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    const timed = figure.dataset.time !== "no";
    const days = timed && data[0].length > 1 && data[0].at(-1) - data[0][0] > 2 * 86400;
    const told = (stamp) => { const text = new Date(stamp * 1e3).toISOString(); return days ? text.slice(0, 10) : text.slice(11, 19); };
    const plot = new window.uPlot({
      width: Math.max(target.clientWidth, 200),
      height: Number(figure.dataset.height || 180),
      tzDate: (stamp) => window.uPlot.tzDate(new Date(stamp * 1e3), "Etc/UTC"),
      cursor: { y: false },
      scales: { x: { time: timed }, y: { range: (_, low, high) => [Math.min(low ?? 0, 0), Math.max(high ?? 0, Number(figure.dataset.least || 1))] } },
      axes: [{ ...axis, size: 30, ...(timed ? { values: (_, all) => all.map(told), space: 80 } : {}) }, { ...axis, size: 56 }],
      series: [timed ? { label: "UTC", value: (_, stamp) => (stamp === null ? "" : told(stamp)) } : { label: table.tHead.rows[0].cells[0].textContent }, ...heads.map((head, place) => ({ label: head.textContent, stroke: lines[place % lines.length], width: 1.5, dash: place ? [6, 3 + place] : undefined, points: { show: rows.length < 40 } }))],
    }, data, target);
    plot.root.setAttribute("aria-hidden", "true");
    drawn.set(figure, plot);
  }

  // On a phone what a page is about comes first: filters that nobody set are folded, and the menu shows where one is.
  const narrow = () => {
    document.querySelector(".side a[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
    for (const form of document.querySelectorAll("form.filters")) {
      const fold = document.createElement("details");
      fold.className = "fold";
      fold.append(Object.assign(document.createElement("summary"), { textContent: "Filter" }));
      fold.open = [...form.elements].some((each) => (each.tagName === "SELECT" ? each.selectedIndex > 0 : each.type === "text" && each.value));
      form.replaceWith(fold);
      fold.append(form);
    }
  };

  const typing = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;
  let leader = 0;

  const help = () => { const dialog = document.getElementById("help"); if (dialog && !dialog.open) dialog.showModal(); };

  const pressed = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.target instanceof Element)) return;
    if (typing(event.target)) { if (event.key === "Escape") event.target.blur(); return; }
    if (event.key === "/") { const box = document.getElementById("search"); if (box) { event.preventDefault(); box.focus(); box.select(); } return; }
    if (event.key === "?") { help(); return; }
    if (event.key === "g") { leader = event.timeStamp; return; }
    if (leader && event.timeStamp - leader < 1500) {
      const link = document.querySelector(`nav a[data-key="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); link.click(); }
    }
    leader = 0;
  };

  // What somebody has typed would be lost: that region stands still.
  const isTypedIn = (region) => [...region.querySelectorAll("input, textarea")].some((each) => each.value !== each.defaultValue || each.checked !== each.defaultChecked);

  const away = (is) => { const note = document.getElementById("away"); if (note) note.hidden = !is; };

  addEventListener("keydown", pressed);
  // A page that nobody sees asks for nothing; it asks at once when it is seen again.
  document.addEventListener("htmx:config:request", (event) => {
    const { sourceElement, sourceEvent } = event.detail.ctx;
    if (sourceEvent?.type === "every" && (document.hidden || isTypedIn(sourceElement))) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) for (const each of document.querySelectorAll("[data-live]")) window.htmx?.trigger(each, "seen");
  });
  // A session that has ended leads to the login, which is no part of any page.
  document.addEventListener("htmx:before:response", (event) => {
    if (event.detail.ctx.response.raw.redirected) { event.preventDefault(); location.reload(); }
  });
  document.addEventListener("htmx:response:error", () => away(true));
  document.addEventListener("htmx:error", () => away(true));
  document.addEventListener("htmx:after:swap", () => { away(false); charts(); });

  addEventListener("DOMContentLoaded", () => {
    root.classList.add("scripted");
    for (const each of document.querySelectorAll("[data-scripted]")) each.hidden = false;
    for (const each of document.querySelectorAll("[data-turn-theme]")) each.addEventListener("click", turn);
    for (const each of document.querySelectorAll("[data-help]")) each.addEventListener("click", help);
    for (const each of document.querySelectorAll("[data-tick-all]")) each.addEventListener("change", () => { for (const box of each.form.elements) if (box.name === "id") box.checked = each.checked; });
    if (matchMedia("(max-width: 55rem)").matches) narrow();
    charts();
    let waiting = 0;
    addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(charts, 150); });
  });
})();
