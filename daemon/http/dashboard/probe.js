// What a probe measures of a stream: a small picture of it, a meter of its loudness, and its figures in words.

import { address } from "./api.js";
import { el, say } from "./dom.js";

/** LUFS at the meter's ends, and from where on it is loud. */
const FLOOR = -60;
const LOUD = -9;
/** Milliseconds between two pictures. */
const EVERY = 2000;

/** The line below a streamer's name; empty until it is drawn. */
export const makeProbe = () =>
  el(
    "div",
    { class: "probe", hidden: true },
    el("img", { class: "probe-picture", alt: "", width: 64, height: 36, hidden: true }),
    el("div", { class: "meter", role: "meter", "aria-label": "Loudness", "aria-valuemin": FLOOR, "aria-valuemax": 0 }, el("span")),
    el("p", { class: "probe-text" }),
  );

export function drawProbe(node, streamer, probe) {
  node.hidden = !probe;
  if (!probe) return;
  drawPicture(node.querySelector(".probe-picture"), streamer, probe.preview);
  drawMeter(node.querySelector(".meter"), probe.level);
  say(node.querySelector(".probe-text"), figures(probe));
}

function drawPicture(image, streamer, there) {
  if (!there || document.visibilityState !== "visible") {
    image.hidden ||= !there;
    return;
  }
  const slot = String(Math.floor(Date.now() / EVERY));
  if (image.dataset.slot === slot && image.dataset.of === streamer) return;
  image.dataset.slot = slot;
  image.dataset.of = streamer;
  image.onload = () => {
    image.hidden = false;
  };
  image.onerror = () => {
    image.hidden = true;
  };
  image.src = address(`preview/${encodeURIComponent(streamer)}.jpg?at=${slot}`);
}

function drawMeter(meter, level) {
  const share = level === null ? 0 : Math.min(1, Math.max(0, (level - FLOOR) / -FLOOR));
  meter.dataset.level = level === null ? "silent" : level > LOUD ? "loud" : "well";
  meter.setAttribute("aria-valuenow", level === null ? FLOOR : Math.max(FLOOR, Math.min(0, Math.round(level))));
  meter.setAttribute("aria-valuetext", level === null ? "silent" : `${Math.round(level)} LUFS`);
  meter.firstElementChild.style.setProperty("transform", `scaleX(${share.toFixed(3)})`);
}

/** "−18.2 LUFS · peak −3.1 dBTP · 1080p30 H264 · 3.0 Mbit/s" */
function figures({ loudness, peak, video, kbps, gain, problem }) {
  const parts = [];
  if (loudness !== null) parts.push(`${signed(loudness)} LUFS`);
  if (peak !== null) parts.push(`peak ${signed(peak)} dBTP`);
  if (gain) parts.push(`levelled ${gain > 0 ? "+" : ""}${signed(gain)} dB`);
  if (video) parts.push(`${video.height}p${video.fps === null ? "" : Math.round(video.fps)} ${video.codec.toUpperCase()}`);
  if (kbps !== null) parts.push(kbps < 1000 ? `${Math.round(kbps)} kbit/s` : `${(kbps / 1000).toFixed(1)} Mbit/s`);
  if (problem) parts.push(problem);
  return parts.join(" · ");
}

/** With a real minus. */
const signed = (number) => number.toFixed(1).replace("-", "−");
