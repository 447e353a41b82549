"""Pull requests: opening, pushing to, merging and closing them. Decisions for :func:`glasshub.receive.decide`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Commit, ObjectID

from glasshub.access import Action
from glasshub.conversation import Discussion
from glasshub.desk import MAIN, PULLS, Desk, Move
from glasshub.errors import Conflict, Forbidden, Invalid, PreconditionFailed
from glasshub.evals.result_id import summary
from glasshub.events import MOST_RESULTS, Event, EventType, check_body, check_title, new_event
from glasshub.git.ancestry import is_ancestor, lookup
from glasshub.git.fsck import check_tip
from glasshub.git.merge import merge_commit, merge_trees
from glasshub.git.ref_store import ZERO
from glasshub.git.refs import STALE, RefUpdate
from glasshub.git.squashed import commits_only_in, merge_base
from glasshub.identity import Repo
from glasshub.index.snapshot import FileResult
from glasshub.proposals import Proposal, read_proposal

MOST_COMMITS = 250  # named in an event
How = Literal["merge", "squash", "fast-forward"]
HOWS: tuple[How, ...] = ("merge", "squash", "fast-forward")


def open_pull(desk: Desk, *, title: str, body: str, head: str, draft: bool = False) -> Move:
    """Open a pull request to ``main`` with ``head`` (40 hex, new or stored) as its ``refs/pr/N``.

    Raises:
        Forbidden, Unauthenticated, RepoNotFound: as the permission table says, or pull requests are switched off.
        Invalid: a bad title or text, a head that is no commit, or one that has nothing to do with ``main``.
    """
    desk.require(Action.DISCUSS)
    if not desk.repo.pulls_enabled:
        raise Forbidden(switched_off(desk.repo))
    if not desk.main:
        raise Invalid("This repo has no main branch yet; a pull request needs one to be merged into.")
    number = desk.next_number()
    update = RefUpdate(ZERO, head, f"{PULLS}{number}")
    _check_head(desk, update)
    found = proposal(desk, head)
    event = new_event(
        EventType.OPENED, number, desk.name, pull=True, title=check_title(title), body=check_body(body), draft=draft,
        base=MAIN, head=head, commits=_commits(desk, head, desk.main), **_results(found),
    )  # fmt: skip
    return Move((update,), (event,), notes=notes(desk, number, opened=True), problems=found.problems)


def push_head(desk: Desk, number: int, update: RefUpdate) -> Move:
    """Move the head of a pull request, forward or anew (a rebase).

    Raises:
        Forbidden, Unauthenticated: as the permission table says.
        Conflict: it is closed or merged, or the head is not where the caller saw it.
        Invalid: the new head is no commit or has nothing to do with ``main``.
    """
    pull = desk.record.pull(number)
    desk.require(Action.PUSH_PULL, author=pull.author)
    if pull.status in ("closed", "merged"):
        raise Conflict(f"pull request {number} is {pull.status}; " + _way_out(pull))
    old = desk.ref(update.ref)
    if (old or ZERO) != update.old:
        raise Conflict(STALE)
    _check_head(desk, update)
    before, after = (proposal(desk, head) if head else Proposal() for head in (old, update.new))
    commits = _commits(desk, update.new, old or desk.main)
    event = new_event(
        EventType.PUSHED, number, desk.name, old=old, new=update.new, commits=commits,
        forced=bool(old) and not is_ancestor(desk.store, old, update.new), **_results(after, before),
    )  # fmt: skip
    return Move((update,), (event,), notes=notes(desk, number), problems=after.problems)


def merge(desk: Desk, number: int, *, how: How = "merge", comment: str = "", head: str = "") -> Move:
    """Merge an open pull request into ``main``.

    Args:
        desk: the desk.
        number: of the pull request.
        how: ``merge`` (a commit with two parents), ``squash`` (one commit on top of ``main``) or ``fast-forward``.
        comment: a comment to add before, may be empty.
        head: the head that the caller looked at; another one is refused (any by default).

    Raises:
        Conflict: it is not open, files conflict (the message lists them), or it is no fast-forward.
        PreconditionFailed: somebody pushed to it meanwhile.
        Forbidden, Unauthenticated: as the permission table says.
    """
    pull = desk.record.pull(number)
    desk.require(Action.WRITE)
    if how not in HOWS:
        raise Invalid(f"Cannot merge by {how!r}. Choose one of: {', '.join(HOWS)}.")
    if pull.status != "open":
        raise Conflict(
            f"Pull request {number} is {'a draft' if pull.status == 'draft' else pull.status}; " + _way_out(pull)
        )
    tip, main = desk.ref(f"{PULLS}{number}"), desk.main
    if not tip:
        raise Conflict(f"The commits of pull request {number} were deleted. Push to refs/pr/{number} first.")
    if head and head != tip:
        raise PreconditionFailed("Somebody has pushed to this pull request meanwhile. Look at it again.")
    commit = _merged_commit(desk, pull, how, tip, main)
    events = [new_event(EventType.COMMENTED, number, desk.name, body=check_body(comment))] if comment.strip() else []
    events.append(merged_event(desk, pull, how, commit, onto=main, head=tip))
    updates = (RefUpdate(main, commit, MAIN),) if commit != main else ()
    return Move(updates, tuple(events))


def merged_event(desk: Desk, pull: Discussion, how: str, commit: str, *, onto: str, head: str) -> Event:
    """The event that a pull request came to ``main``, with the results that it brought."""
    found = proposal(desk, head, main=onto)
    return new_event(
        EventType.MERGED, pull.number, desk.name, how=how, commit=commit, onto=onto, head=head, **_results(found),
        more=[result.id for result in found.added[MOST_RESULTS:]],
    )  # fmt: skip


def delete_head(desk: Desk, number: int, *, expected: str = "") -> Move:
    """Delete the ref of a closed or merged pull request; what it proposed stays in the record.

    Raises:
        Conflict: it is open, or the ref is not where the caller saw it, or gone.
        Forbidden, Unauthenticated: as the permission table says.
    """
    pull = desk.record.pull(number)
    desk.require(Action.PUSH_PULL, author=pull.author)
    ref = f"{PULLS}{number}"
    old = desk.ref(ref)
    if pull.status not in ("closed", "merged"):
        raise Conflict(f"Pull request {number} is {pull.status}; close it first.")
    if not old or (expected and expected != old):
        raise Conflict(STALE if old else "Its commits were deleted before.")
    event = new_event(EventType.HEAD_DELETED, number, desk.name, head=old)
    return Move((RefUpdate(old, ZERO, ref),), (event,))


def proposal(desk: Desk, head: str, *, main: str = "") -> Proposal:
    """What ``head`` proposes for the results of a model (nothing for datasets)."""
    if desk.repo.type != "model":
        return Proposal()
    return read_proposal(desk.incoming.view, main or desk.main, head)


def switched_off(repo: Repo) -> str:
    """Why nobody can open a pull request in a repo that takes none, and what to do instead."""
    return (
        f"Pull requests are switched off in {repo.repo_id}. Start a discussion there and say what you would change, "
        "or ask its admins to switch them on in its settings."
    )


def message_of(store: BaseObjectStore, commit_id: str) -> str:
    """The message of a commit (``""`` if it is none)."""
    found = lookup(store, ObjectID(commit_id.encode("ascii")))
    return found.message.decode("utf-8", "replace").strip() if isinstance(found, Commit) else ""


def _check_head(desk: Desk, update: RefUpdate) -> None:
    reason = check_tip(desk.incoming, update)
    if reason:
        raise Invalid(reason)
    if merge_base(desk.incoming.view, desk.main, update.new) is None:
        raise Invalid("These commits have no history in common with main. Fetch main and build on it.")


def _merged_commit(desk: Desk, pull: Discussion, how: How, tip: str, main: str) -> str:
    """The commit that ``main`` is to get, made if it must be."""
    if is_ancestor(desk.store, tip, main):
        return main
    if how == "fast-forward":
        if not is_ancestor(desk.store, main, tip):
            raise Conflict("main has moved on, so this is no fast-forward. Merge or squash instead.")
        return tip
    made = merge_trees(desk.incoming, main, tip)
    if made.conflicts:
        raise Conflict(
            f"These files conflict with main: {', '.join(made.conflicts)}. Merge main into the pull request."
        )
    title = f"{pull.title} (#{pull.number})"
    mine, theirs = desk.signature(), desk.signature(pull.author)
    if how == "squash":
        said = [
            f"* {message_of(desk.store, oid)}"
            for oid in commits_only_in(desk.incoming.view, tip, main, limit=MOST_COMMITS)
        ]
        message = "\n\n".join([title, *reversed(said)]) + "\n"
        return merge_commit(desk.incoming, [main], made.tree, message=message, author=theirs, committer=mine)
    message = f"Merge pull request #{pull.number}: {pull.title}\n"
    return merge_commit(desk.incoming, [main, tip], made.tree, message=message, author=mine, committer=mine)


def _commits(desk: Desk, head: str, known: str) -> list[dict[str, str]]:
    """What an event says of new commits: ids and subjects, oldest first."""
    ids = commits_only_in(desk.incoming.view, head, known, limit=MOST_COMMITS)
    return [{"oid": oid, "subject": message_of(desk.store, oid).split("\n", 1)[0][:200]} for oid in reversed(ids)]


def _results(after: Proposal, before: Proposal | None = None) -> dict[str, Any]:
    """What an event says of proposed results: those that are new against ``before``, and those that are gone."""
    known = {result.id for result in before.added} if before else set()
    now = {result.id for result in after.added}
    added = [result for result in after.added if result.id not in known]
    gone = [result for result in (before.added if before else after.removed) if result.id not in now]
    return {"results": _summaries(added), "withdrawn": _summaries(gone)}


def _summaries(results: Sequence[FileResult]) -> list[dict[str, Any]]:
    return [summary(result.entry) for result in results[:MOST_RESULTS]]


def notes(desk: Desk, number: int, *, opened: bool = False) -> tuple[str, ...]:
    """What the terminal says of a pull request that was opened or updated."""
    address = f"{{url}}{desk.repo.path}/discussions/{number}"
    if opened:
        return (f"Pull request {number} is open: {address}", f"To change it, push to refs/pr/{number}.")
    return (f"Pull request {number} is updated: {address}",)


def merged_note(desk: Desk, number: int) -> str:
    """What the terminal says of a pull request that a push brought to ``main``."""
    return f"Pull request {number} is merged by this push: {{url}}{desk.repo.path}/discussions/{number}"


def _way_out(pull: Discussion) -> str:
    if pull.status == "merged":
        return "open another one."
    return "mark it as ready first." if pull.status == "draft" else "reopen it first."
