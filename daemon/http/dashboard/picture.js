// The program's picture: a fresh one every other second, while somebody looks and there is something to see.

import { address } from "./api.js";
import { $, say } from "./dom.js";
import { state } from "./store.js";

/** Milliseconds between two pictures; after one that could not be had; and that one may take. */
const EVERY = 2000;
const AFTER_TROUBLE = 3000;
const TIMEOUT = 8000;

let timer = 0;
let shown = "";
let asking = false;

function show(url) {
  const picture = $("picture");
  const before = shown;
  shown = url;
  if (url) picture.src = url;
  picture.hidden = url === "";
  $("picture-none").hidden = url !== "";
  say($("picture-none"), state.status?.obs.connected === false ? "OBS is not connected" : "No picture");
  if (before) URL.revokeObjectURL(before);
}

async function take() {
  const size = document.documentElement.dataset.layout === "wall" ? "large" : "small";
  const response = await fetch(address(`thumbnail?size=${size}`), { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT) });
  if (!response.ok) return false;
  const url = URL.createObjectURL(await response.blob());
  const probe = new Image();
  probe.src = url;
  try {
    await probe.decode(); // shown when it is whole, never in parts
  } catch {
    URL.revokeObjectURL(url);
    return false;
  }
  show(url);
  return true;
}

export async function refreshPicture() {
  window.clearTimeout(timer);
  if (asking) return;
  let pause = EVERY;
  if (state.connection === "connected" && state.status !== null && document.visibilityState === "visible") {
    asking = true;
    try {
      if (!(await take())) {
        show("");
        pause = AFTER_TROUBLE;
      }
    } catch {
      pause = AFTER_TROUBLE; // the connection: the last picture stays, and the page says that it is old
    } finally {
      asking = false;
    }
  }
  window.clearTimeout(timer);
  timer = window.setTimeout(refreshPicture, pause);
}
