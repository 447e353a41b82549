"""Likes and downloads: use cases. The registry has the truth; the index has copies of the sums, to sort and show."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from glasshub import access, clock
from glasshub.access import Action
from glasshub.background import Chore, Loop
from glasshub.errors import Busy, GlasshubError
from glasshub.hub import Hub
from glasshub.identity import Account, Actor, Repo
from glasshub.index import popularity as copies
from glasshub.registry import people
from glasshub.registry import popularity as rows
from glasshub.registry import repos as repo_rows

FLUSH_SECONDS = 2.0
REFRESH_SECONDS = 300.0  # days end, and other nodes count too


@dataclass(frozen=True, slots=True)
class Like:
    """A like, by whoever the list is about, of a repo."""

    repo: Repo
    liked_at: str


def like(hub: Hub, actor: Actor, repo: Repo, *, likes: bool = True) -> None:
    """Like a repo, or no longer; doing it again changes nothing. Raises as :func:`glasshub.access.require`."""
    access.require(actor, Action.LIKE, repo)
    name = actor.name or ""
    with hub.registry.write() as db:
        changed = rows.like(db, name, repo.key, clock.now()) if likes else rows.unlike(db, name, repo.key)
    if changed:
        with suppress(Busy):  # the next refresh brings it
            refresh(hub, {repo.key})


def likes(hub: Hub, actor: Actor, repo: Repo) -> bool:
    """Whether the actor likes a repo."""
    if actor.name is None:
        return False
    with hub.registry.read() as db:
        return rows.liked(db, actor.name, repo.key)


def likers(
    hub: Hub, repo: Repo, *, limit: int = 1000, after: tuple[str, str] | None = None
) -> list[tuple[str, Account]]:
    """(when, who) of the likes of a repo, newest first, after (when, lower-cased name). Access was checked before."""
    with hub.registry.read() as db:
        return rows.likers(db, repo.key, limit=limit, after=after)


def liked_by(hub: Hub, actor: Actor, user: str) -> list[Like]:
    """What a user likes, as far as ``actor`` may see it, newest first. Raises ``AccountNotFound``."""
    with hub.registry.read() as db:
        account = people.require(db, user)
        found = [(repo_rows.by_key(db, key), moment) for key, moment in rows.liked_by(db, account.name)]
    return [Like(repo, moment) for repo, moment in found if repo is not None and access.may_read(actor, repo)]


def flush(hub: Hub) -> int:
    """Write the downloads that this process has seen; returns how many repos have more now.

    Raises ``Busy`` or another ``GlasshubError``; what could not be written waits for the next time.
    """
    taken = hub.tally.take()
    if not taken:
        return 0
    now = datetime.now(UTC)
    hour, oldest = now.strftime("%Y-%m-%dT%H"), str(now.date() - timedelta(days=rows.DAYS))
    try:
        with hub.registry.write() as db:
            changed = rows.add_downloads(db, taken, hour=hour, oldest_day=oldest)
    except GlasshubError:
        hub.tally.put_back(taken)
        raise
    if changed:
        refresh(hub, changed)
    return len(changed)


def refresh(hub: Hub, keys: Collection[str] | None = None) -> int:
    """Copy the sums of repos (all by default) to the index; returns how many differed. Raises ``Busy``."""
    wanted = None if keys is None or len(keys) > 500 else keys
    with hub.index.write() as index, hub.registry.read() as db:
        # Read while no other process can write the copies: the last to write has seen the newest.
        found = rows.counts(db, datetime.now(UTC).date(), wanted)
        sums = {key: (it.downloads, it.downloads_all_time, it.likes, it.trending) for key, it in found.items()}
        return copies.write(index, sums, wanted)


class CountLoop(Loop):
    """Writes what this process has counted, every few seconds, and once more when it stops."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub, "glasshub-counts", FLUSH_SECONDS, [Chore(refresh, REFRESH_SECONDS)])
        self._day = clock.now()[:10]

    def look(self) -> None:
        """Write what was seen; a new day counts anew."""
        flush(self.hub)
        if clock.now()[:10] != self._day:
            self._day = clock.now()[:10]
            refresh(self.hub)

    def end(self) -> None:
        """Write what is left."""
        flush(self.hub)
