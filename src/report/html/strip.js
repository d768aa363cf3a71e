// @ts-check
// One image through the epochs: every view's film, what was predicted and how far the maps moved under it, and the change
// between two epochs. The page's own bar is inside while the dialog is open, so that slider, Play and "since" are at hand.

/** @type {string | null} */
let stripImage = null;

/**
 * Frames and comparisons of the open image, so that they can follow the slider.
 *
 * @type {Strip[]}
 */
let strips = [];

/** The slider and its buttons, and what stands in their place while they are in the dialog. */
const slideBar = /** @type {HTMLElement} */ (document.querySelector(".bar")),
  barPlace = element("div");

/** Frames are painted when they are scrolled to: of a hundred epochs few are seen. */
const filmed = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) paintFrame(target);
});

/** @param {string} id */
function openStrip(id) {
  const card = cards.get(id);
  if (!card) return;
  const again = $("strip").open && stripImage === id;
  stripImage = id;
  const run = card.owners[0],
    image = run.images[placeOf(run, id)];
  $("strip-title").textContent = card.className;
  $("strip-id").textContent = id;
  $("strip-picture").src = data.pictures[image.picture];
  strips = shownViews()
    .filter((view) => view.run.indexOf.has(id))
    .map((view) => makeStrip(view, placeOf(view.run, id), id));
  $("strip-body").replaceChildren(reel(card), element("div", { class: "pairs" }, ...strips.map((strip) => strip.box)));
  if (!$("strip").open) {
    // Its place is kept, so that the page behind does not move.
    barPlace.style.height = `${slideBar.offsetHeight}px`;
    slideBar.replaceWith(barPlace);
    $("strip-bar").append(slideBar);
    $("strip").showModal();
  }
  const inside = $("strip-body").closest(".inside");
  if (inside && !again) inside.scrollTop = 0;
  updateStrip();
  remember();
}

/** Puts the bar back where the page has it. */
function closeStrip() {
  barPlace.replaceWith(slideBar);
  filmed.disconnect();
  strips = [];
  remember();
}

/**
 * The epoch that a view's map of an epoch is compared with, by the choice of "since".
 *
 * @param {View} view
 * @param {MapRecord} record
 * @returns {number | null}
 */
function referenceAt(view, record) {
  const choice = $("since").value,
    before = view.records[view.records.indexOf(record) - 1];
  return (choice === "previous" ? before?.epoch : epochOf(view, choice)) ?? null;
}

/**
 * Everything that has an epoch, in columns: predictions, films, and the lines under them.
 *
 * @param {Card} card
 */
function reel({ id, owners }) {
  const made = element("div", { class: "reel" });
  made.style.setProperty("--epochs", String(epochs.length));
  /** @type {(...text: Child[]) => HTMLElement} */
  const label = (...text) => element("h3", {}, element("span", {}, ...text));
  /** @type {(part: HTMLElement, epoch: number) => HTMLElement} */
  const placed = (part, epoch) => {
    part.style.gridColumn = String(epochs.indexOf(epoch) + 1);
    return part;
  };
  for (const run of owners) {
    const asked = run.epochs.filter((each) => each.predictions);
    made.append(
      label(runs.length > 1 ? `Prediction of ${run.label}` : "Prediction"),
      ...asked.map(({ epoch }) =>
        placed(element("p", {}, element("b", {}, `Epoch ${epoch}`), says(run, placeOf(run, id), epoch)), epoch),
      ),
    );
  }
  const known = owners.map((run) => ({
    name: run.label,
    colour: run.colour,
    points: run.epochs.flatMap(({ epoch, predictions }) =>
      predictions ? [point(epoch, predictions.probability_label[placeOf(run, id)])] : [],
    ),
  }));
  const moved = strips.map(({ view, image }) => ({
    name: view.label,
    colour: view.colour,
    style: view.line,
    points: view.records.map((record) =>
      point(record.epoch, imageMoved(view, image, record.epoch, referenceAt(view, record))),
    ),
  }));
  /** @type {(curves: Curve[]) => Child[]} */
  const key = (curves) =>
    curves.length > 1 ? curves.map(({ name, colour }) => element("small", {}, swatch(colour), name)) : [];
  const under = [
    label("Probability of the true class", ...key(known)),
    lines("Probability of the true class", known, 1, percent),
  ];
  if (moved.some(({ points }) => points.some(({ value }) => value != null)))
    under.push(
      label(`Moved since ${AGAINST[$("since").value] ?? `epoch ${$("since").value}`}: ${MOVED_SCALE}`, ...key(moved)),
      lines("Moved", moved, 100, movedFull),
    );
  for (const { view, frames } of strips) {
    const grid = view.method.grid.join(" × "),
      stored = view.method.stored_grid.join(" × ");
    const where = `at ${view.method.tap}, ${stored}${grid === stored ? "" : `, drawn at ${grid}`}`;
    made.append(
      label(swatch(view.colour), view.label, element("small", {}, where)),
      ...frames.map(({ record, button }) => placed(button, record.epoch)),
      // Under the first film, so that they are seen however many there are.
      ...under.splice(0),
    );
  }
  return element("div", { class: "film", tabindex: "0", role: "group", "aria-label": "Film strip, by epoch" }, made);
}

