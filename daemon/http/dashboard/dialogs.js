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

/** ``{position, seconds}`` with null for what stays as it is, or null. */
export async function askChange(row, first, last) {
  const position = $("change-position");
  const minutes = $("change-minutes");
  const shown = String(Math.round((row.turn / 60) * 100) / 100);
  $("change-title").replaceChildren(bdi(row.streamer));
  position.min = String(first);
  position.max = String(last);
  position.value = String(row.position);
  position.disabled = row.position < first;
  $("change-hint").textContent = position.disabled ? "Has the turn: Skip ends it." : `From ${first} to ${last}; ${first} is next.`;
  minutes.value = shown;
  if ((await open($("change"))) !== "change") return null;
  const place = position.disabled ? row.position : Number(position.value);
  return {
    position: place === row.position ? null : place,
    seconds: minutes.value === shown ? null : Math.max(1, Math.round(Number(minutes.value) * 60)),
  };
}

export async function askRemove(streamer) {
  $("remove-title").replaceChildren("Remove ", bdi(streamer), "?");
  return (await open($("remove"))) === "remove";
}
