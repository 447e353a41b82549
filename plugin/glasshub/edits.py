"""Editing files in the hub itself, by API or web form: a commit on a branch, on a pull request, or as a new one.

The commit is built under the repo's lock on what the ref is at that moment, so that nothing which came meanwhile is
lost. Doing the same edit again right after (a client that never saw the answer) changes nothing and names the same
commit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dulwich.objects import Commit, ObjectID

from glasshub import pulls, receive
from glasshub.access import Action
from glasshub.conversation import Discussion
from glasshub.desk import MAIN, PULLS, Desk, Move
from glasshub.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed, RevisionNotFound
from glasshub.events import MAX_BODY, MAX_TITLE
from glasshub.git.ancestry import lookup
from glasshub.git.attributes import NAME as ATTRIBUTES
from glasshub.git.build import Operation, Place, Put, build_tree, make_commit
from glasshub.git.lfs_rules import LfsRules, covering
from glasshub.git.merge import tree_of
from glasshub.git.quarantine import Quarantine
from glasshub.git.read import list_refs, resolve_revision
from glasshub.git.ref_store import ZERO
from glasshub.git.refs import RefUpdate
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo

BRANCHES = "refs/heads/"
MAX_SUMMARY = 1000
Check = Callable[[Desk], None]
MOVED_ON = "The branch was updated since you opened this page. Please refresh and try again."


@dataclass(frozen=True, slots=True)
class Edit:
    """What to change, and what the commit says of it.

    Attributes:
        operations: done in order on top of the parent.
        summary: the first line of the message.
        description: the rest, may be empty.
        parent: the commit that the editor looked at (40 hex, or the first digits of it), ``""`` for any.
    """

    operations: Sequence[Operation]
    summary: str
    description: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """The commit that an edit made (or had made before), and the pull request that it opened (0: none)."""

    commit: str
    pull: int = 0


@dataclass(slots=True)
class _Draft:
    """A decision about an edit; it remembers what it made, since a repeated edit moves nothing."""

    edit: Edit
    ref: str = ""
    check: Check | None = None
    commit: str = field(default="", init=False)

    def commit_on_ref(self, desk: Desk) -> Move:
        """Move ``ref`` to a new commit."""
        tip = desk.ref(self.ref)
        _require_may_edit(desk, self.ref, tip)
        again = _same_edit(desk, tip, self.edit)
        if not again and self.edit.parent and not tip.startswith(self.edit.parent.lower()):
            raise PreconditionFailed(MOVED_ON)
        if self.check and not again:
            self.check(desk)
        # A pull request whose commits were deleted begins anew on main.
        parent = tip or (desk.main if self.ref.startswith(PULLS) else "")
        self.commit = again or build_on(desk, parent, self.edit)
        if self.commit in (tip, parent):
            return Move()
        update = RefUpdate(tip or ZERO, self.commit, self.ref)
        if self.ref.startswith(PULLS):
            return pulls.push_head(desk, _number(self.ref), update)
        return Move((update,))

    def open_pull(self, desk: Desk) -> Move:
        """Open a pull request with a new commit on ``main``, or on the parent that the edit names."""
        desk.require(Action.DISCUSS)
        if self.check:
            self.check(desk)
        again = _same_pull(desk, self.edit)
        if again is not None:
            self.commit = again.head
            return Move(again=again.timeline[0])
        parent = resolve_revision(desk.git, self.edit.parent).commit if self.edit.parent else desk.main
        if not parent:
            raise Invalid("This repo has no main branch yet; a pull request needs one to be merged into.")
        self.commit = build_on(desk, parent, self.edit)
        if self.commit == parent:
            raise Invalid("This changes nothing, so there is no pull request to open.")
        title, _, rest = self.edit.summary.strip().partition("\n")
        body = "\n\n".join(part for part in (rest.strip(), self.edit.description.strip()) if part)
        return pulls.open_pull(desk, title=title[:MAX_TITLE], body=body, head=self.commit)


def commit(
    hub: Hub,
    repo: Repo,
    actor: Actor,
    edit: Edit,
    *,
    ref: str,
    incoming: Quarantine | None = None,
    check: Check | None = None,
) -> Made:
    """Commit to a branch (``refs/heads/...``) or a pull request (``refs/pr/N``).

    A branch must exist, except ``main`` of an empty repo. An edit that changes nothing makes no commit.

    Args:
        hub: the hub.
        repo: the repo.
        actor: who edits (access is checked here, under the lock).
        edit: what to change.
        ref: the full name of the ref.
        incoming: holds the blobs that the operations place, if any do.
        check: a further rule, asked under the lock; it raises what is wrong.

    Raises:
        RevisionNotFound: there is no such branch or pull request.
        PreconditionFailed: the edit names a parent, and the ref is no longer there.
        EntryNotFound: a deletion names nothing.
        Invalid: an unsafe path, no message, or the hub's rules refuse the outcome.
        Conflict: the pull request is closed or merged.
        Forbidden, Unauthenticated, RepoNotFound: as the permission table says.
        Busy: the repo's lock could not be had in time.
    """
    _check(edit)
    draft = _Draft(edit, ref, check)
    receive.decide(hub, repo, actor, draft.commit_on_ref, incoming=incoming)
    return Made(draft.commit)


def propose(
    hub: Hub,
    repo: Repo,
    actor: Actor,
    edit: Edit,
    *,
    incoming: Quarantine | None = None,
    check: Check | None = None,
) -> Made:
    """Open a pull request to ``main`` with one commit; summary and description become its title and text.

    Doing so again while nothing else came of it opens no second one.
    ``check`` is a further rule as in :func:`commit`.

    Raises:
        RevisionNotFound: the edit names a parent that is not there.
        Invalid: it changes nothing, or as :func:`commit`.
        EntryNotFound, Forbidden, Unauthenticated, RepoNotFound, Busy: as :func:`commit`.
    """
    _check(edit)
    draft = _Draft(edit, check=check)
    move = receive.decide(hub, repo, actor, draft.open_pull, incoming=incoming)
    return Made(draft.commit, move.number)


def _check(edit: Edit) -> None:
    if not edit.summary.strip():
        raise Invalid("The commit has no message. Say in a few words what it changes.")
    if len(edit.summary) > MAX_SUMMARY or len(edit.description) > MAX_BODY:
        raise Invalid(
            f"The message is too long: at most {MAX_SUMMARY:,} characters of summary and {MAX_BODY:,} of description."
        )


def _require_may_edit(desk: Desk, ref: str, tip: str) -> None:
    if ref.startswith(PULLS):
        pull = desk.record.pull(_number(ref))
        desk.require(Action.PUSH_PULL, author=pull.author)
        if pull.status in ("closed", "merged"):
            raise Conflict(f"Pull request {pull.number} is {pull.status}; it takes no more commits.")
        return
    desk.require(Action.WRITE)
    if not ref.startswith(BRANCHES):
        raise Forbidden(f"{ref[:100]} takes no commits; choose a branch or a pull request.")
    if not tip and (ref != MAIN or list_refs(desk.git, BRANCHES)):
        raise RevisionNotFound(f"Revision Not Found: there is no branch {ref.removeprefix(BRANCHES)[:100]!r} here.")


def _number(ref: str) -> int:
    text = ref.removeprefix(PULLS)
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise RevisionNotFound(f"Revision Not Found: there is no pull request {text[:40]!r} here.")
    return int(text)


def build_on(desk: Desk, parent: str, edit: Edit) -> str:
    """The commit that an edit makes on top of a parent (``""``: of nothing); the parent itself if nothing changes."""
    tree = _tree(desk, parent, edit)
    if parent and tree == tree_of(desk.store, parent):
        return parent
    who = desk.signature()
    return desk.incoming.add(make_commit(tree, [parent] if parent else [], _message(edit), who, who))


def _tree(desk: Desk, parent: str, edit: Edit) -> ObjectID:
    """What the edit makes of the parent; ``.gitattributes`` covers the large files that it places."""
    tree = build_tree(desk.incoming, parent or None, edit.operations)
    pointers = desk.incoming.checker.pointers
    large = [op.path for op in edit.operations if isinstance(op, Place) and bytes.fromhex(op.blob) in pointers]
    text = covering(LfsRules(desk.incoming.view, tree), large) if large else ""
    if not text:
        return tree
    rules = Put(ATTRIBUTES, text.encode("utf-8", "surrogateescape"))
    return build_tree(desk.incoming, parent or None, [*edit.operations, rules])


def _same_edit(desk: Desk, tip: str, edit: Edit) -> str:
    """``tip`` if it is what this very edit made a moment ago, by the same person on the same parent; else ``""``."""
    last = lookup(desk.store, ObjectID(tip.encode("ascii"))) if tip else None
    if (
        not isinstance(last, Commit)
        or len(last.parents) > 1
        or last.message != _message(edit).encode("utf-8", "replace")
    ):
        return ""
    parent = last.parents[0].decode("ascii") if last.parents else ""
    who = desk.signature()
    if not last.author.startswith(f"{who.name} <".encode()) or (edit.parent and not parent.startswith(edit.parent)):
        return ""
    try:
        tree = _tree(desk, parent, edit)
    except (Invalid, NotFound):
        return ""
    return tip if tree == last.tree else ""


def _same_pull(desk: Desk, edit: Edit) -> Discussion | None:
    """The last pull request of this person if it is open and this very edit opened it, with nothing pushed since."""
    mine = [one for one in desk.record.discussions.values() if one.is_pull and one.author == desk.name]
    last = max(mine, key=lambda one: one.number, default=None)
    if last is None or last.status not in ("open", "draft") or not last.head:
        return None
    return last if _same_edit(desk, last.head, edit) else None


def _message(edit: Edit) -> str:
    parts = (edit.summary.strip(), edit.description.strip())
    return "\n\n".join(part for part in parts if part).replace("\0", "") + "\n"
