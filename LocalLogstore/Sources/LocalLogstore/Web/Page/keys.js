// The keyboard: what a key does, and the list of them.

import { h } from "./dom.js";

const descriptions = [
  ["/", "Search"], ["j / k", "Next or previous log, like ↓ and ↑"], ["Enter", "Open the log, or close it"], ["Esc", "Close, zoom out, leave the field"],
  ["l", "Live on or off"], ["p", "Pause live, or go on"], ["r", "Ask again"], ["g / G", "First or last row"], ["1 2 3", "Logs, deliveries, rehearsal"],
  ["t", "Light or dark"], ["?", "This list"],
];

export function listen(actions) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target;
    if (document.querySelector("dialog[open]")) return;
    const types = target.matches("input, select, textarea");
    if (types) {
      if (event.key === "Escape") target.blur();
      return;
    }
    // Enter and space belong to the button that has the focus.
    if (target.matches("button, a, summary") && (event.key === "Enter" || event.key === " ")) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

export function showKeys(dialog) {
  dialog.replaceChildren(
    h("h2", {}, "Keys"),
    h("dl", {}, descriptions.map(([key, text]) => [h("dt", {}, key.split(" / ").map((part, index) => [index > 0 ? " / " : "", h("kbd", {}, part)]).flat()), h("dd", {}, text)]).flat()),
    h("h2", {}, "Search"),
    h("dl", {}, [
      ["payment failed", "both words, anywhere"], ["\"payment failed\"", "one behind the other"], ["pay*", "words that begin like this"],
      ["level: error", "a field has this word"], ["label: *", "there is such a field"], ["status >= 500", "a number compares"],
      ["a and (b or not c)", "combined; words side by side mean and"], ["__topic__: orders", "the topic; __source__ alike"], ["__tag__:env: prod", "a tag"],
      ["… | select path, count(*) group by path", "what is computed from the logs found"],
    ].map(([text, meaning]) => [h("dt", {}, h("code", {}, text)), h("dd", {}, meaning)]).flat()),
    h("form", { method: "dialog", class: "buttons" }, h("button", { class: "primary" }, "Close")));
  dialog.showModal();
}
