// @ts-check
// Every epoch against every other, of each method: blocks of one flat colour are times when the evidence stood still.

/**
 * The colour of a pair that moved: from just outside the margin to another image's map.
 *
 * @param {number} share in [0, 1]
 */
function movedColour(share) {
  const at = 3 * Math.round(255 * (MOVED_FROM + (MOVED_TO - MOVED_FROM) * share));
  return `rgb(${[...RAMPS.inferno.slice(at, at + 3)].join(" ")})`;
}
/** Where on inferno the least and the greatest are. */
const MOVED_FROM = 0.9,
  MOVED_TO = 0.2;
/** Colours between the margin and 100. */
const STEPS = 19;

/**
 * Which of the colours a pair has: 0 within the margin, 1 to STEPS above it, -1 where nothing can be said.
 *
 * @param {number | null} moved
 * @param {number} margin
 */
function stepOf(moved, margin) {
  if (moved == null) return -1;
  return moved <= margin ? 0 : 1 + Math.min(Math.floor((STEPS * (moved - margin)) / (100 - margin)), STEPS - 1);
}

/** @param {number} step */
const stepColour = (step) =>
  step < 0 ? "var(--unmeasured)" : step === 0 ? "var(--still)" : movedColour((step - 1) / (STEPS - 1));

/**
 * How far a pair moved, with its interval.
 *
 * @param {Pair} pair
 */
function pairMoved({ moved, low, high, why }) {
  if (moved == null) return `not measurable${why ? `: ${why}` : ""}`;
  const bounds = low == null || high == null ? "" : ` [${Math.round(low)}, ${Math.round(high)}]`;
  return `${Math.round(moved) <= 0 ? "" : "moved "}${movedFull(moved)}${bounds}`;
}

/**
 * A pair in words.
 *
 * @param {View} view
 * @param {Pair | undefined} pair
 */
function pairText(view, pair) {
  if (!pair || !view.matrix) return "";
  const label = data.measures.find((each) => each.name === view.matrix?.measure)?.label ?? view.matrix.measure;
  const within = pair.still && pair.moved != null && pair.moved > 0 ? ", within the margin" : "";
  const images = pair.imagesMoved == null ? "" : ` ${pair.imagesMoved} of ${pair.defined} images moved.`;
  const seed = pair.seedFloor == null ? "" : `, seed floor ${short(pair.seedFloor)}`;
  return (
    `Epoch ${pair.reference} to ${pair.epoch}: ${pairMoved(pair)}${within}. ` +
    `${label} ${short(pair.value)}, noise floor ${short(pair.floor)}${seed}, chance ${short(pair.chance)}.${images}`
  );
}

/**
 * When a view settled, in few words.
 *
 * @param {View} view
 * @param {"noise" | "seed"} floor
 */
function settledText(view, floor = "noise") {
  const settled = view.matrix?.settled[floor];
  if (!settled) return "";
  const [low, high] = settled.interval ?? [];
  const end = (/** @type {number | null | undefined} */ epoch) => (epoch == null ? "not yet" : String(epoch));
  const range = settled.interval && low !== high ? ` [${end(low)}, ${end(high)}]` : "";
  return settled.epoch == null ? "not settled yet" : `settled at epoch ${settled.epoch}${range}`;
}

/** Where the cell is that the keyboard points at, by view. */
const pointed = new Map();

function drawMatrices() {
  const shown = shownViews().filter((view) => view.matrix && view.matrix.epochs.length > 1);
  // What explains a class comes first, and before it what the sentences are about; of seeds, the same method side by side.
  const lead = runs.map(leadOf),
    seeds = areSeeds();
  const place = (/** @type {View} */ view) => (lead.includes(view) ? 0 : view.method.class_specific ? 1 : 2);
  const order = (/** @type {View} */ view) => (seeds ? 0 : view.run.index);
  shown.sort(
    (one, other) =>
      order(one) - order(other) ||
      place(one) - place(other) ||
      (seeds ? one.title.localeCompare(other.title) : 0) ||
      one.index - other.index,
  );
  $("hero").hidden = !shown.length;
  $("answer-part").dataset.count = String(shown.length);
  $("matrices").replaceChildren(...shown.map(matrixFigure));
  $("matrix-key").replaceChildren(...matrixKey(shown));
  $("matrix-tables").hidden = !shown.length;
  $("matrix-tables").replaceChildren($("matrix-tables").children[0]);
  markMatrices();
}

