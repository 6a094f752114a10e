// Puts the page together: the state decides what is asked for, the answers are drawn. Over 400 lines, since everything here
// meets at that one state; each thing that is drawn has a file of its own.

import { get, isConnected, onConnection, Problem, send, setConnected } from "./api.js";
import { Deliveries } from "./deliveries.js";
import { by, h, replace } from "./dom.js";
import { Facets } from "./facets.js";
import { brief, clock, count, duration, plural, severities } from "./format.js";
import { Histogram } from "./histogram.js";
import { listen, showKeys } from "./keys.js";
import { LogList } from "./list.js";
import { record } from "./record.js";
import { RehearsalPanel } from "./rehearsal.js";
import { add, exactly } from "./search.js";
import { amend, change, faults, onChange, ranges, selection, state } from "./state.js";
import { disconnected, failed, firstRun, listening, loading, noMatch, signIn, unknown, wrongAddress, wrongSearch } from "./states.js";
import { Tail } from "./tail.js";

const pageSize = 200;
const maximumLive = 10_000;
let status = null;
let next = null;
let asking = null;
let fetchingMore = false;
let overview = null;
let fields = null;
let liveCount = 0;
let problem = null;
// How many logs there were when the rows were asked for.
let loadedLogs = null;
// The answer that the rows are from.
let shownPage = null;
// Why the log of a link is not open, or that it was opened while the rows were hidden.
let linkProblem = null;
let isUnseen = false;

const histogram = new Histogram(by("histogram"), zoom, zoomOut);
const facets = new Facets(by("facets"), { onFilter: filter, onAll: countAll });
const list = new LogList(by("list"), { onOpen: detail, onClose: closed, onEnd: fetchMore, onScroll: scrolled });
const deliveries = new Deliveries(by("deliveries"));
const rehearsal = new RehearsalPanel(by("rehearsal"), by("rehearsing"));
const tail = new Tail({ onLogs: arrived, onSkipped: skipped, onWaiting: waiting, onRestart: load });

// MARK: Questions

// What the state asks for, from the beginning.
async function load() {
  asking?.abort();
  const current = new AbortController();
  asking = current;
  tail.stop();
  facets.forget();
  overview = fields = next = shownPage = problem = linkProblem = null;
  fetchingMore = isUnseen = false;
  loadedLogs = null;
  by("fresh").hidden = true;
  by("logs").setAttribute("aria-busy", "true");
  showError(null);
  drawControls();
  if (faults.length > 0) {
    list.clear();
    drawSummary(null);
    showState(wrongAddress(faults, () => change({ range: "", from: "", until: "" })));
    by("logs").setAttribute("aria-busy", "false");
    return;
  }
  // Rows stay where they are, and so does what an answer has brought while its counts are to come.
  let isFilled = list.length > 0;
  const timer = setTimeout(() => { by("progress").hidden = false; if (!isFilled) showState(loading()); }, 150);
  try {
    const question = selection();
    const page = await get("logs", { ...question, limit: pageSize }, current.signal);
    if (asking !== current) return;
    list.set(page.logs);
    isFilled = true;
    next = page.next;
    shownPage = page;
    liveCount = 0;
    if (state.live) follow(page);
    drawSummary(page);
    await count_(question, current);
    if (asking !== current) return;
    drawSummary(page);
    if (state.log) await openLinked(current);
  } catch (error) {
    if (error.name === "AbortError") return;
    fail(error);
  } finally {
    clearTimeout(timer);
    if (asking === current) {
      by("progress").hidden = true;
      by("logs").setAttribute("aria-busy", "false");
    }
  }
}

// Counts what there is, over time and by field.
async function count_(question, current) {
  const width = by("histogram").clientWidth;
  const [counted, looked] = await Promise.all([
    get("overview", { ...question, buckets: Math.max(20, Math.min(120, Math.floor(width / 10))) }, current.signal),
    get("fields", question, current.signal),
  ]);
  if (asking !== current) return;
  overview = counted;
  fields = looked;
  drawCounts();
}

function drawCounts() {
  if (!overview || !fields) return;
  histogram.show(overview);
  drawLegend();
  facets.show(overview, fields);
}

async function fetchMore() {
  if (!next || fetchingMore || state.live) return;
  fetchingMore = true;
  const current = asking;
  try {
    const page = await get("logs", { ...selection(), limit: pageSize * 2, after: next }, current.signal);
    if (asking !== current) return;
    next = page.next;
    list.addOlder(page.logs);
    drawSummary(page);
  } catch (error) {
    if (error.name === "AbortError") return;
    // Not asked for again with every move; scrolling up and down is a new try.
    by("summary").textContent = `older logs could not be loaded: ${error.message}`;
  } finally {
    fetchingMore = false;
  }
}

