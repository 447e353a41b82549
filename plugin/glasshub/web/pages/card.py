"""Cards on pages: the README of a revision as safe HTML, with its links leading to the hub's own addresses."""

from __future__ import annotations

import logging
import posixpath
import re
from collections.abc import Callable
from operator import itemgetter
from typing import Any
from urllib.parse import unquote

from dulwich.repo import Repo as GitRepo

from glasshub import access, repos
from glasshub.cards import Card, parse_card, render_markdown
from glasshub.errors import EntryNotFound, GlasshubError, RepoNotFound, RevisionNotFound, TooLarge
from glasshub.git.read import read_file, resolve_revision
from glasshub.identity import Repo, RepoType
from glasshub.web.context import actor, hub
from glasshub.web.links import blob_url, resolve_url
from glasshub.web.pages.repo_view import MAIN

README = "README.md"
MOST_BYTES = 1024**2
_log = logging.getLogger(__name__)
_HEADING = re.compile(r"(</?h)([1-6])(?=[\s>])")


def card_html(git: GitRepo, repo_path: str, rev: str) -> tuple[Card, str]:
    """The card of a revision and its body as sanitised HTML; both empty when there is no README."""
    try:
        commit = resolve_revision(git, rev).commit
        card = parse_card(read_file(git, commit, README, limit=MOST_BYTES))
    except (RevisionNotFound, EntryNotFound, TooLarge):
        return Card(), ""
    return card, markdown_html(card.body, repo_path, rev, README)


def markdown_html(text: str, repo_path: str, rev: str, path: str, **more: Any) -> str:
    """A Markdown file of the repo as sanitised HTML; ``more`` is as :func:`glasshub.markdown.render_markdown` takes."""
    html = render_markdown(
        text,
        link=_relative_to(path, lambda target: blob_url(repo_path, rev, target)),
        image=_relative_to(path, lambda target: resolve_url(repo_path, rev, target)),
        **more,
    )
    return _HEADING.sub(_lower, html)


def repo_address(type: RepoType, repo_id: str) -> str:
    """The page of a repo that a card names, or ``""`` when there is none that the reader may see."""
    namespace, _, name = repo_id.partition("/")
    try:
        repo = repos.find(hub(), type, namespace, name)
    except RepoNotFound:
        return ""
    return repo.path if access.may_read(actor(), repo) else ""


def panels(repo: Repo) -> list[tuple[str, str]]:
    """What plugins say beside a card: titles and sanitised HTML. A plugin that fails says nothing, and is logged."""
    manager, found = hub().plugins, []
    for name, plugin in sorted(manager.list_name_plugin(), key=itemgetter(0)):
        others = manager.get_plugins() - {plugin}
        try:
            said = manager.subset_hook_caller("card_panels", others)(repo=repo)
        except GlasshubError:
            _log.exception("the plugin %s failed to make its panels for %s", name, repo.key)
            continue
        found += [panel for several in said for panel in several]
    return [(panel.title, markdown_html(panel.markdown, repo.path, MAIN, README)) for panel in found]


def _lower(found: re.Match[str]) -> str:
    # The page has a first and a second heading of its own. What is matched stays a heading, so it stays safe.
    return f"{found[1]}{min(int(found[2]) + 2, 6)}"


def _relative_to(path: str, address: Callable[[str], str]) -> Callable[[str], str]:
    folder = posixpath.dirname(path)

    def lead(target: str) -> str:
        place, mark, fragment = target.partition("#")
        place = unquote(place.partition("?")[0])  # a link may be quoted already; addresses are quoted once
        joined = posixpath.normpath(posixpath.join("/", folder, place)).lstrip("/")
        return f"{address(joined)}{mark}{fragment}" if place else target

    return lead
