// Logs over time, stacked by level; dragging over it selects a range of time.

import { svg, replace, h } from "./dom.js";
import { brief, clock, count, duration, severities, ticks } from "./format.js";

const height = 88;
const bottom = 16;
const left = 40;

export class Histogram {
  constructor(element, onSelect, onReset) {
    this.element = element;
    this.onSelect = onSelect;
    this.onReset = onReset;
    this.overview = null;
    this.cursor = null;
    this.tip = h("div", { class: "tip", hidden: true });
    new ResizeObserver(() => this.draw()).observe(element);
    element.addEventListener("pointerdown", (event) => this.press(event));
    element.addEventListener("pointermove", (event) => this.move(event));
    element.addEventListener("pointerup", (event) => this.release(event));
    element.addEventListener("pointercancel", () => { this.drag = null; this.draw(); });
    element.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    element.addEventListener("keydown", (event) => this.key(event));
  }

  show(overview) {
    this.overview = overview;
    if (!this.drag) this.draw();
  }

  get width() { return Math.max(200, this.element.clientWidth); }

  bucketAt(x) {
    const buckets = this.overview.buckets.length;
    const share = (x - left) / (this.width - left);
    return Math.max(0, Math.min(buckets - 1, Math.floor(share * buckets)));
  }

  draw() {
    const { overview, width } = this;
    if (!overview || overview.buckets.length === 0) {
      replace(this.element, svg("svg", { width, height }, svg("line", { class: "axis", x1: left, x2: width, y1: height - bottom, y2: height - bottom })));
      return;
    }
    const { buckets, start, step } = overview;
    const totals = buckets.map((bucket) => bucket.reduce((sum, value) => sum + value, 0));
    const top = Math.max(1, ...totals);
    const room = height - bottom - 6;
    const wide = (width - left) / buckets.length;
    const bars = svg("g");
    buckets.forEach((bucket, index) => {
      if (totals[index] === 0) return;
      // However rare, a level can be seen: the worst ones are drawn from below, and no bar is under two pixels.
      let y = height - bottom;
      for (let level = severities.length - 1; level >= 0; level -= 1) {
        if (bucket[level] === 0) continue;
        const tall = Math.max(level >= 5 ? 2 : 0.5, (bucket[level] / top) * room);
        y -= tall;
        bars.append(svg("rect", {
          class: `level-${severities[level]}`, x: left + index * wide + 0.5, y: Math.max(0, y),
          width: Math.max(1, wide - (wide > 4 ? 1 : 0)), height: tall,
        }));
      }
    });
    const labels = svg("g", { class: "labels" });
    for (const { time, text } of ticks(start, start + buckets.length * step, (width - left) / 100)) {
      const x = left + ((time - start) / step) * wide;
      labels.append(svg("line", { class: "tick", x1: x, x2: x, y1: height - bottom, y2: height - bottom + 3 }));
      // Not over the ends.
      if (x > left + 30 && x < width - 40) labels.append(svg("text", { x, y: height - 2, "text-anchor": "middle" }, text));
    }
    labels.append(svg("text", { x: left - 5, y: 12, "text-anchor": "end" }, brief(top)));
    labels.append(svg("text", { x: left - 5, y: height - bottom, "text-anchor": "end" }, "0"));
    const marks = svg("g");
    const range = this.drag ? [this.drag.from, this.drag.to] : this.cursor;
    if (range) {
      const [from, to] = [Math.min(...range), Math.max(...range)];
      marks.append(svg("rect", { class: "selected", x: left + from * wide, y: 0, width: (to - from + 1) * wide, height: height - bottom }));
    }
    replace(
      this.element,
      svg("svg", { width, height, role: "img", "aria-label": `${count(overview.total)} logs in steps of ${duration(step)}` },
        svg("line", { class: "grid", x1: left, x2: width, y1: 6, y2: 6 }), bars,
        svg("line", { class: "axis", x1: left, x2: width, y1: height - bottom, y2: height - bottom }), labels, marks),
      this.tip,
    );
  }

  press(event) {
    if (!this.overview || this.overview.buckets.length === 0 || event.button !== 0) return;
    const bucket = this.bucketAt(this.x(event));
    this.drag = { from: bucket, to: bucket, x: event.clientX };
    this.element.setPointerCapture(event.pointerId);
    this.draw();
  }

  move(event) {
    if (!this.overview || this.overview.buckets.length === 0) return;
    const bucket = this.bucketAt(this.x(event));
    if (this.drag && this.drag.to !== bucket) {
      this.drag.to = bucket;
      this.draw();
    }
    this.point(bucket, this.x(event));
  }

  release(event) {
    if (!this.drag) return;
    const { from, to, x } = this.drag;
    this.drag = null;
    this.element.releasePointerCapture?.(event.pointerId);
    // A click is no drag. The second of two zooms out; told here, since what was pressed is drawn anew meanwhile.
    if (Math.abs(event.clientX - x) < 4) {
      const isSecond = event.timeStamp - (this.clicked ?? -Infinity) < 500;
      this.clicked = isSecond ? undefined : event.timeStamp;
      this.draw();
      if (isSecond) this.onReset();
    } else this.select(Math.min(from, to), Math.max(from, to));
  }

  select(from, to) {
    const { start, step, buckets } = this.overview;
    this.cursor = null;
    this.draw();
    // One bucket that is all there is cannot be zoomed into.
    if (buckets.length > 1 || step > 1000) this.onSelect(start + from * step, start + (to + 1) * step);
  }

  x(event) { return event.clientX - this.element.getBoundingClientRect().left; }

  // Says what is in a bucket.
  point(index, x) {
    const { buckets, start, step } = this.overview;
    const bucket = buckets[index];
    const rows = severities
      .map((name, level) => [name, bucket[level]])
      .filter(([, number]) => number > 0)
      .reverse()
      .map(([name, number]) => h("div", {}, h("i", { class: `swatch level-${name}` }), `${name === "none" ? "no level" : name} `, h("b", {}, count(number))));
    replace(this.tip, h("div", { class: "when" }, `${clock(start + index * step)} + ${duration(step)}`), rows.length ? rows : "no logs");
    this.tip.hidden = false;
    const space = this.width - 190;
    this.tip.style.left = `${Math.min(Math.max(0, x + 12), Math.max(0, space))}px`;
  }

  key(event) {
    if (!this.overview || this.overview.buckets.length === 0) return;
    const last = this.overview.buckets.length - 1;
    const current = this.cursor ?? [last, last];
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) {
      const end = Math.max(0, Math.min(last, current[1] + (this.cursor ? step : 0)));
      this.cursor = event.shiftKey ? [current[0], end] : [end, end];
      this.draw();
      this.point(end, left + (end * (this.width - left)) / (last + 1));
    } else if (event.key === "Enter" && this.cursor) {
      this.select(Math.min(...this.cursor), Math.max(...this.cursor));
    } else if (event.key === "Escape") {
      if (this.cursor) { this.cursor = null; this.tip.hidden = true; this.draw(); } else this.onReset();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
