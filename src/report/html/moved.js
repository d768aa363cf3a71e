// @ts-check
// Moved: how far maps of two epochs are apart, where 0 is what noise does and 100 another image's map.

/** What the scale means: the same words wherever a person meets it. */
const MOVED_SCALE = "0 is what noise does, 100 is another image’s map";
const AS_ANOTHER = "as far as another image’s map";

/**
 * How far something moved, in a table: the scale ends at 100, and what moved farther has that number too.
 *
 * @type {Format}
 */
function movedShort(moved) {
  if (moved == null) return "not measurable";
  const whole = Math.round(moved);
  return whole <= 0 ? "within noise" : String(Math.min(whole, 100));
}

/**
 * The same in words.
 *
 * @type {Format}
 */
const movedText = (moved) => (moved != null && Math.round(moved) >= 100 ? AS_ANOTHER : movedShort(moved));

/**
 * The same with the number of what moved farther, where a person points at it.
 *
 * @type {Format}
 */
const movedFull = (moved) =>
  moved != null && Math.round(moved) > 100 ? `${AS_ANOTHER}, ${Math.round(moved)}` : movedText(moved);

/** @param {number} moved */
const movedPhrase = (moved) => (Math.round(moved) <= 0 ? movedText(moved) : `moved ${movedText(moved)}`);

/**
 * The ends of an interval of what moved, as a table has them; nothing where the scale ends below.
 *
 * @param {number | null} moved
 * @param {(number | null)[]} ends
 */
const movedEnds = (moved, ends) =>
  moved == null || Math.round(moved) > 100 || ends.length < 2 || ends.includes(null)
    ? ""
    : `[${ends.map((end) => Math.round(end ?? 0)).join(", ")}]`;

/**
 * What is known of two epochs of a view; undefined where one of them is no evidence, or they are the same.
 *
 * @param {View} view
 * @param {number | null | undefined} one
 * @param {number | null | undefined} other
 * @returns {Pair | undefined}
 */
function pairOf(view, one, other) {
  const matrix = view.matrix;
  if (!matrix || one == null || other == null || one === other) return undefined;
  const epoch = Math.max(one, other),
    reference = Math.min(one, other);
  const row = matrix.epochs.indexOf(epoch),
    column = matrix.epochs.indexOf(reference);
  if (row < 0 || column < 0) return undefined;
  const moved = matrix.moved[row][column],
    why = matrix.why[row][column];
  return {
    epoch,
    reference,
    row,
    column,
    moved,
    low: matrix.low[row][column],
    high: matrix.high[row][column],
    value: matrix.value[row][column],
    floor: matrix.floor[row][column],
    chance: matrix.chance[row][column],
    seedFloor: matrix.seed_floor?.[row][column] ?? null,
    threshold: matrix.threshold[row][column],
    imagesMoved: matrix.images_moved[row][column],
    defined: matrix.defined[row][column],
    still: moved != null && moved <= matrix.margin,
    why: why == null ? "" : spaced(why),
  };
}

/**
 * The epoch that a view is compared with: what "since" says, at the slider's epoch.
 *
 * @param {View} view
 */
const referenceOf = (view) => epochOf(view, $("since").value);

/**
 * The pair that the page is about: the slider's epoch, and the one it is compared with.
 *
 * @param {View} view
 */
const pairNow = (view) => pairOf(view, recordAt(view, state.epoch)?.epoch, referenceOf(view));

/**
 * A value in the matrix's measure on the scale of a pair; null where the pair has none.
 *
 * @param {Pair | undefined} pair
 * @param {number | null | undefined} value
 * @returns {number | null}
 */
function movedOf(pair, value) {
  if (!pair || pair.moved == null || pair.floor == null || pair.chance == null || value == null) return null;
  return (100 * (value - pair.floor)) / (pair.chance - pair.floor);
}

/**
 * How far the map of an image moved between two epochs, on the panel's scale: its images average to the panel.
 *
 * @param {View} view
 * @param {number} image
 * @param {number | null | undefined} [epoch] the slider's
 * @param {number | null | undefined} [reference] the one it is compared with
 * @returns {number | null}
 */
