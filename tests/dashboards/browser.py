"""What a browser test needs: a reader in one of four variants, axe, what went wrong, and pictures for people to open.

@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_page_is_sound(look, somebody):
    look.signed_in_as(somebody)
    look.at("/models", "models")     # opens it in all four variants, pictures them, asserts no fault
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dashboards.models import Person

PICTURES = Path(__file__).resolve().parents[2] / "screenshots"
NOBODY_LOOKS = bool(os.environ.get("CI"))
"""A run in a clone that is thrown away asserts all the same, and spares itself the pictures."""
VARIANTS = [(width, scheme) for width in (1440, 390) for scheme in ("light", "dark")]
# What WCAG 2.2 AA asks, and axe's advice on landmarks and headings. Only violations are written out: of a long page
# axe would hand over five megabytes of what it found right, and take as long over that as over the rules.
_FOUND = {"resultTypes": ["violations"]}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], **_FOUND}
# What can differ between light and dark.
RULES_OF_COLOUR = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}, **_FOUND}
FIRST_ROWS = {"exclude": [["tbody tr:nth-child(n+30)"]]}
"""Where a page is looked at again: further down a table nothing is of its own."""


@dataclass
class Faults:
    """Errors of the console, pages that threw, and what the content security policy refused."""

    said: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.said.append(f"page error: {error}"))
        page.on("console", lambda message: self._note(message.type, message.text))
        page.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error("
            "`CSP: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber} ${e.sample}`))"
        )

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.said.append(f"{kind}: {text}")


def axe_faults(page: Page, rules: dict[str, Any] = RULES, where: dict[str, Any] | None = None) -> list[str]:
    """Every violation as `rule: what it says (the element)`."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    run = "([where, rules]) => axe.run(where ?? document, rules).then(({violations}) => violations)"
    found = page.evaluate(run, [where, rules])
    return [f"{rule['id']}: {rule['help']} ({node['html'][:160]})" for rule in found for node in rule["nodes"]]


# Elements that stick out on the right and are not inside something that scrolls or clips.
STICKING_OUT = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const clipped = (node) => {
    for (let up = node.parentElement; up && up !== document.body; up = up.parentElement)
      if (getComputedStyle(up).overflowX !== "visible") return true;
    return false;
  };
  return [...document.body.querySelectorAll("*")]
    .filter(node => node.getBoundingClientRect().right > room + 1 && !clipped(node))
    .map(node => `scrolls sideways: ${node.cloneNode().outerHTML.slice(0, 120)} ends at ` +
      `${Math.round(node.getBoundingClientRect().right)} of ${room}`).slice(0, 4);
}"""


def sideways(page: Page) -> list[str]:
    """What makes the page itself scroll sideways; tables and bars may scroll inside it."""
    found: list[str] = page.evaluate(STICKING_OUT)
    return found


# Texts of a chart whose letters meet, as `one | other`: a box holds 2 pixels of air above and below its letters.
MEETING = """() => [...document.querySelectorAll("figure[data-figure] .plot")].flatMap(plot => {
  const texts = [...plot.querySelectorAll(".annotation-text, .xtick text, .ytick text, .textpoint text")]
    .filter(node => node.textContent.trim())
    .map(node => ({said: node.textContent, at: node.getBoundingClientRect()}));
  return texts.flatMap((one, n) => texts.slice(n + 1)
    .filter(({at}) => Math.min(one.at.right, at.right) - Math.max(one.at.left, at.left) > 1 &&
      Math.min(one.at.bottom, at.bottom) - Math.max(one.at.top, at.top) > 4)
    .map(other => `${one.said} | ${other.said}`));
})"""


def meeting(page: Page) -> list[str]:
    """Texts of charts that overlap."""
    found: list[str] = page.evaluate(MEETING)
    return found


def settled(page: Page) -> None:
    """Waits for the fonts and for every chart to be drawn or to have failed."""
    page.evaluate("document.fonts.ready.then(() => true)")
    for figure in page.locator("figure[data-figure]").all():
        # Not scroll_into_view_if_needed: it waits for two frames alike, which a busy machine may not paint in time.
        figure.evaluate("figure => figure.scrollIntoView({block: 'nearest'})")
    # Not wait_for_function: it evaluates a string, which the policy rightly refuses.
    waiting = page.locator("figure[data-figure]:not([data-drawn])")
    expect(waiting).to_have_count(0, timeout=30_000)
    page.evaluate("scrollTo(0, 0)")


def switched(page: Page, scheme: str) -> None:
    """The page as a reader's system switches it to the other scheme: every chart is drawn anew."""
    page.evaluate("document.querySelectorAll('figure[data-drawn=true]').forEach(each => delete each.dataset.drawn)")
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    settled(page)


