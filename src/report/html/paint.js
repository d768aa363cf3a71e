// @ts-check
// Maps to pixels: the numbers, their scale, their colours.

/**
 * Values of one map, row by row.
 *
 * @param {View} view
 * @param {MapRecord} record
 * @param {number} image
 */
function mapOf(view, record, image) {
  record.view ??= decoded(record.cells);
  const bytes = record.view;
  const [rows, columns] = view.method.grid,
    cells = rows * columns,
    [least, greatest] = record.range[image];
  const values = new Float64Array(cells);
  for (let cell = 0; cell < cells; cell++) {
    values[cell] = least + (bytes.getUint16(2 * (image * cells + cell), true) / 65535) * (greatest - least);
  }
  return values;
}

/** @type {{ [name: string]: Uint8Array }} */
const RAMPS = Object.fromEntries(data.colours.map((each) => [each.name, new Uint8Array(decoded(each.table).buffer)]));
/** @param {string} name */
const isSigned = (name) => data.colours.some((each) => each.name === name && each.signed);
const DIVERGING = data.colours.find((each) => each.signed)?.name ?? data.colours[0].name;
const SEQUENTIAL = data.colours.find((each) => !each.signed)?.name ?? DIVERGING;

/**
 * The colour map of a method's maps: the chosen one or, if nothing else is chosen, one with two hues for maps that have
 * a sign. In one hue, evidence against a class looks like no evidence.
 *
 * @param {View} view
 */
function coloursOf({ method }) {
  const chosen = $("colours").value;
  return chosen === "auto" ? (method.signed ? DIVERGING : SEQUENTIAL) : chosen;
}

/**
 * Of a map, the strongest evidence: for the class, or for or against it.
 *
 * @param {[number, number]} range
 * @param {boolean} signed
 */
const strongest = ([least, greatest], signed) => Math.max(greatest, signed ? -least : 0, 0);

/**
 * The value at which a map's colour is full. Noise of an untrained head only counts for itself.
 *
 * @param {View} view
 * @param {MapRecord} record
 * @param {number} image
 * @param {boolean} signed
 * @returns {number}
 */
function fullScale(view, record, image, signed) {
  const scale = $("scale").value;
  if (scale === "own") return strongest(record.range[image], signed);
  const key = `${scale}${signed}${scale === "method" ? "" : image}`;
  view.scales ??= new Map();
  const known = view.scales.get(key);
  if (known !== undefined) return known;
  const counted = view.records.filter((each) => !each.noise),
    records = counted.length ? counted : view.records;
  const ranges = records.flatMap((each) => (scale === "method" ? each.range : [each.range[image]]));
  const most = ranges.reduce((most, range) => Math.max(most, strongest(range, signed)), 0),
    full = scale === "most" ? nearlyMost(view, records, image, signed) || most : most;
  view.scales.set(key, full);
  return full;
}

/**
 * What 99 of 100 cells of an image's maps do not exceed, over all epochs. Few cells far above the rest leave no colours
 * for these.
 *
 * @param {View} view
 * @param {MapRecord[]} records
 * @param {number} image
 * @param {boolean} signed
 */
function nearlyMost(view, records, image, signed) {
  const values = records
    .filter((record) => record.status[image] === "alive")
    .flatMap((record) => [...mapOf(view, record, image)])
    .map((value) => (signed ? Math.abs(value) : Math.max(value, 0)))
    .sort((one, other) => one - other);
  return values[Math.ceil(0.99 * values.length) - 1] ?? 0;
}

/**
 * What a canvas is to show: values in colours from 0 (or -full) to full, or why there are none. With `since`, the change
 * from that epoch: of raw values where the scale is shared; of maps each divided by its own strongest value otherwise.
 *
 * @param {View} view
 * @param {number} image
 * @param {number | undefined} epoch
 * @param {number | null} [since] null where there is no epoch to compare with
 * @returns {Shown}
 */
