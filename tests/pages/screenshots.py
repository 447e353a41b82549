"""Pictures of the main pages of a demo hub: ``python -m tests.pages.screenshots docs/screenshots``."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from glasshub import accounts, demo
from glasshub.app import create_app
from glasshub.config import Settings
from glasshub.hub import Hub, open_hub
from glasshub.web.auth import COOKIE
from tests.pages.browser import launch, served

MODEL = "/mixedbread-ai/mxbai-embed-large-v1"
DISPUTED = "/mara/first-option"
BENCHMARK = "/datasets/glasshub/desk-questions"
BOARD = "/datasets/mteb/scifact/leaderboard"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@dataclass(frozen=True)
class Shot:
    """One picture: its file's name, the page, and how it is looked at."""

    name: str
    path: str
    phone: bool = False
    dark: bool = False
    member: bool = False


SHOTS = [
    Shot("home", "/"),
    Shot("home-phone-dark", "/", phone=True, dark=True),
    Shot("model", MODEL),
    Shot("model-phone", MODEL, phone=True),
    Shot("benchmark", BENCHMARK),
    Shot("leaderboard", BOARD),
    Shot("leaderboard-dark", BOARD, dark=True),
    Shot("leaderboard-phone", BOARD, phone=True),
    Shot("search", "/search?q=embedding"),
    Shot("evaluations", f"{MODEL}/evaluations"),
    Shot("files-phone", f"{MODEL}/tree/main", phone=True),
    Shot("tokens", "/settings/tokens", member=True),
    Shot("not-found-phone", "/nobody/nothing", phone=True),
    Shot("file", f"{MODEL}/blob/main/.eval_results/mteb.yaml#L12"),
    Shot("commit", f"{MODEL}/commit/<latest>"),
    Shot("pull-request", f"{DISPUTED}/discussions/1", member=True),
    Shot("pull-request-phone-dark", f"{DISPUTED}/discussions/1", phone=True, dark=True),
    Shot("evaluation-history", f"{DISPUTED}/evaluations/history"),
    Shot("submit-score", f"{DISPUTED}/submit-score", member=True),
]


def main(folder: Path) -> None:
    """Fill a demo hub, serve it on loopback, and write ``<name>.png`` for every shot."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, sync_playwright() as play:
        hub = open_hub(Settings(data=Path(data), public_url="https://hub.example.org"))
        _fill(hub)
        browser = launch(play)
        with served(create_app(hub)) as address:
            for shot in SHOTS:
                secret = accounts.start_session(hub, demo.ADMIN) if shot.member else ""
                _take(browser, address, shot, secret, folder / f"{shot.name}.png")
        browser.close()
        hub.close()


def _fill(hub: Hub) -> None:
    accounts.add_user(hub, demo.ADMIN, full_name="Demo admin", admin=True)
    demo.populate(hub)


def _take(browser: Browser, address: str, shot: Shot, secret: str, target: Path) -> None:
    context = browser.new_context(
        viewport=PHONE if shot.phone else DESKTOP, color_scheme="dark" if shot.dark else "light"
    )
    if secret:
        context.add_cookies([{"name": COOKIE, "value": secret, "url": address}])
    page = context.new_page()
    path = shot.path
    if path.endswith("<latest>"):
        page.goto(f"{address}{MODEL}/commits/main")
        path = page.locator(".commit-title").first.get_attribute("href") or ""
    page.goto(address + path)
    page.screenshot(path=target)
    context.close()
    print(f"{target}: {target.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
