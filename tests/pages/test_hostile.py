"""Whatever people upload, nothing of it runs in the hub's origin: cards and files in a browser that is signed in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import Error as BrowserError

from glasshub import accounts
from glasshub.web.auth import COOKIE
from tests.pages.browser import launch, served
from tests.pages.site import Site, build_site

pytestmark = pytest.mark.slow

RUN = "document.title = 'taken'; window.taken = true; fetch('/settings/tokens')"
HTML = f'<!doctype html><title>x</title><script>{RUN}</script><img src=x onerror="{RUN}"><h1>Sign in again</h1>'
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{RUN}"><script>{RUN}</script><circle r="9"/></svg>'
XHTML = f'<html xmlns="http://www.w3.org/1999/xhtml"><head><script>{RUN}</script></head><body/></html>'
XSLT = '<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="page.xsl"?><a/>'
FILES: dict[str, str | bytes | None] = {
    "page.html": HTML,
    "page.htm": HTML,
    "page.shtml": HTML,
    "page.xhtml": XHTML,
    "page.xml": XSLT,
    "page.xsl": XHTML,
    "page.svg": SVG,
    "page.mht": HTML,
    "page.pdf": HTML,
    "page": HTML,
    "page.txt": HTML,
    "page.png": HTML,
    "README": HTML,
    "page.js": RUN,
    "page.mjs": RUN,
    "page.css": "main { display: none } /* */",
    "weights.bin": HTML.encode() + b"\0",
}
CARD = f"""\
# A card

<script>{RUN}</script><img src=x onerror="{RUN}"><svg onload="{RUN}"><script>{RUN}</script></svg>
<style>main {{ display: none }}</style><p style="position: fixed; inset: 0">over all</p>
<iframe srcdoc="<script>parent.{RUN}</script>"></iframe><object data="page.svg"></object><embed src="page.svg">
<form action="/logout" method="post"><button formaction="/settings/password">press</button></form>
<meta http-equiv="refresh" content="0;url=https://evil.example"><base href="https://evil.example/">

<a href="javascript:{RUN}">first</a> [second](javascript:document.title='taken')
<a href="page.html">third</a> [fourth](page.svg) ![a picture](page.svg) ![tracked](https://evil.example/t.png)

<div id="main" class="masthead">over</div><input name="csrf_token" value="x">

<details open ontoggle="{RUN}"><summary>more</summary></details>

<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror={RUN}&gt;">
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A hub with a model and a dataset full of traps."""
    built = build_site(tmp_path_factory.mktemp("traps"))
    built.push("model", "eve/traps", {**FILES, "README.md": CARD}, user="eve")
    built.push("dataset", "eve/traps", {"README.md": CARD, "page.svg": SVG}, user="eve")
    yield built
    built.hub.close()


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    """It, served on loopback."""
    with served(site.app) as url:
        yield url


@pytest.fixture(scope="module")
def page(site: Site, address: str) -> Iterator[Page]:
    """A browser in which an admin of other repos is signed in."""
    with sync_playwright() as play:
        browser: Browser = launch(play)
        context = browser.new_context()
        secret = accounts.start_session(site.hub, "ada")
        context.add_cookies([{"name": COOKIE, "value": secret, "url": address}])
        yield context.new_page()
        browser.close()


@pytest.mark.parametrize("verb", ["resolve", "raw"])
@pytest.mark.parametrize("name", FILES)
def test_no_file_runs_when_it_is_opened(page: Page, address: str, verb: str, name: str):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    url = f"{address}/eve/traps/{verb}/main/{name}"
    with suppress(BrowserError):  # what no browser shows is a download
        page.goto(url)
    assert page.title() != "taken"
    assert page.evaluate("window.taken") is None
    assert set(asked) == {url}


@pytest.mark.parametrize("name", ["page.js", "page.mjs", "page.html"])
def test_no_file_is_a_script_for_a_page_of_the_hub(page: Page, address: str, name: str):
    page.goto(address)
    url = f"/eve/traps/resolve/main/{name}"
    for kind in ("text/javascript", "module"):
        outcome = page.evaluate(
            """([url, type]) => new Promise(done => {
                const script = Object.assign(document.createElement("script"), {src: url, type});
                script.onload = () => done("ran");
                script.onerror = () => done("refused");
                document.head.append(script);
            })""",
            [url, kind],
        )
        assert outcome == "refused"
    registered = page.evaluate("url => navigator.serviceWorker.register(url).then(() => 'ran', () => 'refused')", url)
    assert registered == "refused"
    assert page.evaluate("window.taken") is None


@pytest.mark.parametrize("path", ["/eve/traps", "/datasets/eve/traps", "/eve/traps/blob/main/README.md"])
def test_a_card_neither_runs_nor_covers_nor_calls_others(page: Page, address: str, path: str):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address + path)
    expect(page.get_by_role("heading", name="A card")).to_be_visible()
    for name in ("more", "over all", "first"):
        page.get_by_text(name).first.click()
    assert page.title() != "taken"
    assert page.evaluate("window.taken") is None
    assert page.url.split("#")[0] == address + path
    assert page.locator(".prose :is(form, button, iframe, object, embed, style, script, svg, meta, base)").count() == 0
    assert page.locator(".prose :is([style], [onload], [onerror], [ontoggle])").count() == 0
    assert page.locator("#main").count() == 1
    assert page.locator(".prose").evaluate("prose => getComputedStyle(prose.querySelector('p')).position") == "static"
    assert {url for url in asked if not url.startswith(f"{address}/")} == set()
    assert page.get_by_role("link", name="tracked").get_attribute("href") == "https://evil.example/t.png"


@pytest.mark.parametrize("name", ["page.html", "page.svg", "page.js", "page.xhtml"])
def test_the_page_of_a_file_shows_its_source(page: Page, address: str, name: str):
    page.goto(f"{address}/eve/traps/blob/main/{name}")
    expect(page.locator(".source")).to_contain_text("window.taken = true")
    assert page.evaluate("window.taken") is None


def test_a_file_may_not_be_framed_and_opens_no_window_on_the_hub(page: Page, address: str):
    answer = page.request.get(f"{address}/eve/traps/resolve/main/page.html")
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in page.request.get(address).headers["content-security-policy"]
