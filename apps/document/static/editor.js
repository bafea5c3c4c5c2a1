// The editor of official documents. The form works without this script; with it, the pages are drawn anew as one types,
// what is typed is kept, and blocks are written like a text. The server sets the pages: nothing is laid out here.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const form = document.getElementById("editor");
const list = document.getElementById("blocks");
const pages = document.getElementById("pages");
const outlines = document.querySelector("#outlines defs");
const said = (name) => form.dataset[`say${name[0].toUpperCase()}${name.slice(1)}`];
const english = form.dataset.language === "en";
const kindOfAll = form.elements.namedItem("of_kind");
const HEADING = [
  ["h1", /^[一二三四五六七八九十百]{1,4}、/],
  ["h2", /^[（(][一二三四五六七八九十百]{1,4}[）)]/],
  ["h3", /^[0-9０-９]{1,2}[.．、](?![0-9])/],
  ["h4", /^[（(][0-9０-９]{1,2}[）)]/],
];
let places = {};
let drawn = [];

// --- the blocks ---

const blocks = () => [...list.querySelectorAll(":scope > .block")];
const fieldsOf = (block) => [...block.querySelectorAll("textarea[name=text], input[name=cell]")];
const blockOf = (element) => element.closest?.(".block");

function textOf(block) {
  const kind = block.querySelector("[name=kind]").value;
  if (kind !== "table") {
    return { kind, text: block.querySelector("[name=text]").value, rows: [] };
  }
  const rows = [...block.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("[name=cell]")].map((cell) => cell.value));
  return { kind, text: "", rows };
}

function text() {
  return { title: form.elements.title.value, blocks: blocks().map(textOf), notes: form.elements.notes.value };
}

function made(kind, value = "", rows = null) {
  const template = document.getElementById(kind === "table" ? "new-table" : "new-block");
  const block = template.content.firstElementChild.cloneNode(true);
  block.querySelector("[name=kind]").value = kind;
  block.className = `block block-${kind}`;
  block.dataset.kind = kind;
  if (kind === "table" && rows) {
    const width = Math.max(...rows.map((row) => row.length), 1);
    const body = block.querySelector("tbody");
    body.replaceChildren(...rows.map((row) => newRow(block, Array.from({ length: width }, (_, i) => row[i] ?? ""))));
    edges(block, width);
  } else if (kind !== "table") {
    block.querySelector("[name=text]").value = value;
  }
  return block;
}

function newRow(block, values) {
  const old = block.querySelector("tbody tr") ?? document.getElementById("new-table").content.querySelector("tbody tr");
  const row = old.cloneNode(true);
  const cell = row.querySelector("td:not(.off)").cloneNode(true);
  row.querySelectorAll("td:not(.off)").forEach((each) => each.remove());
  for (const value of values) {
    const added = cell.cloneNode(true);
    added.querySelector("input").value = value;
    row.insertBefore(added, row.querySelector(".off"));
  }
  return row;
}

function edges(block, width) {
  const foot = block.querySelector("tfoot tr");
  const off = foot.querySelector(".off").cloneNode(true);
  foot.querySelectorAll(".off").forEach((each) => each.remove());
  for (let i = 0; i < width; i += 1) {
    foot.insertBefore(off.cloneNode(true), foot.lastElementChild);
  }
}

// Names, numbers and places that say where a block stands.
function settle() {
  blocks().forEach((block, index) => {
    const n = index + 1;
    block.id = `block-${index}`;
    block.querySelector("[name=kind]").setAttribute("aria-label", said("kind").replace("{n}", n));
    const area = block.querySelector("textarea[name=text]");
    if (area) {
      area.setAttribute("aria-label", said("text").replace("{n}", n));
      area.setAttribute("aria-describedby", `remarks-${index}`);
      grow(area);
    }
    block.querySelector(".remarks").id = `remarks-${index}`;
    const rows = [...block.querySelectorAll("tbody tr")];
    rows.forEach((row, r) =>
      row.querySelectorAll("[name=cell]").forEach((cell, c) => cell.setAttribute("aria-label", said("cell").replace("{row}", r + 1).replace("{column}", c + 1))),
    );
    if (rows.length) {
      block.querySelector("[name=shape]").value = `${rows.length}x${rows[0].querySelectorAll("[name=cell]").length}`;
    }
    for (const button of block.querySelectorAll("button[name=do]")) {
      const [act] = button.value.split(":");
      const row = [...block.querySelectorAll("tbody .off button")].indexOf(button);
      const column = [...block.querySelectorAll("tfoot .off button")].indexOf(button);
      button.value = act === "after" ? `after:${n}` : `${act}:${index}${row >= 0 ? `:${row}` : column >= 0 ? `:${column}` : ""}`;
    }
  });
  const last = document.querySelector(".adders [name=do]");
  last.value = `after:${blocks().length}`;
}

