"""The registry when two act at once, when it is damaged, and when another version made it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from glasshub import accounts, repos
from glasshub.errors import Forbidden, GlasshubError
from glasshub.hub import Hub, open_hub
from glasshub.identity import Role
from glasshub.registry import repos as repo_rows

pytestmark = pytest.mark.slow


def at_once(hub: Hub, *acts: Callable[[Hub], object]) -> list[object]:
    """What comes of acts that begin at the same moment, each with connections of its own; errors are results."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[Hub], object]) -> object:
        own = open_hub(hub.settings)
        barrier.wait(10)
        try:
            return act(own)
        except GlasshubError as error:
            return error
        finally:
            own.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_of_many_who_want_one_name_one_gets_it(hub):
    accounts.add_user(hub, "ada")
    ada = accounts.actor_for(hub, "ada")
    users = at_once(
        hub, *(lambda own, name=name: accounts.add_user(own, name) for name in ("bob", "BOB", "Bob", "bob"))
    )
    assert sorted(type(got).__name__ for got in users) == ["Account", "Conflict", "Conflict", "Conflict"]
    made = at_once(hub, *[lambda own: repos.create(own, ada, "model", "ada", "net")] * 4)
    assert sorted(type(got).__name__ for got in made) == ["Conflict", "Conflict", "Conflict", "Repo"]
    (repo,) = repos.every(hub)
    assert [path.stem for path in hub.settings.repos_dir.glob("*/*.git")] == [repo.key]  # the losers' folders are gone


def test_admins_who_remove_each_other_at_once_leave_one(hub):
    for name in ("ada", "bob"):
        accounts.add_user(hub, name)
    accounts.add_org(hub, "lab", admin="ada")
    ada = accounts.actor_for(hub, "ada")
    accounts.set_member(hub, ada, "lab", "bob", Role.ADMIN)
    bob = accounts.actor_for(hub, "bob")
    got = at_once(
        hub,
        lambda own: accounts.set_member(own, ada, "lab", "bob", Role.NONE),
        lambda own: accounts.set_member(own, bob, "lab", "ada", Role.NONE),
    )
    assert [member.role for member in accounts.members(hub, "lab")] == [Role.ADMIN]
    assert sorted(type(outcome).__name__ for outcome in got) == ["Forbidden", "NoneType"]


def test_who_was_removed_a_moment_ago_changes_no_members(hub):
    for name in ("ada", "bob", "eve"):
        accounts.add_user(hub, name)
    accounts.add_org(hub, "lab", admin="ada")
    ada = accounts.actor_for(hub, "ada")
    accounts.set_member(hub, ada, "lab", "bob", Role.ADMIN)
    request_under_way = accounts.actor_for(hub, "bob")
    accounts.set_member(hub, ada, "lab", "bob", Role.NONE)
    with pytest.raises(Forbidden, match="Only admins of lab"):
        accounts.set_member(hub, request_under_way, "lab", "eve", Role.ADMIN)


def test_a_repo_moved_onto_a_name_that_is_taken_stays(hub):
    accounts.add_user(hub, "ada")
    ada = accounts.actor_for(hub, "ada")
    one, two = (repos.create(hub, ada, "model", "ada", name) for name in ("one", "two"))
    got = at_once(hub, *(lambda own, repo=repo: repos.move(own, ada, repo, "ada", "best") for repo in (one, two)))
    assert sorted(type(outcome).__name__ for outcome in got) == ["Conflict", "Repo"]
    assert len({repo.name for repo in repos.every(hub)} & {"best", "one", "two"}) == 2


def test_a_repo_is_read_alike_however_it_is_looked_up(hub):
    accounts.add_user(hub, "ada")
    ada = accounts.actor_for(hub, "ada")
    made = [
        repos.create(hub, ada, "model", "ada", "open"),
        repos.create(hub, ada, "model", "ada", "vault", private=True, gated="manual"),
    ]
    wanted = {repo.key: repo for repo in made}
    with hub.registry.read() as db:
        assert repo_rows.by_keys(db, set(wanted)) == wanted
        assert {repo.key: repo for repo in repo_rows.every(db)} == wanted
        assert [repo_rows.by_key(db, key) for key in wanted] == made
        assert [repo_rows.find(db, repo.type, repo.repo_id) for repo in made] == made


def test_a_registry_of_another_version_is_left_alone(hub):
    path = hub.settings.data / "registry.sqlite"
    hub.registry.close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    db.close()
    before = path.read_bytes()
    with pytest.raises(GlasshubError, match="schema 99"):
        open_hub(hub.settings)
    assert path.read_bytes() == before


def test_damage_inside_is_told_and_nothing_is_taken_for_missing(hub):
    accounts.add_user(hub, "ada")
    hub.registry.close()
    with sqlite3.connect(hub.settings.data / "registry.sqlite") as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'accounts'").fetchone()
    db.close()
    with (hub.settings.data / "registry.sqlite").open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    for act in (lambda: accounts.find(hub, "ada"), lambda: accounts.listing(hub, "user")):
        with pytest.raises(GlasshubError, match="The registry is damaged"):
            act()
