// What the endpoint says of itself: which logstores there are, and whether it answers.

import { get, isConnected } from "./api.js";
import { by, h, replace } from "./dom.js";
import { brief } from "./format.js";
import { state } from "./state.js";
import { disconnected } from "./states.js";

// What it said last; null before.
export let status = null;

// `onStatus` is told how many logs there were before, null if that was not known.
export async function refreshStatus(onStatus) {
  try {
    const before = status?.logs ?? null;
    status = await get("status");
    drawPicker();
    drawConnection();
    onStatus(before);
  } catch (error) {
    if (error.status !== 0) drawConnection();
  }
}

// The logstores that are asked for; a link may name but a part of them, or what is not here.
const chosen = () => status.logstores.filter(({ project, logstore }) => (!state.project || project === state.project) && (!state.logstore || logstore === state.logstore));

// What nothing is here of, in words; null if there is something.
export function unknownPlace() {
  if (chosen().length > 0) return null;
  return [state.logstore && `logstore ${state.logstore}`, state.project && `project ${state.project}`].filter(Boolean).join(" in a ");
}

// What the picker names; null before the endpoint has said what there is.
export function chosenPlace() {
  if (!status) return null;
  const { project, logstore } = state;
  const name = [logstore && `logstore ${logstore}`, project && `project ${project}`].filter(Boolean).join(" in ") || "all logstores";
  return { name, parameters: { project, logstore }, logs: chosen().reduce((sum, { logs }) => sum + logs, 0) };
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

export function drawConnection() {
  const element = by("connection");
  element.className = isConnected() ? "good" : "bad";
  element.textContent = isConnected() ? (status ? `${status.mode === "compatible" ? "compatible · " : ""}${brief(status.logs)} log${status.logs === 1 ? "" : "s"}` : "") : "Disconnected";
  by("banner").hidden = isConnected();
  if (!isConnected()) replace(by("banner"), disconnected());
}