function grow(area) {
  area.rows = Math.max(1, Math.ceil(area.value.length / 30));
  if (area.scrollHeight > area.clientHeight + 2) {
    area.rows += Math.ceil((area.scrollHeight - area.clientHeight) / 24);
  }
}

function turnInto(block, kind) {
  const now = textOf({ querySelector: (q) => (q === "[name=kind]" ? { value: block.dataset.kind } : block.querySelector(q)), querySelectorAll: (q) => block.querySelectorAll(q) });
  if ((kind === "table") === (block.dataset.kind === "table")) {
    block.querySelector("[name=kind]").value = kind;
    block.className = `block block-${kind}`;
    block.dataset.kind = kind;
    return block;
  }
  const lines = now.text.split("\n").filter((line) => line.trim());
  const other =
    kind === "table"
      ? made("table", "", lines.length ? lines.map((line) => line.trim().split(/\s*[|｜\t]\s*/)) : null)
      : made(kind, now.rows.map((row) => row.filter(Boolean).join("　")).join("\n").trim());
  block.replaceWith(other);
  return other;
}

function focusAt(block, at = null, cell = 0) {
  const field = fieldsOf(block)[cell] ?? fieldsOf(block)[0];
  field.focus();
  const end = at ?? field.value.length;
  field.setSelectionRange(end, end);
}

// --- undo and redo: what the whole text was, and where one stood ---

const past = [];
const future = [];
let last = JSON.stringify(text());

function standing() {
  const field = document.activeElement;
  const block = blockOf(field);
  if (!block && !["title", "notes"].includes(field?.name)) {
    return null;
  }
  return { block: block ? blocks().indexOf(block) : field.name, cell: block ? fieldsOf(block).indexOf(field) : 0, at: field.selectionStart ?? 0 };
}

function note() {
  const now = JSON.stringify(text());
  if (now !== last) {
    past.push({ text: last, standing: standing() });
    if (past.length > 500) {
      past.shift();
    }
    future.length = 0;
    last = now;
  }
}

function restore(from, to) {
  note();
  const step = from.pop();
  if (!step) {
    return;
  }
  to.push({ text: last, standing: standing() });
  last = step.text;
  const was = JSON.parse(step.text);
  form.elements.title.value = was.title;
  form.elements.notes.value = was.notes;
  list.replaceChildren(...was.blocks.map((each) => made(each.kind, each.text, each.rows.length ? each.rows : null)));
  settle();
  const place = step.standing;
  if (typeof place?.block === "number" && blocks()[place.block]) {
    focusAt(blocks()[place.block], place.at, place.cell);
  } else if (place) {
    form.elements[place.block]?.focus();
  }
  changed({ noted: true });
}

// --- kept on the server as one types: it is no version ---

const kept = document.getElementById("kept");
let keepTimer = 0;
let keeping = null;
let lastKept = last;
let conflict = false;
let leaving = false;

async function keep() {
  clearTimeout(keepTimer);
  if (!form.dataset.keep) {
    return;
  }
  if (keeping) {
    await keeping;
  }
  const now = text();
  const body = JSON.stringify(now);
  if (body === lastKept || conflict || leaving) {
    return;
  }
  kept.textContent = said("keeping");
  keeping = send("PUT", form.dataset.keep, { turn: Number(form.elements.turn.value), text: now }).then((told) => {
    keeping = null;
    if (told.status === 200) {
      form.elements.turn.value = told.answer.turn;
    }
    return told;
  });
  const { status, answer } = await keeping;
  if (status === 200) {
    lastKept = body;
    kept.textContent = `${said("kept")} ${new Date(answer.at).toLocaleTimeString(english ? "en-GB" : "zh-CN", { hour: "2-digit", minute: "2-digit" })}`;
  } else if (status === 409) {
    conflict = true;
    kept.textContent = said("conflict");
  } else {
    kept.textContent = answer?.detail ?? said("unkept");
    keepTimer = setTimeout(keep, 5000);
  }
}

