// @ts-check
// The answer in sentences, what the runs were made with, and drift in a few numbers for each view.

/**
 * A part of a sentence; what it is about is a link to it.
 *
 * @param {Run} run
 * @param {Part} part
 */
function partOf(run, { text, epoch, method, image, class: className }) {
  const wanted = new URLSearchParams();
  if (runs.length > 1) wanted.set("run", String(run.index));
  if (epoch !== undefined) wanted.set("epoch", String(epoch));
  if (method !== undefined) wanted.set("method", method);
  if (image !== undefined) wanted.set("image", run.images[image]?.id ?? "");
  if (className !== undefined) wanted.set("class", className);
  const plain = epoch === undefined && method === undefined && image === undefined && className === undefined;
  return plain ? text : element("a", { href: `#${wanted}` }, text);
}

/**
 * @param {Run} run
 * @param {Part[][]} sentences
 */
const inWords = (run, sentences) =>
  sentences.flatMap((sentence, index) => [...(index ? [" "] : []), ...sentence.map((part) => partOf(run, part))]);

/**
 * The sentences of a run. Where there is no room for all, the first three wait behind a button from the second on, and
 * the others always do.
 */
function drawAnswers() {
  $("answers").replaceChildren(
    ...runs.map((run) => {
      const sentences = run.answer?.sentences ?? [],
        name = runs.length > 1 ? [element("b", {}, swatch(run.colour), run.label), " "] : [];
      if (!sentences.length) return element("p", {}, ...name, "Too few epochs to say when the evidence settled.");
      const told = element("p", {}, ...name, ...inWords(run, sentences.slice(0, 1)));
      for (const [kind, some] of /** @type {const} */ ([
        ["second", sentences.slice(1, 3)],
        ["rest", sentences.slice(3)],
      ]))
        if (some.length) told.append(element("span", { class: kind }, " ", ...inWords(run, some)));
      const more = element(
        "button",
        { type: "button", class: "plain", "aria-label": `More about ${run.label}` },
        "more",
      );
      more.addEventListener("click", () => told.classList.add("open"));
      told.append(" ", more);
      return told;
    }),
  );
  drawWarnings();
}

/** The first warning, with all of them behind it. */
function drawWarnings() {
  const most = Math.max(0, ...runs.map((run) => run.answer?.warnings.length ?? 0));
  // The most serious of every run come first.
  const found = Array.from({ length: most }, (_, at) =>
    runs.flatMap((run) => {
      const sentence = run.answer?.warnings[at];
      return sentence ? [{ run, sentence }] : [];
    }),
  ).flat();
  const named = (/** @type {Run} */ run) => (runs.length > 1 ? [`${run.label}: `] : []);
  const [first] = found;
  $("warnings").hidden = !first;
  if (first)
    $("warning-first").replaceChildren(
      element("b", {}, found.length > 1 ? `${found.length} warnings` : "Warning"),
      element("span", {}, " ", ...named(first.run), first.sentence.map((part) => part.text).join("")),
    );
  $("warning-list").replaceChildren(
    ...found.map(({ run, sentence }) => element("li", {}, ...named(run), ...inWords(run, [sentence]))),
  );
  const jumps = runs.flatMap((run) =>
    run.warnings.map((text) => element("li", {}, runs.length > 1 ? `${run.label}: ${text}` : text)),
  );
  $("jumps").hidden = jumps.length === 0;
  $("jumps").replaceChildren(...jumps);
}

// --- What the runs were made with -----------------------------------------------------------------------------------

/** @type {{ [path: string]: string }} */
const SETTINGS = {
  model: "model",
  data: "data",
  "data.kind": "data",
  "weights.file": "weights",
  seed: "seed",
  epochs: "epochs",
  "schedule.learning_rate": "learning rate",
  device: "device",
  driftscope: "driftscope",
  forked_from: "branched off",
};
/** @param {string} path */
const settingName = (path) => SETTINGS[path] ?? path.replaceAll("_", " ").replaceAll(".", " · ");
/**
 * @param {Run} run
 * @param {string} path
 */
const settingOf = (run, path) => run.card?.settings[path] ?? "–";

/** Settings that are not the same in all runs, those that people ask for first. */
function differing() {
  const paths = new Set(runs.flatMap((run) => Object.keys(run.card?.settings ?? {})));
  const found = [...paths].filter((path) => runs.some((run) => settingOf(run, path) !== settingOf(runs[0], path)));
  const known = Object.keys(SETTINGS);
  const place = (/** @type {string} */ path) => (known.indexOf(path) < 0 ? known.length : known.indexOf(path));
  return found.sort((one, other) => place(one) - place(other));
}

/** Whether the runs are one recipe with several seeds. */
const areSeeds = () => runs.length > 1 && differing().join() === "seed";

/**
 * When a run began; of an old one, which does not say, when its record was written.
 *
 * @param {Run} run
 */
