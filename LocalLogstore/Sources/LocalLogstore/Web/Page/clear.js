// Removes logs for good: asks once, and says what was removed.

import { remove } from "./api.js";
import { h, replace } from "./dom.js";
import { count, plural } from "./format.js";

const deliveries = (number) => `${count(number)} ${number === 1 ? "delivery" : "deliveries"}`;

// `place` is what to remove: its parameters, its name, and how many logs it has. `isNarrowed` says that the page shows fewer.
export function askToClear(dialog, place, isNarrowed, onCleared) {
  const problem = h("p", { class: "problem", role: "alert" });
  const go = h("button", { type: "submit", class: "danger" }, `Remove ${plural(place.logs, "log")}`);
  const form = h("form", { method: "dialog" },
    h("h2", {}, `Clear ${place.name}?`),
    h("p", {}, `Removes ${place.logs === 1 ? "the log" : `all ${plural(place.logs, "log")}`} of ${place.name} and what is listed under Deliveries, for good.`),
    isNarrowed ? h("p", {}, "The search and the time do not matter: also what they hide is removed.") : null,
    h("p", { class: "dim" }, "Logs that arrive from now on are kept."), problem,
    h("div", { class: "buttons" }, go, h("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, "Keep them")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    go.textContent = "Removing …";
    try {
      const { logs, deliveries: others } = await remove("logs", place.parameters);
      dialog.close();
      onCleared(`Removed ${plural(logs, "log")} and ${deliveries(others)} of ${place.name}.`);
    } catch (error) {
      problem.textContent = error.message;
      go.disabled = false;
      go.textContent = "Try again";
    }
  });
  dialog.replaceChildren(form);
  dialog.showModal();
}

// Says something until it is closed.
export function notify(element, text) {
  element.hidden = false;
  replace(element, h("span", {}, text), h("button", { type: "button", class: "icon", "aria-label": "Close", onclick: () => { element.hidden = true; } }, "×"));
}
