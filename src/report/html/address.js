// @ts-check
// The address of the page, which says all that it shows, so that a link brings it back.

/** What the address names beside the epoch and the open image: controls, and their values when it is silent. */
const ADDRESSED = /** @type {const} */ (["since", "mode", "class", "outcome", "sort", "measure", "colours", "scale"]);
/** @type {Map<string, string>} */
const defaults = new Map();

/** The part of the address that says all that the page shows: of the controls, those that were changed. */
function hashOf() {
  const parts = new URLSearchParams({ epoch: String(state.epoch) });
  for (const id of ADDRESSED) if ($(id).value !== defaults.get(id)) parts.set(id, $(id).value);
  if (state.focus) {
    if (runs.length > 1) parts.set("run", String(state.focus.run.index));
    parts.set("method", state.focus.method.explainer);
    if (targetsOf(state.focus) > 1) parts.set("target", state.focus.method.target);
  }
  if (views.some((view) => view.on !== view.first))
    parts.set(
      "shown",
      shownViews()
        .map((view) => view.index)
        .join("."),
    );
  if ($("strip").open && stripImage !== null) parts.set("image", stripImage);
  return `#${parts}`;
}

/** @param {View} view */
const targetsOf = ({ run, method }) => run.methods.filter((each) => each.explainer === method.explainer).length;

/** Puts all of it into the address, once it rests: browsers limit how often it may change. */
function remember() {
  $("strip-link").href = hashOf();
  clearTimeout(state.remembering);
  state.remembering = setTimeout(() => {
    if (location.hash !== hashOf()) history.replaceState(null, "", hashOf());
    chooseMost();
  }, 250);
}

/** Goes where a link says; what it is silent about stays. */
function follow() {
  const wanted = new URLSearchParams(location.hash.slice(1)),
    epoch = Number.parseInt(wanted.get("epoch") ?? "", 10),
    image = wanted.get("image");
  for (const id of ADDRESSED) {
    const value = wanted.get(id);
    if (value !== null && [...$(id).options].some((option) => option.value === value)) $(id).value = value;
  }
  const shown = (wanted.get("shown") ?? "").split(".").map(Number);
  if (wanted.has("shown")) show(views.filter((view) => shown.includes(view.index)));
  const method = wanted.get("method");
  if (method !== null) {
    const found = views.find(
      (view) =>
        view.method.explainer === method &&
        (wanted.get("target") ?? view.method.target) === view.method.target &&
        (wanted.get("run") ?? String(view.run.index)) === String(view.run.index),
    );
    if (found) {
      if (!found.on) show([...shownViews(), found]);
      state.focus = found;
    }
  }
  state.epoch = Number.isNaN(epoch) ? state.epoch : epoch;
  redraw();
  if (image !== null && cards.has(image)) openStrip(image);
  else if ($("strip").open) $("strip").close();
  setEpoch(state.epoch);
  if (wanted.has("class") && !wanted.has("epoch")) jump($("panel"));
}

/** @param {number} epoch */
function chooseSince(epoch) {
  $("since").value = String(epoch);
}

/** Loads the page again while its runs train, in a moment when nobody uses it; at the newest epoch it stays at the newest. */
function watch() {
  if (!data.reload) return;
  const pause = 1000 * data.reload;
  let used = 0;
  for (const kind of ["pointerdown", "pointermove", "keydown", "wheel"])
    document.addEventListener(kind, () => {
      used = Date.now();
    });
  setInterval(() => {
    if (state.timer || Date.now() - used < pause) return;
    const parts = new URLSearchParams(hashOf().slice(1));
    if (state.epoch === lastEpoch) parts.delete("epoch");
    history.replaceState(null, "", `#${parts}`);
    location.reload();
  }, pause);
}
