// @ts-check
// The panel: a card an image, with every view's map at the slider's epoch; sorted, filtered, painted when seen.

const PAGE = 12;
const ids = [...new Set(runs.flatMap((run) => run.images.map((image) => image.id)))];
/** @type {Map<string, Card>} */
const cards = new Map();
/** How far outside the window cards are painted already, in pixels. */
const MARGIN = 300;
const scrolledTo = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      const card = cardOf(target);
      if (isIntersecting && card && card.painted !== state.paints) paintCard(card);
    }
  },
  { rootMargin: `${MARGIN}px` },
);

/**
 * The card of an item of the list.
 *
 * @param {Element} item
 */
const cardOf = (item) => cards.get(item.getAttribute("data-id") ?? "");

/**
 * Where an image lies in a run's panel, which has it.
 *
 * @param {Run} run
 * @param {string} id
 */
const placeOf = (run, id) => run.indexOf.get(id) ?? 0;

/** Paints the cards in the window; the others when they are scrolled to. */
function paintCards() {
  state.paints += 1;
  for (const item of $("cards").children) {
    const { top, bottom } = item.getBoundingClientRect(),
      card = cardOf(item);
    if (card && bottom > -MARGIN && top < innerHeight + MARGIN) paintCard(card);
  }
}

/**
 * A canvas for a view's map of an image.
 *
 * @param {View} view
 * @param {string} id
 * @returns {MapCanvas}
 */
function mapCanvas(view, id) {
  const { explainer, target } = view.method;
  const made = element("canvas", {
    role: "img",
    width: 96,
    height: 96,
    "data-run": view.run.name,
    "data-explainer": explainer,
    "data-target": target,
    "data-image": id,
  });
  /** @type {MapCanvas} */
  const canvas = Object.assign(made, { view });
  canvas.addEventListener("pointermove", (event) => tip(event, valueAt(canvas, event)));
  canvas.addEventListener("pointerleave", () => tip());
  return canvas;
}

/**
 * A note beside the pointer; without text, none.
 *
 * @param {PointerEvent} [event]
 * @param {string} [text]
 */
function tip(event, text) {
  $("tip").hidden = !text;
  if (!event || !text) return;
  $("tip").textContent = text;
  $("tip").style.left = `${Math.min(event.clientX + 14, innerWidth - 190)}px`;
  $("tip").style.top = `${event.clientY + 16}px`;
}

/**
 * @param {View} view
 * @param {number} image
 * @param {string} id
 * @returns {MapTile}
 */
function tile(view, image, id) {
  const canvas = mapCanvas(view, id),
    facts = element("span", { class: "facts" });
  return {
    view,
    image,
    canvas,
    facts,
    box: element("div", { class: "tile" }, canvas, element("span", { class: "name" }, view.title), facts),
  };
}

/**
 * What a run predicted, with a sign that does not need its colour.
 *
 * @param {Run} run
 * @param {number} image
 * @param {number} epoch
 */
function says(run, image, epoch) {
  const said = outcome(run, image, epoch),
    made = element("span", { class: "prediction" });
  if (!said) return made;
  made.append(`${said.right ? "✓" : "✗"} ${said.name} `, element("span", { class: "soft" }, percent(said.probability)));
  made.classList.toggle("wrong", !said.right);
  if (said.changed) made.append(" ", element("span", { class: "badge" }, "changed"));
  return made;
}

/**
 * @param {Child} title
 * @param {HTMLElement[]} tiles
 */
function group(title, tiles) {
  const made = element(
    "div",
    { class: "group" },
    element("div", { class: "group-head" }, title),
    element("div", { class: "tiles" }, ...tiles),
  );
  made.style.setProperty("--n", String(tiles.length));
  return made;
}

/**
 * @param {string} id
 * @returns {Card}
 */
function makeCard(id) {
  const owners = runs.filter((run) => run.indexOf.has(id)),
    run = owners[0],
    image = run.images[placeOf(run, id)],
    name = run.classes[image.label] ?? "unknown";
  const open = element("button", { type: "button", class: "plain", "aria-haspopup": "dialog" }, name);
  const original = element(
    "div",
    { class: "tile" },
    element("img", { src: data.pictures[image.picture], alt: `Image of class ${name}`, loading: "lazy" }),
    element("span", { class: "name" }, "Picture"),
    element("span", { class: "facts" }),
  );
  const body = element("div", { class: "groups" });
  const article = element(
    "article",
    { class: "card", "aria-label": `${name}, ${id}` },
    element("h3", {}, open, element("small", { title: id }, element("bdi", {}, id))),
    body,
  );
  article.addEventListener("click", () => openStrip(id));
  const item = element("li", { "data-id": id, "data-class": name }, article);
  scrolledTo.observe(item);
  return { id, item, body, original, owners, className: name, tiles: [], heads: [], painted: 0 };
}

/**
 * Puts the tiles of the views that are on into a card.
 *
 * @param {Card} card
 */
