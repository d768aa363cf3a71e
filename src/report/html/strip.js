// @ts-check
// One image through the epochs: a film strip a view, and the change between any two epochs.

/** @type {string | null} */
let stripImage = null;

/**
 * Frames and comparisons of the open image, so that they can follow the slider.
 *
 * @type {Strip[]}
 */
let strips = [];

/** @param {string} id */
function openStrip(id) {
  const card = cards.get(id);
  if (!card) return;
  stripImage = id;
  const run = card.owners[0],
    image = run.images[placeOf(run, id)];
  $("strip-title").textContent = card.className;
  $("strip-id").textContent = id;
  $("strip-picture").src = data.pictures[image.picture];
  strips = shownViews()
    .filter((view) => view.run.indexOf.has(id))
    .map((view) => makeStrip(view, placeOf(view.run, id), id));
  $("strip-body").replaceChildren(...strips.map((strip) => strip.box));
  drawImageCurves(card);
  if (!$("strip").open) $("strip").showModal();
  $("strip-body").scrollTop = 0;
  updateStrip();
  remember();
}

/**
 * Whether the model came to know the image, and how far each view's map of it drifted.
 *
 * @param {Card} card
 */
function drawImageCurves({ id, owners }) {
  const known = owners.map((run) => ({
    name: run.label,
    colour: run.colour,
    points: run.epochs.flatMap(({ epoch, predictions }) =>
      predictions ? [point(epoch, predictions.probability_label[placeOf(run, id)])] : [],
    ),
  }));
  const drifts = strips.map(({ view, image }) => ({
    name: view.label,
    colour: view.colour,
    points: rowsOf(view, "image_drift")
      .filter((row) => row.against === against())
      .map((row) => point(row.epoch, row.values[image])),
  }));
  fill(
    $("strip-curves"),
    chart("Probability of the true class", known, { range: [0, 1] }),
    chart(`${measure().label} with ${AGAINST[against()] ?? against()}`, drifts, { range: measureRange() }),
  );
}

/**
 * @param {View} view
 * @param {number} image
 * @param {string} id
 * @returns {Strip}
 */
function makeStrip(view, image, id) {
  const frames = view.records.map((record) => {
    const canvas = mapCanvas(view, id),
      text = element("span", { class: "facts" });
    const button = element(
      "button",
      { type: "button", class: "frame" },
      canvas,
      element("b", {}, `Epoch ${record.epoch}`),
      says(view.run, image, record.epoch),
      text,
    );
    button.addEventListener("click", () => setEpoch(record.epoch));
    return { record, canvas, text, button };
  });
  const pair = /** @type {const} */ (["from", "to", "change"]).map((kind) => {
    const canvas = mapCanvas(view, id),
      name = element("span", { class: "name" });
    canvas.dataset.kind = kind;
    return { kind, canvas, name, box: element("div", { class: "tile" }, canvas, name) };
  });
  const film = element(
    "div",
    { class: "film", tabindex: "0", role: "group", "aria-label": `${view.label}, film strip` },
    ...frames.map((frame) => frame.button),
  );
  const grid = view.method.grid.join(" × "),
    stored = view.method.stored_grid.join(" × ");
  const title = element(
    "h3",
    {},
    swatch(view.colour),
    view.label,
    element("small", {}, `at ${view.method.tap}, ${stored}${grid === stored ? "" : `, drawn at ${grid}`}`),
  );
  return {
    view,
    image,
    frames,
    pair,
    film,
    box: element("section", {}, title, film, element("div", { class: "pair" }, ...pair.map((each) => each.box))),
  };
}

/** Paints the open image: the slider's epoch framed, the chosen two compared. */
function updateStrip() {
  if (!$("strip").open) return;
  for (const { view, image, frames, pair, film } of strips) {
    const now = recordAt(view, state.epoch);
    for (const { record, canvas, text, button } of frames) {
      const what = paint(canvas, view, image, record.epoch);
      canvas.setAttribute("aria-label", whereStrongest(view, what));
      text.textContent = what.missing ?? `max ${what.full?.toPrecision(2)}`;
      if (record === now) {
        button.setAttribute("aria-current", "true");
        film.scrollLeft = button.offsetLeft - film.offsetLeft - (film.clientWidth - button.clientWidth) / 2;
      } else button.removeAttribute("aria-current");
    }
    const from = epochOf(view, $("from").value),
      to = epochOf(view, $("to").value);
    for (const { kind, canvas, name } of pair) {
      const what =
        kind === "change"
          ? paint(canvas, view, image, to, from ?? null)
          : paint(canvas, view, image, (kind === "from" ? from : to) ?? -1);
      name.textContent =
        kind === "change" ? `Change, ${from ?? "–"} → ${to ?? "–"}` : `Epoch ${what.record?.epoch ?? "–"}`;
      canvas.setAttribute("aria-label", `${name.textContent}: ${whereStrongest(view, what)}`);
    }
  }
  $("strip-epoch").textContent = `Epoch ${state.epoch}`;
}

/**
 * The image before or after the open one, in the order of the cards.
 *
 * @param {number} by
 */
function stepImage(by) {
  const order = pinned.ids,
    at = stripImage === null ? -1 : order.indexOf(stripImage);
  const next = order[(at + by + order.length) % order.length];
  if (next !== undefined) openStrip(next);
}
