"""An organisation with a public and a private model, and people who stand differently to it, each with a client."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx2
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError

from glasshub import accounts
from glasshub.identity import Role
from tests.conftest import Live, Person

PEOPLE = ("anonymous", "stranger", "author", "reader", "writer", "admin")


@dataclass
class Lab:
    """Who and what there is; ``author`` is as much a stranger to the organisation as ``stranger``."""

    live: Live
    org: str
    people: dict[str, Person]
    clients: dict[str, httpx2.Client] = field(default_factory=dict)
    made: Iterator[int] = field(default_factory=lambda: iter(range(1000)))

    def api(self, who: str) -> HfApi:
        """The stock client of one of them."""
        return HfApi(self.live.url, token=self.people[who].token if who in self.people else False)

    def http(self, who: str) -> httpx2.Client:
        """Plain HTTP in the name of one of them."""
        if who not in self.clients:
            headers = {"Authorization": f"Bearer {self.people[who].token}"} if who in self.people else {}
            self.clients[who] = httpx2.Client(base_url=self.live.url, headers=headers, timeout=60)
        return self.clients[who]

    def name(self, who: str) -> str:
        return self.people[who].name

    def repo(self, *, private: bool = False, type: str = "model", **files: str) -> str:
        """A new repo of the organisation, made by its admin."""
        repo_id = f"{self.org}/r{next(self.made)}"
        api = self.api("admin")
        api.create_repo(repo_id, private=private, repo_type=type)
        if files:
            api.create_commit(repo_id, adds(**files), commit_message="Fill", repo_type=type)
        return repo_id


def adds(**files: str | bytes) -> list[CommitOperationAdd]:
    """Operations of the stock client that write these files (``__`` in a name stands for a slash)."""
    contents = {path.replace("__", "/"): data for path, data in files.items()}
    return [
        CommitOperationAdd(path, data.encode() if isinstance(data, str) else data) for path, data in contents.items()
    ]


def status(error: HfHubHTTPError) -> tuple[int, str]:
    """The status and the code that an error of the client carries."""
    return error.response.status_code, error.response.headers.get("X-Error-Code", "")


def make_lab(live: Live) -> Lab:
    """A lab of its own."""
    people = {who: live.person(who) for who in PEOPLE if who != "anonymous"}
    org = f"lab-{secrets.token_hex(4)}"
    accounts.add_org(live.hub, org, admin=people["admin"].name)
    boss = accounts.actor_for(live.hub, people["admin"].name)
    for who, role in (("reader", Role.READ), ("writer", Role.WRITE)):
        accounts.set_member(live.hub, boss, org, people[who].name, role)
    return Lab(live, org, people)
