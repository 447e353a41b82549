"""Commits as the walks need them: tree, parents, time; read once per request."""

from __future__ import annotations

from dulwich.object_store import BaseObjectStore
from dulwich.objects import ObjectID

from glasshub.errors import RevisionNotFound

_COMMIT = 1


class CommitReader:
    """Reads commits without building dulwich objects, and remembers them.

    Asking for a part of a commit that is not there raises ``RevisionNotFound``: the repository is damaged.
    """

    def __init__(self, store: BaseObjectStore) -> None:
        self._store = store
        self._known: dict[ObjectID, tuple[ObjectID, tuple[ObjectID, ...], int] | None] = {}

    def is_commit(self, oid: ObjectID) -> bool:
        """Whether ``oid`` is a commit of this repository."""
        return self._info(oid) is not None

    def tree(self, oid: ObjectID) -> ObjectID:
        """The commit's root tree."""
        return self._must(oid)[0]

    def parents(self, oid: ObjectID) -> tuple[ObjectID, ...]:
        """The commit's parents."""
        return self._must(oid)[1]

    def time(self, oid: ObjectID) -> int:
        """The committer's time, in seconds since the epoch."""
        return self._must(oid)[2]

    def _must(self, oid: ObjectID) -> tuple[ObjectID, tuple[ObjectID, ...], int]:
        info = self._info(oid)
        if info is None:
            raise RevisionNotFound(f"The repo lacks commit {oid.decode()}. Ask an admin to run glasshub check.")
        return info

    def _info(self, oid: ObjectID) -> tuple[ObjectID, tuple[ObjectID, ...], int] | None:
        if oid not in self._known:
            try:
                kind, data = self._store.get_raw(oid)
            except KeyError:
                kind, data = 0, b""
            self._known[oid] = _parse(data) if kind == _COMMIT else None
        return self._known[oid]


def _parse(data: bytes) -> tuple[ObjectID, tuple[ObjectID, ...], int]:
    tree = ObjectID(data[5:45])
    at, parents = 46, []
    while data.startswith(b"parent ", at):
        parents.append(ObjectID(data[at + 7 : at + 47]))
        at += 48
    begin = data.find(b"\ncommitter ", at)
    line = data[begin + 1 : data.find(b"\n", begin + 1)]
    return tree, tuple(parents), int(line.rsplit(b" ", 2)[1])
