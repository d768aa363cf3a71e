// @ts-check
// What the model takes for what: the validation images by label and prediction at the slider's epoch, and the change since
// the epoch that it is compared with. A cell leads to the panel's images in it.

/** Runs that kept matrices. */
const confused = runs.filter((run) => run.epochs.some((each) => each.confusion));

/**
 * The counts of an epoch, row by row; undefined where the run kept none.
 *
 * @param {Run} run
 * @param {number | undefined} epoch
 * @returns {Float64Array | undefined}
 */
function confusionOf(run, epoch) {
  const record = epoch === undefined ? undefined : run.byEpoch.get(epoch),
    packed = record?.confusion;
  if (!packed) return undefined;
  const counts = new Float64Array(run.classes.length ** 2);
  for (let at = 0; at < packed.length; at += 2) counts[packed[at]] = packed[at + 1];
  return counts;
}

/**
 * Epochs of a run that have a matrix: the slider's, or the last before it, and the one that it is compared with.
 *
 * @param {Run} run
 */
function confusionEpochs(run) {
  const own = run.epochs.filter((each) => each.confusion).map((each) => each.epoch),
    now = own.findLast((epoch) => epoch <= state.epoch),
    choice = $("since").value;
  const before = now === undefined ? undefined : own[own.indexOf(now) - 1];
  const since =
    choice === "previous" ? before : choice === "first" ? own[0] : own.findLast((epoch) => epoch <= Number(choice));
  return { now, since: since === now ? undefined : since };
}

