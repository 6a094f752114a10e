// The rows of logs, of which only those in sight are in the document. The newest is on top.

import { h } from "./dom.js";
import { clock, isToday, severities, visible } from "./format.js";

export const rowHeight = 24;
const margin = 12;
const shown = new Set(["time", "level", "label", "message", "seq", "file", "function", "line", "source"]);
const maximumText = 400;

export class LogList {
  constructor(viewport, { onOpen, onEnd, onScroll }) {
    this.viewport = viewport;
    this.canvas = h("div", { class: "canvas", role: "rowgroup" });
    viewport.append(this.canvas);
    this.onOpen = onOpen;
    this.onEnd = onEnd;
    // In the order of arrival, so that new ones are cheap to add: the row on top is the last.
    this.items = [];
    this.pool = new Map();
    this.spare = [];
    // Those that no page has brought, and how many of them are older than all that pages have brought.
    this.strays = new Set();
    this.beyond = 0;
    this.selected = -1;
    this.open = null;
    this.scheduled = false;
    this.detailHeight = 0;
    this.resized = new ResizeObserver((entries) => {
      this.detailHeight = Math.ceil(entries[0].borderBoxSize[0].blockSize);
      this.schedule();
    });
    viewport.addEventListener("scroll", () => { this.schedule(); onScroll?.(viewport.scrollTop); }, { passive: true });
    new ResizeObserver(() => this.schedule()).observe(viewport);
    this.canvas.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row && !getSelection()?.toString()) this.toggle(Number(row.dataset.index));
    });
  }

  get length() { return this.items.length; }
  at(index) { return this.items[this.items.length - 1 - index]; }

  clear() { this.set([]); }

  // The newest first.
  set(logs) {
    this.close();
    this.items = logs.slice().reverse();
    this.strays.clear();
    this.beyond = 0;
    this.selected = -1;
    this.viewport.scrollTop = 0;
    this.refresh();
  }

  // Older ones, the newest of them first.
  addOlder(logs) {
    const before = this.items.length;
    const added = new Set(logs.map(({ id }) => id));
    const others = this.items.filter(({ id }) => !added.has(id));
    this.items = logs.slice().reverse().concat(others);
    const strays = this.strays.size;
    for (const id of added) this.strays.delete(id);
    // One that was shown before its page came stands in its place now.
    if (strays > 0) this.rearrange();
    else if (others.length !== before) this.refresh();
    else this.schedule();
  }

  // The place of a log, which is added if it is not there.
  place(log) {
    if (!this.items.some(({ id }) => id === log.id)) {
      this.items.push(log);
      this.strays.add(log.id);
      this.rearrange();
    }
    return this.items.length - 1 - this.items.findIndex(({ id }) => id === log.id);
  }

  // Puts the rows into the order of time; what is open or selected stays so, and what is open stays where it is in sight.
  rearrange() {
    this.items.sort((left, right) => left.time - right.time || left.id - right.id);
    const oldest = this.items.findIndex(({ id }) => !this.strays.has(id));
    this.beyond = oldest < 0 ? this.items.length : oldest;
    const place = (id) => this.items.length - 1 - this.items.findIndex((item) => item.id === id);
    if (this.selected >= 0) this.selected = place(this.selectedId);
    if (this.open) {
      const before = this.open.index;
      this.open.index = place(this.open.id);
      this.scrollTo(this.viewport.scrollTop + (this.open.index - before) * rowHeight);
    }
    this.refresh();
  }

  // Newer ones, in the order of arrival; at most `maximum` rows are kept.
  addNewer(logs, maximum) {
    for (const log of logs) this.items.push(log);
    let removed = 0;
    if (this.items.length > maximum) {
      removed = this.items.length - maximum;
      this.items.splice(0, removed);
    }
    if (this.selected >= 0) {
      this.selected = Math.min(this.selected + logs.length, this.items.length - 1);
      this.selectedId = this.at(this.selected).id;
    }
    if (this.open) {
      this.open.index += logs.length;
      if (this.open.index >= this.items.length) this.close();
    }
    // Whoever reads further down goes on reading the same.
    if (this.viewport.scrollTop > 0) this.viewport.scrollTop += logs.length * rowHeight;
    this.refresh();
  }

  refresh() {
    for (const row of this.pool.values()) { row.remove(); this.spare.push(row); }
    this.pool.clear();
    this.schedule();
  }

  schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => { this.scheduled = false; this.draw(); });
  }

  top(index) {
    return index * rowHeight + (this.open && index > this.open.index ? this.detailHeight : 0);
  }

  indexAt(y) {
    if (this.open && y > (this.open.index + 1) * rowHeight) {
      y = Math.max((this.open.index + 1) * rowHeight, y - this.detailHeight);
    }
    return Math.floor(y / rowHeight);
  }

  stretch() { this.canvas.style.height = `${this.top(this.items.length)}px`; }

  // The browser goes no further than the canvas reaches.
  scrollTo(top) {
    this.stretch();
    this.viewport.scrollTop = top;
  }

  draw() {
    this.stretch();
    const { scrollTop, clientHeight } = this.viewport;
    const total = this.items.length;
    this.viewport.setAttribute("aria-rowcount", total);
    const first = Math.max(0, this.indexAt(scrollTop) - margin);
    const last = Math.min(total - 1, this.indexAt(scrollTop + clientHeight) + margin);
    for (const [index, row] of this.pool) {
      if (index < first || index > last) { row.remove(); this.pool.delete(index); this.spare.push(row); }
    }
    for (let index = first; index <= last; index += 1) {
      let row = this.pool.get(index);
      if (!row) {
        row = this.spare.pop() ?? makeRow();
        fillRow(row, this.at(index), index);
        this.pool.set(index, row);
        this.canvas.append(row);
      }
      row.style.transform = `translateY(${this.top(index)}px)`;
      row.classList.toggle("selected", index === this.selected);
      row.setAttribute("aria-selected", index === this.selected);
      row.setAttribute("aria-expanded", this.open?.index === index);
    }
    if (this.open) this.open.element.style.transform = `translateY(${(this.open.index + 1) * rowHeight}px)`;
    if (this.spare.length > 200) this.spare.length = 200;
    // Between one that is older than all pages and the pages may be any number: it stays in sight until more is asked for.
    const isBeyond = this.open && this.open.index >= total - this.beyond;
    if (total > 0 && last >= total - margin - 1 && !isBeyond) this.onEnd?.();
  }

  select(index, { scroll = true } = {}) {
    if (this.items.length === 0) return;
    this.selected = Math.max(0, Math.min(this.items.length - 1, index));
    this.selectedId = this.at(this.selected).id;
    if (scroll) {
      const y = this.top(this.selected);
      const { scrollTop, clientHeight } = this.viewport;
      if (y < scrollTop) this.scrollTo(y);
      else if (y + rowHeight > scrollTop + clientHeight) this.scrollTo(y + rowHeight - clientHeight);
    }
    this.schedule();
  }

  // Opens the log at a place, and brings it into sight.
  show(index) {
    this.expand(index);
    this.scrollTo(index * rowHeight - 60);
  }

  toggle(index) {
    const wasOpen = this.open?.index === index;
    this.expand(index);
    if (wasOpen) this.close();
  }

  // The next log or the one before, which is opened if the one of now is.
  step(by) {
    const wasOpen = this.open !== null;
    this.select(this.selected < 0 ? 0 : this.selected + by, { scroll: false });
    if (wasOpen) this.expand(this.selected);
    this.select(this.selected);
  }

  expand(index) {
    this.select(index, { scroll: false });
    // A row may have been clicked that is no longer there.
    if (this.open?.index === index || !this.at(index)) return;
    this.close();
    const element = h("div", { class: "detail", role: "row" });
    element.append(this.onOpen(this.at(index)));
    this.open = { index, element, id: this.at(index).id };
    this.canvas.append(element);
    this.detailHeight = Math.ceil(element.getBoundingClientRect().height);
    this.resized.observe(element);
  }

  close() {
    if (!this.open) return false;
    this.resized.disconnect();
    this.open.element.remove();
    this.open = null;
    this.detailHeight = 0;
    this.schedule();
    return true;
  }
}

