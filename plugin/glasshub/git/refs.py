"""Ref updates: what they are, which names are legal, and changing several at once by compare-and-swap.

Several refs move together by way of a journal: the decision is written and fsynced before the first ref
moves, and whoever takes the repository's lock next finishes what a dead process began. So an atomic push
is atomic even across a power cut.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dulwich.file import FileLocked
from dulwich.refs import check_ref_format
from dulwich.repo import Repo as GitRepo

from glasshub.git.durable import replace_file, sync_folder

ZERO = "0" * 40
STALE = "stale: the ref has moved since you looked; fetch, then push again"
JOURNAL = "glasshub-refs.json"
QUARANTINE = "quarantine"
_HEX = re.compile(r"[0-9a-f]{40}")
_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """One requested change of one ref. Object ids are 40 hex digits; ``ZERO`` means "does not exist"."""

    old: str
    new: str
    ref: str

    @property
    def creates(self) -> bool:
        """Whether the ref must not exist before."""
        return self.old == ZERO

    @property
    def deletes(self) -> bool:
        """Whether the ref goes away."""
        return self.new == ZERO


@dataclass(frozen=True, slots=True)
class RefResult:
    """What became of one update: ``error`` is ``""`` when it was applied, else a short reason for the client."""

    update: RefUpdate
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether the ref now has the new value."""
        return not self.error


def check_ref_name(ref: str) -> str:
    """Why ``ref`` cannot be the name of a ref (``""`` when it can)."""
    if ref.startswith("refs/") and check_ref_format(ref.encode("utf-8", "surrogateescape")):  # type: ignore[arg-type]
        return ""
    return "not a legal ref name (see git check-ref-format)"


def is_object_id(text: str) -> bool:
    """Whether ``text`` is 40 lower-case hex digits."""
    return _HEX.fullmatch(text) is not None


def read_ref(repo: GitRepo, ref: str) -> str:
    """The object id a ref points to now, ``ZERO`` when it does not exist."""
    value = repo.refs.read_ref(ref.encode("utf-8", "surrogateescape"))  # type: ignore[arg-type]
    return value.decode("ascii") if value else ZERO


def is_stale(repo: GitRepo, update: RefUpdate) -> bool:
    """Whether the ref no longer has the value the client saw."""
    return read_ref(repo, update.ref) != update.old


def apply_updates(repo: GitRepo, updates: Sequence[RefUpdate], *, atomic: bool) -> list[RefResult]:
    """Apply updates by compare-and-swap. The caller holds the repository's lock.

    Args:
        repo: the repository.
        updates: what to change; each names another ref.
        atomic: all or none, also across a crash.

    Returns:
        One result per update, in order.
    """
    errors = [_refuse(repo, update, updates) for update in updates]
    if atomic and any(errors):
        rest = "atomic push: another ref was refused, so none was changed"
        return [RefResult(update, error or rest) for update, error in zip(updates, errors, strict=True)]
    going = [update for update, error in zip(updates, errors, strict=True) if not error]
    journal = Path(repo.controldir()) / JOURNAL
    if len(going) > 1:
        replace_file(journal, json.dumps([asdict(update) for update in going]).encode())
    for update in _deletions_first(going):
        _swap(repo, update)
    journal.unlink(missing_ok=True)
    return [RefResult(update, error) for update, error in zip(updates, errors, strict=True)]


def recover(git_dir: Path) -> bool:
    """Finish what a process that died left behind; returns whether there was anything. The caller holds the lock.

    Removes lock files (nobody else can hold them now), replays the journal, drops abandoned quarantines.
    """
    locks = [path for path in (git_dir / "packed-refs.lock", git_dir / "HEAD.lock") if path.exists()]
    locks += (git_dir / "refs").rglob("*.lock")
    abandoned = [path for path in (git_dir / QUARANTINE).glob("*-*") if not _alive(path.name.split("-")[0])]
    for lock in locks:
        lock.unlink(missing_ok=True)
    for folder in abandoned:
        shutil.rmtree(folder, ignore_errors=True)
    journal = git_dir / JOURNAL
    if journal.exists():
        _replay(git_dir, journal)
        return True
    return bool(locks or abandoned)


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def _replay(git_dir: Path, journal: Path) -> None:
    updates = [RefUpdate(**item) for item in json.loads(journal.read_bytes())]
    with GitRepo(str(git_dir), bare=True) as repo:
        for update in _deletions_first(updates):
            if read_ref(repo, update.ref) == update.old:
                _swap(repo, update)
    journal.unlink()


def _deletions_first(updates: Sequence[RefUpdate]) -> list[RefUpdate]:
    # Deleting refs/heads/a makes room for refs/heads/a/b in the same push.
    return sorted(updates, key=lambda update: not update.deletes)


def _refuse(repo: GitRepo, update: RefUpdate, updates: Sequence[RefUpdate]) -> str:
    if reason := check_ref_name(update.ref):
        return reason
    if sum(other.ref == update.ref for other in updates) > 1:
        return "the push names this ref twice; name it once"
    if is_stale(repo, update):
        return STALE
    if update.creates and update.deletes:
        return "there is no such ref to delete"
    return _folder_clash(repo, update, updates) if update.creates else ""


def _folder_clash(repo: GitRepo, update: RefUpdate, updates: Sequence[RefUpdate]) -> str:
    going = {other.ref for other in updates if other.deletes}
    coming = {other.ref for other in updates if not other.deletes and other is not update}
    present = {ref.decode("utf-8", "surrogateescape") for ref in repo.refs.allkeys()} - going | coming
    for other in present:
        if other.startswith(f"{update.ref}/") or update.ref.startswith(f"{other}/"):
            return f"{other} exists, and a ref cannot be a folder of refs too; choose another name"
    return ""


def _swap(repo: GitRepo, update: RefUpdate) -> None:
    """One compare-and-swap; dulwich raises instead of waiting when a lock file exists, so wait here."""
    ref = update.ref.encode("utf-8", "surrogateescape")
    old = update.old.encode("ascii")
    pause = 0.005
    for attempt in range(_ATTEMPTS):
        try:
            if update.deletes:
                done = repo.refs.remove_if_equals(ref, old)  # type: ignore[arg-type]
            else:
                done = repo.refs.set_if_equals(ref, old, update.new.encode("ascii"))  # type: ignore[arg-type]
        except FileLocked:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
            pause *= 2
        else:
            if not done:  # cannot happen while the lock is held; if it does, the repository is not ours
                raise AssertionError(f"{update.ref} changed although its repository was locked")
            sync_folder((Path(repo.controldir()) / os.fsdecode(ref)).parent)
            return
