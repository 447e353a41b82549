"""The permission table once more, for pull requests over git: who opens one, pushes to it, and moves main."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import pytest

from glasshub import accounts, repos
from glasshub.identity import Role
from tests.conftest import Live
from tests.push import gitclient
from tests.push.gitclient import WorkTree

pytestmark = pytest.mark.slow

#                    public: fetch  open   push to  main      private: fetch  open  push to  main
TABLE = {
    "anonymous":            (True,  False, False,   False,             False, False, False,  False),
    "stranger":             (True,  True,  False,   False,             False, False, False,  False),
    "reader":               (True,  True,  False,   False,             True,  True,  False,  False),
    "author":               (True,  True,  True,    False,             True,  True,  True,   False),
    "author, read token":   (True,  False, False,   False,             True,  False, False,  False),
    "writer":               (True,  True,  True,    True,              True,  True,  True,   True),
    "org admin":            (True,  True,  True,    True,              True,  True,  True,   True),
}  # fmt: skip


@dataclass
class Scene:
    """An organisation with a public and a private model, each with a pull request by the author; tokens by persona."""

    org: str
    tokens: dict[str, str | None]
    folder: Path

    def remote(self, live: Live, persona: str, name: str) -> str:
        token = self.tokens[persona]
        address = live.url if token is None else live.url.replace("://", f"://x:{token}@")
        return f"{address}/{self.org}/{name}"


@pytest.fixture(scope="module")
def scene(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    hub, org, folder = live.hub, f"lab-{secrets.token_hex(4)}", tmp_path_factory.mktemp("scene")
    people = {
        name: live.person(name.replace(" ", "-")) for name in ("stranger", "reader", "author", "writer", "org admin")
    }
    accounts.add_org(hub, org, admin=people["org admin"].name)
    boss = accounts.actor_for(hub, people["org admin"].name)
    for name, role in (("reader", Role.READ), ("author", Role.READ), ("writer", Role.WRITE)):
        accounts.set_member(hub, boss, org, people[name].name, role)
    tokens: dict[str, str | None] = {"anonymous": None, **{name: person.token for name, person in people.items()}}
    tokens["author, read token"] = accounts.create_token(hub, people["author"].name, scope="read")[0]
    found = Scene(org, tokens, folder)
    for name in ("public", "private"):
        repos.create(hub, boss, "model", org, name, private=name == "private")
        own = gitclient.init(folder / name, found.remote(live, "org admin", name))
        own.commit("Begin", **{"README.md": "# m"})
        own.git("push", "-q", "origin", "main")
        proposed = gitclient.clone(found.remote(live, "author", name), folder / f"{name}-author")
        proposed.commit("Propose", x="y")
        proposed.git("push", "-q", "origin", "HEAD:refs/for/main")
    return found


@pytest.fixture
def work(live: Live, scene: Scene, persona: str, visibility: str, tmp_path: Path) -> WorkTree:
    """A copy of the repo in which the persona has committed on top of the pull request."""
    gitclient.git("clone", "-q", str(scene.folder / f"{visibility}-author"), str(tmp_path / "work"), cwd=tmp_path)
    tree = WorkTree(tmp_path / "work")
    tree.git("remote", "set-url", "origin", scene.remote(live, persona, visibility))
    tree.git("checkout", "-q", "-B", "main", "HEAD~1")
    return tree


@pytest.mark.parametrize("visibility", ["public", "private"])
@pytest.mark.parametrize("persona", TABLE)
def test_table(work: WorkTree, persona: str, visibility: str):
    may_fetch, may_open, may_push, may_write = TABLE[persona][:4] if visibility == "public" else TABLE[persona][4:]
    assert work.git("fetch", "origin", "refs/pr/1", check=False).ok is may_fetch
    work.commit(f"{persona} opens", a=persona)
    assert work.git("push", "origin", "HEAD:refs/for/main", check=False).ok is may_open
    if may_fetch:
        work.git("checkout", "-q", "FETCH_HEAD")
    work.commit(f"{persona} pushes", b=persona)
    assert work.git("push", "origin", "HEAD:refs/pr/1", check=False).ok is may_push
    assert not work.git("push", "origin", "HEAD:refs/hub/events", check=False).ok
    branch = persona.replace(" ", "-").replace(",", "")
    assert work.git("push", "origin", f"HEAD:refs/heads/{branch}", check=False).ok is may_write
