"""The permission table of the design, row by row, over pages, API and git."""

from __future__ import annotations

import secrets
import urllib.error
import urllib.request
from dataclasses import dataclass

import pytest

from glasshub import accounts, repos
from glasshub.identity import Role
from tests.push.gitclient import init

pytestmark = pytest.mark.slow

#                    public: read  push  settings    private: read  push  settings
TABLE = {
    "anonymous":            (True, False, False,              False, False, False),
    "stranger":             (True, False, False,              False, False, False),
    "reader":               (True, False, False,              True,  False, False),
    "contributor":          (True, False, False,              True,  False, False),
    "contributing creator": (True, True,  False,              True,  True,  False),
    "writer":               (True, True,  False,              True,  True,  False),
    "writer, read token":   (True, False, False,              True,  False, False),
    "writer, other repos":  (True, False, False,              False, False, False),
    "org admin":            (True, True,  True,               True,  True,  True),
    "hub admin":            (True, True,  True,               True,  True,  True),
    "removed member":       (True, False, False,              False, False, False),
    "revoked token":        (False, False, False,             False, False, False),
}  # fmt: skip


@dataclass
class Scene:
    """One organisation with a public and a private repo, and a token for each persona."""

    org: str
    tokens: dict[str, str | None]


@pytest.fixture(scope="module")
def scene(live) -> Scene:
    hub, org = live.hub, f"lab-{secrets.token_hex(4)}"
    admin, creator = live.person("admin"), live.person("creator")
    accounts.add_org(hub, org, admin=admin.name)
    boss = accounts.actor_for(hub, admin.name)
    tokens: dict[str, str | None] = {"anonymous": None, "stranger": live.person().token, "org admin": admin.token}
    accounts.set_member(hub, boss, org, creator.name, Role.CONTRIBUTOR)
    tokens["contributing creator"] = creator.token
    own = accounts.actor_for(hub, creator.name)
    made = [repos.create(hub, own, "model", org, name, private=name == "private") for name in ("public", "private")]
    other = repos.create(hub, boss, "model", org, "other")
    assert made[1].private
    for persona, role in (("reader", Role.READ), ("contributor", Role.CONTRIBUTOR), ("writer", Role.WRITE)):
        person = live.person(persona)
        accounts.set_member(hub, boss, org, person.name, role)
        tokens[persona] = person.token
        if persona == "writer":
            tokens["writer, read token"] = accounts.create_token(hub, person.name, scope="read")[0]
            tokens["writer, other repos"] = accounts.create_token(hub, person.name, only_repos=[other.key])[0]
            tokens["revoked token"], info = accounts.create_token(hub, person.name)
            accounts.revoke_token(hub, person.name, info.id)
    gone = live.person("gone")
    accounts.set_member(hub, boss, org, gone.name, Role.WRITE)
    accounts.set_member(hub, boss, org, gone.name, Role.NONE)
    tokens["removed member"] = gone.token
    tokens["hub admin"] = live.person("root", admin=True).token
    return Scene(org, tokens)


def _status(url: str, token: str | None) -> int:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return 401 if "/login" in answer.url else answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("visibility", ["public", "private"])
@pytest.mark.parametrize("persona", TABLE)
def test_table(live, scene: Scene, tmp_path, persona: str, visibility: str):
    may_read, may_push, may_change = TABLE[persona][:3] if visibility == "public" else TABLE[persona][3:]
    token, path = scene.tokens[persona], f"{scene.org}/{visibility}"
    remote = f"{live.url}/{path}" if token is None else live.url.replace("://", f"://x:{token}@") + f"/{path}"
    tree = init(tmp_path / "tree", remote)

    assert (_status(f"{live.url}/{path}", token) == 200) is may_read
    assert (_status(f"{live.url}/api/models/{path}", token) == 200) is may_read
    # git shows credentials only when it is asked, so a public repo is read without them whatever they are.
    assert tree.git("ls-remote", "origin", check=False).ok is (may_read or visibility == "public")

    tree.commit("Try", **{"README.md": persona})
    branch = persona.replace(" ", "-").replace(",", "")
    assert tree.git("push", "origin", f"HEAD:refs/heads/{branch}", check=False).ok is may_push

    assert (_status(f"{live.url}/{path}/settings", token) == 200) is may_change


@pytest.mark.parametrize("persona", ["anonymous", "stranger", "removed member"])
def test_a_private_repo_looks_exactly_like_one_that_does_not_exist(live, scene: Scene, persona: str):
    token = scene.tokens[persona]
    for prefix in ("/", "/api/models/"):
        assert _status(f"{live.url}{prefix}{scene.org}/private", token) == 404
        assert _status(f"{live.url}{prefix}{scene.org}/never-made", token) == 404


def test_pushing_to_a_missing_repo_of_somebody_else_says_it_does_not_exist(live, scene: Scene, tmp_path):
    stranger = scene.tokens["stranger"]
    for name in ("private", "never-made"):
        tree = init(tmp_path / name, live.url.replace("://", f"://x:{stranger}@") + f"/{scene.org}/{name}")
        tree.commit("Try", **{"README.md": "x"})
        answer = tree.git("push", "origin", "main", check=False)
        assert "not found" in answer.err.lower()
