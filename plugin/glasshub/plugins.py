"""Extension points (pluggy, entry-point group ``glasshub``): few, and named as git names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pluggy

from glasshub.git.refs import RefUpdate
from glasshub.identity import Actor, Repo

GROUP = "glasshub"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@dataclass(frozen=True, slots=True)
class Panel:
    """Something a plugin says beside a card: a title, and Markdown that is cleaned as cards are."""

    title: str
    markdown: str


class Hooks:
    """What a plugin may implement, each marked with ``@glasshub.plugins.hookimpl``."""

    @hookspec
    def pre_receive(self, repo: Repo, updates: Sequence[RefUpdate], actor: Actor) -> None:
        """Called before any ref moves; raise :class:`glasshub.errors.GlasshubError` to refuse all ``updates``."""

    @hookspec
    def post_receive(self, repo: Repo, updates: Sequence[RefUpdate], actor: Actor) -> None:
        """Called with the updates that were applied, after the index has caught up. Cannot undo them."""

    @hookspec
    def card_panels(self, repo: Repo) -> Sequence[Panel]:
        """Called for every view of a card; what it returns is shown beside it to all who may read ``repo``."""
        raise NotImplementedError  # a specification: pluggy calls what plugins implement


def load_plugins() -> pluggy.PluginManager:
    """A manager with every installed plugin of the group ``glasshub`` registered."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(Hooks)
    manager.load_setuptools_entrypoints(GROUP)
    return manager
