// All channels of the shared store, as GET /fleet tells them: those that need somebody come first.

import { ApiError, get } from "./api.js";
import { $, bdi, el } from "./dom.js";
import { CHECKS } from "./wording.js";

/** Milliseconds between two looks. */
const EVERY = 2000;

const isWell = (row) => row.owner !== null && row.problems.length === 0;
const inOrder = (one, other) => isWell(one) - isWell(other) || one.channel.localeCompare(other.channel);

const line = (what, ...said) => [el("dt", null, what), el("dd", null, ...said)];
const amiss = (what, text) => [el("dt", null, what), el("dd", { "data-level": "trouble" }, text)];

function heirs(row) {
  if (row.heirs.length === 0) return line("Heir", "none");
  return row.heirs.flatMap((heir) =>
    heir.sees_obs ? line("Heir", bdi(heir.name)) : amiss("Heir", `${heir.name} does not reach OBS`),
  );
}

function card(row) {
  const owner = row.owner;
  const title = owner === null ? bdi(row.channel) : el("a", { href: `${owner.address}/` }, bdi(row.channel));
  const facts = [
    ...(owner === null ? amiss("Owner", "Nobody: start a daemon of this channel") : line("Owner", bdi(owner.name))),
    ...heirs(row),
    ...row.problems.filter((name) => name in CHECKS).flatMap((name) => amiss("Problem", `${name}: ${CHECKS[name]}`)),
    ...(row.lag > 0 ? amiss("Store", `${row.lag} events behind`) : []),
  ];
  return el(
    "section",
    { class: "panel", "data-level": isWell(row) ? "well" : "trouble" },
    el("h2", null, title, el("span", { class: "state" }, row.state.toLowerCase())),
    el("p", { class: row.on_air === null ? "now nobody" : "now" }, row.on_air === null ? "Nobody on air" : bdi(row.on_air)),
    el("p", { class: "then" }, ...(row.next === null ? ["Nobody is next"] : ["Next: ", bdi(row.next)])),
    el("dl", null, ...facts),
  );
}

function show(channels) {
  const ill = channels.filter((row) => !isWell(row)).length;
  $("summary").textContent = `${channels.length} ${channels.length === 1 ? "channel" : "channels"}, ${ill || "none"} in trouble`;
  $("summary").dataset.level = ill ? "trouble" : "well";
  $("fleet").replaceChildren(...[...channels].sort(inOrder).map(card));
}

function tell(error) {
  $("trouble").hidden = error === null;
  if (error === null) return;
  const text = error.status === 401 ? ["Sign in first: ", el("a", { href: "../" }, "the dashboard asks for the token")] : [error.message];
  $("trouble-text").replaceChildren(...text);
}

async function look() {
  try {
    show((await get("../fleet")).channels);
    tell(null);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    tell(error);
  } finally {
    setTimeout(look, EVERY);
  }
}

await look();