async function countAll(name) {
  if (name === null) { drawCounts(); return; }
  const answer = await get("fields", { ...selection(), field: name, values: 1000 }).catch(() => null);
  if (answer?.fields.length) facets.showAll(name, answer);
  drawCounts();
}

function fail(error) {
  problem = error;
  next = shownPage = null;
  if (error instanceof Problem && error.column) {
    list.clear();
    drawSummary(null);
    showState(wrongSearch());
    showError(error);
    return;
  }
  if (error.status === 401) return;
  list.clear();
  showState(failed(error, load));
  drawSummary(null);
}

// MARK: Live

// What is on the page already, in case it comes once more.
let known = new Set();

function follow(page) {
  const { from: _from, until: _until, ...question } = selection();
  known = new Set(page.logs.map(({ id }) => id));
  tail.start(question, page.position);
  drawControls();
}

let isStale = false;

function arrived(all) {
  const logs = known.size > 0 ? all.filter(({ id }) => !known.has(id)) : all;
  if (logs.length === 0) return;
  liveCount += logs.length;
  list.addNewer(logs, maximumLive);
  showState(null);
  drawSummary(true);
  isStale = true;
}

let isCounting = false;

// What has arrived is counted too, every now and then, and not again before that has an answer.
function recount() {
  if (!isStale || !asking || isCounting) return;
  isStale = false;
  isCounting = true;
  count_(selection(), asking).catch(() => {}).finally(() => { isCounting = false; });
}

function skipped(number) {
  by("fresh").hidden = false;
  by("fresh").textContent = `${count(number)} logs came too fast to show; search for them`;
}

function waiting(number, isFull) {
  const fresh = by("fresh");
  fresh.hidden = number === 0;
  fresh.textContent = `${isFull ? "over " : ""}${plural(number, "new log")} — go on`;
}

function pause(on = !tail.paused) {
  if (!state.live) return;
  if (on) tail.pause();
  else {
    by("fresh").hidden = true;
    by("list").scrollTop = 0;
    tail.resume();
  }
  drawControls();
}

// Reading further down holds the rows still.
function scrolled(top) {
  if (state.live && !tail.paused && top > 60) pause(true);
}

function toggleLive() {
  if (state.live && tail.paused) { pause(false); return; }
  change({ live: state.live ? "" : "1", from: "", until: "", log: "" });
}

// MARK: What people do

function search() {
  const q = by("search").value.trim();
  if (q === state.q) load();
  else change({ q, log: "" });
}

function filter(text, negated) {
  if (text) change({ q: add(state.q, text, negated), log: "" });
}

function zoom(from, until) { change({ from: String(from), until: String(until), live: "", log: "" }); }

function zoomOut() {
  if (state.from || state.until) change({ from: "", until: "" });
  else if (state.range) change({ range: "" });
}

function detail(log) {
  if (state.live && !tail.paused) pause(true);
  return record(log, { onFilter: filter, onOpen: showLog });
}

function showLog(log) {
  list.show(log);
  isUnseen = state.view !== "logs";
}

async function openLinked(current) {
  try {
    const log = await get(`logs/${encodeURIComponent(state.log)}`, {}, current.signal);
    if (asking !== current) return;
    showState(null);
    showLog(log);
  } catch (error) {
    if (error.name === "AbortError" || asking !== current) return;
    linkProblem = error.message;
    drawSummary(shownPage);
  }
}

// The address does not lead to what was closed.
function closed() {
  if (state.log) amend({ log: "" });
}

// MARK: Drawing

function drawControls() {
  const live = by("live");
  live.setAttribute("aria-pressed", String(Boolean(state.live)));
  live.classList.toggle("paused", Boolean(state.live) && tail.paused);
  live.lastElementChild.textContent = state.live ? (tail.paused ? "Paused" : "Live") : "Live";
  const range = by("range");
  const zoomed = state.from || state.until;
  const options = ranges.map(([value, text]) => h("option", { value, selected: !zoomed && value === state.range }, text));
  if (zoomed) options.unshift(h("option", { value: "zoom", selected: true }, zoomText()));
  replace(range, options);
  for (const button of by("views").children) {
    const isCurrent = button.dataset.view === state.view;
    if (isCurrent) button.setAttribute("aria-current", "page"); else button.removeAttribute("aria-current");
  }
  for (const view of ["logs", "deliveries", "rehearsal"]) by(view).hidden = view !== state.view;
}

