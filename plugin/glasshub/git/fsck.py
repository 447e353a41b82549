"""Checks before any ref may point to new objects. Whole repositories are checked by :mod:`glasshub.git.verify`."""

from __future__ import annotations

from dulwich.object_store import BaseObjectStore
from dulwich.objects import ObjectID, ShaFile, Tag

from glasshub.git.ancestry import lookup
from glasshub.git.object_check import COMMIT, TAG
from glasshub.git.quarantine import Quarantine
from glasshub.git.refs import RefUpdate, is_object_id
from glasshub.git.stored import StoredKinds
from glasshub.git.verify import verify_repository

__all__ = ["check_new_objects", "check_tip", "verify_repository"]

_TAGS_OF_TAGS = 16


def check_new_objects(quarantine: Quarantine) -> None:
    """See that everything new objects name is new too, or part of the repository proper.

    Each object was checked by itself when it came in. Since nothing enters a repository without this check,
    what is there has all it needs, and no history has to be walked.

    Raises:
        Invalid: something is missing; the message names the object that needs it.
    """
    with StoredKinds(quarantine.repo.object_store) as stored:
        quarantine.checker.check_connected(stored.get)


def check_tip(quarantine: Quarantine, update: RefUpdate) -> str:
    """Why the new value of a ref cannot be its tip (``""`` when it can).

    It must be new or in the repository proper. Tags may point to anything that leads to a commit, other refs
    must point to a commit itself.
    """
    if update.deletes:
        return ""
    if not is_object_id(update.new):
        return f"{update.new!r} is no object id"
    oid = bytes.fromhex(update.new)
    kind = quarantine.checker.kinds.get(oid) or _stored_kind(quarantine, oid)
    if kind is None:
        return f"object {update.new} was not sent and is not in the repo"
    if kind == TAG and update.ref.startswith("refs/tags/"):
        kind = COMMIT if _leads_to_commit(quarantine.store, update.new) else kind
    return "" if kind == COMMIT else f"object {update.new} is not a commit, and this ref must point to one"


def _stored_kind(quarantine: Quarantine, oid: bytes) -> int | None:
    with StoredKinds(quarantine.repo.object_store) as stored:
        return stored.get(oid)


def _leads_to_commit(store: BaseObjectStore, tag: str) -> bool:
    found: ShaFile | None = lookup(store, ObjectID(tag.encode("ascii")))
    for _ in range(_TAGS_OF_TAGS):
        if not isinstance(found, Tag):
            break
        target, oid = found.object
        if target.type_num not in (COMMIT, TAG):
            return False
        found = lookup(store, oid)
    return found is not None and found.type_num == COMMIT
