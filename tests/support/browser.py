"""Pages in a real browser: fixtures `browser` (Debian's Chromium, one for each worker) and `page` (a fresh profile).

It is Chromium's headless shell: the same engine without the windows around it, which cost more than the pages did.

A click and a key pressed on an element return when the page they led to is loaded. Playwright itself returns when that
page's first bytes are there, and `count()`, `is_visible()` or `inner_text()` of what is further down would then answer
from half a page.
"""

from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

#: milliseconds until something must be there, on a machine that does other things as well; what holds does not wait for them
PATIENCE = 60_000
_AXE = Path(__file__).parent / "vendor" / "axe" / "axe.min.js"
# WCAG 2.2 AA; what a machine can find of it.
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_CHROMIUM = "/usr/bin/chromium-headless-shell"
# No talk with anyone but the page: background services look for their makers' hosts at every start.
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _settled(act: Callable[..., None]) -> Callable[..., None]:
    @wraps(act)
    def settled(element: Locator, *given: Any, **named: Any) -> None:
        act(element, *given, **named)
        element.page.wait_for_load_state()

    return settled


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as patched, sync_playwright() as playwright:
        for name in ("click", "press"):
            patched.setattr(Locator, name, _settled(getattr(Locator, name)))
        expect.set_options(timeout=PATIENCE)
        chromium = playwright.chromium.launch(executable_path=_CHROMIUM, headless=True, args=_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page of a fresh profile, in Chinese; the servers of tests have certificates of their own."""
    context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", ignore_https_errors=True)
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def screenshot(page: Page, path: Path) -> Path:
    """The whole page as PNG."""
    page.screenshot(path=path, full_page=True)
    return path


def accessibility_faults(page: Page) -> list[str]:
    """What axe-core finds on the page as it stands: rule, meaning and the first elements. Works under a strict CSP."""
    # axe waits by timers, which a page without scripts never fires: it would stand still, as no call of `evaluate` ends by itself
    assert page.evaluate("matchMedia('(scripting: enabled)').matches"), "axe needs a page with scripts"
    page.evaluate(_AXE.read_text("utf-8"))
    # what passed is neither described nor sent: that took as long as all the rest
    found: list[dict[str, Any]] = page.evaluate(
        "tags => axe.run({runOnly: tags, resultTypes: ['violations']}).then(found => found.violations)", _TAGS
    )
    return [
        f"{fault['id']}: {fault['help']}: {[node['html'] for node in fault['nodes'][:3]]}" for fault in found
    ]
