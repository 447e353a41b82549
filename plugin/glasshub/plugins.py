"""Extension points (pluggy, entry-point group ``glasshub``): few, and named as git names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal

import pluggy

from glasshub.evals.importers.proposal import Importer
from glasshub.git.refs import RefUpdate
from glasshub.identity import Actor, Repo

if TYPE_CHECKING:
    from glasshub.hub import Hub

GROUP = "glasshub"
BUILT_IN = (
    "glasshub.notices.plugin",
    "glasshub.log_formats",
    "glasshub.audits.plugin",
)  # by name: they import the hub, and the hub imports this module
RepoAction = Literal["create", "update", "move", "delete"]
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
    def post_receive(self, repo: Repo, updates: Sequence[RefUpdate], actor: Actor, hub: Hub) -> None:
        """Called with the updates that were applied, after the index has caught up. Cannot undo them."""

    @hookspec
    def repo_changed(self, repo: Repo, action: RepoAction, actor: Actor, hub: Hub) -> None:
        """Called after a repo was made, moved, deleted or its settings were changed; ``repo`` as it is (or was)."""

    @hookspec
    def card_panels(self, repo: Repo) -> Sequence[Panel]:
        """Called for every view of a card; what it returns is shown beside it to all who may read ``repo``."""
        raise NotImplementedError  # a specification: pluggy calls what plugins implement

    @hookspec
    def importers(self) -> Sequence[Importer]:
        """Called for every file of an evaluation tool; the formats that it may be of, asked before the hub's own."""
        raise NotImplementedError  # a specification: pluggy calls what plugins implement


def load_plugins() -> pluggy.PluginManager:
    """A manager with the hub's own plugins and every installed one of the group ``glasshub`` registered."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(Hooks)
    for name in BUILT_IN:
        manager.register(import_module(name))
    manager.load_setuptools_entrypoints(GROUP)
    return manager
