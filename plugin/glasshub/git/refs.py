"""Ref updates: what they are, which names are legal, and changing several at once by compare-and-swap."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dulwich.refs import Ref, check_ref_format
from dulwich.repo import Repo as GitRepo

from glasshub.errors import GlasshubError
from glasshub.git.recovery import QUARANTINE, recover, remove_journal, write_journal
from glasshub.git.ref_store import ZERO, Move, delete_refs, read_ref, set_refs

__all__ = [
    "QUARANTINE",
    "ZERO",
    "RefResult",
    "RefUpdate",
    "apply_updates",
    "check_ref_name",
    "check_updates",
    "is_object_id",
    "read_ref",
    "recover",
]

STALE = "stale info: the ref moved; fetch and push again"
TWICE = "the push names this ref more than once; name it once"
ATOMIC = "atomic push: another ref was refused, so none was changed"
_LONGEST_PART = 240  # bytes; a file system takes 255, and lock files add to the name
_LONGEST = 1024
_HEX = re.compile(r"[0-9a-f]{40}")


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


def is_object_id(text: str) -> bool:
    """Whether ``text`` is 40 lower-case hex digits."""
    return _HEX.fullmatch(text) is not None


def check_ref_name(ref: str) -> str:
    """Why ``ref`` cannot name a ref here (``""`` when it can): git's own rules, below ``refs/``, and UTF-8."""
    try:
        raw = ref.encode("utf-8")
    except UnicodeEncodeError:
        return "a ref name must be UTF-8"
    # At least refs/<kind>/<name>, as git demands of a push.
    if not ref.startswith("refs/") or not check_ref_format(Ref(raw[5:])):
        return "not a legal ref name (see git check-ref-format)"
    if len(raw) > _LONGEST or max(map(len, raw.split(b"/"))) > _LONGEST_PART:
        return "the ref name is too long; choose a shorter one"
    return ""


def apply_updates(repo: GitRepo, updates: Sequence[RefUpdate], *, atomic: bool) -> list[RefResult]:
    """Apply updates by compare-and-swap. The caller holds the repository's lock and has run :func:`recover`.

    All old values are compared before the first ref moves. A process killed in between leaves a journal by
    which ``recover`` finishes the moves, so an atomic update never stays half done.

    Args:
        repo: the repository, on disk.
        updates: what to change.
        atomic: all or none.

    Returns:
        One result per update, in order.

    Raises:
        OSError: the disk failed, and putting things back failed too; the next ``recover`` finishes the moves.
    """
    errors = check_updates(repo, updates)
    if atomic and any(errors):
        return [RefResult(update, error or ATOMIC) for update, error in zip(updates, errors, strict=True)]
    going = [update for update, error in zip(updates, errors, strict=True) if not error]
    failed = _apply_journaled(repo, going, atomic=atomic) if going else {}
    return [RefResult(u, error or failed.get(u.ref, "")) for u, error in zip(updates, errors, strict=True)]


def check_updates(repo: GitRepo, updates: Sequence[RefUpdate]) -> list[str]:
    """Why each update cannot be made with the refs as they are now (``""``: it can)."""
    names = [update.ref for update in updates]
    repeated = {ref for ref in names if names.count(ref) > 1} if len(set(names)) < len(names) else set()
    errors = [TWICE if u.ref in repeated else _refuse(repo, u) for u in updates]
    going = [update for update, error in zip(updates, errors, strict=True) if not error]
    clashes = _clashes(repo, going)
    return [error or clashes.get(update.ref, "") for update, error in zip(updates, errors, strict=True)]


def _refuse(repo: GitRepo, update: RefUpdate) -> str:
    if reason := check_ref_name(update.ref):
        return reason
    if read_ref(repo, update.ref) != update.old:
        return STALE
    return "there is no such ref to delete" if update.creates and update.deletes else ""


def _clashes(repo: GitRepo, going: Sequence[RefUpdate]) -> dict[str, str]:
    """Refs that cannot be made because a ref cannot be a folder of refs too."""
    made = {update.ref for update in going if update.creates}
    if not made:
        return {}
    gone = {update.ref for update in going if update.deletes}
    present = {ref.decode("utf-8", "surrogateescape") for ref in repo.refs.allkeys()} - gone | made
    folders = {folder: ref for ref in present for folder in _folders(ref)}
    found = {}
    for ref in made:
        other = folders.get(ref) or next((folder for folder in _folders(ref) if folder in present), "")
        if other:
            found[ref] = f"{other} exists, and a ref cannot be a folder of refs too; choose another name"
    return found


def _folders(ref: str) -> Iterator[str]:
    while ref := ref.rpartition("/")[0]:
        yield ref


def _apply_journaled(repo: GitRepo, going: Sequence[RefUpdate], *, atomic: bool) -> dict[str, str]:
    """Move the refs; returns the errors of those that could not be moved."""
    git_dir = Path(repo.controldir())
    several = len(going) > 1
    write_journal(git_dir, {update.ref: update.new for update in going}, durable=several)
    try:
        failed = _apply_all(repo, going) if atomic else _apply_each(repo, going)
    except (GlasshubError, OSError) as error:
        _put_back(repo, going)
        failed = {update.ref: _reason(error) for update in going}
    remove_journal(git_dir, durable=several)
    return failed


def _apply_all(repo: GitRepo, going: Sequence[RefUpdate]) -> dict[str, str]:
    # Deleting refs/heads/a makes room for refs/heads/a/b in the same push, so deletions go first.
    delete_refs(repo, [_move(update) for update in going if update.deletes])
    set_refs(repo, [_move(update) for update in going if not update.deletes])
    return {}


def _apply_each(repo: GitRepo, going: Sequence[RefUpdate]) -> dict[str, str]:
    try:
        return _apply_all(repo, going)
    except (GlasshubError, OSError):
        if len(going) == 1:
            raise
    failed = {}
    for update in sorted(going, key=lambda update: not update.deletes):
        try:
            if read_ref(repo, update.ref) != update.new:
                _apply_all(repo, [update])
        except (GlasshubError, OSError) as error:
            failed[update.ref] = _reason(error)
    return failed


def _put_back(repo: GitRepo, going: Sequence[RefUpdate]) -> None:
    moved = [update for update in going if read_ref(repo, update.ref) != update.old]
    delete_refs(repo, [(update.ref, None, ZERO) for update in moved if update.creates])
    set_refs(repo, [(update.ref, None, update.old) for update in moved if not update.creates])


def _move(update: RefUpdate) -> Move:
    return update.ref, update.old, update.new


def _reason(error: GlasshubError | OSError) -> str:
    if isinstance(error, GlasshubError):
        return error.message
    return f"the hub could not write the ref ({error.strerror}); try again, or tell an admin"
