// @ts-check
// The epoch, the controls, and the start.

/** @param {number} epoch */
function setEpoch(epoch) {
  // The latest epoch that is not after the one asked for, so that a link to a gap lands beside it.
  state.epoch = epochs.findLast((each) => each <= epoch) ?? epochs[0] ?? 0;
  const index = epochs.indexOf(state.epoch);
  document.documentElement.dataset.epoch = String(state.epoch);
  $("epoch").value = String(index);
  $("epoch").setAttribute("aria-valuetext", `Epoch ${state.epoch} of ${lastEpoch}`);
  $("epoch-text").textContent = `Epoch ${state.epoch} of ${lastEpoch}`;
  $("back").disabled = index <= 0;
  $("forward").disabled = index >= epochs.length - 1;
  for (const update of charts.values()) update();
  repaint();
  drawClasses();
  drawOutcomes();
  drawLayers();
  plotScatter();
  drawConfusion();
  remember();
}

/** @param {number} by */
const stepEpoch = (by) => setEpoch(epochs[Math.min(Math.max(epochs.indexOf(state.epoch) + by, 0), epochs.length - 1)]);

function repaint() {
  const change = $("mode").value === "change";
  document.documentElement.dataset.mode = $("mode").value;
  $("since-label").hidden = !change;
  // Changes have a sign and one colour map for it.
  $("colours").disabled = change;
  arrange();
  paintCards();
  drawScale();
  updateStrip();
}

function sortAgain() {
  pin();
  repaint();
}

/** Everything that depends on the measure, its reference, or which views are on. */
function redraw() {
  drawSummary();
  drawDrift();
  drawPaths();
  drawSpread();
  drawAgreement();
  drawLayers();
  drawClasses();
  drawOutcomes();
  drawScatter();
  drawConfusion();
  if ($("strip").open && stripImage !== null) openStrip(stripImage);
  sortAgain();
}

/** @param {boolean} on */
function play(on) {
  clearInterval(state.timer);
  if (on && state.epoch === lastEpoch) setEpoch(epochs[0]);
  state.timer = on
    ? setInterval(() => {
        stepEpoch(1);
        if (state.epoch === lastEpoch) play(false);
      }, 800)
    : undefined;
  $("play").textContent = on ? "Pause" : "Play";
  $("play").setAttribute("aria-pressed", String(on));
  // Someone who listens is not told every epoch while they fly by.
  $("epoch-text").setAttribute("aria-live", on ? "off" : "polite");
}

/** The part of the address that names the epoch and the open image. */
const hashOf = () => `#epoch=${state.epoch}${$("strip").open ? `&image=${encodeURIComponent(stripImage ?? "")}` : ""}`;

/** Puts the epoch and the open image into the address, once they rest: browsers limit how often it may change. */
function remember() {
  $("strip-link").href = hashOf();
  clearTimeout(state.remembering);
  state.remembering = setTimeout(() => location.hash !== hashOf() && history.replaceState(null, "", hashOf()), 250);
}

/** Goes where a link says. */
function follow() {
  const wanted = new URLSearchParams(location.hash.slice(1)),
    epoch = Number.parseInt(wanted.get("epoch") ?? "", 10),
    image = wanted.get("image");
  if (image !== null && cards.has(image)) openStrip(image);
  else if ($("strip").open) $("strip").close();
  setEpoch(Number.isNaN(epoch) ? state.epoch : epoch);
}

/**
 * Scrolls to a section without touching the link in the address bar.
 *
 * @param {Section} section
 */
function jump(section) {
  $(section).scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  $(`${section}-title`).focus({ preventScroll: true });
}

