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

/**
 * How a chart of moved looks: from noise, which is all that is below 0 too, to another image's map.
 *
 * @type {ChartOptions}
 */
const MOVED_CHART = { range: [0, 100], flat: 0, format: movedFull, ends: (value) => String(Math.round(value ?? 0)) };

/**
 * The pairs of a view, one an epoch, with the epoch that each is compared with.
 *
 * @param {View} view
 * @param {string} since "previous", "first" or an epoch
 */
function pairsOf(view, since) {
  const own = view.matrix?.epochs ?? [];
  return own.flatMap((epoch, at) => {
    const reference = since === "previous" ? own[at - 1] : since === "first" ? own[0] : Number(since);
    const pair = pairOf(view, epoch, reference);
    return pair ? [{ ...pair, epoch, interval: boundsOf(pair) }] : [];
  });
}

/**
 * @param {Pair} pair
 * @returns {Interval}
 */
const boundsOf = ({ low, high }) => (low == null || high == null ? null : [low, high]);

/** @param {View} view */
function movedChart(view) {
  const rows = pairsOf(view, against());
  const notes = /** @type {const} */ (["noise", "seed"]).flatMap((floor) => {
    const epoch = view.matrix?.settled[floor]?.epoch;
    return epoch == null
      ? []
      : [{ epoch, colour: view.colour, text: `settled, by the ${floor} floor: epoch ${epoch}` }];
  });
  return chart(
    view.label,
    [
      curve("moved", view.colour, rows, (row) => row.moved),
      curve("another seed’s map", view.colour, rows, (row) => movedOf(row, row.seedFloor), "seed"),
    ],
    { ...MOVED_CHART, notes, shade: view.matrix?.margin ?? 0 },
  );
}

/**
 * The values of a view in the chosen measure. The matrix has those of any two epochs, without intervals, in its own measure.
 *
 * @param {View} view
 * @returns {Pick<DriftRow, "epoch" | "value" | "floor" | "seed_floor" | "chance" | "interval">[]}
 */
function measured(view) {
  const rows = epochs.flatMap((epoch) => estimate(view, epoch) ?? []);
  if (Number.isNaN(Number(against())) || view.matrix?.measure !== measure().name) return rows;
  return pairsOf(view, against()).map(({ epoch, value, floor, seedFloor, chance }) => ({
    epoch,
    value,
    floor,
    chance,
    interval: null,
    seed_floor: seedFloor,
  }));
}

/** @param {View} view */
function measureChart(view) {
  const rows = measured(view);
  return chart(
    view.label,
    [
      curve(measure().label, view.colour, rows, (row) => row.value),
      curve("noise floor", view.colour, rows, (row) => row.floor, "floor"),
      curve("seed floor", view.colour, rows, (row) => row.seed_floor, "seed"),
      curve("chance", "var(--soft)", rows, (row) => row.chance, "chance"),
    ],
    { range: measureRange() },
  );
}

function drawDrift() {
  const since = AGAINST[against()] ?? `epoch ${against()}`;
  $("drift-note").textContent = inMeasure()
    ? `${measure().label} between the maps of one image at the slider’s epoch and at ${since}, averaged over the panel, with its 95 % interval. ` +
      "Dashed: the noise floor, what imperceptible changes of the images do to the maps of the same weights. Dotted: chance, maps of different images." +
      (Number.isNaN(Number(against())) || views.some((view) => view.matrix?.measure === measure().name)
        ? ""
        : " In this measure only the epoch before and the first are compared.")
    : `How far the maps moved since ${since}: ${MOVED_SCALE}. ` +
      "Noise is imperceptible changes of the images, with the same weights. Averaged over the panel, with 95 % intervals. The band at the bottom is noise. Click a chart to go to an epoch.";
  const shown = shownViews().filter((view) => inMeasure() || view.matrix);
  fill($("drift"), ...shown.map((view) => (inMeasure() ? measureChart(view) : movedChart(view))));
}