async function send(method, path, body, signal) {
  try {
    const response = await fetch(path, { method, body: JSON.stringify(body), signal, headers: { "Content-Type": "application/json", Accept: "application/json", "Accept-Language": english ? "en" : "zh" } });
    const answered = await response.text();
    return { status: response.status, answer: /json/.test(response.headers.get("Content-Type")) ? JSON.parse(answered) : null };
  } catch (error) {
    return { status: error.name === "AbortError" ? -1 : 0, answer: null };
  }
}

// --- the pages ---

const known = new Set();
let drawTimer = 0;
let drawing = null;

async function draw() {
  drawing?.abort();
  drawing = new AbortController();
  const { status, answer } = await send("POST", form.dataset.preview, { text: text(), known: [...known], ...(kindOfAll ? { kind: kindOfAll.value } : {}) }, drawing.signal);
  if (status === -1) {
    return;
  }
  if (status !== 200) {
    document.getElementById("standing").textContent = answer?.detail ?? said("unseen");
    return;
  }
  for (const [name, path] of Object.entries(answer.outlines)) {
    const outline = document.createElementNS(SVG, "path");
    outline.id = name;
    outline.setAttribute("d", path);
    outlines.append(outline);
    known.add(name);
  }
  places = answer.places;
  if (answer.pages.length) {
    show(answer.pages);
  }
  pages.classList.toggle("stale", answer.pages.length === 0);
  tell(answer);
  mark(false);
}

function show(svgs) {
  svgs.forEach((svg, index) => {
    if (drawn[index] === svg && pages.children[index]) {
      return;
    }
    const page = document.importNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement, true);
    page.classList.add("sheet");
    if (pages.children[index]) {
      pages.children[index].replaceWith(page);
    } else {
      pages.append(page);
    }
  });
  while (pages.children.length > svgs.length) {
    pages.lastElementChild.remove();
  }
  drawn = svgs;
}

function tell(answer) {
  blocks().forEach((block, index) => {
    const number = block.querySelector(".number");
    if (number) {
      number.textContent = answer.labels[index] ?? "";
    }
  });
  // a template has no recipients yet, and is there to be filled in
  const remarks = answer.remarks.filter((each) => !kindOfAll || (each.at !== "recipients" && each.code !== "document.remark.placeholder"));
  const grave = remarks.filter((each) => each.grave).length;
  const told = (answer.pages.length ? said("pages") : said("unplaced")).replace("{pages}", answer.pages.length).replace("{grave}", grave).replace("{mild}", remarks.length - grave);
  const status = document.getElementById("standing");
  if (status.textContent !== told) {
    status.textContent = told;
  }
  const byPlace = new Map();
  for (const remark of remarks) {
    const [head, number] = remark.at.split("/");
    const id = head === "blocks" ? `remarks-${number}` : `remarks-${head}`;
    byPlace.set(id, [...(byPlace.get(id) ?? []), remark]);
  }
  for (const place of document.querySelectorAll(".remarks")) {
    const items = (byPlace.get(place.id) ?? []).map(remarkItem);
    if (place.textContent !== items.map((item) => item.textContent).join("")) {
      place.replaceChildren(...items);
    }
  }
  for (const block of blocks()) {
    const wrong = (byPlace.get(block.querySelector(".remarks").id) ?? []).some((each) => each.grave);
    block.querySelector("textarea[name=text]")?.setAttribute("aria-invalid", wrong);
  }
}

