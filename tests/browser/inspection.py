"""Looking closely at a page: accessible in both themes at both sizes, valid HTML, nothing wider than a small phone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests import html_validator
from tests.browser.person import DESKTOP, PHONE, Person, shoot

AXE = Axe().axe_script
# The size of what is pressed is new in WCAG 2.2, and axe leaves it out unless told.
# Without `preload` it does not read every style sheet anew; the one rule that would need that is not among its usual ones.
RULES: dict[str, Any] = {
    "resultTypes": ["violations"],
    "rules": {"target-size": {"enabled": True}},
    "preload": False,
    "selectors": False,
}
# One thing changes from each to the next.
LOOKS = (("light", DESKTOP), ("dark", DESKTOP), ("dark", PHONE), ("light", PHONE))
# A color that fades may set off the fading of another one inside.
QUIET = """async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const fading = () => document.getAnimations().filter((animation) => animation instanceof CSSTransition);
  for (await frame(); fading().length; await frame()) await Promise.allSettled(fading().map((one) => one.finished));
}"""
# The smallest phone, a tablet both ways (beside the menu there is less room than without), a laptop.
SIZES = [{"width": width, "height": 800} for width in (320, 768, 1024, 1280)]
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && e.checkVisibility())
  .slice(-3).map((e) => e.outerHTML.slice(0, 150))"""


@dataclass
class Inspection:
    """Collects what is wrong on all pages it looks at; `found` is empty at the end, or the test fails."""

    directory: Path
    found: list[str] = field(default_factory=list)
    html: dict[str, str] = field(default_factory=dict)

    def visit(self, person: Person, path: str, status: int = 200, *, accessible: bool = True) -> None:
        """`accessible=False` leaves that question to others."""
        answer = person.page.goto(path)
        assert answer is not None
        if answer.status != status:
            self.found.append(f"{path} answers {answer.status}, not {status}")
        if status >= 400:
            person.watch.refusals.clear()
        if accessible:
            self.look(person.page, path, answer.text())
        else:
            self.html[path] = answer.text()
            self._must_fit(person.page, path)

    def look(self, page: Page, name: str, html: str = "", *, within: str = "html") -> None:
        """At what is open now: a page as it came from the server, or what has opened `within` one."""
        if html:
            self.html[name] = html
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE)
        for theme, size in LOOKS:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.set_viewport_size(size)
            expect(page.locator(f"html[data-bs-theme={theme}]")).to_be_attached()
            page.evaluate(QUIET)  # colors fade from one theme to the other
            shoot(page, f"{theme} {size['width']} {name}")
            result = page.evaluate("([within, rules]) => axe.run(within, rules)", [within, RULES])
            self.found += [f"{name} {theme} {size['width']}: {line}" for line in violations(result)]
        self._must_fit(page, name)

    def _must_fit(self, page: Page, name: str) -> None:
        for size in SIZES:
            page.set_viewport_size(size)
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > size["width"]:
                self.found.append(f"{name} is {width} wide at {size['width']}: {page.evaluate(TOO_WIDE)}")

    def end(self) -> None:
        self.directory.mkdir()
        self.found += html_validator.problems(self.html, self.directory)
        assert self.found == [], "\n".join(self.found)


def violations(result: dict[str, Any]) -> list[str]:
    return [
        f"{violation['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for violation in result["violations"]
        for node in violation["nodes"][:3]
    ]


def name_of(page: Page) -> str:
    return urlsplit(page.url).path
