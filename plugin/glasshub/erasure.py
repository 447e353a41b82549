"""Erasing abusive or personal text from the record: the one case in which the chain of events is written anew.

What is erased leaves its place (who, when, what kind of event) and a tombstone event with the reason, so that
everybody sees that something was taken out, and why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from glasshub import receive, repos
from glasshub.desk import Desk, Move, signature
from glasshub.errors import Forbidden, Invalid, NotFound
from glasshub.events import REPO, Event, EventType, check_reason, from_message, new_event, redacted, to_message
from glasshub.git import event_log
from glasshub.git.event_log import EVENTS, Logged
from glasshub.git.lock import repo_lock
from glasshub.git.read import open_repo
from glasshub.git.refs import RefUpdate
from glasshub.hub import Hub
from glasshub.identity import Actor, Repo

NOBODY = "erased"  # stands in commits where a name was taken out
Redact = Callable[[Event], Event]


@dataclass(slots=True)
class Erased:
    """How many events were redacted, and commits that could not be removed from disk since they lie in packs."""

    events: int = 0
    packed: list[str] = field(default_factory=list)


def erase_events(hub: Hub, actor: Actor, repo: Repo, event_ids: list[str], *, reason: str) -> Erased:
    """Erase the words of events (a comment's former texts go with it).

    Args:
        hub: the hub.
        actor: an admin of the hub.
        repo: where the events stand.
        event_ids: ids of events, such as the comment ids in the API.
        reason: is published with the tombstone.

    Raises:
        Forbidden: the actor is no admin of the hub.
        NotFound: there is no such event.
        Invalid: there is no reason.
    """
    wanted = {event_id.strip().lower() for event_id in event_ids}

    def redact(event: Event) -> Event:
        edits = event.type is EventType.EDITED and event.data.get("comment") in wanted
        return redacted(event) if event.id in wanted or edits else event

    def known(events: list[Event]) -> None:
        missing = sorted(wanted - {event.id for event in events})
        if missing:
            raise NotFound(f"{repo.repo_id} has no event {', '.join(missing)}.")

    return _rewrite(hub, actor, repo, redact, reason=reason, check=known)


def erase_author(hub: Hub, actor: Actor, name: str, *, texts: bool, reason: str) -> dict[str, Erased]:
    """Take a user's name out of the record of every repo, and with ``texts`` all that they wrote there.

    Returns:
        What was erased, by path of the repo.

    Raises:
        Forbidden, Invalid: as :func:`erase_events`.
    """

    def redact(event: Event) -> Event:
        return redacted(event, texts=texts, author=True) if event.actor.lower() == name.lower() else event

    done = {}
    for repo in repos.every(hub):
        found = _rewrite(hub, actor, repo, redact, reason=reason)
        if found.events:
            done[repo.path] = found
    return done


def _rewrite(
    hub: Hub,
    actor: Actor,
    repo: Repo,
    redact: Redact,
    *,
    reason: str,
    check: Callable[[list[Event]], None] = lambda _: None,
) -> Erased:
    if not actor.is_hub_admin:
        raise Forbidden("Only admins of the hub may erase from the record.")
    said = check_reason(reason)
    if not said:
        raise Invalid("Give a reason; it is published where something was erased.")
    gone: list[str] = []
    done = Erased()

    def decision(desk: Desk) -> Move:
        tip = desk.record.tip
        chain = event_log.read_chain(desk.git, tip) if tip else []
        check([event for event in (from_message(entry.message) for entry in chain) if event is not None])
        fresh, changed = _redacted_chain(chain, redact)
        if not changed:
            return Move()
        done.events = len(changed)
        first = next(place for place, entry in enumerate(chain) if entry.message != fresh[place])
        gone.extend(entry.commit for entry in chain[first:])
        tombstone = new_event(EventType.ERASED, REPO, desk.name, events=changed, reason=said)
        return Move((RefUpdate(tip, _rebuild(desk, chain, [*fresh, to_message(tombstone)], first), EVENTS),))

    with hub.index.shredding():
        receive.decide(hub, repo, actor, decision)
    if gone:
        with repo_lock(hub.git_dir(repo), timeout=hub.settings.lock_timeout), open_repo(hub.git_dir(repo)) as git:
            done.packed = event_log.forget(git, gone)
    return done


def _redacted_chain(chain: list[Logged], redact: Redact) -> tuple[list[str], list[str]]:
    """The messages of the chain with what is to go taken out, and the ids of the events that changed."""
    fresh, changed = [], []
    for entry in chain:
        event = from_message(entry.message)
        new = redact(event) if event is not None else None
        if event is None or new is None or new == event:
            fresh.append(entry.message)
        else:
            fresh.append(to_message(new))
            changed.append(event.id)
    return fresh, changed


def _rebuild(desk: Desk, chain: list[Logged], messages: list[str], first: int) -> str:
    """Write the chain anew from the place where it changes; returns its new tip."""
    commits = []
    for message in messages[first:]:
        event = from_message(message)
        date = event.date if event else desk.record.events[0].date
        commits.append((message, signature(desk.hub, (event.actor if event else "") or NOBODY, date)))
    return event_log.append(desk.incoming, chain[first - 1].commit if first else None, commits)
