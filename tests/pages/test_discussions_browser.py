"""Discussions and pull requests in a real browser: without JavaScript, on a phone, by keyboard, in both schemes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from glasshub import discussions
from glasshub.web.auth import COOKIE
from tests.pages.browser import launch, served
from tests.pages.forum import MODEL, NEW, OWN, PYTHON, Forum, build_forum
from tests.pages.site import result

pytestmark = pytest.mark.slow
HERE = f"/{MODEL}/discussions"


@pytest.fixture(scope="module")
def forum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forum]:
    """A hub with a discussion, a pull request with scores and one in conflict."""
    built = build_forum(tmp_path_factory.mktemp("forum"))
    body = "See `code` and\n\n```\n" + "long line " * 40 + "\n```\n\n|a|b|\n|-|-|\n|" + "wide" * 40 + "|x|\n"
    built.decide("mo", discussions.open_discussion, title="W" * 150, body=body)
    files = {OWN: result(53), NEW: result(2.5, task="asia"), "code.py": PYTHON.replace("return 42", "return 41 + 0")}
    built.propose("sam", {**files, "d/" + "n" * 120 + ".txt": "x" * 300 + "\n"}, title="Add scores")
    built.propose("sam", {OWN: result(60)}, title="In conflict")
    built.push("model", MODEL, {OWN: result(48)})
    yield built
    built.hub.close()


@pytest.fixture(scope="module")
def address(forum: Forum) -> Iterator[str]:
    with served(forum.app) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        chromium = launch(play)
        yield chromium
        chromium.close()


def opened(forum: Forum, browser: Browser, address: str, user: str | None, **options) -> tuple[BrowserContext, Page]:
    context = browser.new_context(**options)
    if user is not None:
        forum.client(user)
        context.add_cookies([{"name": COOKIE, "value": forum.sessions[user], "url": address}])
    return context, context.new_page()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("user", [None, "ada"])
def test_nothing_scrolls_sideways_on_a_phone_and_the_policy_holds(
    forum: Forum, browser: Browser, address: str, scheme: str, user: str | None
):
    phone = {"width": 360, "height": 640}
    context, page = opened(forum, browser, address, user, viewport=phone, color_scheme=scheme)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    wide = []
    tails = ["", "/1", "/2", "/2/commits", "/2/files", "/2/files?view=split", "/3", "?q=zzz"]
    for tail in tails + (["/new", "/new?pull=1"] if user else []):
        page.goto(f"{address}{HERE}{tail}")
        for details in page.locator("main details:not(.menu) > summary").all():
            if details.is_visible():
                details.click()
        if page.evaluate("document.documentElement.scrollWidth") > 360:
            wide.append(tail)
    assert wide == []
    assert said == []
    context.close()


def test_the_whole_life_of_a_discussion_without_javascript(forum: Forum, browser: Browser, address: str):
    context, page = opened(forum, browser, address, "mo", java_script_enabled=False)
    page.goto(f"{address}/{MODEL}")
    page.get_by_role("link", name="Community").click()
    page.get_by_role("link", name="New discussion").click()
    page.get_by_label("Title").fill("Who measured this?")
    page.get_by_label("Text").fill("Tell me, @ada.")
    page.get_by_role("button", name="Start the discussion").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Who measured this?")
    page.get_by_label("Comment").fill("Found it.")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_text("mo closed this")).to_be_visible()
    expect(page.get_by_role("paragraph").filter(has_text="Found it.")).to_be_visible()
    mine = page.locator(".comment").last
    mine.get_by_text("Edit", exact=True).click()
    mine.get_by_label("Text").fill("Found it in the log.")
    mine.get_by_role("button", name="Save").click()
    expect(page.get_by_role("paragraph").filter(has_text="Found it in the log.")).to_be_visible()
    page.get_by_text("1 former version").click()
    expect(page.locator(".version")).to_have_text("Found it.")
    expect(page.locator(".version")).to_be_visible()
    page.get_by_text("Change the title").click()
    page.get_by_label("Title").fill("Who measured europe?")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Who measured europe?")
    context.close()


def test_a_writer_reads_scores_and_files_and_merges(forum: Forum, browser: Browser, address: str):
    context, page = opened(forum, browser, address, "wil", java_script_enabled=False)
    number = forum.propose("sam", {".eval_results/x.yaml": result(1.5, task="asia")}, title="Fewer errors")
    page.goto(f"{address}{HERE}")
    page.get_by_role("link", name="Fewer errors").click()
    row = page.get_by_role("table", name="Scores before and after").get_by_role("row").nth(1)
    expect(row).to_contain_text("asia, errors")
    expect(row).to_contain_text("1 of 2")
    page.get_by_role("link", name="Files changed").click()
    expect(page.get_by_role("region", name="Changed lines of .eval_results/x.yaml")).to_contain_text("value: 1.5")
    page.get_by_role("link", name="Side by side").click()
    expect(page.get_by_role("link", name="Side by side")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="Conversation").click()
    page.get_by_label("Squash").check()
    page.get_by_role("button", name="Merge into main").click()
    expect(page.get_by_text("wil merged this into main")).to_be_visible()
    expect(page.get_by_text("What it changed in the scores")).to_be_visible()
    assert forum.discussion(number).status == "merged"
    context.close()


def test_a_conflict_names_its_files_and_the_way_out(forum: Forum, browser: Browser, address: str):
    context, page = opened(forum, browser, address, "wil")
    page.goto(f"{address}{HERE}/3")
    box = page.get_by_role("region", name="Merging")
    expect(box).to_contain_text("It conflicts with main")
    expect(box.get_by_role("listitem")).to_have_text(OWN)
    expect(box.get_by_role("button", name="Merge into main")).to_have_count(0)
    expect(box.get_by_role("button", name="Copy")).to_be_visible()
    context.close()


def test_the_keyboard_reaches_comments_forms_and_differences(forum: Forum, browser: Browser, address: str):
    context, page = opened(forum, browser, address, "mo", viewport={"width": 360, "height": 640})
    page.goto(f"{address}{HERE}/2/files?view=split")
    region = page.get_by_role("region", name="Changed lines of code.py")
    region.focus()
    page.keyboard.press("ArrowRight")
    expect(region).not_to_have_js_property("scrollLeft", 0)
    page.goto(f"{address}{HERE}/1")
    page.get_by_label("Comment").focus()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Comment", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("paragraph").filter(has_text="By keyboard")).to_be_visible()
    assert "#comment-" in page.url
    context.close()
