// The last hand-overs with their times.

import { $, bdi, el, icon, keyed, say, svg } from "./dom.js";
import { median, moment, took, when, words } from "./format.js";
import { state } from "./store.js";
import { ACTORS, OUTCOMES, REASONS } from "./wording.js";

const SHOWN = 8;
/** From one frame to fifteen seconds is a long way: the bars grow with the logarithm. */
const SHORTEST = 0.01;
const LONGEST = 15;
const share = (seconds) => {
  const within = Math.min(LONGEST, Math.max(SHORTEST, seconds));
  return 0.06 + (0.94 * Math.log(within / SHORTEST)) / Math.log(LONGEST / SHORTEST);
};

export const reason = (code) => REASONS[code] ?? words(code);
export const outcome = (code) => OUTCOMES[code] ?? words(code);
export const actor = ({ kind, name }) => (name ? `by ${name}` : (ACTORS[kind] ?? `by ${words(kind)}`));

const who = (name) => (name ? bdi(name) : el("span", { class: "nobody" }, "nobody"));
const keyOf = (row) => `${row.at} ${row.input} ${row.outcome}`;

function makeRow(row) {
  const at = moment(row.at);
  const done = row.outcome === "completed";
  const bar = el("span", { class: "took-bar" }, el("span"));
  bar.firstElementChild.style.setProperty("width", `${Math.round(100 * share(row.seconds))}%`);
  return el(
    "tr",
    { "data-done": String(done), title: row.detail || null },
    el("td", { class: "when" }, at === null ? "" : el("time", { datetime: at.toISOString() }, when(at))),
    el(
      "td",
      { class: "pair" },
      el("span", { class: "pair-names" }, who(row.from_streamer), icon("arrow"), el("span", { class: "unseen" }, " to "), who(row.to_streamer)),
      el("span", { class: "why" }, (done ? reason(row.reason) : outcome(row.outcome)) + (row.actor ? `, ${actor(row.actor)}` : "")),
    ),
    el("td", { class: "number" }, bar, el("span", { class: "took" }, took(row.seconds))),
  );
}

function drawSpark(rows) {
  const height = 40;
  const step = 10;
  const width = 24 * step;
  const bars = rows.map((row, index) => {
    const tall = Math.max(2, share(row.seconds) * height);
    const x = width - (index + 1) * step;
    return svg("rect", { x, y: height - tall, width: step - 3, height: tall, class: row.outcome === "completed" ? "done" : "failed" });
  });
  const label = `Seconds of the last ${rows.length} hand-overs, oldest first: ${[...rows].reverse().map((row) => took(row.seconds)).join(", ")}`;
  $("spark").replaceChildren(
    svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, preserveAspectRatio: "none" }, ...bars),
  );
}

let drawn = "";
export function drawHistory() {
  const rows = state.history;
  const key = rows.map(keyOf).join();
  $("history-empty").hidden = rows.length > 0 || state.health === null;
  $("history-table").hidden = rows.length === 0;
  if (key === drawn) return;
  drawn = key;
  const good = rows.filter((row) => row.outcome === "completed").map((row) => row.seconds);
  say($("history-median"), good.length ? `median ${took(median(good))}` : "");
  $("spark").hidden = rows.length < 2;
  drawSpark(rows);
  keyed($("history"), rows.slice(0, SHOWN), keyOf, makeRow, () => {});
}
