// What a statement gave: a table, and charts if the result is by time.

import { h, replace, svg } from "./dom.js";
import { clock, count, plural, ticks, visible } from "./format.js";

const maximumRows = 1000;
// The most that limit takes.
const maximumLimit = 10_000;
const maximumCharts = 4;
const maximumSeries = 6;
const height = 96;
const [left, bottom] = [52, 16];
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
const exact = new Intl.NumberFormat("en", { maximumFractionDigits: 3 });
const small = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
// A share or a fraction of a second is more than 0.
const written = (number, format) => (Math.abs(number) < 1 ? small : format).format(number);

export class Statistics {
  constructor(element) {
    this.element = element;
    this.answer = null;
    new ResizeObserver(() => this.drawCharts()).observe(element);
  }

  show(answer) {
    this.answer = answer;
    const { columns, rows } = answer;
    this.charts = h("div", { class: "charts" });
    const shown = rows.slice(0, maximumRows);
    replace(this.element, this.charts,
      h("table", { class: "grid" },
        h("thead", {}, h("tr", {}, columns.map(({ name, kind }) => h("th", { scope: "col", class: kind }, visible(name))))),
        h("tbody", {}, shown.map((row) => h("tr", {}, row.map((value, index) => cell(value, columns[index].kind)))))),
      rows.length > shown.length ? h("p", { class: "note" }, `${count(rows.length - shown.length)} more rows; the terminal shows all: webtracking query '… | select …'`) : null);
    this.element.scrollTop = 0;
    this.drawCharts();
  }

  clear() {
    this.answer = null;
    replace(this.element);
  }

  // In words; `total` is the number of logs, if that is known.
  summary(total) {
    const { rows, more } = this.answer;
    return `${more ? "the first " : ""}${plural(rows.length, "row")}${total === undefined ? "" : ` of ${plural(total, "log")}`}${more && rows.length < maximumLimit ? "; limit shows more" : ""}`;
  }

  drawCharts() {
    if (!this.answer) return;
    const { columns, rows } = this.answer;
    const at = columns.findIndex(({ kind }) => kind === "time");
    const times = new Set(at < 0 ? [] : rows.map((row) => row[at]).filter((time) => time !== null));
    const isByTime = times.size > 1 && this.element.clientWidth > 0;
    const numbers = columns.map(({ kind }, index) => (kind === "number" ? index : -1)).filter((index) => index >= 0).slice(0, maximumCharts);
    replace(this.charts, isByTime ? numbers.map((index) => this.chart(at, index)) : []);
  }

  // A line for each of the most frequent texts of a row, or one.
  chart(at, index) {
    const { columns, rows } = this.answer;
    const texts = columns.map(({ kind }, column) => (kind === "text" ? column : -1)).filter((column) => column >= 0);
    const series = new Map();
    for (const row of rows) {
      if (row[at] === null || typeof row[index] !== "number") continue;
      const name = texts.map((column) => row[column] ?? "–").join(" / ");
      if (!series.has(name)) series.set(name, []);
      series.get(name).push([row[at] * 1_000_000, row[index]]);
    }
    // The same ones in the same colours in each chart: those with the most in the first.
    const size = new Map();
    const first = columns.findIndex(({ kind }) => kind === "number");
    for (const row of rows) {
      const name = texts.map((column) => row[column] ?? "–").join(" / ");
      size.set(name, (size.get(name) ?? 0) + (row[first] ?? 0));
    }
    const shown = [...series].sort(([a], [b]) => size.get(b) - size.get(a)).slice(0, maximumSeries);
    for (const [, points] of shown) points.sort(([a], [b]) => a - b);
    const all = shown.flatMap(([, points]) => points);
    const times = all.map(([time]) => time);
    const [start, end] = [Math.min(...times), Math.max(...times)];
    const top = Math.max(...all.map(([, value]) => value), 0);
    const low = Math.min(...all.map(([, value]) => value), 0);
    const width = Math.max(160, this.element.clientWidth - 34);
    const x = (time) => left + ((time - start) / Math.max(1, end - start)) * (width - left - 10);
    const y = (value) => 6 + (1 - (value - low) / (top - low || 1)) * (height - bottom - 8);
    const axis = height - bottom;
    return h("figure", { class: "chart-by-time" },
      h("figcaption", {}, visible(columns[index].name), texts.length === 0 ? null : shown.map(([name], line) => h("span", { class: `series-${line}` }, visible(name.slice(0, 60)))),
        series.size > shown.length ? h("small", {}, ` and ${count(series.size - shown.length)} more`) : null),
      svg("svg", { width, height, role: "img", "aria-label": `${visible(columns[index].name)} over time` },
        svg("line", { class: "grid", x1: left, x2: width, y1: y(top), y2: y(top) }), svg("line", { class: "axis", x1: left, x2: width, y1: axis, y2: axis }),
        svg("text", { x: left - 6, y: y(top) + 5, "text-anchor": "end" }, written(top, short)), svg("text", { x: left - 6, y: axis, "text-anchor": "end" }, written(low, short)),
        ticks(start, end, (width - left) / 110).map(({ time, text }) => (x(time) > left + 20 && x(time) < width - 36 ? svg("text", { x: x(time), y: height - 3, "text-anchor": "middle" }, text) : null)),
        shown.map(([name, points], line) => svg("g", { class: `series-${line}` },
          svg("polyline", { points: points.map(([time, value]) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`).join(" ") }),
          points.length > 200 ? null : points.map(([time, value]) => svg("circle", { cx: x(time), cy: y(value), r: 2.5 }, svg("title", {}, `${clock(time)}\n${visible(name)} ${written(value, exact)}`)))))));
  }
}

function cell(value, kind) {
  if (value === null) return h("td", { class: `${kind} dim` }, "–");
  if (kind === "time" && typeof value === "number") return h("td", { class: "time" }, clock(value * 1_000_000).slice(0, 19));
  if (typeof value === "number") return h("td", { class: "number" }, written(value, exact));
  return h("td", { class: "text", title: value.length > 200 ? visible(value.slice(0, 2000)) : undefined }, visible(value.slice(0, 200)), value.length > 200 ? "…" : "");
}
