"""Squashing the history of a branch or pull request into one commit. A decision for :func:`glasshub.receive.decide`.

What clients see afterwards is one commit with the same files. What the hub keeps of ``main`` is all of it: the former
head stays under a ref of its own (:mod:`glasshub.git.squashed`), so that dates, submitters and the evaluation history
of results, and what pull requests build on, are what they were.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dulwich.objects import Commit, ObjectID

from glasshub.access import Action
from glasshub.branches import BRANCHES, TAGS
from glasshub.desk import MAIN, PULLS, Desk, Move
from glasshub.edits import MAX_SUMMARY
from glasshub.errors import Conflict, Invalid, RevisionNotFound
from glasshub.events import REPO, EventType, check_body, new_event
from glasshub.git.ancestry import lookup
from glasshub.git.build import make_commit
from glasshub.git.merge import tree_of
from glasshub.git.refs import RefUpdate, check_ref_name
from glasshub.git.squashed import SQUASHED, keeps, merge_base

_PULL = re.compile(rf"{PULLS}([1-9][0-9]{{0,8}})")


def squash(desk: Desk, *, name: str, message: str) -> Move:
    """Make the history of ``name`` (a branch, or ``refs/pr/N``) one commit with this message.

    The same again right after changes nothing.

    Raises:
        RevisionNotFound: there is no such branch or pull request.
        Invalid: it is a tag, or the message is empty or too long.
        Conflict: the pull request is closed or merged.
        Forbidden, Unauthenticated: as the permission table says.
    """
    said = check_body(message, required=True)
    if len(said.partition("\n")[0]) > MAX_SUMMARY:
        raise Invalid(f"The first line of the message has more than {MAX_SUMMARY:,} characters. Shorten it.")
    if found := _PULL.fullmatch(name):
        return _squash_pull(desk, int(found[1]), said)
    desk.require(Action.WRITE)
    ref = f"{BRANCHES}{name.removeprefix(BRANCHES)}"
    old = _tip(desk, ref)
    if not old:
        if _tip(desk, f"{TAGS}{name}") or name.startswith("refs/"):
            raise Invalid(f"Invalid reference for a branch: {name[:100]!r}. Only branches and pull requests squash.")
        raise RevisionNotFound(f"Revision Not Found: there is no branch {name[:100]!r} here.")
    new, notes = _commit(desk, old, said, former=old if ref == MAIN else "")
    if new == old:
        return Move()
    update = RefUpdate(old, new, ref)
    if ref != MAIN:
        return Move((update,))
    event = new_event(EventType.SQUASHED, REPO, desk.name, commit=new, onto=old)
    return Move((update, *notes), (event,))


def _squash_pull(desk: Desk, number: int, message: str) -> Move:
    """One commit on nothing, as clients expect; what it builds on is noted beside it."""
    if number not in desk.record.discussions:
        raise RevisionNotFound(f"Revision Not Found: there is no pull request {number} here.")
    pull = desk.record.pull(number)
    desk.require(Action.PUSH_PULL, author=pull.author)
    if pull.status in ("closed", "merged"):
        raise Conflict(f"Pull request {number} is {pull.status}; its history stays as it is.")
    ref = f"{PULLS}{number}"
    old = _tip(desk, ref)
    if not old:
        raise RevisionNotFound(f"Revision Not Found: the commits of pull request {number} were deleted.")
    base = merge_base(desk.git, desk.main, old) if desk.main else None
    new, notes = _commit(desk, old, message, former=base or "")
    if new == old:
        return Move()
    commits = [{"oid": new, "subject": message.partition("\n")[0][:200]}]
    event = new_event(EventType.PUSHED, number, desk.name, old=old, new=new, commits=commits, forced=True)
    return Move((RefUpdate(old, new, ref), *notes), (event,))


def _tip(desk: Desk, ref: str) -> str:
    return "" if check_ref_name(ref) else desk.ref(ref)


def _commit(desk: Desk, old: str, message: str, *, former: str) -> tuple[str, list[RefUpdate]]:
    """The commit that stands for all before it (``old`` itself if it does so already), and the note of what that was.

    Whoever squashes the same files with the same words in the same second gets the same commit. Where that stands for
    something else already, this one is dated a second later: each stands for one history.
    """
    text = f"{message}\n"
    last = lookup(desk.store, ObjectID(old.encode("ascii")))
    if isinstance(last, Commit) and not last.parents and last.message == text.encode("utf-8", "replace"):
        return old, []
    tree, who = tree_of(desk.store, old), desk.signature()
    while True:
        new = desk.incoming.add(make_commit(tree, [], text, who, who))
        known = desk.ref(f"{SQUASHED}{new}")
        if not known or known == former:
            return new, [keeps(new, former)] if former and not known else []
        who = replace(who, time=who.time + 1)
