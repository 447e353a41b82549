"""What a push means: branches and tags move, ``refs/for/main`` opens a pull request, ``refs/pr/N`` changes one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from glasshub import policy, pulls
from glasshub.access import Action
from glasshub.desk import MAIN, PULLS, Desk, Move
from glasshub.errors import GlasshubError, Invalid
from glasshub.events import Event, check_body, check_title
from glasshub.git.refs import RefUpdate
from glasshub.git.squashed import commits_only_in

FOR = "refs/for/"
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
MOST_COMMITS = 2000  # of one push to main that are looked through for merged pull requests


def moves(desk: Desk, updates: Sequence[RefUpdate], options: Sequence[str]) -> list[Move]:
    """One move per update, in order; those that may not be made carry a refusal."""
    return [_move(desk, update, options) for update in updates]


def _move(desk: Desk, update: RefUpdate, options: Sequence[str]) -> Move:
    try:
        if update.ref.startswith(FOR):
            return _open(desk, update, options)
        if update.ref.startswith(PULLS):
            return _push_pull(desk, update)
        return _push(desk, update)
    except GlasshubError as error:
        return Move((update,), refusal=error.message)


def _push(desk: Desk, update: RefUpdate) -> Move:
    reason = policy.refuse_actor(desk.repo, desk.actor) or policy.refuse_ref(desk.repo, update)
    if reason:
        return Move((update,), refusal=reason)
    merged = tuple(_merged(desk, update))
    return Move((update,), merged, notes=tuple(pulls.merged_note(desk, event.number) for event in merged))


def _open(desk: Desk, update: RefUpdate, options: Sequence[str]) -> Move:
    if update.ref != f"{FOR}main":
        raise Invalid("pull requests of this hub go to main: push to refs/for/main")
    if update.deletes or not update.creates:
        raise Invalid("push a commit to refs/for/main to open a pull request; to change one, push to refs/pr/N")
    if open_already := _same_head(desk, update.new):
        return open_already
    said = dict(_option(option) for option in options)
    title, description = _title_and_description(desk, update.new)
    move = pulls.open_pull(
        desk,
        title=said.get("title") or title,
        body=said.get("description", "" if "title" in said else description),
        head=update.new,
        draft="draft" in said,
    )
    if not move.events[0].data.get("commits"):
        raise Invalid("main has all of these commits already; commit something first")
    return move


def _same_head(desk: Desk, head: str) -> Move | None:
    """A push that comes twice opens one pull request: its author's open one with these very commits."""
    desk.require(Action.DISCUSS)
    for found in desk.record.discussions.values():
        mine = found.is_pull and found.status in ("open", "draft") and found.author == desk.name
        if mine and not found.head_deleted and found.head == head != desk.main:
            return Move(notes=pulls.notes(desk, found.number, opened=True), again=found.timeline[0])
    return None


def _option(option: str) -> tuple[str, str]:
    key, _, value = option.partition("=")
    return key.strip().lower(), value


def _title_and_description(desk: Desk, head: str) -> tuple[str, str]:
    """From the oldest new commit, as its author wrote it; the other commits are listed."""
    ids = commits_only_in(desk.incoming.view, head, desk.main, limit=pulls.MOST_COMMITS)
    if not ids:
        return "Nothing new", ""
    messages = [pulls.message_of(desk.store, oid) for oid in reversed(ids)]
    title, _, body = messages[0].partition("\n")
    others = [f"- {message.partition(chr(10))[0]}" for message in messages[1:]]
    return check_title(title.strip()[:200] or "Untitled"), check_body("\n".join([body.strip(), *others])[:60_000])


def _push_pull(desk: Desk, update: RefUpdate) -> Move:
    text = update.ref.removeprefix(PULLS)
    if not _NUMBER.fullmatch(text):
        raise Invalid("pull requests are refs/pr/N; to open one push to refs/for/main")
    if int(text) not in desk.record.discussions:
        desk.require(Action.DISCUSS)
        raise Invalid(f"there is no pull request {text}; to open one push to refs/for/main")
    if update.deletes:
        return pulls.delete_head(desk, int(text), expected=update.old)
    return pulls.push_head(desk, int(text), update)


def _merged(desk: Desk, update: RefUpdate) -> Iterator[Event]:
    """A pull request (or a draft) whose head comes to ``main`` by a push is merged by it; closed ones stay closed."""
    if update.ref != MAIN or update.deletes or update.creates or desk.main != update.old:
        return
    known = desk.record.discussions.values()
    waiting = [found for found in known if found.is_pull and found.status in ("open", "draft")]
    if not waiting:
        return
    arrived = set(commits_only_in(desk.incoming.view, update.new, update.old, limit=MOST_COMMITS))
    for found in waiting:
        head = desk.ref(f"{PULLS}{found.number}")
        if head in arrived:
            yield pulls.merged_event(desk, found, "push", update.new, onto=update.old, head=head)
