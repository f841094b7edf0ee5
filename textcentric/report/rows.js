// The browser of all outputs. Its texts stand in the page or in files beside it, which are loaded
// as scripts when they are needed; whatever they say is shown as text.
const reportRows = { index: null, chunks: [] };
(() => {
  const section = document.getElementById("browser");
  if (!section) return;
  const given = JSON.parse(document.getElementById("rows").textContent);
  const form = section.querySelector("form");
  const results = section.querySelector(".results");
  const output = form.querySelector("output");
  const pager = section.querySelector("nav");
  const PAGE = 20; // outputs
  const MOST_CHUNKS = 64; // held at once; the oldest ones are loaded anew when they are needed
  const MOST_CHOICES = 200; // of a filter; more values are no classes
  const SIGNS = { accepted: "✓ accepted", rejected: "✗ rejected", failed: "! failed" };
  const LETTER = /^[\p{L}\p{N}]/u;
  const KEYS = ["find", "sort", "page", "row"];
  const [ID, SOURCE, PROMPT, STATUS, TARGET, SPLIT, CHANGED, REASON, SCORES] = Array(9).keys();
  const count = (number) => number.toLocaleString("en-US");
  const figure = (value) => (typeof value === "number" && Math.abs(value) < 100 ? String(+value.toPrecision(3)) : String(value));

  const make = (tag, about = {}, ...inside) => {
    const element = Object.assign(document.createElement(tag), about);
    element.append(...inside);
    return element;
  };

  // ---- What is there
  reportRows.index = given.index || null;
  reportRows.chunks = given.chunks || [];
  const chunks = Math.ceil(given.total / given.size);
  const coming = new Map(); // number of a chunk -> promise

  const load = (name) =>
    new Promise((done, failed) => {
      const script = make("script", { src: `${given.folder}/${name}.js`, charset: "utf-8" });
      script.onload = () => (script.remove(), done());
      script.onerror = () => (script.remove(), failed(new Error(`${given.folder}/${name}.js cannot be loaded`)));
      document.head.append(script);
    });

  const chunk = (number) => {
    if (!given.folder) return Promise.resolve(reportRows.chunks[number]);
    if (!coming.has(number)) {
      const loading = load(String(number + 1).padStart(4, "0")).then(() => reportRows.chunks[number]);
      loading.catch(() => coming.delete(number));
      coming.set(number, loading);
      if (coming.size > MOST_CHUNKS) {
        const oldest = coming.keys().next().value;
        coming.delete(oldest);
        delete reportRows.chunks[oldest];
      }
    }
    return coming.get(number);
  };

  let index; // set once it is there
  const sourceOf = (line) => (typeof line[SOURCE] === "number" ? line[ID].slice(0, line[SOURCE]) : line[SOURCE]);

  // ---- What can be chosen
  const FILTERS = [
    ["prompt", "Prompt", (line) => [index.prompts[line[PROMPT]]]],
    ["status", "Status", (line) => [index.statuses[line[STATUS]]]],
    ["class", "Class", (line) => (line[TARGET] === null ? [] : [String(line[TARGET])])],
    ["split", "Split", (line) => [index.splits[line[SPLIT]]]],
    ["part", "Changed part", (line) => index.changes[line[CHANGED]]],
    ["reason", "Reason", (line) => [index.reasons[line[REASON]]]],
  ];

  const option = (value, text = value) => make("option", { value, textContent: text });

  const offer = () => {
    for (const [name, label, values] of FILTERS) {
      const times = new Map();
      for (const line of index.rows) for (const value of values(line)) if (value) times.set(value, (times.get(value) || 0) + 1);
      const select = make("select", { name: `of-${name}` }, option("", "all"));
      const order = [...times].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
      if (times.size <= MOST_CHOICES) for (const [value, n] of order) select.append(option(value, `${value} (${count(n)})`));
      const shown = make("label", { hidden: select.length < 2 || (select.length < 3 && name !== "reason" && name !== "part") });
      shown.append(`${label} `, select);
      form.querySelector(".narrow").append(shown);
    }
    const sort = form.elements.sort;
    sort.append(option("", "as written"), option("row", "by row"));
    index.scores.forEach((name) => {
      sort.append(option(`low ${name}`, `${name}, lowest first`), option(`high ${name}`, `${name}, highest first`));
    });
  };

  // ---- What was chosen; the address keeps it, so that it can be linked to
  let state = {};
  const stated = () => new URLSearchParams(location.hash.slice(1));
  const names = [...KEYS, ...FILTERS.map(([name]) => `of-${name}`)];

  const read = () => {
    const wanted = stated();
    state = Object.fromEntries(names.map((name) => [name, wanted.get(name) || ""]));
    for (const name of names) {
      const field = form.elements[name];
      if (!field) continue;
      if (field.options && ![...field.options].some((one) => one.value === state[name])) state[name] = "";
      field.value = state[name];
    }
  };

  const keep = () => {
    const kept = stated();
    for (const name of names) if (state[name]) kept.set(name, state[name]); else kept.delete(name);
    history.replaceState(null, "", `#${kept}`);
  };

  // ---- Searching: every chunk once for each search, in the order of the run
  let search = { words: "", hits: new Set(), searched: 0, missing: 0 };

  const textsOf = (held, at) => {
    const [place, parts, reason, notes] = held.rows[at];
    const source = new Map(held.sources[place]);
    return { source, parts: parts.map(([name, text]) => [name, text === null ? source.get(name) : text]), reason, notes };
  };

  const find = async (words) => {
    const mine = (search = { words, hits: new Set(), searched: 0, missing: 0 });
    const looked = new RegExp(words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "iu");
    let shown = performance.now();
    for (let number = 0; number < chunks; number++) {
      try {
        const held = await chunk(number);
        if (search !== mine) return;
        held.rows.forEach((_, at) => {
          const { parts, reason, notes } = textsOf(held, at);
          const position = number * given.size + at;
          if (looked.test(index.rows[position][ID]) || looked.test(reason) || looked.test(notes) || parts.some(([, text]) => looked.test(text)))
            mine.hits.add(position);
        });
        mine.searched += held.rows.length;
      } catch {
        mine.missing++;
      }
      if (performance.now() - shown > 250) {
        shown = performance.now();
        await show();
        if (search !== mine) return;
      }
    }
    await show();
  };

  // ---- What fits
  const fitting = () => {
    const rows = index.rows;
    const all = [...rows.keys()];
    if (state.row) return all.filter((at) => rows[at][ID] === state.row || sourceOf(rows[at]) === state.row);
    const chosen = FILTERS.filter(([name]) => state[`of-${name}`]);
    const fits = (at) =>
      (!state.find || search.hits.has(at)) && chosen.every(([name, , values]) => values(rows[at]).includes(state[`of-${name}`]));
    return ordered(all.filter(fits));
  };

  const ordered = (found) => {
    const rows = index.rows;
    if (state.sort === "row") {
      const keys = new Map(found.map((at) => [at, sourceOf(rows[at])]));
      return found.sort((a, b) => (keys.get(a) < keys.get(b) ? -1 : keys.get(a) > keys.get(b) ? 1 : a - b));
    }
    const [way, ...words] = state.sort.split(" ");
    const place = index.scores.indexOf(words.join(" "));
    if (place < 0) return found;
    const turn = way === "low" ? 1 : -1;
    const score = (at) => rows[at][SCORES][place] ?? null;
    return found.sort((a, b) => {
      const [x, y] = [score(a), score(b)];
      if (x === null || y === null) return (x === null) - (y === null) || a - b; // without one: last
      return turn * (x - y) || a - b;
    });
  };

  const told = (found) => {
    if (state.row) return `${count(found)} of this row, of all ${count(given.total)} outputs`;
    const fit = `${count(found)} of all ${count(given.total)} outputs`;
    if (!state.find) return fit;
    if (search.missing) return `${count(found)} of the ${count(search.searched)} that could be loaded, of ${count(given.total)}`;
    return search.searched < given.total ? `${count(found)} of the ${count(search.searched)} loaded so far, of ${count(given.total)}` : fit;
  };

  // ---- How it looks
  const words = (text, name, note, pieces = [["same", text]]) => {
    const box = make("div", { className: "words", dir: "auto" });
    pieces.forEach(([kind, said], at) => {
      const end = said.slice(said.trimEnd().length);
      if (kind === "same") box.append(said);
      else if (kind === "new") box.append(make("ins", {}, said.trimEnd()), end);
      else {
        // Struck words never touch their neighbours, but marks do.
        const before = /\S$/u.test(at ? pieces[at - 1][1] : " ") && LETTER.test(said) ? " " : "";
        const after = end || (at + 1 < pieces.length && LETTER.test(pieces[at + 1][1]) ? " " : "");
        box.append(make("span", { className: "gone" }, before, make("del", {}, said.trimEnd()), after));
      }
    });
    const part = make("div", { className: "part" });
    if (name || note) part.append(make("span", { className: "name" }, make("bdi", {}, name), note));
    part.append(box);
    return part;
  };

  const facts = (...said) => make("p", { className: "facts" }, ...said.filter(Boolean).map((one) => make("span", {}, ...[one].flat())));
  const link = (id) => make("a", { href: `#${new URLSearchParams({ row: id })}` }, make("bdi", {}, id));

  const original = (line, source) => {
    const box = make("div", { className: "original" }, make("h3", {}, link(sourceOf(line))));
    const [split, target] = [index.splits[line[SPLIT]], line[TARGET]];
    box.append(facts(split && `split ${split}`, target !== null && ["target ", make("bdi", {}, figure(target))]));
    for (const [name, text] of source) box.append(words(text, name, ""));
    if (!source.size) box.append(make("p", { className: "soft" }, "(no clean row was written for this source)"));
    return box;
  };

  const part = (name, text, source) => {
    if (!source.has(name)) return words(text, name, "", [["new", text]]);
    const { pieces, rewritten } = wordDifferences(source.get(name), text);
    return words(text, name, rewritten ? (name ? ", mostly rewritten" : "mostly rewritten") : "", pieces);
  };

  // What a variant did with whole parts: kept, left out, put into another order.
  const whole = (parts, source) => {
    const order = parts.map(([name]) => name);
    const same = parts.filter(([name, text]) => source.get(name) === text).map(([name]) => name || "text");
    const absent = [...source.keys()].filter((name) => !order.includes(name) && !index.derived.includes(name));
    const first = [...source.keys()].filter((name) => order.includes(name));
    const moved = first.join("\n") !== order.filter((name) => source.has(name)).join("\n");
    const nothing = same.length === order.length && !absent.length && !moved;
    return facts(
      nothing ? "the same text as the source" : same.length > 0 && `unchanged: ${same.join(", ")}`,
      absent.length > 0 && `left out: ${absent.join(", ")}`,
      moved && `order: ${order.join(", ")}`,
    );
  };

  const variant = (line, { source, parts, reason, notes }) => {
    const status = index.statuses[line[STATUS]];
    const box = make("div", { className: "variant" });
    box.dataset.status = status;
    box.append(make("h3", {}, make("bdi", {}, index.prompts[line[PROMPT]]), make("span", { className: "state" }, SIGNS[status])));
    if (reason) box.append(make("p", { className: "why", dir: "auto" }, reason));
    for (const [name, text] of parts) if (source.get(name) !== text) box.append(part(name, text, source));
    if (status !== "failed") box.append(whole(parts, source));
    if (notes) box.append(make("p", { className: "facts", dir: "auto" }, notes));
    const measured = index.scores.map((name, at) => [name, line[SCORES][at] ?? null]).filter(([, value]) => value !== null);
    const scores = measured.map(([name, value]) => make("li", {}, `${name} `, make("b", {}, figure(value))));
    if (scores.length) box.append(make("ul", { className: "scores" }, ...scores));
    box.append(make("p", { className: "facts" }, link(line[ID])));
    return box;
  };

  // Neighbours of one source stand beside it together.
  const articles = async (positions) => {
    const drawn = [];
    let last, beside;
    for (const at of positions) {
      const line = index.rows[at];
      const texts = textsOf(await chunk(Math.trunc(at / given.size)), at % given.size);
      if (!beside || sourceOf(line) !== last) {
        last = sourceOf(line);
        beside = make("div");
        drawn.push(make("article", { className: "source" }, original(line, texts.source), beside));
      }
      beside.append(variant(line, texts));
    }
    return drawn;
  };

  let drawing = 0;
  const show = async () => {
    const mine = ++drawing;
    const found = fitting();
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    const page = Math.min(Math.max(1, Math.trunc(Number(state.page)) || 1), pages);
    const positions = found.slice((page - 1) * PAGE, page * PAGE);
    let drawn;
    try {
      drawn = await articles(positions);
    } catch (error) {
      drawn = [make("p", { className: "why" }, absentFiles(error))];
    }
    if (mine !== drawing) return; // a later choice came in between
    results.replaceChildren(...drawn);
    const searching = state.find && search.searched < given.total && !search.missing;
    if (!found.length && !searching) results.append(make("p", { className: "soft" }, state.row ? `No output or row of this run is called ${state.row}.` : "Nothing fits."));
    output.textContent = told(found.length);
    pager.querySelector("span").textContent = `page ${count(page)} of ${count(pages)}`;
    pager.hidden = pages < 2;
    pager.querySelector("[name=back]").disabled = page <= 1;
    pager.querySelector("[name=on]").disabled = page >= pages;
  };

  const absentFiles = (error) =>
    `${error.message}: keep the folder ${given.folder} beside this page, or write both anew with \`textcentric runs report\`.`;

  const apply = () => {
    if (state.find && state.find !== search.words) find(state.find);
    else if (!state.find) search = { words: "", hits: new Set(), searched: 0, missing: 0 };
    return show();
  };

  const choose = (changes) => {
    Object.assign(state, changes);
    keep();
    return apply();
  };

  const turn = (by) => {
    const page = Number(pager.querySelector("span").textContent.replace(/\D*([\d,]+).*/, "$1").replace(/,/g, ""));
    choose({ page: String(page + by) }).then(() => {
      section.scrollIntoView();
      results.focus({ preventScroll: true }); // so that the next key press reads on from here
    });
  };

  const start = () => {
    index = reportRows.index;
    offer();
    read();
    document.getElementById("told").textContent =
      "Every output that was written, also those that were rejected or failed, beside its source. Each id links to its row." +
      (index.cut ? ` Parts are shown and searched up to ${count(index.cut)} characters; the rest is in data/.` : "");
    let waiting;
    form.addEventListener("input", (event) => {
      clearTimeout(waiting);
      const { name, value } = event.target;
      waiting = setTimeout(() => choose({ [name]: value, page: "", row: "" }), name === "find" ? 200 : 0);
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => choose(Object.fromEntries(names.map((name) => [name, ""]))));
    pager.addEventListener("click", (event) => event.target.name && turn(event.target.name === "on" ? 1 : -1));
    window.addEventListener("hashchange", () => {
      const before = JSON.stringify(state);
      read();
      if (JSON.stringify(state) === before) return;
      apply().then(() => state.row && section.scrollIntoView());
    });
    apply().then(() => names.some((name) => state[name]) && section.scrollIntoView());
  };

  section.hidden = false;
  const intro = document.querySelector("#drawn > p");
  if (intro) intro.append(" ", make("a", { href: "#browser" }, `All ${count(given.total)} outputs`), " can be searched below.");
  document.addEventListener("DOMContentLoaded", () => {
    if (index) return;
    if (reportRows.index) start();
    else load("index").then(start, (error) => results.replaceChildren(make("p", { className: "why" }, absentFiles(error))));
  });
})();
