"""The pages in a real browser: narrow screens, dark scheme, the content policy, no JavaScript, the keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from glasshub import accounts
from glasshub.web.auth import COOKIE
from tests.pages.browser import launch, served
from tests.pages.site import LONG_NAME, LONG_TASK, Site

pytestmark = pytest.mark.slow

LONG = f"/{LONG_NAME}"
PAGES = [
    "/",
    "/models",
    "/benchmarks",
    "/api",
    "/search?q=small",
    "/lab",
    "/lab/small",
    "/lab/small/evaluations",
    "/lab/small/evaluations/history",
    "/datasets/lab/capitals",
    "/datasets/lab/many",
    "/datasets/lab/capitals/leaderboard?task=europe",
    "/datasets/lab/capitals/leaderboard?task=europe&model=lab/small",
    "/lab/small/tree/main",
    "/lab/small/blob/main/answer.py",
    "/lab/small/blob/main/.eval_results/wrong.yaml",
    "/lab/small/commits/main",
    "/lab/none",
    "/models?sort=sideways",
    "/login",
    LONG,
    f"{LONG}/evaluations",
    f"{LONG}/tree/main",
    f"{LONG}/tree/main/folder",
    f"{LONG}/blob/main/.eval_results/broken.yaml",
    f"{LONG}/blob/main/README.md",
    f"{LONG}/commits/main",
    f"/datasets/lab/many?task={LONG_TASK}",
    f"/datasets/lab/many/leaderboard?task={LONG_TASK}",
    f"/datasets/lab/many/leaderboard?task={LONG_TASK}&model={LONG_NAME}",
]
MEMBER_PAGES = [
    "/settings",
    "/settings/tokens",
    "/new",
    "/organizations/lab/settings",
    "/lab/small/settings",
    "/ada",
    "/ada/empty",
    f"{LONG}/settings",
]


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    """The site, served on loopback."""
    with served(site.app) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as play:
        chromium = launch(play)
        yield chromium
        chromium.close()


def _page(browser: Browser, **options) -> tuple[Page, list[str]]:
    """A page, and what its console complains of (that a page has the status it should have is no complaint)."""
    page = browser.new_context(**options).new_page()
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not re.search(r"status of 40[0-9]", message.text):
            said.append(f"{page.url}: {message.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
    return page, said


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_scrolls_sideways_on_a_small_phone_or_breaks_the_policy(
    site: Site, address: str, browser: Browser, scheme: str
):
    page, said = _page(browser, viewport={"width": 360, "height": 640}, color_scheme=scheme)
    wide = [path for path in PAGES if _width(page, address + path) > 360]
    page.goto(f"{address}{LONG}/commits/main")
    page.locator(".commit-title").first.click()
    wide += [page.url] if _width(page, page.url) > 360 else []
    secret = accounts.start_session(site.hub, "ada")
    page.context.add_cookies([{"name": COOKIE, "value": secret, "url": address}])
    wide += [path for path in MEMBER_PAGES if _width(page, address + path) > 360]
    assert wide == []
    assert said == []
    page.context.close()


def test_the_tab_of_the_page_is_in_sight_on_a_phone(site: Site, address: str, browser: Browser):
    page, _ = _page(browser, viewport={"width": 360, "height": 640})
    page.goto(f"{address}/lab/small/discussions")
    box = page.get_by_role("link", name="Community").bounding_box()
    assert box["x"] + box["width"] <= 360
    page.context.close()


def _width(page: Page, url: str) -> int:
    """How wide a page is once it is there."""
    page.goto(url)
    assert page.get_by_role("main").get_by_role("heading", level=1).count() == 1
    return page.evaluate("document.documentElement.scrollWidth")


def test_everything_works_without_javascript(address: str, browser: Browser):
    page, _ = _page(browser, java_script_enabled=False)
    page.goto(address)
    page.get_by_placeholder("Name, task, tag or language").fill("small")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="lab/small").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("lab / small")
    page.get_by_role("table", name="Evaluation results of lab/small").get_by_role("link", name="1 of 3").click()
    expect(page.get_by_role("row", name="small").first).to_be_visible()
    page.get_by_role("link", name="lab/capitals", exact=True).click()
    expect(page.get_by_role("heading", name="How to reproduce a score")).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    page.get_by_text("Clone", exact=True).click()
    expect(page.get_by_text("git clone http://hub.example/datasets/lab/capitals")).to_be_visible()
    page.context.close()


def test_a_person_signs_in_and_sees_what_is_theirs(address: str, browser: Browser):
    page, said = _page(browser, viewport={"width": 390, "height": 800})
    page.goto(f"{address}/login?next=/lab")
    page.get_by_label("User name").fill("eve")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="lab/secret-model")).to_be_visible()
    page.get_by_text("eve", exact=True).first.click()
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{address}/lab")
    expect(page.get_by_role("link", name="lab/secret-model")).to_have_count(0)
    assert said == []
    page.context.close()


def test_whoever_signs_in_from_a_page_comes_back_to_it(address: str, browser: Browser):
    page, _ = _page(browser)
    page.goto(f"{address}/lab/secret-model")
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    page.get_by_label("User name").fill("eve")
    page.get_by_label("Password").fill("correct horse")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("lab / secret-model")
    page.context.close()


def test_the_keyboard_reaches_content_tables_and_menus(address: str, browser: Browser):
    page, _ = _page(browser, viewport={"width": 360, "height": 640})
    page.goto(f"{address}/datasets/lab/capitals/leaderboard?task=europe")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    region = page.get_by_role("region", name="europe, ranked by accuracy")
    region.focus()
    before = page.get_by_role("columnheader", name="Model").bounding_box()
    page.keyboard.press("ArrowRight")
    expect(region).not_to_have_js_property("scrollLeft", 0)
    after = page.get_by_role("columnheader", name="Model").bounding_box()
    assert after["x"] == pytest.approx(before["x"], abs=2), "the model column stays in view"
    page.context.close()
