// What the page shows, kept in the address so that it can be sent to a colleague.

import { split } from "./search.js";

const names = ["view", "q", "project", "logstore", "range", "from", "until", "live", "log", "trace", "refused"];
export const views = ["logs", "trace", "deliveries", "rehearsal"];
const listeners = new Set();

// What is wrong with the address: a sentence for each thing.
export const faults = [];

export const ranges = [
  ["", "All time"], ["5m", "Last 5 minutes"], ["15m", "Last 15 minutes"], ["1h", "Last hour"], ["6h", "Last 6 hours"],
  ["24h", "Last 24 hours"], ["7d", "Last 7 days"],
];
const units = { m: 60, h: 3600, d: 86_400 };

export const state = read();

function read() {
  const parameters = new URLSearchParams(location.search);
  const result = {};
  for (const name of names) result[name] = parameters.get(name) ?? "";
  if (!views.includes(result.view)) result.view = "logs";
  faults.length = 0;
  if (!ranges.some(([value]) => value === result.range)) {
    faults.push(`range=${result.range} is no range: there are ${ranges.slice(1).map(([value]) => value).join(", ")}.`);
    result.range = "";
  }
  for (const name of ["from", "until"]) {
    if (result[name] === "") continue;
    const time = micros(result[name]);
    if (time === null) faults.push(`${name}=${result[name]} is no time: write it as 2026-11-23T08:15:30Z, or in milliseconds since 1970.`);
    result[name] = time === null ? "" : String(time);
  }
  return result;
}

// A time as people write it in an address, in microseconds since 1970; null if it is none. Like the interface, it takes a number
// of 9 to 19 digits as seconds, milliseconds, microseconds or nanoseconds, and a time without a zone as UTC.
export function micros(text) {
  if (/^\d{9,19}$/.test(text)) {
    const { length } = text;
    return length < 12 ? Number(text) * 1_000_000 : length < 15 ? Number(text) * 1000 : length < 18 ? Number(text) : Number(text.slice(0, -3));
  }
  // A plus sign that was not encoded has become a space.
  const parts = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:Z|([+ -])(\d\d):?(\d\d))?)?$/i.exec(text);
  if (!parts) return null;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map((part) => Number(part ?? 0));
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  // 30 February would be 2 March, and 25 o'clock the next day.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59) return null;
  const [zoneHours, zoneMinutes] = [Number(parts[9] ?? 0), Number(parts[10] ?? 0)];
  if (zoneHours > 23 || zoneMinutes > 59) return null;
  const offset = (parts[8] === "-" ? -1 : 1) * (zoneHours * 60 + zoneMinutes) * 60_000;
  return (date.getTime() - offset) * 1000 + Number((parts[7] ?? "").slice(0, 6).padEnd(6, "0"));
}

export function address(changes = {}) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...state, ...changes })) {
    if (value && !(name === "view" && value === "logs")) parameters.set(name, value);
  }
  const text = parameters.toString();
  return location.pathname + (text ? `?${text}` : "");
}

// Changes what is shown; the browser's way back leads to what was shown before.
export function change(changes) {
  const changed = Object.keys(changes).filter((name) => state[name] !== changes[name]);
  if (changed.length === 0 && faults.length === 0) return;
  // The faults of the address go with it, and nothing was loaded by it.
  if (faults.length > 0 && !changed.includes("range")) changed.push("range");
  faults.length = 0;
  Object.assign(state, changes);
  history.pushState(null, "", address());
  for (const listener of listeners) listener(changed);
}

export function onChange(listener) { listeners.add(listener); }

// Changes the address only: what is shown is so already.
export function amend(changes) {
  Object.assign(state, changes);
  history.replaceState(null, "", address());
}

addEventListener("popstate", () => {
  const before = { ...state };
  const wasWrong = faults.length > 0;
  Object.assign(state, read());
  const changed = names.filter((name) => state[name] !== before[name]);
  if (wasWrong || faults.length > 0) changed.push("range");
  for (const listener of listeners) listener(changed);
});

// The parameters of questions about the logs that are shown.
export function selection() {
  const parameters = { q: split(state.q).search, project: state.project, logstore: state.logstore };
  if (state.from) parameters.from = state.from;
  if (state.until) parameters.until = state.until;
  if (state.range && !state.from && !state.until) {
    const seconds = Number.parseInt(state.range, 10) * units[state.range.at(-1)];
    parameters.from = String(Math.floor((Date.now() / 1000 - seconds) * 1_000_000));
  }
  return parameters;
}
