// The panel that makes the endpoint misbehave as the service can.

import { h, replace } from "./dom.js";
import { get, send } from "./api.js";
import { bytes, count } from "./format.js";

const none = {
  shards: 0, shardBytes: 5_000_000, shardRequests: 500, latency: 0, jitter: 0, errorShare: 0, errorKinds: ["500", "reset"],
  seed: 1, outage: null, trackingOff: null, forgetKeys: null, maximumBytes: null, maximumLogs: null,
};

const presets = [
  ["All well", {}, "Nothing goes wrong."],
  ["A bad day", { errorShare: 0.3, errorKinds: ["500", "503", "reset", "reset-stored"], latency: 150, jitter: 300 }, "A third of the requests fail, and answers are slow."],
  ["Outage of 30 s", { outage: { start: 0, length: 30 } }, "Connections are reset for half a minute, from now on."],
  ["One shard", { shards: 1 }, "The quota of a single shard: 5 MB and 500 requests a second."],
  ["Tracking off for 60 s", { trackingOff: { start: 0, length: 60 } }, "Somebody switches web tracking off: 401 for a minute."],
  ["Small requests", { maximumBytes: 65_536, maximumLogs: 256 }, "Larger requests are refused as too large."],
];

const explanations = {
  500: "internal error", 503: "server busy, Retry-After", 429: "too many requests", quota: "403 project quota", "shard-quota": "403 shard quota",
  401: "tracking off", 404: "no such logstore", 413: "too large", reset: "reset, not stored", "reset-stored": "reset after storing", slow: "answer after 3 s",
  cut: "answer breaks off", "no-id": "200 that is not the service's",
};

