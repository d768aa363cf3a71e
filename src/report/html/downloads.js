// @ts-check
// Files to keep: a chart as CSV or SVG, a card or a film as PNG. They are made here and handed over; nothing is asked for.

/**
 * @param {string} name
 * @param {Blob} blob
 */
function handOver(name, blob) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  // The browser reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/**
 * A name for a file, of letters, digits and hyphens.
 *
 * @param {string[]} parts
 */
const fileName = (...parts) =>
  parts
    .join(" ")
    .replaceAll(/[^\p{L}\p{N}.]+/gu, "-")
    .replaceAll(/^-|-$/g, "")
    .slice(0, 80) || "figure";

/** @param {(string | number | null | undefined)[][]} rows */
const csvOf = (rows) =>
  rows
    .map((row) =>
      row
        .map((cell) =>
          cell == null ? "" : /[",\r\n]/.test(String(cell)) ? `"${String(cell).replaceAll('"', '""')}"` : cell,
        )
        .join(","),
    )
    .join("\r\n");

/** What of the page's style a drawing takes with it. */
const CARRIED = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linecap",
  "stroke-linejoin",
  "opacity",
  "visibility",
  "font-size",
  "font-family",
  "text-anchor",
];

/**
 * Gives a copied element the looks that it has on the page, where no style sheet follows it.
 *
 * @param {Element} drawn
 * @param {Element} copied
 */
function carry(drawn, copied) {
  const style = getComputedStyle(drawn);
  copied.removeAttribute("class");
  for (const name of CARRIED) copied.setAttribute(name, style.getPropertyValue(name));
}

/**
 * A drawing as a file of its own: with its title, the names of a matrix's rows and columns, and the key of its lines.
 *
 * @param {SVGElement} svg
 * @param {string} title
 */
function svgFile(svg, title) {
  const copy = /** @type {SVGElement} */ (svg.cloneNode(true)),
    figure = svg.closest("figure") ?? svg,
    page = getComputedStyle(document.body);
  const [, , width, height] = (svg.getAttribute("viewBox") ?? "0 0 100 100").split(" ").map(Number);
  const drawn = svg.querySelectorAll("*"),
    copied = copy.querySelectorAll("*");
  for (let at = 0; at < drawn.length; at++) carry(drawn[at], copied[at]);
  /** @type {(text: string, at: { [name: string]: string | number }) => SVGElement} */
  const write = (text, at) => drawing("text", { "font-size": 11, fill: page.color, ...at }, text);
  const names = [...figure.querySelectorAll(".rows span")].map((name) => name.textContent ?? ""),
    key = [...figure.querySelectorAll(".legend li")];
  const beside = names.length ? Math.min(12 + 7 * Math.max(...names.map((name) => name.length)), 180) : 0,
    above = 26 + beside;
  for (const [at, name] of names.entries()) {
    const middle = ((at + 0.5) * height) / names.length;
    copy.append(
      write(name, { x: -6, y: middle + 4, "text-anchor": "end" }),
      write(name, { transform: `translate(${middle + 4} -6) rotate(-90)` }),
    );
  }
  for (const [at, item] of key.entries()) {
    const y = height + 12 + 16 * at,
      sample = item.querySelector("path");
    if (sample) {
      const mark = /** @type {Element} */ (sample.cloneNode());
      carry(sample, mark);
      mark.setAttribute("transform", `translate(${sample.closest(".shapes") ? 22 : 10} ${y - 8})`);
      copy.append(mark);
    }
    copy.append(write(item.querySelector("span")?.textContent ?? "", { x: 44, y }));
  }
  const whole = { x: -beside, y: -above, width: width + beside, height: height + above + 16 * key.length + 8 };
  copy.prepend(
    drawing("rect", { ...whole, fill: getComputedStyle(figure).backgroundColor }),
    write(title, { x: 10 - beside, y: 18 - above, "font-size": 13, "font-weight": 600 }),
  );
  copy.removeAttribute("class");
  copy.setAttribute("font-family", page.fontFamily);
  copy.setAttribute("viewBox", `${whole.x} ${whole.y} ${whole.width} ${whole.height}`);
  copy.setAttribute("width", String(2 * whole.width));
  copy.setAttribute("height", String(2 * whole.height));
  return new XMLSerializer().serializeToString(copy);
}

/**
 * Buttons that hand over a figure's numbers and its drawing.
 *
 * @param {string} title
 * @param {SVGElement} svg
 * @param {() => (string | number | null | undefined)[][]} rows
 */
function saveButtons(title, svg, rows) {
  const button = (/** @type {string} */ kind, /** @type {string} */ type, /** @type {() => string} */ text) => {
    const made = element(
      "button",
      { type: "button", class: "plain soft", "aria-label": `Save ${title} as ${kind}` },
      kind,
    );
    made.addEventListener("click", () =>
      handOver(`${fileName(title)}.${kind.toLowerCase()}`, new Blob([text()], { type })),
    );
    return made;
  };
  return element(
    "p",
    { class: "save" },
    button("CSV", "text/csv", () => csvOf(rows())),
    button("SVG", "image/svg+xml", () => svgFile(svg, title)),
  );
}

