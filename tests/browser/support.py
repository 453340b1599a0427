"""A real Chromium, and what the tests ask of it."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
DEADLINE = 15.0
"""Seconds for whatever the page does by itself."""

COLLECT = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""

CONTRASTS = """
const parse = (text) => {
  const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
  return [r, g, b, a];
};
const over = ([r, g, b, a], under) => [r, g, b].map((value, i) => value * a + under[i] * (1 - a)).concat(1);
const ground = (node) => {
  if (node.localName === "text") {
    const box = node.parentNode.querySelector("rect");
    if (box) return parse(getComputedStyle(box).fill);
  }
  const layers = [];
  for (let at = node; at !== null; at = at.parentElement) {
    const layer = parse(getComputedStyle(at).backgroundColor);
    layers.push(layer);
    if (layer[3] === 1) break;
  }
  return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255, 1]);
};
const light = ([r, g, b]) => {
  const part = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
};
const found = [];
for (const node of document.querySelectorAll("body *")) {
  const text = [...node.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join("");
  if (!text || node.closest("[aria-disabled=true], .unseen, .skip-link")) continue;
  if (!node.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
  const style = getComputedStyle(node);
  const under = ground(node);
  const ink = over(parse(node.namespaceURI.endsWith("svg") ? style.fill : style.color), under);
  if (style.color === "rgba(0, 0, 0, 0)") continue;
  const [a, b] = [light(ink), light(under)].sort((x, y) => y - x);
  found.push([text.slice(0, 40), node.className.baseVal ?? node.className, (a + 0.05) / (b + 0.05)]);
}
return found;
"""

T = TypeVar("T")


class Page:
    """The dashboard in a browser."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, url: str, *, width: int = 1440, height: int = 900, theme: str = "dark", motion: bool = True) -> None:
        """At a window of that size, for somebody who likes these colours."""
        phone = width < 500
        self._cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        self._cdp("Emulation.setTouchEmulationEnabled", enabled=phone)
        self._cdp(
            "Emulation.setEmulatedMedia",
            features=[
                {"name": "prefers-color-scheme", "value": theme},
                {"name": "prefers-reduced-motion", "value": "no-preference" if motion else "reduce"},
            ],
        )
        self.driver.get(url)

    def open_live(self, url: str, **more: Any) -> None:
        """Open it, and wait until it shows the daemon's present state."""
        self.open(url, **more)
        self.until_live()

    def until_live(self) -> None:
        """The events come in, and what came before has been read."""
        self.until(lambda: self.text("#connection-text") == "Connected" and self.texts("#onair-sub") != [""])

    def until(self, condition: Callable[[], T], seconds: float = DEADLINE) -> T:
        """Wait until it holds."""
        last: list[T] = []

        def holds(_: Any) -> bool:
            last[:] = [condition()]
            return bool(last[0])

        try:
            WebDriverWait(self.driver, seconds, 0.05, (StaleElementReferenceException,)).until(holds)
        except TimeoutException:
            raise AssertionError(
                f"not within {seconds:g} s; last: {last}; the page says:\n{self.text('body')}"
            ) from None
        return last[0]

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """What is seen of it; a hidden one has none."""
        return self.find(selector).text

    def texts(self, selector: str) -> list[str]:
        return [
            str(text)
            for text in self.js(
                "return [...document.querySelectorAll(arguments[0])].map((n) => n.textContent)", selector
            )
        ]

    def click(self, selector: str) -> None:
        """Once it can be pressed."""
        self.until(lambda: self.find(selector).is_displayed() and self.attribute(selector, "aria-disabled") != "true")
        self.find(selector).click()

    def button(self, label: str) -> str:
        """The selector of the button with that name."""
        quoted = label.replace("\\", "\\\\").replace('"', '\\"')
        return f'button[aria-label="{quoted}"]'

    def attribute(self, selector: str, name: str) -> str | None:
        return self.find(selector).get_attribute(name)

    def js(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def names(self) -> list[str]:
        """The line-up as it is shown."""
        return self.texts("#lineup .row-name")

    def contrasts(self) -> list[tuple[str, str, float]]:
        """Text, class and contrast of everything that is written."""
        return [(str(text), str(name), float(ratio)) for text, name, ratio in self.js(CONTRASTS)]

    def nameless(self) -> list[str]:
        """Roles of the controls that a screen reader has no name for."""
        self._cdp("Accessibility.enable")
        nodes = self._cdp("Accessibility.getFullAXTree")["nodes"]
        controls = {
            "button",
            "textbox",
            "spinbutton",
            "checkbox",
            "switch",
            "radio",
            "link",
            "dialog",
            "img",
            "progressbar",
        }
        return [
            str(node["role"]["value"])
            for node in nodes
            if not node["ignored"]
            and node["role"]["value"] in controls
            and not node.get("name", {}).get("value", "").strip()
        ]

    def withhold(self, *patterns: str) -> None:
        """Requests of these addresses fail from now on, and of no others."""
        self._cdp("Network.enable")
        self._cdp("Network.setBlockedURLs", urls=list(patterns))

    def forget(self) -> None:
        """Whom it signed in as, and everything else but the profile's own settings."""
        self.driver.get("about:blank")
        self.withhold()
        self._cdp("Network.clearBrowserCookies")

    def complaints(self) -> list[str]:
        """What the page's policy stopped, and what its scripts stumbled over."""
        violations: list[str] = self.js("return window.violations ?? []")
        logged = [
            str(entry["message"])
            for entry in self.driver.get_log("browser")  # type: ignore[no-untyped-call]  # selenium says nothing of its types
            # That a request was refused or met no daemon is told by the browser itself; most tests do it on purpose.
            if entry["level"] == "SEVERE" and "Failed to load resource" not in entry["message"]
        ]
        return violations + logged

    def _cdp(self, command: str, **arguments: object) -> Any:
        return self.driver.execute_cdp_cmd(command, arguments)


@contextmanager
def open_browser(folder: Path) -> Iterator[Page]:
    """Chromium, with an empty profile in ``folder``."""
    paths = [shutil.which(name) for name in ("chromium", "chromedriver")]
    assert all(paths), "the browser tests need Debian's chromium and chromium-driver"
    options = ChromeOptions()
    options.binary_location = str(paths[0])
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(paths[1]))
    try:
        page = Page(driver)
        page._cdp("Page.enable")
        page._cdp("Page.addScriptToEvaluateOnNewDocument", source=COLLECT)
        yield page
    finally:
        driver.quit()
