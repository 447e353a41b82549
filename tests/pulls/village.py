"""A town whose people propose, discuss and decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from glasshub import receive
from glasshub.conversation import Discussion
from glasshub.desk import Move
from glasshub.git import read
from glasshub.git.quarantine import Quarantine
from glasshub.git.refs import ZERO, RefResult, RefUpdate
from glasshub.identity import Repo
from glasshub.index import queries
from tests.index.town import MAIN, Town


@dataclass
class Village(Town):
    """Shortcuts to what happens in pull requests and discussions."""

    def decide(self, repo: Repo, who: str, decision: Callable[..., Move], **fields: object) -> Move:
        return receive.decide(self.hub, repo, self.actor(who), partial(decision, **fields))

    def propose(self, repo: Repo, who: str, files: Mapping[str, str | None], *, options: tuple[str, ...] = ()) -> int:
        """Open a pull request on top of ``main``, as a push to refs/for/main would; returns its number."""
        with read.open_repo(self.hub.git_dir(repo)) as git, Quarantine(git) as incoming:
            new = self.build(incoming, read.list_refs(git)[MAIN], files)
            (done,) = self.send(repo, who, RefUpdate(ZERO, new, "refs/for/main"), incoming, options)
        assert done.ok, done.error
        return max(self.discussions(repo))

    def update(self, repo: Repo, who: str, number: int, files: Mapping[str, str | None]) -> RefResult:
        """Push one more commit to a pull request."""
        ref = f"refs/pr/{number}"
        with read.open_repo(self.hub.git_dir(repo)) as git, Quarantine(git) as incoming:
            old = read.list_refs(git)[ref]
            new = self.build(incoming, old, files)
            (done,) = self.send(repo, who, RefUpdate(old, new, ref), incoming)
        return done

    def send(
        self, repo: Repo, who: str, update: RefUpdate, incoming: Quarantine, options: tuple[str, ...] = ()
    ) -> list[RefResult]:
        return receive.apply_ref_updates(self.hub, repo, [update], self.actor(who), incoming=incoming, options=options)

    def discussions(self, repo: Repo) -> dict[int, Discussion]:
        db = self.hub.index.read()
        rows = queries.discussions(db, repo.key, limit=1000).items
        found = {row.number: queries.discussion(db, repo.key, row.number) for row in rows}
        return {number: discussion for number, discussion in found.items() if discussion is not None}

    def shown(self, model: Repo) -> list[tuple[float, str, int, str]]:
        """(value, origin, pull request, submitter) of what the card shows."""
        return sorted((r.value, r.origin, r.pull, r.submitter) for r in self.results(model))