function remarkItem(remark) {
  const item = document.createElement("li");
  item.className = remark.grave ? "grave" : "mild";
  const kind = document.createElement(remark.grave ? "strong" : "span");
  kind.textContent = remark.grave ? said("grave") : said("mild");
  kind.classList.toggle("visually-hidden", !remark.grave);
  item.append(kind, ` ${english ? remark.text.en : remark.text.zh}`);
  return item;
}

// --- between the text and the page ---

// The lines of the pages that come from what has the focus, with the index of their first character in its field.
function linesOf(field) {
  const block = blockOf(field);
  const found = [];
  for (const group of pages.querySelectorAll("g[data-at]")) {
    const at = group.dataset.at;
    const start = Number(group.dataset.start);
    const [, own, cell] = /^(.*?)((?:\/rows\/\d+\/\d+)?)$/.exec(at);
    if (!block) {
      if (at === `/${field.name}`) {
        found.push({ group, start });
      }
      continue;
    }
    const place = places[own];
    if (place?.block === blocks().indexOf(block) && (!cell || cellAt(block, cell) === field)) {
      found.push({ group, start: cell ? start : start + place.shift });
    }
  }
  return found;
}

function cellAt(block, cell) {
  const [, , row, column] = cell.split("/");
  return block.querySelectorAll("tbody tr")[row]?.querySelectorAll("[name=cell]")[column];
}

// Show where the cursor is on the page; follow it there when it was moved by hand.
function mark(follow = true) {
  for (const old of pages.querySelectorAll(".here")) {
    old.remove();
  }
  const field = document.activeElement;
  if (!field || !form.contains(field) || field.selectionStart === undefined || field.name === "kind") {
    return;
  }
  const at = field.selectionStart;
  const lines = linesOf(field);
  const line = lines.filter((each) => each.start <= at).at(-1) ?? lines[0];
  if (!line) {
    return;
  }
  const size = Number(line.group.dataset.size);
  const here = document.createElementNS(SVG, "g");
  here.setAttribute("class", "here");
  here.setAttribute("transform", line.group.getAttribute("transform"));
  here.append(box(-2, -0.95 * size, Number(line.group.dataset.width) + 4, 1.25 * size, "line"));
  const x = offset(line.group, at - line.start);
  here.append(box(x - 0.6, -0.95 * size, 1.2, 1.25 * size, "caret"));
  line.group.parentNode.insertBefore(here, line.group);
  const spot = here.getBoundingClientRect();
  const frame = pages.getBoundingClientRect();
  const bottom = Math.min(frame.bottom, window.innerHeight);
  if (follow && getComputedStyle(pages).overflowY === "auto" && (spot.top < frame.top || spot.bottom > bottom)) {
    pages.scrollTop += spot.top - frame.top - (bottom - frame.top) / 3;
  }
}

function box(x, y, width, height, name) {
  const rect = document.createElementNS(SVG, "rect");
  for (const [key, value] of Object.entries({ x, y, width, height, class: name })) {
    rect.setAttribute(key, value);
  }
  return rect;
}

// How far from the line's left edge its character of this index stands, in points.
function offset(group, index) {
  const uses = [...group.querySelectorAll("use")];
  if (index >= uses.length) {
    return Number(group.dataset.width);
  }
  const use = uses[Math.max(index, 0)];
  return Number(use.getAttribute("x")) * scaleOf(use.parentNode);
}

