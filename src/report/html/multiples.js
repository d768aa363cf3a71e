// @ts-check
// All epochs of the panel at once, small; and the page on paper, which shows them so.

/** Whether every epoch is shown at once. */
const inMultiples = () => $("mode").value === "epochs";

/**
 * All epochs of a card's maps, small: a row a view, a column an epoch.
 *
 * @param {Card} card
 */
function multiples(card) {
  const made = element("div", { class: "multiples" });
  made.style.setProperty("--epochs", String(epochs.length));
  made.append(element("span", {}), ...epochs.map((epoch) => element("b", {}, String(epoch))));
  for (const { run } of card.heads) {
    const marks = epochs.map((epoch) => {
      const said = run.byEpoch.has(epoch) ? outcome(run, placeOf(run, card.id), epoch) : undefined;
      return element(
        "span",
        { class: said && !said.right ? "wrong" : null, title: said?.name },
        said ? (said.right ? "✓" : "✗") : "",
      );
    });
    made.append(element("span", { class: "side" }, runs.length > 1 ? run.label : "Prediction"), ...marks);
    for (const { view, image } of card.tiles.filter((each) => each.view.run === run)) {
      made.append(element("span", { class: "side", title: view.title }, view.title));
      for (const epoch of epochs) {
        const record = view.records.find((each) => each.epoch === epoch);
        if (!record) {
          made.append(element("span", {}));
          continue;
        }
        const canvas = mapCanvas(view, card.id);
        canvas.setAttribute("aria-label", `${view.label}, epoch ${epoch}`);
        canvas.addEventListener("click", () => setEpoch(epoch));
        card.frames.push({ view, image, record, canvas, painted: "" });
        made.append(canvas);
      }
    }
  }
  return element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "All epochs" }, made);
}

/**
 * Paints those of the small maps that are not yet as they should be, and marks the slider's epoch.
 *
 * @param {Card} card
 */
function paintMultiples({ frames }) {
  for (const frame of frames) {
    frame.canvas.classList.toggle("now", frame.record.epoch === state.epoch);
    if (frame.painted === look()) continue;
    frame.painted = look();
    paint(frame.canvas, frame.view, frame.image, frame.record.epoch);
  }
}

/** Goes onto paper: every image that passes the filter, its maps of all epochs small, and which epoch the rest is of. */
function beforePrint() {
  for (const part of document.querySelectorAll(".print-only")) part.textContent = pairInWords();
  document.documentElement.dataset.theme = "light";
  const kept = state.shown,
    mode = $("mode").value;
  if (mode === "maps" && epochs.length > 1) $("mode").value = "epochs";
  state.shown = cards.size;
  state.paints += 1;
  arrange();
  for (const item of $("cards").children) {
    const card = cardOf(item);
    if (card) paintCard(card);
  }
  state.shown = kept;
  $("mode").value = mode;
}

function afterPrint() {
  dress();
  repaint();
}

/** The slider's epoch and the one it is compared with. */
function pairInWords() {
  const choice = $("since").value,
    since = AGAINST[choice] ?? `epoch ${choice}`;
  return `Epoch ${state.epoch} of ${lastEpoch}, compared with ${since}.`;
}
