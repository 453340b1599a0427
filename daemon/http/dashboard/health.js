// Health at a glance, the worst first: what has to be well, OBS, and how the stream on air plays.
//
// Three levels: "well" has a tick and nothing else has; "notice" is what costs points or is about to; "trouble" is what
// somebody has to see to.

import { $, el, icon, keyed, say } from "./dom.js";
import { sentence, typographic, words } from "./format.js";
import { state } from "./store.js";
import { CHECKS, ISSUES, TROUBLE_BELOW } from "./wording.js";

/** A score below this is not well, and one below TROUBLE_BELOW is trouble. */
const WELL = 90;

const RANK = { trouble: 0, notice: 1, well: 2 };
const ICON = { trouble: "warn", notice: "notice", well: "check" };
const WORD = { trouble: "problem", notice: "warning", well: "OK" };

const level = (ok) => (ok ? "well" : "trouble");

function rows() {
  const { health, status, stream } = state;
  const found = health.checks.map((check) => ({ name: check.name, level: level(check.ok), text: check.detail }));
  const obs = found.find((row) => row.name === "obs");
  if (status?.obs.connected) {
    const { version, source_kind: kind } = status.obs;
    const text = [version, kind].filter(Boolean).join(" · ");
    if (obs === undefined) found.unshift({ name: "obs", level: "well", text });
    else if (obs.level === "well" && !obs.text) obs.text = text;
  } else if (status && obs === undefined) {
    found.unshift({ name: "obs", level: "trouble", text: "not connected" });
  }
  if (typeof stream?.score === "number" || stream?.monitoring_active === false) found.push(streamRow(stream));
  // The sort is stable: what is alike keeps its place.
  return found.sort((a, b) => RANK[a.level] - RANK[b.level]);
}

/** Issues that cost nothing: that nobody is on air is a fault only where somebody publishes. */
const costing = ({ score, issues }) => (issues ?? []).filter((issue) => issue !== "nobody_on_air" || score < 100);

function streamRow(stream) {
  if (typeof stream.score !== "number") return { name: "stream", level: "notice", text: "not measured" };
  const amiss = costing(stream);
  const worse = stream.score < WELL || amiss.length > 0 ? "notice" : "well";
  const means = amiss.map((issue) => ISSUES[issue]).find(Boolean) ?? "";
  return { name: "stream", level: stream.score < TROUBLE_BELOW ? "trouble" : worse, text: playing(stream), means };
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

function drawChip(worst, text) {
  const chip = $("health-chip");
  chip.hidden = false;
  if (chip.getAttribute("aria-label") === `Health: ${text}`) return;
  chip.dataset.level = worst;
  chip.replaceChildren(icon(ICON[worst]), el("span", { class: "chip-word" }, text));
  chip.setAttribute("aria-label", `Health: ${text}`);
}

const title = (name) => sentence(words(name)).replace(/^Obs$/i, "OBS");

export function drawHealth() {
  if (state.health === null) return;
  const found = rows();
  const worst = found.length ? found[0].level : "well";
  const count = found.filter((row) => row.level === worst).length;
  const text = worst === "well" ? "all OK" : `${count} ${WORD[worst]}${count === 1 ? "" : "s"}`;
  say($("health-word"), text);
  $("health-word").dataset.level = worst;
  $("health").dataset.trouble = worst === "trouble";
  drawChip(worst, sentence(text));
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
      if (node.dataset.level !== row.level) {
        node.dataset.level = row.level;
        node.querySelector(".check-icon").replaceChildren(icon(ICON[row.level]));
      }
      say(node.querySelector(".check-word"), WORD[row.level]);
      say(node.querySelector(".check-text"), row.text || WORD[row.level]);
      say(node.querySelector(".check-means"), row.level === "well" ? "" : typographic(row.means ?? CHECKS[row.name] ?? ""));
    },
  );
}