/** The steps added up, beside what is left of them: far apart where the maps went back and forth. */
function drawPaths() {
  const found = shownViews()
    .map((view) => ({ view, steps: inMeasure() ? [] : pairsOf(view, "previous"), rows: rowsOf(view, "paths") }))
    .filter(({ steps, rows }) => (inMeasure() ? rows.length : steps.length));
  $("paths-part").hidden = !found.length;
  const made = found.map(({ view, steps, rows }) => {
    if (inMeasure())
      return chart(
        view.label,
        [
          curve("all steps", view.colour, rows, (row) => row.path),
          curve("since the first epoch", view.colour, rows, (row) => row.net, "second"),
        ],
        { range: [0, 0] },
      );
    let sum = 0;
    const added = steps.map(({ epoch, moved }) => {
      sum += Math.max(moved ?? 0, 0);
      return { epoch, value: sum };
    });
    return chart(
      view.label,
      [
        curve("all steps", view.colour, added, (row) => row.value),
        curve("since the first epoch", view.colour, pairsOf(view, "first"), (row) => row.moved, "second"),
      ],
      { range: [0, 100], flat: 0, format: (value) => String(Math.round(value ?? 0)) },
    );
  });
  fill($("paths"), ...made);
}

/** Descriptors that are in the unit of a method, or depend on the grid: methods do not share an axis in them. */
const OWN_UNIT = ["positive-mass", "negative-mass"];

/**
 * @param {Interval} interval
 * @param {number} by
 * @returns {Interval}
 */
const scaledBy = (interval, by) => interval && [interval[0] * by, interval[1] * by];

/** Charts of a descriptor, one line a view where their units compare; one chart a view where they do not. */
function drawSpread() {
  const found = shownViews().map((view) => ({
    view,
    rows: rowsOf(view, "spread").filter((row) => row.layer == null),
  }));
  const names = [...new Set(found.flatMap(({ rows }) => rows.map((row) => row.descriptor)))];
  $("spread-part").hidden = !names.length;
  const grids = new Set(found.map(({ view }) => view.method.stored_grid.join()));
  const made = names.flatMap((name) => {
    // Entropy of a grid of n cells goes to ln n: divided by it, grids compare.
    const normalised = name === "entropy" && grids.size > 1;
    const title = normalised ? "Entropy, share of the greatest" : capital(spaced(name));
    const curves = found.flatMap(({ view, rows }) => {
      const own = rows.filter((row) => row.descriptor === name),
        full = normalised ? Math.log(view.method.stored_grid[0] * view.method.stored_grid[1]) : 1;
      const scaled = own.map((row) => ({
        ...row,
        value: row.value == null ? null : row.value / full,
        interval: scaledBy(row.interval, 1 / full),
      }));
      return own.length ? [curve(view.label, view.colour, scaled, (row) => row.value, view.line)] : [];
    });
    return OWN_UNIT.includes(name) && curves.length > 1
      ? curves.map((one) => chart(`${title}, ${one.name}`, [one]))
      : [chart(title, curves)];
  });
  fill($("spread"), ...made);
}

/** Methods by methods at the slider's epoch: whether they agree on which images moved most. */
function drawAgreement() {
  const role = against() === "first" ? "first" : "previous";
  const made = runs.flatMap((run) => {
    const all = run.agreement.filter((row) => row.measure === measure().name && row.against === role),
      known = all.filter((row) => row.epoch <= state.epoch),
      latest = Math.max(...known.map((row) => row.epoch));
    const rows = known.filter((row) => row.epoch === latest),
      names = [...new Set(rows.flatMap((row) => [row.one, row.other]))];
    if (!all.length) return [];
    /** @type {(method: string) => string} */
    const title = (method) =>
      views.find((view) => view.run === run && `${view.method.explainer}/${view.method.target}` === method)?.title ??
      method;
    const at = new Map(
      rows.flatMap((row) => [
        [keyOf(row.one, row.other), row],
        [keyOf(row.other, row.one), row],
      ]),
    );
    const body = names.map((one) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, title(one)),
        ...names.map((other) => {
          const row = at.get(keyOf(one, other)),
            cell = element("td", {}, one === other ? "" : short(row?.value));
          if (row?.interval) cell.title = `95 % interval${interval(row)}`;
          if (row?.value != null) tint(cell, (row.value + 1) / 2);
          return cell;
        }),
      ),
    );
    const head = names.map((name) => element("th", { scope: "col" }, title(name)));
    const caption = `Rank correlation of how far images moved, epoch ${latest} against ${AGAINST[role]}`;
    return [
      element(
        "div",
        { class: "grid-table" },
        element("h3", {}, run.label),
        names.length
          ? element(
              "div",
              { class: "scroll", tabindex: "0", role: "region", "aria-label": `${run.label}, agreement of methods` },
              element(
                "table",
                { class: "heat" },
                element("caption", {}, caption),
                element("thead", {}, element("tr", {}, element("td", {}), ...head)),
                element("tbody", {}, ...body),
              ),
            )
          : element("p", { class: "note" }, "No figures before this epoch."),
      ),
    ];
  });
  $("agreement-part").hidden = !made.length;
  $("agreement").replaceChildren(...made);
}