function drawConfusion() {
  $("confusion-tools").hidden = confused.length < 2;
  if (!confused.length) {
    $("confusion-note").textContent =
      "These runs hold no confusion matrices: they are of an older version, or have more classes than can be drawn.";
    $("confusion").replaceChildren();
    return;
  }
  const run = confused[Number($("confusion-run").value)] ?? confused[0],
    { now, since } = confusionEpochs(run),
    counts = confusionOf(run, now),
    earlier = confusionOf(run, since);
  if (now === undefined || !counts) {
    $("confusion-note").textContent = "No matrix at this epoch.";
    $("confusion").replaceChildren();
    return;
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  $("confusion-note").textContent =
    `All ${total} validation images${runs.length > 1 ? ` of ${run.label}` : ""} at epoch ${now}: a row for each class, a column for what was predicted. ` +
    "Blue: predicted right; red: taken for another class; the stronger, the greater its share of the row. " +
    "Of changes, blue are for the better and red for the worse. " +
    "Click a cell or a pair, or choose a cell with the arrow keys and press Enter, to see its images of the panel.";
  const change = earlier && counts.map((count, cell) => count - earlier[cell]);
  $("confusion").replaceChildren(
    confusionFigure(run, now, `Epoch ${now}`, counts, false),
    ...(change ? [confusionFigure(run, now, `Change since epoch ${since}`, change, true)] : []),
    confusedPairs(run, now, counts, change),
  );
}

/** Row and column of the cell that the keyboard points at. */
let confusedCell = /** @type {[number, number]} */ ([0, 0]);

/** Side of a cell, and so many classes have their counts written into the cells. */
const CELL = 26,
  WRITTEN = 20;

/**
 * @param {Run} run
 * @param {number} epoch
 * @param {string} title
 * @param {Float64Array} values counts, or changes of them
 * @param {boolean} change
 */
function confusionFigure(run, epoch, title, values, change) {
  const count = run.classes.length,
    written = count <= WRITTEN,
    side = written ? CELL : CELL / 2;
  const svg = drawing("svg", {
    viewBox: `0 0 ${count * side} ${count * side}`,
    class: "cells",
    tabindex: 0,
    role: "application",
    "aria-label": `Confusion, ${title}: arrow keys choose a class and what was predicted, Enter shows the panel’s images.`,
    "aria-describedby": "confusion-say",
  });
  const rows = Array.from({ length: count }, (_, row) => values.slice(row * count, (row + 1) * count));
  const most = Math.max(1, ...values.map(Math.abs));
  // One path a shade: a matrix of 47 classes has 2209 cells.
  /** @type {Map<string, string[]>} */
  const squares = new Map();
  for (const [row, cells] of rows.entries()) {
    const of = change ? most : cells.reduce((sum, value) => sum + value, 0) || 1;
    for (const [column, value] of cells.entries()) {
      // More on the diagonal and less beside it are good.
      const good = (row === column) === value > 0,
        shade = value === 0 ? "" : `${good ? 2 : 1}/${Math.ceil((8 * Math.abs(value)) / of)}`;
      const square = `M${column * side + 0.5} ${row * side + 0.5}h${side - 1}v${side - 1}h${1 - side}z`;
      squares.set(shade, [...(squares.get(shade) ?? []), square]);
    }
  }
  for (const [shade, paths] of squares) {
    const [series, eighths] = shade.split("/");
    const fill = shade ? `var(--series-${series})` : "var(--hover)",
      strength = shade ? 0.15 + (0.85 * Number(eighths)) / 8 : 1;
    svg.append(drawing("path", { d: paths.join(""), fill, "fill-opacity": strength }));
  }
  for (const [row, cells] of written ? rows.entries() : []) {
    const of = change ? most : cells.reduce((sum, value) => sum + value, 0) || 1;
    for (const [column, value] of cells.entries()) {
      if (!value) continue;
      const strong = Math.abs(value) / of > 0.5;
      const at = { x: (column + 0.5) * side, y: (row + 0.5) * side + 4, "text-anchor": "middle" };
      svg.append(drawing("text", { ...at, class: strong ? "strong" : "weak" }, signed(value, change)));
    }
  }
  const over = drawing("rect", { class: "over", width: side, height: side, visibility: "hidden" });
  svg.append(over);
  /** @type {(event: MouseEvent) => [number, number]} */
  const under = (event) => {
    const box = svg.getBoundingClientRect();
    const at = (/** @type {number} */ from, /** @type {number} */ length) =>
      Math.min(Math.max(Math.floor((from / length) * count), 0), count - 1);
    return [at(event.clientY - box.top, box.height), at(event.clientX - box.left, box.width)];
  };
  /** @type {(row: number, column: number, event?: PointerEvent) => void} */
  const pointAtCell = (row, column, event) => {
    over.setAttribute("x", String(column * side));
    over.setAttribute("y", String(row * side));
    over.setAttribute("visibility", "visible");
    const text = `${taken(run, row, column)}: ${signed(values[row * count + column], change)}`;
    if (!event) $("confusion-say").textContent = text;
    const box = svg.getBoundingClientRect();
    tip(
      event ?? {
        clientX: box.left + ((column + 1) / count) * box.width,
        clientY: box.top + ((row + 0.5) / count) * box.height,
      },
      text,
    );
  };
  const leave = () => {
    over.setAttribute("visibility", "hidden");
    tip();
  };
  svg.addEventListener("pointermove", (event) => pointAtCell(...under(event), event));
  svg.addEventListener("pointerleave", leave);
  svg.addEventListener("click", (event) => showCell(run, epoch, ...under(event)));
  /** @type {() => [number, number]} */
  const chosen = () => [Math.min(confusedCell[0], count - 1), Math.min(confusedCell[1], count - 1)];
  svg.addEventListener("focus", () => svg.matches(":focus-visible") && pointAtCell(...chosen()));
  svg.addEventListener("blur", leave);
  const choose = (/** @type {number} */ row, /** @type {number} */ column) => {
    confusedCell = [row, column];
    pointAtCell(row, column);
  };
  listenToKeys(svg, count, chosen, choose, (row, column) => showCell(run, epoch, row, column));
  const names = run.classes.map((name) => element("span", { title: name }, name));
  const figure = element(
    "figure",
    { class: written ? "confusion" : "confusion dense" },
    element("figcaption", {}, title),
    element(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
      element(
        "div",
        { class: "labelled" },
        element("div", { class: "columns", "aria-hidden": "true" }, ...names.map((name) => name.cloneNode(true))),
        element("div", { class: "rows", "aria-hidden": "true" }, ...names),
        svg,
      ),
    ),
  );
  figure.style.setProperty("--classes", String(count));
  const named = `Confusion, ${run.label}, ${title}`;
  figure.append(
    saveButtons(named, svg, () => [
      ["label", ...run.classes],
      ...rows.map((cells, row) => [run.classes[row], ...cells]),
    ]),
  );
  return figure;
}

/**
 * @param {number} value
 * @param {boolean} change
 */
const signed = (value, change) => (change && value > 0 ? `+${value}` : value < 0 ? `−${-value}` : String(value));

/**
 * @param {Run} run
 * @param {number} label
 * @param {number} predicted
 */
const taken = (run, label, predicted) =>
  label === predicted ? `${run.classes[label]}, right` : `${run.classes[label]} taken for ${run.classes[predicted]}`;

/**
 * The panel's images of a class that a run predicted as another, or as itself, at an epoch.
 *
 * @param {Run} run
 * @param {number} epoch
 * @param {number} label
 * @param {number} predicted
 */
function imagesIn(run, epoch, label, predicted) {
  const said = run.byEpoch.get(epoch)?.predictions?.predicted ?? [];
  return run.images.filter((image, at) => image.label === label && said[at] === predicted).map((image) => image.id);
}

/**
 * @param {Run} run
 * @param {number} epoch
 * @param {number} label
 * @param {number} predicted
 */
function showCell(run, epoch, label, predicted) {
  const name = runs.length > 1 ? `${run.label}, ` : "";
  showOnly(`${name}epoch ${epoch}: ${taken(run, label, predicted)}`, imagesIn(run, epoch, label, predicted));
}

/** So many pairs are listed, until all are asked for. */
const FIRST_PAIRS = 12;
let allPairs = false;

/**
 * The pairs that are confused most, in words: what of many classes no eye finds in the matrix.
 *
 * @param {Run} run
 * @param {number} epoch
 * @param {Float64Array} counts
 * @param {Float64Array | undefined} change
 */
function confusedPairs(run, epoch, counts, change) {
  const count = run.classes.length;
  const pairs = [...counts]
    .map((value, cell) => ({ value, cell, row: Math.floor(cell / count), column: cell % count }))
    .filter(({ value, row, column }) => value > 0 && row !== column)
    .sort((one, other) => other.value - one.value || one.cell - other.cell);
  const head = ["Class", "Taken for", "Images", ...(change ? ["Change"] : []), "In the panel"];
  const rows = pairs.slice(0, allPairs ? pairs.length : FIRST_PAIRS).map(({ value, cell, row, column }) => {
    const shown = imagesIn(run, epoch, row, column).length;
    const button = element("button", { type: "button", class: "plain" }, run.classes[row]);
    button.title = "Show the panel’s images in this cell";
    button.addEventListener("click", () => showCell(run, epoch, row, column));
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, button),
      element("td", { class: "word" }, element("span", {}, run.classes[column])),
      element("td", {}, String(value)),
      ...(change ? [element("td", {}, change[cell] ? signed(change[cell], true) : "0")] : []),
      element("td", {}, shown ? String(shown) : "–"),
    );
  });
  const more = element("button", { type: "button" }, allPairs ? "Show fewer" : `Show all ${pairs.length} pairs`);
  more.addEventListener("click", () => {
    allPairs = !allPairs;
    drawConfusion();
  });
  if (!rows.length) return element("p", { class: "note" }, "No image is taken for another class.");
  return element(
    "figure",
    { class: "pairs-most" },
    element("figcaption", {}, "Confused most"),
    element(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Confused most" },
      element(
        "table",
        {},
        element("caption", { class: "hidden" }, `Classes that are confused most at epoch ${epoch}`),
        element(
          "thead",
          {},
          element(
            "tr",
            {},
            ...head.map((name, at) => element("th", { scope: "col", class: at < 2 ? "word" : null }, name)),
          ),
        ),
        element("tbody", {}, ...rows),
      ),
    ),
    ...(pairs.length > FIRST_PAIRS ? [more] : []),
  );
}
