// The charts: drift against its floors, learning, and what else is known about the maps.

const point = (epoch, value, bounds) => ({ epoch, value, low: bounds?.[0], high: bounds?.[1] });
const curve = (name, colour, rows, style = "", key = "value") => ({
  name,
  colour,
  style,
  points: rows.map((row) => point(row.epoch, row[key], key === "value" ? row.interval : null)),
});

function drawLearning() {
  const points = (run, key) => run.epochs.map((epoch) => point(epoch.epoch, epoch[key]));
  const of = (key, training) =>
    runs.flatMap((run) => [
      { name: `${run.label}, validation`, colour: run.colour, points: points(run, `val_${key}`) },
      ...(training
        ? [{ name: `${run.label}, training`, colour: run.colour, style: "second", points: points(run, `train_${key}`) }]
        : []),
    ]);
  fill(
    $("learning"),
    chart("Accuracy", of("accuracy", true), { range: [0, 1] }),
    chart("Loss (nats)", of("loss", true), { range: [0, 0] }),
  );
}

/** The axis of a measure: all of a range from 0, and of one that goes below only what is needed. */
const measureRange = () => [0, measure().range[1] ?? 0];

/** How far up its measure's range a value lies, from 0 where that goes below; null where the range has no end. */
function shareOf(value) {
  const [lowest, greatest] = measure().range,
    least = Math.max(lowest ?? 0, 0);
  return greatest == null ? null : (value - least) / (greatest - least);
}

function drawDrift() {
  const made = shownViews().map((view) => {
    const rows = epochs.map((epoch) => figure(view, epoch)).filter(Boolean);
    const notes = rowsOf(view, "stabilisation")
      .filter((row) => row.epoch != null)
      .map((row) => ({
        epoch: row.epoch,
        colour: view.colour,
        text: `settled within its ${row.against_floor === "seed" ? "seed" : "noise"} floor: epoch ${row.epoch}`,
      }));
    return chart(
      view.label,
      [
        curve(measure().label, view.colour, rows),
        curve("noise floor", view.colour, rows, "floor", "floor"),
        curve("seed floor", view.colour, rows, "seed", "seed_floor"),
        curve("chance", "var(--soft)", rows, "chance", "chance"),
      ],
      { range: measureRange(), notes: against() === "previous" ? notes : [] },
    );
  });
  fill($("drift"), ...made);
}

function drawPaths() {
  const found = shownViews()
    .map((view) => [view, rowsOf(view, "paths")])
    .filter(([, rows]) => rows.length);
  $("paths-part").hidden = !found.length;
  fill(
    $("paths"),
    ...found.map(([view, rows]) =>
      chart(
        view.label,
        [
          curve("path walked", view.colour, rows, "", "path"),
          curve("net distance", view.colour, rows, "second", "net"),
        ],
        { range: [0, 0] },
      ),
    ),
  );
}

/** One chart a descriptor, one line a view, so that models and methods compare. */
function drawSpread() {
  const found = shownViews().map((view) => [view, rowsOf(view, "spread").filter((row) => row.layer == null)]);
  const names = [...new Set(found.flatMap(([, rows]) => rows.map((row) => row.descriptor)))];
  $("spread-part").hidden = !names.length;
  fill(
    $("spread"),
    ...names.map((name) =>
      chart(
        capital(spaced(name)),
        found.map(([view, rows]) =>
          curve(
            view.label,
            view.colour,
            rows.filter((row) => row.descriptor === name),
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
    const name = (method) =>
      views.find((view) => view.run === run && `${view.method.explainer}/${view.method.target}` === method)?.title ??
      method;
    return [
      chart(
        run.label,
        pairs.map((pair, index) => {
          const own = rows.filter((row) => keyOf(row.one, row.other) === pair);
          return curve(`${name(own[0].one)} and ${name(own[0].other)}`, `var(--series-${(index % 6) + 1})`, own);
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
    const known = all.filter((row) => row.epoch <= epoch),
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

/** A table cell in viridis, and its text in whichever of black and white is read more easily on it. */
function tint(cell, value) {
  const share = shareOf(value),
    ramp = RAMPS.viridis;
  if (share == null) return;
  const at = 3 * Math.round(255 * Math.min(Math.max(share, 0), 1));
  const [red, green, blue] = ramp.slice(at, at + 3);
  cell.style.background = `rgb(${red} ${green} ${blue})`;
  cell.style.color = 0.299 * red + 0.587 * green + 0.114 * blue > 105 ? "#000" : "#fff";
}
