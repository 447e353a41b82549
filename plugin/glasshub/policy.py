"""What a push may do: the rules of ``pre_receive``, checked for every write before any ref moves."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Blob, Commit, ObjectID, Tree

from glasshub import access, large_files
from glasshub.access import Action
from glasshub.desk import Desk
from glasshub.errors import Forbidden, Unauthenticated
from glasshub.evals.eval_yaml import PATH as EVAL_YAML
from glasshub.evals.eval_yaml import parse_eval_yaml
from glasshub.evals.problems import Problem
from glasshub.git.ancestry import is_ancestor, lookup
from glasshub.git.find_blobs import paths_of
from glasshub.git.refs import RefUpdate, is_object_id
from glasshub.git.squashed import keeps
from glasshub.identity import Actor, Repo

MAIN = "refs/heads/main"
MOST_NAMES = 10
OPEN_TO_CLIENTS = ("refs/heads/", "refs/tags/")


def refuse_actor(repo: Repo, actor: Actor) -> str:
    """Why the actor may not push to this repo's branches and tags (``""`` when they may)."""
    try:
        access.require(actor, Action.WRITE, repo)
    except (Forbidden, Unauthenticated) as error:
        return error.message
    return ""


def refuse_ref(repo: Repo, update: RefUpdate) -> str:
    """Why this ref may not be changed by a client at all (``""`` when it may)."""
    if not update.ref.startswith(OPEN_TO_CLIENTS):
        return "the hub keeps this ref; push to refs/heads/ or refs/tags/, or to refs/for/main to open a pull request"
    if update.creates and is_object_id(update.ref.split("/", 2)[2]):
        return "a name of 40 hex digits stands for a commit; whoever asks for that commit must not get something else"
    if update.ref == MAIN and update.deletes and not repo.allow_force_push:
        return "main is protected and cannot be deleted; an admin can allow it in the repo's settings"
    return ""


def refuse_rewrite(repo: Repo, update: RefUpdate, store: BaseObjectStore, *, beside: Collection[RefUpdate] = ()) -> str:
    """Why ``main`` may not move this way (``""`` when it may): fast-forwards only, unless the repo allows more.

    A squash may, since ``beside`` it another update keeps what ``main`` was. (No client can ask for such an update.)
    """
    if update.ref != MAIN or update.creates or update.deletes or repo.allow_force_push:
        return ""
    if keeps(update.new, update.old) in beside:
        return ""
    if is_ancestor(store, update.old, update.new):
        return ""
    return "main is protected and only fast-forwards; fetch, merge or rebase, and push again"


def refuse_missing_files(desk: Desk, updates: Sequence[RefUpdate]) -> str:
    """Why new commits may not come in while large files that they need are not here (``""`` when all are).

    The new objects of all updates are looked at together: git-lfs brings contents before it pushes.
    """
    tips = [update.new for update in updates if not update.deletes]
    pointers = desk.incoming.checker.pointers if tips else {}
    missing = {p.sha256 for p in large_files.missing(desk.hub, desk.repo, set(pointers.values()))}
    if not missing:
        return ""
    blobs = {oid for oid, pointer in pointers.items() if pointer.sha256 in missing}
    names = sorted({name for tip in tips for name in paths_of(desk.store, tip, blobs)})
    shown = names[:MOST_NAMES] or sorted(missing)[:MOST_NAMES]  # of former commits there are only hashes to tell
    more = len(blobs) - len(shown)
    listed = ", ".join(shown) + (f" and {more} more" if more > 0 else "")
    return f"the content of large files is missing: {listed}; bring it with git lfs push --all, then push again"


def benchmark_problems(repo: Repo, update: RefUpdate, store: BaseObjectStore) -> tuple[Problem, ...]:
    """The problems of the ``eval.yaml`` that this update would put on a dataset's ``main``.

    Errors among them refuse the update, since a broken file would take a benchmark down. A file that
    the update does not change is not judged again.
    """
    if repo.type != "dataset" or update.ref != MAIN or update.deletes:
        return ()
    blob = _root_blob(store, update.new, EVAL_YAML)
    before = None if update.creates else _root_blob(store, update.old, EVAL_YAML)
    if blob is None or (before is not None and before.id == blob.id):
        return ()
    return parse_eval_yaml(blob.data, repo_id=repo.repo_id).problems


def _root_blob(store: BaseObjectStore, commit_id: str, name: str) -> Blob | None:
    oid = ObjectID(commit_id.encode("ascii"))
    commit = lookup(store, oid)
    if not isinstance(commit, Commit):
        return None
    tree = store[commit.tree]
    if not isinstance(tree, Tree) or name.encode() not in tree:
        return None
    found = store[tree[name.encode()][1]]
    return found if isinstance(found, Blob) else None
