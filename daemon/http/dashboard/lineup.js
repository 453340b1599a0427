// The line-up with its actions, and who is blocked.

import { act, enable, onPress } from "./act.js";
import { actions } from "./api.js";
import { askChange, askKick, askRemove } from "./dialogs.js";
import { $, bdi, el, icon, keyed, say } from "./dom.js";
import { clock, moment } from "./format.js";
import { describe } from "./log.js";
import { drawProbe, makeProbe } from "./probe.js";
import { age, state } from "./store.js";

function tool(name, label, action) {
  const button = el("button", { type: "button", class: `tool tool-${name}`, "aria-label": label, title: label }, icon(name));
  onPress(button, () => action(button));
  return button;
}

function makeRow({ streamer }) {
  const position = () => state.queue.findIndex((row) => row.streamer === streamer);
  const move = (by) => (button) => act(button, () => actions.move(streamer, position() + by));
  return el(
    "li",
    { class: "row" },
    el("span", { class: "row-position" }),
    el("div", { class: "row-text" }, el("p", { class: "row-name", title: streamer }, bdi(streamer)), el("p", { class: "row-state" })),
    makeProbe(),
    el(
      "div",
      { class: "row-tools", role: "group", "aria-label": `Actions for ${streamer}` },
      tool("up", `Move ${streamer} up`, move(-1)),
      tool("down", `Move ${streamer} down`, move(1)),
      tool("take", `Put ${streamer} on air now`, (button) => act(button, () => actions.take(streamer))),
      tool("change", `Change the place or turn of ${streamer}…`, (button) => change(button, streamer)),
      tool("kick", `Kick ${streamer}…`, async (button) => {
        const seconds = await askKick(streamer);
        if (seconds !== null) await act(button, () => actions.kick(streamer, seconds));
      }),
      tool("remove", `Remove ${streamer} from the line-up…`, async (button) => {
        if (await askRemove(streamer)) await act(button, () => actions.remove(streamer));
      }),
    ),
  );
}

/** One of a hundred gets to any place in one go, and a turn of its own. */
async function change(button, streamer) {
  const row = state.queue.find((found) => found.streamer === streamer);
  if (row === undefined) return;
  const asked = await askChange(row, firstPlace(), state.queue.length - 1);
  if (asked === null) return;
  if (asked.seconds !== null && !(await act(button, () => actions.turnOf(streamer, asked.seconds)))) return;
  if (asked.position !== null) await act(button, () => actions.move(streamer, asked.position));
}

/** The holder's own place is changed by skip alone. */
const firstPlace = () => (state.queue[0]?.has_turn ? 1 : 0);

function updateRow(node, row) {
  const { on_air: onAir, standby } = state.status;
  const place = row.position;
  const isOnAir = onAir?.streamer === row.streamer;
  node.dataset.onair = isOnAir;
  node.dataset.trouble = row.stalled || !row.publishing || (row.problem !== null && !isOnAir);
  say(node.querySelector(".row-position"), String(place)); // as in the API and the command line: 1 is next
  say(node.querySelector(".row-state"), stateOf(row, isOnAir, standby));
  drawProbe(node.querySelector(".probe"), row.streamer, row.probe);
  const first = firstPlace();
  const connected = state.connection === "connected";
  enable(node.querySelector(".tool-up"), connected && place > first);
  enable(node.querySelector(".tool-down"), connected && place >= first && place < state.queue.length - 1);
  enable(node.querySelector(".tool-take"), connected && !isOnAir && row.publishing);
  enable(node.querySelector(".tool-change"), connected);
  enable(node.querySelector(".tool-kick"), connected);
  enable(node.querySelector(".tool-remove"), connected);
}

/** The sentence that the terminal has for it, too; how long somebody waits is said here alone. */
function stateOf(row, isOnAir, standby) {
  const since = moment(row.since);
  const seconds = since === null ? 0 : (Date.now() - since) / 1000;
  const isNext = standby?.streamer === row.streamer;
  const { parts } = describe("place", {
    ...row,
    on_air: isOnAir,
    standby: isNext ? (standby.ready ? "ready" : "buffering") : "",
    problem: row.problem?.message ?? "",
    keeps: row.has_turn ? "turn" : "place",
    grace_remaining: row.grace_remaining === null ? 0 : Math.max(0, row.grace_remaining - age()),
    waited: seconds < 120 ? 0 : seconds,
    turn: state.settings !== null && row.turn !== state.settings.turn ? row.turn : 0,
  });
  return parts.join("");
}

function makeBlocked({ streamer }) {
  return el(
    "li",
    { class: "row" },
    el("div", { class: "row-text" }, el("p", { class: "row-name", title: streamer }, bdi(streamer)), el("p", { class: "row-state" })),
    el("div", { class: "row-tools" }, unblock(streamer)),
  );
}

function unblock(streamer) {
  const button = el("button", { type: "button", "aria-label": `Unblock ${streamer}` }, "Unblock");
  onPress(button, () => act(button, () => actions.unblock(streamer)));
  return button;
}

export function drawLineup() {
  if (state.status === null) return;
  const { queue, blocked } = state;
  keyed($("lineup"), queue, (row) => row.streamer, makeRow, updateRow);
  say($("lineup-count"), queue.length ? String(queue.length) : "");
  $("lineup-empty").hidden = queue.length > 0;
  $("blocked-box").hidden = blocked.length === 0;
  keyed($("blocked"), blocked, (row) => row.streamer, makeBlocked, (node, row) => {
    say(node.querySelector(".row-state"), `${clock(Math.max(0, row.seconds - age()))} left`);
    enable(node.querySelector("button"), state.connection === "connected");
  });
}
