// The view of the logs: the state decides what is asked for, the answers are drawn. Each thing that is drawn has a file of its
// own.

import { get, Problem } from "./api.js";
import { by, h, replace } from "./dom.js";
import { saveAll } from "./export.js";
import { Facets } from "./facets.js";
import { count, plural, span } from "./format.js";
import { Histogram } from "./histogram.js";
import { remember } from "./history.js";
import { drawLegend } from "./levels.js";
import { LogList } from "./list.js";
import { setMarks } from "./marks.js";
import { record } from "./record.js";
import { refine, split } from "./search.js";
import { amend, change, faults, ranges, selection, state } from "./state.js";
import { failed, firstRun, listening, loading, noMatch, unknown, wrongAddress, wrongSearch } from "./states.js";
import { status, unknownPlace } from "./status.js";
import { Statistics } from "./statistics.js";
import { Tail } from "./tail.js";

const pageSize = 200;
const maximumLive = 10_000;
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
export const list = new LogList(by("list"), { onOpen: detail, onClose: closed, onEnd: fetchMore, onScroll: scrolled });
const statistics = new Statistics(by("statistics"));
const tail = new Tail({ onLogs: arrived, onSkipped: skipped, onWaiting: waiting, onRestart: load });

// MARK: Questions

// What the state asks for, from the beginning.
export async function load() {
  asking?.abort();
  const current = new AbortController();
  asking = current;
  // What is computed does not follow.
  if (isStatement() && state.live) amend({ live: "" });
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
  setMarks(state.q);
  const timer = setTimeout(() => { by("progress").hidden = false; if (!isFilled) showState(loading()); }, 150);
  try {
    const question = selection();
    if (isStatement()) {
      const answer = await get("statistics", { ...question, q: state.q }, current.signal);
      if (asking !== current) return;
      remember(state.q);
      list.clear();
      isFilled = true;
      statistics.show(answer);
      drawSummary(answer);
      await countFound(question, current);
      if (asking === current) drawSummary(answer);
      return;
    }
    const page = await get("logs", { ...question, limit: pageSize }, current.signal);
    if (asking !== current) return;
    remember(state.q);
    statistics.clear();
    list.set(page.logs);
    isFilled = true;
    next = page.next;
    shownPage = page;
    liveCount = 0;
    if (state.live) follow(page);
    drawSummary(page);
    await countFound(question, current);
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

const isStatement = () => split(state.q).statement !== null;

// Counts what there is, over time and by field.
async function countFound(question, current) {
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
  drawLegend(overview, (text) => filter(text, false));
  facets.show(overview, fields);
}

export async function fetchMore() {
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
  statistics.clear();
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
export function recount() {
  if (!isStale || !asking || isCounting) return;
  isStale = false;
  isCounting = true;
  countFound(selection(), asking).catch(() => {}).finally(() => { isCounting = false; });
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

export function pause(on = !tail.paused) {
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

export function toggleLive() {
  if (isStatement()) return;
  if (state.live && tail.paused) { pause(false); return; }
  change({ live: state.live ? "" : "1", from: "", until: "", log: "" });
}

// MARK: What people do

export function search() {
  const q = by("search").value.trim();
  if (q === state.q) load();
  else change({ q, log: "" });
}

function filter(text, negated) {
  if (text) change({ q: refine(state.q, text, negated), log: "" });
}

function zoom(from, until) { change({ from: String(from), until: String(until), live: "", log: "" }); }

export function zoomOut() {
  if (state.from || state.until) change({ from: "", until: "" });
  else if (state.range) change({ range: "" });
}

function detail(log) {
  if (state.live && !tail.paused) pause(true);
  return record(log, { onFilter: filter, onOpen: showLog, onTrace: (trace) => change({ view: "trace", trace }) });
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

export const saveFound = (form) => saveAll(form, selection(), statistics.answer, by("summary"));

// What the button above the rows offers.
export function takeFresh() {
  if (!state.live) load(); else if (tail.paused) pause(false); else change({ live: "" });
}

// What was opened while the rows were hidden is brought into sight.
export function showUnseen() {
  if (isUnseen && state.view === "logs" && list.open) { isUnseen = false; list.bring(); }
}

// MARK: Drawing

export function drawControls() {
  const live = by("live");
  live.setAttribute("aria-pressed", String(Boolean(state.live)));
  live.disabled = isStatement();
  live.classList.toggle("paused", Boolean(state.live) && tail.paused);
  live.lastElementChild.textContent = state.live ? (tail.paused ? "Paused" : "Live") : "Live";
  const range = by("range");
  const zoomed = state.from || state.until;
  const options = ranges.map(([value, text]) => h("option", { value, selected: !zoomed && value === state.range }, text));
  if (zoomed) options.unshift(h("option", { value: "zoom", selected: true }, span(state.from, state.until)));
  replace(range, options);
}

function drawSummary(isKnown) {
  const text = by("summary");
  if (!isKnown) { text.textContent = ""; return; }
  const total = overview?.total;
  if (statistics.answer) {
    text.textContent = statistics.summary(total);
    showState(null);
    return;
  }
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
  const isComputed = statistics.answer !== null;
  by("list").hidden = content !== null || isComputed;
  by("statistics").hidden = content !== null || !isComputed;
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

// What the status says of the rows; `before` is how many logs there were then, null if that was not known.
export function noticeStatus(before) {
  loadedLogs ??= status.logs;
  offerNew();
  // Without a status it is not known whether there are logs at all.
  if (before === null && shownPage) drawSummary(shownPage);
  // The first logs end the first run.
  if (before === 0 && status.logs > 0 && !state.live && state.view === "logs" && !problem) load();
}

// Tells that there is more than what was asked for.
function offerNew() {
  if (state.live || problem || state.until || list.length === 0 || loadedLogs === null) return;
  const fresh = by("fresh");
  const more = status.logs - loadedLogs;
  fresh.hidden = more === 0;
  // How many of them match is not known before they are asked for.
  const isPart = state.q || state.project || state.logstore;
  fresh.textContent = `${more < 0 ? "Logs were removed" : isPart ? "New logs came" : plural(more, "new log")} — ask again`;
}

let resting = null;
let isWanted = false;

// At most once in 2 s: an endpoint may answer some questions and not others.
export function comeBack() {
  if (state.live && !problem) return;
  isWanted = resting !== null;
  if (isWanted) return;
  resting = setTimeout(() => { resting = null; if (isWanted && problem) comeBack(); }, 2000);
  load();
}
