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
            leaps: what former walks have found.
            line: what names the repository and folder in ``leaps``.
        """
        self.position, self.steps = start, steps
        self._store, self._commits = store, CommitReader(store)
        self._entry = b" " + folder.encode() + b"\0"
        self._folder = folder.encode()
        self._skips, self._leaps, self._line = skips or {}, leaps or Leaps(1), line
        self._last: tuple[ObjectID, ObjectID | None] | None = None

    def next(self) -> tuple[str, str] | None:
        """The next commit that changed the folder and its first parent (``""``: it has none).

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
            if not self._commits.is_commit(_oid(here)):
                self.position = ""
                break
            parents = self._commits.parents(_oid(here))
            self.position = parents[0].decode("ascii") if parents else ""
            if self._folder_of(here) != self._folder_of(self.position):
                self._leaps.note(self._line, began, here)
                return here, self.position
        if began != self.position:
            self._leaps.note(self._line, began, self.position)
        return None

    def _folder_of(self, commit: str) -> ObjectID | None:
        """The id of the folder's tree at a commit."""
        if not commit or not self._commits.is_commit(_oid(commit)):
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
            return next((ObjectID(oid) for name, _, oid in parse_tree(data, 20) if name == self._folder), None)
        begin = at + len(self._entry)
        return ObjectID(data[begin : begin + 20].hex().encode("ascii"))


def _oid(commit: str) -> ObjectID:
    return ObjectID(commit.encode("ascii"))
