// Drives the report's own controls and writes what it sees into the document, for browser.rs beside it to read.
(async () => {
  const seen = { errors: [], blocked: [], requests: [] };
  addEventListener("error", (event) => seen.errors.push(String(event.message)));
  addEventListener("unhandledrejection", (event) => seen.errors.push(String(event.reason)));
  addEventListener("securitypolicyviolation", (event) =>
    seen.blocked.push(`${event.effectiveDirective} ${event.blockedURI}`),
  );
  // The browser prints the document once it is loaded, and it is not while a frame inside it is still being written.
  const hold = document.createElement("iframe");
  hold.style.display = "none";
  document.documentElement.append(hold);
  hold.contentDocument.open();
  await new Promise((resolve) => addEventListener("DOMContentLoaded", resolve));
  const $ = (id) => document.getElementById(id);
  const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const frame = () => new Promise(requestAnimationFrame);
  /** Until pictures are decoded and what came into view is painted: an observer is told in the frame after a layout. */
  const settle = async () => {
    await Promise.all([...document.images].map((image) => image.decode().catch(() => null)));
    for (let count = 0; count < 4; count++) await frame();
  };
  /** Until the address is written, which waits until the epoch rests. */
  const rest = () => wait(400);
  const choose = (id, value) => {
    $(id).value = value;
    $(id).dispatchEvent(new Event("change", { bubbles: true }));
  };
  const slide = (id, value) => {
    $(id).value = value;
    $(id).dispatchEvent(new Event("input", { bubbles: true }));
  };
  const key = (name, target = document.body) =>
    target.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
  const order = () => [...document.querySelectorAll("#cards > li")].map((item) => item.dataset.id);
  const epochsDrawn = () => [
    ...new Set([...document.querySelectorAll("#cards canvas")].map((canvas) => Number(canvas.dataset.epoch))),
  ];
  /**
   * Of every canvas under a root: what it says it shows, the pixels at the centres of its cells, and those half-way down.
   * @returns {Record<string, any>[]}
   */
  const canvases = (root, grids) =>
    [...document.querySelectorAll(`${root} canvas[data-run]`)].map((canvas) => {
      const cells = grids[`${canvas.dataset.run}/${canvas.dataset.explainer}`],
        context = canvas.getContext("2d", { willReadFrequently: true });
      const middle = (cell) => Math.floor(((cell + 0.5) / cells) * canvas.width);
      const pixels = [];
      for (let row = 0; row < cells; row++)
        for (let column = 0; column < cells; column++)
          pixels.push([...context.getImageData(middle(column), middle(row), 1, 1).data.slice(0, 3)]);
      const data = context.getImageData(0, Math.floor(canvas.width / 2), canvas.width, 1).data;
      const line = Array.from({ length: canvas.width }, (_, x) => [...data.slice(4 * x, 4 * x + 3)]);
      return { ...canvas.dataset, side: canvas.width, pixels, line };
    });
  const print = () => {
    const result = document.createElement("script");
    result.type = "application/json";
    result.id = "probe-result";
    result.textContent = JSON.stringify(seen).replaceAll("<", "\\u003c");
    document.body.append(result);
    hold.contentDocument.close();
  };
  // A page that never answers is told apart from a slow machine by this many seconds.
  setTimeout(() => {
    seen.errors.push("still not done after two minutes");
    print();
  }, 120_000);
  try {
    await drive();
  } catch (error) {
    seen.errors.push(error.stack);
  }
  print();

  async function drive() {
    const grids = JSON.parse($("probe-grids").textContent),
      last = Number($("epoch").max);

    await settle();
    seen.start = {
      title: document.title,
      heading: $("title").textContent,
      epoch: Number(document.documentElement.dataset.epoch),
      order: order(),
      hash: location.hash,
    };
    seen.injected = {
      images: document.querySelectorAll("img[onerror], img[src='x']").length,
      ran: window.pwned === true,
    };

    await driveMatrix();
    slide("opacity", 1);
    await settle();
    seen.defaults = canvases("#cards", grids);
    choose("scale", "own");
    choose("colours", "inferno");
    seen.slider = [];
    for (let index = 0; index <= last; index++) {
      slide("epoch", index);
      await settle();
      await rest();
      seen.slider.push({
        epoch: Number(document.documentElement.dataset.epoch),
        drawn: epochsDrawn(),
        canvases: canvases("#cards", grids),
        text: $("epoch-text").textContent,
        hash: location.hash,
      });
    }
    seen.colours = {};
    for (const name of [...$("colours").options].map((option) => option.value)) {
      choose("colours", name);
      await settle();
      seen.colours[name] = canvases("#cards", grids);
    }
    choose("colours", "inferno");
    slide("opacity", 0.65);
    await settle();
    seen.blended = canvases("#cards", grids);
    slide("opacity", 1);
    choose("scale", "image");
    await settle();
    seen.common = canvases("#cards", grids);
    choose("scale", "own");
    choose("mode", "change");
    choose("since", "1");
    await settle();
    seen.change = canvases("#cards", grids);
    choose("mode", "maps");

    slide("epoch", 0);
    key("ArrowRight");
    seen.keys = [Number(document.documentElement.dataset.epoch)];
    key("ArrowLeft");
    seen.keys.push(Number(document.documentElement.dataset.epoch));
    key(" ");
    await wait(400);
    seen.playing = { pressed: $("play").getAttribute("aria-pressed"), text: $("play").textContent };
    await wait(800 * (last + 2));
    seen.played = {
      epoch: Number(document.documentElement.dataset.epoch),
      pressed: $("play").getAttribute("aria-pressed"),
      drawn: epochsDrawn(),
    };
    $("play").click();
    await wait(900);
    seen.replayed = Number(document.documentElement.dataset.epoch);
    $("play").click();
    slide("epoch", last);

    seen.sorted = {};
    for (const value of [...$("sort").options].map((option) => option.value)) {
      choose("sort", value);
      seen.sorted[value] = order();
    }
    choose("sort", "0");
    slide("epoch", last - 1);
    seen.pinned = { order: order(), count: $("count").textContent, again: $("again").textContent };
    $("again").click();
    seen.sortedAgain = { order: order(), hidden: $("again").hidden };
    slide("epoch", last);
    choose("sort", "panel");
    seen.filtered = {};
    for (const value of [...$("outcome").options].map((option) => option.value)) {
      choose("outcome", value);
      seen.filtered[value] = order();
    }
    choose("outcome", "all");
    choose("class", $("class").options[1].value);
    seen.classed = { name: $("class").value, order: order() };
    choose("class", "");

    const chip = document.querySelector("#methods input");
    chip.click();
    await settle();
    seen.switched = [...new Set(canvases("#cards", grids).map((each) => `${each.run}/${each.explainer}`))];
    chip.click();
    await settle();
    seen.switchedBack = [...new Set(canvases("#cards", grids).map((each) => `${each.run}/${each.explainer}`))].length;

    const header = document.querySelectorAll("#classes thead button")[2];
    header?.click();
    seen.classTable = [...document.querySelectorAll("#classes tbody tr")].map((row) =>
      [...row.children].map((cell) => cell.textContent),
    );
    seen.sections = [...document.querySelectorAll("main section")]
      .filter((section) => !section.hidden)
      .map((section) => section.getAttribute("aria-labelledby"));
    seen.charts = [...document.querySelectorAll("main .chart")].map((figure) => ({
      title: figure.querySelector("figcaption span").textContent,
      legend: [...figure.querySelectorAll(".legend li")].map((item) => item.textContent),
      bands: figure.querySelectorAll(".band").length,
      now: Number(figure.querySelector(".now")?.getAttribute("x1")),
    }));
    document.querySelector("#drift details").open = true;
    await settle();
    seen.table = [...document.querySelectorAll("#drift details")][0].querySelectorAll("tbody tr").length;
    seen.summaries = [...document.querySelectorAll("#summaries tbody tr")].map((row) =>
      [...row.children].map((cell) => cell.textContent),
    );
    seen.outcomes = [...document.querySelectorAll("#outcomes tbody tr")].map((row) => ({
      texts: [...row.children].map((cell) => cell.textContent),
      few: [...row.children].map((cell) => cell.classList.contains("few")),
    }));
    seen.outcomesNote = $("outcomes-note").textContent;
    seen.jumps = [...document.querySelectorAll("#jumps li")].map((item) => item.textContent);
    seen.nav = [...document.querySelectorAll("#sections button")].map((link) => link.textContent);
    seen.headings = [...document.querySelectorAll("main > section:not([hidden]) > h2:not(.hidden)")].map(
      (heading) => heading.textContent,
    );
    seen.warnings = $("warnings").hidden
      ? []
      : [...document.querySelectorAll("#warning-list li")].map((item) => item.textContent);

    await driveLinks(last);
    const wanted = seen.start.order[1];
    location.hash = `#epoch=1&image=${encodeURIComponent(wanted)}`;
    await settle();
    seen.link = {
      open: $("strip").open,
      id: $("strip-id").textContent,
      epoch: Number(document.documentElement.dataset.epoch),
      frames: canvases("#strip-body .film", grids).map((each) => ({
        run: each.run,
        explainer: each.explainer,
        epoch: Number(each.epoch),
        image: each.image,
      })),
    };
    key("ArrowRight", $("strip"));
    seen.linkKeys = Number(document.documentElement.dataset.epoch);
    choose("since", "2");
    slide("epoch", last);
    await settle();
    seen.compared = canvases("#strip-body .pair", grids).filter((each) => each.kind === "change");
    slide("epoch", 2);
    choose("since", "previous");
    await settle();
    $("strip-close").click();
    await settle();
    await rest();
    seen.closed = { open: $("strip").open, hash: location.hash };

    // Whatever can be reached by keyboard or drawn on has a name.
    const nameOf = (node) =>
      node.getAttribute("aria-label") ||
      (node.getAttribute("aria-labelledby") && $(node.getAttribute("aria-labelledby"))?.textContent) ||
      [...(node.labels ?? [])].map((label) => label.textContent).join("") ||
      node.textContent ||
      node.title;
    seen.nameless = [
      ...document.querySelectorAll("button, select, input, a[href], canvas[role=img], svg[role=img], [tabindex='0']"),
    ]
      .filter((node) => !nameOf(node)?.trim())
      .map((node) => node.outerHTML.slice(0, 120));
    // Headless windows are 500 pixels wide at least; a phone's layout holds there, so a phone's width is the body's.
    const width = Math.min(innerWidth, Number(document.getElementById("probe-grids").dataset.width));
    document.body.style.width = `${width}px`;
    await settle();
    seen.wide = [...document.querySelectorAll("body *")]
      .filter(
        (node) =>
          node.getClientRects().length &&
          !node.closest(".scroll, .film, .matrices, .prediction, nav, svg, .hidden, .skip, h3 small") &&
          node.getBoundingClientRect().right > width + 1,
      )
      .map((node) => node.outerHTML.slice(0, 120));
    scrollTo(0, 0);
    seen.fold = Object.fromEntries(
      ["made-line", "epoch", "answers", "warnings", "matrices", "most"].map((id) => {
        const { width, height, bottom } = $(id).getBoundingClientRect();
        return [id, { bottom, empty: width * height === 0 }];
      }),
    );
    seen.phone = matchMedia("(max-width: 40rem)").matches;
    seen.requests = performance
      .getEntriesByType("resource")
      .map((entry) => entry.name)
      .filter((name) => !name.startsWith("data:"));
  }

  /** The matrices: what their cells look like, and what the pointer and the keyboard do. */
  async function driveMatrix() {
    const grids = [...document.querySelectorAll("#matrices .grid")];
    seen.matrices = grids.map((grid) => {
      grid.scrollIntoView({ block: "center" });
      const count = Math.round(Number(grid.querySelector("svg").getAttribute("viewBox").split(" ")[2])),
        box = grid.getBoundingClientRect();
      const colour = (row, column) => {
        const x = box.left + ((column + 0.5) / count) * box.width,
          y = box.top + ((row + 0.5) / count) * box.height;
        return getComputedStyle(document.elementFromPoint(x, y)).fill;
      };
      const cells = Array.from({ length: count }, (_, row) =>
        Array.from({ length: count }, (_, column) => colour(row, column)),
      );
      const outline = (name) => {
        const found = grid.querySelector(name);
        return found && ["x", "width"].map((key) => Number(found.getAttribute(key)));
      };
      return {
        view: Number(grid.dataset.view),
        label: grid.getAttribute("aria-label"),
        cells,
        phase: outline(".phase"),
        settled: outline(".settled"),
      };
    });
    const grid = grids[0];
    if (!grid) return;
    grid.scrollIntoView({ block: "center" });
    const shown = () => ({
      epoch: Number(document.documentElement.dataset.epoch),
      since: $("since").value,
      tip: $("tip").hidden ? null : $("tip").textContent,
    });
    const pointer = (type, row, column) => {
      const box = grid.getBoundingClientRect();
      const at = {
        clientX: box.left + ((column + 0.5) / 3) * box.width,
        clientY: box.top + ((row + 0.5) / 3) * box.height,
      };
      grid.dispatchEvent(new PointerEvent(type, { ...at, bubbles: true }));
    };
    pointer("pointermove", 0, 1);
    seen.matrixHover = shown();
    pointer("click", 0, 1);
    seen.matrixClick = shown();
    await rest();
    seen.matrixHash = location.hash;
    seen.most = [...document.querySelectorAll("#most li")].map((item) => ({
      id: item.querySelector("canvas").dataset.image,
      text: item.querySelector("span").textContent,
    }));
    seen.mostTitle = $("most-title").textContent;
    grid.focus();
    for (const name of ["ArrowDown", "ArrowDown", "ArrowLeft"]) key(name, grid);
    seen.matrixKeys = shown();
    seen.matrixSays = $("matrix-say").textContent;
    key("Enter", grid);
    seen.matrixEnter = shown();
    grid.blur();
    choose("since", "first");
    $("matrix-tables").open = true;
    await settle();
    seen.matrixTable = [...$("matrix-tables").querySelectorAll("table")].map((table) =>
      [...table.querySelectorAll("tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent)),
    );
    $("matrix-tables").open = false;
    $("made").open = true;
    seen.made = [...document.querySelectorAll("#made-body tr")].map((row) =>
      [...row.children].map((cell) => cell.textContent),
    );
    seen.madeLine = $("made-line").textContent;
    $("made").open = false;
    slide("epoch", $("epoch").max);
  }

  /** The links of the sentences, and an address that names everything. */
  async function driveLinks(last) {
    seen.answers = [...document.querySelectorAll("#answers p")].map((item) => item.textContent);
    seen.answerLinks = [...document.querySelectorAll("#answers p:first-child a")].map((link) =>
      link.getAttribute("href"),
    );
    const click = async (index) => {
      document.querySelectorAll("#answers p:first-child a")[index]?.click();
      await settle();
      return { epoch: Number(document.documentElement.dataset.epoch), open: $("strip").open, class: $("class").value };
    };
    seen.answerEpoch = await click(1);
    seen.answerImage = await click(3);
    $("strip-close").click();
    seen.answerClass = await click(4);
    choose("class", "");
    location.hash = `#epoch=2&since=1&run=1&method=rollout&mode=change&sort=class&outcome=right&shown=0.2`;
    await settle();
    seen.deep = {
      epoch: Number(document.documentElement.dataset.epoch),
      since: $("since").value,
      mode: $("mode").value,
      sort: $("sort").value,
      outcome: $("outcome").value,
      shown: [...document.querySelectorAll("#matrices .grid")].map((grid) => Number(grid.dataset.view)),
      most: $("most-title").textContent,
    };
    await rest();
    seen.deepHash = location.hash;
    location.hash = `#epoch=${last}&since=first&mode=maps&sort=panel&outcome=all&shown=0.1.2`;
    await settle();
  }
})();
