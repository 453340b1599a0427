// What is known of the daemon, and the fetching of it. The views draw from ``state``; they never fetch by themselves.

import { ApiError, get } from "./api.js";

/** Milliseconds between two readings of the same: a hand-over's events come in a burst. */
const SPACING = 120;

export const state = {
  connection: "connecting", // the page's own link: connecting, connected, lost
  seenAt: null, // Date of the last good reading
  account: { required: false, signedIn: true },
  status: null,
  readAt: 0, // performance.now() of that status: its seconds count from there
  queue: [],
  blocked: [],
  history: [],
  settings: null, // {turn, blockLast}
  health: null, // {ready, checks: [{name, ok, detail}]}
  stream: null, // /stream-health/current
  table: null, // /states
  log: [],
};

const listeners = new Set();
let drawing = false;

export const subscribe = (listener) => listeners.add(listener);

export function update(changes) {
  Object.assign(state, changes);
  if (drawing) return;
  drawing = true;
  // Not an animation frame: a page that is not looked at would keep its title from last time.
  queueMicrotask(() => {
    drawing = false;
    for (const listener of listeners) listener(state);
  });
}

/** Seconds since the status was read; they stand still while the connection is lost. */
let stoppedAt = null;
export function age() {
  if (state.connection === "connected") stoppedAt = null;
  else stoppedAt ??= performance.now();
  return Math.max(0, ((stoppedAt ?? performance.now()) - state.readAt) / 1000);
}

async function readStatus() {
  const [status, lineup] = await Promise.all([get("status"), get("queue")]);
  update({ status, readAt: performance.now(), seenAt: new Date(), queue: lineup.queue, blocked: lineup.blocked ?? [] });
}

async function readRest() {
  const [health, history, times, block, stream] = await Promise.all([
    get("readyz", { also: [503] }),
    optional("history?count=24"),
    optional("time-settings"),
    optional("block-toggle"),
    optional("stream-health/current"),
  ]);
  update({
    health: { ready: health.ready, checks: Object.entries(health.checks ?? {}).map(([name, check]) => ({ name, ...check })) },
    history: history?.history ?? [],
    settings: times && { turn: times.swap_interval, blockLast: block?.is_blocked ?? false },
    stream,
  });
}

const absent = new Set();

/** What the page can do without: null where the daemon does not have it, and then it is not asked for again. */
async function optional(path) {
  if (absent.has(path)) return null;
  try {
    return await get(path);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === 401 || error.status === 0) throw error;
    if (error.status === 404) absent.add(path);
    return null;
  }
}

export async function readTable() {
  if (state.table === null) update({ table: await optional("states") });
}

/** Make a reader that runs once at a time, and once more where it was asked for meanwhile. */
function coalesced(read, onError) {
  let running = false;
  let again = false;
  return async () => {
    again = true;
    if (running) return;
    running = true;
    try {
      while (again) {
        again = false;
        await read();
        await new Promise((resolve) => window.setTimeout(resolve, SPACING));
      }
    } catch (error) {
      onError(error);
    } finally {
      running = false;
    }
  };
}

let denied = () => {};
export const onDenied = (handler) => {
  denied = handler;
};

function failed(error) {
  if (error instanceof ApiError && error.status === 401) denied();
  else if (!(error instanceof ApiError)) console.error(error);
  // Else the feed notices the loss, and everything is read again when it is back.
}

export const refresh = coalesced(readStatus, failed);
export const refreshRest = coalesced(readRest, failed);
