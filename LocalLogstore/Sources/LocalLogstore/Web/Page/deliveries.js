// What the backends are doing: each request, and all of them in numbers.

import { h, replace, svg } from "./dom.js";
import { get } from "./api.js";
import { brief, bytes, clock, count, duration, plural, visible } from "./format.js";
import { change, state } from "./state.js";

const limit = 200;

export class Deliveries {
  constructor(element) {
    this.element = element;
    this.tiles = h("div", { class: "tiles" });
    this.strip = h("div", { class: "strip" });
    this.body = h("tbody");
    this.empty = h("div", { class: "state" });
    this.table = h("table", { class: "grid" }, h("thead", {}, h("tr", {},
      ["Received", "Answer", "Logs", "Size", "On the wire", "Latency", "Batch", "Logstore", "From"].map((title) => h("th", { scope: "col" }, title)))), this.body);
    this.refused = h("input", { type: "checkbox", onchange: () => change({ refused: this.refused.checked ? "1" : "" }) });
    this.note = h("span", { class: "dim", role: "status" });
    this.more = h("button", { type: "button", class: "small", hidden: true, onclick: () => this.fetchOlder() }, "Show older ones");
    element.append(this.tiles, this.strip, h("div", { class: "bar-below" }, h("label", {}, this.refused, " Only what was not accepted"), this.note, this.more), h("div", { class: "scroll", tabindex: "0" }, this.table, this.empty));
    this.batch = null;
    this.last = "";
    // What was asked for besides the newest, and what it was asked with.
    this.older = [];
    this.hasOlder = false;
    this.question = "";
  }

  async refresh() {
    const parameters = this.parameters;
    const answer = await get("deliveries", parameters);
    const question = JSON.stringify(parameters);
    // Answers may overtake each other.
    if (question !== JSON.stringify(this.parameters)) return;
    if (question !== this.question) {
      this.question = question;
      this.older = [];
      this.hasOlder = answer.deliveries.length === limit;
    } else if (this.isCleared(answer)) {
      this.older = [];
      this.hasOlder = answer.deliveries.length === limit;
      this.last = "";
    } else if (this.older.length === 0) this.hasOlder = answer.deliveries.length === limit;
    this.refused.checked = state.refused === "1";
    // What was newest before stays between the newest of now and the older ones.
    const newest = new Set(answer.deliveries.map(({ id }) => id));
    const end = answer.deliveries.at(-1)?.id ?? Infinity;
    if (this.older.length > 0) this.older = [...(this.answer?.deliveries ?? []), ...this.older].filter(({ id }) => id < end && !newest.has(id));
    this.answer = answer;
    const key = `${question} ${answer.deliveries[0]?.id} ${answer.deliveries[0]?.received} ${answer.deliveries.length} ${this.older.length} ${answer.summary.requests} ${this.batch} ${this.strip.clientWidth}`;
    if (key === this.last) return;
    this.last = key;
    this.draw(answer);
  }

  // Whether some were removed: the older ones may be among them, and their numbers are given again.
  isCleared({ deliveries, summary }) {
    const before = this.answer;
    return summary.requests < before.summary.requests || (deliveries[0]?.id ?? 0) < (before.deliveries[0]?.id ?? 0);
  }

  get parameters() { return { limit, project: state.project, logstore: state.logstore, refused: state.refused === "1" ? "1" : "" }; }

  async fetchOlder() {
    const last = this.older.at(-1) ?? this.answer?.deliveries.at(-1);
    if (!last || this.more.disabled) return;
    const { question } = this;
    this.more.disabled = true;
    try {
      const { deliveries } = await get("deliveries", { ...this.parameters, before: last.id });
      if (question !== this.question) return;
      this.older = [...this.older, ...deliveries];
      this.hasOlder = deliveries.length === limit;
      this.draw(this.answer);
    } catch (error) {
      this.note.textContent = `older ones could not be loaded: ${error.message}`;
    } finally {
      this.more.disabled = false;
    }
  }

