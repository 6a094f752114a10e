// What the page shows, kept in the address so that it can be sent to a colleague.

const names = ["view", "q", "project", "logstore", "range", "from", "until", "live", "log"];
const listeners = new Set();

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
  if (!["logs", "deliveries", "rehearsal"].includes(result.view)) result.view = "logs";
  if (!ranges.some(([value]) => value === result.range)) result.range = "";
  return result;
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
  if (changed.length === 0) return;
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
  Object.assign(state, read());
  const changed = names.filter((name) => state[name] !== before[name]);
  for (const listener of listeners) listener(changed);
});

// The parameters of questions about the logs that are shown.
export function selection() {
  const parameters = { q: state.q, project: state.project, logstore: state.logstore };
  if (state.from) parameters.from = state.from;
  if (state.until) parameters.until = state.until;
  if (state.range && !state.from && !state.until) {
    const seconds = Number.parseInt(state.range, 10) * units[state.range.at(-1)];
    parameters.from = String(Math.floor((Date.now() / 1000 - seconds) * 1_000_000));
  }
  return parameters;
}
