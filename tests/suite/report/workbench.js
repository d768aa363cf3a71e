// Drives the panel of many methods, the dialog, the scatter plot, the confusion matrices, printing and downloads. It runs
// inside the probe, in place of its own `drive`.
await settle();
const boxes = () => [...document.querySelectorAll("#methods input")];
const box = (node) => node.getBoundingClientRect();
const middle = (node) => Math.round(box(node).left + box(node).width / 2);
const text = (node) => node?.textContent.replaceAll("\u00a0", " ").trim() ?? null;

// Cards.
seen.chips = boxes().map((chip) => text(chip.closest("label")));
choose("since", "previous");
for (const chip of boxes()) if (!chip.checked) chip.click();
document.querySelector("#cards").scrollIntoView();
await settle();
const first = document.querySelector("#cards > li");
seen.tiles = [...first.querySelectorAll("canvas")].map((canvas) => ({
  run: canvas.dataset.run,
  explainer: canvas.dataset.explainer,
  target: canvas.dataset.target,
  side: Math.round(box(canvas).width),
}));
for (const chip of boxes())
  if (
    chip.checked !== ["grad-cam", "label"].some((name) => Object.values(chip.dataset).includes(name)) &&
    !chip.dataset.run
  )
    chip.click();
await settle();
seen.level = [...first.querySelectorAll("canvas")].map((canvas) => Math.round(box(canvas).top));
seen.badges = [...first.querySelectorAll(".tile > .badge")].map((badge) => (badge.hidden ? "" : badge.textContent));
const methods = (...names) => {
  for (const chip of boxes())
    if (chip.dataset.explainer && chip.checked !== names.includes(chip.dataset.explainer)) chip.click();
};
methods("layer-cam", "rollout", "le-grad");
slide("epoch", 3);
slide("opacity", 1);
await settle();
seen.ramps = [...document.querySelectorAll("#ramps canvas")].map((canvas) => canvas.dataset.colours);
choose("colours", "inferno");
choose("scale", "own");
await settle();
seen.nothing = Object.fromEntries(
  [...first.querySelectorAll("canvas")].map((canvas) => [canvas.dataset.explainer, canvas.dataset.status]),
);
choose("colours", "auto");
choose("scale", "image");
methods("grad-cam");
slide("epoch", 4);
choose("outcome", "moved");
seen.movedMore = order();
choose("outcome", "all");

// The class table.
seen.classes = [...document.querySelectorAll("#classes tbody tr")].map((row) => {
  const cell = [...row.children].find((each) => each.querySelector("small"));
  return { name: text(row.children[0]), moved: text(cell), few: cell?.classList.contains("few") ?? null };
});

// The dialog.
const inside = document.querySelector("#strip .inside");
first.querySelector("h3 button").click();
await settle();
const reel = document.querySelector("#strip .reel");
seen.dialog = {
  bar: $("strip").contains(document.querySelector(".bar")),
  frames: Object.fromEntries(
    [...reel.querySelectorAll(".frame canvas")]
      .filter((canvas) => canvas.dataset.run === "many")
      .map((canvas) => [canvas.dataset.epoch, middle(canvas)]),
  ),
  predictions: [...reel.querySelectorAll(":scope > p")].map((part) => [text(part.querySelector("b")), middle(part)]),
  points: [...reel.querySelectorAll("svg")].map((svg) => [...svg.querySelectorAll("circle")].map(middle)),
  labels: [...reel.querySelectorAll("h3")].map(text),
  current: [...reel.querySelectorAll(".frame[aria-current] canvas")].map((canvas) => canvas.dataset.epoch),
};
slide("epoch", 1);
seen.dialog.slid = [...reel.querySelectorAll(".frame[aria-current] canvas")].map((canvas) => canvas.dataset.epoch);
key("m", $("strip"));
seen.jump = document.documentElement.dataset.epoch;
inside.style.maxHeight = "200px";
inside.scrollTop = 100;
const scrolled = inside.scrollTop;
key("]", $("strip"));
await settle();
seen.next = { id: text($("strip-id")), scrolled, top: inside.scrollTop };
key("[", $("strip"));
seen.before = text($("strip-id"));
$("strip-close").click();
await settle();
seen.barBack = document.querySelector("body > .bar") !== null;

// Confusion.
slide("epoch", 4);
choose("since", "first");
seen.confusion = {
  note: text($("confusion-note")),
  figures: [...document.querySelectorAll("#confusion figcaption")].map(text),
  rows: [...document.querySelectorAll("#confusion tbody tr")].map((row) => [...row.children].map(text)),
};
const cells = document.querySelector("#confusion svg"),
  wide = box(cells);