/**
 * Curves as rows: an epoch each, and for each curve its values and the ends of its intervals.
 *
 * @param {Series[]} series
 */
function seriesRows(series) {
  const wide = series.map((each) => each.points.some((point) => point.low != null));
  const head = series.flatMap(({ name }, at) => (wide[at] ? [name, `${name}, low`, `${name}, high`] : [name]));
  const known = epochs.filter((epoch) => series.some((each) => each.points.some((point) => point.epoch === epoch)));
  const rows = known.map((epoch) => [
    epoch,
    ...series.flatMap((each, at) => {
      const point = each.points.find((one) => one.epoch === epoch);
      return wide[at] ? [point?.value, point?.low, point?.high] : [point?.value];
    }),
  ]);
  return [["epoch", ...head], ...rows];
}

// --- Pictures -------------------------------------------------------------------------------------------------------

/** Of a picture that is handed over, in pixels: the side of a map, and what is around it. */
const SHEET = { side: 224, gap: 16, line: 22, edge: 24 };

/**
 * A picture of rows of maps, each with its lines of text, under a title.
 *
 * @param {string} title
 * @param {{ head: string, tiles: { image: CanvasImageSource, lines: string[] }[] }[]} rows
 * @param {string} name
 */
function saveSheet(title, rows, name) {
  const { side, gap, line, edge } = SHEET,
    most = Math.max(1, ...rows.map((row) => row.tiles.length)),
    lines = Math.max(0, ...rows.flatMap((row) => row.tiles.map((tile) => tile.lines.length)));
  const high = line + side + lines * line + gap;
  const canvas = element("canvas", {
    width: 2 * edge + most * (side + gap) - gap,
    height: 2 * edge + 2 * line + rows.length * high,
  });
  const context = canvas.getContext("2d"),
    page = getComputedStyle(document.body);
  if (!context) return;
  context.fillStyle = page.backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = page.color;
  /** @type {(text: string, x: number, y: number, weight: number, width: number) => void} */
  const write = (text, x, y, weight, width) => {
    context.font = `${weight} 15px ${page.fontFamily}`;
    let shown = text;
    while (shown.length > 1 && context.measureText(shown).width > width) shown = `${shown.slice(0, -2)}…`;
    context.fillText(shown, x, y);
  };
  write(title, edge, edge + 15, 700, canvas.width - 2 * edge);
  for (const [row, { head, tiles }] of rows.entries()) {
    const top = edge + 2 * line + row * high;
    write(head, edge, top + 12, 600, canvas.width - 2 * edge);
    for (const [column, { image, lines: texts }] of tiles.entries()) {
      const x = edge + column * (side + gap);
      context.drawImage(image, x, top + line, side, side);
      for (const [at, text] of texts.entries())
        write(text, x, top + line + side + 17 + at * line, at ? 400 : 600, side);
    }
  }
  canvas.toBlob((blob) => blob && handOver(`${name}.png`, blob));
}

/** @param {Element} [part] */
const linesOf = (part) => [...(part?.children ?? [])].map((child) => child.textContent ?? "").filter(Boolean);

/**
 * A card as a picture: the image and its maps, as they are on the page.
 *
 * @param {Card} card
 */
function saveCard(card) {
  paintCard(card);
  const { owners, tiles, frames } = card,
    { picture } = owners[0].images[placeOf(owners[0], card.id)];
  if (frames.length) {
    const films = tiles.map(({ view }) => ({
      head: view.label,
      tiles: frames
        .filter((frame) => frame.view === view)
        .map(({ record, canvas }) => ({ image: canvas, lines: [`Epoch ${record.epoch}`] })),
    }));
    saveSheet(`${card.className} · ${card.id}`, films, fileName(card.className, card.id, "epochs"));
    return;
  }
  const rows = owners.map((run, at) => {
    const own = tiles.filter(({ view }) => view.run === run);
    const maps = own.map(({ view, canvas, facts }) => ({ image: canvas, lines: [view.title, ...linesOf(facts)] }));
    const said = linesOf(card.heads.find((head) => head.run === run)?.box).join("  ");
    return { head: said, tiles: [...(at ? [] : [{ image: bitmaps[picture], lines: ["Picture"] }]), ...maps] };
  });
  const title = `${card.className} · ${card.id} · epoch ${state.epoch}`;
  saveSheet(
    title,
    rows.filter((row) => row.tiles.length),
    fileName(card.className, card.id, `epoch ${state.epoch}`),
  );
}

/** The film of the open image as a picture: a row a method, a column an epoch. */
function saveFilm() {
  const card = cards.get(stripImage ?? "");
  if (!card) return;
  const rows = strips.map(({ view, frames }) => ({
    head: view.label,
    tiles: frames.map(({ record, canvas, text, button }) => {
      paintFrame(button);
      return { image: canvas, lines: [`Epoch ${record.epoch}`, ...linesOf(text)] };
    }),
  }));
  saveSheet(`${card.className} · ${card.id}`, rows, fileName(card.className, card.id, "film"));
}
