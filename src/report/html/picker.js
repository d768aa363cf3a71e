// @ts-check
// Which runs, methods and targets are shown: a chip each, so that nine methods of two targets are eleven chips.

/** @type {("run" | "explainer" | "target")[]} */
const FACETS = ["run", "explainer", "target"];
/** @type {{ [facet: string]: string }} */
const FACET_TITLES = { run: "Runs", explainer: "Methods", target: "Targets" };

/**
 * What a view has of a facet; methods that ask about no class have no target.
 *
 * @param {View} view
 * @param {string} facet
 */
function facetOf({ run, method }, facet) {
  if (facet === "run") return String(run.index);
  return facet === "explainer" ? method.explainer : method.class_specific ? method.target : "";
}

/** @type {{ [facet: string]: Set<string> }} */
const chosen = Object.fromEntries(
  FACETS.map((facet) => [facet, new Set(views.filter((view) => view.on).map((view) => facetOf(view, facet)))]),
);

/** Shows the views whose run, method and target are all chosen. */
function pick() {
  for (const view of views)
    view.on = FACETS.every((facet) => facetOf(view, facet) === "" || chosen[facet].has(facetOf(view, facet)));
  for (const card of cards.values()) furnish(card);
  redraw();
}

/**
 * Shows exactly these views, and their chips as chosen.
 *
 * @param {View[]} shown
 */
function show(shown) {
  for (const view of views) view.on = shown.includes(view);
  for (const facet of FACETS) chosen[facet] = new Set(shown.map((view) => facetOf(view, facet)));
  for (const box of $("methods").querySelectorAll("input"))
    box.checked = chosen[box.dataset.facet ?? ""]?.has(box.value) ?? false;
  for (const card of cards.values()) furnish(card);
}

/**
 * @param {string} facet
 * @param {string} value
 */
function chip(facet, value) {
  const own = views.filter((view) => facetOf(view, facet) === value),
    [{ run, method, colour }] = own;
  const box = element("input", {
    type: "checkbox",
    value,
    "data-facet": facet,
    [`data-${facet}`]: facet === "run" ? run.name : value,
  });
  box.checked = chosen[facet].has(value);
  box.addEventListener("change", () => {
    if (box.checked) chosen[facet].add(value);
    else chosen[facet].delete(value);
    pick();
  });
  // A method of several runs or targets has a colour in each of them.
  const spots = facet === "run" ? [swatch(run.colour)] : own.length === 1 ? [swatch(colour)] : [];
  const name = { run: run.label, explainer: method.title, target: spaced(value) }[facet] ?? value;
  return element("label", { class: "chip" }, box, ...spots, name);
}

function drawPicker() {
  const rows = FACETS.flatMap((facet) => {
    const values = [...new Set(views.map((view) => facetOf(view, facet)))].filter(Boolean);
    if (values.length < 2) return [];
    const all = element("button", { type: "button", class: "plain soft" }, "all"),
      chips = element("div", { class: "chip-row" }, ...values.map((value) => chip(facet, value)));
    all.addEventListener("click", () => {
      for (const value of values) chosen[facet].add(value);
      for (const box of chips.querySelectorAll("input")) box.checked = true;
      pick();
    });
    const legend = element("legend", {}, FACET_TITLES[facet]);
    return [element("fieldset", { class: "chips" }, legend, chips, ...(values.length > 3 ? [all] : []))];
  });
  $("methods").append(...rows);
  $("methods").hidden = rows.length === 0;
}