function picture(view, image, epoch, since) {
  const record = epoch === undefined ? undefined : recordAt(view, epoch),
    colours = since === undefined ? coloursOf(view) : DIVERGING,
    signed = isSigned(colours);
  if (!record) return { missing: "no map" };
  if (record.status[image] === "non-finite") return { record, missing: "not finite" };
  const values = mapOf(view, record, image),
    full = fullScale(view, record, image, signed);
  if (since === undefined) {
    /** @type {{ [status: string]: string }} */
    const reasons = { dead: "all zero", constant: "the same everywhere" },
      reason = reasons[record.status[image]];
    // Only some methods ask about a class.
    const nothing = view.method.class_specific ? "no evidence for the class" : "nothing above zero";
    if (reason || full <= 0) return { record, missing: reason ?? nothing };
    return { record, values, full, signed, colours };
  }
  const before = since === null ? undefined : recordAt(view, since);
  if (!before || before === record) return { record, missing: "nothing to compare" };
  if (before.status[image] === "non-finite") return { record, missing: "not finite before" };
  const own = $("scale").value === "own",
    past = mapOf(view, before, image);
  const now = own ? full || 1 : 1,
    then = own ? fullScale(view, before, image, true) || 1 : 1;
  return {
    record,
    before,
    values: values.map((value, cell) => value / now - past[cell] / then),
    full: own ? 1 : full || 1,
    signed,
    colours,
  };
}

/**
 * Where the centres of `side` pixels lie among `cells`: the two nearest cells and the distance from the lower.
 *
 * @param {number} side
 * @param {number} cells
 * @returns {[number, number, number][]}
 */
function neighbours(side, cells) {
  return Array.from({ length: side }, (_, pixel) => {
    const centre = Math.min(Math.max(((pixel + 0.5) / side) * cells - 0.5, 0), cells - 1),
      low = Math.floor(centre);
    return [low, Math.min(low + 1, cells - 1), centre - low];
  });
}

/** The picture itself, once it is decoded. */
const bitmaps = data.pictures.map((source) => Object.assign(new Image(), { src: source }));
/**
 * The pictures in grey, by index and side: what every map is drawn over, so that each hue in it is the map's own.
 *
 * @type {Map<string, Uint8Array>}
 */
const greys = new Map();

/**
 * A picture in grey, a byte a pixel: luma of ITU-R BT.601, its contrast reduced so that colours over its dark and its
 * bright parts are still those of the scale.
 *
 * @param {number} index
 * @param {number} side
 */
function inGrey(index, side) {
  const key = `${index}/${side}`,
    known = greys.get(key);
  if (known) return known;
  const context = new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true }),
    grey = new Uint8Array(side * side);
  if (context) {
    context.drawImage(bitmaps[index], 0, 0, side, side);
    const bytes = context.getImageData(0, 0, side, side).data;
    for (let at = 0; at < grey.length; at++)
      grey[at] =
        51 + Math.round((0.6 * (bytes[4 * at] * 299 + bytes[4 * at + 1] * 587 + bytes[4 * at + 2] * 114)) / 1000);
  }
  greys.set(key, grey);
  return grey;
}

/**
 * Draws one map, or its change since an epoch, over its picture. Bilinear with half-pixel centres, as the PNG overlays.
 *
 * @param {MapCanvas} canvas
 * @param {View} view
 * @param {number} image
 * @param {number | undefined} epoch
 * @param {number | null} [since]
 * @returns {Shown}
 */
