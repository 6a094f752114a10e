// The fields of the logs that are shown, how often their values occur, and filters made of them.

import { h, replace } from "./dom.js";
import { brief, count, visible } from "./format.js";
import { exactly } from "./search.js";

const closedKey = "webtracking.closed-fields";
const few = 10;

export class Facets {
  constructor(element, { onFilter, onAll }) {
    this.element = element;
    this.onFilter = onFilter;
    this.onAll = onAll;
    // Which fields are unfolded; those at the top are from the beginning.
    this.open = new Set(JSON.parse(sessionStorage.getItem(closedKey) ?? "null") ?? ["level", "label", "__topic__"]);
    this.full = new Map();
    // Of which fields all values are shown, not only the first few.
    this.long = new Set();
  }

  show(overview, fields) {
    const total = overview.total;
    const parts = [
      this.exact("level", overview.levels, total, overview.different.levels),
      this.exact("__topic__", overview.topics, total, overview.different.topics),
      this.exact("label", overview.labels, total, overview.different.labels),
    ];
    const others = fields.fields.filter(({ name }) => !["level", "label", "__topic__", "message"].includes(name));
    const message = fields.fields.filter(({ name }) => name === "message");
    const note = fields.complete ? "" : ` · newest ${brief(fields.logs)}`;
    if (fields.fields.length > 0) parts.push(h("h2", {}, "Fields", h("small", {}, note)));
    for (const field of [...others, ...message]) parts.push(this.counted(field, fields.logs));
    if (fields.left > 0) parts.push(h("p", { class: "note" }, `${count(fields.left)} more, each in fewer logs`));
    // What has the focus keeps it.
    const focused = this.element.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const top = this.element.scrollTop;
    replace(this.element, parts);
    this.element.scrollTop = top;
    if (focused) this.element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  // One that is counted in all logs.
  exact(name, values, total, different) {
    if (values.length === 0) return null;
    const section = this.facet(name, count(different));
    if (!this.open.has(name)) return section;
    const isLong = this.long.has(name);
    this.values(section, name, isLong ? values : values.slice(0, few), total);
    if (values.length > few) section.append(this.link(`long ${name}`, isLong ? `Only the first ${few}` : `Show all ${count(values.length)}`, () => this.lengthen(name)));
    if (isLong && different > values.length) section.append(this.most(values, different));
    return section;
  }

  // One that is counted among the newest logs, and in all on request.
  counted(field, logs) {
    const { name } = field;
    const section = this.facet(name, brief(field.count));
    if (!this.open.has(name)) return section;
    const full = this.full.get(name);
    this.values(section, name, full?.values ?? field.values.slice(0, few), full?.logs ?? logs);
    if (!full) section.append(this.link(`all ${name}`, field.more ? "Count all values in all logs" : "Count in all logs", () => this.onAll(name)));
    else if (full.more) section.append(this.most(full.values));
    return section;
  }

  most(values, different) {
    return h("p", { class: "note" }, `The ${count(values.length)} most frequent${different ? ` of ${count(different)}` : "; there are more"}. A search narrows them down.`);
  }

  facet(name, number) {
    return h("section", { class: "facet" }, h("button", {
      type: "button", class: "facet-head", "aria-expanded": this.open.has(name), "data-key": `head ${name}`,
      onclick: () => { this.toggle(name); },
    }, h("span", { class: "name" }, visible(title(name))), h("span", { class: "number" }, number)));
  }

  values(section, name, values, total) {
    const top = Math.max(1, ...values.map((value) => value.count));
    for (const { value, count: number, cut } of values) section.append(this.value(name, value, number, top, total, cut ? null : exactly(name, value)));
  }

  link(key, text, onclick) { return h("button", { type: "button", class: "link", "data-key": key, onclick }, text); }

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

  lengthen(name) {
    if (this.long.has(name)) this.long.delete(name); else this.long.add(name);
    this.onAll(null);
  }

  // Shows the exact counts of one field until the next search; `answer` is that about this field alone.
  showAll(name, { logs, fields }) {
    this.full.set(name, { logs, values: fields[0].values, more: fields[0].more });
    this.open.add(name);
  }

  forget() { this.full.clear(); }
}

function title(name) {
  if (name === "__topic__") return "topic";
  if (name === "__source__") return "source of the request";
  return name.startsWith("__tag__:") ? `tag ${name.slice(8)}` : name;
}