/** @param {View} view */
function matrixFigure(view) {
  const { epochs: own, moved, margin, phases, settled } = /** @type {Matrix} */ (view.matrix),
    count = own.length;
  const svg = drawing("svg", { viewBox: `0 0 ${count} ${count}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  /** @type {Map<number, string[]>} */
  const cells = new Map();
  const gap = count > 40 ? 0 : 0.03,
    side = (1 - 2 * gap).toFixed(2);
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < count; column++) {
      const step = row === column ? 0 : stepOf(moved[Math.max(row, column)][Math.min(row, column)], margin);
      const squares = cells.get(step) ?? [];
      squares.push(`M${column + gap} ${row + gap}h${side}v${side}h-${side}z`);
      cells.set(step, squares);
    }
  }
  for (const [step, squares] of cells)
    svg.append(drawing("path", { d: squares.join(""), fill: stepColour(step), "data-step": step }));
  for (const [from, to] of phases) svg.append(outline(own.indexOf(from), own.indexOf(to), "phase"));
  const start = settled.noise?.epoch;
  if (start != null) svg.append(outline(own.indexOf(start), count - 1, "settled"));
  svg.append(
    drawing("rect", { class: "at", width: 1, height: 1 }),
    drawing("rect", { class: "over", width: 1, height: 1 }),
  );
  const grid = element(
    "div",
    {
      class: "grid",
      tabindex: "0",
      role: "application",
      "aria-label": `${view.label}, every epoch against every other: ${settledText(view)}. Arrow keys choose two epochs, Enter goes there.`,
      "aria-describedby": "matrix-say",
      "data-view": view.index,
    },
    svg,
  );
  listenToGrid(grid, view);
  const title = element(
    "figcaption",
    {},
    element("b", {}, swatch(view.colour), view.label),
    element("span", { class: "soft" }, settledText(view)),
  );
  return element("figure", { class: "matrix" }, title, axis(own, "down"), grid, axis(own, "across"));
}

/**
 * @param {number} from
 * @param {number} to
 * @param {string} name
 */
const outline = (from, to, name) =>
  drawing("rect", { class: name, x: from, y: from, width: to - from + 1, height: to - from + 1 });

/**
 * The epochs along a side of a matrix, as many as there is room for.
 *
 * @param {number[]} own
 * @param {"down" | "across"} way
 */
function axis(own, way) {
  const every = Math.ceil(own.length / 9);
  const names = own.flatMap((epoch, at) => {
    if (at % every) return [];
    const name = element("span", {}, String(epoch));
    name.style.setProperty("--at", `${((at + 0.5) / own.length) * 100}%`);
    return [name];
  });
  return element("div", { class: `axis ${way}`, "aria-hidden": "true" }, ...names);
}

/**
 * Lets the arrow keys choose a cell of a square grid, and Enter and space take it.
 *
 * @param {HTMLElement | SVGElement} grid
 * @param {number} count cells along a side
 * @param {() => [number, number]} chosen row and column
 * @param {(row: number, column: number) => void} choose
 * @param {(row: number, column: number) => void} take
 */
function listenToKeys(grid, count, chosen, choose, take) {
  const clamp = (/** @type {number} */ at) => Math.min(Math.max(at, 0), count - 1);
  grid.addEventListener("keydown", (given) => {
    const event = /** @type {KeyboardEvent} */ (given),
      [row, column] = chosen();
    /** @type {{ [key: string]: [number, number] }} */
    const steps = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      Home: [row, 0],
      End: [row, count - 1],
    };
    const next = steps[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (next) choose(clamp(next[0]), clamp(next[1]));
    else if (event.key === "Enter" || event.key === " ") take(row, column);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

/**
 * @param {HTMLElement} grid
 * @param {View} view
 */
function listenToGrid(grid, view) {
  const own = /** @type {Matrix} */ (view.matrix).epochs,
    count = own.length;
  const clamp = (/** @type {number} */ at) => Math.min(Math.max(at, 0), count - 1);
  /** @type {(event: MouseEvent) => [number, number]} */
  const under = (event) => {
    const box = grid.getBoundingClientRect();
    return [
      clamp(Math.floor(((event.clientY - box.top) / box.height) * count)),
      clamp(Math.floor(((event.clientX - box.left) / box.width) * count)),
    ];
  };
  grid.addEventListener("pointermove", (event) => pointAt(grid, view, under(event), event));
  grid.addEventListener("pointerleave", () => pointAt(grid, view));
  grid.addEventListener("click", (event) => goTo(view, ...under(event)));
  grid.addEventListener("focus", () => grid.matches(":focus-visible") && pointAt(grid, view, cellOf(view)));
  grid.addEventListener("blur", () => pointAt(grid, view));
  const choose = (/** @type {number} */ row, /** @type {number} */ column) => {
    pointed.set(view, [row, column]);
    pointAt(grid, view, [row, column]);
  };
  const take = (/** @type {number} */ row, /** @type {number} */ column) => {
    goTo(view, row, column);
    pointAt(grid, view, [row, column]);
  };
  listenToKeys(grid, count, () => cellOf(view), choose, take);
}

/**
 * The cell that the keyboard points at; at first that of the two epochs which the page shows.
 *
 * @param {View} view
 * @returns {[number, number]}
 */
function cellOf(view) {
  const pair = pairNow(view),
    last = /** @type {Matrix} */ (view.matrix).epochs.length - 1;
  return pointed.get(view) ?? (pair ? [pair.row, pair.column] : [last, last - 1]);
}

/**
 * Says what a cell stands for, beside it; without one, nothing.
 *
 * @param {HTMLElement} grid
 * @param {View} view
 * @param {[number, number]} [cell]
 * @param {PointerEvent} [event]
 */
function pointAt(grid, view, cell, event) {
  const over = grid.querySelector(".over"),
    own = /** @type {Matrix} */ (view.matrix).epochs;
  over?.classList.toggle("on", cell !== undefined);
  if (!cell) return tip();
  const [row, column] = cell;
  over?.setAttribute("x", String(column));
  over?.setAttribute("y", String(row));
  const text = row === column ? `Epoch ${own[row]} with itself.` : pairText(view, pairOf(view, own[row], own[column]));
  if (!event) $("matrix-say").textContent = text;
  const box = grid.getBoundingClientRect();
  tip(
    event ?? {
      clientX: box.left + ((column + 1) / own.length) * box.width,
      clientY: box.top + ((row + 0.5) / own.length) * box.height,
    },
    text,
  );
}

/**
 * Moves the slider to the later of two epochs, and compares with the earlier.
 *
 * @param {View} view
 * @param {number} row
 * @param {number} column
 */
function goTo(view, row, column) {
  const own = /** @type {Matrix} */ (view.matrix).epochs;
  pointed.set(view, [row, column]);
  state.focus = view;
  if (row !== column) chooseSince(own[Math.min(row, column)]);
  setEpoch(own[Math.max(row, column)]);
  compare();
  drawSpark();
}

/** Marks in every matrix the pair that the page shows. */
function markMatrices() {
  for (const grid of $("matrices").querySelectorAll(".grid")) {
    const view = views[Number(grid.getAttribute("data-view"))],
      pair = pairNow(view),
      mark = grid.querySelector(".at");
    mark?.classList.toggle("on", pair !== undefined);
    if (pair) {
      mark?.setAttribute("x", String(pair.column));
      mark?.setAttribute("y", String(pair.row));
    }
    grid.closest("figure")?.classList.toggle("chosen", view === focused());
  }
}

/**
 * What the colours and outlines mean.
 *
 * @param {View[]} shown
 */
function matrixKey(shown) {
  // A run may have a margin of its own.
  const margins = new Set(shown.flatMap((view) => view.matrix?.margin ?? [])),
    margin = [...margins].join(" or ");
  const ramp = element("i", { class: "ramp" });
  const stops = Array.from({ length: 8 }, (_, at) => movedColour(at / 7));
  ramp.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  const some = shown.some((view) => view.matrix?.moved.some((row) => row.some((moved) => moved == null)));
  return [
    element("span", { class: "axes" }, "Rows and columns: epochs."),
    element("span", {}, element("i", { class: "still" }), `still (at most ${margin})`),
    element("span", {}, `${margin} `, ramp, " 100"),
    element("span", {}, MOVED_SCALE),
    ...(some ? [element("span", {}, element("i", { class: "unmeasured" }), "not measurable")] : []),
    element("span", {}, element("i", { class: "box" }), "settled"),
    element("span", {}, element("i", { class: "box phase" }), "phase"),
    element("span", {}, element("i", { class: "box at" }), "shown"),
  ];
}

/** The matrices as tables, built when they are opened. */
function drawMatrixTables() {
  const details = $("matrix-tables");
  if (!(/** @type {HTMLDetailsElement} */ (details).open) || details.children.length > 1) return;
  for (const view of shownViews()) {
    if (!view.matrix) continue;
    const own = view.matrix.epochs;
    const rows = own.slice(1).map((epoch) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, String(epoch)),
        ...own.slice(0, -1).map((reference) => {
          const pair = reference < epoch ? pairOf(view, epoch, reference) : undefined;
          return element("td", {}, pair ? movedShort(pair.moved) : "");
        }),
      ),
    );
    const head = own.slice(0, -1).map((epoch) => element("th", { scope: "col" }, String(epoch)));
    details.append(
      element(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": `${view.label}, moved` },
        element(
          "table",
          {},
          element("caption", {}, `${view.label}: moved from the epoch above to the epoch at the left`),
          element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "epoch"), ...head)),
          element("tbody", {}, ...rows),
        ),
      ),
    );
  }
}
