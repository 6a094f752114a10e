// New logs as they come. What arrives is handed on once a frame, so that the browser draws no more than it can.

import { path, setConnected } from "./api.js";

const maximumWaiting = 5000;

export class Tail {
  constructor({ onLogs, onSkipped, onWaiting, onRestart }) {
    this.onLogs = onLogs;
    this.onSkipped = onSkipped;
    this.onWaiting = onWaiting;
    this.onRestart = onRestart;
    this.source = null;
    this.waiting = [];
    this.position = null;
    this.paused = false;
  }

  // From behind the log `after`, or from the newest on.
  start(parameters, after) {
    this.stop();
    this.parameters = parameters;
    this.position = after ?? null;
    this.paused = false;
    this.connect();
  }

  stop() {
    this.source?.close();
    this.source = null;
    this.parameters = undefined;
    this.waiting = [];
    clearTimeout(this.retry);
  }

  pause() {
    this.paused = true;
    this.onWaiting(this.waiting.length, this.source === null);
  }

  // Goes on from where it was: with what has waited, and then with what was not fetched.
  resume() {
    if (!this.paused) return;
    this.paused = false;
    this.flush();
    if (this.source === null) this.connect();
  }

  connect() {
    const source = new EventSource(path("tail", { ...this.parameters, after: this.position ?? undefined }));
    this.source = source;
    source.addEventListener("open", () => setConnected(true));
    source.addEventListener("start", (event) => {
      const { position } = JSON.parse(event.data);
      // An endpoint that has fewer logs than were seen began anew.
      if (this.position !== null && position < this.position) { this.onRestart(); return; }
      this.position ??= position;
    });
    source.addEventListener("logs", (event) => {
      const { logs, position } = JSON.parse(event.data);
      this.position = position;
      for (const log of logs) this.waiting.push(log);
      if (this.paused && this.waiting.length > maximumWaiting) {
        // Enough waits; the rest is fetched when the page goes on.
        this.source.close();
        this.source = null;
      }
      if (this.paused) this.onWaiting(this.waiting.length, this.source === null);
      else this.schedule();
    });
    source.addEventListener("skipped", (event) => this.onSkipped(JSON.parse(event.data).count));
    source.addEventListener("error", () => {
      if (this.source !== source) return;
      setConnected(false);
      // The browser tries again by itself, unless the answer was an error.
      if (source.readyState === EventSource.CLOSED) {
        this.retry = setTimeout(() => { if (this.source === source) this.connect(); }, 2000);
      }
    });
  }

  schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => { this.scheduled = false; if (!this.paused) this.flush(); });
  }

  flush() {
    if (this.waiting.length === 0) return;
    const logs = this.waiting;
    this.waiting = [];
    this.onLogs(logs);
  }
}
