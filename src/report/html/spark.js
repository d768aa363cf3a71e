// @ts-check
// The slider's own picture, accuracy and moved over the epochs, and the images that moved most.

/** The view that a run's words and lines are about: the chosen one, or the run's first that explains a class. */
function leadOf(/** @type {Run} */ run) {
  const own = shownViews().filter((view) => view.run === run && view.matrix);
  const named = run.answer?.sentences.flat().find((part) => part.method !== undefined)?.method;
  return (
    own.find((view) => view === state.focus) ??
    own.find((view) => view.method.explainer === named) ??
    own.find((view) => view.method.class_specific) ??
    own[0]
  );
}

/** The view that the first screen is about. */
const focused = () => (state.focus?.on ? state.focus : runs.map(leadOf).find((view) => view !== undefined));

function drawSpark() {
  const steps = Math.max(epochs.length - 1, 1);
  const x = (/** @type {number} */ epoch) => ((100 * epochs.indexOf(epoch)) / steps).toFixed(2);
  const y = (/** @type {number} */ share) => (38 - 36 * Math.min(Math.max(share, 0), 1)).toFixed(2);
  const svg = drawing("svg", { viewBox: "0 0 100 40", preserveAspectRatio: "none" });
  /** @type {(points: [number, number | null | undefined][]) => string[]} */
  const placed = (points) => points.flatMap(([epoch, share]) => (share == null ? [] : [`${x(epoch)} ${y(share)}`]));
  const flags = [];
  // The largest step fills the height, so that small steps are seen too.
  const leads = runs.flatMap((run) => leadOf(run) ?? []);
  const largest = Math.max(10, ...leads.flatMap((view) => pairsOf(view, "previous").map(({ moved }) => moved ?? 0)));
  for (const run of runs) {
    const view = leadOf(run),
      colour = runs.length > 1 ? run.colour : (view?.colour ?? run.colour);
    if (view?.matrix) {
      const steps = pairsOf(view, "previous");
      const line = placed(steps.map(({ epoch, moved }) => [epoch, moved == null ? null : moved / largest]));
      const ends = [line[0]?.split(" ")[0], line[line.length - 1]?.split(" ")[0]];
      if (line.length)
        svg.append(
          drawing("path", { class: "area", fill: colour, d: `M${ends[0]} 38L${line.join("L")}L${ends[1]} 38Z` }),
          drawing("path", { class: "moved", stroke: colour, d: `M${line.join("L")}` }),
        );
      const settled = view.matrix.settled.noise?.epoch;
      if (settled != null) {
        const flag = element("span", { class: "flag" }, runs.length > 1 ? "" : `settled ${settled}`);
        flag.style.setProperty("--at", `${x(settled)}`);
        flag.style.setProperty("--flag", colour);
        flag.classList.toggle("left", Number(x(settled)) > 80);
        flags.push(flag);
      }
    }
    const known = placed(run.epochs.map(({ epoch, val_accuracy }) => [epoch, val_accuracy]));
    if (known.length > 1)
      svg.append(
        drawing("path", {
          class: "accuracy",
          stroke: runs.length > 1 ? colour : "var(--ink)",
          d: `M${known.join("L")}`,
        }),
      );
  }
  $("spark").replaceChildren(svg, ...flags);
  const view = focused();
  const sample = (/** @type {string} */ name) => {
    const made = drawing("svg", { viewBox: "0 0 22 8", "aria-hidden": "true" });
    made.append(
      drawing("path", {
        class: name,
        stroke: name === "accuracy" ? "var(--ink)" : (view?.colour ?? "var(--ink)"),
        d: "M0 5L22 5",
      }),
    );
    return made;
  };
  $("spark-key").replaceChildren(
    ...(view
      ? [
          element(
            "span",
            {},
            sample("moved"),
            "moved in each step",
            element(
              "span",
              { class: "axes" },
              `, at most ${movedText(largest)}${runs.length > 1 ? "" : `, ${view.title}`}`,
            ),
          ),
        ]
      : []),
    element("span", {}, sample("accuracy"), "validation accuracy"),
  );
}

/** The images on the first screen, in their order; they are chosen again when the epoch rests. */
let mostMoved = /** @type {{ view: View, image: number, id: string, canvas: MapCanvas, text: HTMLElement }[]} */ ([]);
const MOST = 4;

/** Chooses the images that moved most between the two epochs. */
function chooseMost() {
  const view = focused();
  const order = view
    ? view.run.images
        .map(({ id }, image) => ({ id, image, moved: imageMoved(view, image) }))
        .filter(({ moved }) => moved != null)
        .sort((one, other) => Number(other.moved) - Number(one.moved))
        .slice(0, MOST)
    : [];
  $("most-part").hidden = !view || order.length === 0;
  if (!view) return;
  const same =
    mostMoved.length === order.length &&
    order.every(({ id }, at) => mostMoved[at].id === id && mostMoved[at].view === view);
  if (!same) {
    mostMoved = order.map(({ id, image }) => ({
      view,
      image,
      id,
      canvas: mapCanvas(view, id),
      text: element("span", {}),
    }));
    $("most").replaceChildren(
      ...mostMoved.map(({ id, image, canvas, text }) => {
        const name = view.run.classes[view.run.images[image].label] ?? "unknown";
        const button = element(
          "button",
          { type: "button", class: "plain", "aria-haspopup": "dialog", title: id },
          canvas,
          element("b", {}, name),
          text,
        );
        button.addEventListener("click", () => openStrip(id));
        return element("li", {}, button);
      }),
    );
  }
  paintMost();
}

/** Paints the chosen images at the slider's epoch. */
function paintMost() {
  const view = mostMoved[0]?.view,
    pair = view && pairNow(view);
  for (const { image, canvas, text } of mostMoved) {
    const what = paint(canvas, view, image, state.epoch);
    canvas.setAttribute("aria-label", whereStrongest(view, what));
    const moved = imageMoved(view, image);
    text.textContent =
      moved == null ? "–" : movedText(moved) === movedShort(moved) ? movedPhrase(moved) : movedText(moved);
    text.title = moved == null ? "" : movedFull(moved);
  }
  $("most-title").textContent = pair ? `Moved most, epoch ${pair.reference} to ${pair.epoch}` : `Moved most`;
  if (pair && view) $("most-title").append(element("small", {}, ` ${view.label}`));
}
