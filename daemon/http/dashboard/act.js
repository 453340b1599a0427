// Carrying out what somebody asked for, and telling how it went.

import { announce, el, $ } from "./dom.js";
import { sentence } from "./format.js";
import { onDenied, refresh, refreshRest, state } from "./store.js";

/** Milliseconds that a message stays; trouble stays longer. */
const STAYS = 5000;
const TROUBLE_STAYS = 10_000;

let denied = () => {};
onDenied(() => denied());
export const whenDenied = (handler) => {
  denied = handler;
};

export function toast(text, trouble = false) {
  const note = el("p", { class: trouble ? "toast trouble" : "toast", role: trouble ? "alert" : null }, text);
  $("toasts").append(note);
  if (!trouble) announce(text);
  window.setTimeout(() => note.remove(), trouble ? TROUBLE_STAYS : STAYS);
  while ($("toasts").children.length > 3) $("toasts").firstElementChild.remove();
}

/** Whether the button may be pressed. It keeps the focus where it may not, which ``disabled`` would take away. */
export function enable(button, enabled) {
  const off = String(!enabled);
  if (button.getAttribute("aria-disabled") !== off) button.setAttribute("aria-disabled", off);
}

/** Do ``action`` when the button is pressed: once at a time, and only while the daemon is there. */
export function onPress(button, action) {
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") === "true" || button.getAttribute("aria-busy") === "true") return;
    action();
  });
}

export async function act(button, work) {
  if (state.connection === "lost") {
    toast("Failed: there is no connection to the daemon", true);
    return false;
  }
  button?.setAttribute("aria-busy", "true");
  try {
    const answer = await work();
    if (answer?.message) toast(sentence(answer.message));
    return true;
  } catch (error) {
    if (error.status === 401) denied();
    else toast(`Failed: ${error.message}`, true);
    return false;
  } finally {
    button?.removeAttribute("aria-busy");
    refresh();
    refreshRest();
  }
}