function furnish(card) {
  card.heads = card.owners.map((run) => ({ run, box: element("span", {}) }));
  card.tiles = shownViews()
    .filter((view) => card.owners.includes(view.run))
    .map((view) => tile(view, placeOf(view.run, card.id), card.id));
  const groups = card.heads
    .map(({ run, box }) => ({ box, tiles: card.tiles.filter((each) => each.view.run === run) }))
    .filter(({ tiles }) => tiles.length);
  card.body.replaceChildren(
    group("", [card.original]),
    ...groups.map(({ box, tiles }) =>
      group(
        box,
        tiles.map((each) => each.box),
      ),
    ),
  );
}

/**
 * The epoch a card's maps are compared with, when changes are shown.
 *
 * @param {View} view
 */
const sinceEpoch = (view) => ($("mode").value === "change" ? (epochOf(view, $("since").value) ?? null) : undefined);

/** @param {Card} card */
function paintCard(card) {
  card.painted = state.paints;
  for (const { run, box } of card.heads) {
    const said = says(run, placeOf(run, card.id), state.epoch);
    box.replaceChildren(...(runs.length > 1 ? [element("b", {}, run.label), said] : [said]));
  }
  for (const { view, image, canvas, facts } of card.tiles) {
    const what = paint(canvas, view, image, state.epoch, sinceEpoch(view));
    canvas.setAttribute(
      "aria-label",
      `${view.label}, epoch ${what.record?.epoch ?? "none"}: ${whereStrongest(view, what)}`,
    );
    const drift = imageDrift(view, image);
    // Maps divided by their own strongest value before they are subtracted have no unit to tell.
    const full = what.before && $("scale").value === "own" ? null : `max ${what.full?.toPrecision(2)}`;
    const lines = [what.missing ?? full, drift == null ? null : `drift ${short(drift)}`].flatMap((line) => line ?? []);
    facts.replaceChildren(...lines.flatMap((line, index) => (index ? [element("br"), line] : [line])));
    if (what.record?.noise)
      facts.append(
        element("br"),
        element("span", { class: "badge", title: "Explains a head that was never trained" }, "untrained head"),
      );
    else if (what.record && what.record.epoch !== state.epoch)
      facts.append(element("br"), element("span", { class: "badge" }, `epoch ${what.record.epoch}`));
  }
}

/**
 * Whether an image's map drifted more than noise makes maps drift, by any view.
 *
 * @param {Card} card
 */
function beyondFloor(card) {
  return card.tiles.some(({ view, image }) => {
    const drift = imageDrift(view, image),
      floor = estimate(view, recordAt(view, state.epoch)?.epoch)?.floor;
    return drift != null && floor != null && drift > (measure().higher_is_more_similar ? 1 - floor : floor);
  });
}

/** @type {{ [name: string]: (outcomes: Outcome[], card: Card) => boolean }} */
const FILTERS = {
  all: () => true,
  right: (outcomes) => outcomes.every((each) => each.right),
  wrong: (outcomes) => outcomes.some((each) => !each.right),
  changed: (outcomes) => outcomes.some((each) => each.changed),
  moved: (_, card) => beyondFloor(card),
};

/**
 * @param {Card} card
 * @returns {Outcome[]}
 */
function outcomesOf(card) {
  return card.owners.flatMap((run) => outcome(run, placeOf(run, card.id), state.epoch) ?? []);
}

/**
 * How far up a card belongs, larger first.
 *
 * @param {Card} card
 */
function sortKey(card) {
  const chosen = $("sort").value,
    drifts = card.tiles.map((each) => imageDrift(each.view, each.image) ?? -Infinity);
  if (chosen === "changed") return outcomesOf(card).filter((each) => each.changed).length;
  if (chosen === "unsure") return -Math.min(1, ...outcomesOf(card).map((each) => each.ofLabel));
  if (chosen === "drift") return Math.max(-Infinity, ...drifts);
  return drifts[card.tiles.findIndex((each) => String(each.view.index) === chosen)] ?? -Infinity;
}

function arrange() {
  const kept = [...cards.values()].filter(
    (card) =>
      ($("class").value === "" || card.className === $("class").value) &&
      FILTERS[$("outcome").value](outcomesOf(card), card),
  );
  if ($("sort").value === "class") kept.sort((one, other) => one.className.localeCompare(other.className));
  else if ($("sort").value !== "panel") {
    const keys = new Map(kept.map((card) => [card.id, sortKey(card)]));
    /** @type {(card: Card) => number} */
    const key = (card) => keys.get(card.id) ?? -Infinity;
    kept.sort((one, other) => Number(key(other) > key(one)) - Number(key(other) < key(one)));
  }
  const shown = kept.slice(0, Math.max(state.shown, PAGE)),
    items = shown.map((card) => card.item),
    list = $("cards");
  // Cards that stay where they are keep the focus and are not painted twice.
  if (items.length !== list.children.length || items.some((item, index) => item !== list.children[index]))
    list.replaceChildren(...items);
  $("count").textContent =
    kept.length === shown.length
      ? `${kept.length} of ${cards.size} images`
      : `${shown.length} shown of ${kept.length} images`;
  $("more").hidden = kept.length === shown.length;
  $("all").textContent = `Show all ${kept.length}`;
  $("none").hidden = kept.length > 0;
  return kept.map((card) => card.id);
}
