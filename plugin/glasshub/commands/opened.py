"""A hub for the length of one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from glasshub import accounts, repos
from glasshub.config import Settings
from glasshub.errors import Invalid, NotFound, RepoNotFound
from glasshub.hub import Hub, open_hub
from glasshub.identity import REPO_TYPES, Actor, Repo, RepoType, Role

OPERATOR = Actor(name="operator", is_hub_admin=True, scope="write")
"""Whoever may run commands on the machine may do everything."""

repo_type = click.argument("type", type=click.Choice(REPO_TYPES))
repo_id = click.argument("repo_id", metavar="NS/NAME")


@contextmanager
def opened(context: click.Context, *, create: bool = False) -> Iterator[Hub]:
    """The hub in the chosen data folder.

    Args:
        context: of the running command.
        create: make a hub where there is none; otherwise a mistyped folder is an error (``NotFound``).
    """
    settings = context.find_object(Settings)
    assert settings is not None
    if not create and not settings.repos_dir.is_dir():
        raise NotFound(f"There is no hub in {settings.data}. Name its folder with --data, or make one: glasshub serve.")
    hub = open_hub(settings)
    try:
        yield hub
    finally:
        hub.close()


def split_id(repo_id: str) -> tuple[str, str]:
    """``ns/name`` in two. Raises ``Invalid``."""
    namespace, slash, name = repo_id.partition("/")
    if not slash or not namespace or not name or "/" in name:
        raise Invalid(f"{repo_id!r} is no repo id. Write it as namespace/name.")
    return namespace, name


def find_repo(hub: Hub, type: RepoType, repo_id: str) -> Repo:
    """The repo that has this name now: a command meant for one repo must not reach the one it was renamed to.

    Raises ``RepoNotFound``, ``Invalid``.
    """
    try:
        found = repos.find(hub, type, *split_id(repo_id))
    except RepoNotFound as error:
        raise RepoNotFound(f"There is no {type} called {repo_id}. See: glasshub repo list.") from error
    if found.repo_id.lower() != repo_id.lower():
        raise RepoNotFound(f"The {type} {repo_id} is now called {found.repo_id}. Use that name.")
    return found


def acting_as(hub: Hub, repo: Repo, user: str | None) -> Actor:
    """Who decides. The record is public, so it is always a person who may write to the model."""
    if user is not None:
        return accounts.actor_for(hub, user)
    owner = accounts.find(hub, repo.namespace)
    if owner.kind == "user":
        return accounts.actor_for(hub, owner.name)
    admins = [member.user for member in accounts.members(hub, owner.name) if member.role is Role.ADMIN]
    return accounts.actor_for(hub, admins[0])