function paint(canvas, view, image, epoch, since) {
  const index = view.run.images[image].picture,
    bitmap = bitmaps[index],
    what = picture(view, image, epoch, since);
  canvas.dataset.epoch = String(what.record?.epoch ?? "");
  canvas.dataset.status = what.missing ?? "alive";
  if (since === undefined) delete canvas.dataset.since;
  else canvas.dataset.since = String(what.before?.epoch ?? "");
  canvas.shows = what;
  if (!bitmap.complete || !bitmap.naturalWidth) {
    bitmap.addEventListener("load", () => canvas.shows === what && paint(canvas, view, image, epoch, since), {
      once: true,
    });
    return what;
  }
  // As many pixels as are seen: a map is 11 rem wide at most.
  const most = canvas.closest(".multiples") ? 96 : devicePixelRatio > 1 ? 224 : 160;
  const side = Math.min(Math.max(bitmap.naturalWidth, 96), most);
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return what;
  const pixels = new ImageData(side, side);
  blend(new Uint32Array(pixels.data.buffer), inGrey(index, side), view.method.grid, what);
  context.putImageData(pixels, 0, 0);
  return what;
}

/**
 * How much of a map's colour covers the picture, for each of the 256 steps of a colour map: nothing at 0, all of it at
 * full colour. The higher the chosen opacity, the sooner it covers; at 1 always.
 *
 * @param {boolean} signed
 * @returns {Float64Array}
 */
function cover(signed) {
  const opacity = Number($("opacity").value),
    bend = (1 - opacity) / opacity;
  return Float64Array.from({ length: 256 }, (_, step) =>
    opacity === 0 ? 0 : Math.abs(signed ? (2 * step) / 255 - 1 : step / 255) ** bend,
  );
}

/**
 * Pixels of a map over its picture, or of the picture alone where there is no map. Written for speed: a step of the slider
 * draws a million of them.
 *
 * @param {Uint32Array} pixels red in the lowest byte
 * @param {Uint8Array} grey
 * @param {[number, number]} grid
 * @param {Shown} shown
 */
function blend(
  pixels,
  grey,
  [rows, columns],
  { missing, values = new Float64Array(), full = 1, signed, colours = "" },
) {
  const side = Math.sqrt(grey.length);
  if (missing) {
    for (let at = 0; at < pixels.length; at++) pixels[at] = 0xff000000 | (grey[at] * 0x010101);
    return;
  }
  const ramp = RAMPS[colours],
    covers = cover(signed === true),
    // From a value to one of the 256 steps.
    scale = (signed ? 127.5 : 255) / full,
    middle = (signed ? 127.5 : 0) + 0.5;
  const down = neighbours(side, rows),
    across = neighbours(side, columns);
  const left = Uint16Array.from(across, (each) => each[0]),
    right = Uint16Array.from(across, (each) => each[1]),
    parts = Float64Array.from(across, (each) => each[2]);
  const line = new Float64Array(columns);
  for (let y = 0, at = 0; y < side; y++) {
    const [top, bottom, low] = down[y];
    for (let column = 0; column < columns; column++)
      line[column] = values[top * columns + column] * (1 - low) + values[bottom * columns + column] * low;
    for (let x = 0; x < side; x++, at++) {
      const value = line[left[x]] * (1 - parts[x]) + line[right[x]] * parts[x],
        step = Math.min(Math.max(value * scale + middle, 0), 255) | 0;
      const over = covers[step],
        under = grey[at] * (1 - over) + 0.5;
      pixels[at] =
        0xff000000 |
        ((under + ramp[3 * step + 2] * over) << 16) |
        ((under + ramp[3 * step + 1] * over) << 8) |
        (under + ramp[3 * step] * over);
    }
  }
}

/**
 * In words, for who cannot see the canvas: where the map is strongest.
 *
 * @param {View} view
 * @param {Shown} shown
 */
function whereStrongest(view, { values, missing }) {
  if (missing || !values) return missing ?? "no map";
  const cell = values.indexOf(Math.max(...values)),
    [rows, columns] = view.method.grid;
  /** @type {(at: number, length: number, names: string[]) => string} */
  const third = (at, length, names) => names[Math.min(Math.floor((3 * (at + 0.5)) / length), 2)];
  const row = third(Math.floor(cell / columns), rows, ["top", "middle", "bottom"]),
    column = third(cell % columns, columns, ["left", "centre", "right"]);
  return `strongest at the ${row} ${column}`;
}

