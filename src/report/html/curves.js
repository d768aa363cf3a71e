// @ts-check
// The charts: drift against its floors, learning, and what else is known about the maps.

/**
 * @param {number} epoch
 * @param {number | null | undefined} value
 * @param {Interval} [bounds]
 * @returns {MaybePoint}
 */
const point = (epoch, value, bounds) => ({ epoch, value, low: bounds?.[0], high: bounds?.[1] });
/**
 * @template {{ epoch: number, interval?: Interval }} Row
 * @param {string} name
 * @param {string} colour
 * @param {Row[]} rows
 * @param {(row: Row) => number | null} of
 * @param {LineStyle} [style] a curve without one has the rows' intervals
 * @returns {Curve}
 */
const curve = (name, colour, rows, of, style = "") => ({
  name,
  colour,
  style,
  points: rows.map((row) => point(row.epoch, of(row), style === "" ? row.interval : null)),
});

function drawLearning() {
  /** @type {(key: "accuracy" | "loss") => Curve[]} */
  const of = (key) =>
    runs.flatMap((run) => [
      curve(`${run.label}, validation`, run.colour, run.epochs, (epoch) => epoch[`val_${key}`]),
      curve(`${run.label}, training`, run.colour, run.epochs, (epoch) => epoch[`train_${key}`], "second"),
    ]);
  fill(
    $("learning"),
    chart("Accuracy", of("accuracy"), { range: [0, 1] }),
    chart("Loss (nats)", of("loss"), { range: [0, 0] }),
  );
}

/**
 * The axis of a measure: all of a range from 0, and of one that goes below only what is needed.
 *
 * @returns {[number, number]}
 */
const measureRange = () => [0, measure().range[1] ?? 0];

/**
 * How far up its measure's range a value lies, from 0 where that goes below; null where the range has no end.
 *
 * @param {number} value
 * @returns {number | null}
 */
function shareOf(value) {
  const [lowest, greatest] = measure().range,
    least = Math.max(lowest ?? 0, 0);
  return greatest == null ? null : (value - least) / (greatest - least);
}

function drawDrift() {
  const made = shownViews().map((view) => {
    const rows = epochs.flatMap((epoch) => estimate(view, epoch) ?? []);
    const notes = rowsOf(view, "stabilisation").flatMap(({ epoch, against_floor: floor }) =>
      epoch == null ? [] : [{ epoch, colour: view.colour, text: `settled within its ${floor} floor: epoch ${epoch}` }],
    );
    return chart(
      view.label,
      [
        curve(measure().label, view.colour, rows, (row) => row.value),
        curve("noise floor", view.colour, rows, (row) => row.floor, "floor"),
        curve("seed floor", view.colour, rows, (row) => row.seed_floor, "seed"),
        curve("chance", "var(--soft)", rows, (row) => row.chance, "chance"),
      ],
      { range: measureRange(), notes: against() === "previous" ? notes : [] },
    );
  });
  fill($("drift"), ...made);
}

function drawPaths() {
  const found = shownViews()
    .map((view) => ({ view, rows: rowsOf(view, "paths") }))
    .filter(({ rows }) => rows.length);
  $("paths-part").hidden = !found.length;
  fill(
    $("paths"),
    ...found.map(({ view, rows }) =>
      chart(
        view.label,
        [
          curve("total drift", view.colour, rows, (row) => row.path),
          curve("net drift", view.colour, rows, (row) => row.net, "second"),
        ],
        { range: [0, 0] },
      ),
    ),
  );
}

/** One chart a descriptor, one line a view, so that models and methods compare. */
function drawSpread() {
  const found = shownViews().map((view) => ({
    view,
    rows: rowsOf(view, "spread").filter((row) => row.layer == null),
  }));
  const names = [...new Set(found.flatMap(({ rows }) => rows.map((row) => row.descriptor)))];
  $("spread-part").hidden = !names.length;
  fill(
    $("spread"),
    ...names.map((name) =>
      chart(
        capital(spaced(name)),
        found.map(({ view, rows }) =>
          curve(
            view.label,
            view.colour,
            rows.filter((row) => row.descriptor === name),
            (row) => row.value,
          ),
        ),
      ),
    ),
  );
}

