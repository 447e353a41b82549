"""Where in a repository large files are named."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from dulwich.objects import Commit, ObjectID, Tree
from dulwich.repo import Repo as GitRepo

from glasshub.blobs.pointer import MAX_POINTER, MIN_POINTER, parse_pointer
from glasshub.git.ancestry import lookup
from glasshub.git.blob import blob_size
from glasshub.git.object_check import is_folder, is_gitlink, split_tree
from glasshub.git.read import read_blob

MOST_FOLDERS = 20_000  # of a history
MOST_IN_COMMIT = 200_000  # folders of one commit; hostile ones have no end


@dataclass(frozen=True, slots=True)
class Named:
    """A path that a large file has or had; ``ref`` is one that has it now (``""``: only former commits do)."""

    path: str
    ref: str


def find_pointers(git_repo: GitRepo, tips: Mapping[str, str], wanted: Collection[str]) -> dict[str, Named]:
    """A name for each of the files (by SHA-256) that has one: at the tips first, then in their history.

    Of a huge history only a part is searched.

    Args:
        git_repo: the repository.
        tips: commit ids by ref, the most telling refs first.
        wanted: SHA-256 of the files.
    """
    walk = _Walk(git_repo, most=MOST_FOLDERS)
    found: dict[str, Named] = {}
    left = set(wanted)
    commits = deque((oid, ref) for ref, oid in tips.items())
    seen = set(tips.values())
    while commits and left and walk.left:
        oid, ref = commits.popleft()
        commit = lookup(git_repo.object_store, ObjectID(oid.encode("ascii")))
        if not isinstance(commit, Commit):
            continue
        for path, sha256 in walk.pointers(commit.tree):
            if sha256 in left:
                left.discard(sha256)
                found[sha256] = Named(path, ref)
        fresh = [parent.decode("ascii") for parent in commit.parents]
        commits.extend((parent, "") for parent in fresh if parent not in seen)
        seen.update(fresh)
    return found


def paths_at(git_repo: GitRepo, commit_id: str, wanted: Collection[str]) -> list[str]:
    """The paths of a commit that stand for one of the files (by SHA-256), in any order; printable ones."""
    commit = lookup(git_repo.object_store, ObjectID(commit_id.encode("ascii")))
    if not isinstance(commit, Commit):
        return []
    pointers = _Walk(git_repo, most=MOST_IN_COMMIT, again=True).pointers(commit.tree)
    return [path for path, sha256 in pointers if sha256 in wanted and path.isprintable()]


class _Walk:
    """Looks at folders, each once (with ``again`` as often as it stands somewhere), and not at too many."""

    def __init__(self, git_repo: GitRepo, *, most: int, again: bool = False) -> None:
        self._repo, self._again = git_repo, again
        self._seen: set[bytes] = set()
        self._blobs: dict[bytes, str] = {}
        #: how many may still be looked at
        self.left = most

    def pointers(self, tree: bytes) -> Iterator[tuple[str, str]]:
        """Path and SHA-256 of the large files below a tree."""
        waiting = [("", bytes.fromhex(tree.decode("ascii")))]
        while waiting and self.left:
            folder, raw = waiting.pop()
            if raw in self._seen and not self._again:
                continue
            self._seen.add(raw)
            self.left -= 1
            found = lookup(self._repo.object_store, ObjectID(raw.hex().encode("ascii")))
            heads, ids = split_tree(found.as_raw_string()) if isinstance(found, Tree) else ([], [])
            for head, oid in zip(heads, ids, strict=False):
                path = folder + head.partition(b" ")[2].decode("utf-8", "surrogateescape")
                if is_folder(head):
                    waiting.append((f"{path}/", oid))
                elif not is_gitlink(head) and (sha256 := self._sha256(oid)):
                    yield path, sha256

    def _sha256(self, raw: bytes) -> str:
        """The file that a blob stands for (``""``: it is an ordinary one)."""
        if raw not in self._blobs:
            oid, pointer = raw.hex(), None
            if MIN_POINTER <= blob_size(self._repo, oid) <= MAX_POINTER:
                pointer = parse_pointer(read_blob(self._repo, oid))
            self._blobs[raw] = pointer.sha256 if pointer else ""
        return self._blobs[raw]
