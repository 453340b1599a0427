// What is on air, with its clock and its turn, and what stands by.

import { act, enable, onPress } from "./act.js";
import { actions } from "./api.js";
import { $, bdi, icon, say } from "./dom.js";
import { clock, span } from "./format.js";
import { drawProbe, makeProbe } from "./probe.js";
import { age, state } from "./store.js";
import { STANDBY_OFF } from "./wording.js";

/** Seconds by which the buttons change a turn, and the shortest that they make it. */
const STEP = 300;
const SHORTEST = 60;

const holder = () => state.queue[0];
const rowOf = (name) => state.queue.find((row) => row.streamer === name);
const waiting = () => state.queue.filter((row) => row.publishing && row.streamer !== state.status?.on_air?.streamer);

export function setUpOnAir() {
  $("skip").append(icon("skip"), "Skip");
  onPress($("skip"), () => act($("skip"), actions.skip));
  onPress($("hold"), () => act($("hold"), state.status?.held ? actions.release : actions.hold));
  onPress($("extend"), () => changeTurn($("extend"), STEP));
  onPress($("shorten"), () => changeTurn($("shorten"), -STEP));
  for (const id of ["onair-probe", "standby-probe"]) $(id).append(...makeProbe().children);
}

function changeTurn(button, seconds) {
  const name = state.status?.on_air?.streamer;
  const row = name === undefined ? undefined : rowOf(name);
  if (row) act(button, () => actions.turnOf(name, Math.max(SHORTEST, Math.round(row.turn + seconds))));
}

export function drawOnAir() {
  const { status } = state;
  if (status === null) return;
  const { on_air: onAir, held } = status;
  const row = onAir && rowOf(onAir.streamer);

  $("onair").dataset.onair = onAir !== null;
  const { program } = status;
  const hidden = program?.shown === false && Boolean(program.input);
  say($("onair-title"), hidden ? "On air, not seen" : onAir || (program?.input && !program.blank) ? "On air" : "Off air");
  drawName($("onair-name"), onAir?.streamer, program?.input && !program.blank ? `Unknown streamer in ${program.input}` : "Nobody is on air");

  $("held-tag").hidden = !held;
  $("held-tag").title = "No turn ends by the clock";
  const button = $("hold");
  if (button.dataset.held !== String(held)) {
    button.dataset.held = held;
    button.setAttribute("aria-pressed", held);
    button.replaceChildren(icon(held ? "release" : "hold"), held ? "Release" : "Hold");
    button.title = held ? "Let turns end by the clock again" : "Let no turn end by the clock";
  }
  const connected = state.connection === "connected";
  enable(button, connected);
  enable($("skip"), connected && (onAir !== null || Boolean(program?.blank)) && waiting().length > 0);
  $("skip").title = waiting().length > 0 ? "End this turn now" : "Nobody is waiting";
  enable($("extend"), connected && Boolean(row?.has_turn)); // who only fills in has no turn yet
  enable($("shorten"), connected && Boolean(row?.has_turn) && row.turn - onAir.seconds - age() > STEP);

  drawProbe($("onair-probe"), onAir?.streamer, row?.probe);
  drawStandby();
  tickOnAir();
}

function drawName(node, name, otherwise) {
  const drawn = name ?? `(${otherwise})`;
  if (node.dataset.drawn === drawn) return;
  node.dataset.drawn = drawn;
  node.classList.toggle("nobody", name === undefined);
  node.title = name ?? "";
  node.replaceChildren(name === undefined ? otherwise : bdi(name));
}

function drawStandby() {
  const { standby, standby_off: off, on_air: onAir } = state.status;
  const next = waiting()[0];
  const box = $("standby");
  box.dataset.standby = standby === null ? "none" : standby.ready ? "ready" : "buffering";
  drawName($("standby-name"), standby?.streamer ?? next?.streamer, "Nobody is waiting");
  $("buffering").hidden = standby === null || standby.ready;
  let text = onAir ? "Whoever is on air stays until somebody joins" : "The first to publish goes on air";
  if (standby?.ready) text = `Ready: the change takes one frame · ${standby.input}`;
  else if (standby) text = `Buffering · ${standby.input}`;
  else if (next) text = off ? `Next; standby ${STANDBY_OFF[off.reason] ?? off.reason}` : "Next, not ready yet";
  say($("standby-state"), text);
  const name = standby?.streamer ?? next?.streamer;
  drawProbe($("standby-probe"), name, name === undefined ? undefined : rowOf(name)?.probe);
}

/** Once a second: what changes with the clock alone. */
export function tickOnAir() {
  const { status } = state;
  if (status === null) return;
  const { on_air: onAir, held } = status;
  $("turn").hidden = onAir === null;
  if (onAir === null) {
    if (status.program?.blank) say($("onair-sub"), "Its picture was lost: OBS shows nothing");
    else say($("onair-sub"), state.queue.length ? "The next streamer is being prepared" : "Waiting for somebody to publish");
    return;
  }
  const hidden = status.program?.shown === false;
  const seen = hidden ? `Viewers see the scene ${status.program.scene}` : `On air for ${clock(onAir.seconds + age())}`;
  say($("onair-sub"), `${seen} · ${onAir.input}`);
  const row = rowOf(onAir.streamer);
  if (onAir.remaining === null) {
    const absent = holder();
    const forWhom = absent && absent.streamer !== onAir.streamer ? `for ${absent.streamer}` : "until the next turn";
    drawTurn(null, "Filling in", forWhom);
    return;
  }
  const left = Math.max(0, onAir.remaining - age());
  const length = row?.turn ?? 0;
  const share = length > 0 ? Math.min(1, left / length) : 0;
  if (held) drawTurn(share, clock(left), "left, held");
  else if (left <= 0 && waiting().length === 0) drawTurn(0, "Over", "stays on air until somebody waits");
  else drawTurn(share, clock(left), length ? `left of ${span(length)}` : "left");
}

function drawTurn(share, big, label) {
  $("turn").dataset.turn = share === null ? "none" : share < 0.1 ? "short" : "long";
  $("ring").style.setProperty("stroke-dashoffset", String(100 - 100 * (share ?? 0)));
  say($("turn-clock"), big);
  say($("turn-label"), label);
}
