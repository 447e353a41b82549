"""Webhooks as a plugin of the hub: told of every change, they note it in the outbox."""

from __future__ import annotations

from glasshub.hub import Hub
from glasshub.identity import Repo
from glasshub.notices import outbox
from glasshub.plugins import hookimpl


@hookimpl(tryfirst=True)
def post_receive(repo: Repo, hub: Hub) -> None:
    """Refs or events of a repo have changed."""
    outbox.after_change(hub, repo.key)


@hookimpl(tryfirst=True)
def repo_changed(repo: Repo, hub: Hub) -> None:
    """A repo was made, moved, deleted, or has other settings."""
    outbox.after_change(hub, repo.key)
