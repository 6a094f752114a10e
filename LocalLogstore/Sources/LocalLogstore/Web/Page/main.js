// Puts the page together: keys, buttons, views, and what is asked for again.

import { onConnection, send, setConnected } from "./api.js";
import { askToClear, notify } from "./clear.js";
import { Deliveries } from "./deliveries.js";
import { by } from "./dom.js";
import { drawHistory } from "./history.js";
import { listen, showKeys } from "./keys.js";
import { comeBack, drawControls, fetchMore, list, load, noticeStatus, pause, recount, saveFound, search, showUnseen, takeFresh, toggleLive, zoomOut } from "./logs.js";
import { RehearsalPanel } from "./rehearsal.js";
import { refine, split } from "./search.js";
import { change, onChange, state, views } from "./state.js";
import { signIn } from "./states.js";
import { chosenPlace, drawConnection, refreshStatus } from "./status.js";
import { Timeline } from "./timeline.js";

const deliveries = new Deliveries(by("deliveries"));
// A time line is of all logs, whatever is asked for above the rows.
const searchAll = (q) => change({ view: "logs", q, project: "", logstore: "", range: "", from: "", until: "", live: "", log: "" });
const timeline = new Timeline(by("trace"), {
  onSearch: searchAll,
  onFilter: (text, negated) => searchAll(refine("", text, negated)),
  // A statement shows no logs.
  onOpen: (log) => change({ view: "logs", q: split(state.q).search, log: String(log.id) }),
  onTrace: (trace) => change({ trace }),
});
const rehearsal = new RehearsalPanel(by("rehearsal"), by("rehearsing"));

function drawViews() {
  for (const button of by("views").children) {
    const isCurrent = button.dataset.view === state.view;
    if (isCurrent) button.setAttribute("aria-current", "page"); else button.removeAttribute("aria-current");
  }
  by("views").querySelector("[data-view=trace]").hidden = !state.trace && state.view !== "trace";
  for (const view of views) by(view).hidden = view !== state.view;
}

function theme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  localStorage.setItem("webtracking.theme", root.dataset.theme);
}

function view(name) { change({ view: name }); }

let refreshing = false;

async function refreshView() {
  // An endpoint that is slow to answer is not asked again meanwhile.
  if (refreshing) return;
  refreshing = true;
  const view = state.view;
  try {
    if (state.view === "deliveries") await deliveries.refresh();
    if (state.view === "rehearsal" || by("rehearsing").dataset.known !== "1") {
      by("rehearsing").dataset.known = "1";
      await rehearsal.refresh();
    }
  } catch {
    // The banner says it.
  } finally {
    refreshing = false;
  }
  if (view !== state.view) await refreshView();
}

function clear() {
  const place = chosenPlace();
  if (!place) return;
  const isNarrowed = Boolean(state.q || state.range || state.from || state.until);
  askToClear(by("clearing"), place, isNarrowed, (text) => {
    notify(by("notice"), text);
    refreshStatus(noticeStatus);
    if (state.log) change({ log: "" });
    else {
      load();
      if (state.view === "trace") timeline.show(state.trace);
    }
    refreshView();
  });
}

const stored = localStorage.getItem("webtracking.theme");
if (stored === "dark" || stored === "light") document.documentElement.dataset.theme = stored;

// The keys belong to the rows from now on, also while there are none yet that could take the focus.
by("form").addEventListener("submit", (event) => { event.preventDefault(); by("search").blur(); search(); by("list").focus(); });
by("live").addEventListener("click", toggleLive);
by("fresh").addEventListener("click", takeFresh);
by("range").addEventListener("change", (event) => { if (event.target.value !== "zoom") change({ range: event.target.value, from: "", until: "" }); });
by("logstore").addEventListener("change", (event) => { const [project, logstore] = JSON.parse(event.target.value); change({ project, logstore, log: "" }); event.target.blur(); });
by("views").addEventListener("click", (event) => { const button = event.target.closest("button"); if (button) view(button.dataset.view); });
for (const button of document.querySelectorAll("[data-export]")) {
  button.addEventListener("click", async () => { button.disabled = true; await saveFound(button.dataset.export); button.disabled = false; });
}
by("clear").addEventListener("click", clear);
by("theme").addEventListener("click", theme);
by("fold").addEventListener("click", () => { by("fold").setAttribute("aria-expanded", String(by("fold").getAttribute("aria-expanded") !== "true")); });
by("help").addEventListener("click", () => showKeys(by("keys")));

const inLogs = (action) => () => { if (state.view === "logs") action(); };
const step = (by) => inLogs(() => list.step(by));
listen({
  "/": () => { view("logs"); by("search").focus(); by("search").select(); },
  j: step(1), ArrowDown: step(1), k: step(-1), ArrowUp: step(-1),
  Enter: inLogs(() => { if (list.selected >= 0) { list.toggle(list.selected); list.reveal(); } }),
  Escape: inLogs(() => { if (!list.close()) zoomOut(); }),
  g: inLogs(() => list.go(0)), G: inLogs(() => { list.go(list.length - 1); fetchMore(); }),
  l: inLogs(toggleLive), p: inLogs(() => pause()), r: () => { if (state.view === "logs") load(); else if (state.view === "trace") timeline.show(state.trace); },
  1: () => view("logs"), 2: () => view("deliveries"), 3: () => view("rehearsal"),
  t: theme, "?": () => showKeys(by("keys")),
});

onChange((changed) => {
  by("search").value = state.q;
  drawControls();
  drawViews();
  showUnseen();
  if (changed.length === 0 || changed.some((name) => !["view", "trace", "refused"].includes(name))) load();
  if (state.view === "trace") timeline.show(state.trace);
  refreshView();
});

onConnection((value) => {
  if (value === "token") {
    if (!by("sign-in").open) signIn(by("sign-in"), async (token) => { await send("session", "POST", { token }); start(); });
    return;
  }
  drawConnection();
  // Back again: what was missed is asked for. Live goes on by itself, if it had begun.
  if (value) comeBack();
});

async function start() {
  drawHistory();
  by("search").value = state.q;
  drawControls();
  drawViews();
  if (state.view === "trace") timeline.show(state.trace);
  await Promise.all([refreshStatus(noticeStatus), load(), refreshView()]);
}

setInterval(() => { if (!document.hidden) { refreshStatus(noticeStatus); refreshView(); recount(); } }, 2000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refreshStatus(noticeStatus); });
addEventListener("online", () => setConnected(true));
start();