/** Width of a column and height of the lines under the film, in the units of their drawing. */
const COLUMN = 112,
  LINES = 76;

/**
 * Curves under the film: each epoch's point is in the middle of its column. A click goes to the epoch.
 *
 * @param {string} title
 * @param {Curve[]} curves
 * @param {number} full the value at the top, if none is above it
 * @param {Format} format
 */
function lines(title, curves, full, format) {
  const values = curves.flatMap((each) => each.points.flatMap(({ value }) => value ?? []));
  const top = Math.max(full, ...values),
    least = Math.min(0, ...values);
  const x = (/** @type {number} */ epoch) => (epochs.indexOf(epoch) + 0.5) * COLUMN;
  const y = (/** @type {number} */ value) => LINES - 6 - ((value - least) / (top - least)) * (LINES - 12);
  const said = curves.map(({ name, points }) => {
    const known = points.filter(({ value }) => value != null);
    return `${name}: ${known.map(({ epoch, value }) => `epoch ${epoch} ${format(value)}`).join(", ")}`;
  });
  const svg = drawing("svg", {
    viewBox: `0 0 ${COLUMN * epochs.length} ${LINES}`,
    role: "img",
    "aria-label": `${title}. ${said.join(". ")}`,
    class: "lines",
  });
  const now = drawing("rect", { class: "column", width: COLUMN, height: LINES });
  svg.append(now);
  for (const mark of [0, full])
    svg.append(
      drawing("line", {
        class: mark === 0 ? "grid zero" : "grid",
        x2: COLUMN * epochs.length,
        y1: y(mark),
        y2: y(mark),
      }),
    );
  for (const { colour, style, points } of curves) {
    const known = points.flatMap(({ epoch, value }) => (value == null ? [] : [{ epoch, value }]));
    const path = known.map(({ epoch, value }) => `${x(epoch)} ${y(value).toFixed(1)}`).join("L");
    if (path) svg.append(drawing("path", { class: `line ${style ?? ""}`, stroke: colour, d: `M${path}` }));
    for (const { epoch, value } of known)
      svg.append(drawing("circle", { cx: x(epoch), cy: y(value), r: 3.2, fill: colour }));
  }
  const under = (/** @type {MouseEvent} */ event) => {
    const box = svg.getBoundingClientRect(),
      at = Math.floor(((event.clientX - box.left) / box.width) * epochs.length);
    return epochs[Math.min(Math.max(at, 0), epochs.length - 1)];
  };
  svg.addEventListener("click", (event) => setEpoch(under(event)));
  svg.addEventListener("pointermove", (event) => {
    const epoch = under(event);
    const here = curves.flatMap(({ name, points }) => {
      const value = points.find((each) => each.epoch === epoch)?.value;
      return value == null ? [] : [`${curves.length > 1 ? `${name} ` : ""}${format(value)}`];
    });
    tip(event, here.length ? `Epoch ${epoch}: ${here.join(", ")}` : "");
  });
  svg.addEventListener("pointerleave", () => tip());
  return svg;
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
    canvas.dataset.epoch = String(record.epoch);
    const button = element(
      "button",
      { type: "button", class: "frame" },
      canvas,
      element("b", {}, `Epoch ${record.epoch}`),
      text,
    );
    button.addEventListener("click", () => setEpoch(record.epoch));
    filmed.observe(button);
    return { record, canvas, text, button, painted: "" };
  });
  const pair = /** @type {const} */ (["from", "to", "change"]).map((kind) => {
    const canvas = mapCanvas(view, id),
      name = element("span", { class: "name" });
    canvas.dataset.kind = kind;
    return { kind, canvas, name, box: element("div", { class: "tile" }, canvas, name) };
  });
  const title = element("h3", {}, swatch(view.colour), view.label),
    note = element("p", { class: "note" });
  const curtain = makeCurtain(view, id);
  const tiles = element("div", { class: "pair" }, ...pair.map((each) => each.box), curtain.box);
  return { view, image, frames, pair, curtain, note, box: element("section", {}, title, note, tiles) };
}

/**
 * Two maps over one another: the later one is drawn over the earlier as far as the slider under them says.
 *
 * @param {View} view
 * @param {string} id
 */