class Look:
    """Opens pages of the live server as a reader would and asserts that nothing is wrong with them."""

    def __init__(self, browser: Browser, origin: str) -> None:
        self.browser = browser
        self.origin = origin
        self.cookies: list[Any] = []

    def signed_in_as(self, person: Person) -> None:
        client = Client()
        client.force_login(person)
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.cookies = [{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": self.origin}]

    def page(self, width: int = 1440, scheme: str = "light", **options: Any) -> tuple[Page, Faults]:
        """A new window of its own; the faults fill while it is used."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 900 if width > 640 else 844},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
            device_scale_factor=1 if width > 640 else 2,
            **options,
        )
        context.set_default_timeout(10_000)
        context.set_default_navigation_timeout(60_000)  # the first page of a process is slow on a busy machine
        context.add_cookies(self.cookies)
        page = context.new_page()
        faults = Faults()
        faults.listen(page)
        return page, faults

    def at(self, path: str, name: str, expect_status: int = 200, ignoring: Sequence[str] = ()) -> None:
        """Opens `path` at both widths, keeps pictures as `screenshots/NAME-WIDTH-SCHEME.png`, asserts.

        The wide page begins light and the narrow one dark; each is held to every rule, then switched to the other
        scheme and held to the rules of colour. `ignoring`: parts of console lines that the test provokes on purpose.
        """
        if expect_status >= 400:  # the browser itself reports the status as an error
            ignoring = [*ignoring, "Failed to load resource"]
        wrong = []
        for width, first, second in ((1440, "light", "dark"), (390, "dark", "light")):
            page, faults = self.page(width, first)
            answer = page.goto(self.origin + path)
            assert answer is not None
            if answer.status != expect_status:
                wrong.append(f"{name}: answered {answer.status}")
            settled(page)
            picture(page, f"{name}-{width}-{first}")
            told = [*axe_faults(page, where=None if width > 640 else FIRST_ROWS), *sideways(page)]
            switched(page, second)
            picture(page, f"{name}-{width}-{second}")
            told += [f"{second}: {line}" for line in axe_faults(page, RULES_OF_COLOUR, FIRST_ROWS)]
            told += [line for line in faults.said if not any(part in line for part in ignoring)]
            page.context.close()  # else every window stays alive, and drawn, until the test ends
            wrong += [f"{name} {width} {first}: {line}" for line in told]
        assert not wrong, "\n".join(wrong)

    def close(self) -> None:
        self.browser.close()


def picture(page: Page, name: str) -> None:
    """`screenshots/NAME.png`, of the whole page."""
    if NOBODY_LOOKS:
        return
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@pytest.fixture
def look(_django_db_helper: None, live_server: Any, browser_type_launch_args: dict[str, Any]) -> Iterator[Look]:
    """Ask for it in a test marked `browser`; import it into the test's module.

    Playwright lives as long as one test: its event loop must not be there when Django makes or flushes
    the database, which pytest-playwright's own `browser` of the whole session would be.
    """
    with sync_playwright() as playwright:
        looking = Look(playwright.chromium.launch(**browser_type_launch_args), live_server.url)
        yield looking
        looking.close()
        # Inside Playwright's loop Django keeps connections of its own; left open they hold the database.
        connections.close_all()
