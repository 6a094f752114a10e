// The levels below the histogram, and filters made of them.

import { by, h, replace } from "./dom.js";
import { brief, severities } from "./format.js";
import { exactly } from "./search.js";

// How many logs there are of each level; a click filters.
export function drawLegend(overview, onFilter) {
  const totals = severities.map((_, level) => overview.buckets.reduce((sum, bucket) => sum + bucket[level], 0));
  replace(by("legend"), severities.map((name, level) => [name, totals[level]]).filter(([, number]) => number > 0).reverse().map(([name, number]) =>
    h("button", { type: "button", title: `Only these`, onclick: () => onFilter(name === "none" ? withoutKnownLevel(overview) : levelFilter(name, overview)) },
      h("i", { class: `swatch level-${name}` }), name === "none" ? "no level" : name, h("b", {}, brief(number)))));
}

// Levels go by several names; those that occur are asked for.
const levelNames = { warning: ["warning", "warn"], error: ["error", "err", "severe"], critical: ["critical", "fatal", "crit", "alert", "emergency", "emerg", "panic"], info: ["info", "information", "informational"], trace: ["trace", "verbose", "finest"], debug: ["debug", "fine"], notice: ["notice"] };

const presentLevels = (names, overview) => overview.levels.map(({ value }) => value).filter((value) => names.includes(value.toLowerCase()));
const anyLevel = (names) => (names.length === 1 ? exactly("level", names[0]) : `(${names.map((name) => exactly("level", name)).join(" or ")})`);

function levelFilter(severity, overview) {
  const present = presentLevels(levelNames[severity], overview);
  return anyLevel(present.length ? present : [severity]);
}

// Logs that have no level, or one by a name that says nothing.
function withoutKnownLevel(overview) {
  const present = presentLevels(Object.values(levelNames).flat(), overview);
  return present.length ? `not ${anyLevel(present)}` : "";
}
