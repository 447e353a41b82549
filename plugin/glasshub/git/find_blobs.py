"""Where below a commit, or what a tag names, given blobs stand."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Commit, ObjectID, Tag, Tree

from glasshub.git.ancestry import lookup
from glasshub.git.object_check import is_folder, is_gitlink, split_tree

MOST_FOLDERS = 20_000
MOST_TAGS = 16  # of tags


def paths_of(store: BaseObjectStore, tip: str, blobs: Collection[bytes]) -> Iterator[str]:
    """The paths at ``tip`` whose blobs have one of these 20-byte ids; huge trees are searched in part.

    Args:
        store: where the objects are.
        tip: 40 hex digits of a commit, a tree, or a tag of either (there are no paths below anything else).
        blobs: the ids.
    """
    waiting: list[tuple[str, ObjectID]] = [("", _below(store, ObjectID(tip.encode("ascii"))))]
    for _ in range(MOST_FOLDERS):
        if not waiting:
            return
        folder, oid = waiting.pop()
        tree = lookup(store, oid)
        heads, ids = split_tree(tree.as_raw_string()) if isinstance(tree, Tree) else ([], [])
        for head, raw in zip(heads, ids, strict=False):
            path = folder + head.partition(b" ")[2].decode("utf-8", "replace")
            if is_folder(head):
                waiting.append((f"{path}/", ObjectID(raw.hex().encode())))
            elif not is_gitlink(head) and raw in blobs:
                yield path


def _below(store: BaseObjectStore, oid: ObjectID) -> ObjectID:
    """What a chain of tags ends in, the tree if that is a commit."""
    found = lookup(store, oid)
    for _ in range(MOST_TAGS):
        if not isinstance(found, Tag):
            break
        oid = found.object[1]
        found = lookup(store, oid)
    return ObjectID(found.tree) if isinstance(found, Commit) else oid
