// @ts-check
// Drift by class and by what happened to the prediction, at the slider's epoch.

const sorting = { column: 0, down: false };
const classNames = [...new Set(runs.flatMap((run) => run.classes))];

/**
 * The columns of the class table: a heading in two rows, and the value of a class.
 *
 * @returns {Column[]}
 */
function classColumns() {
  /** @type {(run: Run, name: string) => [PanelImage, number][]} */
  const image = (run, name) => run.images.flatMap((one, at) => (run.classes[one.label] === name ? [[one, at]] : []));
  /** @type {Column[]} */
  const columns = [
    { over: "", name: "Class", of: (name) => name, format: String },
    { over: "", name: "Images", of: (name) => Math.max(...runs.map((run) => image(run, name).length)), format: String },
  ];
  for (const run of runs) {
    /** @type {(name: string) => number | null} */
    const right = (name) => {
      const asked = image(run, name).flatMap(([, at]) => outcome(run, at, state.epoch) ?? []);
      return asked.length ? asked.filter((each) => each.right).length / asked.length : null;
    };
    columns.push({
      over: run.label,
      first: true,
      name: "Panel accuracy",
      of: right,
      format: percent,
      part: (value) => value,
    });
    if (run.epochs.some((epoch) => epoch.class_accuracy?.length)) {
      /** @type {(name: string) => number | null} */
      const all = (name) => run.byEpoch.get(state.epoch)?.class_accuracy?.[run.classes.indexOf(name)] ?? null;
      columns.push({ over: run.label, name: "Validation accuracy", of: all, format: percent, part: (value) => value });
    }
    for (const view of shownViews().filter((each) => each.run === run)) {
      if (!run.drift.some((row) => row.group?.startsWith("class:") && row.explainer === view.method.explainer))
        continue;
      columns.push({
        over: run.label,
        name: view.title,
        of: (name) => movedOfClass(view, name).moved,
        format: movedText,
        part: (moved) => Math.max(moved, 0) / 100,
        about: (name) => movedOfClass(view, name),
        drift: true,
      });
    }
  }
  return columns;
}

/** A mean over fewer images than this is shown in grey: one image can make it. */
const FEW = 5;

/**
 * How far the maps of a class moved, with its interval where the page has one, and of how many images.
 *
 * @param {View} view
 * @param {string} name
 */
function movedOfClass(view, name) {
  const { run } = view,
    { moved, count } = imagesMoved(
      view,
      run.images.flatMap((image, at) => (run.classes[image.label] === name ? [at] : [])),
    );
  const pair = pairNow(view),
    row = pair && classEstimate(view, pair, name);
  const ends = (row?.interval ?? []).map((end) => movedOf(pair, end)).filter((end) => end != null);
  return { moved, count, ends: ends.sort((one, other) => one - other) };
}

/**
 * The estimate of a class in the matrix's measure, of a pair's two epochs.
 *
 * @param {View} view
 * @param {Pair} pair
 * @param {string} name
 */
function classEstimate({ run, method, matrix }, pair, name) {
  const at = (/** @type {string} */ against) =>
    run.estimateAt.get(keyOf(method.explainer, method.target, matrix?.measure, against, `class:${name}`, pair.epoch));
  return ["previous", "first"].map(at).find((row) => row?.reference_epoch === pair.reference);
}