function fillSelects() {
  /** @type {(value: string | number, text: string) => HTMLOptionElement} */
  const option = (value, text) => element("option", { value }, text);
  const numbered = epochs.map((epoch) => option(epoch, `epoch ${epoch}`));
  const measured = new Set(runs.flatMap((run) => run.drift.map((row) => row.measure)));
  const found = data.measures.filter((each) => measured.has(each.name)),
    offered = found.length ? found : data.measures;
  $("measure").append(...offered.map((each) => option(each.name, each.label)));
  if (offered.some((each) => each.name === "top20-iou")) $("measure").value = "top20-iou";
  const kinds = [...new Set([...Object.keys(AGAINST), ...runs.flatMap((run) => run.drift.map((row) => row.against))])];
  const known = kinds.filter((kind) => runs.some((run) => run.drift.some((row) => row.against === kind)));
  $("against").append(
    ...(known.length ? known : ["previous"]).map((kind) => option(kind, AGAINST[kind] ?? spaced(kind))),
  );
  $("class").append(option("", "all"), ...classNames.map((name) => option(name, name)));
  $("sort").append(
    option("panel", "panel order"),
    option("moved", "moved most"),
    ...(views.length > 1 ? views.map((view) => option(view.index, `moved most: ${view.label}`)) : []),
    option("changed", "prediction just changed"),
    option("unsure", "least sure of the true class"),
    option("class", "class name"),
  );
  $("confusion-run").append(...runs.map((run) => option(run.index, run.label)));
  $("colours").append(
    option("auto", "two hues for signed maps"),
    ...data.colours.map((each) => option(each.name, each.signed ? "blue to red, signed" : each.name)),
  );
  $("since").append(option("previous", "previous epoch"), option("first", "first epoch"), ...numbered);
}

function listen() {
  $("epoch").addEventListener("input", () => setEpoch(epochs[Number($("epoch").value)]));
  $("play").addEventListener("click", () => play(!state.timer));
  $("back").addEventListener("click", () => stepEpoch(-1));
  $("forward").addEventListener("click", () => stepEpoch(1));
  for (const select of [$("measure"), $("against")]) select.addEventListener("change", redraw);
  for (const select of [$("colours"), $("scale"), $("mode"), $("since")]) select.addEventListener("change", repaint);
  for (const select of [$("sort"), $("class"), $("outcome")]) select.addEventListener("change", sortAgain);
  $("again").addEventListener("click", sortAgain);
  $("only").addEventListener("click", () => {
    only = null;
    sortAgain();
  });
  $("scatter-view").addEventListener("change", plotScatter);
  $("confusion-run").addEventListener("change", drawConfusion);
  $("opacity").addEventListener("input", repaint);
  $("next").addEventListener("click", () => {
    state.shown = Math.max(state.shown, PAGE) + PAGE;
    repaint();
  });
  $("all").addEventListener("click", () => {
    state.shown = cards.size;
    repaint();
  });
  listenToStrip();
  for (const link of document.querySelectorAll("[data-jump]"))
    link.addEventListener("click", () => jump(/** @type {Section} */ (link.getAttribute("data-jump"))));
  window.addEventListener("hashchange", follow);
  document.addEventListener("keydown", (event) => {
    const inside = (/** @type {string} */ selector) =>
      event.target instanceof Element && event.target.closest(selector) !== null;
    if (event.altKey || event.ctrlKey || event.metaKey || inside("select, input:not([type=checkbox]), .scroll")) return;
    if (event.key === " " && !inside("button, summary, a, input")) {
      event.preventDefault();
      play(!state.timer);
    }
    if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      event.preventDefault();
      stepEpoch(event.key === "ArrowRight" ? 1 : -1);
    }
  });
}

function start() {
  document.title = `driftscope · ${data.title}`;
  $("title").textContent = data.title;
  $("epoch").max = String(Math.max(epochs.length - 1, 0));
  drawRuns();
  fillSelects();
  drawPicker();
  for (const id of ids) {
    const card = makeCard(id);
    cards.set(id, card);
    furnish(card);
  }
  drawLearning();
  redraw();
  listen();
  follow();
}

start();
