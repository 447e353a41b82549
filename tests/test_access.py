"""The permission table as pure rules."""

from __future__ import annotations

import pytest

from glasshub.access import Action, Visibility, may, may_create_in, require, visibility
from glasshub.errors import Forbidden, RepoNotFound, Unauthenticated
from glasshub.identity import ANONYMOUS, Actor, Repo, Role

PUBLIC = Repo("a" * 24, "model", "Lab", "net", False, "2026-01-01T00:00:00.000Z", "carl")
PRIVATE = Repo("b" * 24, "model", "Lab", "secret", True, "2026-01-01T00:00:00.000Z", "carl")


def _member(role: Role, name: str = "ada", **more) -> Actor:
    return Actor(name, {"lab": role, name: Role.ADMIN}, scope=more.pop("scope", "write"), **more)


ACTORS = {
    "anonymous": ANONYMOUS,
    "stranger": Actor("eve", {"eve": Role.ADMIN}, scope="write"),
    "reader": _member(Role.READ),
    "contributor": _member(Role.CONTRIBUTOR),
    "creator": _member(Role.CONTRIBUTOR, "Carl"),
    "writer": _member(Role.WRITE),
    "admin": _member(Role.ADMIN),
    "hub admin": Actor("root", {"root": Role.ADMIN}, is_hub_admin=True, scope="write"),
}
ALLOWED = {
    Action.READ: set(ACTORS),
    Action.READ_FILES: set(ACTORS),
    Action.DISCUSS: set(ACTORS) - {"anonymous"},
    Action.LIKE: set(ACTORS) - {"anonymous"},
    Action.PUSH_PULL: {"creator", "writer", "admin", "hub admin"},
    Action.EDIT_OWN: {"creator", "writer", "admin", "hub admin"},
    Action.WRITE: {"creator", "writer", "admin", "hub admin"},
    Action.ADMINISTER: {"admin", "hub admin"},
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("who", ACTORS)
def test_public_repo(action: Action, who: str):
    assert may(ACTORS[who], action, PUBLIC) is (who in ALLOWED[action])


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("who", ACTORS)
def test_private_repo_is_closed_to_outsiders_whatever_they_want(action: Action, who: str):
    outside = who in ("anonymous", "stranger")
    assert may(ACTORS[who], action, PRIVATE) is (who in ALLOWED[action] and not outside)
    if outside:
        with pytest.raises(RepoNotFound):
            require(ACTORS[who], action, PRIVATE)


@pytest.mark.parametrize("action", [Action.PUSH_PULL, Action.EDIT_OWN])
def test_an_author_may_change_their_own_thing_and_nobody_elses(action: Action):
    assert may(ACTORS["stranger"], action, PUBLIC, author="Eve")
    assert not may(ACTORS["stranger"], action, PUBLIC, author="ada")
    assert not may(ANONYMOUS, action, PUBLIC, author="Eve")


def test_a_read_token_only_reads_and_says_so():
    reader = _member(Role.ADMIN, scope="read")
    assert may(reader, Action.READ, PRIVATE)
    with pytest.raises(Forbidden, match="read-only"):
        require(reader, Action.WRITE, PUBLIC)


def test_a_token_for_some_repos_sees_and_writes_no_others():
    limited = _member(Role.ADMIN, only_repos=frozenset({PUBLIC.key}))
    assert may(limited, Action.WRITE, PUBLIC)
    assert not may(limited, Action.READ, PRIVATE)
    assert not may_create_in(limited, "lab")
    assert visibility(limited).only_repos == (PUBLIC.key,)


def test_anonymous_writers_are_asked_to_sign_in():
    with pytest.raises(Unauthenticated):
        require(ANONYMOUS, Action.WRITE, PUBLIC)


def test_visibility_names_the_namespaces_of_the_reader():
    assert visibility(ANONYMOUS) == Visibility()
    assert visibility(ACTORS["reader"]) == Visibility(namespaces=("ada", "lab"))
    assert visibility(ACTORS["hub admin"]).everything


@pytest.mark.parametrize(("who", "allowed"), [("reader", False), ("contributor", True), ("stranger", False)])
def test_new_repos_need_a_contributor(who: str, allowed: bool):
    assert may_create_in(ACTORS[who], "LAB") is allowed