const scaleOf = (piece) => Number(/scale\(([\d.]+)/.exec(piece.getAttribute("transform"))[1]);

function jump(event) {
  const page = event.target.closest("svg.sheet");
  if (!page) {
    return;
  }
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(page.getScreenCTM().inverse());
  let best = null;
  for (const group of page.querySelectorAll("g[data-at]")) {
    const [, x, y] = /translate\(([\d.]+) ([\d.]+)\)/.exec(group.getAttribute("transform")).map(Number);
    const size = Number(group.dataset.size);
    const right = x + Number(group.dataset.width);
    const away = Math.abs(point.y - (y - size / 3)) * 4 + Math.max(x - point.x, 0, point.x - right);
    if (!best || away < best.away) {
      best = { away, group, x };
    }
  }
  if (!best || best.away > 150) {
    return;
  }
  const uses = [...best.group.querySelectorAll("use")];
  const before = uses.filter((use) => best.x + Number(use.getAttribute("x")) * scaleOf(use.parentNode) + Number(best.group.dataset.size) / 2 < point.x).length;
  const start = Number(best.group.dataset.start);
  const [, own, cell] = /^(.*?)((?:\/rows\/\d+\/\d+)?)$/.exec(best.group.dataset.at);
  const simple = { "/title": form.elements.title, "/notes": form.elements.notes }[own];
  const place = places[own];
  const block = place && blocks()[place.block];
  const field = simple ?? (block && (cell ? cellAt(block, cell) : block.querySelector("textarea[name=text]")));
  if (field) {
    field.focus();
    const at = Math.min(Math.max(start + before + (place && !cell ? place.shift : 0), 0), field.value.length);
    field.setSelectionRange(at, at);
    mark();
  }
}

// --- what happens ---

function changed({ noted = false } = {}) {
  clearTimeout(drawTimer);
  clearTimeout(keepTimer);
  drawTimer = setTimeout(draw, 250);
  keepTimer = setTimeout(keep, 1500);
  if (!noted) {
    clearTimeout(changed.timer);
    changed.timer = setTimeout(note, 400);
  }
}

function act(button) {
  const [name, , number] = button.value.split(":");
  const block = blockOf(button);
  note();
  if (!block || name === "after") {
    add(block ?? blocks().at(-1), "p");
  } else if (name === "delete") {
    const next = block.nextElementSibling ?? block.previousElementSibling;
    block.remove();
    kept.textContent = said("gone");
    focusAt(next ?? list.appendChild(made("p")));
  } else if (name === "up") {
    block.previousElementSibling?.before(block);
    button.focus();
  } else if (name === "down") {
    block.nextElementSibling?.after(block);
    button.focus();
  } else {
    table(block, name, Number(number));
  }
  settle();
  note();
  changed();
}

function add(after, kind) {
  const block = made(kind);
  if (after) {
    after.after(block);
  } else {
    list.append(block);
  }
  settle();
  focusAt(block);
  return block;
}

function table(block, name, at) {
  const body = block.querySelector("tbody");
  const rows = [...body.children];
  const width = rows[0].querySelectorAll("[name=cell]").length;
  if (name === "row") {
    body.append(newRow(block, Array(width).fill("")));
    focusAt(block, 0, rows.length * width);
  } else if (name === "row-off" && rows.length > 1) {
    rows[at].remove();
    focusAt(block, null, Math.max(at - 1, 0) * width);
  } else if (name === "column") {
    body.replaceChildren(...rows.map((row) => newRow(block, [...row.querySelectorAll("[name=cell]")].map((cell) => cell.value).concat(""))));
    edges(block, width + 1);
    focusAt(block, 0, width);
  } else if (name === "column-off" && width > 1) {
    rows.forEach((row) => row.querySelectorAll("td:not(.off)")[at].remove());
    edges(block, width - 1);
    focusAt(block, null, Math.max(at - 1, 0));
  }
}

function key(event) {
  const command = event.ctrlKey || event.metaKey;
  const letter = event.key.toLowerCase();
  if (event.isComposing) {
    return;
  }
  if (command && !event.altKey && letter === "z") {
    event.preventDefault();
    restore(...(event.shiftKey ? [future, past] : [past, future]));
  } else if (command && !event.altKey && letter === "y") {
    event.preventDefault();
    restore(future, past);
  } else if (command && !event.altKey && letter === "s") {
    event.preventDefault();
    keep();
  } else if (blockOf(event.target)) {
    keyInBlock(event, blockOf(event.target), command);
  }
}

function keyInBlock(event, block, command) {
  const field = event.target;
  if (command && event.altKey && /^Digit[0-4]$/.test(event.code)) {
    event.preventDefault();
    note();
    const at = field.selectionStart ?? 0;
    const other = turnInto(block, event.code === "Digit0" ? "p" : `h${event.code[5]}`);
    settle();
    focusAt(other, at);
    changed();
  } else if (event.altKey && !command && ["ArrowUp", "ArrowDown"].includes(event.key) && field.matches("textarea, input")) {
    event.preventDefault();
    note();
    const at = field.selectionStart;
    const cell = fieldsOf(block).indexOf(field);
    if (event.key === "ArrowUp") {
      block.previousElementSibling?.before(block);
    } else {
      block.nextElementSibling?.after(block);
    }
    settle();
    focusAt(block, at, cell);
    changed();
  } else if (field.matches("input[name=cell]")) {
    keyInCell(event, block, field, command);
  } else if (field.matches("textarea")) {
    keyInText(event, block, field);
  }
}

function keyInCell(event, block, field, command) {
  const row = field.closest("tr");
  const width = row.querySelectorAll("[name=cell]").length;
  const index = fieldsOf(block).indexOf(field);
  if (event.key === "Enter") {
    event.preventDefault();
    if (command) {
      note();
      row.after(newRow(block, Array(width).fill("")));
      settle();
      changed();
    }
    const below = fieldsOf(block)[index + width];
    below?.focus();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const other = fieldsOf(block)[index + (event.key === "ArrowDown" ? width : -width)];
    if (other) {
      event.preventDefault();
      other.focus();
    }
  }
}

function keyInText(event, block, field) {
  const at = field.selectionStart;
  const empty = at === field.selectionEnd;
  if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.altKey) {
    event.preventDefault();
    note();
    const rest = field.value.slice(field.selectionEnd);
    field.value = field.value.slice(0, at);
    const next = made(["h3", "h4"].includes(block.dataset.kind) ? block.dataset.kind : "p", rest);
    block.after(next);
    settle();
    focusAt(next, 0);
    note();
    changed();
  } else if (event.key === "Backspace" && at === 0 && empty) {
    const before = block.previousElementSibling;
    if (block.dataset.kind !== "p" && block.dataset.kind !== "annex") {
      event.preventDefault();
      note();
      focusAt(turnInto(block, "p"), 0);
      settle();
      changed();
    } else if (before && before.dataset.kind !== "table") {
      event.preventDefault();
      note();
      const area = before.querySelector("textarea[name=text]");
      const join = area.value.length;
      area.value += field.value;
      block.remove();
      settle();
      focusAt(before, join);
      changed();
    }
  } else if (event.key === "ArrowDown" && empty && at === field.value.length && block.nextElementSibling) {
    event.preventDefault();
    focusAt(block.nextElementSibling, 0);
  } else if (event.key === "ArrowUp" && empty && at === 0 && block.previousElementSibling) {
    event.preventDefault();
    focusAt(block.previousElementSibling);
  }
}

