
"use strict";
const at = (id) => document.getElementById(id);
const KEYS = {s: "same", l: "less", c: "changed", g: "garbled"};
const TAGS = {same: "span", gone: "del", new: "ins"};
let sheet = null, here = 0, busy = false;
const history = [];

const make = (tag, text, name) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  return made;
};

async function ask(place, options) {
  const answer = await fetch(place, options);
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.problem || `the server answered ${answer.status}`);
  return value;
}

function problem(text) {
  at("problem").hidden = !text;
  at("problem").textContent = text || "";
}

function side(pieces, which, absent) {
  const made = make("div", undefined, "words side");
  made.dataset.side = which;
  if (!pieces) made.append(make("span", absent ? "(left out)" : "", "absent"));
  for (const [kind, text] of pieces || []) made.append(make(TAGS[kind], text));
  return made;
}

function show() {
  const item = sheet.items[here];
  const read = Object.keys(sheet.answers).length, all = sheet.items.length;
  at("progress").textContent = item
    ? `${sheet.reader}: pair ${here + 1} of ${all}, ${read} read` : `${sheet.reader}: ${read} of ${all} read`;
  at("bar").firstElementChild.setAttribute("width", 100 * read / all);
  at("edit").hidden = true;
  at("done").hidden = Boolean(item);
  document.querySelector(".heads").hidden = !item;
  at("declared").hidden = !(item && item.declared);
  at("declared").textContent = item ? item.declared : "";
  at("pair").replaceChildren(...(item ? item.parts.map(part) : []));
  const answer = item && sheet.answers[item.item];
  if (answer && answer.edited) at("pair").append(make("p", "You mended this text.", "absent"));
  for (const button of document.querySelectorAll("[data-word]")) {
    button.setAttribute("aria-pressed", Boolean(answer) && answer.word === button.dataset.word);
    button.disabled = !item;
  }
  at("mend").disabled = !item;
  at("undo").disabled = !history.length && !answer;
  at("back").disabled = here === 0;
  at("next").disabled = !item;
  document.querySelector("main").scrollTop = 0;
}

function part(of) {
  const made = make("div", undefined, of.equal ? "part equal" : "part");
  made.append(make("div", of.equal ? `${of.name} (the same in both)` : of.name, "name"));
  made.append(side(of.source, "source", false));
  if (!of.equal) made.append(side(of.variant, "variant", of.absent));
  return made;
}

function unread(from) {
  const order = sheet.items.map((_, i) => (from + i) % sheet.items.length);
  const next = order.find((i) => !sheet.answers[sheet.items[i].item]);
  return next === undefined ? sheet.items.length : next;
}

async function save(place, word, edited) {
  const item = sheet.items[place];
  if (!item || busy) return false;
  busy = true;
  try {
    await ask("answers", {
      method: "POST",
      headers: {"Content-Type": "application/json"},
      body: JSON.stringify({item: item.item, word, edited: edited || null}),
    });
    if (word) sheet.answers[item.item] = {word, edited: edited || null};
    else delete sheet.answers[item.item];
    problem("");
    return true;
  } catch (error) {
    problem(`Not saved: ${error.message}. The terminal says whether the page is still served.`);
    return false;
  } finally {
    busy = false;
  }
}

async function call(word) {
  const place = here, known = sheet.items[place] && sheet.answers[sheet.items[place].item];
  if (!(await save(place, word, known ? known.edited : null))) return;
  if (!history.includes(place)) history.push(place);
  here = known ? place + 1 : unread(place + 1);
  show();
}

async function undo() {
  const item = sheet.items[here];
  const place = item && sheet.answers[item.item] ? here : history[history.length - 1];
  if (place === undefined || !(await save(place, "", null))) return;
  if (history.includes(place)) history.splice(history.indexOf(place), 1);
  here = place;
  show();
}

function mend() {
  const item = sheet.items[here];
  if (!item) return;
  const answer = sheet.answers[item.item];
  const text = {...item.text, ...(answer && answer.edited)};
  const changed = item.parts.filter((of) => !of.equal && of.variant).map((of) => of.name);
  at("fields").replaceChildren(...(changed.length ? changed : Object.keys(text)).map((name) => {
    const label = make("label", name), area = make("textarea", text[name]);
    area.dataset.part = name;
    label.append(area);
    return label;
  }));
  at("edit").hidden = false;
  const first = at("fields").querySelector("textarea");
  first.focus();
  first.scrollIntoView({block: "nearest"});
}

async function keep() {
  const item = sheet.items[here], edited = {};
  for (const area of at("fields").querySelectorAll("textarea")) {
    if (area.value !== item.text[area.dataset.part]) edited[area.dataset.part] = area.value;
  }
  const answer = sheet.answers[item.item];
  const word = answer ? answer.word : "changed";
  const mended = Object.keys(edited).length ? {...item.text, ...edited} : null;
  if (await save(here, word, mended)) {
    if (!history.includes(here)) history.push(here);
    show();
    at("pair").focus();
  }
}

function leave() {
  at("edit").hidden = true;
  at("pair").focus();
}

function go(step) {
  here = Math.max(0, Math.min(sheet.items.length, here + step));
  show();
}

document.addEventListener("keydown", (event) => {
  if (!sheet) return;
  const typing = event.target instanceof HTMLTextAreaElement;
  if (event.key === "Escape" && !at("edit").hidden) return leave();
  if (typing && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    return keep();
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (KEYS[key]) call(KEYS[key]);
  else if (key === "u") undo();
  else if (key === "e") { event.preventDefault(); mend(); }
  else if (key === "ArrowLeft") go(-1);
  else if (key === "ArrowRight") go(1);
});
for (const button of document.querySelectorAll("[data-word]")) {
  button.addEventListener("click", () => call(button.dataset.word));
}
at("undo").addEventListener("click", undo);
at("mend").addEventListener("click", mend);
at("back").addEventListener("click", () => go(-1));
at("next").addEventListener("click", () => go(1));
at("leave").addEventListener("click", leave);
at("edit").addEventListener("submit", (event) => { event.preventDefault(); keep(); });
ask("sheet").then((value) => { sheet = value; here = unread(0); show(); }, (error) => problem(error.message));