/** A click in the middle of a cell. */
const at = (row, column, of) => ({
  bubbles: true,
  clientX: wide.left + ((column + 0.5) * wide.width) / of,
  clientY: wide.top + ((row + 0.5) * wide.height) / of,
});
cells.dispatchEvent(new MouseEvent("click", at(2, 3, 47)));
await settle();
seen.cell = { order: order(), name: text($("only")) };
$("only").click();
seen.cleared = { count: order().length, hidden: $("only").hidden };
// The same by the keyboard: down and right from the first cell.
const again = document.querySelector("#confusion svg");
again.focus({ focusVisible: true });
for (const name of ["ArrowDown", "ArrowDown", "ArrowRight", "End", "Home", "ArrowRight", "ArrowRight", "ArrowRight"])
  key(name, again);
seen.keyed = {
  focused: document.activeElement === again,
  tip: text($("tip")),
  said: text($("confusion-say")),
  epoch: document.documentElement.dataset.epoch,
};
key("Enter", again);
await settle();
seen.keyedCell = { order: order(), name: text($("only")), focused: document.activeElement === again };
$("only").click();

// Scatter.
choose("since", "previous");
slide("epoch", 3);
await settle();
const plot = document.querySelector("#scatter svg.scatter");
const dots = [...plot.querySelectorAll(".dot")];
seen.dots = dots.map((dot) => ({ id: dot.dataset.id, shape: dot.getAttribute("d"), x: box(dot).x, y: box(dot).y }));
seen.fates = [...document.querySelectorAll("#scatter .legend li")].map(text);
const pointer = (type, node, x, y) =>
  plot.dispatchEvent(new PointerEvent(type, { bubbles: true, pointerId: 1, clientX: x, clientY: y, target: node }));
plot.setPointerCapture = () => {};
const dot = box(dots[7]);
pointer("pointerdown", dots[7], dot.x + dot.width / 2, dot.y + dot.height / 2);
pointer("pointerup", dots[7], dot.x + dot.width / 2, dot.y + dot.height / 2);
await settle();
seen.dotOpened = { open: $("strip").open, id: text($("strip-id")) };
$("strip-close").click();
await settle();
const [low, high] = [box(dots[4]), box(dots[6])];
pointer("pointerdown", plot, low.x - 60, high.y - 2);
pointer("pointermove", plot, low.x + 60, low.y + low.height + 2);
pointer("pointerup", plot, low.x + 60, low.y + low.height + 2);
await settle();
seen.brushed = order();
$("only").click();

// Downloads: what would be handed over is kept instead.
const files = [];
URL.createObjectURL = (blob) => {
  files.push(blob);
  return "#";
};
const names = [];
HTMLAnchorElement.prototype.click = function () {
  names.push(this.download);
};
const learning = document.querySelector("#scatter figure");
for (const button of learning.querySelectorAll(".save button")) button.click();
first.querySelector(".save").click();
// A picture takes as long as the machine lets it.
for (let tries = 0; files.length < 3 && tries < 100; tries++) await wait(100);
seen.files = await Promise.all(
  files.map(async (blob, index) => ({
    name: names[index],
    type: blob.type,
    size: blob.size,
    text: blob.type === "image/png" ? "" : await blob.text(),
  })),
);
const parsed = new DOMParser().parseFromString(seen.files[1].text, "image/svg+xml");
seen.svg = { error: parsed.querySelector("parsererror") !== null, paths: parsed.querySelectorAll("path").length };

// Paper.
dispatchEvent(new Event("beforeprint"));
seen.print = {
  cards: order().length,
  unpainted: [...document.querySelectorAll("#cards canvas")].filter((canvas) => !canvas.dataset.epoch).length,
  pictures: [...document.querySelectorAll("#cards img")].filter((image) => !image.naturalWidth).length,
  epoch: text(document.querySelector("#panel .print-only")),
};
dispatchEvent(new Event("afterprint"));
seen.afterPrint = order().length;

// Room.
const width = Math.min(innerWidth, Number($("probe-grids").dataset.width));
document.body.style.width = `${width}px`;
methods("grad-cam", "grad-cam-plus-plus", "hires-cam", "layer-cam", "le-grad", "rollout");
await settle();
seen.narrowest = Math.min(...[...first.querySelectorAll("canvas")].map((canvas) => Math.round(box(canvas).width)));
seen.wide = [...document.querySelectorAll("body *")]
  .filter(
    (node) =>
      node.getClientRects().length &&
      !node.closest(".scroll, .film, .matrices, nav, svg, .hidden, .skip, h3 small") &&
      box(node).right > width + 1,
  )
  .map((node) => node.outerHTML.slice(0, 120));