// --- pasting: from Word, from anywhere; blocks come out of it, and nothing else ---

function kindOf(line) {
  const found = HEADING.find(([, pattern]) => pattern.test(line));
  const end = line.indexOf("。");
  const short = line.length <= 40 || (end > 0 && end < 40);
  return found && short ? found[0] : "p";
}

function fromHtml(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const found = [];
  let odd = page.querySelector("img, v\\:shape, picture") ? said("pictures") : "";
  const clean = (value) => value.replace(/\s+/g, " ").trim();
  const walk = (node) => {
    for (const child of node.children) {
      const name = child.localName;
      if (name === "table") {
        if (child.querySelector("[colspan]:not([colspan='1']), [rowspan]:not([rowspan='1'])")) {
          odd = said("merged");
        }
        const rows = [...child.querySelectorAll("tr")].map((row) => [...row.querySelectorAll("td, th")].map((cell) => clean(cell.textContent)));
        found.push({ kind: "table", rows: rows.filter((row) => row.length) });
      } else if (/^(p|h[1-6]|li|pre)$/.test(name)) {
        const line = clean(child.textContent);
        const level = /^h([1-4])$/.exec(name)?.[0];
        if (line) {
          found.push({ kind: level && kindOf(line) === "p" ? level : kindOf(line), text: line });
        }
      } else if (!["style", "script", "meta", "link", "title", "xml"].includes(name)) {
        if (child.children.length === 0 && clean(child.textContent)) {
          found.push({ kind: kindOf(clean(child.textContent)), text: clean(child.textContent) });
        } else {
          walk(child);
        }
      }
    }
  };
  walk(page.body);
  return { found, odd };
}

