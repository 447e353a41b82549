"""Where in a commit's tree given blobs stand."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from dulwich.object_store import BaseObjectStore
from dulwich.objects import ObjectID, Tree

from glasshub.git.ancestry import lookup
from glasshub.git.merge import tree_of
from glasshub.git.object_check import is_folder, is_gitlink, split_tree

MOST_FOLDERS = 20_000


def paths_of(store: BaseObjectStore, commit: str, blobs: Collection[bytes]) -> Iterator[str]:
    """The paths at ``commit`` (40 hex) whose blobs have one of these 20-byte ids; huge trees are searched in part."""
    waiting: list[tuple[str, ObjectID]] = [("", tree_of(store, commit))]
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
