// What belongs together: the lines of one trace or request, by whatever name each program gives its id.

import { exactly } from "./search.js";

// Names that mean the same.
const families = [
  ["traceID", "traceId", "trace_id", "trace.id", "traceid"],
  ["request.id", "hb.request.id", "requestID", "requestId", "request_id", "x-request-id"],
  ["correlation.id", "correlationID", "correlationId", "correlation_id"],
];

const familyOf = (name) => families.find((names) => names.includes(name));

export const isTrace = (name) => familyOf(name) !== undefined;

// As the address has it.
export const traceOf = (name, value) => `${name}:${value}`;

// The name and the value of what the address has; null if it is none.
export function parts(text) {
  const colon = text.indexOf(":");
  return colon > 0 && colon < text.length - 1 ? { name: text.slice(0, colon), value: text.slice(colon + 1) } : null;
}

// A search for all lines of it, by any of its names; null if the value is too long to be searched for.
export function searchFor({ name, value }) {
  const conditions = (familyOf(name) ?? [name]).map((other) => exactly(other, value));
  return conditions.includes(null) ? null : conditions.join(" or ");
}

// The order in which things happened, the first on top.
export const inOrder = (logs) => logs.slice().sort((left, right) => left.time - right.time || left.id - right.id);

// Calls each line's producer by what tells it from the others.
export function services(logs) {
  const columns = [
    (log) => log.tags.service ?? log.tags["service.name"] ?? log.fields.service ?? log.fields["service.name"] ?? "",
    (log) => log.project, (log) => log.logstore, (log) => log.topic, (log) => log.source,
  ];
  const isShown = columns.map((column, index) => {
    const values = new Set(logs.map(column));
    return values.size > 1 || (index === 0 && !values.has(""));
  });
  // One alone has a name, too.
  if (!isShown.includes(true)) isShown[2] = true;
  return logs.map((log) => columns.filter((_, index) => isShown[index]).map((column) => column(log)).filter(Boolean).join(" / ") || log.logstore);
}

// How long it was silent before each line, and whether that is a good part of the whole.
export function gaps(logs) {
  const whole = logs.length > 0 ? logs.at(-1).time - logs[0].time : 0;
  return logs.map((log, index) => {
    const length = index > 0 ? log.time - logs[index - 1].time : 0;
    return { length, share: whole > 0 ? length / whole : 0, isLong: length >= 1000 && length >= whole / 10 };
  });
}
