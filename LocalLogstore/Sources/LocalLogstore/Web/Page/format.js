// How values are written for people.

const pad = (number, width = 2) => String(number).padStart(width, "0");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat("en");

export const severities = ["none", "trace", "debug", "info", "notice", "warning", "error", "critical"];

export const count = (number) => whole.format(number);
export const brief = (number) => (number < 10_000 ? whole.format(number) : compact.format(number));
export const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

// Times are microseconds since 1970.
export function clock(time, withDate = true) {
  const date = new Date(time / 1000);
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  const micros = ((time % 1_000_000) + 1_000_000) % 1_000_000;
  const text = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(Math.floor(micros / 1000), 3)}`;
  return withDate ? `${day} ${text}` : text;
}

export function isToday(time) {
  const midnight = new Date().setHours(0, 0, 0, 0) * 1000;
  return time >= midnight && time < midnight + 86_400_000_000;
}

export function iso(time) {
  const micros = ((time % 1_000_000) + 1_000_000) % 1_000_000;
  return new Date(time / 1000).toISOString().replace(/\.\d+Z$/, `.${pad(micros, 6)}Z`);
}

export function bytes(number) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (number >= 1000 && unit < units.length - 1) { number /= 1000; unit += 1; }
  return `${unit === 0 ? number : number.toFixed(number < 10 ? 2 : number < 100 ? 1 : 0)} ${units[unit]}`;
}

export function duration(micros) {
  if (micros < 1000) return `${micros} µs`;
  if (micros < 1_000_000) return `${(micros / 1000).toFixed(micros < 10_000 ? 1 : 0)} ms`;
  if (micros < 120_000_000) return `${(micros / 1_000_000).toFixed(micros < 10_000_000 ? 1 : 0)} s`;
  if (micros < 7_200_000_000) return `${Math.round(micros / 60_000_000)} min`;
  if (micros < 172_800_000_000) return `${Math.round(micros / 3_600_000_000)} h`;
  return `${Math.round(micros / 86_400_000_000)} days`;
}

// Between two times, of which one may be "".
export function span(from, until) {
  if (from && until) return `${clock(Number(from)).slice(5, 19)} + ${duration(until - from)}`;
  return from ? `from ${clock(Number(from))}` : `until ${clock(Number(until))}`;
}

// What people count time in: microseconds up to half a second, then seconds, minutes, hours, days.
const [second, minute, hour, day] = [1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000];
const steps = [
  ...[1, 10, 100, 1_000, 10_000, 100_000].flatMap((unit) => [unit, 2 * unit, 5 * unit]),
  ...[second, minute].flatMap((unit) => [1, 2, 5, 10, 15, 30].map((number) => number * unit)),
  ...[1, 2, 3, 6, 12].map((number) => number * hour),
  ...[1, 2, 5, 10, 30, 100, 365].map((number) => number * day),
];

const stepOf = (length, most) => steps.find((candidate) => length / candidate <= most) ?? steps.at(-1);

// Round lengths of time from none on, at most about `most` of them.
export function lengths(end, most) {
  const step = stepOf(end, most);
  return Array.from({ length: Math.ceil(end / step) }, (_, index) => index * step);
}

// Round times between two, at most about `most` of them, with what to call them.
export function ticks(start, end, most) {
  const step = stepOf(end - start, most);
  // Round where the reader is, not in Greenwich.
  const offset = new Date(start / 1000).getTimezoneOffset() * minute;
  const found = [];
  for (let time = Math.ceil((start - offset) / step) * step + offset; time < end; time += step) {
    found.push({ time, text: axis(time, step) });
  }
  return found;
}

function axis(time, step) {
  const date = new Date(time / 1000);
  const day = `${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  if (step >= 86_400_000_000) return day;
  const minutes = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
  if (step >= hour) return `${day} ${minutes}`;
  if (step >= minute) return minutes;
  const seconds = `${minutes}:${pad(date.getSeconds())}`;
  if (step >= second) return seconds;
  const micros = pad(((time % second) + second) % second, 6);
  return step >= 1000 ? `${seconds}.${micros.slice(0, 3)}` : `.${micros}`;
}

// Makes visible what would not be: controls, escapes for terminals, marks that turn the direction of writing.
export function visible(text) {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (character) => {
    const code = character.codePointAt(0);
    if (code === 10) return "⏎";
    if (code === 9) return "⇥";
    if (code < 32) return String.fromCodePoint(0x2400 + code);
    return `\\u{${code.toString(16)}}`;
  });
}

// The same for text of several lines, which stay lines.
export const visibleLines = (text) => text.split(/\r?\n/).map(visible).join("\n");
