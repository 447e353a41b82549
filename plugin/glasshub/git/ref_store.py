"""Moving refs on disk so that no moment of it, if the machine stopped there, shows a wrong value.

dulwich removes a loose ref before the packed one, so that a crash in between brings an older value back;
here packed entries go first. dulwich also raises ``FileLocked`` instead of waiting; here it waits, briefly.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dulwich.file import FileLocked, GitFile
from dulwich.object_store import peel_sha
from dulwich.objects import ObjectID
from dulwich.refs import DiskRefsContainer, Ref, write_packed_refs
from dulwich.repo import Repo as GitRepo

from glasshub.errors import Busy, Conflict
from glasshub.git.durable import sync_folder

ZERO = "0" * 40
# One move of one ref: name, the value it must have now (None: any), the value it gets (ZERO: none).
Move = tuple[str, str | None, str]

_LOOSE_AT_MOST = 32
_LOCK_SECONDS = 1.0
_STALE_LOCK_SECONDS = 10.0


def encode(ref: str) -> Ref:
    """A ref name as bytes."""
    return Ref(ref.encode("utf-8", "surrogateescape"))


def read_ref(repo: GitRepo, ref: str) -> str:
    """The object id a ref has now, ``ZERO`` when it does not exist."""
    value = repo.refs.read_ref(encode(ref))
    return value.decode("ascii", "replace") if value else ZERO


def delete_refs(repo: GitRepo, moves: Sequence[Move]) -> None:
    """Delete refs, durable when this returns.

    Raises:
        Conflict: one no longer has the value it must have.
        Busy: a lock file of another program stood in the way all the time.
    """
    packed = _disk_refs(repo).get_packed_refs()
    listed = {ref: None for ref, _, _ in moves if encode(ref) in packed}
    loose = {ref for ref, _, _ in moves if _path(repo, ref).is_file()}
    if listed:
        _rewrite_packed(repo, listed)
    for ref, old, _ in moves:
        if ref in loose:
            _swap(repo, ref, lambda ref=ref, old=old: repo.refs.remove_if_equals(encode(ref), _oid(old)))  # type: ignore[misc]
    _sync_folders(repo, loose)


def set_refs(repo: GitRepo, moves: Sequence[Move]) -> None:
    """Create or move refs, durable when this returns; many at once go into ``packed-refs`` in one write.

    Raises:
        Conflict: one no longer has the value it must have.
        Busy: a lock file of another program stood in the way all the time.
    """
    if len(moves) > _LOOSE_AT_MOST:
        _rewrite_packed(repo, {ref: new for ref, _, new in moves})
        _drop_loose(repo, [ref for ref, _, _ in moves])
        return
    for ref, old, new in moves:
        _remove_empty_folders(_path(repo, ref))
        _swap(repo, ref, lambda ref=ref, old=old, new=new: _set(repo, ref, old, new))  # type: ignore[misc]
    _sync_folders(repo, {ref for ref, _, _ in moves})


def _set(repo: GitRepo, ref: str, old: str | None, new: str) -> bool:
    return repo.refs.set_if_equals(encode(ref), _oid(old), ObjectID(new.encode("ascii")))


def _oid(value: str | None) -> ObjectID | None:
    return None if value is None else ObjectID(value.encode("ascii"))


def _disk_refs(repo: GitRepo) -> DiskRefsContainer:
    assert isinstance(repo.refs, DiskRefsContainer)
    return repo.refs


def _path(repo: GitRepo, ref: str) -> Path:
    return Path(os.fsdecode(_disk_refs(repo).refpath(encode(ref))))


def _swap(repo: GitRepo, ref: str, action: Callable[[], bool]) -> None:
    if not _patiently(_path(repo, ref), action):
        raise Conflict(f"{ref} was changed by another program; fetch and try again.")


def _patiently(path: Path, action: Callable[[], bool]) -> bool:
    """Run ``action`` until no lock file is in its way; one that nobody has touched for long is left-over."""
    lock = path.with_name(f"{path.name}.lock")
    deadline, pause = time.monotonic() + _LOCK_SECONDS, 0.005
    while True:
        try:
            return action()
        except FileLocked as error:
            if _age(lock) > _STALE_LOCK_SECONDS:
                lock.unlink(missing_ok=True)
            elif time.monotonic() >= deadline:
                raise Busy(f"{path.name} is locked by another program. Try again in a moment.") from error
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
            pause = min(pause * 2, 0.2)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _rewrite_packed(repo: GitRepo, changes: Mapping[str, str | None]) -> None:
    path = Path(os.fsdecode(_disk_refs(repo).path)) / "packed-refs"
    _patiently(path, lambda: _write_packed(repo, path, changes))
    sync_folder(path.parent)


def _write_packed(repo: GitRepo, path: Path, changes: Mapping[str, str | None]) -> bool:
    refs = _disk_refs(repo)
    with GitFile(str(path), "wb") as file:
        packed = dict(refs.get_packed_refs())
        peeled = {ref: target for ref in packed if (target := refs.get_peeled(ref)) and target != packed[ref]}
        for name, new in changes.items():
            ref = encode(name)
            packed.pop(ref, None)
            peeled.pop(ref, None)
            if new is not None:
                packed[ref] = ObjectID(new.encode("ascii"))
                if name.startswith("refs/tags/") and (target := _peel(repo, packed[ref])):
                    peeled[ref] = target
        write_packed_refs(file, packed, peeled)
    return True


def _peel(repo: GitRepo, oid: ObjectID) -> ObjectID | None:
    """What an annotated tag leads to; packed-refs notes it, and a tag without a note counts as a plain one."""
    try:
        tag, target = peel_sha(repo.object_store, oid)
    except KeyError:
        return None
    return target.id if target is not tag else None


def _drop_loose(repo: GitRepo, refs: Sequence[str]) -> None:
    """Remove loose files that would hide what ``packed-refs`` now says."""
    hiding = [ref for ref in refs if _path(repo, ref).is_file()]
    for ref in hiding:
        _path(repo, ref).unlink(missing_ok=True)
    _sync_folders(repo, set(hiding))


def _remove_empty_folders(path: Path) -> None:
    # Left behind by refs below this name that are gone; a file cannot replace a folder.
    if path.is_dir():
        for folder, _, _ in os.walk(path, topdown=False):
            Path(folder).rmdir()


def _sync_folders(repo: GitRepo, refs: set[str]) -> None:
    """Flush the folders that lead to these refs, new ones included."""
    top = Path(os.fsdecode(_disk_refs(repo).path))
    folders = {parent for ref in refs for parent in Path(ref).parents if parent != Path()}
    for folder in sorted(folders, reverse=True):
        sync_folder(top / folder)
