// Health at a glance: what has to be well, OBS, and how the stream on air plays.

import { $, el, icon, keyed, say } from "./dom.js";
import { sentence, words } from "./format.js";
import { state } from "./store.js";

/** A score below this is trouble. */
const GOOD = 70;

function rows() {
  const { health, status, stream } = state;
  const found = health.checks.map((check) => ({ name: check.name, ok: check.ok, text: check.detail }));
  const obs = found.find((row) => row.name === "obs");
  if (status?.obs.connected) {
    const { version, source_kind: kind } = status.obs;
    const text = [version, kind].filter(Boolean).join(" · ");
    if (obs === undefined) found.unshift({ name: "obs", ok: true, text });
    else if (obs.ok && !obs.text) obs.text = text;
  } else if (status && obs === undefined) {
    found.unshift({ name: "obs", ok: false, text: "not connected" });
  }
  if (typeof stream?.score === "number") found.push({ name: "stream", ok: stream.score >= GOOD, text: playing(stream) });
  return found;
}

/** "97 of 100 · 3.0 Mbit/s · 30 fps", or what is the matter. */
function playing({ score, issues, ingest, obs }) {
  const parts = [`${Math.floor(score)} of 100`, ...(issues ?? []).map(words)];
  if (parts.length === 1) {
    if (ingest?.bitrate) parts.push(ingest.bitrate < 1000 ? `${Math.round(ingest.bitrate)} kbit/s` : `${(ingest.bitrate / 1000).toFixed(1)} Mbit/s`);
    if (obs?.fps) parts.push(`${Math.round(obs.fps)} fps`);
  }
  return parts.join(" · ");
}

/** What trouble means for the show, for somebody who is woken by it. */
const MEANINGS = {
  obs: "The picture stays as it is. Hand-overs wait until OBS answers.",
  journal: "The show goes on. A restart now would forget what has changed since.",
  keys: "The keys that are known stay in force. Changes of them are not seen.",
  ingest: "The hooks alone are believed. A lost one is not noticed.",
};

function drawChip(bad) {
  const chip = $("health-chip");
  chip.hidden = false;
  if (chip.dataset.bad === String(bad)) return;
  const text = bad ? `${bad} in trouble` : "All well";
  chip.dataset.bad = bad;
  chip.dataset.trouble = bad > 0;
  chip.replaceChildren(icon(bad ? "warn" : "check"), el("span", { class: "chip-word" }, text));
  chip.setAttribute("aria-label", `Health: ${text}`);
}

const title = (name) => sentence(words(name)).replace(/^Obs$/i, "OBS");

export function drawHealth() {
  if (state.health === null) return;
  const found = rows();
  const bad = found.filter((row) => !row.ok).length;
  say($("health-word"), bad === 0 ? "all well" : `${bad} in trouble`);
  $("health-word").dataset.trouble = bad > 0;
  $("health").dataset.trouble = bad > 0;
  drawChip(bad);
  keyed(
    $("checks"),
    found,
    (row) => row.name,
    (row) =>
      el(
        "li",
        { class: "check-row" },
        el("span", { class: "check-icon" }),
        el("span", { class: "check-name" }, title(row.name)),
        el("span", { class: "unseen check-word" }),
        el("span", { class: "check-text" }),
        el("span", { class: "check-means" }),
      ),
    (node, row) => {
      if (node.dataset.ok !== String(row.ok)) {
        node.dataset.ok = row.ok;
        node.querySelector(".check-icon").replaceChildren(icon(row.ok ? "check" : "warn"));
      }
      say(node.querySelector(".check-word"), row.ok ? "well" : "in trouble");
      say(node.querySelector(".check-text"), row.text || (row.ok ? "well" : "in trouble"));
      say(node.querySelector(".check-means"), row.ok ? "" : (MEANINGS[row.name] ?? ""));
    },
  );
}
