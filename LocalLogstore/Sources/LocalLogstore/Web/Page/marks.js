// Marks what a search has found in the text of logs.

import { h } from "./dom.js";
import { split } from "./search.js";

const word = "[\\p{L}\\p{N}_]";
let pattern = null;

// Words and phrases that have to be there, with a star behind beginnings; not what a "not" takes away, names and numbers.
export function wanted(search) {
  const tokens = [...search.matchAll(/"(?:[^"\\]|\\.)*"?|[():]|[<>=]+|[^\s():<>="]+/gsu)].map(([token]) => token);
  const found = [];
  // How deep in brackets the "not" stands that holds here; null if none does.
  let negated = null;
  let depth = 0;
  tokens.forEach((token, index) => {
    const [before, after] = [tokens[index - 1], tokens[index + 1]];
    const isName = after !== undefined && /^(:|[<>=]+)$/.test(after);
    if (token === "(") depth += 1;
    else if (token === ")") {
      depth -= 1;
      if (negated !== null && depth <= negated) negated = null;
    } else if (/^not$/i.test(token) && after !== ":") negated ??= depth;
    else if (/^(and|or|:|[<>=]+)$/i.test(token) || isName) return;
    else {
      const isNumber = before !== undefined && /^[<>=]+$/.test(before) && !token.startsWith('"');
      if (negated === null && !isNumber) found.push(token.startsWith('"') ? token.slice(1).replace(/"$/, "").replace(/\\(.)/gsu, "$1") : token);
      // A single condition ends where it stands.
      if (negated === depth) negated = null;
    }
  });
  return found;
}

export function setMarks(question) {
  const alternatives = wanted(split(question).search).map((text) => {
    const words = text.match(new RegExp(`${word}+`, "gu"));
    return words && `${words.join(`(?:(?!${word}).)+`)}${text.endsWith("*") ? `${word}*` : `(?!${word})`}`;
  }).filter(Boolean);
  pattern = alternatives.length > 0 ? new RegExp(`(?<!${word})(?:${alternatives.join("|")})`, "giu") : null;
}

// A text as nodes, of which some are marks.
export function marked(text) {
  if (!pattern) return [text];
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    nodes.push(text.slice(end, match.index), h("mark", {}, match[0]));
    end = match.index + match[0].length;
  }
  return [...nodes, text.slice(end)];
}
