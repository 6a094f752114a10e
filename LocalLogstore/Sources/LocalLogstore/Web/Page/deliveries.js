// What the backends are doing: each request, and all of them in numbers.

import { h, replace, svg } from "./dom.js";
import { get } from "./api.js";
import { brief, bytes, clock, count, duration, plural, visible } from "./format.js";
import { state } from "./state.js";

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
    element.append(this.tiles, this.strip, h("div", { class: "scroll", tabindex: "0" }, this.table, this.empty));
    this.batch = null;
    this.last = "";
  }

  async refresh() {
    const answer = await get("deliveries", { limit, project: state.project, logstore: state.logstore });
    this.answer = answer;
    const key = `${answer.deliveries[0]?.id} ${answer.deliveries.length} ${answer.summary.requests} ${this.batch} ${this.strip.clientWidth}`;
    if (key === this.last) return;
    this.last = key;
    this.draw(answer);
  }

  draw({ deliveries, summary }) {
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
    replace(this.empty, h("h2", {}, "No requests yet"), h("p", {}, "Every request to deliver logs is listed here, with its size, its answer and how long that took."),
      h("p", { class: "dim" }, "Retries of one batch and logs that came twice are marked."));
    replace(this.body, deliveries.map((delivery) => this.row(delivery)));
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
