"""The page of one discussion or pull request, also with what went wrong in a form and the text that was in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import render_template, request

from glasshub import access, discussions
from glasshub.access import Action
from glasshub.conversation import Comment, Discussion
from glasshub.errors import NotFound
from glasshub.git.read import open_repo
from glasshub.identity import Actor, Repo
from glasshub.index import queries
from glasshub.web.context import actor, hub
from glasshub.web.pages.discussions_files import TAKEN
from glasshub.web.pages.discussions_markdown import CommentHtml
from glasshub.web.pages.discussions_timeline import Note, Said, timeline
from glasshub.web.pages.pulls_results import score_table
from glasshub.web.pages.pulls_view import PullView
from glasshub.web.pages.repo_view import RepoView, see

ONE = "/discussions/<int(max=999999999):number>"
PER_PAGE = 100  # comments and notes; the first comment stands on every page


@dataclass(frozen=True, slots=True)
class May:
    """What the reader may do in one discussion: what is offered, not what is decided (that is done under the lock)."""

    who: Actor
    repo: Repo
    found: Discussion

    @property
    def comment(self) -> bool:
        """Add a comment."""
        allowed = access.may(self.who, Action.DISCUSS, self.repo)
        return allowed and (not self.found.locked or self.moderate)

    @property
    def change(self) -> bool:
        """Change the title, close it, make it a draft."""
        return access.may(self.who, Action.EDIT_OWN, self.repo, author=self.found.author)

    @property
    def reopen(self) -> bool:
        """Open it again after it was closed."""
        own = None if discussions.closed_by_other(self.found) else self.found.author
        return access.may(self.who, Action.EDIT_OWN, self.repo, author=own)

    @property
    def moderate(self) -> bool:
        """Merge, pin and lock."""
        return access.may(self.who, Action.WRITE, self.repo)

    @property
    def push(self) -> bool:
        """Push to the pull request, and delete its commits once it is over."""
        return access.may(self.who, Action.PUSH_PULL, self.repo, author=self.found.author)

    def edit(self, comment: Comment) -> bool:
        """Change a comment."""
        return self.comment and not comment.erased and _same(self.who.name, comment.author)

    def hide(self, comment: Comment) -> bool:
        """Fold a comment away."""
        return not comment.hidden and access.may(self.who, Action.EDIT_OWN, self.repo, author=comment.author)

    def show(self, comment: Comment) -> bool:
        """Show a hidden comment to everybody again."""
        own = comment.author if _same(comment.hidden_by, comment.author) else None
        return comment.hidden and access.may(self.who, Action.EDIT_OWN, self.repo, author=own)

    def read(self, comment: Comment) -> bool:
        """Read a comment's text: a hidden one is for its author and for those who moderate."""
        return not comment.hidden or self.moderate or _same(self.who.name, comment.author)


@dataclass(frozen=True, slots=True)
class Part:
    """One page of a timeline: ``opening`` comes first on every page; ``before`` and ``after`` are starts, or -1."""

    opening: Said | None
    items: list[Said | Note]
    start: int
    before: int
    after: int


def discussion_of(view: RepoView, number: int) -> Discussion:
    """A discussion of the repo. Raises ``NotFound``."""
    found = queries.discussion(hub().index.read(), view.repo.key, number)
    if found is None:
        raise NotFound(f"{view.repo.repo_id} has no discussion or pull request {number}.")
    return found


def conversation(view: RepoView, found: Discussion, *, error: str = "", comment: str = "") -> str:
    """The page; ``error`` is what went wrong with a form, ``comment`` the text that was in it."""
    with open_repo(hub().git_dir(view.repo)) as git:
        pull = PullView.open(git, found) if found.is_pull else None
        facts: dict[str, Any] = {"pull": pull}
        if pull is not None and view.repo.type == "model":
            facts["scores"] = score_table(pull, view.repo.key, see())
        return render_template(
            "discussions/pull.html" if pull else "discussions/discussion.html",
            view=view,
            found=found,
            may=May(actor(), view.repo, found),
            part=part_of(timeline(found), request.args.get("start", -1, type=int)),
            html=CommentHtml(view.repo, git),
            taken=TAKEN,
            error=error,
            comment=comment,
            **facts,
        )


def part_of(items: list[Said | Note], start: int) -> Part:
    """The page of a timeline that begins at ``start`` (negative: the last one)."""
    opening = items[0] if items and isinstance(items[0], Said) and items[0].opening else None
    rest = items[1:] if opening else items
    last = max(0, len(rest) - PER_PAGE)
    start = last if start < 0 else min(start, last)
    shown = rest[start : start + PER_PAGE]
    before = max(0, start - PER_PAGE) if start else -1
    after = start + PER_PAGE if start + PER_PAGE < len(rest) else -1
    return Part(opening, shown, start, before, after)


def _same(one: str | None, other: str) -> bool:
    return bool(one) and one is not None and one.lower() == other.lower()