function dateOf({ card }) {
  const day = (/** @type {number} */ seconds) => new Date(1000 * seconds).toISOString().slice(0, 10);
  if (card?.begun != null) return `begun ${day(card.begun)}`;
  return card?.written == null ? "" : `run.json written ${day(card.written)}`;
}

/** The runs' settings: in one line, and folded behind it as a table; of several runs those that differ. */
function drawRuns() {
  const different = differing(),
    first = runs[0],
    given = first?.card?.settings ?? {};
  const images = [...new Set(runs.map((run) => run.images.length))].join(" and ");
  const facts = [
    given.model ?? first?.model,
    given.data,
    `${images} panel images`,
    given.seed === undefined ? "" : `seed ${given.seed}`,
    given.epochs === undefined ? "" : `${given.epochs} epochs`,
    given["schedule.learning_rate"] === undefined ? "" : `learning rate ${given["schedule.learning_rate"]}`,
    first?.card ? (given["weights.file"] ?? "from scratch") : "",
    given.device,
    first ? dateOf(first) : "",
  ];
  const values = (/** @type {string} */ path) => runs.map((run) => settingOf(run, path)).join(", ");
  const short = different.slice(0, 4).map((path) => `${settingName(path)} ${values(path)}`);
  if (different.length > 4) short.push(`${different.length - 4} more`);
  $("made-line").textContent =
    runs.length < 2
      ? facts.filter(Boolean).join(" · ")
      : areSeeds()
        ? `${runs.length} seeds of one recipe: ${values("seed")}`
        : different.length
          ? `${runs.length} runs. They differ in ${short.join(" · ")}`
          : `${runs.length} runs of the same settings`;
  const paths = runs.length > 1 ? different : Object.keys(given);
  const rows = paths.map((path) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, settingName(path)),
      ...runs.map((run) => element("td", {}, settingOf(run, path))),
    ),
  );
  const names = element("tr", {}, element("td", {}), ...runs.map((run) => element("th", { scope: "col" }, run.label)));
  $("made-body").replaceChildren(
    element(
      "table",
      {},
      element("caption", { class: "hidden" }, "Settings"),
      ...(runs.length > 1 ? [element("thead", {}, names)] : []),
      element("tbody", {}, ...rows),
    ),
  );
  $("made").hidden = !runs.some((run) => run.card);
}

/** Links to every section that has something to show, by their headings. */
function drawSections() {
  const sections = [...document.querySelectorAll("main > section")].filter(
    (section) => !(/** @type {HTMLElement} */ (section).hidden) && section.id !== "answer-part",
  );
  const known = [...$("sections").children].map((link) => link.getAttribute("data-jump"));
  // Links that stay keep the focus.
  if (known.join() === sections.map((section) => section.id).join()) return;
  $("sections").replaceChildren(
    ...sections.map((section) => {
      const link = element("button", { type: "button", class: "plain", "data-jump": section.id });
      link.textContent = section.querySelector("h2")?.textContent ?? "";
      link.addEventListener("click", () => jump(section));
      return link;
    }),
  );
}

// --- Drift in a few numbers -----------------------------------------------------------------------------------------

/** @param {{ interval: Interval }} [row] */
const interval = (row) => (row?.interval ? ` [${row.interval.map(short).join(", ")}]` : "");

/**
 * A pair as a cell of a table.
 *
 * @param {Pair | undefined} pair
 */
function movedCell(pair) {
  if (!pair) return element("td", {}, "–");
  const bounds = movedEnds(pair.moved, [pair.low, pair.high]);
  const steps = `epoch ${pair.reference} to ${pair.epoch}`;
  return element(
    "td",
    { title: pairMoved(pair) },
    element("b", {}, movedShort(pair.moved)),
    ` ${bounds}`,
    element("small", {}, steps),
  );
}

/** A row a view: when it settled, and how far it moved in the last step and since the first epoch. */
function drawSummary() {
  const seeds = views.some((view) => view.matrix?.settled.seed);
  const heads = [
    "Method",
    "Settled",
    ...(seeds ? ["Settled by seeds"] : []),
    "Last step",
    "Since the first",
    "Images moved last",
  ];
  const rows = shownViews().map((view) => {
    const own = view.matrix?.epochs ?? [],
      [first, before, last] = [own[0], own[own.length - 2], own[own.length - 1]];
    const step = pairOf(view, last, before);
    const moved = step?.imagesMoved == null ? "panel too small to say" : `${step.imagesMoved} of ${step.defined}`;
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, swatch(view.colour), view.label),
      element("td", {}, settledText(view) || "too few epochs"),
      ...(seeds ? [element("td", {}, settledText(view, "seed") || "–")] : []),
      movedCell(step),
      movedCell(pairOf(view, last, first)),
      element("td", {}, step ? moved : "–"),
    );
  });
  $("summaries").replaceChildren(
    element("caption", { class: "hidden" }, "Drift of each method"),
    element("thead", {}, element("tr", {}, ...heads.map((name) => element("th", { scope: "col" }, name)))),
    element("tbody", {}, ...rows),
  );
}
