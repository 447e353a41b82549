"""Reading a repository: revisions, trees, blobs, history."""

from __future__ import annotations

import heapq
import re
import shutil
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dulwich.errors import NotGitRepository, NotTreeError
from dulwich.object_store import tree_lookup_path
from dulwich.objects import Commit as GitCommit
from dulwich.objects import ObjectID, ShaFile, Tag, Tree
from dulwich.repo import Repo as GitRepo

from glasshub import clock
from glasshub.errors import EntryNotFound, RepoNotFound, RevisionNotFound, TooLarge
from glasshub.git.ancestry import lookup
from glasshub.git.blob import blob_size
from glasshub.git.durable import sync_folder
from glasshub.git.squashed import former

HUB_REFS = "refs/hub/"
CACHE_BYTES = 16 * 1024**2  # unfolded bases of deltas, per pack of an open repository
_PULL = re.compile(r"(refs/(?:pr|convert)/[^/]+)(?:/(.*))?", re.DOTALL)
_ABBREVIATED = re.compile(r"[0-9a-f]{5,40}")
_GITLINK = 0o160000


@dataclass(frozen=True, slots=True)
class Revision:
    """A resolved revision: the commit id (40 hex) and the full ref name it came from (``""`` for an id)."""

    commit: str
    ref: str
    text: str


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file or folder in a tree. ``size`` is the blob's size in bytes (0 for folders); ``oid`` 40 hex."""

    path: str
    kind: Literal["file", "directory", "symlink", "submodule"]
    oid: str
    size: int
    mode: int


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit for people; ``date`` as in :mod:`glasshub.clock` (the committer's time)."""

    id: str
    parents: tuple[str, ...]
    tree: str
    author_name: str
    author_email: str
    date: str
    title: str
    message: str


def open_repo(path: Path) -> GitRepo:
    """Open the bare repository at ``path`` (the one seam for other storages). Use it as a context manager.

    Raises:
        RepoNotFound: there is no repository.
    """
    if not (path / "objects").is_dir():  # told that it is bare, dulwich does not look
        raise RepoNotFound("This repo has been deleted.")
    try:
        repo = GitRepo(str(path), bare=True)
    except NotGitRepository as error:
        raise RepoNotFound("This repo has been deleted.") from error
    repo.object_store.delta_base_cache_limit = CACHE_BYTES
    return repo


def create_repo(path: Path) -> None:
    """Make an empty bare repository with ``HEAD`` at ``refs/heads/main``, complete or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    GitRepo.init_bare(str(fresh), mkdir=True, default_branch=b"main").close()
    shutil.rmtree(fresh / "hooks", ignore_errors=True)  # hooks are never run here
    fresh.rename(path)
    sync_folder(path.parent)


def resolve_revision(repo: GitRepo, text: str) -> Revision:
    """Resolve a branch, tag, full or abbreviated (>= 5 hex) commit id, or ``refs/...`` to a commit.

    Raises:
        RevisionNotFound: nothing matches, or an abbreviation is ambiguous.
    """
    for ref in _candidates(text):
        value = _read(repo, ref)
        if value is not None:
            commit = _peel(repo, value)
            if commit is not None:
                return Revision(commit, ref, text)
    if _ABBREVIATED.fullmatch(text.lower()):
        return Revision(_by_prefix(repo, text.lower()), "", text)
    raise _no_revision(text)


def split_revision_path(repo: GitRepo, rest: str) -> tuple[Revision, str]:
    """Split ``<revision>/<path>`` by the refs that exist: ``refs/pr/N`` first, then the longest branch or tag,
    then a commit id. The path may be empty.

    Raises:
        RevisionNotFound: no prefix of ``rest`` is a revision.
    """
    rest = rest.strip("/")
    if found := _PULL.fullmatch(rest):
        return resolve_revision(repo, found[1]), found[2] or ""
    parts = rest.split("/")
    for count in range(min(len(parts), 12), 0, -1):
        text = "/".join(parts[:count])
        if count == 1 or any(_read(repo, ref) is not None for ref in _candidates(text)):
            return resolve_revision(repo, text), "/".join(parts[count:])
    raise _no_revision(rest)


def entry(repo: GitRepo, commit: str, path: str) -> TreeEntry:
    """What lies at ``path`` (``""`` is the root).

    Raises:
        EntryNotFound: nothing does.
    """
    tree = _commit(repo, commit).tree
    clean = path.strip("/")
    if not clean:
        return TreeEntry("", "directory", tree.decode("ascii"), 0, stat.S_IFDIR)
    try:
        mode, oid = tree_lookup_path(repo.object_store.__getitem__, tree, clean.encode("utf-8", "surrogateescape"))
    except (KeyError, NotADirectoryError, NotTreeError, ValueError) as error:
        raise _no_entry(clean) from error
    return _entry(repo, clean, mode, oid)


def list_tree(repo: GitRepo, commit: str, path: str = "", *, recursive: bool = False) -> list[TreeEntry]:
    """The entries below a folder, in tree order; recursive listings contain folders too.

    Raises:
        EntryNotFound: no such folder.
    """
    root = entry(repo, commit, path)
    if root.kind != "directory":
        raise _no_entry(path)
    return list(_below(repo, root, recursive))


def root_files(repo: GitRepo, commit: str) -> dict[str, str]:
    """The regular files at the root of a commit, name -> blob id, without a look at any of them."""
    tree = repo.object_store[_commit(repo, commit).tree]
    assert isinstance(tree, Tree)
    files = [item for item in tree.items() if stat.S_ISREG(item.mode)]
    return {item.path.decode("utf-8", "surrogateescape"): item.sha.decode("ascii") for item in files}


def read_blob(repo: GitRepo, oid: str, *, limit: int | None = None) -> bytes:
    """A blob's bytes.

    Raises:
        TooLarge: it is larger than ``limit`` bytes.
    """
    if limit is not None and (size := blob_size(repo, oid)) > limit:
        raise TooLarge(f"The file has {size:,} bytes, more than the {limit:,} that are read here.")
    return repo.object_store.get_raw(ObjectID(oid.encode("ascii")))[1]


def read_file(repo: GitRepo, commit: str, path: str, *, limit: int | None = None) -> bytes:
    """A file's bytes at a commit. Raises ``EntryNotFound`` or ``TooLarge``."""
    found = entry(repo, commit, path)
    if found.kind not in ("file", "symlink"):
        raise _no_entry(path)
    return read_blob(repo, found.oid, limit=limit)


def commit(repo: GitRepo, id: str) -> Commit:
    """One commit. Raises ``RevisionNotFound``."""
    return _for_people(_commit(repo, id))


def history(repo: GitRepo, start: str, path: str = "", *, skip: int = 0, limit: int = 50) -> list[Commit]:
    """Commits reachable from ``start``, newest first; with ``path`` only those that changed it."""
    found: list[Commit] = []
    clean = path.strip("/")
    for git_commit in _by_date(repo, start):
        if clean and not _changed(repo, git_commit, clean):
            continue
        if skip:
            skip -= 1
            continue
        if len(found) == limit:
            break
        found.append(_for_people(git_commit))
    return found


def last_changes(
    repo: GitRepo, start: str, paths: Sequence[str], *, through_squashes: bool = False
) -> dict[str, Commit]:
    """For each path the newest commit (first-parent order where it matters) that changed it.

    Every path is followed from ``start`` to the first parent that has it just the same, until there is none.
    Paths at the same commit go on together; the newest commit goes first, so that most of them meet. A commit that
    took the place of a history counts as the last change of everything, unless ``through_squashes`` looks behind it.
    """
    found: dict[str, Commit] = {}
    first = _commit(repo, start)
    pending: dict[ObjectID, set[str]] = {first.id: set(paths)}
    heap = [(-first.commit_time, first.id)]
    while heap:
        git_commit = _commit(repo, heapq.heappop(heap)[1].decode("ascii"))
        shown = _for_people(git_commit)
        for path, parent in _inherited(
            repo, git_commit, pending.pop(git_commit.id), through_squashes=through_squashes
        ).items():
            if parent is None:
                found[path] = shown
            elif parent.id != git_commit.id:
                if parent.id not in pending:
                    heapq.heappush(heap, (-parent.commit_time, parent.id))
                pending.setdefault(parent.id, set()).add(path)
    return found


def walk(repo: GitRepo, start: str) -> Iterator[str]:
    """Ids of all commits reachable from ``start``."""
    for git_commit in _by_date(repo, start):
        yield git_commit.id.decode("ascii")


def list_refs(repo: GitRepo, prefix: str = "refs/") -> dict[str, str]:
    """Ref name -> 40-hex target for every ref below ``prefix`` (symbolic ``HEAD`` left out)."""
    refs = repo.refs.as_dict()
    named = {ref.decode("utf-8", "surrogateescape"): oid.decode("ascii") for ref, oid in refs.items()}
    return {ref: oid for ref, oid in sorted(named.items()) if ref.startswith(prefix) and ref != "HEAD"}


def _candidates(text: str) -> list[str]:
    if text == "HEAD":
        return ["refs/heads/main"]
    if text.startswith("refs/"):
        return [] if text.startswith(HUB_REFS) else [text]
    return [f"refs/heads/{text}", f"refs/tags/{text}"]


def _read(repo: GitRepo, ref: str) -> ObjectID | None:
    raw = ref.encode("utf-8", "surrogateescape")
    if b"\0" in raw or b".." in raw or len(raw) > 1024:
        return None
    try:
        value = repo.refs.read_ref(raw)  # type: ignore[arg-type]
    except (OSError, ValueError):  # a file where the name has a folder, or a name git does not allow
        return None
    return ObjectID(value) if value else None


def _peel(repo: GitRepo, oid: ObjectID) -> str | None:
    found: ShaFile | None = lookup(repo.object_store, oid)
    for _ in range(16):
        if not isinstance(found, Tag):
            break
        found = lookup(repo.object_store, found.object[1])
    return found.id.decode("ascii") if isinstance(found, GitCommit) else None


def _by_prefix(repo: GitRepo, prefix: str) -> str:
    if len(prefix) == 40:
        commit_id = _peel(repo, ObjectID(prefix.encode("ascii")))
        if commit_id is None:
            raise _no_revision(prefix)
        return commit_id
    ids = set(repo.object_store.iter_prefix(prefix.encode("ascii")))
    commits = sorted(oid for oid in ids if isinstance(lookup(repo.object_store, oid), GitCommit))
    if len(commits) > 1:
        raise RevisionNotFound(f"{prefix} is short for {len(commits)} commits here; give more digits.")
    if not commits:
        raise _no_revision(prefix)
    return commits[0].decode("ascii")


def _commit(repo: GitRepo, id: str) -> GitCommit:
    found = lookup(repo.object_store, ObjectID(id.encode("ascii", "replace"))) if len(id) == 40 else None
    if not isinstance(found, GitCommit):
        raise _no_revision(id)
    return found


def _below(repo: GitRepo, folder: TreeEntry, recursive: bool) -> Iterator[TreeEntry]:
    tree = repo.object_store[ObjectID(folder.oid.encode("ascii"))]
    assert isinstance(tree, Tree)
    for item in tree.items():
        name = item.path.decode("utf-8", "surrogateescape")
        found = _entry(repo, f"{folder.path}/{name}" if folder.path else name, item.mode, item.sha)
        yield found
        if recursive and found.kind == "directory":
            yield from _below(repo, found, recursive)


def _entry(repo: GitRepo, path: str, mode: int, oid: ObjectID) -> TreeEntry:
    text = oid.decode("ascii")
    if stat.S_ISDIR(mode):
        return TreeEntry(path, "directory", text, 0, mode)
    if mode == _GITLINK:
        return TreeEntry(path, "submodule", text, 0, mode)
    return TreeEntry(path, "symlink" if stat.S_ISLNK(mode) else "file", text, blob_size(repo, text), mode)


def _by_date(repo: GitRepo, start: str) -> Iterator[GitCommit]:
    """Commits reachable from ``start``, newest commit time first, children before parents where dates agree."""
    first = _commit(repo, start)
    count = 0
    heap = [(-first.commit_time, count, first)]
    seen = {first.id}
    while heap:
        _, _, git_commit = heapq.heappop(heap)
        yield git_commit
        for parent_id in git_commit.parents:
            parent = lookup(repo.object_store, parent_id) if parent_id not in seen else None
            if isinstance(parent, GitCommit):
                seen.add(parent_id)
                count += 1
                # A parent dated later than its child (a wrong clock) still comes after it.
                heapq.heappush(heap, (-min(parent.commit_time, git_commit.commit_time), count, parent))


def _lookup_paths(repo: GitRepo, tree: ObjectID, paths: Iterable[str]) -> dict[str, tuple[int, ObjectID]]:
    """Mode and id of those paths that exist; each folder is read once."""
    folders: defaultdict[str, list[str]] = defaultdict(list)
    for path in paths:
        folders[path.rpartition("/")[0]].append(path)
    found = {}
    for folder, below in folders.items():
        try:
            raw = folder.encode("utf-8", "surrogateescape")
            oid = tree_lookup_path(repo.object_store.__getitem__, tree, raw)[1] if folder else tree
        except (KeyError, NotADirectoryError, NotTreeError, ValueError):
            continue
        listed = lookup(repo.object_store, oid)
        if not isinstance(listed, Tree):
            continue
        for path in below:
            name = path.rpartition("/")[2].encode("utf-8", "surrogateescape")
            if name and name in listed:
                found[path] = listed[name]
    return found


def _changed(repo: GitRepo, git_commit: GitCommit, path: str) -> bool:
    return _inherited(repo, git_commit, {path})[path] is None


def _inherited(
    repo: GitRepo, git_commit: GitCommit, paths: set[str], *, through_squashes: bool = False
) -> dict[str, GitCommit | None]:
    """For each path the first parent that has it just the same (``None``: this commit changed it)."""
    result: dict[str, GitCommit | None] = dict.fromkeys(paths)
    here = _lookup_paths(repo, git_commit.tree, paths)
    parents = git_commit.parents or (former(repo, git_commit.id) if through_squashes else [])
    for parent_id in parents:
        parent = lookup(repo.object_store, parent_id)
        if not isinstance(parent, GitCommit):
            continue
        same_tree = parent.tree == git_commit.tree
        open_paths = [path for path in paths if result[path] is None]
        there = here if same_tree else _lookup_paths(repo, parent.tree, open_paths)
        for path in open_paths:
            if there.get(path) == here.get(path):
                result[path] = parent
    for path in paths:
        if not parents and path not in here:
            result[path] = git_commit  # never existed: nobody changed it
    return result


def _for_people(git_commit: GitCommit) -> Commit:
    message = git_commit.message.decode("utf-8", "replace")
    name, _, rest = git_commit.author.decode("utf-8", "replace").partition("<")
    return Commit(
        id=git_commit.id.decode("ascii"),
        parents=tuple(parent.decode("ascii") for parent in git_commit.parents),
        tree=git_commit.tree.decode("ascii"),
        author_name=name.strip(),
        author_email=rest.rpartition(">")[0],
        date=clock.from_timestamp(git_commit.commit_time),
        title=message.strip().split("\n", 1)[0][:500],
        message=message,
    )


def _no_revision(text: str) -> RevisionNotFound:
    return RevisionNotFound(f"Revision Not Found: there is no branch, tag or commit {text[:100]!r} here.")


def _no_entry(path: str) -> EntryNotFound:
    return EntryNotFound(f"Entry Not Found: there is no {path[:200]!r} at this revision.")
