// @ts-check
// One kind of chart: values by epoch, with bands, floors, a marker at the slider's epoch, and its numbers as a table.

const WIDTH = 380,
  HEIGHT = 196,
  LEFT = 40,
  RIGHT = 12,
  TOP = 12,
  BOTTOM = 30;
/**
 * Called whenever the epoch changes, by the section that owns the charts.
 *
 * @type {Map<Element, () => void>}
 */
const charts = new Map();

/** @param {number} epoch */
const across = (epoch) =>
  LEFT + (lastEpoch > epochs[0] ? (epoch - epochs[0]) / (lastEpoch - epochs[0]) : 0.5) * (WIDTH - LEFT - RIGHT);

/**
 * Round numbers that cover a range in about four steps.
 *
 * @param {number} least
 * @param {number} greatest
 */
function ticks(least, greatest) {
  const rough = (greatest - least) / 4 || 1,
    power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5].find((each) => each * power >= rough * 0.999) ?? 10);
  const from = Math.floor(least / step + 1e-9),
    to = Math.ceil(greatest / step - 1e-9);
  return Array.from({ length: to - from + 1 }, (_, index) => (from + index) * step);
}

/** At most nine of the epochs, evenly, the first among them. */
function epochTicks() {
  const every = Math.max(1, Math.ceil(epochs.length / 9));
  return epochs.filter((_, index) => index % every === 0);
}

/**
 * A chart of curves by epoch, with a legend and the numbers as a table.
 *
 * @param {string} title
 * @param {Curve[]} series
 * @param {ChartOptions} options
 */
function chart(title, series, { range, notes = [], format = short, ends = format, shade, flat = -Infinity } = {}) {
  /** @type {Series[]} */
  const drawn = series
    .map((each) => ({
      ...each,
      points: each.points.flatMap(({ value, ...at }) => (value == null ? [] : [{ ...at, value }])),
    }))
    .filter((each) => each.points.length);
  if (!drawn.length)
    return element(
      "figure",
      { class: "chart empty" },
      element("figcaption", {}, title),
      element("p", { class: "note" }, "No figures at these settings."),
    );
  const values = drawn
    .flatMap((each) =>
      each.points.flatMap((point) => [point.value, point.low ?? point.value, point.high ?? point.value]),
    )
    .map((value) => Math.max(value, flat));
  const steps = ticks(Math.min(...values, range?.[0] ?? Infinity), Math.max(...values, range?.[1] ?? -Infinity));
  const least = steps[0],
    greatest = steps[steps.length - 1];
  /** @type {(value: number) => number} */
  const down = (value) =>
    HEIGHT - BOTTOM - ((Math.max(value, flat) - least) / (greatest - least || 1)) * (HEIGHT - TOP - BOTTOM);
  const svg = drawing("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: "img",
    "aria-label": `${title}, by epoch; the numbers are in the table below`,
  });
  if (shade) drawShade(svg, shade, down);
  drawAxes(svg, steps, down);
  for (const each of drawn) drawBand(svg, each, down);
  for (const each of drawn) drawLine(svg, each, down);
  for (const note of notes) drawNote(svg, note);
  const marker = drawing("line", { class: "now", y1: TOP - 4, y2: HEIGHT - BOTTOM });
  const pointer = drawing("line", { class: "pointer", y1: TOP - 4, y2: HEIGHT - BOTTOM });
  svg.append(pointer, marker);
  const { key, show } = legend(drawn, format, ends, notes);
  const at = element("span", { class: "at" });
  const made = element(
    "figure",
    { class: "chart" },
    element("figcaption", {}, element("span", {}, title), at),
    svg,
    key,
    tableOf(title, drawn, format, ends),
    saveButtons(title, svg, () => seriesRows(drawn)),
  );
  /** @type {(epoch: number, hovering: boolean) => void} */
  const say = (epoch, hovering) => {
    at.textContent = `epoch ${epoch}`;
    for (const axis of ["x1", "x2"]) pointer.setAttribute(axis, String(across(epoch)));
    pointer.classList.toggle("on", hovering && epoch !== state.epoch);
    show(epoch);
  };
  svg.addEventListener("click", (event) => setEpoch(epochUnder(svg, event)));
  svg.addEventListener("pointermove", (event) => say(epochUnder(svg, event), true));
  svg.addEventListener("pointerleave", () => say(state.epoch, false));
  const update = () => {
    for (const axis of ["x1", "x2"]) marker.setAttribute(axis, String(across(state.epoch)));
    say(state.epoch, false);
  };
  charts.set(made, update);
  update();
  return made;
}

/**
 * Replaces what a section shows; its former charts no longer follow the slider.
 *
 * @param {HTMLElement} section
 * @param {Child[]} children
 */
function fill(section, ...children) {
  for (const old of section.querySelectorAll("figure")) charts.delete(old);
  section.replaceChildren(...children);
}

/**
 * @param {SVGElement} svg
 * @param {MouseEvent} event
 */
function epochUnder(svg, event) {
  const box = svg.getBoundingClientRect(),
    x = ((event.clientX - box.left) / box.width) * WIDTH;
  return epochs.reduce((best, epoch) => (Math.abs(across(epoch) - x) < Math.abs(across(best) - x) ? epoch : best));
}

/**
 * @param {SVGElement} svg
 * @param {number[]} steps
 * @param {(value: number) => number} down
 */