/** Layers by heads at the slider's epoch, each cell in the colour of how far its attention moved. */
function drawLayers() {
  const role = against() === "first" ? "first" : "previous";
  const made = shownViews().flatMap((view) => {
    const epoch = recordAt(view, state.epoch)?.epoch;
    const all = view.run.layers.filter(
      (row) => row.explainer === view.method.explainer && row.measure === measure().name && row.against === role,
    );
    const known = all.filter((row) => epoch !== undefined && row.epoch <= epoch),
      latest = Math.max(...known.map((row) => row.epoch));
    const rows = known.filter((row) => row.epoch === latest);
    const twice = views.some(
      (other) =>
        other.on &&
        other.index < view.index &&
        other.run === view.run &&
        other.method.explainer === view.method.explainer,
    );
    if (!all.length || (view.method.class_specific && twice)) return [];
    const table = rows.length
      ? layerTable(view, rows, latest, AGAINST[role])
      : element("p", { class: "note" }, "No figures before this epoch.");
    return [element("div", { class: "grid-table" }, element("h3", {}, view.label), table)];
  });
  $("layers-part").hidden = !made.length;
  $("layers").replaceChildren(...made);
}

/**
 * A value of a layer or head, and how far it is up its scale. Layers have no floor, so that 0 is the same map and not noise.
 *
 * @param {LayerRow} row
 * @returns {{ text: string, share: number | null }}
 */
function layerValue({ value, chance }) {
  if (inMeasure()) return { text: short(value), share: value == null ? null : shareOf(value) };
  const similar = measure().higher_is_more_similar,
    apart = (/** @type {number} */ of) => (similar ? 1 - of : of);
  if (value == null || chance == null || apart(chance) <= 0) return { text: "–", share: null };
  const share = apart(value) / apart(chance);
  return { text: String(Math.round(100 * share)), share };
}

/**
 * @param {View} view
 * @param {LayerRow[]} rows
 * @param {number} epoch
 * @param {string} since
 */
function layerTable(view, rows, epoch, since) {
  const layers = [...new Set(rows.map((row) => row.layer))],
    heads = [...new Set(rows.map((row) => row.head))];
  const at = new Map(rows.map((row) => [keyOf(row.layer, row.head), layerValue(row)]));
  const body = layers.map((layer) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, String(layer)),
      ...heads.map((head) => {
        const { text, share } = at.get(keyOf(layer, head)) ?? { text: "–", share: null },
          cell = element("td", {}, text);
        if (share != null) tint(cell, share);
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
  const scale = inMeasure() ? measure().label : "0: the same map, 100: another image’s";
  const caption = element("caption", {}, `${scale}; epoch ${epoch} against ${since}`);
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
 * @param {number} share
 */
function tint(cell, share) {
  const ramp = RAMPS.viridis;
  const at = 3 * Math.round(255 * Math.min(Math.max(share, 0), 1));
  const [red, green, blue] = ramp.slice(at, at + 3);
  cell.style.background = `rgb(${red} ${green} ${blue})`;
  cell.style.color = 0.299 * red + 0.587 * green + 0.114 * blue > 105 ? "#000" : "#fff";
}
