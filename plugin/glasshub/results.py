"""Hiding single results and showing them again: the right of those who may write to a model.

Decisions for :func:`glasshub.receive.decide`. What is hidden leaves card, leaderboards, API and feeds; the record keeps
who hid what, when and why.
"""

from __future__ import annotations

from collections.abc import Iterator

from glasshub.access import Action
from glasshub.desk import PULLS, Desk, Move
from glasshub.errors import Conflict, Invalid, NotFound
from glasshub.evals.result_id import summary
from glasshub.events import REPO, EventType, check_reason, new_event
from glasshub.index.snapshot import FileResult
from glasshub.proposals import read_proposal
from glasshub.result_files import read_results


def hide_result(desk: Desk, result_id: str, *, reason: str = "") -> Move:
    """Hide the result with this id, wherever it stands: on ``main`` or in a pull request.

    Raises:
        NotFound: no such result is shown.
        Conflict: it is hidden already.
        Forbidden, Unauthenticated: the actor may not write to the model.
    """
    desk.require(Action.WRITE)
    wanted = _checked(desk, result_id)
    if wanted in desk.record.hidden:
        raise Conflict("This result is hidden already.")
    found = find_result(desk, wanted)
    if found is None:
        raise NotFound(f"{desk.repo.repo_id} shows no result {wanted}. The model's evaluations list their ids.")
    about = {**summary(found.entry), **({"pull": found.pull} if found.pull else {})}
    event = new_event(EventType.RESULT_HIDDEN, REPO, desk.name, result=wanted, about=about, reason=check_reason(reason))
    return Move(events=(event,))


def show_result(desk: Desk, result_id: str, *, reason: str = "") -> Move:
    """Show a hidden result again.

    Raises:
        Conflict: it is not hidden.
        Forbidden, Unauthenticated: the actor may not write to the model.
    """
    desk.require(Action.WRITE)
    wanted = _checked(desk, result_id)
    hidden = desk.record.hidden.get(wanted)
    if hidden is None:
        raise Conflict("This result is not hidden.")
    event = new_event(
        EventType.RESULT_SHOWN, REPO, desk.name, result=wanted, about=dict(hidden.about), reason=check_reason(reason)
    )
    return Move(events=(event,))


def find_result(desk: Desk, wanted: str) -> FileResult | None:
    """The result with this id on ``main`` or in an open pull request, hidden or not."""
    return next((result for result in all_results(desk) if result.id == wanted), None)


def all_results(desk: Desk) -> Iterator[FileResult]:
    """The results on ``main`` and those that open pull requests add, hidden ones too."""
    main = desk.main
    yield from read_results(desk.git, main).results if main else ()
    for pull in desk.record.discussions.values():
        head = desk.ref(f"{PULLS}{pull.number}")
        if pull.counts_results and head:
            for result in read_proposal(desk.git, main, head).added:
                yield FileResult(result.entry, result.id, result.commit, result.committed_at, pull.author, pull.number)


def _checked(desk: Desk, result_id: str) -> str:
    if desk.repo.type != "model":
        raise Invalid(f"{desk.repo.repo_id} is a dataset; results are kept by models.")
    return result_id.strip().lower()
