// How long a turn is, and whether the last one on air may come straight back.

import { act, enable } from "./act.js";
import { actions } from "./api.js";
import { $ } from "./dom.js";
import { state } from "./store.js";

const minutes = (seconds) => String(Math.round((seconds / 60) * 100) / 100);

export function setUpSettings() {
  const field = $("turn-minutes");
  for (const kind of ["input", "change"]) field.addEventListener(kind, () => (field.dataset.touched = "true"));
  $("turn-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const seconds = Math.max(1, Math.round(Number(field.value) * 60));
    const done = await act($("turn-form").querySelector("button"), () => actions.turn(seconds, $("turn-restart").checked));
    if (done) {
      delete field.dataset.touched;
      $("turn-restart").checked = false;
    }
  });
  $("block-last").addEventListener("click", (event) => {
    event.preventDefault(); // it shows what the daemon says, once it has said so
    if ($("block-last").getAttribute("aria-disabled") !== "true") act($("block-last"), actions.toggleBlock);
  });
}

export function drawSettings() {
  const { settings, connection } = state;
  enable($("block-last"), connection === "connected");
  enable($("turn-form").querySelector("button"), connection === "connected");
  if (settings === null) return;
  const field = $("turn-minutes");
  // What somebody is typing is not taken away.
  if (field.dataset.touched === undefined) field.value = minutes(settings.turn);
  $("block-last").checked = settings.blockLast;
}
