// The dashboard: starts the parts, and brings events to them.

import { whenDenied } from "./act.js";
import { $, announce, el, icon, say } from "./dom.js";
import { drawMachine, setStep, setUpMachine } from "./diagram.js";
import { Feed } from "./feed.js";
import { sentence, timeOfDay } from "./format.js";
import { drawHealth } from "./health.js";
import { drawHistory } from "./history.js";
import { drawLineup } from "./lineup.js";
import { drawLog, record, recordHistory } from "./log.js";
import { drawOnAir, setUpOnAir, tickOnAir } from "./onair.js";
import { refreshPicture } from "./picture.js";
import { drawSettings, setUpSettings } from "./settings.js";
import { checkAccount, setUpSignIn, showSignIn } from "./signin.js";
import { readTable, refresh, refreshRest, state, subscribe, update } from "./store.js";

/** Milliseconds between two readings without an event: health and other people's settings make none. */
const EVERY = 5000;
/** The same while a probe measures: meters move. */
const METERED = 1000;
/** Milliseconds that a page which nobody looks at goes on listening. */
const HIDDEN_FOR = 60_000;

const page = window.motherstream;

// --- the connection ------------------------------------------------------------------------------------------

let everConnected = false;

const feed = new Feed({
  async onOpen() {
    const back = everConnected && state.connection === "lost";
    everConnected = true;
    update({ connection: "connected" });
    if (back) announce("The connection to the daemon is back");
    await Promise.all([refresh(), refreshRest(), readTable()]);
    if (state.log.length === 0) recordHistory(state.history);
    refreshPicture();
  },
  onEvent(kind, data) {
    record(kind, data);
    if (kind === "state_changed") {
      setStep(data.source, data.dest);
      if ([data.source, data.dest].includes("RECOVERING")) {
        refreshPicture();
        refreshRest();
      }
    }
    if (kind === "on_air_changed") {
      announce(data.streamer ? `${data.streamer} is on air` : "Nobody is on air");
      refreshPicture();
    }
    refresh();
    if (kind !== "state_changed") refreshRest();
  },
  onLost() {
    if (state.connection !== "lost") update({ connection: "lost" });
  },
  onDenied: signInAgain,
});

function signInAgain() {
  feed.stop();
  update({ connection: "connecting", account: { required: true, signedIn: false } });
  showSignIn();
}

async function begin() {
  try {
    if (!(await checkAccount())) {
      showSignIn();
      return;
    }
    $("main").hidden = false;
  } catch {
    // The daemon has gone since it sent the page: the feed says so, and finds it again.
    $("main").hidden = false;
  }
  feed.start();
}

// --- drawing -------------------------------------------------------------------------------------------------

/** The page's own link to the daemon: whether anybody is on air is said elsewhere. */
const CONNECTIONS = { connecting: "Connecting", connected: "Connected", lost: "Retrying" };

function drawFrame() {
  const { connection, status, seenAt, account } = state;
  $("connection").dataset.connection = connection;
  say($("connection-text"), CONNECTIONS[connection]);
  const lost = connection === "lost";
  document.body.classList.toggle("stale", lost);
  $("main").setAttribute("aria-busy", status === null);
  if ($("lost").hidden === lost) $("lost").hidden = !lost;
  say($("lost-text"), seenAt ? `What you see is from ${timeOfDay(seenAt)}. Retrying.` : "Retrying.");
  $("sign-out").hidden = !(account.required && account.signedIn);
  const onAir = status?.on_air?.streamer;
  const title = lost ? "Connection lost" : onAir ? `${onAir} on air` : "Off air";
  // The first channel's name tells nobody anything.
  const channel = status && status.channel !== "main" ? status.channel : "";
  say($("channel"), channel);
  drawOwner(status?.owner ?? null);
  const name = channel ? `${channel} · Motherstream` : "Motherstream";
  document.title = status === null && !lost ? name : `${title} · ${name}`;
}

/** Where two daemons share the channel: which one answers, and whether the other one is there. */
function drawOwner(owner) {
  const chip = $("owner");
  chip.hidden = owner === null;
  if (owner === null) return;
  const heir = owner.heir === null ? "no heir" : owner.heir.sees_obs ? `heir ${owner.heir.name}` : `heir ${owner.heir.name} without OBS`;
  const well = owner.problem === "" && owner.heir !== null && owner.heir.sees_obs;
  chip.dataset.level = well ? "well" : "trouble";
  say(chip, owner.problem === "" ? `Owner ${owner.name ?? "nobody"}, ${heir}` : "Shared store away");
}

const parts = [drawFrame, drawOnAir, drawLineup, drawHealth, drawMachine, drawHistory, drawLog, drawSettings];
subscribe(() => {
  for (const part of parts) part();
});

function tick() {
  if (state.connection !== "connected") return;
  tickOnAir();
  drawLineup();
}

// --- the frame's own buttons ---------------------------------------------------------------------------------

function drawTheme() {
  const button = $("theme-toggle");
  const name = { auto: "Automatic colours", light: "Light colours", dark: "Dark colours" }[page.theme];
  button.replaceChildren(icon("theme"), el("span", { class: "tool-word" }, sentence(page.theme)));
  button.setAttribute("aria-label", name);
  button.title = name;
}

function drawWall() {
  const wall = document.documentElement.dataset.layout === "wall";
  const button = $("wall-toggle");
  button.setAttribute("aria-pressed", wall);
  button.replaceChildren(icon("wall"), el("span", { class: "tool-word" }, "Wall"));
  button.setAttribute("aria-label", "Wall layout");
  button.title = wall ? "Back to the normal layout" : "Large, for a screen on the wall";
  drawMachine();
  refreshPicture();
}

function setUpFrame() {
  drawTheme();
  drawWall();
  $("theme-toggle").addEventListener("click", () => {
    page.nextTheme();
    drawTheme();
    announce($("theme-toggle").title);
  });
  $("wall-toggle").addEventListener("click", () => {
    window.location.hash = document.documentElement.dataset.layout === "wall" ? "" : "wall";
  });
  window.addEventListener("hashchange", drawWall);
  $("retry").addEventListener("click", () => feed.retry());
  $("show-steps").checked = page.recall("steps") === "yes";
  $("show-steps").addEventListener("change", () => {
    page.keep("steps", $("show-steps").checked ? "yes" : "no");
    drawLog();
  });
  window.addEventListener("online", () => feed.retry());
}

// A browser has six connections to a host, and each page that listens keeps one: a page that nobody looks at lets go.
let hiding = 0;
function onVisibility() {
  window.clearTimeout(hiding);
  if (document.visibilityState === "hidden") {
    hiding = window.setTimeout(() => {
      feed.stop();
      update({ connection: "connecting" });
    }, HIDDEN_FOR);
  } else if (state.account.signedIn) {
    feed.start();
    feed.retry();
    refreshPicture();
  }
}

whenDenied(signInAgain);
setUpFrame();
setUpOnAir();
setUpSettings();
setUpMachine();
setUpSignIn(begin, signInAgain);
document.addEventListener("visibilitychange", onVisibility);
window.setInterval(tick, 1000);
window.setInterval(() => {
  const metered = state.queue.some((row) => row.probe);
  if (metered && state.connection === "connected" && document.visibilityState === "visible") refresh();
}, METERED);
window.setInterval(() => {
  if (state.connection === "connected" && document.visibilityState === "visible") {
    refresh();
    refreshRest();
  }
}, EVERY);
begin();