/**
 * The raw value under the pointer, and where it is.
 *
 * @param {MapCanvas} canvas
 * @param {PointerEvent} event
 * @returns {string | undefined}
 */
function valueAt(canvas, event) {
  const { values, missing, before, full } = canvas.shows ?? {},
    box = canvas.getBoundingClientRect();
  if (!values || full === undefined) return missing;
  const [rows, columns] = canvas.view.method.grid;
  const row = Math.min(Math.floor(((event.clientY - box.top) / box.height) * rows), rows - 1);
  const column = Math.min(Math.floor(((event.clientX - box.left) / box.width) * columns), columns - 1);
  const value = values[Math.max(row, 0) * columns + Math.max(column, 0)];
  return `${before ? "change " : ""}${value.toPrecision(3)}, ${Math.round((100 * value) / full)} % of full colour`;
}

/**
 * A bar of the colours as they are seen, over the grey of a picture's middle, with what its ends and its middle are.
 *
 * @param {string} name
 * @param {string} note
 */
function ramp(name, note) {
  const canvas = element("canvas", { width: 256, height: 10, "aria-hidden": "true", "data-colours": name }),
    context = canvas.getContext("2d"),
    signed = isSigned(name),
    covers = cover(signed);
  for (let x = 0; context && x < 256; x++) {
    const [red, green, blue] = RAMPS[name].slice(3 * x, 3 * x + 3);
    context.fillStyle = "rgb(128 128 128)";
    context.fillRect(x, 0, 1, canvas.height);
    context.fillStyle = `rgb(${red} ${green} ${blue} / ${covers[x]})`;
    context.fillRect(x, 0, 1, canvas.height);
  }
  const ends = [signed ? "−full" : "0", signed ? "0" : "½ full", "full"].map((text) => element("span", {}, text));
  return element(
    "div",
    { class: "ramp" },
    canvas,
    element("div", { class: "ends" }, ...ends),
    element("p", { class: "note" }, note),
  );
}

/** What the colours mean: a bar for every colour map in use, and where its colour is full. */
function drawScale() {
  const change = $("mode").value === "change",
    scale = $("scale").value,
    shown = shownViews();
  const names = change ? [DIVERGING] : [...new Set(shown.map(coloursOf))];
  const asked = (/** @type {string} */ name) =>
    shown.filter((view) => change || coloursOf(view) === name).map((view) => view.method);
  $("ramps").replaceChildren(
    ...names.map((name) => {
      const methods = [...new Set(asked(name).map((method) => method.title))].join(", "),
        ofClass = asked(name).some((method) => method.class_specific);
      if (change) return ramp(name, "Blue: less evidence than before; red: more.");
      if (isSigned(name))
        return ramp(
          name,
          `${methods}. Red: above zero${ofClass ? ", evidence for the class" : ""}; blue: below${ofClass ? ", against it" : ""}.`,
        );
      const hidden = asked(name).some((method) => method.signed) ? " What is below zero is not shown." : "";
      return ramp(name, `${methods}.${hidden}`);
    }),
  );
  /** @type {{ [scale: string]: string }} */
  const full = {
    own: `each map’s own strongest value${change ? "; maps are divided by it before they are subtracted" : ", written under it"}. Epochs do not compare`,
    image: "an image’s strongest value over all epochs, one for each method, so that epochs compare",
    most: "what 99 of 100 cells of an image’s maps do not exceed over all epochs, one for each method, so that epochs compare",
    method: `a method’s strongest value over all images and epochs: ${shown
      .map(
        (view) =>
          `${view.label} ${fullScale(view, view.records[0], 0, change || isSigned(coloursOf(view))).toPrecision(3)}`,
      )
      .join(", ")}`,
  };
  $("scale-text").textContent = `Full colour: ${full[scale]}.`;
}
