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
  const key = `${scale}${signed}${scale === "image" ? image : ""}`;
  view.scales ??= new Map();
  const known = view.scales.get(key);
  if (known !== undefined) return known;
  const counted = view.records.filter((each) => !each.noise);
  const ranges = (counted.length ? counted : view.records).flatMap((each) =>
    scale === "image" ? [each.range[image]] : each.range,
  );
  const full = ranges.reduce((most, range) => Math.max(most, strongest(range, signed)), 0);
  view.scales.set(key, full);
  return full;
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
    signed = since !== undefined || isSigned($("colours").value);
  const colours = since === undefined ? $("colours").value : DIVERGING;
  if (!record) return { missing: "no map" };
  if (record.status[image] === "non-finite") return { record, missing: "not finite" };
  const values = mapOf(view, record, image),
    full = fullScale(view, record, image, signed);
  if (since === undefined) {
    /** @type {{ [status: string]: string }} */
    const reasons = { dead: "all zero", constant: "the same everywhere" },
      reason = reasons[record.status[image]];
    if (reason || full <= 0) return { record, missing: reason ?? "no evidence for the class" };
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
  const bitmap = bitmaps[view.run.images[image].picture],
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
  const side = Math.min(Math.max(bitmap.naturalWidth, 96), 224);
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return what;
  context.drawImage(bitmap, 0, 0, side, side);
  const pixels = context.getImageData(0, 0, side, side);
  // Two hues of the map's own are told from those of the picture only where it has none.
  if (what.missing || what.signed) inGrey(pixels.data);
  if (!what.missing) blend(pixels.data, side, view.method.grid, what, Number($("opacity").value));
  context.putImageData(pixels, 0, 0);
  return what;
}

/**
 * A picture in grey, which also says that its map is no evidence: luma of ITU-R BT.601.
 *
 * @param {Uint8ClampedArray} bytes
 */
function inGrey(bytes) {
  for (let at = 0; at < bytes.length; at += 4) {
    bytes.fill((bytes[at] * 299 + bytes[at + 1] * 587 + bytes[at + 2] * 114) / 1000, at, at + 3);
  }
}

/**
 * @param {Uint8ClampedArray} bytes
 * @param {number} side
 * @param {[number, number]} grid
 * @param {Shown} shown
 * @param {number} opacity
 */
function blend(bytes, side, [rows, columns], { values = new Float64Array(), full = 1, signed, colours = "" }, opacity) {
  const ramp = RAMPS[colours],
    down = neighbours(side, rows),
    across = neighbours(side, columns);
  for (let y = 0, at = 0; y < side; y++) {
    const [top, bottom, low] = down[y];
    for (let x = 0; x < side; x++, at += 4) {
      const [left, right, part] = across[x];
      const above = values[top * columns + left] * (1 - part) + values[top * columns + right] * part;
      const below = values[bottom * columns + left] * (1 - part) + values[bottom * columns + right] * part;
      const share = (above * (1 - low) + below * low) / full;
      const colour = 3 * Math.round(255 * Math.min(Math.max(signed ? (share + 1) / 2 : share, 0), 1));
      for (let channel = 0; channel < 3; channel++) {
        bytes[at + channel] = bytes[at + channel] * (1 - opacity) + ramp[colour + channel] * opacity;
      }
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

/** The bar of colours, with what its ends and its middle stand for. */
function drawScale() {
  const change = $("mode").value === "change",
    name = change ? DIVERGING : $("colours").value,
    signed = isSigned(name),
    scale = $("scale").value;
  const canvas = $("ramp"),
    context = canvas.getContext("2d"),
    ramp = RAMPS[name];
  if (!context) return;
  for (let x = 0; x < 256; x++) {
    context.fillStyle = `rgb(${ramp[3 * x]} ${ramp[3 * x + 1]} ${ramp[3 * x + 2]})`;
    context.fillRect(x, 0, 1, canvas.height);
  }
  $("scale-ends").replaceChildren(
    ...[signed ? "−max" : "0", signed ? "0" : "½ max", "max"].map((text) => element("span", {}, text)),
  );
  const meaning = change
    ? "Blue: less evidence than before; red: more."
    : signed
      ? "Blue: evidence against the class; red: for it."
      : "At 0: no evidence for the class, or evidence against it.";
  const most = change || signed ? "strongest value" : "maximum";
  /** @type {{ [scale: string]: string }} */
  const full = {
    own: `each map’s own ${most}${change ? "; maps are divided by it before they are subtracted" : ", written under it"}`,
    image: `the image’s ${most} over all epochs, written under its maps`,
    method: `a method’s ${most} over all images and epochs: ${shownViews()
      .map((view) => `${view.label} ${fullScale(view, view.records[0], 0, signed).toPrecision(3)}`)
      .join(", ")}`,
  };
  $("scale-text").textContent = `Full colour: ${full[scale]}. ${meaning}`;
}
