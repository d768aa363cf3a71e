// @ts-check
// What the page knows: the JSON in #data, whose shape types.d.ts says, made ready to be asked.
//
// Strings of the data only ever become text nodes and attributes. Every heat map canvas carries data-run,
// data-explainer, data-target, data-image and data-epoch, and the document data-epoch, so that tests can ask what is drawn.
"use strict";

/**
 * @template {keyof PageElements} Id
 * @param {Id} id
 * @returns {PageElements[Id]}
 */
function $(id) {
  return /** @type {PageElements[Id]} */ (document.getElementById(id));
}

/** @type {PageData} */
const data = JSON.parse($("data").text);

/**
 * Bytes of base64, as a view on numbers.
 *
 * @param {string} base64
 */
function decoded(base64) {
  const letters = atob(base64),
    bytes = new Uint8Array(letters.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = letters.charCodeAt(at);
  return new DataView(bytes.buffer);
}

/**
 * The rows of a packed table, as objects.
 *
 * @param {PackedTable | [] | undefined} table
 */
function unpacked(table) {
  if (!table || Array.isArray(table)) return [];
  const columns = Object.entries(table.columns).map(([key, column]) => [
    key,
    Array.isArray(column) ? column : column.at.map((at) => (at === null ? null : (column.names[at] ?? null))),
  ]);
  return Array.from({ length: table.rows }, (_, row) =>
    Object.fromEntries(columns.map(([key, column]) => [key, column[row]])),
  );
}

/** @param {(string | number | null | undefined)[]} parts */
const keyOf = (...parts) => JSON.stringify(parts);
/** @type {TableName[]} */
const TABLES = ["drift", "paths", "stabilisation", "spread", "agreement", "layers"];

const runs = data.runs.map((given, index) => {
  const run = /** @type {Run} */ (given),
    analysis = run.analysis ?? {};
  for (const name of TABLES) Object.assign(run, { [name]: unpacked(analysis[name]) });
  run.warnings = analysis.warnings ?? [];
  run.index = index;
  const namesakes = data.runs.filter((other) => other.name === run.name);
  run.label = namesakes.length > 1 ? `${run.name} (${namesakes.indexOf(run) + 1})` : run.name;
  run.byEpoch = new Map(run.epochs.map((epoch) => [epoch.epoch, epoch]));
  run.indexOf = new Map(run.images.map((image, at) => [image.id, at]));
  run.estimateAt = new Map(
    run.drift.map((row) => [
      keyOf(row.explainer, row.target, row.measure, row.against, row.group ?? "all", row.epoch),
      row,
    ]),
  );
  return run;
});

const epochs = [...new Set(runs.flatMap((run) => run.epochs.map((epoch) => epoch.epoch)))].sort(
  (one, other) => one - other,
);
const lastEpoch = epochs[epochs.length - 1] ?? 0;

/** A view is one method of one run, for one kind of target. */
const targetKinds = [
  ...new Set(runs.flatMap((run) => run.methods.filter((each) => each.class_specific).map((each) => each.target))),
];
/** The methods of each run: a colour each, whatever they explain; as in figures, `report/curves.rs`. */
const methodKeys = [...new Set(runs.flatMap((run) => run.methods.map((method) => keyOf(run.index, method.explainer))))];
/** @type {View[]} */
const views = runs
  .flatMap((run) => run.methods.map((method) => ({ run, method })))
  .map((view, index) => {
    const title =
      targetKinds.length > 1 && view.method.class_specific
        ? `${view.method.title}, ${view.method.target}`
        : view.method.title;
    const label = runs.length > 1 ? `${view.run.label} · ${title}` : title;
    const records = view.method.epochs,
      images = view.run.images.length;
    for (const record of records) {
      const ranges = decoded(record.ranges);
      record.range = Array.from({ length: images }, (_, image) => [
        ranges.getFloat32(8 * image, true),
        ranges.getFloat32(8 * image + 4, true),
      ]);
      // A class-specific method has nothing to explain in a head that was never trained.
      record.noise = view.method.class_specific && record.untrained_head;
    }
    const matrix = view.run.matrices?.find(
      ({ explainer, target }) => explainer === view.method.explainer && target === view.method.target,
    );
    const place = methodKeys.indexOf(keyOf(view.run.index, view.method.explainer));
    return {
      ...view,
      index,
      title,
      label,
      records,
      matrix,
      on: true,
      first: true,
      line: "",
      colour: `var(--series-${(place % 6) + 1})`,
    };
  });
// The further targets of a method have its colour, and another line.
for (const view of views) if (views.find((other) => other.colour === view.colour) !== view) view.line = "second";
// Many views at once are no overview: start with the first kind of target, and with as many methods of every run.
if (views.length > 6) {
  for (const run of runs) {
    const own = views.filter((view) => view.run === run),
      kind = own.find((view) => view.method.class_specific)?.method.target;
    // What explains a class comes first.
    const first = [
      ...own.filter((view) => view.method.class_specific && view.method.target === kind),
      ...own.filter((view) => !view.method.class_specific),
    ].slice(0, Math.max(1, Math.floor(6 / runs.length)));
    for (const view of own) view.on = first.includes(view);
  }
}
for (const view of views) view.first = view.on;
for (const run of runs)
  run.colour = views.find((view) => view.run === run)?.colour ?? `var(--series-${(run.index % 6) + 1})`;

/** @type {{ epoch: number, focus?: View, timer?: number, shown: number, paints: number, remembering?: number }} */
const state = { epoch: lastEpoch, shown: 0, paints: 0 };
const shownViews = () => views.filter((view) => view.on);

// --- Asking the data ------------------------------------------------------------------------------------------------

/**
 * The record of a view at an epoch; the last one before it where that epoch has none, undefined before the first.
 *
 * @param {View} view
 * @param {number} epoch
 */
function recordAt(view, epoch) {
  return view.records.findLast((record) => record.epoch <= epoch);
}

/**
 * The epoch a choice of a select means for a view: "now", "previous", "first" or a number.
 *
 * @param {View} view
 * @param {string} choice
 */
function epochOf(view, choice) {
  if (choice === "now") return recordAt(view, state.epoch)?.epoch;
  if (choice === "first") return (view.records.find((record) => !record.noise) ?? view.records[0])?.epoch;
  if (choice !== "previous") return recordAt(view, Number(choice))?.epoch;
  const now = recordAt(view, state.epoch);
  return now && view.records[view.records.indexOf(now) - 1]?.epoch;
}

/**
 * What a run said about an image at an epoch; undefined where nothing was asked.
 *
 * @param {Run} run
 * @param {number} image
 * @param {number} epoch
 * @returns {Outcome | undefined}
 */
function outcome(run, image, epoch) {
  const asked = run.epochs.filter((each) => each.predictions && each.epoch <= epoch);
  const [before, now] = [asked[asked.length - 2], asked[asked.length - 1]];
  if (!now?.predictions) return undefined;
  const { predicted, probability, probability_label } = now.predictions,
    earlier = before?.predictions?.predicted,
    label = run.images[image].label;
  return {
    name: run.classes[predicted[image]] ?? "unknown",
    probability: probability[image],
    ofLabel: probability_label[image],
    right: predicted[image] === label,
    changed: earlier !== undefined && now.epoch === epoch && earlier[image] !== predicted[image],
  };
}

/** The choice of numbers that is no measure. */
const MOVED = "moved";
/** Whether numbers are shown in a measure, and not as moved. */
const inMeasure = () => $("measure").value !== MOVED;
/** The chosen measure; without a choice, that of the matrices. */
const measure = () => {
  const name = inMeasure() ? $("measure").value : views.find((view) => view.matrix)?.matrix?.measure;
  return data.measures.find((each) => each.name === name) ?? data.measures[0];
};
const against = () => $("since").value;

/**
 * The drift estimate of a view at an epoch, for a group of images.
 *
 * @param {View} view
 * @param {number | undefined} epoch
 * @param {string} group
 * @param {string} reference
 */
function estimate(view, epoch, group = "all", reference = against()) {
  const { explainer, target } = view.method;
  const at = (/** @type {string} */ role) =>
    view.run.estimateAt.get(keyOf(explainer, target, measure().name, role, group, epoch));
  // An epoch by its number has an estimate where it happens to be the one before or the first.
  return at(reference) ?? ["previous", "first"].map(at).find((row) => row?.reference_epoch === Number(reference));
}

/**
 * Rows of one of a run's tables that are about a view and, where they say one, the chosen measure.
 *
 * @template {ViewTable} Name
 * @param {View} view
 * @param {Name} table
 * @returns {Run[Name]}
 */
function rowsOf(view, table) {
  /** @type {{ explainer: string, target?: string, measure?: string }[]} */
  const rows = view.run[table];
  const found = rows.filter(
    (row) =>
      row.explainer === view.method.explainer &&
      (row.target ?? view.method.target) === view.method.target &&
      (row.measure ?? measure().name) === measure().name,
  );
  return /** @type {Run[Name]} */ (found);
}

// --- Numbers and elements -------------------------------------------------------------------------------------------

/** @type {Format} */
const percent = (value) =>
  value == null ? "–" : `${(100 * value).toFixed(value > 0.9995 || value === 0 ? 0 : 1)}\u00a0%`;
/** @type {Format} */
const short = (value) => {
  if (value == null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  return size !== 0 && (size < 0.0095 || size >= 10000) ? value.toPrecision(2) : value.toFixed(size < 100 ? 2 : 0);
};
/** @type {{ [reference: string]: string }} */
const AGAINST = {
  previous: "the epoch before",
  first: "the first epoch",
  best: "the best epoch",
  named: "a named epoch",
};
/** @param {string} name */
const spaced = (name) => String(name).replaceAll("-", " ");
/** @param {string} text */
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Attributes} attributes
 * @param {Child[]} children
 */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value != null) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

/**
 * A spot in the colour of a run or view.
 *
 * @param {string} colour
 */
function swatch(colour) {
  const made = element("i", { class: "swatch" });
  made.style.background = colour;
  return made;
}

/**
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {{ [name: string]: string | number }} attributes
 * @param {string} text
 */
function drawing(name, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.textContent = text;
  return made;
}
