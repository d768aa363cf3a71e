// @ts-check
// Drift in words, and in three numbers for each view.

/**
 * The estimates of the whole panel that have a value, by epoch.
 *
 * @param {View} view
 * @param {string} reference
 * @returns {(DriftRow & { value: number })[]}
 */
const panelEstimates = (view, reference) =>
  epochs.flatMap((epoch) => {
    const row = estimate(view, epoch, "all", reference);
    return row && row.value != null ? [{ ...row, value: row.value }] : [];
  });

/**
 * How a value stands to its floor and its chance.
 *
 * @param {DriftRow & { value: number }} row
 */
function verdict({ value, floor, chance }) {
  const sign = measure().higher_is_more_similar ? 1 : -1;
  if (floor != null && sign * value >= sign * floor)
    return "The last step is within the noise floor: the maps changed no more than imperceptible noise changes them.";
  if (chance != null && sign * value <= sign * chance)
    return "The last step is at chance: the maps of one image are no more alike than maps of different images.";
  if (floor == null || chance == null || floor === chance) return "";
  const part = (value - chance) / (floor - chance);
  return `The maps still drift: the last step is ${Math.round(100 * part)} % of the way from chance to the noise floor.`;
}

/**
 * @param {string} term
 * @param {string} value
 * @param {string} [note]
 */
function stat(term, value, note) {
  return element(
    "div",
    {},
    element("dt", {}, term),
    element("dd", {}, element("b", {}, value), note ? element("small", {}, note) : ""),
  );
}

/** @param {{ interval: Interval }} [row] */
const interval = (row) => (row?.interval ? ` [${row.interval.map(short).join(", ")}]` : "");

/** @param {View} view */
function settled(view) {
  return rowsOf(view, "stabilisation").map((row) => {
    const floor = row.against_floor === "seed" ? "seed" : "noise";
    return stat(`Settled within its ${floor} floor`, row.epoch == null ? "not yet" : `from epoch ${row.epoch}`);
  });
}

/** @param {View} view */
function kept(view) {
  const last = rowsOf(view, "paths").findLast((row) => row.path != null && row.path > 0 && row.net != null);
  return last?.path != null && last.net != null
    ? `Net drift since the first epoch is ${Math.round(100 * (last.net / last.path))} % of the total drift.`
    : "";
}

/** @param {View} view */
function summary(view) {
  const steps = panelEstimates(view, "previous"),
    since = panelEstimates(view, "first");
  const last = steps[steps.length - 1],
    far = since[since.length - 1];
  const title = element("h3", {}, swatch(view.colour), view.label);
  if (!last)
    return element(
      "li",
      { class: "summary" },
      title,
      element("p", { class: "note" }, "Too few epochs to measure drift."),
    );
  const numbers = element(
    "dl",
    {},
    stat(`Epoch ${last.reference_epoch} → ${last.epoch}`, short(last.value), interval(last).trim() || measure().label),
    far
      ? stat(`Epoch ${far.reference_epoch} → ${far.epoch}`, short(far.value), interval(far).trim() || measure().label)
      : "",
    ...settled(view),
  );
  const yardsticks = `Noise floor ${short(last.floor)}, ${last.seed_floor != null ? `seed floor ${short(last.seed_floor)}, ` : ""}chance ${short(last.chance)}.`;
  const sentence = [verdict(last), kept(view), yardsticks].filter(Boolean).join(" ");
  return element("li", { class: "summary" }, title, numbers, element("p", {}, sentence));
}

function drawSummary() {
  $("summaries").replaceChildren(...shownViews().map(summary));
  const direction = measure().higher_is_more_similar
    ? "1 is the same map, lower is more drift"
    : "0 is the same map, higher is more drift";
  $("summary-note").textContent =
    `${measure().label} between the maps of one image at two epochs, averaged over the panel: ${direction}.`;
  const warnings = runs.flatMap((run) =>
    run.warnings.map((text) => element("li", {}, runs.length > 1 ? `${run.label}: ${text}` : text)),
  );
  $("warnings").hidden = warnings.length === 0;
  $("warning-list").replaceChildren(...warnings);
}

function drawRuns() {
  for (const run of runs) {
    const trained = run.epochs.filter((epoch) => epoch.val_accuracy != null),
      last = trained[trained.length - 1];
    const asked = run.epochs.flatMap(({ epoch, predictions }) => (predictions ? [{ epoch, predictions }] : []));
    const from = asked.find((one) => one.epoch > 0) ?? asked[0],
      to = asked[asked.length - 1];
    const turned =
      from && from !== to
        ? from.predictions.predicted.filter((class_, image) => class_ !== to.predictions.predicted[image]).length
        : null;
    const facts = [
      last ? `${percent(last.val_accuracy)} validation accuracy at epoch ${last.epoch}` : "",
      `${run.images.length} panel images`,
      turned == null ? "" : `${turned} changed prediction after epoch ${from.epoch}`,
    ];
    $("runs").append(
      element(
        "li",
        {},
        swatch(run.colour),
        element("b", {}, run.label),
        run.model === run.name ? "" : ` (${run.model})`,
        ` ${facts.filter(Boolean).join(", ")}`,
      ),
    );
  }
}
