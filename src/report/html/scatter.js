// @ts-check
// A dot an image: how far its map moved, against how the probability of its true class changed. High in the middle: the
// same answer for other reasons.

/** What happened to a prediction, its name and the shape of its dots: told apart without colour. */
const FATES = /** @type {const} */ ([
  { name: "stays right", colour: "var(--series-2)", d: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z" },
  { name: "becomes right", colour: "var(--series-4)", d: "M0 -5l4.7 8.5h-9.4z" },
  { name: "becomes wrong", colour: "var(--series-1)", d: "M0 5l4.7 -8.5h-9.4z" },
  { name: "stays wrong", colour: "var(--series-6)", d: "M-3.8 -3.8h7.6v7.6h-7.6z" },
]);

const SCATTER = { width: 400, height: 290, left: 46, right: 26, top: 14, bottom: 40 };

/** The view whose images are dots. */
const scatterView = () =>
  shownViews().find((view) => String(view.index) === $("scatter-view").value) ?? shownViews()[0];

/**
 * The images of a view that have both numbers, at the slider's epoch against the one that it is compared with.
 *
 * @param {View} view
 */
function scatterDots(view) {
  const { run } = view,
    now = recordAt(view, state.epoch)?.epoch,
    since = referenceOf(view);
  const after = now === undefined ? null : run.byEpoch.get(now)?.predictions,
    before = since == null ? null : run.byEpoch.get(since)?.predictions;
  if (!after || !before) return { now, since, dots: [] };
  const dots = run.images.flatMap(({ id, label }, image) => {
    const moved = imageMoved(view, image);
    if (moved == null) return [];
    const was = before.predicted[image] === label,
      is = after.predicted[image] === label;
    return [
      {
        id,
        name: run.classes[label],
        moved,
        gained: after.probability_label[image] - before.probability_label[image],
        fate: FATES[was ? (is ? 0 : 2) : is ? 1 : 3],
      },
    ];
  });
  return { now, since, dots };
}

function drawScatter() {
  const offered = shownViews().filter((view) => view.matrix);
  $("scatter-part").hidden = !offered.length;
  if (!offered.length) return;
  const chosen = $("scatter-view").value;
  $("scatter-view").replaceChildren(...offered.map((view) => element("option", { value: view.index }, view.label)));
  if (offered.some((view) => String(view.index) === chosen)) $("scatter-view").value = chosen;
  $("scatter-tools").hidden = offered.length < 2;
  plotScatter();
}

function plotScatter() {
  const view = scatterView();
  if (!view || $("scatter-part").hidden) return;
  const { now, since, dots } = scatterDots(view);
  if (!dots.length) {
    $("scatter").replaceChildren(element("p", { class: "note" }, "Nothing to compare at this epoch."));
    return;
  }
  const { width, height, left, right, top, bottom } = SCATTER;
  const across = ticks(
    Math.min(...dots.map((dot) => dot.gained), -0.1),
    Math.max(...dots.map((dot) => dot.gained), 0.1),
  );
  const upwards = ticks(Math.min(...dots.map((dot) => dot.moved), 0), Math.max(...dots.map((dot) => dot.moved), 100));
  /** @type {(value: number, steps: number[], from: number, to: number) => number} */
  const between = (value, steps, from, to) =>
    from + ((value - steps[0]) / (steps[steps.length - 1] - steps[0])) * (to - from);
  const x = (/** @type {number} */ gained) => between(gained, across, left, width - right);
  const y = (/** @type {number} */ moved) => between(moved, upwards, height - bottom, top);
  const svg = drawing("svg", {
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "aria-label": `Moved against the change of the true class’s probability, a dot an image; the numbers are in the table below`,
    class: "scatter",
  });
  for (const step of across)
    svg.append(
      drawing("line", {
        class: step === 0 ? "grid zero" : "grid",
        x1: x(step),
        x2: x(step),
        y1: top,
        y2: height - bottom,
      }),
      drawing("text", { x: x(step), y: height - bottom + 16, "text-anchor": "middle" }, signedPercent(step)),
    );
  for (const step of upwards)
    svg.append(
      drawing("line", {
        class: step === 0 ? "grid zero" : "grid",
        x1: left,
        x2: width - right,
        y1: y(step),
        y2: y(step),
      }),
      drawing("text", { x: left - 7, y: y(step) + 4, "text-anchor": "end" }, signed(Math.round(step), false)),
    );
  svg.append(
    drawing(
      "text",
      { x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" },
      "change of the true class’s probability",
    ),
    drawing(
      "text",
      { x: -(top + height - bottom) / 2, y: 11, "text-anchor": "middle", transform: "rotate(-90)" },
      "moved",
    ),
  );
  for (const { id, name, moved, gained, fate } of dots) {
    const dot = drawing("path", {
      class: "dot",
      d: fate.d,
      fill: fate.colour,
      transform: `translate(${x(gained).toFixed(1)} ${y(moved).toFixed(1)})`,
      "data-id": id,
    });
    dot.addEventListener("pointermove", (event) =>
      tip(event, `${name}, ${id}: ${movedPhrase(moved)}, ${signedPercent(gained)}, ${fate.name}`),
    );
    dot.addEventListener("pointerleave", () => tip());
    svg.append(dot);
  }
  brush(
    svg,
    dots.map((dot) => ({ id: dot.id, x: x(dot.gained), y: y(dot.moved) })),
    `${view.label}, epoch ${since} to ${now}`,
  );
  const key = FATES.map(({ name, colour, d }) => {
    const sample = drawing("svg", { viewBox: "-6 -6 12 12", "aria-hidden": "true" });
    sample.append(drawing("path", { d, fill: colour }));
    const count = dots.filter((dot) => dot.fate.name === name).length;
    return element("li", {}, sample, element("span", {}, name), element("b", {}, String(count)));
  });
  const caption = element(
    "figcaption",
    {},
    element("span", {}, view.label),
    element("span", { class: "at" }, `epoch ${since} to ${now}`),
  );
  $("scatter").replaceChildren(
    element(
      "figure",
      { class: "chart" },
      caption,
      svg,
      element("ul", { class: "legend shapes" }, ...key),
      scatterTable(dots),
      saveButtons(`Moved and probability, ${view.label}, epoch ${since} to ${now}`, svg, () => [
        ["image", "class", "moved", "change of probability", "prediction"],
        ...dots.map(({ id, name, moved, gained, fate }) => [id, name, moved, Number(gained.toPrecision(5)), fate.name]),
      ]),
    ),
  );
}

/** @param {number} value */
const signedPercent = (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.round(100 * Math.abs(value))}\u00a0%`;

/**
 * A rectangle drawn over the dots chooses their images; a click on one opens it.
 *
 * @param {SVGSVGElement} svg
 * @param {{ id: string, x: number, y: number }[]} dots
 * @param {string} where
 */
function brush(svg, dots, where) {
  const rect = drawing("rect", { class: "brush", visibility: "hidden" });
  svg.append(rect);
  /** @type {[number, number] | null} */
  let from = null;
  /** @type {(event: PointerEvent) => [number, number]} */
  const at = (event) => {
    const box = svg.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width) * SCATTER.width,
      ((event.clientY - box.top) / box.height) * SCATTER.height,
    ];
  };
  svg.addEventListener("pointerdown", (event) => {
    from = at(event);
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = at(event);
    rect.setAttribute("x", String(Math.min(from[0], to[0])));
    rect.setAttribute("y", String(Math.min(from[1], to[1])));
    rect.setAttribute("width", String(Math.abs(from[0] - to[0])));
    rect.setAttribute("height", String(Math.abs(from[1] - to[1])));
    rect.setAttribute("visibility", "visible");
  });
  svg.addEventListener("pointercancel", () => {
    from = null;
    rect.setAttribute("visibility", "hidden");
  });
  svg.addEventListener("pointerup", (event) => {
    if (!from) return;
    const [x, y] = from,
      [toX, toY] = at(event);
    from = null;
    rect.setAttribute("visibility", "hidden");
    if (Math.hypot(toX - x, toY - y) < 5) {
      const near = dots
        .map((dot) => ({ id: dot.id, far: Math.hypot(dot.x - toX, dot.y - toY) }))
        .reduce((best, dot) => (dot.far < best.far ? dot : best));
      if (near.far < 9) openStrip(near.id);
      return;
    }
    const inside = (/** @type {number} */ value, /** @type {number} */ one, /** @type {number} */ other) =>
      value >= Math.min(one, other) && value <= Math.max(one, other);
    const ids = dots.filter((dot) => inside(dot.x, x, toX) && inside(dot.y, y, toY)).map((dot) => dot.id);
    if (ids.length) showOnly(`${where}: chosen among the dots`, ids);
  });
}

/** @param {ReturnType<typeof scatterDots>["dots"]} dots */
function scatterTable(dots) {
  const details = element("details", {}, element("summary", {}, "Numbers"));
  details.addEventListener("toggle", () => {
    if (!details.open || details.children.length > 1) return;
    const rows = [...dots]
      .sort((one, other) => other.moved - one.moved)
      .map(({ id, name, moved, gained, fate }) => {
        const open = element("button", { type: "button", class: "plain" }, name);
        open.addEventListener("click", () => openStrip(id));
        return element(
          "tr",
          {},
          element("th", { scope: "row" }, open),
          element("td", { title: movedFull(moved) }, movedShort(moved)),
          element("td", {}, signedPercent(gained)),
          element("td", { class: "word" }, element("span", {}, fate.name)),
        );
      });
    const heads = ["Image", "Moved", "Probability", "Prediction"].map((name) => element("th", { scope: "col" }, name));
    details.append(
      element(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": "Images, numbers" },
        element("table", {}, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows)),
      ),
    );
  });
  return details;
}