export class RehearsalPanel {
  constructor(element, badge) {
    this.element = element;
    this.badge = badge;
    this.now = h("p", { class: "now", role: "status" });
    this.problem = h("p", { class: "problem", role: "alert" });
    this.kinds = h("fieldset", { class: "kinds" }, h("legend", {}, "What goes wrong"));
    this.inputs = {};
    this.form = h("form", { class: "rehearsal" },
      this.card("Errors wide", "A share of the valid requests fails.",
        this.number("errorShare", "Share", { min: 0, max: 100, step: "any", unit: "%", scale: 100 }), this.kinds),
      this.card("Latency", "Answers come later.", this.number("latency", "By", { max: 600_000, unit: "ms" }), this.number("jitter", "and at most another", { max: 600_000, unit: "ms" })),
      this.card("Shards", "Each takes 5 MB and 500 requests a second; over that the answer is 403 ShardWriteQuotaExceed.",
        this.number("shards", "Shards", { max: 1000, hint: "0 for no quota" }), this.number("shardBytes", "Bytes a second of each", { min: 1, max: 1e12 }), this.number("shardRequests", "Requests a second of each", { min: 1, max: 1e6 })),
      this.card("Limits", "Larger requests are refused with PostBodyTooLarge.",
        this.number("maximumBytes", "Bytes of a request", { min: 1, optional: true }), this.number("maximumLogs", "Logs of a request", { min: 1, optional: true })),
      this.card("Keys", "A hash key is forgotten so long after its last write; what was refused as a duplicate is then stored again.",
        this.number("forgetKeys", "Forgotten after", { max: 31_536_000, step: "any", unit: "s", optional: true, placeholder: "never" })),
      this.card("Outage", "Connections are reset.", this.window("outage")),
      this.card("Tracking off", "401, as if its owner had switched web tracking off.", this.window("trackingOff")),
      h("div", { class: "buttons" }, h("button", { type: "submit", class: "primary" }, "Apply"), h("button", { type: "button", onclick: () => this.apply({}) }, "Stop rehearsing"), this.problem));
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.apply(this.read()); });
    element.append(
      h("div", { class: "intro" }, h("h2", {}, "Rehearse what production will do"),
        h("p", {}, "Make this endpoint misbehave as the service can, and watch under Deliveries what your settings make of it.")),
      h("div", { class: "presets" }, presets.map(([name, settings, note]) => h("button", { type: "button", title: note, onclick: () => this.apply(settings) }, h("b", {}, name), h("small", {}, note)))),
      this.now, this.form);
  }

  card(title, note, ...content) {
    const [name, kind] = title.endsWith(" wide") ? [title.slice(0, -5), "card wide"] : [title, "card"];
    return h("section", { class: kind }, h("h3", {}, name), h("p", { class: "dim" }, note), content);
  }

  number(name, label, { min = 0, max, step = 1, unit = "", scale = 1, hint = "", optional = false, placeholder = "no limit" }) {
    const input = h("input", { type: "number", min, max, step, id: `rehearsal-${name}`, placeholder: optional ? placeholder : "" });
    this.inputs[name] = { input, scale, optional };
    return h("label", { class: "setting" }, h("span", {}, label), input, h("small", {}, unit || hint));
  }

  window(name) {
    const start = h("input", { type: "number", min: 0, max: 86_400, step: "any", "aria-label": "Begins after seconds", value: 0 });
    const length = h("input", { type: "number", min: 0, max: 86_400, step: "any", "aria-label": "Lasts seconds", placeholder: "off" });
    this.inputs[name] = { start, length };
    return h("div", { class: "setting" }, h("span", {}, "after"), start, h("span", {}, "s, for"), length, h("small", {}, "s"));
  }

  read() {
    const settings = {};
    for (const [name, { input, scale, start, length }] of Object.entries(this.inputs)) {
      if (start) settings[name] = length.value === "" ? null : { start: Number(start.value), length: Number(length.value) };
      else settings[name] = input.value === "" ? null : Number(input.value) / scale;
    }
    settings.errorKinds = [...this.kinds.querySelectorAll("input:checked")].map((box) => box.value);
    for (const name of ["shards", "shardBytes", "shardRequests", "latency", "jitter", "errorShare"]) settings[name] ??= none[name];
    return settings;
  }

  async apply(settings) {
    this.changes += 1;
    this.applying += 1;
    try {
      this.problem.textContent = "";
      this.show(await send("rehearsal", "PUT", { ...none, ...settings }), true);
    } catch (error) {
      this.problem.textContent = error.message;
    } finally {
      this.applying -= 1;
    }
  }

  async refresh() {
    if (this.applying > 0) return;
    const changes = this.changes;
    const answer = await get("rehearsal");
    // What was asked before or during a change may be older than that.
    if (changes === this.changes && this.applying === 0) this.show(answer, this.isNew);
  }

  show(answer, fills) {
    const { settings } = answer;
    if (fills !== false) this.fill(settings, answer.kinds);
    this.isNew = false;
    const what = describe(answer);
    this.badge.hidden = what.length === 0;
    this.badge.title = what.join("; ");
    replace(this.now, what.length ? [h("b", {}, "Now: "), what.join("; "), `. ${count(answer.faults)} requests went wrong so far.`] : "Now: nothing goes wrong.");
    this.now.classList.toggle("active", what.length > 0);
  }

  fill(settings, kinds) {
    for (const [name, { input, scale, start, length }] of Object.entries(this.inputs)) {
      const value = settings[name];
      if (start) { start.value = value?.start ?? 0; length.value = value?.length ?? ""; } else input.value = value === null ? "" : Math.round(value * scale * 1000) / 1000;
    }
    replace(this.kinds, h("legend", {}, "What goes wrong"), kinds.map((kind) => {
      const box = h("input", { type: "checkbox", value: kind });
      box.checked = settings.errorKinds.includes(kind);
      return h("label", { title: explanations[kind] }, box, h("span", {}, kind, h("small", {}, explanations[kind])));
    }));
  }
}

RehearsalPanel.prototype.isNew = true;
RehearsalPanel.prototype.changes = 0;
RehearsalPanel.prototype.applying = 0;

function describe({ settings, elapsed, outageNow, trackingOffNow }) {
  const what = [];
  const window = (name, active, value) => {
    if (!value || elapsed > value.start + value.length) return;
    const end = active ? value.start + value.length - elapsed : value.start - elapsed;
    what.push(`${name} ${active ? "for another" : "in"} ${Math.ceil(end)} s`);
  };
  window("outage", outageNow, settings.outage);
  window("tracking off", trackingOffNow, settings.trackingOff);
  if (settings.errorShare > 0) what.push(`${Math.round(settings.errorShare * 1000) / 10} % fail (${settings.errorKinds.join(", ")})`);
  if (settings.latency > 0 || settings.jitter > 0) what.push(`answers ${settings.latency}–${settings.latency + settings.jitter} ms late`);
  if (settings.shards > 0) what.push(`${settings.shards} shards of ${bytes(settings.shardBytes)} and ${count(settings.shardRequests)} requests a second`);
  if (settings.forgetKeys !== null) what.push(`keys forgotten after ${settings.forgetKeys} s`);
  if (settings.maximumBytes) what.push(`at most ${bytes(settings.maximumBytes)} a request`);
  if (settings.maximumLogs) what.push(`at most ${count(settings.maximumLogs)} logs a request`);
  return what;
}