function makeRow() {
  return h("div", { class: "row", role: "row" },
    h("span", { class: "time", role: "gridcell" }), h("span", { class: "level", role: "gridcell" }),
    h("span", { class: "label", role: "gridcell" }),
    h("span", { class: "text", role: "gridcell" }, h("span", { class: "message" }), h("span", { class: "rest" })));
}

function fillRow(row, log, index) {
  const [time, level, label, text] = row.children;
  const { fields } = log;
  row.dataset.index = index;
  row.dataset.id = log.id;
  row.setAttribute("aria-rowindex", index + 1);
  row.className = `row level-${severities.includes(log.severity) ? log.severity : "none"}`;
  time.textContent = isToday(log.time) ? clock(log.time, false) : clock(log.time);
  level.textContent = visible(cut(fields.level ?? "", 12));
  label.textContent = visible(cut(fields.label ?? log.topic, 60));
  text.children[0].textContent = visible(cut(fields.message ?? "", maximumText));
  log.rest ??= rest(fields);
  text.children[1].textContent = log.rest;
}

function rest(fields) {
  let text = "";
  const others = Object.entries(fields).filter(([name]) => !shown.has(name));
  // The ids of traces and requests say little in a row, and are long; they come last.
  const isID = ([name, value]) => /^(trace|span)/.test(name) || /^[0-9a-f-]{16,}$/i.test(value);
  for (const [name, value] of [...others.filter((field) => !isID(field)), ...others.filter(isID)]) {
    text += ` ${visible(cut(name, 60))}=${visible(cut(value, 120))}`;
    if (text.length > maximumText) break;
  }
  return text;
}

const cut = (text, length) => (text.length > length ? `${text.slice(0, length)}…` : text);
