// A trace or request from its first line to its last, over all services.

import { get } from "./api.js";
import { copyButton, h, replace, svg } from "./dom.js";
import { clock, count, duration, lengths, plural, severities, visible } from "./format.js";
import { rest } from "./list.js";
import { record } from "./record.js";
import { address } from "./state.js";
import { failed } from "./states.js";
import { gaps, inOrder, parts, searchFor, services } from "./trace.js";

const maximum = 2000;
const laneHeight = 20;
const axisHeight = 16;

// How long after the beginning: milliseconds, in which requests are counted, up to where nobody reads them any more.
const since = (time) => (time === 0 ? "0" : time < 100_000_000 ? `+${time < 10_000 ? (time / 1000).toFixed(1) : count(Math.round(time / 1000))} ms` : `+${duration(time)}`);

export class Timeline {
  // `onSearch(text)` shows what a search finds as logs; `onFilter`, `onOpen` and `onTrace` are those of a record.
  constructor(element, actions) {
    this.element = element;
    this.actions = actions;
    this.asked = null;
    new ResizeObserver(() => this.drawLanes()).observe(element);
  }

  async show(text) {
    const trace = parts(text);
    const search = trace && searchFor(trace);
    this.asked?.abort();
    const current = new AbortController();
    this.asked = current;
    this.lanes = null;
    this.element.setAttribute("aria-busy", "true");
    if (!search) {
      replace(this.element, h("div", { class: "state" }, h("h2", {}, "No trace is chosen"), h("p", {}, "Open a log that has a traceID or a request.id, and choose Time line there.")));
    } else {
      try {
        const { logs, isAll } = await this.fetch(search, current.signal);
        if (this.asked !== current) return;
        this.draw(trace, search, inOrder(logs), isAll);
      } catch (error) {
        if (error.name === "AbortError" || this.asked !== current) return;
        replace(this.element, h("div", { class: "state" }, failed(error, () => this.show(text))));
      }
    }
    this.element.setAttribute("aria-busy", "false");
  }

  async fetch(search, signal) {
    const logs = [];
    let after;
    do {
      const page = await get("logs", { q: search, limit: 1000, after }, signal);
      logs.push(...page.logs);
      after = page.next ?? undefined;
    } while (after && logs.length < maximum);
    return { logs, isAll: !after };
  }

  draw({ name, value }, search, logs, isAll) {
    const title = h("h2", {}, visible(name), " ", h("span", { class: "mono" }, visible(value)));
    const asLogs = h("button", { type: "button", class: "small", onclick: () => this.actions.onSearch(search) }, "Show as logs");
    if (logs.length === 0) {
      replace(this.element, h("div", { class: "state" }, title, h("p", {}, "No log has this, or not any more."), h("p", {}, asLogs)));
      return;
    }
    const names = services(logs);
    const silences = gaps(logs);
    const [first, last] = [logs[0].time, logs.at(-1).time];
    const different = [...new Set(names)];
    this.value = value;
    this.lanes = { logs, names, different, box: h("div", { class: "lanes" }) };
    replace(this.element,
      h("div", { class: "timeline-head" }, title, h("span", { class: "grow" }), asLogs,
        copyButton("Copy link", () => new URL(address(), location.href).href)),
      h("p", { class: "dim", role: "status" }, `${plural(logs.length, "line")} of ${plural(different.length, "service")} in ${duration(last - first)}, from ${clock(first)}, in all logstores`,
        isAll ? "" : `; the newest ${count(logs.length)} only`),
      this.lanes.box,
      h("ol", { class: "lines" }, logs.map((log, index) => [
        silences[index].isLong ? silence(silences[index]) : null,
        this.line(log, names[index], different.indexOf(names[index]), log.time - first),
      ]).flat().filter(Boolean)));
    this.drawLanes();
  }

  line(log, name, lane, at) {
    const level = severities.includes(log.severity) ? log.severity : "none";
    const detail = h("div", { class: "detail-below", hidden: true });
    const head = h("button", { type: "button", class: "line", "aria-expanded": "false" },
      h("span", { class: "since" }, since(at)), h("span", { class: `service lane-${lane % 6}` }, visible(name)),
      h("span", { class: "level" }, visible(log.fields.level ?? "")),
      h("span", { class: "text" }, visible((log.fields.message ?? "").slice(0, 400)), h("span", { class: "rest" }, rest(this.others(log.fields)))));
    head.addEventListener("click", () => {
      detail.hidden = !detail.hidden;
      head.setAttribute("aria-expanded", String(!detail.hidden));
      if (!detail.hidden && !detail.firstChild) detail.append(record(log, this.actions));
    });
    return h("li", { class: `level-${level}`, "data-id": log.id }, head, detail);
  }

  // What is not the same in all lines.
  others(fields) {
    return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== this.value));
  }

  // A lane for each service, a mark for each line.
  drawLanes() {
    if (!this.lanes) return;
    const { logs, names, different, box } = this.lanes;
    const left = this.element.clientWidth < 640 ? 90 : 200;
    const width = Math.max(50, this.element.clientWidth - left - 40);
    const first = logs[0].time;
    const length = Math.max(1, logs.at(-1).time - first);
    const x = (time) => ((time - first) / length) * (width - 8) + 4;
    const height = different.length * laneHeight + axisHeight;
    replace(box, h("div", { class: "lane-names" }, different.map((name, lane) => h("span", { class: `service lane-${lane % 6}`, title: visible(name) }, visible(name)))),
      svg("svg", { width, height, role: "img", "aria-label": `${plural(logs.length, "line")} of ${plural(different.length, "service")} over ${duration(length)}` },
        different.map((_, lane) => svg("line", { class: "grid", x1: 0, x2: width, y1: (lane + 0.5) * laneHeight, y2: (lane + 0.5) * laneHeight })),
        // From its beginning, as the lines are.
        lengths(length, Math.max(2, width / 110)).map((time) => [
          svg("line", { class: "grid", x1: x(first + time), x2: x(first + time), y1: 0, y2: height - axisHeight }),
          svg("text", { x: x(first + time) + (time === 0 ? 0 : 3), y: height - 3 }, since(time))]).flat(),
        logs.map((log, index) => svg("rect", {
          class: `level-${severities.includes(log.severity) ? log.severity : "none"}`, x: x(log.time) - 1.5, width: 3,
          y: different.indexOf(names[index]) * laneHeight + 3, height: laneHeight - 6, rx: 1,
        }, svg("title", {}, `${since(log.time - first)} ${visible((log.fields.message ?? "").slice(0, 200))}`)))));
  }
}

function silence({ length, share }) {
  const bar = h("i", { "aria-hidden": true });
  bar.style.width = `${Math.round(share * 100)}%`;
  return h("li", { class: "gap" }, bar, h("span", {}, `${duration(length)} without a line`, h("small", {}, ` ${Math.round(share * 100)} % of the whole`)));
}
