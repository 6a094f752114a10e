// What the page says when there are no rows: what happened, and what to do next.

import { copyButton, h } from "./dom.js";

export function firstRun(status) {
  const swift = [
    "import Logging", "import WebTracking", "",
    "let producer = try WebTrackingProducer.bootstrap(",
    `    WebTrackingConfiguration(endpoint: "${location.origin}", project: "${status?.project ?? "local"}", logstore: "app"))`,
    `Logger(label: "hello").info("It works")`,
    "await producer.shutdown(timeout: .seconds(10))",
  ].join("\n");
  const shell = `echo 'It works' | webtracking send --project ${status?.project ?? "local"} --logstore app \\\n    --endpoint ${location.origin}`;
  return [
    h("h2", {}, "No logs yet"),
    h("p", {}, "This is a Logstore on your machine. Send it logs from Swift:"), block(swift),
    h("p", {}, "or from a terminal:"), block(shell),
    h("p", { class: "dim" }, "They show up here as they arrive, and are stored by this process alone."),
  ];
}

const block = (text) => h("div", { class: "code" }, h("pre", {}, text), copyButton("Copy", () => text));

// A link may name what is not here, or not any more.
export function unknown(place, status, onAll) {
  return [
    h("h2", {}, `No logs of a ${place}`),
    h("p", {}, `There are logs of ${status.logstores.map(({ project, logstore }) => `${project} / ${logstore}`).join(", ")}.`),
    h("p", {}, h("button", { type: "button", onclick: onAll }, "Show all logstores")),
  ];
}

export function wrongAddress(faults, onAllTime) {
  return [
    h("h2", {}, "This address makes no sense"),
    ...faults.map((fault) => h("p", {}, fault)),
    h("p", {}, h("button", { type: "button", onclick: onAllTime }, "Search all time")),
  ];
}

export function noMatch(state, { onClear, onAllTime }) {
  return [
    h("h2", {}, "No log matches"),
    h("p", {}, state.q ? "Nothing in this time has what you search for." : "There are no logs in this time."),
    h("p", {},
      state.q ? h("button", { type: "button", onclick: onClear }, "Clear the search") : null, " ",
      state.range || state.from || state.until ? h("button", { type: "button", onclick: onAllTime }, "Search all time") : null),
    state.q ? h("p", { class: "dim" }, "Words match whole words; put * behind the beginning of one. A field with a value is key: value.") : null,
  ];
}

export function failed(problem, onRetry) {
  return [
    h("h2", {}, "This did not work"),
    h("p", {}, problem.message),
    h("p", {}, h("button", { type: "button", onclick: onRetry }, "Try again")),
  ];
}

export const wrongSearch = () => [
  h("h2", {}, "The search makes no sense yet"),
  h("p", {}, "The mark above shows where. Some that do:"),
  h("dl", { class: "examples" }, [
    ["payment failed", "both words"], ['"payment failed"', "one behind the other"], ["pay*", "words that begin like this"],
    ["level: error", "a word in a field"], ["ms >= 500", "a number"], ["a and (b or not c)", "combined"],
    ["level: error | select path, count(*) group by path", "computed from the logs found"],
  ].map(([text, meaning]) => [h("dt", {}, h("code", {}, text)), h("dd", {}, meaning)]).flat()),
];

export const listening = () => [h("h2", {}, "Listening"), h("p", {}, "New logs that match appear here as they arrive."), h("p", { class: "dim" }, "Press l to go back to the logs that are stored.")];

export const loading = () => [h("p", { class: "dim" }, "Searching …")];

export const disconnected = () => ["The endpoint does not answer. Start it again with ", h("code", {}, "webtracking serve"), "; this page goes on by itself."];

export function signIn(dialog, onSignIn) {
  const token = h("input", { type: "password", id: "token", autocomplete: "current-password", required: true });
  const problem = h("p", { class: "problem", role: "alert" });
  const form = h("form", { method: "dialog" },
    h("h2", {}, "Sign in"),
    h("p", {}, "This endpoint can be reached from the network, so reading takes its token. It is in the file that ", h("code", {}, "webtracking serve"), " names when it starts."),
    h("label", { for: "token" }, "Token"), token, problem,
    h("div", { class: "buttons" }, h("button", { type: "submit", class: "primary" }, "Sign in")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await onSignIn(token.value);
      dialog.close();
    } catch (error) {
      problem.textContent = error.message;
      token.select();
    }
  });
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.replaceChildren(form);
  dialog.showModal();
  token.focus();
}
