"""Which paths of a tree its ``.gitattributes`` files give to Git LFS."""

from __future__ import annotations

import stat
from collections.abc import Iterable

from dulwich.errors import NotTreeError
from dulwich.object_store import tree_lookup_path
from dulwich.objects import ObjectID
from dulwich.repo import Repo as GitRepo

from glasshub.errors import Invalid
from glasshub.git import attributes
from glasshub.git.attributes import MAX_CHARACTERS, MAX_LINE, NAME, Attributes
from glasshub.git.blob import blob_size
from glasshub.git.read import entry

LFS = "filter=lfs diff=lfs merge=lfs -text"
_MAX_BYTES = 4 * MAX_CHARACTERS


class LfsRules:
    """The rules of one tree; files are read when a path below their folder is asked for.

    Args:
        git_repo: the repository (or its view with new objects).
        tree: the id of the tree (``None``: there is none yet, so there are no rules).
    """

    def __init__(self, git_repo: GitRepo, tree: ObjectID | None) -> None:
        self._repo, self._tree = git_repo, tree
        self._files: dict[str, Attributes | None] = {}

    def cover(self, path: str) -> bool:
        """Whether git would have Git LFS keep the file at a path.

        Raises:
            Invalid: a ``.gitattributes`` is too long to be matched in good time.
        """
        folder, levels = path, []
        while folder:
            folder = folder.rpartition("/")[0]
            if (found := self._file(folder)) is not None or not folder:
                levels.append((found or Attributes(""), path[len(folder) + 1 if folder else 0 :]))
        return attributes.value("filter", levels) == "lfs"

    def text(self, folder: str = "") -> str:
        """The ``.gitattributes`` of a folder (``""`` when it has none that can be read)."""
        if self._tree is None:
            return ""
        path = f"{folder}/{NAME}" if folder else NAME
        try:
            raw = path.encode("utf-8", "surrogateescape")
            mode, oid = tree_lookup_path(self._repo.object_store.__getitem__, self._tree, raw)
        except (KeyError, NotADirectoryError, NotTreeError, ValueError):
            return ""
        if not stat.S_ISREG(mode):
            return ""
        if blob_size(self._repo, oid.decode("ascii")) > _MAX_BYTES:
            raise Invalid(f"{path} has more than {MAX_CHARACTERS:,} characters. Shorten it.")
        return self._repo.object_store.get_raw(oid)[1].decode("utf-8", "surrogateescape")

    def _file(self, folder: str) -> Attributes | None:
        if folder not in self._files:
            text = self.text(folder)
            self._files[folder] = Attributes(text) if text else None
        return self._files[folder]


def rules_at(git_repo: GitRepo, commit: str) -> LfsRules:
    """The rules of a commit (``""``: there is none yet). Raises ``RevisionNotFound``."""
    return LfsRules(git_repo, ObjectID(entry(git_repo, commit, "").oid.encode("ascii")) if commit else None)


def covering(rules: LfsRules, paths: Iterable[str]) -> str:
    """The root's ``.gitattributes`` with a line more for each path that no rule covers; ``""`` if none needs one.

    Without a line, git-lfs would leave the pointer in people's clones instead of the file.
    """
    bare = [path for path in dict.fromkeys(paths) if not rules.cover(path)]
    if not bare:
        return ""
    text = rules.text()
    text += "\n" if text and not text.endswith("\n") else ""
    lines = [attributes.line_for(path, LFS) for path in bare]
    added = "".join(line for line in lines if len(line.encode()) <= MAX_LINE)
    return text + added if added and len(text) + len(added) <= MAX_CHARACTERS else ""
