"""Attachments: who may bring which, how large, and that no browser runs them."""

from __future__ import annotations

import io
import os
from pathlib import Path

import httpx2
import pytest

from glasshub import accounts, uploads
from glasshub.app import create_app
from glasshub.errors import Forbidden, Invalid, NotFound, TooLarge, Unauthenticated
from glasshub.identity import ANONYMOUS, Actor
from tests.api.lab import Lab

ADA = Actor("ada", scope="write")


def test_what_is_kept_and_what_is_not(hub, tmp_path: Path):
    name = uploads.store(hub, ADA, "image/png", io.BytesIO(b"png"))
    found = uploads.find(hub, name)
    assert (found.path.read_bytes(), found.type) == (b"png", "image/png")
    for actor, type, data, error in (
        (ANONYMOUS, "image/png", b"x", Unauthenticated),
        (Actor("ada", scope="read"), "image/png", b"x", Forbidden),
        (ADA, "text/html", b"x", Invalid),
        (ADA, "image/svg+xml", b"<svg/>", Invalid),
        (ADA, "", b"x", Invalid),
        (ADA, "image/png", b"", Invalid),
        (ADA, "video/mp4", bytes(hub.settings.max_upload_bytes + 1), TooLarge),
    ):
        with pytest.raises(error):
            uploads.store(hub, actor, type, io.BytesIO(data))
    files = [path for path in (hub.settings.data / uploads.FOLDER).rglob("*") if path.is_file()]
    assert files == [found.path]


@pytest.mark.parametrize(
    "name", ["", "..", "../registry.sqlite", "a" * 32 + ".svg", "A" * 32 + ".png", "a" * 32 + ".png", "0" * 32]
)
def test_names_that_lead_nowhere(hub, name: str):
    with pytest.raises(NotFound):
        uploads.find(hub, name)


@pytest.mark.slow
def test_an_attachment_comes_back_safe(lab: Lab, tmp_path: Path):
    path = tmp_path / "shot.png"
    path.write_bytes(b"<html><script>alert(1)</script>" + os.urandom(1000))
    url = lab.api("stranger").upload_attachment(path)
    assert url.startswith(f"{lab.live.url}/uploads/")
    answer = httpx2.get(url)
    assert answer.content == path.read_bytes()
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    part = httpx2.get(url, headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, path.read_bytes()[5:10])
    assert httpx2.head(url).headers["Content-Length"] == str(path.stat().st_size)
    assert httpx2.get(url, headers={"If-Modified-Since": answer.headers["Last-Modified"]}).status_code == 304


@pytest.mark.slow
def test_who_may_not_is_told_in_json(lab: Lab):
    png = {"Content-Type": "image/png"}
    answer = lab.http("anonymous").post("/uploads", content=b"x", headers=png)
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (401, "Unauthenticated")
    answer = lab.http("stranger").post("/uploads", content=b"x", headers={"Content-Type": "text/html"})
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (400, "Invalid")
    token, _ = accounts.create_token(lab.live.hub, lab.name("stranger"), scope="read")
    answer = lab.http("anonymous").post("/uploads", content=b"x", headers={**png, "Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (403, "Forbidden")
    large = bytes(lab.live.hub.settings.max_upload_bytes + 1)
    answer = lab.http("stranger").post("/uploads", content=large, headers={"Content-Type": "video/mp4"})
    assert (answer.status_code, answer.headers["X-Error-Code"]) == (413, "TooLarge")
    answer = lab.http("stranger").get(f"/uploads/{'0' * 32}.png")
    assert (answer.status_code, answer.json().keys()) == (404, {"error"})


@pytest.mark.slow
def test_films_above_the_size_of_forms_are_taken(lab: Lab):
    film = os.urandom(20 * 1024**2)
    url = lab.http("stranger").post("/uploads", content=film, headers={"Content-Type": "video/webm"}).text
    assert httpx2.get(url).content == film


@pytest.mark.slow
def test_floods_are_stopped(hub):
    accounts.add_user(hub, "ada")
    headers = {"Authorization": f"Bearer {accounts.create_token(hub, 'ada')[0]}", "Content-Type": "image/gif"}
    client = create_app(hub).test_client()
    codes = [client.post("/uploads", data=b"x", headers=headers).status_code for _ in range(201)]
    assert codes == [200] * 200 + [429]
