// What is found as a file: NDJSON as `webtracking query` prints it, or CSV.

import { get } from "./api.js";
import { plural } from "./format.js";
import { json } from "./record.js";

// More would not fit into a browser's memory with some room left; the terminal prints any number.
const maximumExport = 50_000;

const quoted = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
// To a spreadsheet this is a formula, which could send elsewhere what the other cells hold.
const harmless = (value) => (/^[=+\-@\t\r]/.test(value) && !/^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value) ? `'${value}` : value);
const line = (values) => `${values.map((value) => quoted(value === null || value === undefined ? "" : harmless(String(value)))).join(",")}\r\n`;

const ndjson = (objects) => objects.map((object) => `${JSON.stringify(object)}\n`).join("");

// A column for each member that any of them has.
function csv(objects) {
  const names = [...new Set(objects.flatMap(Object.keys))];
  return line(names) + objects.map((object) => line(names.map((name) => (Object.hasOwn(object, name) ? object[name] : undefined)))).join("");
}

// The rows of statistics as objects; a second column of a name gets another.
function objects({ columns, rows }) {
  const names = [];
  for (const { name } of columns) {
    let free = name;
    while (names.includes(free)) free += "_";
    names.push(free);
  }
  return rows.map((row) => Object.fromEntries(row.map((value, index) => [names[index], columns[index].kind === "time" && value !== null ? new Date(value * 1000).toISOString() : value])));
}

// All logs that match, the newest first, as objects. `onProgress` is told how many there are yet.
async function fetchAll(question, onProgress) {
  const found = [];
  let after;
  do {
    const page = await get("logs", { ...question, limit: 1000, after });
    for (const log of page.logs) found.push(json(log));
    after = page.next ?? undefined;
    onProgress(found.length);
  } while (after && found.length < maximumExport);
  return { found, isAll: !after };
}

function save(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  // The browser has it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// Saves all that a question finds, or what statistics gave; `text` says how far it is.
export async function saveAll(form, question, statistics, text) {
  const before = text.textContent;
  try {
    let found = statistics ? objects(statistics) : null;
    if (!found) {
      const answer = await fetchAll(question, (number) => { text.textContent = `exporting, ${plural(number, "log")} so far …`; });
      found = answer.found;
      text.textContent = answer.isAll ? before : `exported the newest ${plural(found.length, "log")}; webtracking query prints all`;
    }
    const name = `logs-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}`;
    if (form === "csv") save(`${name}.csv`, "text/csv", csv(found));
    else save(`${name}.ndjson`, "application/x-ndjson", ndjson(found));
  } catch (error) {
    text.textContent = `could not be exported: ${error.message}`;
  }
}
