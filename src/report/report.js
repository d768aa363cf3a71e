// The inspector. Reads the JSON in #data, whose shape src/report/html.rs defines:
//
//   runs[].images[]   id, label, png (data URL)              runs[].epochs[]  epoch, losses and accuracies or null
//   runs[].methods[]  explainer, title, tap, target, grid, signed, epochs[]: maps (base64 of little-endian uint16,
//                     [N, h, w], value = scale[0] + q/65535·(scale[1]−scale[0])), status, predicted, probability_*
//   runs[].drift[]    one figure: measure, against, epoch, value, floor, chance     measures[]  name, label, range
//   runs[].image_drift[]  values per image
//
// Strings of the data only ever become text nodes and attributes. Every heat map canvas carries data-run, data-explainer,
// data-image and data-epoch, and the document data-epoch, so that tests can ask what is drawn.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const runs = data.runs;
const lastEpoch = Math.max(...runs.flatMap((run) => run.epochs.map((epoch) => epoch.epoch)));
const views = runs.flatMap((run, runIndex) => run.methods.map((method) => ({ run, runIndex, method, decoded: new Map() })));
const state = { epoch: lastEpoch, timer: null };
const percent = (value) => (value == null ? "–" : `${(100 * value).toFixed(1)}%`);
const short = (value) => (value == null ? "–" : Math.abs(value) < 0.0995 && value !== 0 ? value.toPrecision(2) : value.toFixed(2));

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function drawing(name, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

// --- Maps -----------------------------------------------------------------------------------------------------------

/** The record of a view at an epoch; a run with fewer epochs stays at its last. */
function recordAt(view, epoch) {
  const records = view.method.epochs;
  return records.filter((record) => record.epoch <= epoch).pop() ?? records[0];
}

/** Values of one map, row by row. */
function mapOf(view, record, image) {
  if (!view.decoded.has(record)) {
    const bytes = Uint8Array.from(atob(record.maps), (letter) => letter.charCodeAt(0));
    view.decoded.set(record, new DataView(bytes.buffer));
  }
  const [rows, columns] = view.method.grid, [least, greatest] = record.scale;
  const numbers = view.decoded.get(record), cells = rows * columns, values = new Float32Array(cells);
  for (let cell = 0; cell < cells; cell++) {
    values[cell] = least + (numbers.getUint16(2 * (image * cells + cell), true) / 65535) * (greatest - least);
  }
  return values;
}

const STOPS = {
  inferno: ["000004", "1b0c41", "4a0c6b", "781c6d", "a52c60", "cf4446", "ed6925", "fb9b06", "f7d13d", "fcffa4"],
  viridis: ["440154", "482878", "3e4989", "31688e", "26828e", "1f9e89", "35b779", "6ece58", "b5de2b", "fde725"],
  jet: ["000080", "0000ff", "0080ff", "00ffff", "80ff80", "ffff00", "ff8000", "ff0000", "800000"],
  diverging: ["2166ac", "67a9cf", "d1e5f0", "f7f7f7", "fddbc7", "ef8a62", "b2182b"],
};

/** 256 colours, three bytes each. */
function ramp(name) {
  const stops = STOPS[name].map((hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  const table = new Uint8ClampedArray(768);
  for (let index = 0; index < 256; index++) {
    const at = (index / 255) * (stops.length - 1), low = Math.min(Math.floor(at), stops.length - 2), part = at - low;
    for (let channel = 0; channel < 3; channel++) {
      table[3 * index + channel] = stops[low][channel] * (1 - part) + stops[low + 1][channel] * part;
    }
  }
  return table;
}
const RAMPS = Object.fromEntries(Object.keys(STOPS).map((name) => [name, ramp(name)]));

/** The value at which a map's colour is full. */
function fullScale(view, record, image) {
  const signed = $("colours").value === "diverging";
  const greatest = (values) => values.reduce((most, value) => Math.max(most, signed ? Math.abs(value) : value), 0);
  if ($("scale").value === "map") return greatest(mapOf(view, record, image));
  return Math.max(...view.method.epochs.map((each) => greatest(mapOf(view, each, image))));
}

/** Bilinear with half-pixel centres, as the PNG overlays do it. */
function sample(values, rows, columns, y, x) {
  const row = Math.min(Math.max(y * rows - 0.5, 0), rows - 1), column = Math.min(Math.max(x * columns - 0.5, 0), columns - 1);
  const top = Math.floor(row), left = Math.floor(column), bottom = Math.min(top + 1, rows - 1), right = Math.min(left + 1, columns - 1);
  const down = row - top, across = column - left;
  return (values[top * columns + left] * (1 - across) + values[top * columns + right] * across) * (1 - down)
    + (values[bottom * columns + left] * (1 - across) + values[bottom * columns + right] * across) * down;
}

/** Draws one map over its picture. */
function paint(canvas, view, image, epoch) {
  const record = recordAt(view, epoch), picture = view.run.images[image].bitmap;
  canvas.dataset.epoch = record.epoch;
  if (!picture.complete || !picture.naturalWidth) return void picture.addEventListener("load", () => paint(canvas, view, image, epoch), { once: true });
  const side = Math.min(Math.max(picture.naturalWidth, 96), 224);
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const full = fullScale(view, record, image), dead = record.status[image] !== "alive" || full <= 0;
  canvas.dataset.status = dead ? "none" : "alive";
  context.filter = dead ? "grayscale(1)" : "none";
  context.drawImage(picture, 0, 0, side, side);
  context.filter = "none";
  if (dead) return void label(context, side);
  const [rows, columns] = view.method.grid, values = mapOf(view, record, image);
  const name = $("colours").value, signed = name === "diverging", colours = RAMPS[name], opacity = Number($("opacity").value);
  const pixels = context.getImageData(0, 0, side, side), bytes = pixels.data;
  for (let y = 0, at = 0; y < side; y++) {
    for (let x = 0; x < side; x++, at += 4) {
      const part = sample(values, rows, columns, (y + 0.5) / side, (x + 0.5) / side) / full;
      const colour = 3 * Math.round(255 * Math.min(Math.max(signed ? (part + 1) / 2 : part, 0), 1));
      for (let channel = 0; channel < 3; channel++) {
        bytes[at + channel] = bytes[at + channel] * (1 - opacity) + colours[colour + channel] * opacity;
      }
    }
  }
  context.putImageData(pixels, 0, 0);
}

/** A map without evidence says so, instead of showing noise. */
function label(context, side) {
  context.fillStyle = "rgb(0 0 0 / 0.6)";
  context.fillRect(0, side - 18, side, 18);
  context.fillStyle = "#fff";
  context.font = "11px system-ui, sans-serif";
  context.fillText("no evidence", 6, side - 5);
}

// --- Predictions and drift of single images -------------------------------------------------------------------------

function outcome(view, image, epoch) {
  const record = recordAt(view, epoch), before = recordAt(view, epoch - 1), truth = view.run.images[image].label;
  return {
    name: view.run.classes[record.predicted[image]], probability: record.probability_predicted[image],
    right: record.predicted[image] === truth,
    changed: epoch > 0 && before.predicted[image] !== record.predicted[image],
  };
}

function imageDrift(view, image) {
  const found = view.run.image_drift.find((row) => row.explainer === view.method.explainer && row.target === view.method.target
    && row.measure === $("measure").value && row.against === $("against").value && row.epoch === recordAt(view, state.epoch).epoch);
  const value = found?.values[image];
  return value == null ? null : measure().higher_is_more_similar ? 1 - value : value;
}

const measure = () => data.measures.find((each) => each.name === $("measure").value);

// --- Curves ---------------------------------------------------------------------------------------------------------

const WIDTH = 360, HEIGHT = 170, LEFT = 38, RIGHT = 10, TOP = 10, BOTTOM = 24;
const charts = [];
const across = (epoch) => LEFT + (lastEpoch ? epoch / lastEpoch : 0) * (WIDTH - LEFT - RIGHT);

/** A chart of series {name, colour, style, points: [[epoch, value]]} with a marker at the slider's epoch. */
function chart(title, series, range) {
  const values = series.flatMap((each) => each.points.map((point) => point[1]));
  const least = range ? range[0] : Math.min(0, ...values), greatest = range ? range[1] : Math.max(...values, 1e-9);
  const down = (value) => HEIGHT - BOTTOM - ((value - least) / (greatest - least)) * (HEIGHT - TOP - BOTTOM);
  const svg = drawing("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}, by epoch` });
  for (let tick = 0; tick <= 4; tick++) {
    const value = least + (tick / 4) * (greatest - least), y = down(value);
    svg.append(drawing("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y }));
    svg.append(drawing("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, short(value)));
  }
  const every = Math.max(1, Math.ceil(lastEpoch / 8));
  for (let epoch = 0; epoch <= lastEpoch; epoch += every) {
    svg.append(drawing("text", { x: across(epoch), y: HEIGHT - 7, "text-anchor": "middle" }, String(epoch)));
  }
  for (const each of series.filter((one) => one.points.length)) {
    const d = each.points.map(([epoch, value], index) => `${index ? "L" : "M"}${across(epoch).toFixed(1)} ${down(value).toFixed(1)}`).join("");
    svg.append(drawing("path", { class: `line ${each.style ?? ""}`, stroke: each.colour, d }));
    if (!each.style) for (const [epoch, value] of each.points) svg.append(drawing("circle", { cx: across(epoch), cy: down(value), r: 2.6, fill: each.colour }));
  }
  const marker = drawing("line", { class: "now", y1: TOP, y2: HEIGHT - BOTTOM });
  svg.append(marker);
  const numbers = element("span", { class: "values" });
  const figure = element("figure", {}, element("figcaption", {}, element("span", {}, title), numbers), svg, legend(series));
  const epochAt = (event) => {
    const box = svg.getBoundingClientRect(), x = ((event.clientX - box.left) / box.width) * WIDTH;
    return Math.min(Math.max(Math.round(((x - LEFT) / (WIDTH - LEFT - RIGHT)) * lastEpoch), 0), lastEpoch);
  };
  const show = (epoch) => {
    const at = (each) => short(each.points.find((point) => point[0] === epoch)?.[1]);
    numbers.textContent = `epoch ${epoch}: ${series.map((each) => `${each.name} ${at(each)}`).join(" · ")}`;
  };
  svg.addEventListener("click", (event) => setEpoch(epochAt(event)));
  svg.addEventListener("pointermove", (event) => show(epochAt(event)));
  svg.addEventListener("pointerleave", () => show(state.epoch));
  charts.push(() => {
    marker.setAttribute("x1", across(state.epoch));
    marker.setAttribute("x2", across(state.epoch));
    show(state.epoch);
  });
  return figure;
}

function legend(series) {
  const items = series.map((each) => {
    const key = drawing("svg", { viewBox: "0 0 30 10", "aria-hidden": "true" });
    key.append(drawing("path", { class: `line ${each.style ?? ""}`, stroke: each.colour, d: "M0 5L30 5" }));
    return element("span", {}, key, each.name);
  });
  return element("p", { class: "legend" }, ...items);
}

const colourOf = (index) => `var(--series-${(index % 4) + 1})`;

function drawLearning() {
  const points = (run, key) => run.epochs.filter((epoch) => epoch[key] != null).map((epoch) => [epoch.epoch, epoch[key]]);
  const accuracy = runs.map((run, index) => ({ name: run.name, colour: colourOf(index), points: points(run, "val_accuracy") }));
  const losses = runs.flatMap((run, index) => [
    { name: `${run.name} validation`, colour: colourOf(index), points: points(run, "val_loss") },
    { name: "training", colour: colourOf(index), style: "floor", points: points(run, "train_loss") },
  ]);
  $("learning").replaceChildren(chart("Validation accuracy", accuracy, [0, 1]), chart("Loss (nats)", losses));
}

function drawDrift() {
  charts.length = 2; // the two of learning stay
  const made = views.map((view) => {
    const rows = view.run.drift.filter((row) => row.explainer === view.method.explainer && row.target === view.method.target
      && row.measure === $("measure").value && row.against === $("against").value);
    const points = (key) => rows.filter((row) => row[key] != null).map((row) => [row.epoch, row[key]]);
    const colour = colourOf(view.runIndex);
    return chart(`${view.run.name} · ${view.method.title}`, [
      { name: measure().label, colour, points: points("value") },
      { name: "noise floor", colour, style: "floor", points: points("floor") },
      { name: "chance", colour: "var(--soft)", style: "chance", points: points("chance") },
    ], [Math.min(measure().range[0], 0), 1]);
  });
  $("drift").replaceChildren(...made);
  charts.forEach((update) => update());
}

// --- Cards ----------------------------------------------------------------------------------------------------------

const ids = [...new Map(runs.flatMap((run) => run.images.map((image) => [image.id, image]))).keys()];
const indexIn = (run, id) => run.images.findIndex((image) => image.id === id);
const cards = new Map();
const visible = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const card = cards.get(entry.target.dataset.id);
    card.visible = entry.isIntersecting;
    if (card.visible) paintCard(card);
  }
}, { rootMargin: "200px" });

function tile(view, image, id) {
  const canvas = element("canvas", { role: "img", "data-run": view.run.name, "data-explainer": view.method.explainer, "data-image": id });
  const name = element("span", { class: "name" }, runs.length > 1 ? `${view.run.model} · ${view.method.title}` : view.method.title);
  const prediction = element("span", { class: "prediction" });
  return { view, image, canvas, prediction, box: element("div", { class: "tile" }, canvas, name, prediction) };
}

function makeCard(id) {
  const owner = runs.find((run) => indexIn(run, id) >= 0), image = owner.images[indexIn(owner, id)];
  const tiles = views.filter((view) => indexIn(view.run, id) >= 0).map((view) => tile(view, indexIn(view.run, id), id));
  const original = element("div", { class: "tile" }, element("img", { src: image.png, alt: `the picture itself, ${owner.classes[image.label]}` }),
    element("span", { class: "name" }, "picture"));
  const title = element("h3", {}, owner.classes[image.label], " ", element("small", {}, id));
  const button = element("button", { class: "card", type: "button", "aria-label": `${owner.classes[image.label]}, ${id}: film strip` },
    title, element("div", { class: "tiles" }, original, ...tiles.map((each) => each.box)));
  button.addEventListener("click", () => openStrip(id));
  const item = element("li", { "data-id": id }, button);
  visible.observe(item);
  return { id, item, tiles, label: image.label, visible: false };
}

function paintCard(card) {
  for (const { view, image, canvas, prediction } of card.tiles) {
    paint(canvas, view, image, state.epoch);
    const { name, probability, right } = outcome(view, image, state.epoch), record = recordAt(view, state.epoch);
    prediction.replaceChildren(`${right ? "✓" : "✗"} ${name} ${percent(probability)}`);
    if (record.untrained_head) prediction.append(" ", element("span", { class: "badge", title: "explains a head that was never trained" }, "untrained head"));
    prediction.classList.toggle("wrong", !right);
    canvas.setAttribute("aria-label", `${view.run.name}, ${view.method.title}, epoch ${record.epoch}: predicted ${name}, ${right ? "right" : "wrong"}`);
  }
}

function arrange() {
  const kept = [...cards.values()].filter((card) => {
    const outcomes = card.tiles.map((each) => outcome(each.view, each.image, state.epoch));
    const shown = { all: true, right: outcomes.every((each) => each.right), wrong: outcomes.some((each) => !each.right), changed: outcomes.some((each) => each.changed) };
    return shown[$("outcome").value] && ($("class").value === "" || card.label === Number($("class").value));
  });
  const chosen = $("sort").value;
  if (chosen !== "panel") {
    const view = views[Number(chosen)];
    const drift = (card) => imageDrift(view, indexIn(view.run, card.id)) ?? -Infinity;
    kept.sort((one, other) => drift(other) - drift(one));
  }
  $("cards").replaceChildren(...kept.map((card) => card.item));
  $("count").textContent = `${kept.length} of ${cards.size} images`;
}

function openStrip(id) {
  const body = views.filter((view) => indexIn(view.run, id) >= 0).map((view) => {
    const image = indexIn(view.run, id);
    const frames = view.method.epochs.map((record) => {
      const { canvas, prediction, box } = tile(view, image, id);
      box.querySelector(".name").textContent = `epoch ${record.epoch}`;
      box.classList.toggle("current", record.epoch === state.epoch);
      const { name, probability, right } = outcome(view, image, record.epoch);
      prediction.textContent = `${right ? "✓" : "✗"} ${name} ${percent(probability)}`;
      prediction.classList.toggle("wrong", !right);
      paint(canvas, view, image, record.epoch);
      return box;
    });
    return element("section", {}, element("h3", {}, `${view.run.name} · ${view.method.title} at ${view.method.tap}`), element("div", { class: "film" }, ...frames));
  });
  $("strip-title").textContent = id;
  $("strip-body").replaceChildren(...body);
  $("strip").showModal();
  remember(id);
}

// --- The epoch ------------------------------------------------------------------------------------------------------

function setEpoch(epoch) {
  state.epoch = Math.min(Math.max(epoch, 0), lastEpoch);
  document.documentElement.dataset.epoch = state.epoch;
  $("epoch").value = state.epoch;
  $("epoch-text").textContent = `Epoch ${state.epoch} of ${lastEpoch}`;
  charts.forEach((update) => update());
  repaint();
  remember($("strip").open ? $("strip-title").textContent : null);
}

function repaint() {
  arrange();
  for (const card of cards.values()) if (card.visible) paintCard(card);
  const ramp = $("ramp").getContext("2d"), colours = RAMPS[$("colours").value];
  for (let x = 0; x < 256; x++) {
    ramp.fillStyle = `rgb(${colours[3 * x]} ${colours[3 * x + 1]} ${colours[3 * x + 2]})`;
    ramp.fillRect(x, 0, 1, 10);
  }
  const range = $("colours").value === "diverging" ? "against the class, through none, to for it" : "no evidence (or evidence against) to the most";
  const over = $("scale").value === "map" ? "in this map" : "of this image at any epoch";
  $("scale-text").textContent = `${range} ${over}`;
}

function play(on) {
  clearInterval(state.timer);
  state.timer = on ? setInterval(() => setEpoch(state.epoch === lastEpoch ? 0 : state.epoch + 1), 700) : null;
  $("play").textContent = on ? "Pause" : "Play";
  $("play").setAttribute("aria-pressed", String(on));
}

const remember = (id) => history.replaceState(null, "", `#epoch=${state.epoch}${id ? `&image=${encodeURIComponent(id)}` : ""}`);

function start() {
  document.title = `driftscope · ${data.title}`;
  $("title").textContent = data.title;
  for (const run of runs) {
    const last = run.epochs[run.epochs.length - 1];
    $("runs").append(element("li", {}, element("b", {}, run.name), ` ${percent(last.val_accuracy)} validation accuracy after ${last.epoch} epochs, ${run.images.length} images watched`));
    for (const image of run.images) { image.bitmap = new Image(); image.bitmap.src = image.png; }
  }
  const option = (value, text) => element("option", { value }, text);
  $("epoch").max = lastEpoch;
  $("measure").append(...data.measures.map((each) => option(each.name, each.label)));
  $("class").append(option("", "all"), ...runs[0].classes.map((name, index) => option(index, name)));
  $("sort").append(option("panel", "panel order"), ...views.map((view, index) => option(index, `most drift: ${view.run.name}, ${view.method.title}`)));
  for (const id of ids) cards.set(id, makeCard(id));
  drawLearning();
  drawDrift();

  $("epoch").addEventListener("input", () => setEpoch(Number($("epoch").value)));
  $("play").addEventListener("click", () => play(!state.timer));
  for (const id of ["measure", "against"]) $(id).addEventListener("change", () => { drawDrift(); repaint(); });
  for (const id of ["sort", "class", "outcome", "colours", "scale"]) $(id).addEventListener("change", repaint);
  $("opacity").addEventListener("input", repaint);
  $("strip").addEventListener("close", () => remember(null));
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("button, select, input, dialog")) return;
    if (event.key === " ") { event.preventDefault(); play(!state.timer); }
    if (event.key === "ArrowRight" || event.key === "ArrowLeft") setEpoch(state.epoch + (event.key === "ArrowRight" ? 1 : -1));
  });

  const wanted = new URLSearchParams(location.hash.slice(1));
  setEpoch(wanted.has("epoch") ? Number(wanted.get("epoch")) || 0 : lastEpoch);
  if (cards.has(wanted.get("image"))) openStrip(wanted.get("image"));
}

start();
