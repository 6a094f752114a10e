// The rows of logs, of which only those in sight are in the document. The newest is on top.

import { h, replace } from "./dom.js";
import { clock, isToday, severities, visible } from "./format.js";
import { marked } from "./marks.js";

export const rowHeight = 24;
const margin = 12;
const shown = new Set(["time", "level", "label", "message", "seq", "file", "function", "line", "source"]);
const maximumText = 400;

export class LogList {
  constructor(viewport, { onOpen, onClose, onEnd, onScroll }) {
    this.viewport = viewport;
    this.canvas = h("div", { class: "canvas", role: "rowgroup" });
    viewport.append(this.canvas);
    this.onOpen = onOpen;
    this.onClose = onClose;
    this.onEnd = onEnd;
    // In the order of arrival, so that new ones are cheap to add: the row on top is the last.
    this.items = [];
    this.pool = new Map();
    this.spare = [];
    // One that no page has brought. It is here while it is open.
    this.stray = null;
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
  // What pages have brought.
  get loaded() { return this.items.length - (this.stray ? 1 : 0); }
  at(index) { return this.items[this.items.length - 1 - index]; }
  // The row of a log, or -1.
  indexOf(identity) {
    const place = this.items.findIndex(({ id }) => id === identity);
    return place < 0 ? -1 : this.items.length - 1 - place;
  }

  clear() { this.set([]); }

  // The newest first.
  set(logs) {
    this.shut();
    this.items = logs.slice().reverse();
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
    // One that was shown before its page came stands in its place now.
    if (this.stray) this.rearrange();
    else if (others.length !== before) this.refresh();
    else this.schedule();
    if (added.has(this.stray?.id)) this.stray = null;
  }

  // Puts the rows into the order of time. What is open or selected stays so, and what is open stays in sight if it was.
  rearrange() {
    this.items.sort((left, right) => left.time - right.time || left.id - right.id);
    this.reselect(0);
    if (this.open) {
      const { scrollTop, clientHeight } = this.viewport;
      const before = this.open.index;
      this.open.index = this.indexOf(this.open.id);
      if (before * rowHeight < scrollTop + clientHeight) this.scrollTo(scrollTop + (this.open.index - before) * rowHeight);
    }
    this.refresh();
  }

  // Newer ones, in the order of arrival; at most `maximum` rows are kept.
  addNewer(logs, maximum) {
    if (this.stray && logs.some(({ id }) => id === this.stray.id)) {
      this.items.splice(this.items.indexOf(this.stray), 1);
      this.stray = null;
    }
    for (const log of logs) this.items.push(log);
    if (this.items.length > maximum) this.items.splice(0, this.items.length - maximum);
    this.reselect(logs.length);
    if (this.open) {
      this.open.index = this.indexOf(this.open.id);
      if (this.open.index < 0) this.close();
    }
    // Whoever reads further down goes on reading the same.
    if (this.viewport.scrollTop > 0) this.scrollTo(this.viewport.scrollTop + logs.length * rowHeight);
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
    // Between the pages and one that is older than all of them may be any number: it stays where it is until more is asked for.
    const isBeyond = this.stray !== null && this.stray === this.items[0];
    if (total > 0 && last >= total - margin - 1 && !isBeyond) this.onEnd?.();
  }

  select(index) {
    if (this.items.length === 0) return;
    this.selected = Math.max(0, Math.min(this.items.length - 1, index));
    this.selectedId = this.at(this.selected).id;
    this.schedule();
  }

  // The selected row is where its log is. If that is gone, it is the row in its place; `added` rows came above.
  reselect(added) {
    if (this.selected < 0) return;
    const index = this.indexOf(this.selectedId);
    this.selected = index < 0 ? Math.min(this.selected + added, this.items.length - 1) : index;
    this.selectedId = this.at(this.selected)?.id;
  }

  // Scrolls no more than it takes to have the selected row in sight, and of its record what has room below it.
  reveal() {
    if (this.selected < 0) return;
    const { scrollTop, clientHeight } = this.viewport;
    const y = this.top(this.selected);
    const height = rowHeight + (this.open?.index === this.selected ? this.detailHeight : 0);
    if (y < scrollTop || height > clientHeight) this.scrollTo(y);
    else if (y + height > scrollTop + clientHeight) this.scrollTo(y + height - clientHeight);
  }

  go(index) {
    this.select(index);
    this.reveal();
  }

  // The next log or the one before, which is opened if the one of now is.
  step(by) {
    const wasOpen = this.open !== null;
    this.select(this.selected < 0 ? 0 : this.selected + by);
    if (wasOpen) this.expand(this.selected);
    this.reveal();
  }

  toggle(index) {
    if (this.open?.index === index) {
      this.select(index);
      this.close();
    } else this.expand(index);
  }

  // Opens a log, which no page may have brought, and brings it into sight.
  show(log) {
    if (this.open?.id !== log.id) this.close();
    if (this.indexOf(log.id) < 0) {
      this.items.push(log);
      this.stray = log;
      this.rearrange();
    }
    this.expand(this.indexOf(log.id));
    this.bring();
  }

  // Brings what is open to where it is read.
  bring() {
    this.detailHeight = Math.ceil(this.open.element.getBoundingClientRect().height);
    this.scrollTo(this.open.index * rowHeight - 60);
  }

  expand(index) {
    const log = this.at(index);
    // A row may have been clicked that is no longer there.
    if (!log) return;
    if (this.open?.id !== log.id) {
      this.close();
      const element = h("div", { class: "detail", role: "row" });
      element.append(this.onOpen(log));
      this.open = { index: this.indexOf(log.id), element, id: log.id };
      this.canvas.append(element);
      this.detailHeight = Math.ceil(element.getBoundingClientRect().height);
      this.resized.observe(element);
    }
    this.select(this.open.index);
  }

  // Closes what is open, which is said.
  close() {
    const wasOpen = this.open !== null;
    this.shut();
    if (wasOpen) this.onClose?.();
    return wasOpen;
  }

  shut() {
    if (!this.open) return;
    this.resized.disconnect();
    this.open.element.remove();
    this.open = null;
    this.detailHeight = 0;
    if (this.stray) {
      this.items.splice(this.items.indexOf(this.stray), 1);
      this.stray = null;
      this.reselect(0);
      this.refresh();
    }
    this.schedule();
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
  replace(text.children[0], marked(visible(cut(fields.message ?? "", maximumText))));
  log.rest ??= rest(fields);
  replace(text.children[1], marked(log.rest));
}

// The fields that a row has no column for.
export function rest(fields) {
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
