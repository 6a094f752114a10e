// Writes the search language: filters that clicks add.

const word = /^[\p{L}\p{N}_][\p{L}\p{N}_.\-/@+]*$/u;
const keywords = new Set(["and", "or", "not"]);

function quoted(text) {
  return word.test(text) && !keywords.has(text.toLowerCase()) ? text : `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

// A condition that a field has a value; null if the language has none for it.
export function condition(name, value) {
  const field = name.startsWith("__tag__:") ? `__tag__:${quoted(name.slice(8))}` : quoted(name);
  if (value === "") return `${field}: ""`;
  const words = value.match(/[\p{L}\p{N}_]+/gu);
  if (!words || value.length > 500) return null;
  // A phrase has 63 words at most; that many tell nearly every value.
  if (words.length > 60) return null;
  return `${field}: ${quoted(value)}`;
}

export function exists(name) {
  const field = name.startsWith("__tag__:") ? `__tag__:${quoted(name.slice(8))}` : quoted(name);
  return `${field}: *`;
}

// Adds a condition to a search. Adding it again, or its opposite, takes the first away.
export function add(search, text, negated = false) {
  const addition = negated ? `not ${text}` : text;
  const opposite = negated ? text : `not ${text}`;
  const parts = search.trim() === "*" ? "" : search.trim();
  if (parts === addition) return "";
  if (parts === opposite || parts === "") return addition;
  if (parts.endsWith(` and ${addition}`)) return parts.slice(0, -` and ${addition}`.length);
  if (parts.endsWith(` and ${opposite}`)) return `${parts.slice(0, -` and ${opposite}`.length)} and ${addition}`;
  if (parts.startsWith(`${addition} and `)) return parts.slice(`${addition} and `.length);
  return `${/\sor\s/i.test(parts) && !isBracketed(parts) ? `(${parts})` : parts} and ${addition}`;
}

function isBracketed(text) {
  if (!text.startsWith("(") || !text.endsWith(")")) return false;
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === "(") depth += 1;
    if (text[index] === ")") depth -= 1;
    if (depth === 0 && index < text.length - 1) return false;
  }
  return true;
}
