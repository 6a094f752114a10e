// The fields of the logs that are shown, how often their values occur, and filters made of them.

import { h, replace } from "./dom.js";
import { brief, count, visible } from "./format.js";
import { exactly } from "./search.js";

const closedKey = "webtracking.closed-fields";

export class Facets {
  constructor(element, { onFilter, onAll }) {
    this.element = element;
    this.onFilter = onFilter;
    this.onAll = onAll;
    // Which fields are unfolded; those at the top are from the beginning.
    this.open = new Set(JSON.parse(sessionStorage.getItem(closedKey) ?? "null") ?? ["level", "label", "__topic__"]);
    this.full = new Map();
  }

  show(overview, fields) {
    const total = overview.total;
    const parts = [
      this.facet("level", overview.levels, total, true),
      this.facet("__topic__", overview.topics, total, true),
      this.facet("label", overview.labels, total, true),
    ];
    const others = fields.fields.filter(({ name }) => !["level", "label", "__topic__", "message"].includes(name));
    const message = fields.fields.filter(({ name }) => name === "message");
    const note = fields.complete ? "" : ` · newest ${brief(fields.logs)}`;
    if (fields.fields.length > 0) parts.push(h("h2", {}, "Fields", h("small", {}, note)));
    for (const field of [...others, ...message]) parts.push(this.facet(field.name, field.values, fields.logs, false, field));
    // What has the focus keeps it.
    const focused = this.element.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const top = this.element.scrollTop;
    replace(this.element, parts);
    this.element.scrollTop = top;
    if (focused) this.element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  facet(name, values, total, exact, field) {
    if (values.length === 0 && exact) return null;
    const isOpen = this.open.has(name);
    const head = h("button", {
      type: "button", class: "facet-head", "aria-expanded": isOpen, "data-key": `head ${name}`,
      onclick: () => { this.toggle(name); },
    }, h("span", { class: "name" }, visible(title(name))), h("span", { class: "number" }, field ? brief(field.count) : String(values.length)));
    const section = h("section", { class: "facet" }, head);
    if (!isOpen) return section;
    const shown = this.full.get(name) ?? values;
    const top = Math.max(1, ...shown.map((value) => value.count));
    for (const { value, count: number, cut } of shown.slice(0, this.full.has(name) ? 100 : 10)) section.append(this.value(name, value, number, top, total, cut ? null : exactly(name, value)));
    if (field && !this.full.has(name)) {
      section.append(h("button", { type: "button", class: "link", "data-key": `all ${name}`, onclick: () => this.onAll(name) },
        field.more ? "Count all values in all logs" : "Count in all logs"));
    }
    return section;
  }

  // `text` is the condition for this value, or null if there is none.
  value(name, value, number, top, total, text) {
    const share = total > 0 ? Math.round((number / total) * 100) : 0;
    const bar = h("i", { class: `bar${name === "level" ? ` level-${value}` : ""}`, "aria-hidden": true });
    bar.style.width = `${(number / top) * 100}%`;
    const label = value === "" ? "(empty)" : visible(value);
    const row = h("div", { class: "value" },
      h("button", {
        type: "button", class: "pick", disabled: text === null, "data-key": `value ${name} ${value}`,
        title: text === null ? "Too long to search for as a whole" : `${label}\n${count(number)} logs, ${share} %\nClick for these only`,
        onclick: () => this.onFilter(text, false),
      }, h("span", { class: "name" }, label), h("span", { class: "number" }, brief(number)), bar));
    if (text !== null) {
      row.append(h("button", {
        type: "button", class: "minus", "aria-label": `Without ${title(name)} ${label}`, title: "Without these",
        onclick: () => this.onFilter(text, true),
      }, "−"));
    }
    return row;
  }

  toggle(name) {
    if (this.open.has(name)) this.open.delete(name); else this.open.add(name);
    sessionStorage.setItem(closedKey, JSON.stringify([...this.open]));
    this.onAll(null);
  }

  // Shows the exact counts of one field until the next search.
  showAll(name, values) {
    this.full.set(name, values);
    this.open.add(name);
  }

  forget() { this.full.clear(); }
}

function title(name) {
  if (name === "__topic__") return "topic";
  if (name === "__source__") return "source of the request";
  return name.startsWith("__tag__:") ? `tag ${name.slice(8)}` : name;
}
