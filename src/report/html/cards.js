// @ts-check
// The panel: a card an image, with every view's map at the slider's epoch; sorted, filtered, painted when seen.

const PAGE = 12;
/** So many maps stand in one row with their picture; more of them wrap. */
const ROW = 4;
/** A card with more maps takes the whole width. */
const WIDE = 8;
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
    else {
      // To be told again where it is: a jump within one frame would go unnoticed.
      scrolledTo.unobserve(item);
      scrolledTo.observe(item);
    }
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
    // Until it is painted, and says what it shows.
    "aria-label": view.label,
  });
  /** @type {MapCanvas} */
  const canvas = Object.assign(made, { view });
  canvas.addEventListener("pointermove", (event) => tip(event, valueAt(canvas, event)));
  canvas.addEventListener("pointerleave", () => tip());
  return canvas;
}

/**
 * A note beside the pointer, or a place; without text, none.
 *
 * @param {{ clientX: number, clientY: number }} [event]
 * @param {string} [text]
 */
function tip(event, text) {
  $("tip").hidden = !text;
  if (!event || !text) return;
  $("tip").textContent = text;
  $("tip").style.left = `${Math.max(Math.min(event.clientX + 14, innerWidth - $("tip").offsetWidth - 8), 8)}px`;
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
    badge = element("span", { class: "badge", hidden: "" }),
    facts = element("span", { class: "facts" });
  return {
    view,
    image,
    canvas,
    badge,
    facts,
    box: element("div", { class: "tile" }, canvas, badge, element("span", { class: "name" }, view.method.title), facts),
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
  const what = `${said.right ? "✓" : "✗"} ${said.name}`,
    probability = percent(said.probability);
  made.append(element("span", { class: "what" }, what), " ", element("span", { class: "soft" }, probability));
  made.title = `${what} ${probability}`;
  made.classList.toggle("wrong", !said.right);
  if (said.changed) made.append(" ", element("span", { class: "badge" }, "changed"));
  return made;
}

/**
 * @param {Child[]} head
 * @param {HTMLElement[]} tiles
 */
function group(head, tiles) {
  const made = element(
    "div",
    { class: "group" },
    element("div", { class: "group-head" }, ...head),
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
  const open = element("button", { type: "button", class: "plain", "aria-haspopup": "dialog", title: name }, name);
  // The picture that is decoded anyway, unless two images share it.
  const known = bitmaps[image.picture],
    picture = known.parentNode ? Object.assign(new Image(), { src: known.src }) : known;
  picture.alt = `Image of class ${name}`;
  const original = element("div", { class: "tile" }, picture, element("span", { class: "name" }, "Picture"));
  const save = element(
    "button",
    { type: "button", class: "plain save", "aria-label": `Save ${name}, ${id}, as PNG`, title: "Save as PNG" },
    "PNG",
  );
  save.addEventListener("click", (event) => {
    event.stopPropagation();
    const card = cards.get(id);
    if (card) saveCard(card);
  });
  const body = element("div", { class: "inner" });
  const article = element(
    "article",
    { class: "card", "aria-label": `${name}, ${id}` },
    element("h3", {}, open, element("small", { title: id }, element("bdi", {}, id)), save),
    body,
  );
  article.addEventListener("click", () => openStrip(id));
  const item = element("li", { "data-id": id, "data-class": name }, article);
  scrolledTo.observe(item);
  return { id, item, body, original, owners, className: name, tiles: [], frames: [], heads: [], painted: 0 };
}

/**
 * Puts the tiles of the views that are on into a card: a group a run, and in each a row a kind of target. Methods that
 * ask about no class come last in the first row, so that the others stand under one another.
 *
 * @param {Card} card
 */
function furnish(card) {
  const small = inMultiples();
  card.frames = [];
  card.heads = card.owners.map((run) => ({ run, box: element("span", {}) }));
  card.tiles = shownViews()
    .filter((view) => card.owners.includes(view.run))
    .map((view) => tile(view, placeOf(view.run, card.id), card.id));
  const groups = card.heads.flatMap(({ run, box }) => {
    const own = card.tiles.filter(({ view }) => view.run === run),
      free = own.filter(({ view }) => !view.method.class_specific),
      asked = own.filter(({ view }) => view.method.class_specific);
    const targets = [...new Set(asked.map(({ view }) => view.method.target))],
      rows = targets.length ? targets : [""];
    return rows.flatMap((target, row) => {
      const tiles = [...asked.filter(({ view }) => view.method.target === target), ...(row ? [] : free)];
      const name = targets.length > 1 ? [element("small", {}, `explaining the ${spaced(target)}`)] : [];
      return tiles.length
        ? [
            group(
              row ? name : [box, ...name],
              tiles.map((each) => each.box),
            ),
          ]
        : [];
    });
  });
  card.body.replaceChildren(
    group([], [card.original]),
    small ? multiples(card) : element("div", { class: "groups" }, ...groups),
  );
  card.body.classList.toggle("row", !small && card.tiles.length <= ROW);
  card.body.style.setProperty("--columns", String(1 + card.tiles.length));
  card.item.classList.toggle("wide", small ? epochs.length > WIDE : card.tiles.length > WIDE);
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
  if (inMultiples()) {
    paintMultiples(card);
    return;
  }
  for (const { run, box } of card.heads) {
    const said = says(run, placeOf(run, card.id), state.epoch);
    box.replaceChildren(...(runs.length > 1 ? [element("b", {}, run.label), said] : [said]));
  }
  for (const { view, image, canvas, badge, facts } of card.tiles) {
    const what = paint(canvas, view, image, state.epoch, sinceEpoch(view));
    canvas.setAttribute(
      "aria-label",
      `${view.label}, epoch ${what.record?.epoch ?? "none"}: ${whereStrongest(view, what)}`,
    );
    const moved = imageMoved(view, image);
    const lines = [what.missing ?? strength(what), moved == null ? null : movedPhrase(moved)];
    facts.replaceChildren(...lines.flatMap((line) => (line == null ? [] : [element("span", {}, line)])));
    const late = what.record && what.record.epoch !== state.epoch ? `epoch ${what.record.epoch}` : "";
    badge.textContent = what.record?.noise ? "untrained head" : late;
    badge.title = what.record?.noise ? "Explains a head that was never trained" : late && "The last epoch of this run";
    badge.hidden = !badge.textContent;
  }
}

/**
 * How strong a map is: its strongest value, and beside a shared scale, how much of full colour that is.
 *
 * @param {Shown} what
 * @returns {string | null}
 */
function strength({ record, before, values, full, signed }) {
  // Maps divided by their own strongest value before they are subtracted have no unit to tell.
  if (!record || !values || !full || (before && $("scale").value === "own")) return null;
  if ($("scale").value === "own") return `max ${full.toPrecision(2)}`;
  const most = values.reduce(
    (most, value) => (Math.abs(value) > Math.abs(most) && (signed || value > 0) ? value : most),
    0,
  );
  return `peak\u00a0${most < 0 ? "−" : ""}${Math.round((100 * Math.abs(most)) / full)}\u00a0%`;
}

/** @type {{ [name: string]: (outcomes: Outcome[], card: Card) => boolean }} */
const FILTERS = {
  all: () => true,
  right: (outcomes) => outcomes.every((each) => each.right),
  wrong: (outcomes) => outcomes.some((each) => !each.right),
  changed: (outcomes) => outcomes.some((each) => each.changed),
  moved: (_, card) => card.tiles.some(({ view, image }) => imageBeyondNoise(view, image) === true),
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
    moves = card.tiles.map((each) => imageMoved(each.view, each.image) ?? -Infinity);
  if (chosen === "changed") return outcomesOf(card).filter((each) => each.changed).length;
  if (chosen === "unsure") return -Math.min(1, ...outcomesOf(card).map((each) => each.ofLabel));
  if (chosen === "moved") return Math.max(-Infinity, ...moves);
  return moves[card.tiles.findIndex((each) => String(each.view.index) === chosen)] ?? -Infinity;
}

/**
 * The images in their order, as it was when the order or the filter was last chosen: what depends on the epoch is not
 * asked again while the slider moves, so that every card stays where it is.
 *
 * @type {{ epoch: number, ids: string[] }}
 */
const pinned = { epoch: lastEpoch, ids: [] };
const byEpoch = () => !["panel", "class"].includes($("sort").value) || $("outcome").value !== "all";

/**
 * Images that were chosen in another figure, and how they are called.
 *
 * @type {{ name: string, ids: Set<string> } | null}
 */
let only = null;

/**
 * Shows the cards of some images alone, until that is undone.
 *
 * @param {string} name
 * @param {string[]} ids
 */
function showOnly(name, ids) {
  only = { name, ids: new Set(ids) };
  sortAgain();
  jump($("panel"));
}

/** Sorts and filters the images as they are at the slider's epoch. */
function pin() {
  const kept = [...cards.values()].filter(
    (card) =>
      (only?.ids.has(card.id) ?? true) &&
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
  pinned.epoch = state.epoch;
  pinned.ids = kept.map((card) => card.id);
}

/** Whether the cards are furnished for all epochs at once. */
let small = false;

/** Puts the pinned cards into the list, and says how many there are and as of when. */
function arrange() {
  if (small !== inMultiples()) {
    small = inMultiples();
    for (const card of cards.values()) furnish(card);
  }
  const { ids, epoch } = pinned,
    shown = ids.slice(0, Math.max(state.shown, PAGE)),
    items = shown.flatMap((id) => cards.get(id)?.item ?? []),
    list = $("cards");
  // Cards that stay where they are keep the focus and are not painted twice.
  if (items.length !== list.children.length || items.some((item, index) => item !== list.children[index]))
    list.replaceChildren(...items);
  const of =
    ids.length === shown.length
      ? `${ids.length} of ${cards.size} images`
      : `${shown.length} shown of ${ids.length} images`;
  $("count").textContent = byEpoch() ? `${of}, as of epoch ${epoch}` : of;
  $("only").hidden = !only;
  $("only").textContent = only ? `${only.name} ×` : "";
  $("again").hidden = !byEpoch() || epoch === state.epoch;
  $("again").textContent = `Sort and filter by epoch ${state.epoch}`;
  $("more").hidden = ids.length === shown.length;
  $("all").textContent = `Show all ${ids.length}`;
  $("none").hidden = ids.length > 0;
}
