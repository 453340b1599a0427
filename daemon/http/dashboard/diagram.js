// The state diagram, drawn from the daemon's own table as a line with its by-ways: forward from state to state, past
// states above it, into the last state and back to the first below it.

import { $, el, say, svg } from "./dom.js";
import { sentence, words } from "./format.js";
import { state } from "./store.js";

/** Pixels of width from which the line lies, and below which it stands. */
const LYING = 560;
const CORNER = 7;

const MEANINGS = {
  IDLE: "no hand-over is under way",
  CREATING: "the incoming input is created, hidden",
  BUFFERING: "the incoming input buffers, hidden, until its picture plays",
  STANDBY: "the next input is ready and waiting for its turn",
  SWAPPING: "the picture changes",
  CLEANUP: "the input that is no longer needed is removed",
  RECOVERING: "OBS cannot be reached",
};

/** The state that every other leads to by one event has no lines of its own drawn to it. */
function refuge({ states, transitions }) {
  const leads = (from, to) => transitions.some((row) => row.from === from && row.to === to);
  return states.find((to) => states.every((from) => from === to || leads(from, to)));
}

function edgesOf(table, sink) {
  const seen = new Map();
  for (const { from, to } of table.transitions) {
    if (from !== to && to !== sink) seen.set(`${from} ${to}`, { from, to });
  }
  return [...seen.values()];
}

/** Corners made round. */
function rounded(points) {
  let path = `M${points[0]}`;
  for (let i = 1; i < points.length - 1; i += 1) {
    const [before, here, after] = [points[i - 1], points[i], points[i + 1]];
    const toward = (there) => {
      const length = Math.hypot(there[0] - here[0], there[1] - here[1]) || 1;
      const radius = Math.min(CORNER, length / 2);
      return [here[0] + ((there[0] - here[0]) * radius) / length, here[1] + ((there[1] - here[1]) * radius) / length];
    };
    path += `L${toward(before)}Q${here} ${toward(after)}`;
  }
  return `${path}L${points.at(-1)}`;
}

function arrowhead(points) {
  const [tip, before] = [points.at(-1), points.at(-2)];
  const angle = Math.atan2(tip[1] - before[1], tip[0] - before[0]);
  const side = (turn) => [tip[0] - 7 * Math.cos(angle + turn), tip[1] - 7 * Math.sin(angle + turn)];
  return `M${tip}L${side(0.45)}L${side(-0.45)}Z`;
}

/** Where everything is. ``along`` runs with the line, ``across`` over it; a standing line has them changed. */
function layout(width) {
  const lying = width >= LYING;
  if (!lying) {
    return {
      lying,
      node: { along: 32, across: 124 },
      step: 52,
      start: 18,
      above: () => 18,
      below: (lane) => 18 + 16 * lane,
      place: ([along, across]) => [Math.round(width / 2) - 20 - across, along],
    };
  }
  const across = 38;
  const step = (width - 4) / 6;
  return {
    lying,
    node: { along: Math.min(128, step - 26), across },
    step,
    start: 2 + step / 2,
    above: () => 20,
    below: (lane) => 18 + 16 * lane,
    place: ([along, over]) => [along, over + 48],
  };
}