function imageMoved(view, image, epoch = recordAt(view, state.epoch)?.epoch, reference = referenceOf(view)) {
  const pair = pairOf(view, epoch, reference),
    matrix = view.matrix;
  if (!matrix || !pair || pair.moved == null) return null;
  const kept =
    (pair.column === pair.row - 1 ? matrix.images_previous[pair.row - 1] : null) ??
    (pair.column === 0 ? matrix.images_first[pair.row - 1] : null);
  if (kept) return kept[image] ?? null;
  // Of other pairs the page has no figure for every image; it has their maps.
  return movedOf(pair, similarity(view, image, pair.epoch, pair.reference));
}

/**
 * Whether the map of an image moved farther than noise alone moves all but one of twenty; null where that is not known.
 *
 * @param {View} view
 * @param {number} image
 * @param {number | null | undefined} [epoch]
 * @param {number | null | undefined} [reference]
 * @returns {boolean | null}
 */
function imageBeyondNoise(view, image, epoch = recordAt(view, state.epoch)?.epoch, reference = referenceOf(view)) {
  const pair = pairOf(view, epoch, reference),
    moved = imageMoved(view, image, epoch, reference);
  if (!pair || moved == null || pair.threshold == null || pair.floor == null || pair.chance == null) return null;
  const apart = distance(view, pair.floor) + (moved / 100) * (distance(view, pair.chance) - distance(view, pair.floor));
  return apart > pair.threshold;
}

/**
 * The mean over some images of a run of how far their maps moved, and how many of them have a figure.
 *
 * @param {View} view
 * @param {number[]} images
 * @param {number | null | undefined} [epoch]
 * @param {number | null | undefined} [reference]
 */
function imagesMoved(view, images, epoch = recordAt(view, state.epoch)?.epoch, reference = referenceOf(view)) {
  const known = images.flatMap((image) => imageMoved(view, image, epoch, reference) ?? []);
  const sum = known.reduce((total, moved) => total + moved, 0);
  return { moved: known.length ? sum / known.length : null, count: known.length };
}

/**
 * A value of the matrix's measure as a distance.
 *
 * @param {View} view
 * @param {number} value
 */
function distance(view, value) {
  const given = data.measures.find((each) => each.name === view.matrix?.measure);
  return given?.higher_is_more_similar ? 1 - value : value;
}

/**
 * Spearman's correlation of an image's maps of two epochs, from the cells that the page holds; null in other measures.
 *
 * @param {View} view
 * @param {number} image
 * @param {number} epoch
 * @param {number} reference
 */
function similarity(view, image, epoch, reference) {
  if (view.matrix?.measure !== "spearman") return null;
  const one = ranksOf(view, image, epoch),
    other = ranksOf(view, image, reference);
  if (!one || !other) return null;
  let sum = 0;
  for (let cell = 0; cell < one.length; cell++) sum += one[cell] * other[cell];
  return sum;
}

/**
 * The ranks of a map's cells, centred and of length 1; undefined where the map has no order.
 *
 * @param {View} view
 * @param {number} image
 * @param {number} epoch
 */
function ranksOf(view, image, epoch) {
  const record = view.records.find((each) => each.epoch === epoch);
  if (record?.status[image] !== "alive") return undefined;
  record.ranks ??= [];
  record.ranks[image] ??= ranked(mapOf(view, record, image));
  return record.ranks[image];
}

/**
 * Ranks of values, equal ones sharing their mean rank, centred and of length 1.
 *
 * @param {Float64Array} values
 */
function ranked(values) {
  const order = Uint32Array.from(values.keys()).sort((one, other) => values[one] - values[other]),
    ranks = new Float32Array(values.length);
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let at = from; at < to; at++) ranks[order[at]] = (from + to - 1) / 2 - (values.length - 1) / 2;
  }
  const length = Math.hypot(...ranks) || 1;
  return ranks.map((rank) => rank / length);
}
