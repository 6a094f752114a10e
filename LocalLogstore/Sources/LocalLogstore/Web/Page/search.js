// Writes the search language: filters that clicks add.

const word = /^[\p{L}\p{N}_][\p{L}\p{N}_.\-/@+]*$/u;
const keywords = new Set(["and", "or", "not"]);
const maximumText = 1000;

const inQuotes = (text) => `"${text.replace(/[\\"]/g, "\\$&")}"`;
const quoted = (text) => (word.test(text) && !keywords.has(text.toLowerCase()) ? text : inQuotes(text));
const named = (name) => (name.startsWith("__tag__:") ? `__tag__:${quoted(name.slice(8))}` : quoted(name));

// The words of a text as the search cuts them: ideographs and kana stand alone.
const words = (text) => text.toLowerCase().match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])[\p{L}\p{N}\p{Mn}_])+/gu) ?? [];

// A condition that a field has exactly this value; null if it is too long for a search.
export function exactly(name, value) {
  if (value === "") return `${named(name)}: ""`;
  return value.length > maximumText ? null : `${named(name)} = ${inQuotes(value)}`;
}

// The same by its words, which is easier to read and to change, if none of `others` has these words too.
export function condition(name, value, others) {
  const text = ` ${words(value).join(" ")} `;
  if (others.some((other) => other !== value && ` ${words(other).join(" ")} `.includes(text))) return exactly(name, value);
  return byWords(name, value) ?? exactly(name, value);
}

function byWords(name, value) {
  const count = words(value).length;
  return count === 0 || count > 20 || value.length > 200 ? null : `${named(name)}: ${quoted(value)}`;
}

// The ways in which a search may have the condition already.
export const spellings = (name, value) => [byWords(name, value), exactly(name, value)];

export const exists = (name) => `${named(name)}: *`;

// Adds a condition to a search. Adding it again, or its opposite, takes the first away, however that is spelled.
export function add(search, text, negated = false, others = []) {
  const addition = negated ? `not ${text}` : text;
  const same = [text, ...others].map((spelling) => (negated ? `not ${spelling}` : spelling));
  const opposite = [text, ...others].map((spelling) => (negated ? spelling : `not ${spelling}`));
  const whole = search.trim() === "*" ? "" : search.trim();
  const parts = conjuncts(whole);
  if (parts === null) return whole === "" ? addition : `(${whole}) and ${addition}`;
  if (parts.some((part) => same.includes(part))) return parts.filter((part) => !same.includes(part)).join(" and ");
  return [...parts.filter((part) => !opposite.includes(part)), addition].join(" and ");
}

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
