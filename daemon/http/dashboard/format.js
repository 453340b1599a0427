// Numbers and times as people read them.

const two = (number) => String(number).padStart(2, "0");

/** 83.2 -> "1:23", 3723 -> "1:02:03". */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** How long something took: 0.031 -> "31 ms", 2.31 -> "2.31 s". */
export function took(seconds) {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  return seconds < 10 ? `${seconds.toFixed(2)} s` : `${seconds.toFixed(1)} s`;
}

/** A length in words: 300 -> "5 minutes". */
export function span(seconds) {
  const of = (count, unit) => `${count} ${unit}${count === 1 ? "" : "s"}`;
  const whole = Math.round(seconds);
  if (whole < 90) return of(whole, "second");
  if (whole < 5400) return of(Math.round(whole / 60), "minute");
  if (whole < 172800) return of(Math.round(whole / 3600), "hour");
  return of(Math.round(whole / 86400), "day");
}

/** A time of the day in the reader's own zone. */
export const timeOfDay = (date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;

/** The time, and the day where it is not today's. */
export function when(date) {
  const today = new Date().toDateString() === date.toDateString();
  return today ? timeOfDay(date) : `${date.toLocaleDateString(undefined, { day: "numeric", month: "short" })}, ${timeOfDay(date).slice(0, 5)}`;
}

/** The API's times are ISO texts or seconds since 1970; null where it is neither. */
export function moment(value) {
  const date = new Date(typeof value === "number" ? value * 1000 : value);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** "MediaReady" and "media_ready" -> "media ready"; abbreviations stay: "OBS lost". */
export const words = (name) =>
  name
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase()
    .replace(/\bobs\b/g, "OBS");

export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** As it is printed: the sentences are written with the keys that every keyboard has. */
export const typographic = (text) => text.replaceAll("->", "→").replaceAll(/(?<=\w|^)'s\b/g, "’s");

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