function paste(event) {
  const field = event.target;
  const block = blockOf(field);
  if (!block || !field.matches("textarea[name=text]")) {
    return;
  }
  const html = event.clipboardData.getData("text/html");
  const plain = event.clipboardData.getData("text/plain").replace(/\r\n?/g, "\n");
  let { found, odd } = html && /<(p|table|h[1-6]|li|div)[\s>]/i.test(html) ? fromHtml(html) : { found: [], odd: "" };
  if (!found.length) {
    found = plain
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean)
      .map((line) => ({ kind: kindOf(line), text: line }));
  }
  if (found.length < 2 && found[0]?.kind !== "table") {
    return; // a few words: the browser puts them where the cursor is
  }
  event.preventDefault();
  note();
  const before = field.value.slice(0, field.selectionStart);
  const after = field.value.slice(field.selectionEnd);
  let here = block;
  if (before.trim() === "" && after.trim() === "") {
    here = null;
  } else {
    field.value = before;
  }
  const added = found.map((each) => made(each.kind, each.text ?? "", each.rows));
  (here ?? block).after(...added);
  if (!here) {
    block.remove();
  }
  if (after.trim()) {
    added.at(-1).after(made("p", after));
  }
  settle();
  focusAt(added.at(-1));
  note();
  changed();
  if (odd) {
    kept.textContent = odd;
  }
}

// --- begin ---

for (const element of document.querySelectorAll(".with-script")) {
  element.hidden = false;
}
for (const element of document.querySelectorAll(".without-script")) {
  element.hidden = true;
}
form.addEventListener("input", () => changed());
form.addEventListener("change", (event) => {
  if (event.target.name === "kind") {
    note();
    const block = turnInto(blockOf(event.target), event.target.value);
    settle();
    block.querySelector("[name=kind]").focus();
    changed();
  }
});
form.addEventListener("keydown", key);
form.addEventListener("paste", paste);
form.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) {
    return;
  }
  if (button.dataset.undo !== undefined) {
    restore(past, future);
  } else if (button.dataset.redo !== undefined) {
    restore(future, past);
  } else if (button.dataset.phrase !== undefined) {
    phrase();
  } else if (button.dataset.add) {
    event.preventDefault();
    note();
    add(blocks().at(-1), button.dataset.add);
    note();
    changed();
  } else if (button.name === "do" && button.value === "keep" && !conflict) {
    event.preventDefault();
    keep();
  } else if (button.name === "do" && /^(after|delete|up|down|row|column|row-off|column-off):/.test(button.value)) {
    event.preventDefault();
    act(button);
  }
});

function phrase() {
  const words = document.getElementById("phrase").value;
  const field = lastField?.isConnected ? lastField : blocks().at(-1).querySelector("textarea[name=text]");
  note();
  if (field) {
    field.setRangeText(words, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    grow(field);
  }
  note();
  changed();
}

let lastField = null;
form.addEventListener("focusin", (event) => {
  if (event.target.matches("textarea, input[name=cell], #notes")) {
    lastField = event.target;
  }
});
form.addEventListener("input", (event) => {
  if (event.target.matches("textarea[name=text]")) {
    grow(event.target);
  }
});
document.addEventListener("selectionchange", () => {
  if (form.contains(document.activeElement)) {
    mark();
  }
});
pages.addEventListener("click", jump);
window.addEventListener("resize", () => list.querySelectorAll("textarea").forEach(grow));
// leaving with something unkept: send it on its way
form.addEventListener("submit", async (event) => {
  clearTimeout(keepTimer);
  if (keeping) {
    // what is on its way was made from the same turn: the form says the next one
    event.preventDefault();
    await keeping;
    await Promise.resolve();
    form.requestSubmit(event.submitter);
    return;
  }
  leaving = true;
});
window.addEventListener("pagehide", () => {
  if (form.dataset.keep && !leaving && !conflict && JSON.stringify(text()) !== lastKept) {
    fetch(form.dataset.keep, { method: "PUT", keepalive: true, body: JSON.stringify({ turn: Number(form.elements.turn.value), text: text() }), headers: { "Content-Type": "application/json" } });
  }
});
settle();
draw();
