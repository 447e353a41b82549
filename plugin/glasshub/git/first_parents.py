"""The first-parent line of a branch: where one folder changed on it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping

from dulwich.object_store import BaseObjectStore
from dulwich.objects import ObjectID, parse_tree

from glasshub.git.commits import CommitReader


class Leaps:
    """What walks have found, for the next ones: from this commit on, the folder is the same as far as that one.

    Commits never change, so neither does what is noted here; only the oldest notes are dropped.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._far: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, line: str, commit: str) -> str | None:
        """Where to go on from ``commit``, if that is known."""
        with self._lock:
            return self._far.get((line, commit))

    def note(self, line: str, commit: str, far: str) -> None:
        """Remember where to go on from ``commit``."""
        with self._lock:
            self._far[line, commit] = far
            self._far.move_to_end((line, commit))
            if len(self._far) > self._most:
                self._far.popitem(last=False)


class Folder:
    """A folder at the root of the tree, as commits have it; a missing commit has none."""

    def __init__(self, store: BaseObjectStore, name: str) -> None:
        self._store, self._commits = store, CommitReader(store)
        self._entry = b" " + name.encode() + b"\0"
        self._name = name.encode()
        self._last: tuple[ObjectID, ObjectID | None] | None = None

    def is_commit(self, commit: str) -> bool:
        """Whether ``commit`` (40 hex digits) is a commit of this repository."""
        return self._commits.is_commit(_oid(commit))

    def first_parent(self, commit: str) -> str:
        """The first parent of a commit (``""``: it has none)."""
        parents = self._commits.parents(_oid(commit))
        return parents[0].decode("ascii") if parents else ""

    def at(self, commit: str) -> ObjectID | None:
        """The id of the folder's tree at a commit (``""`` for no commit), ``None`` where there is none."""
        if not commit or not self.is_commit(commit):
            return None
        tree = self._commits.tree(_oid(commit))
        if self._last is None or self._last[0] != tree:
            self._last = (tree, self._entry_of(tree))
        return self._last[1]

    def _entry_of(self, tree: ObjectID) -> ObjectID | None:
        try:
            data = self._store.get_raw(tree)[1]
        except KeyError:
            return None
        at = data.find(self._entry)
        if at < 0:
            return None
        if data.find(self._entry, at + 1) >= 0:
            # A file's name may end like the folder's: only then is it worth taking the tree apart. (If that file
            # is the only one, its changes are taken for the folder's, which costs a look and no more.)
            return next((ObjectID(oid) for name, _, oid in parse_tree(data, 20) if name == self._name), None)
        begin = at + len(self._entry)
        return ObjectID(data[begin : begin + 20].hex().encode("ascii"))


class FolderWalk:
    """Goes from a commit to its first parents and stops where a folder at the root changed.

    Attributes:
        position: the commit to look at next (``""``: the line has ended).
        steps: how many commits may still be read.
    """

    def __init__(
        self,
        store: BaseObjectStore,
        folder: str,
        start: str,
        *,
        steps: int,
        skips: Mapping[str, str] | None = None,
        jumps: Mapping[str, str] | None = None,
        leaps: Leaps | None = None,
        line: str = "",
    ) -> None:
        """Begin at ``start`` (40 hex digits, or ``""``).

        Args:
            store: the objects.
            folder: the folder's name.
            start: where to begin.
            steps: how many commits to read at most.
            skips: commits that are passed over, each with the commit to go on with.
            jumps: commits that are compared with another one than their first parent (``""``: with nothing), from
                which the walk goes on; it is as for others where that one is not there.
            leaps: what former walks have found.
            line: what names the repository and folder in ``leaps``.
        """
        self.position, self.steps = start, steps
        self._folder = Folder(store, folder)
        self._skips, self._leaps, self._line = skips or {}, leaps or Leaps(1), line
        self._jumps = {here: far for here, far in (jumps or {}).items() if not far or self._folder.is_commit(far)}

    def next(self) -> tuple[str, str] | None:
        """The next commit that changed the folder, and what it is compared with (``""``: nothing).

        ``None`` at the end of the line, or when no step is left (then ``position`` is not empty).
        """
        began = self.position
        while self.position and self.steps > 0:
            here = self.position
            self.steps -= 1
            far = self._skips.get(here) or self._leaps.get(self._line, here)
            if far is not None and far != here:
                self.position = far
                continue
            if not self._folder.is_commit(here):
                self.position = ""
                break
            self.position = self._jumps[here] if here in self._jumps else self._folder.first_parent(here)
            if self._folder.at(here) != self._folder.at(self.position):
                self._leaps.note(self._line, began, here)
                return here, self.position
        if began != self.position:
            self._leaps.note(self._line, began, self.position)
        return None


def _oid(commit: str) -> ObjectID:
    return ObjectID(commit.encode("ascii"))
