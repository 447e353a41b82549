"""All objects that some refs lead to, as one pack: for copying a repository without what else lies in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dulwich.objects import ObjectID, Tag
from dulwich.repo import Repo as GitRepo

from glasshub.git.ancestry import lookup
from glasshub.git.commits import CommitReader
from glasshub.git.object_walk import Filter, TreeWalk, missing_commits
from glasshub.git.pack_write import pack_chunks


class WholePack:
    """A pack to be read from (see :class:`glasshub.git.pktline.Readable`), made while it is read.

    Args:
        repo: where the objects are.
        tips: commits and annotated tags, 40 hex digits each.
    """

    def __init__(self, repo: GitRepo, tips: Iterable[str]) -> None:
        self._chunks = _pack(repo, [ObjectID(tip.encode("ascii")) for tip in tips])
        self._rest = memoryview(b"")

    def read(self, count: int, /) -> bytes:
        """At most ``count`` bytes, none at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = memoryview(chunk)
        piece, self._rest = self._rest[:count], self._rest[count:]
        return bytes(piece)


def _pack(repo: GitRepo, tips: Iterable[ObjectID]) -> Iterator[bytes]:
    store = repo.object_store
    commits, walk = CommitReader(store), TreeWalk(store, Filter(), lambda _: 0)
    tags: dict[ObjectID, None] = {}
    starts = []
    for tip in tips:
        found = lookup(store, tip)
        while isinstance(found, Tag):
            tags[found.id] = None
            found = lookup(store, found.object[1])
        if found is not None:
            starts.append(found.id)
    newest_first = missing_commits(commits, starts, [])
    for oid in reversed(newest_first):
        walk.add_tree(_raw(commits.tree(oid)))
    yield from pack_chunks(store, [*map(_raw, newest_first), *walk.found, *map(_raw, tags)])


def _raw(oid: ObjectID) -> bytes:
    return bytes.fromhex(oid.decode("ascii"))
