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
  markMatrices();
  paintMost();
  repaint();
  drawClasses();
  drawOutcomes();
  drawAgreement();
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

/** Everything that depends on which views are on, or on the numbers that are shown. */
function redraw() {
  drawMatrices();
  drawMatrixTables();
  drawSpark();
  drawSummary();
  drawPaths();
  drawSpread();
  compare();
}

/** Everything that depends on the epoch that is compared with. */
function compare() {
  drawDrift();
  drawAgreement();
  drawLayers();
  drawClasses();
  drawOutcomes();
  drawScatter();
  drawConfusion();
  if ($("strip").open && stripImage !== null) openStrip(stripImage);
  markMatrices();
  chooseMost();
  sortAgain();
  drawSections();
}

/** @param {boolean} on */
function play(on) {
  clearInterval(state.timer);
  if (on && state.epoch === lastEpoch) setEpoch(epochs[0]);
  state.timer = on
    ? setInterval(
        () => {
          if (state.epoch === lastEpoch) setEpoch(epochs[0]);
          else stepEpoch(1);
          if (state.epoch === lastEpoch && !$("loop").checked) play(false);
        },
        Number($("speed").value),
      )
    : undefined;
  $("play").textContent = on ? "Pause" : "Play";
  $("play").setAttribute("aria-pressed", String(on));
  // Someone who listens is not told every epoch while they fly by.
  $("epoch-text").setAttribute("aria-live", on ? "off" : "polite");
}

/**
 * Scrolls to a section without touching the link in the address bar.
 *
 * @param {Element} section
 */
function jump(section) {
  section.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  const heading = section.querySelector("h2");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus({ preventScroll: true });
}

function fillSelects() {
  /** @type {(value: string | number, text: string) => HTMLOptionElement} */
  const option = (value, text) => element("option", { value }, text);
  const numbered = epochs.map((epoch) => option(epoch, `epoch ${epoch}`));
  const measured = new Set(runs.flatMap((run) => run.drift.map((row) => row.measure)));
  const found = data.measures.filter((each) => measured.has(each.name)),
    offered = found.length ? found : data.measures;
  $("measure").append(
    ...(views.some((view) => view.matrix) ? [option(MOVED, `moved: ${MOVED_SCALE}`)] : []),
    ...offered.map((each) => option(each.name, each.label)),
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
  $("confusion-run").append(...confused.map((run, at) => option(at, run.label)));
  $("colours").append(
    option("auto", "two hues for signed maps"),
    ...data.colours.map((each) => option(each.name, each.signed ? "blue to red, signed" : each.name)),
  );
  $("since").append(option("previous", "the epoch before"), option("first", "the first epoch"), ...numbered);
  // At the last epoch, how far the evidence came says more than the last step.
  $("since").value = "first";
}

/** Light or dark, whatever the system says. */
function dress() {
  document.documentElement.dataset.theme = $("theme").value;
}

function listen() {
  $("epoch").addEventListener("input", () => setEpoch(epochs[Number($("epoch").value)]));
  $("play").addEventListener("click", () => play(!state.timer));
  $("back").addEventListener("click", () => stepEpoch(-1));
  $("forward").addEventListener("click", () => stepEpoch(1));
  $("measure").addEventListener("change", redraw);
  $("since").addEventListener("change", compare);
  for (const select of [$("colours"), $("scale"), $("mode")]) select.addEventListener("change", repaint);
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
  $("matrix-tables").addEventListener("toggle", drawMatrixTables);
  $("theme").addEventListener("change", dress);
  window.addEventListener("hashchange", follow);
  window.addEventListener("beforeprint", beforePrint);
  window.addEventListener("afterprint", afterPrint);
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
  drawAnswers();
  fillSelects();
  drawPicker();
  for (const id of ids) {
    const card = makeCard(id);
    cards.set(id, card);
    furnish(card);
  }
  drawLearning();
  for (const id of ADDRESSED) defaults.set(id, $(id).value);
  listen();
  follow();
  watch();
}

start();