function zoomText() {
  const [from, until] = [Number(state.from), Number(state.until)];
  if (state.from && state.until) return `${clock(from).slice(5, 19)} + ${duration(until - from)}`;
  return state.from ? `from ${clock(from)}` : `until ${clock(until)}`;
}

function drawLegend() {
  const totals = severities.map((_, level) => overview.buckets.reduce((sum, bucket) => sum + bucket[level], 0));
  replace(by("legend"), severities.map((name, level) => [name, totals[level]]).filter(([, number]) => number > 0).reverse().map(([name, number]) =>
    h("button", { type: "button", title: `Only these`, onclick: () => filter(name === "none" ? withoutKnownLevel() : levelFilter(name), false) },
      h("i", { class: `swatch level-${name}` }), name === "none" ? "no level" : name, h("b", {}, brief(number)))));
}

// Levels go by several names; those that occur are asked for.
const levelNames = { warning: ["warning", "warn"], error: ["error", "err", "severe"], critical: ["critical", "fatal", "crit", "alert", "emergency", "emerg", "panic"], info: ["info", "information", "informational"], trace: ["trace", "verbose", "finest"], debug: ["debug", "fine"], notice: ["notice"] };

const presentLevels = (names) => overview.levels.map(({ value }) => value).filter((value) => names.includes(value.toLowerCase()));
const anyLevel = (names) => (names.length === 1 ? exactly("level", names[0]) : `(${names.map((name) => exactly("level", name)).join(" or ")})`);

function levelFilter(severity) {
  const present = presentLevels(levelNames[severity]);
  return anyLevel(present.length ? present : [severity]);
}

// Logs that have no level, or one by a name that says nothing.
function withoutKnownLevel() {
  const present = presentLevels(Object.values(levelNames).flat());
  return present.length ? `not ${anyLevel(present)}` : "";
}

function drawSummary(isKnown) {
  const text = by("summary");
  if (!isKnown) { text.textContent = ""; return; }
  const total = overview?.total;
  const parts = [];
  if (state.live) parts.push(`${plural(liveCount, "log")} since you watch`, `${count(list.length)} shown`);
  else if (total !== undefined) parts.push(`${plural(total, "log")}`, `${count(list.loaded)} loaded, newest first`);
  if (linkProblem) parts.push(`the log of the link is not here: ${linkProblem}`);
  text.textContent = status?.logs === 0 && list.length === 0 ? "" : parts.join(" · ");
  if (list.length > 0) showState(null);
  else if (!state.live && status?.logs > 0 && unknownPlace()) showState(unknown(unknownPlace(), status, () => change({ project: "", logstore: "", log: "" })));
  else if (total === 0 && !state.live) showState(status && status.logs === 0 ? firstRun(status) : noMatch(state, { onClear: () => change({ q: "" }), onAllTime: () => change({ range: "", from: "", until: "" }) }));
  else if (state.live) showState(status && status.logs === 0 ? firstRun(status) : listening());
}

function showState(content) {
  by("state").hidden = content === null;
  by("list").hidden = content !== null;
  if (content) replace(by("state"), content);
}

// The search as it was written, with a mark below what is wrong.
function showError(error) {
  const element = by("search-error");
  const input = by("search");
  element.hidden = error === null;
  input.setAttribute("aria-invalid", String(error !== null));
  if (!error) return;
  const marked = " ".repeat(error.column - 1) + "^".repeat(Math.max(1, error.length));
  replace(element, `${state.q}\n`, h("b", {}, marked), `\ncolumn ${error.column}: ${error.message}`);
  input.focus();
  // Columns are what people take for characters; the input counts units of UTF-16.
  const characters = [...new Intl.Segmenter().segment(state.q)].map(({ segment }) => segment);
  const start = characters.slice(0, error.column - 1).join("").length;
  input.setSelectionRange(start, start + characters.slice(error.column - 1, error.column - 1 + error.length).join("").length);
}

async function refreshStatus() {
  try {
    const before = status?.logs ?? null;
    status = await get("status");
    loadedLogs ??= status.logs;
    offerNew();
    drawPicker();
    drawConnection();
    // Without a status it is not known whether there are logs at all.
    if (before === null && shownPage) drawSummary(shownPage);
    // The first logs end the first run.
    if (before === 0 && status.logs > 0 && !state.live && state.view === "logs" && !problem) load();
  } catch (error) {
    if (error.status !== 0) drawConnection();
  }
}

// Tells that there is more than what was asked for.
function offerNew() {
  if (state.live || problem || state.until || list.length === 0 || loadedLogs === null) return;
  const fresh = by("fresh");
  const more = status.logs - loadedLogs;
  fresh.hidden = more <= 0;
  // How many of them match is not known before they are asked for.
  const isPart = state.q || state.project || state.logstore;
  fresh.textContent = `${isPart ? "New logs came" : plural(more, "new log")} — ask again`;
}