function makeCurtain(view, id) {
  const under = mapCanvas(view, id),
    over = mapCanvas(view, id),
    slider = element("input", {
      type: "range",
      min: 0,
      max: 100,
      value: 50,
      "aria-label": `${view.label}: how much is of the later epoch`,
    });
  const box = element("div", { class: "tile curtain" }, element("div", {}, under, over), slider);
  slider.addEventListener("input", () => box.style.setProperty("--cut", `${slider.value}%`));
  return { under, over, box };
}

/** What the frames' looks depend on, beside their map. */
const look = () =>
  JSON.stringify(
    ["colours", "scale", "opacity", "since"].map(
      (id) => /** @type {HTMLInputElement} */ (document.getElementById(id)).value,
    ),
  );

/** @param {Element} button */
function paintFrame(button) {
  for (const { view, image, frames } of strips) {
    const frame = frames.find((each) => each.button === button);
    if (!frame || frame.painted === look()) continue;
    frame.painted = look();
    const { record, canvas, text } = frame,
      what = paint(canvas, view, image, record.epoch);
    canvas.setAttribute("aria-label", whereStrongest(view, what));
    const reference = referenceAt(view, record),
      moved = imageMoved(view, image, record.epoch, reference);
    const lines = [what.missing, moved == null ? null : movedPhrase(moved), record.noise ? "untrained head" : null];
    text.replaceChildren(...lines.flatMap((line) => (line ? [element("span", {}, line)] : [])));
  }
}

/** Paints the open image: the slider's epoch framed, and compared with the one chosen. */
function updateStrip() {
  if (!$("strip").open) return;
  const film = $("strip-body").querySelector(".film");
  for (const { view, image, frames, pair, curtain, note } of strips) {
    const now = recordAt(view, state.epoch),
      from = referenceOf(view);
    for (const { record, button, painted } of frames) {
      if (record === now) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
      if (painted === look()) continue;
      filmed.unobserve(button);
      filmed.observe(button);
    }
    for (const { kind, canvas, name } of pair) {
      const what =
        kind === "change"
          ? paint(canvas, view, image, state.epoch, from ?? null)
          : paint(canvas, view, image, kind === "to" ? state.epoch : (from ?? -1));
      name.textContent =
        kind === "change" ? `Change, ${from ?? "–"} → ${now?.epoch ?? "–"}` : `Epoch ${what.record?.epoch ?? "–"}`;
      canvas.setAttribute("aria-label", `${name.textContent}: ${whereStrongest(view, what)}`);
    }
    const sides = /** @type {const} */ ([
      [curtain.under, from ?? -1],
      [curtain.over, state.epoch],
    ]);
    for (const [canvas, epoch] of sides) {
      const what = paint(canvas, view, image, epoch);
      canvas.setAttribute("aria-label", `Curtain, epoch ${what.record?.epoch ?? "–"}: ${whereStrongest(view, what)}`);
    }
    const moved = imageMoved(view, image),
      beyond = imageBeyondNoise(view, image);
    note.textContent =
      moved == null
        ? `${now?.epoch === from ? "The same epoch twice" : "Not measurable between these epochs"}.`
        : `${capital(movedPhrase(moved))}${beyond == null ? "" : beyond ? ", more than noise" : moved > 0 ? ", not more than noise" : ""}.`;
  }
  const at = epochs.indexOf(state.epoch);
  for (const column of $("strip-body").querySelectorAll(".column")) column.setAttribute("x", String(at * COLUMN));
  if (film) film.scrollLeft = ((at + 0.5) / epochs.length) * film.scrollWidth - film.clientWidth / 2;
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

/** Goes to the epoch whose step moved the open image's maps farthest. */
function largestJump() {
  const steps = strips.flatMap(({ view, image }) =>
    view.records.slice(1).map((record, at) => ({
      epoch: record.epoch,
      moved: imageMoved(view, image, record.epoch, view.records[at].epoch) ?? -Infinity,
    })),
  );
  if (!steps.length) return;
  const most = steps.reduce((best, step) => (step.moved > best.moved ? step : best));
  if (most.moved > -Infinity) setEpoch(most.epoch);
}

function listenToStrip() {
  $("strip").addEventListener("close", closeStrip);
  $("strip").addEventListener("click", (event) => event.target === $("strip") && $("strip").close());
  $("strip-close").addEventListener("click", () => $("strip").close());
  $("strip-back").addEventListener("click", () => stepImage(-1));
  $("strip-forward").addEventListener("click", () => stepImage(1));
  $("strip-jump").addEventListener("click", largestJump);
  $("strip-save").addEventListener("click", saveFilm);
  $("strip").addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.closest("select") !== null;
    if (typing || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "[" || event.key === "]") stepImage(event.key === "[" ? -1 : 1);
    else if (event.key === "m") largestJump();
  });
}
