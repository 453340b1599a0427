// The event log: each event as a line that a person would write.

import { $, bdi, el, keyed } from "./dom.js";
import { moment, took, when, words } from "./format.js";
import { outcome, reason } from "./history.js";
import { state, update } from "./store.js";

const KEPT = 200;
let number = 0;

const LINEUP = {
  joined: "joined the line-up",
  left: "left",
  away: "is away and keeps the place for now",
  returned: "came back",
  moved: "was moved",
  removed: "was removed from the line-up",
  kicked: "was kicked",
  blocked: "is kept out",
  let_in: "may publish again",
  stalled: "stands still",
  resumed: "moves again",
  skipped: "was skipped",
  turn_ended: "has had the turn",
  turn_over: "leaves after the turn",
  leaving: "goes as soon as somebody follows",
  stays: "stays: its picture stands still and nobody can follow",
  gone: "has left without a word: no picture came, time and again",
  turn_changed: "has another length of turn",
  requeued: "goes to the end of the line-up",
  too_many_streams: "publishes too many streams at once: the newest are kept",
};

const who = (name) => (name ? bdi(name) : "nobody");

const STUDIO_MODE = {
  leave: ": it is switched off",
  drive: ": hand-overs go by its transition",
  hold: ": no hand-over until it is off",
};

/** {parts, kind}: kind is step, news, air or trouble. */
export function describe(kind, data) {
  switch (kind) {
    case "state_changed":
      return { kind: "step", parts: [`${data.source} → ${data.dest}, ${words(data.event)}`] };
    case "handover_ended":
      return handover(data);
    case "on_air_changed":
      if (!data.streamer) return { kind: "trouble", parts: [data.same_input ? "Nobody is on air: the picture has broken off" : "Nobody is on air"] };
      return { kind: "air", parts: [bdi(data.streamer), data.adopted ? " is still on air" : " is on air"] };
    case "program_elsewhere":
      return { kind: "trouble", parts: ["Viewers do not see ", who(data.streamer), ": OBS shows ", bdi(data.scene), data.clock_stands ? "; the turn's clock stands still" : ""] };
    case "program_back":
      return { kind: "news", parts: ["Viewers see ", data.streamer ? bdi(data.streamer) : "the scene", " again"] };
    case "studio_mode_changed":
      return { kind: data.on ? "trouble" : "news", parts: [`OBS's studio mode is ${data.on ? "on" : "off"}${data.on ? (STUDIO_MODE[data.policy] ?? "") : ""}`] };
    case "problem_found":
      return { kind: "trouble", parts: [bdi(data.streamer), ` cannot come on air: ${words(data.reason)}; the line-up says what to do`] };
    case "problem_over":
      return { kind: "news", parts: [bdi(data.streamer), " has a picture now"] };
    case "plugin_failed":
      return { kind: "trouble", parts: ["obs-gstreamer shows nothing: OBS’s own media source takes its place"] };
    case "plugin_works":
      return { kind: "news", parts: ["obs-gstreamer shows pictures again"] };
    case "silence_on_air":
      return data.step === "over"
        ? { kind: "news", parts: [bdi(data.streamer), " has sound again"] }
        : { kind: "trouble", parts: [bdi(data.streamer), ` has had no sound for ${Math.round(data.seconds)} s`] };
    case "lineup_changed":
      return lineup(data);
    case "refused":
      return { kind: "trouble", parts: ["Refused: ", bdi(data.message)] };
    case "low_bitrate":
      return lowBitrate(data);
    case "standby_given_up":
      return { kind: "trouble", parts: [`No standby for now: OBS renders ${Math.round(100 * data.render_lag)} % of its frames late`] };
    case "standby_taken_up":
      return { kind: "news", parts: ["The next one is made ready ahead again"] };
    case "health_changed":
      return data.issues?.length
        ? { kind: "trouble", parts: [`The stream on air: ${data.issues.map(words).join(", ")}`] }
        : { kind: "news", parts: ["The stream on air plays well again"] };
    case "orphan_reported":
      return { kind: "trouble", parts: [`${data.input} could not be removed from OBS, it is swept later`] };
    case "fixture_missing":
      return { kind: "trouble", parts: [`The ${data.what} `, bdi(data.name), " is not in OBS"] };
    case "fixture_found":
      return { kind: "news", parts: [`The ${data.what} `, bdi(data.name), " is in OBS again"] };
    case "foreign_inputs_seen":
      return { kind: "trouble", parts: ["Another Motherstream (", bdi(data.owner), ") uses this prefix or scene in this OBS"] };
    default:
      return { kind: "news", parts: [words(kind), data.message ? ": " : "", data.message ? bdi(data.message) : ""] };
  }
}

function handover(data) {
  if (data.outcome === "completed") {
    return { kind: "news", parts: [who(data.from_streamer), " → ", who(data.to_streamer), ` in ${took(data.seconds)} (${reason(data.reason)})`] };
  }
  const standby = data.reason === "standby" && data.outcome === "obs_lost"; // made anew afterwards, nothing was due
  const quiet = standby || data.outcome === "superseded" || data.outcome === "stream_ended";
  const stays = data.from_streamer ? [", ", bdi(data.from_streamer), " stays"] : [];
  return { kind: quiet ? "news" : "trouble", parts: [who(data.to_streamer), `: ${outcome(data.outcome)}`, ...stays] };
}

function lineup({ what, streamer }) {
  if (what === "held") return { kind: "news", parts: ["Held: no turn ends by the clock"] };
  if (what === "released") return { kind: "news", parts: ["Released: turns end by the clock"] };
  const trouble = what === "stalled";
  return { kind: trouble ? "trouble" : "news", parts: [bdi(streamer), ` ${LINEUP[what] ?? words(what)}`] };
}

const POOR = { slate: ": the slate is shown", skip: ": the next one follows", kick: ": kicked" };

function lowBitrate({ step, streamer, kbps }) {
  if (step === "over") return { kind: "news", parts: [bdi(streamer), "’s bitrate is well again"] };
  return { kind: "trouble", parts: [bdi(streamer), ` sends only ${Math.round(kbps)} kbit/s${POOR[step] ?? ""}`] };
}

/** Remember an event; the newest come first. */
export function record(kind, data) {
  const line = { ...describe(kind, data), at: moment(data.at) ?? new Date(), key: ++number };
  update({ log: [line, ...state.log].slice(0, KEPT) });
}

/** What happened before the page was opened is known from the history alone. */
export function recordHistory(rows) {
  const lines = rows.map((row) => ({ ...handover(row), at: moment(row.at) ?? new Date(0), key: ++number }));
  update({ log: [...state.log, ...lines].slice(0, KEPT) });
}

let drawn = null;
let drawnSteps = null;

export function drawLog() {
  const steps = $("show-steps").checked;
  if (drawn === state.log && drawnSteps === steps) return;
  drawn = state.log;
  drawnSteps = steps;
  const lines = state.log.filter((line) => steps || line.kind !== "step");
  keyed($("log"), lines, (line) => line.key, makeLine, () => {});
}

const makeLine = ({ at, kind, parts }) =>
  el(
    "li",
    { "data-kind": kind },
    el("time", { datetime: at.toISOString() }, when(at)),
    el("span", null, ...parts.map((part) => (part instanceof Node ? part.cloneNode(true) : part))),
  );
