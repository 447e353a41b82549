"""A town with webhooks: a hub without a server, and a live one, both allowed to call loopback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from glasshub import accounts, desk, discussions, pulls, receive, repos
from glasshub.app import create_app
from glasshub.config import Settings
from glasshub.git import read
from glasshub.git.quarantine import Quarantine
from glasshub.hub import open_hub
from glasshub.identity import Repo, Role
from glasshub.notices import delivery, webhooks
from glasshub.notices.webhooks import DOMAINS, Watched, Webhook
from glasshub.registry import deliveries
from glasshub.registry.deliveries import Delivery
from glasshub.web.auth import COOKIE
from tests.conftest import Live, free_port, start_server, stop_server
from tests.index.town import Town
from tests.notices.receiver import Receiver, receiving
from tests.pages.markup import faults

FAST = {
    "GLASSHUB_WEBHOOKS_PRIVATE_ADDRESSES": "true",
    "GLASSHUB_WEBHOOK_TIMEOUT": "1",
    "GLASSHUB_WEBHOOK_RETRY_SECONDS": "0.2",
}


@dataclass
class Place(Town):
    """A town whose people have webhooks."""

    @cached_property
    def app(self) -> Flask:
        """What serves it."""
        return create_app(self.hub)

    def hook(self, *watched: str, user: str = "ada", url: str = "http://127.0.0.1:9/", **options: Any) -> Webhook:
        """A webhook of ``user``; ``watched`` as ``type name``."""
        items = [Watched(*item.split()) for item in watched]
        options.setdefault("domains", DOMAINS)
        return webhooks.create(self.hub, self.actor(user), url=url, watched=items, **options)

    def outbox(self, hook: Webhook) -> list[Delivery]:
        """What was and is to be delivered, oldest first."""
        with self.hub.registry.read() as db:
            return deliveries.listing(db, hook.id, limit=1000)[::-1]

    def told(self, hook: Webhook) -> list[str]:
        return [f"{one.scope} {one.action}" for one in self.outbox(hook)]

    def send(self) -> int:
        """Deliver what is due, in this process and one after the other; returns how many there were."""
        done = 0
        while taken := delivery.take(self.hub, 4):
            for one in taken:
                delivery.deliver(self.hub, one)
                done += 1
        return done

    def decide(self, repo: Repo, decision: Any, *, user: str = "ada", **options: Any) -> desk.Move:
        return receive.decide(self.hub, repo, self.actor(user), partial(decision, **options))

    def be_impatient(self) -> None:
        """Try again soon what fails."""
        settings = replace(self.hub.settings, webhook_retry_seconds=0.01)
        self.hub = replace(self.hub, settings=settings)

    def discuss(self, repo: Repo, body: str = "Hello.", *, user: str = "ada", title: str = "A question") -> int:
        return self.decide(repo, discussions.open_discussion, user=user, title=title, body=body).number

    def comment(self, repo: Repo, number: int, body: str, *, user: str = "ada") -> str:
        move = self.decide(repo, discussions.comment, user=user, number=number, body=body)
        return move.events[-1].id

    def propose(self, repo: Repo, files: dict[str, str], *, user: str = "bob", title: str = "A change") -> int:
        """Open a pull request with one commit on top of main."""
        with read.open_repo(self.hub.git_dir(repo)) as git, Quarantine(git) as incoming:
            head = self.build(incoming, read.list_refs(git)["refs/heads/main"], files)
            decision = partial(pulls.open_pull, title=title, body="", head=head)
            return receive.decide(self.hub, repo, self.actor(user), decision, incoming=incoming).number


class Browser:
    """A browser that is signed in: it sends forms with their token."""

    def __init__(self, town: Place, user: str = "") -> None:
        self.client: FlaskClient = town.app.test_client()
        if user:
            self.client.set_cookie(COOKIE, accounts.start_session(town.hub, user))

    def get(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path, follow_redirects=False)
        assert answer.status_code == status, answer.text
        if status == 200:
            assert faults(answer.text) == []
        return answer.text

    def post(self, page: str, path: str, status: int = 303, **fields: str) -> str:
        """Send a form of ``page`` to ``path``; returns where it leads to, or the page that came back."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page))
        answer = self.client.post(path, data={**fields, "csrf_token": token[1] if token else ""})
        assert answer.status_code == status, answer.text
        return answer.headers["Location"] if status == 303 else answer.text


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Place]:
    """ada and bob, ada's organisation lab in which rita reads, and a stranger."""
    settings = Settings(
        data=tmp_path / "data",
        public_url="https://hub.example.org",
        webhooks_private_addresses=True,
        webhook_timeout=1.0,
    )
    hub = open_hub(settings)
    for name in ("ada", "bob", "rita", "stranger"):
        accounts.add_user(hub, name)
    accounts.add_org(hub, "lab", admin="ada")
    accounts.set_member(hub, accounts.actor_for(hub, "ada"), "lab", "rita", Role.READ)
    yield Place(hub)
    hub.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture(scope="session")
def wired(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A live hub that may call loopback, tries again soon, and gives up soon."""
    folder = tmp_path_factory.mktemp("wired")
    data, port = folder / "data", free_port()
    url = f"http://127.0.0.1:{port}"
    process = start_server(data, port, log=folder / "server.log", env={**FAST, "GLASSHUB_PUBLIC_URL": url})
    hub = open_hub(Settings(data=data))
    yield Live(url, hub, process)
    hub.close()
    stop_server(process)


def repo_of(town: Place, repo_id: str) -> Repo:
    """The model of that name as it is now."""
    return repos.find(town.hub, "model", *repo_id.split("/"))