function drawClasses() {
  const columns = classColumns(),
    order = Math.min(sorting.column, columns.length - 1),
    by = columns[order].of;
  const present = classNames.filter((name) =>
    runs.some((run) => run.images.some((image) => run.classes[image.label] === name)),
  );
  const rows = present.map((name) => ({ name, values: columns.map((column) => column.of(name)), key: by(name) }));
  /** @type {(one: string | number | null, other: string | number | null) => number} */
  const compare = (one, other) =>
    typeof one === "string" ? one.localeCompare(String(other)) : Number(one) - Number(other);
  // What is not known comes last, whichever way the column is sorted.
  rows.sort(
    (one, other) =>
      Number(one.key == null) - Number(other.key == null) ||
      (one.key == null ? 0 : compare(one.key, other.key) * (sorting.down ? -1 : 1)),
  );
  const heads = columns.map((column, index) => {
    const button = element("button", { type: "button", class: "plain", "data-column": index }, column.name);
    button.addEventListener("click", () => {
      Object.assign(sorting, { down: sorting.column === index ? !sorting.down : index > 0, column: index });
      drawClasses();
      /** @type {HTMLElement | null} */ ($("classes").querySelector(`[data-column="${index}"]`))?.focus();
    });
    return element(
      "th",
      {
        scope: "col",
        class: column.first ? "first" : null,
        "aria-sort": index === order ? (sorting.down ? "descending" : "ascending") : "none",
      },
      button,
    );
  });
  const body = rows.map(({ name, values }) =>
    element(
      "tr",
      {},
      ...values.map((value, index) =>
        index ? bar(columns[index], value, name) : element("th", { scope: "row" }, classButton(name)),
      ),
    ),
  );
  const drifts = columns.some((column) => column.drift)
    ? ` Under a method’s name: how far the maps moved since ${AGAINST[against()] ?? `epoch ${against()}`}, with the 95 % interval and the number of images; in grey of fewer than ${FEW}.`
    : "";
  $("classes-note").textContent =
    `At epoch ${state.epoch}.${drifts} Click a heading to sort, a class to see its images.`;
  $("classes").replaceChildren(
    element("caption", { class: "hidden" }, `Classes at epoch ${state.epoch}`),
    element("thead", {}, element("tr", { class: "over" }, ...spans(columns)), element("tr", {}, ...heads)),
    element("tbody", {}, ...body),
  );
}

/**
 * The upper row of headings: one over all neighbours of one run.
 *
 * @param {Column[]} columns
 */
function spans(columns) {
  /** @type {{ over: string, count: number }[]} */
  const runsOf = [];
  for (const { over } of columns) {
    const last = runsOf[runsOf.length - 1];
    if (last?.over === over) last.count += 1;
    else runsOf.push({ over, count: 1 });
  }
  return runsOf.map(({ over, count }) =>
    over
      ? element("th", { scope: "colgroup", colspan: count, class: "first" }, over)
      : element("td", { colspan: count }),
  );
}

/** @param {string} name */
function classButton(name) {
  const button = element("button", { type: "button", class: "plain", title: "Show the images of this class" }, name);
  button.addEventListener("click", () => {
    $("class").value = name;
    sortAgain();
    jump($("panel"));
  });
  return button;
}

/**
 * A number with a bar under it as long as its share of what is possible.
 *
 * @param {Column} column
 * @param {string | number | null} value
 * @param {string} name
 */
function bar({ format, part, first, about }, value, name) {
  const number = value == null ? null : Number(value),
    cell = element("td", { class: first ? "first" : null }, about && number == null ? "–" : format(number));
  const known = about?.(name);
  if (known?.count) {
    const ends = known.ends.length ? `[${known.ends.map((end) => Math.round(end)).join(", ")}] ` : "";
    cell.append(element("small", {}, `${ends}n = ${known.count}`));
    cell.classList.toggle("few", known.count < FEW);
  }
  const share = number == null ? null : part?.(number);
  if (share != null) {
    cell.classList.add("bar-cell");
    cell.style.setProperty("--part", `${(100 * Math.min(Math.max(share, 0), 1)).toFixed(1)}%`);
  }
  return cell;
}

const GROUPS = [
  ["all", "All images"],
  ["stays-right", "Stays right"],
  ["becomes-right", "Becomes right"],
  ["becomes-wrong", "Becomes wrong"],
  ["stays-wrong", "Stays wrong"],
];

function drawOutcomes() {
  const shown = shownViews(),
    splits = GROUPS.slice(1).some(([group]) => runs.some((run) => run.drift.some((row) => row.group === group)));
  $("outcomes-part").hidden = !splits;
  if (!splits) return;
  const head = element(
    "tr",
    {},
    element("th", { scope: "col" }, "Prediction"),
    ...shown.map((view) => element("th", { scope: "col" }, view.label)),
  );
  const rows = GROUPS.map(([group, name]) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      ...shown.map((view) => {
        const row = estimate(view, recordAt(view, state.epoch)?.epoch, group),
          number = row?.defined ?? 0;
        if (row?.value == null) return element("td", {}, "–");
        return element(
          "td",
          {},
          element("b", {}, short(row.value)),
          interval(row),
          element("small", {}, `${number} image${number === 1 ? "" : "s"}`),
        );
      }),
    ),
  );
  $("outcomes").replaceChildren(
    element("caption", { class: "hidden" }, `Drift by what happened to the prediction, epoch ${state.epoch}`),
    element("thead", {}, head),
    element("tbody", {}, ...rows),
  );
}
