"""Branches and tags, made and deleted by name. Decisions for :func:`glasshub.receive.decide`."""

from __future__ import annotations

from glasshub import policy
from glasshub.access import Action
from glasshub.desk import Desk, Move
from glasshub.errors import Conflict, Forbidden, Invalid, RevisionNotFound
from glasshub.events import check_body
from glasshub.git.build import make_tag
from glasshub.git.read import resolve_revision
from glasshub.git.ref_store import ZERO
from glasshub.git.refs import RefUpdate, check_ref_name

BRANCHES = "refs/heads/"
TAGS = "refs/tags/"


def create_branch(desk: Desk, *, name: str, start: str = "main") -> Move:
    """Make a branch at a revision (a branch, tag or commit, also abbreviated).

    Raises:
        Invalid: git does not allow the name, or the hub does not.
        Conflict: there is such a branch.
        RevisionNotFound: there is nothing to start from.
        Forbidden, Unauthenticated: as the permission table says.
    """
    ref = _new(desk, BRANCHES, name)
    return Move((RefUpdate(ZERO, resolve_revision(desk.git, start).commit, ref),))


def create_tag(desk: Desk, *, name: str, at: str = "main", message: str = "") -> Move:
    """Tag a revision; with a message the tag is annotated: it says who made it and when. Raises as for a branch."""
    ref = _new(desk, TAGS, name)
    target = resolve_revision(desk.git, at).commit
    if said := check_body(message):
        target = desk.incoming.add(make_tag(name, target, said + "\n", desk.signature()))
    return Move((RefUpdate(ZERO, target, ref),))


def delete_branch(desk: Desk, *, name: str) -> Move:
    """Delete a branch.

    Raises:
        RevisionNotFound: there is none of that name.
        Forbidden, Unauthenticated: as the permission table says; ``main`` stays, unless the repo's settings allow more.
    """
    return _gone(desk, f"{BRANCHES}{name}", f"there is no branch {name[:100]!r} here")


def delete_tag(desk: Desk, *, name: str) -> Move:
    """Delete a tag. Raises as for a branch."""
    return _gone(desk, f"{TAGS}{name}", f"there is no tag {name[:100]!r} here")


def _new(desk: Desk, kind: str, name: str) -> str:
    """The full name of a ref that may be made. Raises as :func:`create_branch`."""
    desk.require(Action.WRITE)
    ref, what = f"{kind}{name}", "branch" if kind == BRANCHES else "tag"
    reason = check_ref_name(ref) or policy.refuse_ref(desk.repo, RefUpdate(ZERO, "", ref))
    if name == "HEAD" or name.startswith("refs/"):
        reason = f"leave refs/ away and name the {what} alone"
    if reason:
        raise Invalid(f"Invalid reference for a {what}: {name[:100]!r} ({reason}).")
    if desk.ref(ref):
        raise Conflict(f"Reference {ref} already exists. Choose another name, or delete the {what} first.")
    return ref


def _gone(desk: Desk, ref: str, none: str) -> Move:
    desk.require(Action.WRITE)
    old = "" if check_ref_name(ref) else desk.ref(ref)
    if not old:
        raise RevisionNotFound(f"Revision Not Found: {none}.")
    update = RefUpdate(old, ZERO, ref)
    if reason := policy.refuse_ref(desk.repo, update):
        raise Forbidden(f"{reason}.")
    return Move((update,))