export function draw(table, width) {
  const sink = refuge(table);
  const spine = table.states.filter((name) => name !== sink);
  const plan = layout(width);
  const { node, step, start, place } = plan;
  const last = spine.length - 1;
  const lyingBelow = node.across / 2 + plan.below(1) + 34;
  const centre = new Map(spine.map((name, index) => [name, [start + index * step, 0]]));
  if (sink !== undefined) centre.set(sink, plan.lying ? [start, lyingBelow] : [start + spine.length * step, 0]);
  const half = node.across / 2;

  const route = ({ from, to }) => {
    const [a, b] = [centre.get(from), centre.get(to)];
    // The refuge counts as one that comes after the last.
    const [i, j] = [from === sink ? spine.length : spine.indexOf(from), spine.indexOf(to)];
    if (j === i + 1) return [[a[0] + node.along / 2, 0], [b[0] - node.along / 2 - 1, 0]];
    if (from === sink && plan.lying) return [[a[0] - 9, a[1] - half], [b[0] - 9, half + 1]];
    const up = j > i && j !== last;
    const side = up ? -1 : 1;
    const lane = up ? -half - plan.above() : half + plan.below(j > i ? 0 : 1);
    // What leaves a state for further away leaves it on the far side, so that lines don't cross.
    const nudge = node.along * (plan.lying ? 0.12 : 0.24);
    const out = a[0] + (from === sink ? 0 : up || i === last ? nudge : -nudge);
    const into = b[0] + (j > i ? -nudge : nudge);
    return [[out, side * half], [out, lane], [into, lane], [into, side * (half + 1)]];
  };

  const lines = edgesOf(table, sink).map((edge) => {
    const points = route(edge).map(place);
    return svg(
      "g",
      { class: "edge", "data-edge": `${edge.from} ${edge.to}` },
      svg("path", { class: "edge-line", d: rounded(points) }),
      svg("path", { class: "edge-head", d: arrowhead(points) }),
    );
  });

  const boxes = [...centre].map(([name, point]) => {
    const [x, y] = place(point);
    const [wide, tall] = plan.lying ? [node.along, node.across] : [node.across, node.along];
    return svg(
      "g",
      { class: "node", "data-state": name },
      svg("rect", { x: x - wide / 2, y: y - tall / 2, width: wide, height: tall, rx: 7 }),
      svg("text", { x, y, dy: "0.35em", "text-anchor": "middle" }, name),
    );
  });

  const note = sink === undefined ? [] : drawNote(plan, centre.get(sink));
  const height = plan.lying ? place([0, lyingBelow + half])[1] + 3 : start + spine.length * step + node.along / 2 + 3;
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", class: plan.lying && node.along < 100 ? "tight" : null }, ...lines, ...note, ...boxes);
}

function drawNote({ lying, node, place }, [along, across]) {
  const text = lying ? "from any state, when OBS is lost" : "OBS lost";
  const [x, y] = place([along, across]);
  const edge = x + (lying ? node.along : node.across) / 2;
  const [from, to] = [[edge + (lying ? 40 : 28), y], [edge + 1, y]];
  return [
    svg("g", { class: "edge any" }, svg("path", { class: "edge-line", d: rounded([from, to]) }), svg("path", { class: "edge-head", d: arrowhead([from, to]) })),
    svg("text", { class: "note", x: from[0] + 8, y: from[1], dy: "0.35em" }, text),
  ];
}

const event = ({ event: name, when }) => words(name) + (when?.startsWith("is ") ? ` if ${when.slice(3)}` : "");

/** "media ready → SWAPPING or STANDBY" for all that can happen next, but for the loss of OBS. */
function whatNext(table, now) {
  const sink = refuge(table);
  const ways = new Map();
  for (const row of table.transitions) {
    if (row.from !== now || row.to === now || row.to === sink) continue;
    ways.set(row.to, [...(ways.get(row.to) ?? []), event(row)]);
  }
  return [...ways].map(([to, events]) => `${to} (${[...new Set(events)].join(", ")})`);
}

let drawnWidth = 0;
let step = null;

/** The last step that was taken, to be shown. */
export function setStep(from, to) {
  step = `${from} ${to}`;
}

export function drawMachine() {
  const { table, status } = state;
  const box = $("diagram");
  const width = Math.floor(box.clientWidth);
  if (table === null || status === null || width === 0) return;
  if (width !== drawnWidth) {
    drawnWidth = width;
    box.replaceChildren(draw(table, width));
  }
  const now = status.state;
  const picture = box.firstElementChild;
  picture.setAttribute("aria-label", `State diagram. States: ${table.states.join(", ")}. Present state: ${now}.`);
  for (const node of picture.querySelectorAll(".node")) node.classList.toggle("lit", node.dataset.state === now);
  for (const edge of picture.querySelectorAll(".edge")) edge.classList.toggle("taken", edge.dataset.edge === step);
  say($("machine-attempt"), status.attempt ? `attempt ${status.attempt}` : "");
  const next = whatNext(table, now);
  const hint = $("machine-next");
  const text = `${MEANINGS[now] ? `${sentence(MEANINGS[now])}.` : ""} ${next.length ? `Next: ${next.join(" · ")}` : ""}`;
  if (hint.dataset.text !== text) {
    hint.dataset.text = text;
    hint.replaceChildren(el("strong", null, now), ` ${text}`);
  }
}

export function setUpMachine() {
  new ResizeObserver(drawMachine).observe($("diagram"));
}
