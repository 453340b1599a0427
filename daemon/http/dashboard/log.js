// The event log: each event as the sentence that the log, the notifications and the terminal have for it.

import { $, bdi, el, keyed } from "./dom.js";
import { clock, moment, sentence, span, took, typographic, when, words } from "./format.js";
import { actor, outcome, reason } from "./history.js";
import { state, update } from "./store.js";
import { CODECS, EVENTS, FIXTURES, NAMES, PLACES, UNITS } from "./wording.js";

const KEPT = 200;
let number = 0;

/** How a value is written; those of daemon/observability/wording.py. */
const FORMS = {
  took,
  span,
  clock,
  whole: (value) => String(Math.round(value)),
  percent: (value) => `${Math.round(100 * value)}%`,
  words: (value) => [value].flat().map(words).join(", "),
  reason,
  outcome,
  actor,
  value: String,
  unit: (value) => UNITS[value] ?? "",
  fixture: (value) => FIXTURES[value] ?? `the ${value}`,
  quieter: (value) => String(Math.max(1, Math.round(-23 - value))),
  weak: (value) => (value > 0 ? "right" : "left"),
  apart: (value) => Math.abs(value).toFixed(1),
  codec: (value) => CODECS[value] ?? (value.toUpperCase() || "the codec of its picture"),
};

const has = (value) => (Array.isArray(value) ? value.length > 0 : Boolean(value));
const holds = (value, wanted) => (typeof wanted === "boolean" ? has(value) === wanted : value === wanted);

/** {parts, kind}: kind is step, news, air or trouble. */
export function describe(kind, data) {
  const found = [...EVENTS, ...PLACES].find(([of, conditions]) => of === kind && Object.entries(conditions).every(([key, wanted]) => holds(data[key], wanted)));
  // One of a newer daemon.
  if (found === undefined) return { kind: "news", parts: [sentence(words(kind)), data.message ? ": " : "", data.message ? bdi(data.message) : ""] };
  const [, , text, sort] = found;
  const parts = text.split(/(\[[^\]]*\])/).flatMap((part) => (part.startsWith("[") ? optional(part.slice(1, -1), data) : filled(part, data)));
  const [first, ...rest] = parts.filter((part) => part !== "");
  return { kind: sort, parts: [typeof first === "string" ? sentence(first) : first, ...rest] };
}

/** Left out where one of its values is empty. */
const optional = (part, data) => ([...part.matchAll(/\{(\w+)/g)].every(([, key]) => has(data[key])) ? filled(part, data) : []);

function filled(part, data) {
  return part.split(/(\{[^}]*\})/).map((piece) => {
    const value = /^\{(\w+)(?:\|([^}]*))?(?::(\w+))?\}$/.exec(piece);
    if (value === null) return typographic(piece);
    const [, key, otherwise, form] = value;
    const given = data[key] ?? "";
    if (form) return FORMS[form](given);
    if (given === "") return otherwise ?? "";
    return NAMES.includes(key) ? bdi(given) : String(given);
  });
}

/** Remember an event; the newest come first. */
export function record(kind, data) {
  const line = { ...describe(kind, data), at: moment(data.at) ?? new Date(), key: ++number };
  update({ log: [line, ...state.log].slice(0, KEPT) });
}

/** What happened before the page was opened is known from the history alone. */
export function recordHistory(rows) {
  const lines = rows.map((row) => ({ ...describe("handover_ended", row), at: moment(row.at) ?? new Date(0), key: ++number }));
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