function drawAgreement() {
  const made = runs.flatMap((run) => {
    const rows = run.agreement.filter((row) => row.measure === measure().name && row.against === against());
    const pairs = [...new Set(rows.map((row) => keyOf(row.one, row.other)))];
    if (!pairs.length) return [];
    /** @type {(method: string) => string} */
    const name = (method) =>
      views.find((view) => view.run === run && `${view.method.explainer}/${view.method.target}` === method)?.title ??
      method;
    return [
      chart(
        run.label,
        pairs.map((pair, index) => {
          const own = rows.filter((row) => keyOf(row.one, row.other) === pair);
          const title = `${name(own[0].one)} and ${name(own[0].other)}`;
          return curve(title, `var(--series-${(index % 6) + 1})`, own, (row) => row.value);
        }),
        { range: [-1, 1] },
      ),
    ];
  });
  $("agreement-part").hidden = !made.length;
  fill($("agreement"), ...made);
}

/** Layers by heads at the slider's epoch, each cell in the colour of its similarity or divergence. */
function drawLayers() {
  const made = shownViews().flatMap((view) => {
    const epoch = recordAt(view, state.epoch)?.epoch;
    const all = view.run.layers.filter(
      (row) => row.explainer === view.method.explainer && row.measure === measure().name && row.against === against(),
    );
    const known = all.filter((row) => epoch !== undefined && row.epoch <= epoch),
      latest = Math.max(...known.map((row) => row.epoch));
    const rows = known.filter((row) => row.epoch === latest);
    if (
      !all.length ||
      (view.method.class_specific &&
        views.some(
          (other) =>
            other.on &&
            other.index < view.index &&
            other.run === view.run &&
            other.method.explainer === view.method.explainer,
        ))
    )
      return [];
    return [
      element(
        "div",
        { class: "grid-table" },
        element("h3", {}, view.label),
        rows.length ? layerTable(view, rows, latest) : element("p", { class: "note" }, "No figures before this epoch."),
      ),
    ];
  });
  $("layers-part").hidden = !made.length;
  $("layers").replaceChildren(...made);
}

/**
 * @param {View} view
 * @param {LayerRow[]} rows
 * @param {number} epoch
 */
function layerTable(view, rows, epoch) {
  const layers = [...new Set(rows.map((row) => row.layer))],
    heads = [...new Set(rows.map((row) => row.head))];
  const at = new Map(rows.map((row) => [keyOf(row.layer, row.head), row.value]));
  const body = layers.map((layer) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, String(layer)),
      ...heads.map((head) => {
        const value = at.get(keyOf(layer, head)),
          cell = element("td", {}, short(value));
        if (value != null) tint(cell, value);
        return cell;
      }),
    ),
  );
  const head = element(
    "tr",
    {},
    element("th", { scope: "col" }, "layer"),
    ...heads.map((each) => element("th", { scope: "col" }, each == null ? "all heads" : `head ${each}`)),
  );
  const caption = element("caption", {}, `${measure().label} with ${AGAINST[against()] ?? against()}, epoch ${epoch}`);
  return element(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": `${view.label}, layers and heads` },
    element("table", { class: "heat" }, caption, element("thead", {}, head), element("tbody", {}, ...body)),
  );
}

/**
 * A table cell in viridis, and its text in whichever of black and white is read more easily on it.
 *
 * @param {HTMLElement} cell
 * @param {number} value
 */
function tint(cell, value) {
  const share = shareOf(value),
    ramp = RAMPS.viridis;
  if (share == null) return;
  const at = 3 * Math.round(255 * Math.min(Math.max(share, 0), 1));
  const [red, green, blue] = ramp.slice(at, at + 3);
  cell.style.background = `rgb(${red} ${green} ${blue})`;
  cell.style.color = 0.299 * red + 0.587 * green + 0.114 * blue > 105 ? "#000" : "#fff";
}
