// Runs before the page is drawn, so that it never shows in the wrong colours first.
(() => {
  const THEMES = ["auto", "light", "dark"];
  const root = document.documentElement;
  // Behind a proxy's path, asked for without its last slash: links to a part of the page would leave the page.
  const { pathname, search, hash } = window.location;
  if (`${pathname}/` === new URL(document.baseURI).pathname) {
    window.history.replaceState(null, "", `${pathname}/${search}${hash}`);
  }
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  const recall = (key) => {
    try {
      return window.localStorage.getItem(`motherstream.${key}`);
    } catch {
      return null; // storage is switched off: the choice lasts as long as the page
    }
  };
  const keep = (key, value) => {
    try {
      window.localStorage.setItem(`motherstream.${key}`, value);
    } catch {
      // as above
    }
  };

  let theme = THEMES.includes(recall("theme")) ? recall("theme") : "auto";
  const apply = () => {
    root.dataset.theme = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
    root.dataset.layout = window.location.hash === "#wall" ? "wall" : "desk";
  };
  dark.addEventListener("change", apply);
  window.addEventListener("hashchange", apply);
  apply();

  window.motherstream = {
    recall,
    keep,
    get theme() {
      return theme;
    },
    nextTheme() {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
      keep("theme", theme);
      apply();
      return theme;
    },
  };
})();
