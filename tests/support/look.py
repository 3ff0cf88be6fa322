"""Checks a page in a browser: on a phone and a desktop, light and dark, with the browser's own complaints."""

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

PHONE = {"width": 375, "height": 740}
DESKTOP = {"width": 1280, "height": 800}

CONTRASTS = """() => {
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const linear = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = element => {
    for (; element; element = element.parentElement) {
      const color = parts(getComputedStyle(element).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    throw "a text without a ground";
  };
  const hasText = element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
  return [...document.querySelectorAll("body *")].filter(hasText).map(element => {
    const [dark, bright] = [parts(getComputedStyle(element).color), ground(element)].map(light).sort((a, b) => a - b);
    return [(bright + 0.05) / (dark + 0.05), element.tagName + ": " + element.textContent.trim().slice(0, 30)];
  });
}"""
"""The contrast of each text with the ground it is on, as WCAG 2 computes it, and the text."""
LEAST_CONTRAST = 4.5
"""What WCAG 2 asks of texts (AA)."""


@dataclass
class Look:
    """A page, a folder for pictures of it, and what the browser complains about: all that runs, and all it asks for."""

    page: "Page"
    folder: Path
    origin: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start to record the complaints."""
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(dialog.message), dialog.dismiss()))
        self.page.on("console", lambda line: self._note(line.text) if line.type in {"error", "warning"} else None)
        self.page.on("request", lambda request: self._note_foreign(request.url))

    def is_good(self, name: str) -> None:
        """Check the contrast of all texts, and save screenshots called `name`."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a str is one of its words
            for size in (PHONE, DESKTOP):
                self.page.set_viewport_size(size)  # type: ignore[arg-type]  # a plain dict is its TypedDict
                self.page.screenshot(path=self.folder / f"{name}-{scheme}-{size['width']}.png", full_page=True)
                assert self.page.evaluate("document.documentElement.scrollWidth") <= size["width"], f"{name}: too wide"
            faint = [told for contrast, told in self.page.evaluate(CONTRASTS) if contrast < LEAST_CONTRAST]
            assert faint == [], f"{name}, {scheme}: too faint"
        self._is_in_order(name)

    def _is_in_order(self, name: str) -> None:
        """Check what screen readers need: a language, headings in order, one main element."""
        levels = [
            int(tag[1]) for tag in self.page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => h.tagName)")
        ]
        assert levels[0] == 1, name
        assert levels.count(1) == self.page.get_by_role("main").count() == 1, name
        assert all(after - before <= 1 for before, after in pairwise(levels)), name
        assert self.page.locator("html").get_attribute("lang") == "en"
        assert self.page.title()

    def _note(self, told: str) -> None:
        self.complaints.append(told)

    def _note_foreign(self, url: str) -> None:
        if not url.startswith(f"{self.origin}/"):
            self._note(url)
