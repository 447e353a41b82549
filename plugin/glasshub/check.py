"""Whether everything agrees: git objects and refs, registry and disk, large files, the index and a rebuilt one."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator

from dulwich.repo import Repo as GitRepo

from glasshub import indexing, large_files, repos, runs
from glasshub.blobs.pointer import Pointer
from glasshub.errors import GlasshubError, RepoNotFound, RevisionNotFound
from glasshub.git.pointers import pointers_among
from glasshub.git.read import list_refs, list_tree, open_repo, resolve_revision
from glasshub.git.verify import verify_repository
from glasshub.hub import Hub
from glasshub.identity import Repo
from glasshub.index import comparison
from glasshub.indexing import Difference
from glasshub.result_files import DAMAGE

MOST_DIFFERENCES = 100
_SHOWN = ("refs/heads/", "refs/tags/", "refs/pr/")


def run(hub: Hub) -> list[str]:
    """Check a hub, which may go on serving; returns a sentence per fault (none: all is well)."""
    known = repos.every(hub)
    found = [f"{repo.type} {repo.repo_id}: {fault}" for repo in known for fault in _repository(hub, repo)]
    found += [f"{repo.type} {repo.repo_id}: {fault}" for repo in known for fault in _large_files(hub, repo)]
    found += _strangers(hub)
    found += _runs(hub)
    return found + list(_index(hub))


def _repository(hub: Hub, repo: Repo) -> list[str]:
    try:
        with open_repo(hub.git_dir(repo)) as git:
            return verify_repository(git)
    except RepoNotFound:
        return [] if _deleted(hub, repo) else [f"the registry has it, but {hub.git_dir(repo)} is not there"]
    except (*DAMAGE, OSError) as error:
        return [] if _deleted(hub, repo) else [f"it cannot be read: {error}"]


def _large_files(hub: Hub, repo: Repo) -> list[str]:
    """Contents that are not there, and files at the tips of refs whose content the repo never had."""
    try:
        with open_repo(hub.git_dir(repo)) as git:
            tips = {tip for prefix in _SHOWN for ref in list_refs(git, prefix) if (tip := _commit_of(git, ref))}
            named = dict(pair for tip in tips for pair in _pointers(git, tip))
    except (GlasshubError, *DAMAGE, OSError):
        return []  # what cannot be read has been told
    missing = set(large_files.missing(hub, repo, list(named.values())))
    gone = large_files.deleted(hub, repo) if missing else set()
    paths = sorted({path for (path, _), pointer in named.items() if pointer in missing and pointer.sha256 not in gone})
    told = [f"{path} needs a large file that this repo does not have; push its content again" for path in paths]
    return [*told[:MOST_DIFFERENCES], *large_files.faults(hub, repo)]


def _commit_of(git: GitRepo, ref: str) -> str:
    try:
        return resolve_revision(git, ref).commit
    except RevisionNotFound:
        return ""  # a tag of something that is no commit


def _pointers(git: GitRepo, tip: str) -> Iterator[tuple[tuple[str, str], Pointer]]:
    """The large files of a commit by path and blob."""
    entries = list_tree(git, tip, recursive=True)
    pointers = pointers_among(git, entries)
    yield from (((item.path, item.oid), pointers[item.oid]) for item in entries if item.oid in pointers)


def _deleted(hub: Hub, repo: Repo) -> bool:
    return repo.key not in {now.key for now in repos.every(hub)}


def _strangers(hub: Hub) -> Iterator[str]:
    """Folders that no repo owns; young ones may belong to a creation under way, and empty ones go at the next start."""
    known = {repo.key for repo in repos.every(hub)}
    for path in sorted(hub.settings.repos_dir.glob("[0-9a-f][0-9a-f]/*.git")):
        if path.stem not in known and time.time() - path.stat().st_mtime > repos.ORPHAN_GRACE:
            yield f"{path} belongs to no repo of the registry; remove it if nobody misses it"


def _runs(hub: Hub) -> list[str]:
    try:
        return runs.faults(hub)
    except (GlasshubError, *DAMAGE, OSError) as error:
        return [f"list of runs: {error}"]


def _index(hub: Hub) -> Iterator[str]:
    damage = comparison.damage(hub.index.read())
    yield from (f"index: {fault}" for fault in damage)
    try:
        yield from map(_sentence, indexing.compare(hub, limit=MOST_DIFFERENCES))
    except sqlite3.DatabaseError as error:
        yield f"index: it cannot be compared with a rebuilt one ({error}). {comparison.MEND}"


def _sentence(difference: Difference) -> str:
    verb = "only in the index" if difference.kept else "missing from the index"
    return f"index: {difference.table} row {verb}: {json.dumps(difference.row, ensure_ascii=False, default=str)}"