  draw({ deliveries, summary }) {
    const all = [...deliveries, ...this.older];
    this.more.hidden = !this.hasOlder;
    this.note.textContent = all.length > 0 ? `${plural(all.length, "request")} shown, newest first` : "";
    const accepted = summary.statuses["200"] ?? 0;
    const ratio = summary.wireBytes > 0 ? summary.rawBytes / summary.wireBytes : 0;
    const seconds = (summary.last - summary.first) / 1_000_000;
    replace(this.tiles,
      tile("Requests", brief(summary.requests), seconds > 1 ? `${(summary.requests / seconds).toFixed(1)} a second` : ""),
      tile("Accepted", summary.requests ? `${((accepted / summary.requests) * 100).toFixed(accepted === summary.requests ? 0 : 1)} %` : "–", failures(summary.statuses), accepted < summary.requests ? "warn" : "good"),
      tile("Logs stored", brief(summary.logs), summary.requests && accepted ? `${brief(Math.round(summary.logs / accepted))} a request` : ""),
      tile("Size", bytes(summary.rawBytes), `${bytes(summary.wireBytes)} on the wire`),
      tile("Compression", ratio ? `${ratio.toFixed(1)} : 1` : "–", ""),
      tile("Latency", duration(summary.medianMicroseconds), `95 % within ${duration(summary.p95Microseconds)}`),
      tile("Retries", count(summary.retries), "attempts that repeat another", summary.retries ? "warn" : ""),
      tile("Duplicates", count(summary.duplicateLogs), summary.duplicates ? `logs stored twice, in ${plural(summary.duplicates, "request")}` : "nothing is stored twice", summary.duplicates ? "bad" : ""));
    this.strip.hidden = deliveries.length === 0;
    replace(this.strip, deliveries.length ? bars(deliveries, this.strip.clientWidth - 20) : null);
    this.table.hidden = deliveries.length === 0;
    this.empty.hidden = deliveries.length > 0;
    if (state.refused === "1") replace(this.empty, h("h2", {}, "Nothing was refused"), h("p", {}, summary.requests ? `All ${count(summary.requests)} requests were accepted.` : "There were no requests."));
    else replace(this.empty, h("h2", {}, "No requests yet"), h("p", {}, "Every request to deliver logs is listed here, with its size, its answer and how long that took."),
      h("p", { class: "dim" }, "Retries of one batch and logs that came twice are marked."));
    replace(this.body, all.map((delivery) => this.row(delivery)));
  }

  row(delivery) {
    const related = this.batch !== null && delivery.batch === this.batch;
    return h("tr", { class: related ? "related" : "" },
      h("td", { class: "time" }, clock(delivery.received)),
      h("td", {}, h("span", { class: `badge ${tone(delivery.status)}` }, delivery.status === 0 ? "reset" : String(delivery.status)), " ",
        h("span", { class: "code", title: visible(delivery.message) }, visible(delivery.code))),
      h("td", { class: "number" }, count(delivery.logs)),
      h("td", { class: "number" }, bytes(delivery.rawBytes)),
      h("td", { class: "number" }, bytes(delivery.wireBytes), h("small", {}, ` ${delivery.wireBytes > 0 && delivery.compression !== "none" ? `${(delivery.rawBytes / delivery.wireBytes).toFixed(1)}× ${delivery.compression}` : "plain"}`)),
      h("td", { class: "number" }, duration(delivery.microseconds)),
      h("td", {}, delivery.batch ? h("button", { type: "button", class: "link mono", title: "Mark all attempts to deliver this batch", onclick: () => this.mark(delivery.batch) }, visible(delivery.batch.slice(0, 8))) : null, " ",
        delivery.attempt > 1 ? h("span", { class: "badge warn" }, `attempt ${delivery.attempt}`) : null, " ",
        delivery.duplicate ? h("span", { class: "badge bad", title: "An earlier attempt had these logs stored already" }, "duplicate") : null,
        delivery.stored && delivery.status !== 200 ? h("span", { class: "badge", title: "The logs are stored, though the client was not told" }, "stored all the same") : null),
      h("td", {}, visible(`${delivery.project} / ${delivery.logstore}`)),
      h("td", { class: "mono" }, delivery.client));
  }

  mark(batch) {
    this.batch = this.batch === batch ? null : batch;
    this.draw(this.answer);
  }
}

const tone = (status) => (status === 200 ? "good" : status >= 500 || status === 0 ? "bad" : "warn");

function tile(title, value, note, kind = "") {
  return h("div", { class: `tile ${kind}` }, h("span", { class: "title" }, title), h("strong", {}, value), h("small", {}, note));
}

function failures(statuses) {
  const others = Object.entries(statuses).filter(([status]) => status !== "200");
  if (others.length === 0) return "every request";
  return others.map(([status, number]) => `${count(number)} × ${status === "0" ? "reset" : status}`).join(", ");
}

// The last requests from left to right: as high as they are large, coloured by their answers.
function bars(deliveries, width) {
  const height = 44;
  const wide = Math.max(4, Math.min(14, Math.floor(width / deliveries.length)));
  const shown = deliveries.slice(0, Math.floor(width / wide)).reverse();
  const top = Math.max(1, ...shown.map((delivery) => delivery.rawBytes));
  return svg("svg", { height, width: shown.length * wide, role: "img", "aria-label": `The last ${shown.length} requests by size and answer` },
    shown.map((delivery, index) => {
      const tall = Math.max(4, Math.sqrt(delivery.rawBytes / top) * (height - 2));
      return svg("rect", { class: tone(delivery.status), x: index * wide, y: height - tall, width: wide - 1, height: tall },
        svg("title", {}, `${delivery.status || "reset"} ${delivery.code} · ${count(delivery.logs)} logs · ${duration(delivery.microseconds)}`));
    }));
}
