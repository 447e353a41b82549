"""Comments as HTML: their Markdown cleaned as cards are, and what they refer to found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from dulwich.repo import Repo as GitRepo
from markupsafe import Markup

from glasshub import accounts
from glasshub.conversation import Comment
from glasshub.errors import AccountNotFound, RevisionNotFound
from glasshub.evals import result_id
from glasshub.git.read import resolve_revision
from glasshub.identity import Repo
from glasshub.index import queries
from glasshub.index.queries.places import result_places
from glasshub.references import Reference, candidates
from glasshub.web.context import hub, public_url
from glasshub.web.links import blob_url, commit_url
from glasshub.web.pages.card import README, markdown_html
from glasshub.web.pages.repo_view import MAIN

MOST_CHARACTERS = 200_000  # of one page that are read as Markdown; the slowest take some ten seconds once
MOST_LOOKED_UP = 100  # people, and commits, of one page


class CommentHtml:
    """Makes the HTML of the comments of one page.

    Args:
        repo: the repo that they are about.
        git: its repository, open.
    """

    def __init__(self, repo: Repo, git: GitRepo) -> None:
        self._repo, self._git = repo, git
        self._left = MOST_CHARACTERS
        self._people: dict[str, str] = {}
        self._commits: dict[str, str] = {}
        counts = queries.discussion_counts(hub().index.read(), repo.key)
        self._last = counts["discussions"] + counts["pulls"]

    def of(self, comment: Comment) -> Markup:
        """A comment's text as it is now."""
        return self.text(comment.body, comment.id)

    def text(self, text: str, ids: str) -> Markup:
        """Some text; ``ids`` is unique on the page and of letters and digits."""
        self._left -= len(text)
        if self._left < 0:
            return Markup('<pre class="message">{}</pre>').format(text)
        found = candidates(text)
        addresses = tuple(sorted(self._addresses(found).items()))
        return Markup(_render(text, self._repo.path, public_url(), f"{ids}-", addresses))  # noqa: S704  sanitised

    def _addresses(self, found: Sequence[Reference]) -> dict[str, str]:
        addresses = {r.text: f"{self._repo.path}/discussions/{r.value}" for r in self._numbers(found)}
        addresses |= {r.text: self._person(r.value) for r in found if r.kind == "person"}
        ids = [r.value for r in found if r.kind == "id"]
        results = self._results(ids)
        addresses |= {id: results.get(id) or self._commit(id) for id in ids}
        return {text: address for text, address in addresses.items() if address}

    def _numbers(self, found: Iterable[Reference]) -> Iterable[Reference]:
        return (r for r in found if r.kind == "number" and int(r.value) <= self._last)

    def _person(self, name: str) -> str:
        if name.lower() not in self._people and len(self._people) < MOST_LOOKED_UP:
            try:
                self._people[name.lower()] = f"/{accounts.find(hub(), name).name}"
            except AccountNotFound:
                self._people[name.lower()] = ""
        return self._people.get(name.lower(), "")

    def _commit(self, id: str) -> str:
        if id not in self._commits and len(self._commits) < MOST_LOOKED_UP:
            try:
                self._commits[id] = commit_url(self._repo.path, resolve_revision(self._git, id).commit)
            except RevisionNotFound:
                self._commits[id] = ""
        return self._commits.get(id, "")

    def _results(self, ids: Iterable[str]) -> dict[str, str]:
        """Where the results of these ids are to be read: the line that says them, or the record of hidden ones."""
        wanted = {id for id in ids if len(id) == result_id.LENGTH}
        if not wanted or self._repo.type != "model":
            return {}
        db, path = hub().index.read(), self._repo.path
        hidden = {row.id for row in queries.hidden_results(db, self._repo.key)} & wanted
        shown = result_places(db, self._repo.key, wanted)
        addresses = dict.fromkeys(hidden, f"{path}/evaluations/history")
        return addresses | {id: f"{blob_url(path, at, file)}#L{line}" for id, (at, file, line) in shown.items()}


@lru_cache(maxsize=500)
def _render(text: str, repo_path: str, own: str, ids: str, addresses: tuple[tuple[str, str], ...]) -> str:
    return markdown_html(text, repo_path, MAIN, README, own=own, ids=ids, addresses=dict(addresses))