function drawAxes(svg, steps, down) {
  const digits = Math.max(0, ...steps.map((step) => (String(+step.toFixed(6)).split(".")[1] ?? "").length));
  for (const step of steps) {
    svg.append(
      drawing("line", {
        class: step === 0 ? "grid zero" : "grid",
        x1: LEFT,
        x2: WIDTH - RIGHT,
        y1: down(step),
        y2: down(step),
      }),
    );
    svg.append(drawing("text", { x: LEFT - 7, y: down(step) + 4, "text-anchor": "end" }, step.toFixed(digits)));
  }
  for (const epoch of epochTicks())
    svg.append(drawing("text", { x: across(epoch), y: HEIGHT - BOTTOM + 17, "text-anchor": "middle" }, String(epoch)));
}

/**
 * The band of values that mean noise, and everything below it.
 *
 * @param {SVGElement} svg
 * @param {number} shade
 * @param {(value: number) => number} down
 */
function drawShade(svg, shade, down) {
  const y = down(shade);
  svg.append(drawing("rect", { class: "shade", x: LEFT, y, width: WIDTH - LEFT - RIGHT, height: HEIGHT - BOTTOM - y }));
}

/**
 * @param {Point[]} points
 * @param {(value: number) => number} down
 * @param {(point: Point) => number} [of]
 */
const place = (points, down, of = (point) => point.value) =>
  points.map((point) => `${across(point.epoch).toFixed(1)} ${down(of(point)).toFixed(1)}`);

/**
 * @param {SVGElement} svg
 * @param {Series} series
 * @param {(value: number) => number} down
 */
function drawBand(svg, { points, colour }, down) {
  const known = points.filter((point) => point.low != null && point.high != null);
  if (known.length === 0) return;
  const upper = place(known, down, ({ value, high = value }) => high),
    lower = place(known, down, ({ value, low = value }) => low);
  const d = `M${[...upper, ...lower.reverse()].join("L")}Z`;
  svg.append(drawing("path", { class: "band", fill: colour, d }));
}

/**
 * @param {SVGElement} svg
 * @param {Series} series
 * @param {(value: number) => number} down
 */
function drawLine(svg, { points, colour, style = "" }, down) {
  svg.append(drawing("path", { class: `line ${style}`, stroke: colour, d: `M${place(points, down).join("L")}` }));
  // One epoch alone is no line, whatever its style.
  if (style && points.length > 1) return;
  for (const { epoch, value } of points)
    svg.append(drawing("circle", { cx: across(epoch), cy: down(value), r: 2.8, fill: colour }));
}

/**
 * A triangle on the axis under an epoch that has something to say.
 *
 * @param {SVGElement} svg
 * @param {Note} note
 */
function drawNote(svg, { epoch, colour }) {
  const x = across(epoch),
    y = HEIGHT - BOTTOM;
  svg.append(drawing("path", { class: "mark", fill: colour, d: `M${x} ${y - 1}l-5 -8h10z` }));
}

/**
 * The lines' key; beside each line its value at an epoch.
 *
 * @param {Series[]} series
 * @param {Format} format
 * @param {Format} ends
 * @param {Note[]} notes
 */
function legend(series, format, ends, notes) {
  const items = series.map((each) => {
    const sample = drawing("svg", { viewBox: "0 0 26 8", "aria-hidden": "true" });
    sample.append(drawing("path", { class: `line ${each.style ?? ""}`, stroke: each.colour, d: "M0 4L26 4" }));
    const value = element("b", {});
    return { each, value, item: element("li", {}, sample, element("span", {}, each.name), value) };
  });
  const marks = notes.map((note) => {
    const sample = drawing("svg", { viewBox: "0 0 26 8", "aria-hidden": "true" });
    sample.append(drawing("path", { fill: note.colour, d: "M13 8l-5 -8h10z" }));
    return element("li", {}, sample, element("span", {}, note.text));
  });
  /** @type {(epoch: number) => void} */
  const show = (epoch) => {
    for (const { each, value } of items) {
      const point = each.points.find((one) => one.epoch === epoch);
      const interval = point?.low != null && point.high != null ? ` [${ends(point.low)}, ${ends(point.high)}]` : "";
      value.textContent = format(point?.value) + interval;
    }
  };
  return { key: element("ul", { class: "legend" }, ...items.map((each) => each.item), ...marks), show };
}

/**
 * The same numbers for who reads tables.
 *
 * @param {string} title
 * @param {Series[]} series
 * @param {Format} format
 * @param {Format} ends
 */
function tableOf(title, series, format, ends) {
  const known = epochs.filter((epoch) => series.some((each) => each.points.some((point) => point.epoch === epoch)));
  /** @type {(each: Series, epoch: number) => string} */
  const cell = (each, epoch) => {
    const point = each.points.find((one) => one.epoch === epoch);
    return (
      format(point?.value) +
      (point?.low != null && point.high != null ? ` [${ends(point.low)}, ${ends(point.high)}]` : "")
    );
  };
  const details = element("details", {}, element("summary", {}, "Numbers"));
  // Tables that nobody opens are not built.
  details.addEventListener("toggle", () => {
    if (!details.open || details.children.length > 1) return;
    const head = element(
      "tr",
      {},
      element("th", { scope: "col" }, "epoch"),
      ...series.map((each) => element("th", { scope: "col" }, each.name)),
    );
    const rows = known.map((epoch) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, String(epoch)),
        ...series.map((each) => element("td", {}, cell(each, epoch))),
      ),
    );
    details.append(
      element(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": `${title}, numbers` },
        element(
          "table",
          {},
          element("caption", { class: "hidden" }, `${title}, by epoch`),
          element("thead", {}, head),
          element("tbody", {}, ...rows),
        ),
      ),
    );
  });
  return details;
}
