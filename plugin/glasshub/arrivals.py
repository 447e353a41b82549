"""What the door notes of results that come to a model's ``main`` by a push or a commit: who brought them.

A merged pull request has an event of its own; this is about everything else, and about what a merge brings beyond
what the pull request proposed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from glasshub.desk import MAIN, Desk, Move
from glasshub.evals.eval_results import FOLDER
from glasshub.events import REPO, Event, EventType, new_event
from glasshub.git.first_parents import Folder
from glasshub.git.squashed import commits_only_in
from glasshub.provenance import merged_ids
from glasshub.result_files import FileIds, read_ids

MOST_COMMITS = 20_000  # of one push that are looked through
MOST_STEPS = 1000  # named in an event


def told(desk: Desk, move: Move) -> Move:
    """The move with an event ``committed`` before its own, if it changes result files on ``main``.

    Of other moves only two trees are looked at. The event comes first, so that the last one stays what was decided.
    """
    update = next((update for update in move.updates if update.ref == MAIN and not update.deletes), None)
    if update is None or move.refusal or desk.repo.type != "model":
        return move
    old = "" if update.creates else update.old
    folder = Folder(desk.store, FOLDER)
    if folder.at(old) == folder.at(update.new):
        return move
    merges = [event for event in move.events if event.type is EventType.MERGED]
    added, removed = _difference(desk, old, update.new, merges)
    if not (added or removed) and merges and all(event.data.get("how") != "push" for event in merges):
        return move
    steps, straight = _steps(desk, folder, old, update.new)
    event = new_event(
        EventType.COMMITTED, REPO, desk.name, old=old, new=update.new, steps=steps, apart=not straight, added=added,
        removed=removed,
    )  # fmt: skip
    return replace(move, events=(event, *move.events))


def _difference(desk: Desk, old: str, new: str, merges: Iterable[Event]) -> tuple[list[str], list[str]]:
    """The ids of results that are new on ``main``, and of those that are gone, less what the merges tell.

    A result that stands in a file which cannot be read any more is not gone: mending the file brings nothing new.
    """
    before, after = (read_ids(desk.incoming.view, commit) for commit in (old, new))
    was, now = _all(before), _all(after)
    proposed = {id for event in merges for id in merged_ids(event)}
    withdrawn = {one["id"] for event in merges for one in event.data.get("withdrawn", ())}
    nothing = FileIds((), True)
    gone = (id for path, file in before.items() if after.get(path, nothing).whole for id in file.ids)
    return [id for id in now if id not in was and id not in proposed], [
        id for id in dict.fromkeys(gone) if id not in now and id not in withdrawn
    ]


def _all(files: dict[str, FileIds]) -> dict[str, None]:
    return dict.fromkeys(id for file in files.values() for id in file.ids)


def _steps(desk: Desk, folder: Folder, old: str, new: str) -> tuple[list[str], bool]:
    """The commits on the line of first parents from ``old`` to ``new`` that changed result files, oldest first.

    Also whether ``old`` is where that line begins: it is not after a forced push, or when ``new`` merges ``old`` into
    another branch. None are named when there are too many.
    """
    fresh = commits_only_in(desk.incoming.view, new, old, limit=MOST_COMMITS)
    unknown, steps, here = set(fresh), [], new
    while here in unknown:
        parent = folder.first_parent(here)
        if folder.at(here) != folder.at(parent):
            steps.append(here)
        here = parent
    if len(fresh) == MOST_COMMITS or len(steps) > MOST_STEPS:
        return [], False
    return steps[::-1], here == old
