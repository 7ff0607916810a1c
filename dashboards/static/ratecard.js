// Ratecard's only script: the find key, menus, evidence popovers, file boxes, charts.
// Everything here improves a page that works without it.
"use strict";
(() => {
  const self = document.currentScript;
  const narrow = matchMedia("(max-width: 640px)");
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // --- the find key -------------------------------------------------------------------------
  const isTyping = (node) => node.closest("input, textarea, select, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const box = document.querySelector(".find input");
    if (!box) return;
    event.preventDefault();
    if (box.offsetParent) { box.focus(); box.select(); } else location.assign(box.form.action);
  });

  // --- menus: one open at a time, closed by a click elsewhere or Escape ------------------------
  const openMenus = () => document.querySelectorAll("details.menu-box[open]");
  document.addEventListener("click", (event) => {
    for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) { menu.open = false; menu.querySelector("summary").focus(); }
  });

  // --- evidence: the link's page, `?part=evidence` of it in a popover -------------------------
  const popover = document.getElementById("evidence-popover");
  let opener = null;

  // Below its number, or above where there is more room; never over it, never wider than the window.
  function place(link) {
    popover.style.left = popover.style.top = popover.style.maxHeight = "";
    if (narrow.matches) return;
    const at = link.getBoundingClientRect();
    const below = innerHeight - at.bottom - 16, above = at.top - 16;
    const isBelow = below >= Math.min(popover.offsetHeight, 360) || below >= above;
    popover.style.maxHeight = `${Math.max(160, isBelow ? below : above)}px`;
    const left = Math.min(at.right - popover.offsetWidth, innerWidth - popover.offsetWidth - 16);
    popover.style.left = `${Math.max(16, left)}px`;
    popover.style.top = `${isBelow ? at.bottom + 6 : Math.max(8, at.top - popover.offsetHeight - 6)}px`;
  }

  async function showEvidence(link) {
    const part = new URL(link.href);
    part.searchParams.set("part", "evidence");
    let answer;
    try {
      answer = await fetch(part, { headers: { "X-Requested-With": "fetch" } });
    } catch {
      answer = null;
    }
    // A sign-in page or a fault belongs in the window, not in a popover.
    if (!answer || !answer.ok || answer.redirected) { location.assign(link.href); return; }
    const fragment = new DOMParser().parseFromString(await answer.text(), "text/html");
    // What is a landmark of a page is plain content here, and its ids may be on the page already.
    const content = fragment.querySelector(".evidence") ?? fragment.body;
    for (const node of content.querySelectorAll("[id]")) node.removeAttribute("id");
    popover.setAttribute("aria-label", content.querySelector("h2")?.textContent ?? "Evidence");
    popover.querySelector("[data-body]").replaceChildren(...content.childNodes);
    popover.querySelector("[data-open]").href = link.href;
    if (opener) opener.removeAttribute("aria-expanded");
    opener = link;
    popover.showPopover();
    place(link);
    link.setAttribute("aria-expanded", "true");
    popover.scrollTop = 0;
    popover.focus({ preventScroll: true });
  }

  if (popover && popover.showPopover) {
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a.ev[href]");
      if (!link || popover.contains(link)) return;
      if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      if (new URL(link.href).origin !== location.origin || link.getAttribute("href").startsWith("#")) return;
      event.preventDefault();
      if (opener === link && popover.matches(":popover-open")) popover.hidePopover();
      else showEvidence(link);
    });
    popover.querySelector("[data-close]").addEventListener("click", () => popover.hidePopover());
    popover.addEventListener("toggle", (event) => {
      if (event.newState !== "closed" || !opener) return;
      const had = popover.contains(document.activeElement) || document.activeElement === document.body;
      opener.removeAttribute("aria-expanded");
      if (had) opener.focus({ preventScroll: true });
      opener = null;
    });
    addEventListener("resize", () => opener && place(opener));
    addEventListener("scroll", () => opener && !narrow.matches && place(opener), { passive: true });
  }

  // --- copy the address of what is on the screen ---------------------------------------------
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-copy]");
    if (!link || !navigator.clipboard) return;
    event.preventDefault();
    const words = link.textContent;
    try { await navigator.clipboard.writeText(link.href); link.textContent = "Copied"; } catch { return; }
    setTimeout(() => { link.textContent = words; }, 1600);
  });

  // --- filters that apply as they are chosen, file boxes that take a drop -----------------------
  document.addEventListener("change", (event) => {
    if (event.target.closest("form[data-auto]")) event.target.form.requestSubmit();
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      const box = event.target.closest && event.target.closest(".drop");
      if (!box) return;
      event.preventDefault();
      box.classList.toggle("over", kind === "dragover");
      if (kind === "drop") {
        const input = box.querySelector("input[type=file]");
        input.files = event.dataTransfer.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
      }
    });
  }

  // --- a slider over days: it writes into the field beside it, and asks once it has come to rest ------
  let resting = 0;
  document.addEventListener("input", (event) => {
    const slide = event.target.closest("input[data-stops]");
    if (!slide) return;
    const day = slide.dataset.stops.split(" ")[slide.value];
    const field = slide.form.querySelector("input[type=date]");
    field.value = day === "today" ? "" : day;
    const words = new Date(`${day}T00:00Z`).toLocaleDateString("en-GB", { dateStyle: "medium", timeZone: "UTC" });
    slide.setAttribute("aria-valuetext", day === "today" ? day : words);
    clearTimeout(resting);
    resting = setTimeout(() => slide.form.requestSubmit(), 450);
  });

  // --- htmx: the token that Django asks of every change ---------------------------------------
  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/);
    if (token) event.detail.headers["X-CSRFToken"] = decodeURIComponent(token[1]);
  });

  // --- charts ---------------------------------------------------------------------------------
  // <figure data-figure=URL> answers {wide: {data, layout}, narrow?: {data?, layout}}; colours in it
  // are "var(--series-1)" or "alpha(--accent, 0.16)", taken from the stylesheet in either scheme.
  const figures = new Map();
  let plotly = null;

  function loadPlotly() {
    plotly ??= new Promise((resolve, reject) => {
      // Tells Plotly that the stylesheet holds its rules, so it adds no <style> element.
      const rules = document.createElement("meta");
      rules.id = "plotly.js-style-global";
      rules.className = "no-inline-styles";
      document.head.append(rules);
      const script = document.createElement("script");
      script.src = self.dataset.plotly;
      script.onload = () => resolve(window.Plotly);
      script.onerror = () => reject(new Error("Plotly did not load"));
      document.head.append(script);
    });
    return plotly;
  }

  function palette() {
    const styles = getComputedStyle(document.documentElement);
    const token = (name) => styles.getPropertyValue(name).trim();
    const alpha = (name, share) => {
      const hex = token(name).replace("#", "");
      const [r, g, b] = [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16));
      return `rgba(${r},${g},${b},${share})`;
    };
    const paint = (value) => {
      if (typeof value === "string") {
        const plain = value.match(/^var\((--[\w-]+)\)$/);
        if (plain) return token(plain[1]);
        const see = value.match(/^alpha\((--[\w-]+),\s*([\d.]+)\)$/);
        if (see) return alpha(see[1], see[2]);
        // Inside annotation text: <span> colours by name.
        return value.includes("var(--") ? value.replace(/var\((--[\w-]+)\)/g, (_, name) => token(name)) : value;
      }
      if (Array.isArray(value)) return value.map(paint);
      if (value && typeof value === "object") {
        return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, paint(inner)]));
      }
      return value;
    };
    return { token, paint };
  }

  const isPlain = (value) => value && typeof value === "object" && !Array.isArray(value);
  function merged(base, over) {
    const result = { ...base };
    for (const [key, value] of Object.entries(over || {})) {
      result[key] = isPlain(value) && isPlain(result[key]) ? merged(result[key], value) : value;
    }
    return result;
  }

  function houseLayout(token, layout) {
    const font = { family: token("--font-text"), size: 12, color: token("--ink-2") };
    const axis = { fixedrange: true, automargin: true, zeroline: false, title: { font, standoff: 8 } };
    const x = { ...axis, showgrid: false, showline: true, linecolor: token("--ink-3"), ticks: "", tickfont: { color: token("--ink-3") } };
    const y = { ...axis, gridcolor: token("--grid"), showline: false, ticks: "", tickfont: { color: token("--ink-3") } };
    const base = {
      autosize: false, font, dragmode: false, hovermode: "closest", showlegend: false,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 44, r: 12, t: 12, b: 28, pad: 0 },
      colorway: [1, 2, 3, 4, 5, 6, 7, 8].map((n) => token(`--series-${n}`)),
      hoverlabel: { bgcolor: token("--paper"), bordercolor: token("--rule-2"), align: "left", font: { ...font, size: 13, color: token("--ink") } },
      xaxis: x, yaxis: y, transition: { duration: 0 },
    };
    for (const key of Object.keys(layout)) {
      if (/^xaxis\d+$/.test(key)) base[key] = x;
      if (/^yaxis\d+$/.test(key)) base[key] = y;
    }
    return merged(base, layout);
  }

  async function draw(figure) {
    const state = figures.get(figure);
    const plot = figure.querySelector(".plot");
    const Plotly = await loadPlotly();
    const width = Math.floor(plot.clientWidth);
    if (!width || !state.answer) return;
    const { token, paint } = palette();
    const wide = state.answer.wide;
    const shape = narrow.matches || width < 480 ? { ...wide, ...(state.answer.narrow || {}) } : wide;
    const layout = houseLayout(token, paint(shape.layout || {}));
    layout.width = width;
    layout.height ??= Math.max(plot.clientHeight, 240);
    // Plotly keeps what it is given and writes into it: paint() hands over a copy.
    const edge = { marker: { line: { color: token("--paper"), width: 1 } } };
    const traces = paint(shape.data || wide.data).map((trace) => trace.type === "bar" ? merged(edge, trace) : trace);
    await Plotly.react(plot, traces, layout, { displayModeBar: false, responsive: false, doubleClick: false, scrollZoom: false, showTips: false });
    state.width = width;
    plot.setAttribute("role", "img");
    plot.setAttribute("aria-label", figure.dataset.label || figure.querySelector("h2, h3")?.textContent.trim() || "Chart");
    figure.dataset.drawn = "true";
  }

  async function load(figure) {
    const state = figures.get(figure);
    try {
      const answer = await fetch(figure.dataset.figure, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(`${answer.status}`);
      state.answer = await answer.json();
      await draw(figure);
    } catch (error) {
      figure.dataset.drawn = "failed";
      figure.querySelector(".plot").classList.add("failed");
      figure.querySelector(".behind")?.classList.add("open");
      const note = document.createElement("p");
      note.className = "note";
      note.textContent = "The chart did not load; the table has its figures.";
      figure.querySelector(".plot").after(note);
      console.warn("Chart not drawn:", figure.dataset.figure, error.message);
    }
  }

  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      near.unobserve(entry.target);
      load(entry.target);
    }
  }, { rootMargin: "400px" });
  let pending = 0;
  const widths = new ResizeObserver((entries) => {
    const changed = entries.some(({ target }) => {
      const state = figures.get(target.closest("figure"));
      return state && state.width && Math.floor(target.clientWidth) !== state.width;
    });
    if (changed) { cancelAnimationFrame(pending); pending = requestAnimationFrame(redraw); }
  });
  function redraw() {
    for (const [figure, state] of figures) {
      if (!figure.isConnected) figures.delete(figure);
      else if (state.answer) draw(figure);
    }
  }
  function findCharts(root) {
    for (const figure of root.querySelectorAll("figure[data-figure]")) {
      if (figures.has(figure) || !figure.querySelector(".plot")) continue;
      figures.set(figure, {});
      widths.observe(figure.querySelector(".plot"));
      near.observe(figure);
    }
  }
  dark.addEventListener("change", redraw);
  document.addEventListener("htmx:load", (event) => findCharts(event.detail.elt.parentNode || document));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-table]");
    const table = link && link.closest("figure")?.querySelector(".behind");
    if (!table) return;
    event.preventDefault();
    const isOpen = table.classList.toggle("open");
    link.setAttribute("aria-expanded", String(isOpen));
  });
  findCharts(document);

})();
