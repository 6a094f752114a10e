// Questions to the endpoint, and whether it answers at all.

const listeners = new Set();
let connected = true;

export class Problem extends Error {
  constructor(status, { message, column, length }) {
    super(message);
    this.status = status;
    this.column = column;
    this.length = length;
  }
}

// Told `true` or `false` when the endpoint comes back or goes away, and "token" if it wants one.
export function onConnection(listener) { listeners.add(listener); }

export function setConnected(value) {
  if (value === connected) return;
  connected = value;
  for (const listener of listeners) listener(value);
}

export const isConnected = () => connected;

export function path(name, parameters = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) if (value !== "" && value !== undefined) query.set(key, value);
  const text = query.toString();
  return `/api/${name}${text ? `?${text}` : ""}`;
}

export const get = (name, parameters, signal) => ask(path(name, parameters), { signal });

export const send = (name, method, body) =>
  ask(path(name), { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

// A page of another site cannot send this type without being asked about.
export const remove = (name, parameters) => ask(path(name, parameters), { method: "DELETE", headers: { "content-type": "application/json" } });

async function ask(address, options) {
  let response;
  try {
    response = await fetch(address, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    setConnected(false);
    throw new Problem(0, { message: "The endpoint does not answer." });
  }
  setConnected(true);
  const body = await response.json().catch(() => ({}));
  if (!response.ok) {
    if (response.status === 401 && !address.endsWith("/session")) for (const listener of listeners) listener("token");
    throw new Problem(response.status, body.error ?? { message: `The endpoint answered ${response.status}.` });
  }
  return body;
}
