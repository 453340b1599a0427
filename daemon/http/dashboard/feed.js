// The daemon's event stream, read with fetch: unlike EventSource it tells a refusal from a loss, sees the heartbeat,
// and comes back by itself after either.

import { address } from "./api.js";

/** Milliseconds without a byte after which the connection counts as lost; the heartbeat comes every 15 s. */
const SILENCE = 40_000;
/** Milliseconds between two tries, growing from the first to the longest. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 5000;

export class Feed {
  #handlers;
  #lastId = "";
  #run = 0; // of the loop that counts; 0 is none
  #runs = 0;
  #wake = () => {};
  #abort = null;

  /** ``onOpen(resumed)``, ``onEvent(kind, data)``, ``onLost()``, ``onDenied()``. */
  constructor(handlers) {
    this.#handlers = handlers;
  }

  start() {
    if (this.#run !== 0) return;
    this.#run = ++this.#runs;
    this.#loop(this.#run);
  }

  stop() {
    this.#run = 0;
    this.#abort?.abort();
    this.#wake();
  }

  /** Try again at once. */
  retry() {
    this.#wake();
  }

  async #loop(run) {
    let pause = FIRST_PAUSE;
    while (this.#run === run) {
      const began = await this.#listen();
      if (this.#run !== run) return;
      this.#handlers.onLost();
      pause = began ? FIRST_PAUSE : Math.min(LONGEST_PAUSE, pause * 1.7);
      await new Promise((resolve) => {
        this.#wake = resolve;
        window.setTimeout(resolve, pause * (0.75 + Math.random() / 2));
      });
    }
  }

  /** Listen until it ends; whether it ever began. */
  async #listen() {
    const abort = new AbortController();
    this.#abort = abort;
    let silence = 0;
    const alive = () => {
      window.clearTimeout(silence);
      silence = window.setTimeout(() => abort.abort(), SILENCE);
    };
    let began = false;
    try {
      alive();
      const headers = { Accept: "text/event-stream" };
      if (this.#lastId) headers["Last-Event-ID"] = this.#lastId;
      const response = await fetch(address("events"), { headers, cache: "no-store", signal: abort.signal });
      if (response.status === 401) {
        this.#run = 0;
        this.#handlers.onDenied();
        return false;
      }
      if (!response.ok || response.body === null) return false;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return began;
        alive();
        const frames = (rest + value).split("\n\n");
        rest = frames.pop();
        for (const frame of frames) began = this.#take(frame) || began;
      }
    } catch {
      return began; // the network, the silence, or stop()
    } finally {
      window.clearTimeout(silence);
    }
  }

  #take(frame) {
    const fields = {};
    for (const line of frame.split("\n")) {
      const colon = line.indexOf(":");
      if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
    }
    if (fields.event === undefined) return false;
    if (fields.id !== undefined) this.#lastId = fields.id;
    let data = {};
    try {
      data = JSON.parse(fields.data ?? "{}");
    } catch {
      return false;
    }
    if (fields.event === "hello") this.#handlers.onOpen(data.resumed === true);
    else this.#handlers.onEvent(fields.event, data);
    return true;
  }
}
