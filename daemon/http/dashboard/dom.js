// Building nodes. Text goes in as text alone: nothing here parses markup, and the page's policy forbids it.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const el = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);

export const svg = (tag, properties, ...children) => fill(document.createElementNS(SVG, tag), properties, children);

export const $ = (id) => document.getElementById(id);

/** A name that strangers chose: kept apart from the direction of the text around it. */
export const bdi = (name) => el("bdi", null, name);

const ICONS = {
  up: "M12 19V5M5.5 11.5 12 5l6.5 6.5",
  down: "M12 5v14M5.5 12.5 12 19l6.5-6.5",
  change: "M5 12h.01M12 12h.01M19 12h.01",
  remove: "M6 6l12 12M18 6 6 18",
  kick: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M5.8 5.8l12.4 12.4",
  skip: "M5 5l9 7-9 7zM18 5v14",
  hold: "M8 5v14M16 5v14",
  release: "M7 4.5v15l12-7.5z",
  take: "M12 20V8M6.5 13.5 12 8l5.5 5.5M5 4h14",
  check: "M5 12.5l4.5 4.5L19 7.5",
  warn: "M12 4 2.8 19.5h18.4zM12 10v4.5M12 17v.2",
  notice: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M12 7.5v5.5M12 16v.2",
  theme: "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
  wall: "M3 5h18v11H3zM9 20h6M12 16v4",
  out: "M14 4h5v16h-5M4 12h10M10.5 8.5 14 12l-3.5 3.5",
  arrow: "M4 12h15M13 6l6 6-6 6",
};

export const icon = (name) =>
  svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));

/** Set a text only where it differs: a live region would tell it again. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Bring a list's rows to ``items``, keeping the rows there are, and with them the focus. */
export function keyed(list, items, keyOf, make, update) {
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const rows = new Map([...list.children].map((row) => [row.dataset.key, row]));
  let before = list.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let row = rows.get(key);
    rows.delete(key);
    if (row === undefined) {
      row = make(item);
      row.dataset.key = key;
    }
    if (row === before) before = before.nextElementSibling;
    else list.insertBefore(row, before);
    update(row, item);
  }
  for (const row of rows.values()) row.remove();
  if (focused !== null && focused !== document.activeElement && list.contains(focused)) focused.focus();
}

/** Say something to those who listen to the page instead of looking at it. */
export function announce(text) {
  const region = $("announcer");
  region.textContent = "";
  // A change is told, a repetition is not: the text has to be away for a moment.
  window.setTimeout(() => say(region, text), 60);
}
