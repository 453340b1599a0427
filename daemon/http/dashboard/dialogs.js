// What asks back before it is done. Escape and Cancel do nothing; the focus returns to where it was.

import { $, bdi } from "./dom.js";

function open(dialog) {
  return new Promise((resolve) => {
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
    dialog.showModal();
  });
}

/** Seconds to keep the streamer out for, or null. */
export async function askKick(streamer) {
  const form = $("kick-form");
  form.reset();
  $("kick-title").replaceChildren("Kick ", bdi(streamer), "?");
  $("kick-confirm").textContent = "Kick";
  const answer = await open($("kick"));
  return answer === "kick" ? Number(new FormData(form).get("seconds")) : null;
}

export async function askRemove(streamer) {
  $("remove-title").replaceChildren("Remove ", bdi(streamer), "?");
  return (await open($("remove"))) === "remove";
}