// The logstores that are asked for; a link may name but a part of them, or what is not here.
const chosen = () => status.logstores.filter(({ project, logstore }) => (!state.project || project === state.project) && (!state.logstore || logstore === state.logstore));

// What nothing is here of, in words; null if there is something.
function unknownPlace() {
  if (chosen().length > 0) return null;
  return [state.logstore && `logstore ${state.logstore}`, state.project && `project ${state.project}`].filter(Boolean).join(" in a ");
}

function drawPicker() {
  const select = by("logstore");
  const projects = new Set(status.logstores.map(({ project }) => project));
  const value = (project, logstore) => JSON.stringify([project, logstore]);
  const current = value(state.project, state.logstore);
  const options = [["", "", "All logstores", status.logs]];
  for (const project of projects) {
    const inside = status.logstores.filter((logstore) => logstore.project === project);
    if (projects.size > 1) options.push([project, "", `${project} / *`, inside.reduce((sum, { logs }) => sum + logs, 0)]);
    for (const { logstore, logs } of inside) options.push([project, logstore, `${project} / ${logstore}`, logs]);
  }
  // What a link names is what is asked for, here or not.
  if (!options.some(([project, logstore]) => value(project, logstore) === current)) {
    const here = chosen();
    const name = `${state.project || "*"} / ${state.logstore || "*"}`;
    options.push([state.project, state.logstore, here.length > 0 ? name : `${name}, unknown`, here.reduce((sum, { logs }) => sum + logs, 0)]);
  }
  const wanted = options.map(([project, logstore, text, logs]) => `${value(project, logstore)} ${text} ${logs}`).join("\n");
  if (select.dataset.options === wanted + current || document.activeElement === select) return;
  select.dataset.options = wanted + current;
  replace(select, options.map(([project, logstore, text, logs]) => h("option", { value: value(project, logstore), selected: value(project, logstore) === current }, `${text} (${brief(logs)})`)));
}

function drawConnection() {
  const element = by("connection");
  element.className = isConnected() ? "good" : "bad";
  element.textContent = isConnected() ? (status ? `${status.mode === "compatible" ? "compatible · " : ""}${brief(status.logs)} log${status.logs === 1 ? "" : "s"}` : "") : "Disconnected";
  by("banner").hidden = isConnected();
  if (!isConnected()) replace(by("banner"), disconnected());
}

// MARK: The rest

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

const stored = localStorage.getItem("webtracking.theme");
if (stored === "dark" || stored === "light") document.documentElement.dataset.theme = stored;

// The keys belong to the rows from now on, also while there are none yet that could take the focus.
by("form").addEventListener("submit", (event) => { event.preventDefault(); by("search").blur(); search(); by("list").focus(); });
by("live").addEventListener("click", toggleLive);
by("fresh").addEventListener("click", () => { if (!state.live) load(); else if (tail.paused) pause(false); else change({ live: "" }); });
by("range").addEventListener("change", (event) => { if (event.target.value !== "zoom") change({ range: event.target.value, from: "", until: "" }); });
by("logstore").addEventListener("change", (event) => { const [project, logstore] = JSON.parse(event.target.value); change({ project, logstore, log: "" }); event.target.blur(); });
by("views").addEventListener("click", (event) => { const button = event.target.closest("button"); if (button) view(button.dataset.view); });
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
  l: inLogs(toggleLive), p: inLogs(() => pause()), r: inLogs(load),
  1: () => view("logs"), 2: () => view("deliveries"), 3: () => view("rehearsal"),
  t: theme, "?": () => showKeys(by("keys")),
});

onChange((changed) => {
  by("search").value = state.q;
  drawControls();
  if (isUnseen && state.view === "logs" && list.open) { isUnseen = false; list.bring(); }
  if (changed.length === 0 || changed.some((name) => name !== "view")) load();
  refreshView();
});

let resting = null;
let isWanted = false;

// At most once in 2 s: an endpoint may answer some questions and not others.
function comeBack() {
  if (state.live && !problem) return;
  isWanted = resting !== null;
  if (isWanted) return;
  resting = setTimeout(() => { resting = null; if (isWanted && problem) comeBack(); }, 2000);
  load();
}

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
  by("search").value = state.q;
  drawControls();
  await Promise.all([refreshStatus(), load(), refreshView()]);
}

setInterval(() => { if (!document.hidden) { refreshStatus(); refreshView(); recount(); } }, 2000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refreshStatus(); });
addEventListener("online", () => setConnected(true));
start();
