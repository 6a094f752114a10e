// One log with everything that is known of it, and its neighbours.

import { copyButton, h, replace } from "./dom.js";
import { clock, duration, iso, visible, visibleLines } from "./format.js";
import { marked } from "./marks.js";
import { exactly, exists, split } from "./search.js";
import { address, state } from "./state.js";
import { isTrace, traceOf } from "./trace.js";
import { get } from "./api.js";

const maximumText = 20_000;

// `onFilter(text, negated)` adds to the search; `onOpen(log)` opens another log; `onTrace(trace)` shows a trace as a time line.
export function record(log, { onFilter, onOpen, onTrace }) {
  const around = h("div", { class: "around", hidden: true });
  const show = h("button", { type: "button", class: "small", "aria-expanded": "false" }, "Show around");
  show.addEventListener("click", () => toggleAround(log, around, show, onOpen));
  const link = copyButton("Copy link", () => new URL(address({ view: "logs", trace: "", q: split(state.q).search, log: String(log.id), live: "" }), location.href).href);
  return h("div", { class: "record", role: "gridcell" },
    h("div", { class: "record-head" },
      h("strong", {}, `Log ${log.id}`), show, copyButton("Copy JSON", () => JSON.stringify(json(log), null, 2)), link,
      h("span", { class: "grow" }),
      h("span", { class: "dim" }, `${log.project} / ${log.logstore}`)),
    around,
    h("div", { class: "tables" },
      h("div", { class: "fields" }, h("h3", {}, "Fields"), table(Object.entries(log.fields).map(([name, value]) => row(name, name, value, onFilter, onTrace)))),
      h("div", { class: "facts" },
        h("h3", {}, "Time"), table(times(log)),
        h("h3", {}, "Request"), table([
          plain("number", String(log.request)),
          row("__topic__", "topic", log.topic, onFilter), row("__source__", "source", log.source, onFilter),
        ]),
        Object.keys(log.tags).length ? [h("h3", {}, "Tags"), table(Object.entries(log.tags).map(([name, value]) => row(`__tag__:${name}`, name, value, onFilter)))] : null)));
}

function times(log) {
  const delay = log.received - log.time;
  const stated = log.fields.time !== undefined && delay !== 0;
  return [
    plain("event", `${iso(log.time)}${stated ? "" : " (that of the receipt)"}`),
    plain("received", iso(log.received)),
    stated ? plain(delay >= 0 ? "on the way" : "ahead", duration(Math.abs(delay))) : null,
    plain("local", clock(log.time)),
  ].filter(Boolean);
}

const table = (rows) => h("table", {}, h("tbody", {}, rows));
const plain = (name, value) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, h("span", { class: "value" }, value)));

function row(field, name, value, onFilter, onTrace) {
  const text = exactly(field, value);
  const cut = value.length > maximumText;
  const shown = visibleLines(cut ? value.slice(0, maximumText) : value);
  return h("tr", {},
    h("th", { scope: "row" }, visible(name)),
    h("td", {},
      value === "" ? h("span", { class: "dim" }, "(empty)") : h("span", { class: "value" }, marked(shown)),
      cut ? h("span", { class: "dim" }, ` … ${value.length} characters; copy as JSON for all`) : null,
      onTrace && isTrace(name) && text !== null && value !== "" ? h("button", { type: "button", class: "small trace", title: "All lines of it, of all services, in order", onclick: () => onTrace(traceOf(name, value)) }, "Time line") : null,
      h("span", { class: "tools" },
        text === null ? null : [
          h("button", { type: "button", class: "small", "aria-label": `All with this value of ${name}`, title: "All with this value", onclick: () => onFilter(text, false) }, "All with this"),
          h("button", { type: "button", class: "small", "aria-label": `All without this value of ${name}`, title: "All without this value", onclick: () => onFilter(text, true) }, "Without"),
        ],
        h("button", { type: "button", class: "small", "aria-label": `All that have ${name}`, title: "All that have this field", onclick: () => onFilter(exists(field), false) }, "Has it"))));
}

async function toggleAround(log, element, button, onOpen) {
  if (!element.hidden) {
    element.hidden = true;
    button.setAttribute("aria-expanded", "false");
    return;
  }
  element.hidden = false;
  button.setAttribute("aria-expanded", "true");
  replace(element, h("p", { class: "dim" }, "Looking for what the same producer sent before and after …"));
  try {
    const context = await get(`logs/${log.id}/context`, { count: 8 });
    replace(element,
      h("p", { class: "dim" }, context.order === "seq" ? "Before and after, from the same producer, by seq" : "Before and after, from the same producer, by arrival"),
      h("ol", { class: "neighbours" }, context.logs.map((other, index) => neighbour(other, index === context.index, onOpen))));
  } catch (error) {
    replace(element, h("p", { class: "problem" }, error.message));
  }
}

function neighbour(log, isCenter, onOpen) {
  return h("li", { class: `level-${log.severity}${isCenter ? " center" : ""}`, "aria-current": isCenter },
    h("button", { type: "button", disabled: isCenter, onclick: () => onOpen(log) },
      h("span", { class: "seq" }, log.fields.seq ?? ""), h("span", { class: "time" }, clock(log.time, false)),
      h("span", { class: "level" }, visible(log.fields.level ?? "")),
      h("span", { class: "text" }, visible((log.fields.message ?? "").slice(0, 400)))));
}

// What the service would show: the fields behind what came with the request.
export function json(log) {
  const tags = Object.fromEntries(Object.entries(log.tags).map(([name, value]) => [`__tag__:${name}`, value]));
  return { __receive_time__: iso(log.received), __topic__: log.topic, __source__: log.source, ...tags, ...log.fields };
}
