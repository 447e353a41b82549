"""What a process that died has left in a repository, and how the next one puts it right.

The journal holds the refs that are about to move. It is written before the first one moves and removed after
the last, so it exists exactly while a move is under way: found under the repository's lock, it belongs to a
process that died, and the moves are finished.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from dulwich.repo import Repo as GitRepo

from glasshub.git.durable import replace_file, sync_folder
from glasshub.git.lock import try_flock
from glasshub.git.ref_store import ZERO, delete_refs, read_ref, set_refs

JOURNAL = "glasshub-refs.json"
QUARANTINE = "quarantine"
UNBORN = ".new-"
_UNBORN_SECONDS = 60
_STALE_LOCK_SECONDS = 10


def write_journal(git_dir: Path, targets: Mapping[str, str], *, durable: bool) -> None:
    """Note that every ref of ``targets`` is to get the given id (``ZERO``: none).

    Args:
        git_dir: the bare repository, locked by the caller.
        targets: ref name -> 40 hex digits.
        durable: whether the note must survive a power cut (several refs move as one), or only a killed process.
    """
    data = json.dumps(targets).encode("ascii")
    if durable:
        replace_file(git_dir / JOURNAL, data)
    else:
        (git_dir / JOURNAL).write_bytes(data)


def remove_journal(git_dir: Path, *, durable: bool) -> None:
    """All refs have moved (or been put back)."""
    (git_dir / JOURNAL).unlink(missing_ok=True)
    if durable:
        sync_folder(git_dir)


def recover(git_dir: Path) -> bool:
    """Put right what a dead process left: half-done moves, lock files, abandoned quarantines.

    The caller holds the repository's lock. Running it again, or being killed in it, does no harm.

    Returns:
        Whether refs were moved.
    """
    _remove_abandoned(git_dir / QUARANTINE)
    journal = git_dir / JOURNAL
    if not journal.exists():
        _remove_locks(list(git_dir.glob("*.lock")), older_than=_STALE_LOCK_SECONDS)
        return False
    # Only the dead process could have made these, for whoever holds the repository's lock moves its refs.
    _remove_locks([*git_dir.glob("*.lock"), *(git_dir / "refs").rglob("*.lock")], older_than=-1)
    _finish(git_dir, _read_journal(journal))
    remove_journal(git_dir, durable=True)
    return True


def _read_journal(journal: Path) -> dict[str, str]:
    try:
        return dict(json.loads(journal.read_bytes()))
    except ValueError:
        return {}  # a note that did not have to survive a power cut, and did not: its ref moved whole or not at all


def _finish(git_dir: Path, targets: Mapping[str, str]) -> None:
    with GitRepo(str(git_dir), bare=True) as repo:
        late = {ref: new for ref, new in targets.items() if read_ref(repo, ref) != new}
        delete_refs(repo, [(ref, None, new) for ref, new in late.items() if new == ZERO])
        set_refs(repo, [(ref, None, new) for ref, new in late.items() if new != ZERO])


def _remove_locks(locks: list[Path], *, older_than: float) -> None:
    for lock in locks:
        if lock.name != "glasshub.lock" and _age(lock) > older_than:
            lock.unlink(missing_ok=True)


def _remove_abandoned(folder: Path) -> None:
    """Remove quarantines whose owner is dead: the kernel has released the lock on their folder."""
    try:
        paths = list(folder.iterdir())
    except FileNotFoundError:
        return
    for path in paths:
        if path.name.startswith(UNBORN):  # its owner is about to lock it
            if _age(path) > _UNBORN_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
        else:
            _remove_if_unlocked(path)
    with suppress(OSError):
        folder.rmdir()  # fails while others have theirs there


def _remove_if_unlocked(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if try_flock(handle):
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(handle)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
