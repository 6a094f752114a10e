// The last searches, which the browser offers while one types.

import { by, h, replace } from "./dom.js";

const key = "webtracking.searches";
const maximum = 30;

function known() {
  try {
    const searches = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(searches) ? searches.filter((search) => typeof search === "string") : [];
  } catch {
    // What another program has put there is no list of searches.
    return [];
  }
}

export function drawHistory() {
  replace(by("history"), known().map((value) => h("option", { value })));
}

// Remembers one that made sense; what is wrong is not offered again.
export function remember(search) {
  if (search === "") return;
  localStorage.setItem(key, JSON.stringify([search, ...known().filter((other) => other !== search)].slice(0, maximum)));
  drawHistory();
}
