// Writes the search language: filters that clicks add.

const word = /^[\p{L}\p{N}_][\p{L}\p{N}_.\-/@+]*$/u;
const keywords = new Set(["and", "or", "not"]);
const maximumText = 1000;

const inQuotes = (text) => `"${text.replace(/[\\"]/g, "\\$&")}"`;
const quoted = (text) => (word.test(text) && !keywords.has(text.toLowerCase()) ? text : inQuotes(text));
const named = (name) => (name.startsWith("__tag__:") ? `__tag__:${quoted(name.slice(8))}` : quoted(name));

// A condition that a field has exactly this value, as it was counted: its words could be in others, too. Null if it is too
// long for a search.
export function exactly(name, value) {
  if (value === "") return `${named(name)}: ""`;
  return value.length > maximumText ? null : `${named(name)} = ${inQuotes(value)}`;
}

export const exists = (name) => `${named(name)}: *`;

// Adds a condition to a search. Adding it again, or its opposite, takes the first away; what means more than it, as its words
// anywhere in the field, stays.
export function add(search, text, negated = false) {
  const addition = negated ? `not ${text}` : text;
  const isSame = (part) => spaced(part) === spaced(addition);
  const isOpposite = (part) => spaced(part) === spaced(negated ? text : `not ${text}`);
  const whole = search.trim() === "*" ? "" : search.trim();
  const parts = conjuncts(whole);
  if (parts === null) return whole === "" ? addition : `(${whole}) and ${addition}`;
  if (parts.some(isSame)) return parts.filter((part) => !isSame(part)).join(" and ");
  return [...parts.filter((part) => !isOpposite(part)), addition].join(" and ");
}

// The search, and the statement behind its `|`; null if there is none. A bar in quotes is text.
export function split(question) {
  const bar = [...question.matchAll(/"(?:[^"\\]|\\.)*"?|\|/gsu)].find(([text]) => text === "|")?.index;
  return bar === undefined ? { search: question, statement: null } : { search: question.slice(0, bar).trim(), statement: question.slice(bar + 1).trim() };
}

// The same as `add` for a search with a statement behind it, which stays.
export function refine(question, text, negated = false) {
  const { search, statement } = split(question);
  const refined = add(search, text, negated);
  return statement === null ? refined : `${refined} | ${statement}`.trim();
}

// Without the spaces that mean nothing: around the signs outside of quotes, and more than one.
const spaced = (part) => part.replace(/"(?:[^"\\]|\\.)*"?|\s*[=:]\s*|\s+/gsu, (token) => (token.startsWith('"') ? token : token.trim() || " "));

// The parts of a search that are joined by "and"; null if there is an "or" among them.
function conjuncts(search) {
  const parts = [];
  let depth = 0;
  let start = 0;
  const tokens = /"(?:[^"\\]|\\.)*"?|[()]|[^\s()"]+/gsu;
  for (let token = tokens.exec(search); token; token = tokens.exec(search)) {
    const [text] = token;
    if (text === "(") depth += 1;
    if (text === ")") depth -= 1;
    if (depth !== 0) continue;
    const isKey = search.slice(tokens.lastIndex).trimStart().startsWith(":");
    if (/^or$/i.test(text) && !isKey) return null;
    if (/^and$/i.test(text) && !isKey) {
      parts.push(search.slice(start, token.index).trim());
      start = tokens.lastIndex;
    }
  }
  parts.push(search.slice(start).trim());
  return parts.filter((part) => part !== "");
}
