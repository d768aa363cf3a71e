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
        format: movedShort,
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
  const { run } = view;
  return movedOfGroup(
    view,
    `class:${name}`,
    run.images.flatMap((image, at) => (run.classes[image.label] === name ? [at] : [])),
  );
}

/**
 * The same of a group of images by its name in the estimates.
 *
 * @param {View} view
 * @param {string} group
 * @param {number[]} images
 */
function movedOfGroup(view, group, images) {
  const { moved, count } = imagesMoved(view, images),
    pair = pairNow(view),
    row = pair && groupEstimate(view, pair, group);
  const ends = (row?.interval ?? []).map((end) => movedOf(pair, end)).filter((end) => end != null);
  return { moved, count, ends: ends.sort((one, other) => one - other) };
}

/**
 * The estimate of a group in the matrix's measure, of a pair's two epochs.
 *
 * @param {View} view
 * @param {Pair} pair
 * @param {string} group
 */
function groupEstimate({ run, method, matrix }, pair, group) {
  const at = (/** @type {string} */ against) =>
    run.estimateAt.get(keyOf(method.explainer, method.target, matrix?.measure, against, group, pair.epoch));
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
    cell.append(element("small", {}, `${movedEnds(number, known.ends)} n = ${known.count}`.trim()));
    cell.title = movedFull(number);
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

/**
 * What happened to the prediction of each image between two epochs, by the names of `GROUPS`; nothing where one of them was
 * not asked.
 *
 * @param {Run} run
 * @param {Pair} pair
 */
function fates(run, pair) {
  const [before, now] = [pair.reference, pair.epoch].map((epoch) => run.byEpoch.get(epoch)?.predictions?.predicted);
  if (!before || !now) return [];
  return run.images.map(
    ({ label }, at) =>
      `${(before[at] === label) === (now[at] === label) ? "stays" : "becomes"}-${now[at] === label ? "right" : "wrong"}`,
  );
}

/**
 * How far the maps of a group moved: its mean, with its interval where the page has one, and of how many images.
 *
 * @param {View} view
 * @param {string} group
 */
function outcomeCell(view, group) {
  const pair = pairNow(view);
  if (!pair) return element("td", {}, "–");
  const of = fates(view.run, pair),
    members = view.run.images.flatMap((_, at) => (group === "all" || of[at] === group ? [at] : []));
  const panel = { moved: pair.moved, count: pair.defined ?? 0, ends: [pair.low, pair.high] },
    { moved, count, ends } = group === "all" ? panel : movedOfGroup(view, group, members);
  if (!members.length || (pair.moved != null && !count)) return element("td", {}, "–");
  return element(
    "td",
    { class: count < FEW ? "few" : null, title: movedFull(moved) },
    element("b", {}, movedShort(moved)),
    ` ${movedEnds(moved, ends)}`,
    element("small", {}, `${count} image${count === 1 ? "" : "s"}`),
  );
}

function drawOutcomes() {
  const shown = shownViews().filter((view) => view.matrix),
    asked = runs.some((run) => run.epochs.filter((each) => each.predictions).length > 1);
  $("outcomes-part").hidden = !asked || !shown.length;
  if (!asked || !shown.length) return;
  const since = AGAINST[against()] ?? `epoch ${against()}`;
  $("outcomes-note").textContent =
    `How far the maps moved since ${since}, by what happened to the prediction: ${MOVED_SCALE}. With the 95 % interval, ` +
    `where there is one; a mean over fewer than ${FEW} images is grey, because one image can make it.`;
  const head = element(
    "tr",
    {},
    element("th", { scope: "col" }, "Prediction"),
    ...shown.map((view) => element("th", { scope: "col" }, view.label)),
  );
  const rows = GROUPS.map(([group, name]) =>
    element("tr", {}, element("th", { scope: "row" }, name), ...shown.map((view) => outcomeCell(view, group))),
  );
  $("outcomes").replaceChildren(
    element("caption", { class: "hidden" }, `Moved by what happened to the prediction, epoch ${state.epoch}`),
    element("thead", {}, head),
    element("tbody", {}, ...rows),
  );
}
